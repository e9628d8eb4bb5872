/* Every write notes what it replaces, so that the server can go back to any earlier moment: that is a
 * failover (a few writes back) as well as an older copy (many).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/check.h"
#include "core/mem.h"
#include "core/mutant.h"
#include "processors/worker/blob.h"
#include "tests/sim/store_model_parts.h"

void server_init(struct server *s)
{
    *s = (struct server){.arena = arena_new(64 * 1024)};
}

void server_free(struct server *s)
{
    for (size_t i = 0; i < s->area_count; i++) {
        table_free(&s->areas[i]->table);
        mem_free(s->areas[i]->subjects);
    }
    mem_free(s->areas);
    mem_free(s->undo);
    arena_free(s->arena);
}

struct server_area *server_area(struct server *s, const char *step, int32_t partition)
{
    struct server_area *area;

    for (size_t i = 0; i < s->area_count; i++)
        if (s->areas[i]->partition == partition && strcmp(s->areas[i]->step, step) == 0)
            return s->areas[i];
    area = ARENA_NEW(s->arena, struct server_area);
    area->step = arena_str(s->arena, str_of(step)).data;
    area->partition = partition;
    MEM_RESERVE(s->areas, s->area_count, s->area_capacity);
    return s->areas[s->area_count++] = area;
}

static struct server_subject *find(const struct server_area *area, struct str subject)
{
    return (struct server_subject *)table_find(&area->table, table_hash(subject), subject);
}

static struct server_subject *find_or_make(struct server *s, struct server_area *area,
                                           struct str subject)
{
    struct server_subject *it = find(area, subject);

    if (it != NULL)
        return it;
    it = ARENA_NEW(s->arena, struct server_subject);
    it->node = (struct table_node){table_hash(subject), arena_str(s->arena, subject)};
    table_add(&area->table, &it->node);
    MEM_RESERVE(area->subjects, area->count, area->capacity);
    return area->subjects[area->count++] = it;
}

struct str server_blob(const struct server_area *area, struct str subject)
{
    const struct server_subject *it = find(area, subject);

    return it != NULL ? it->blob : STR_EMPTY;
}

/* --- writing --------------------------------------------------------------------------------- */

static void note(struct server *s, struct server_area *area, struct server_subject *subject)
{
    struct server_undo undo = {.write = s->writes, .area = area, .subject = subject};

    if (subject != NULL)
        undo.old = *subject;
    else
        undo.old_head = area->head;
    MEM_RESERVE(s->undo, s->undo_count, s->undo_capacity);
    s->undo[s->undo_count++] = undo;
}

void server_go_back(struct server *s, size_t writes)
{
    if (writes < s->safe_writes)
        writes = s->safe_writes;
    while (s->undo_count > 0 && s->undo[s->undo_count - 1].write > writes) {
        const struct server_undo *undo = &s->undo[--s->undo_count];

        if (undo->subject != NULL)
            *undo->subject = undo->old;
        else
            undo->area->head = undo->old_head;
    }
    if (s->writes > writes)
        s->writes = writes;
}

void server_empty(struct server *s)
{
    s->writes++;
    for (size_t i = 0; i < s->area_count; i++) {
        struct server_area *area = s->areas[i];

        note(s, area, NULL);
        area->head = (struct server_head){0};
        for (size_t k = 0; k < area->count; k++) {
            note(s, area, area->subjects[k]);
            area->subjects[k]->blob = STR_EMPTY;
            area->subjects[k]->timer_count = 0;
        }
    }
}

/* An identity counts once something has been committed under it. */
enum store_result server_claim(struct server *s, struct server_area *area, const char *token,
                               struct str identity)
{
    if (area->head.committed && !str_equal(area->head.identity, identity))
        return STORE_REFUSED;
    s->writes++;
    note(s, area, NULL);
    snprintf(area->head.token, sizeof area->head.token, "%s", token);
    area->head.identity = arena_str(s->arena, identity);
    return STORE_DONE;
}

enum store_result server_check(const struct server_area *area, const char *token, uint64_t commit)
{
    if (strcmp(area->head.token, token) != 0 && !MUTANT(TOKEN_UNCHECKED))
        return STORE_FENCED;
    return area->head.commit == commit || MUTANT(COMMIT_NUMBER_UNCHECKED) ? STORE_DONE : STORE_GAP;
}

static bool is_lane(const struct store_lane *a, const struct store_lane *b)
{
    return a->of_lane == b->of_lane && a->id == b->id;
}

/* The old array stays as it is: what was noted points to it. */
static void set_timer(struct server *s, struct server_subject *it, struct store_lane lane,
                      int64_t due_ms)
{
    struct server_timer *timers = ARENA_ARRAY(s->arena, struct server_timer, it->timer_count + 1);
    size_t count = 0;

    for (size_t i = 0; i < it->timer_count; i++)
        if (!is_lane(&it->timers[i].lane, &lane))
            timers[count++] = it->timers[i];
    if (due_ms != STEP_NO_TIMER)
        timers[count++] = (struct server_timer){lane, due_ms};
    it->timers = timers;
    it->timer_count = count;
}

