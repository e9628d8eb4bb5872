/* Timers stand in orders of their own, one a lane, so that the next ones are found without looking
 * at all subjects: a replay may have a million of them.
 */
#include "processors/worker/memory_store.h"

#include <stdlib.h>
#include <string.h>

#include "core/check.h"
#include "core/mem.h"
#include "core/mutant.h"
#include "processors/worker/timers.h"

struct kept { /* one subject */
    struct table_node node;
    char *blob;
    size_t blob_bytes;
};

struct order { /* subjects by their earliest timer in a lane */
    struct store_lane lane;
    struct timers timers; /* whole */
};

struct area { /* one partition of a step */
    char *step;
    int32_t partition;
    bool claimed;
    char token[STORE_TOKEN_SIZE];
    char *identity, *meta;
    size_t identity_bytes, meta_bytes;
    uint64_t commit;
    struct table subjects;
    struct order *orders;
    size_t order_count, order_capacity;
    enum store_result answer; /* of the commit that was sent */
};

struct memory_store {
    struct store store;
    struct area **areas;
    size_t count, capacity;
};

static struct area *area_of(struct store *s, const char *step, int32_t partition)
{
    struct memory_store *m = (struct memory_store *)s;
    struct area *a;

    for (size_t i = 0; i < m->count; i++)
        if (m->areas[i]->partition == partition && strcmp(m->areas[i]->step, step) == 0)
            return m->areas[i];
    MEM_RESERVE(m->areas, m->count, m->capacity);
    a = m->areas[m->count++] = MEM_NEW(struct area);
    a->step = mem_copy_text(step, strlen(step));
    a->partition = partition;
    return a;
}

static enum store_result check(const struct area *a, const char *token, uint64_t commit)
{
    if (!a->claimed || (strcmp(a->token, token) != 0 && !MUTANT(TOKEN_UNCHECKED)))
        return STORE_FENCED;
    return a->commit == commit || MUTANT(COMMIT_NUMBER_UNCHECKED) ? STORE_DONE : STORE_GAP;
}

static struct kept *find(const struct area *a, struct str subject)
{
    return (struct kept *)table_find(&a->subjects, table_hash(subject), subject);
}

static struct kept *make(struct area *a, struct str subject)
{
    struct kept *k = mem_alloc(sizeof *k + subject.len);
    char *text = (char *)(k + 1);

    if (subject.len > 0)
        memcpy(text, subject.data, subject.len);
    k->node = (struct table_node){table_hash(subject), {text, subject.len}};
    table_add(&a->subjects, &k->node);
    return k;
}

static void forget(struct kept *k)
{
    mem_free(k->blob);
    mem_free(k);
}

static void keep_text(char **text, size_t *bytes, struct str from)
{
    mem_free(*text);
    *text = mem_copy_text(from.len > 0 ? from.data : "", from.len);
    *bytes = from.len;
}

/* --- the class ------------------------------------------------------------------------------ */

static enum store_result memory_claim(struct store *s, const char *step, int32_t partition,
                                      const char *token, struct str identity, struct arena *arena,
                                      struct store_claim *out, struct err *err)
{
    struct area *a = area_of(s, step, partition);
    const struct kept *own;

    *out = (struct store_claim){.fresh = a->commit == 0};
    if (a->commit == 0)
        keep_text(&a->identity, &a->identity_bytes, identity);
    if (!str_equal((struct str){a->identity, a->identity_bytes}, identity)) {
        err_set(err, ERR_STATE, "state of %s/%d belongs to %s, not to %.*s", step, partition,
                a->identity, STR_ARG(identity));
        return STORE_REFUSED;
    }
    CHECK(strlen(token) == STORE_TOKEN_SIZE - 1);
    strcpy(a->token, token);
    a->claimed = true;
    own = find(a, STR_EMPTY);
    out->commit = a->commit;
    out->meta = arena_str(arena, (struct str){a->meta, a->meta_bytes});
    if (own != NULL)
        out->own = arena_str(arena, (struct str){own->blob, own->blob_bytes});
    return STORE_DONE;
}

static enum store_result memory_load(struct store *s, const char *step, int32_t partition,
                                     const char *token, uint64_t commit, struct arena *arena,
                                     struct store_subject *subjects, size_t count, struct err *err)
{
    const struct area *a = area_of(s, step, partition);
    enum store_result result = MUTANT(LOAD_UNCHECKED) ? STORE_DONE : check(a, token, commit);

    (void)err;
    for (size_t i = 0; i < count && result == STORE_DONE; i++) {
        const struct kept *k = find(a, subjects[i].subject);

        subjects[i].blob =
            k != NULL ? arena_str(arena, (struct str){k->blob, k->blob_bytes}) : STR_EMPTY;
    }
    return result;
}

static struct order *order_of(struct area *a, struct store_lane lane)
{
    struct order *order;

    for (size_t i = 0; i < a->order_count; i++)
        if (a->orders[i].lane.of_lane == lane.of_lane && a->orders[i].lane.id == lane.id)
            return &a->orders[i];
    MEM_RESERVE(a->orders, a->order_count, a->order_capacity);
    order = &a->orders[a->order_count++];
    order->lane = lane;
    timers_init(&order->timers);
    timers_extend(&order->timers, 0, STR_EMPTY, true);
    return order;
}

/* Timers in order, those up to the edge among them, so many that `max` + 1 lie behind it, or all. */
static size_t first_timers(struct timers *timers, const struct timer *edge, size_t max,
                           struct arena *arena, const struct timer ***out, size_t *skip)
{
    size_t want = max + 1, count;

    for (;; want *= 2) {
        *out = ARENA_ARRAY(arena, const struct timer *, want);
        count = timers_due(timers, INT64_MAX, *out, want);
        for (*skip = 0; *skip < count && !timer_is_before(edge, (*out)[*skip]);)
            ++*skip;
        if (count < want || count - *skip > max)
            return count;
    }
}

static enum store_result memory_due(struct store *s, const char *step, int32_t partition,
                                    const char *token, uint64_t commit, struct store_lane lane,
                                    int64_t due_ms, struct str after, size_t max,
                                    struct arena *arena, struct store_subject **out, size_t *count,
                                    bool *more, struct err *err)
{
    struct area *a = area_of(s, step, partition);
    const struct timer edge = {.node = {.key = after}, .due_ms = due_ms}, **found;
    size_t skip, all = first_timers(&order_of(a, lane)->timers, &edge, max, arena, &found, &skip);

    (void)err;
    *more = all - skip > max;
    *count = *more ? max : all - skip;
    *out = ARENA_ARRAY(arena, struct store_subject, *count);
    for (size_t i = 0; i < *count; i++)
        (*out)[i] = (struct store_subject){.subject = arena_str(arena, found[skip + i]->node.key),
                                           .due_ms = found[skip + i]->due_ms};
    return check(a, token, commit);
}

static void forget_timers(struct area *a, const struct kept *k)
{
    for (size_t i = 0; i < a->order_count; i++)
        timers_set(&a->orders[i].timers, k->node.hash, k->node.key, STEP_NO_TIMER);
}

static void write_timers(struct area *a, const struct kept *k, const struct store_subject *subject)
{
    if (subject->due_changed)
        timers_set(&order_of(a, (struct store_lane){0})->timers, k->node.hash, k->node.key,
                   subject->due_ms);
    for (size_t i = 0; i < subject->wait_count; i++)
        timers_set(&order_of(a, (struct store_lane){true, subject->waits[i].lane})->timers,
                   k->node.hash, k->node.key, subject->waits[i].due_ms);
}

static void write_subject(struct area *a, const struct store_subject *subject)
{
    struct kept *k = find(a, subject->subject);

    if (subject->blob.len == 0) {
        if (k != NULL) {
            forget_timers(a, k);
            table_remove(&a->subjects, &k->node);
            forget(k);
        }
        return;
    }
    if (k == NULL)
        k = make(a, subject->subject);
    mem_free(k->blob);
    k->blob = mem_copy(subject->blob.data, subject->blob.len);
    k->blob_bytes = subject->blob.len;
    write_timers(a, k, subject);
}

static void memory_commit_send(struct store *s, const char *step, int32_t partition,
                               const char *token, uint64_t commit, struct str meta,
                               const struct store_subject *subjects, size_t count)
{
    struct area *a = area_of(s, step, partition);

    a->answer = check(a, token, commit);
    if (a->answer != STORE_DONE)
        return;
    for (size_t i = 0; i < count; i++)
        write_subject(a, &subjects[i]);
    keep_text(&a->meta, &a->meta_bytes, meta);
    a->commit++;
}

static enum store_result memory_commit_wait(struct store *s, const char *step, int32_t partition,
                                            struct err *err)
{
    enum store_result answer = area_of(s, step, partition)->answer;

    if (answer != STORE_DONE)
        err_set(err, ERR_FENCED, "%s/%d: %s", step, partition, store_result_text(answer));
    return answer;
}

static bool memory_commit_ready(struct store *s, const char *step, int32_t partition)
{
    (void)s, (void)step, (void)partition;
    return true;
}

static void memory_commit_drop(struct store *s, const char *step, int32_t partition)
{
    (void)s, (void)step, (void)partition;
}

static int memory_fd(const struct store *s)
{
    (void)s;
    return -1;
}

static enum store_result memory_meta(struct store *s, const char *step, int32_t partition,
                                     struct arena *arena, struct str *out, struct err *err)
{
    const struct area *a = area_of(s, step, partition);