static void write_subject(struct server *s, struct server_area *area,
                          const struct store_subject *from)
{
    struct server_subject *it = find_or_make(s, area, from->subject);

    note(s, area, it);
    it->blob = from->blob.len > 0 ? arena_str(s->arena, from->blob) : STR_EMPTY;
    if (from->due_changed)
        set_timer(s, it, (struct store_lane){0}, from->due_ms);
    for (size_t i = 0; i < from->wait_count; i++)
        set_timer(s, it, (struct store_lane){true, from->waits[i].lane}, from->waits[i].due_ms);
}

enum store_result server_commit(struct server *s, const struct server_commit *commit,
                                uint64_t *now_commit)
{
    struct server_area *area = server_area(s, commit->step, commit->partition);
    enum store_result result = server_check(area, commit->token, commit->number);

    *now_commit = area->head.commit;
    if (result != STORE_DONE)
        return result;
    s->writes++;
    note(s, area, NULL);
    for (size_t i = 0; i < commit->count; i++)
        write_subject(s, area, &commit->subjects[i]);
    area->head.meta = arena_str(s->arena, commit->meta);
    area->head.commit = commit->number + 1;
    area->head.committed = true;
    return STORE_DONE;
}

/* --- reading --------------------------------------------------------------------------------- */

static int by_due(const void *one, const void *two)
{
    const struct store_subject *a = one, *b = two;

    if (a->due_ms != b->due_ms)
        return a->due_ms < b->due_ms ? -1 : 1;
    return str_compare(a->subject, b->subject);
}

static bool is_behind(int64_t due_ms, struct str subject, int64_t edge_ms, struct str after)
{
    return due_ms != edge_ms ? due_ms > edge_ms : str_compare(subject, after) > 0;
}

void server_due(const struct server_area *area, struct store_lane lane, int64_t due_ms,
                struct str after, size_t max, struct arena *arena, struct store_subject **out,
                size_t *count, bool *more)
{
    size_t found = 0;

    *out = ARENA_ARRAY(arena, struct store_subject, area->count);
    for (size_t i = 0; i < area->count; i++) {
        const struct server_subject *it = area->subjects[i];

        for (size_t k = 0; k < it->timer_count; k++)
            if (is_lane(&it->timers[k].lane, &lane) &&
                is_behind(it->timers[k].due_ms, it->node.key, due_ms, after))
                (*out)[found++] = (struct store_subject){.subject = arena_str(arena, it->node.key),
                                                         .due_ms = it->timers[k].due_ms};
    }
    if (found > 0)
        qsort(*out, found, sizeof **out, by_due);
    *more = found > max;
    *count = *more ? max : found;
}

void server_list(const struct server_area *area, struct arena *arena, struct store_subject **out,
                 size_t *count)
{
    *count = 0;
    *out = ARENA_ARRAY(arena, struct store_subject, area->count);
    for (size_t i = 0; i < area->count; i++)
        if (area->subjects[i]->blob.len > 0)
            (*out)[(*count)++] = (struct store_subject){.subject = area->subjects[i]->node.key,
                                                        .blob = area->subjects[i]->blob};
}

static int64_t due_in(const struct server_subject *it, struct store_lane lane)
{
    for (size_t i = 0; i < it->timer_count; i++)
        if (is_lane(&it->timers[i].lane, &lane))
            return it->timers[i].due_ms;
    return STEP_NO_TIMER;
}

static bool fits(const struct server_subject *it, const struct blob_timers *timers)
{
    size_t count = timers->wait_count + (timers->due_ms != STEP_NO_TIMER);
    bool all = due_in(it, (struct store_lane){0}) == timers->due_ms;

    for (size_t i = 0; i < timers->wait_count; i++)
        all &=
            due_in(it, (struct store_lane){true, timers->waits[i].lane}) == timers->waits[i].due_ms;
    return all && it->timer_count == count;
}

bool server_timers_fit(const struct server_area *area, struct err *why)
{
    struct arena *arena = arena_new(0);
    bool all = true;

    for (size_t i = 0; i < area->count && all; i++) {
        const struct server_subject *it = area->subjects[i];
        struct blob_timers timers;
        struct str inner;

        all = blob_unwrap(it->node.key, it->blob, arena, &timers, &inner, why) == ERR_NONE;
        if (all && !fits(it, &timers)) {
            err_set(why, ERR_STATE, "timers of %.*s in %s/%d are not those of its state",
                    STR_ARG(it->node.key), area->step, area->partition);
            all = false;
        }
    }
    arena_free(arena);
    return all;
}

struct store_subject *server_copy_subjects(struct arena *arena,
                                           const struct store_subject *subjects, size_t count)
{
    struct store_subject *copy = ARENA_ARRAY(arena, struct store_subject, count);

    for (size_t i = 0; i < count; i++) {
        const struct store_subject *from = &subjects[i];

        copy[i] = *from;
        copy[i].subject = arena_str(arena, from->subject);
        copy[i].blob = from->blob.len > 0 ? arena_str(arena, from->blob) : STR_EMPTY;
        if (from->wait_count > 0)
            copy[i].waits = arena_copy(arena, from->waits, from->wait_count * sizeof *from->waits);
    }
    return copy;
}