    (void)err;
    *out = a->meta_bytes > 0 ? arena_str(arena, (struct str){a->meta, a->meta_bytes}) : STR_EMPTY;
    return STORE_DONE;
}

static enum store_result memory_list(struct store *s, const char *step, int32_t partition,
                                     struct arena *arena, struct store_subject **out, size_t *count,
                                     struct err *err)
{
    const struct area *a = area_of(s, step, partition);

    (void)err;
    *out = ARENA_ARRAY(arena, struct store_subject, a->subjects.count);
    *count = 0;
    for (size_t i = 0; i < a->subjects.capacity; i++) {
        const struct kept *k = (const struct kept *)a->subjects.slots[i].node;

        if (k != NULL)
            (*out)[(*count)++] =
                (struct store_subject){.subject = k->node.key, .blob = {k->blob, k->blob_bytes}};
    }
    return STORE_DONE;
}

/* --- the whole of it ------------------------------------------------------------------------------ */

static int by_subject(const void *a, const void *b)
{
    return str_compare(((const struct store_subject *)a)->subject,
                       ((const struct store_subject *)b)->subject);
}

static enum store_result memory_copy(struct store *s, const char *step, int32_t partition,
                                     struct arena *arena, struct store_copy *out, struct err *err)
{
    const struct area *a = area_of(s, step, partition);

    *out = (struct store_copy){.commit = a->commit};
    if (a->commit == 0)
        return STORE_DONE;
    out->identity = arena_str(arena, (struct str){a->identity, a->identity_bytes});
    out->meta = arena_str(arena, (struct str){a->meta, a->meta_bytes});
    memory_list(s, step, partition, arena, &out->subjects, &out->count, err);
    for (size_t i = 0; i < out->count; i++) {
        out->subjects[i].subject = arena_str(arena, out->subjects[i].subject);
        out->subjects[i].blob = arena_str(arena, out->subjects[i].blob);
    }
    if (out->count > 0)
        qsort(out->subjects, out->count, sizeof *out->subjects, by_subject);
    return STORE_DONE;
}

static enum store_result memory_commit_number(struct store *s, const char *step, int32_t partition,
                                              uint64_t *out, struct err *err)
{
    (void)err;
    *out = area_of(s, step, partition)->commit;
    return STORE_DONE;
}

static void empty(struct area *a)
{
    for (size_t j = 0; j < a->subjects.capacity; j++)
        if (a->subjects.slots[j].node != NULL)
            forget((struct kept *)a->subjects.slots[j].node);
    for (size_t j = 0; j < a->order_count; j++)
        timers_free(&a->orders[j].timers);
    table_free(&a->subjects);
    a->subjects = (struct table){0};
    a->order_count = 0;
}

static enum store_result memory_replace(struct store *s, const char *step, int32_t partition,
                                        uint64_t there, const struct store_copy *copy,
                                        struct err *err)
{
    struct arena *arena = arena_new(0);
    struct area *a = area_of(s, step, partition);
    enum store_result result = a->commit == there ? STORE_DONE : STORE_GAP;

    for (size_t i = 0; i < copy->count && result == STORE_DONE; i++) {
        struct store_subject subject = copy->subjects[i];

        if (i == 0)
            empty(a);
        result = store_timers(&subject, arena, err);
        if (result == STORE_DONE)
            write_subject(a, &subject);
    }
    arena_free(arena);
    if (result != STORE_DONE)
        return result;
    if (copy->count == 0)
        empty(a);
    keep_text(&a->identity, &a->identity_bytes, copy->identity);
    keep_text(&a->meta, &a->meta_bytes, copy->meta);
    a->commit = copy->commit;
    a->claimed = false;
    return STORE_DONE;
}

static void memory_close(struct store *s)
{
    struct memory_store *m = (struct memory_store *)s;

    if (m == NULL)
        return;
    for (size_t i = 0; i < m->count; i++) {
        struct area *a = m->areas[i];

        empty(a);
        mem_free(a->orders);
        mem_free(a->step);
        mem_free(a->identity);
        mem_free(a->meta);
        mem_free(a);
    }
    mem_free(m->areas);
    mem_free(m);
}

struct store *memory_store_open(void)
{
    static const struct store_class class = {
        .close = memory_close,
        .claim = memory_claim,
        .load = memory_load,
        .due = memory_due,
        .commit_send = memory_commit_send,
        .commit_ready = memory_commit_ready,
        .commit_wait = memory_commit_wait,
        .commit_drop = memory_commit_drop,
        .fd = memory_fd,
        .meta = memory_meta,
        .list = memory_list,
        .copy = memory_copy,
        .commit_number = memory_commit_number,
        .replace = memory_replace,
    };
    struct memory_store *m = MEM_NEW(struct memory_store);

    m->store.class = &class;
    return &m->store;
}
