/* A plan only guesses what the run will need: a timer may set another, a record may turn out to be a
 * repeat.  A control record may change what the step wants, so a plan ends before it, and it is a
 * batch of its own.  What it makes ready in the lanes fires before anything else does.
 */
#include "processors/worker/engine_parts.h"

#include "core/check.h"
#include "core/limit.h"
#include "core/mem.h"

/* --- which subjects ------------------------------------------------------------------------- */

/* One look at the headers for both of ours. */
static struct item classify(const struct record *record)
{
    struct item item = {.kind = ITEM_RECORD};

    for (size_t i = 0; i < record->header_count; i++) {
        const struct header *h = &record->headers[i];

        if (!str_starts(h->name, STR("attent-")))
            continue;
        if (str_is(h->name, CHAIN_FROM_HEADER))
            item.numbered = true;
        else if (str_is(h->name, CONTROL_HEADER))
            item.kind = str_is(h->value, CONTROL_TICK) ? ITEM_TICK : ITEM_CONTROL;
    }
    return item;
}

static bool is_skipped(const struct engine *p, const struct record *record)
{
    const struct skip_list *skips = p->setup->skips;

    return skips != NULL && skips->count != 0 &&
           skip_list_has(skips, p->setup->number, record->offset);
}

static void plan_record(struct engine *p, const struct record *record, struct item *item)
{
    if (item->kind == ITEM_SKIPPED)
        return;
    if (record->timestamp_ms > p->horizon_ms)
        p->horizon_ms = record->timestamp_ms;
    if (item->kind != ITEM_RECORD || record->offset < p->meta.next ||
        !p->class->wants(p->step, record))
        return;
    item->name = p->class->subject(p->step, record);
    if (item->name.len > LIMIT_SUBJECT_BYTES)
        p->counts.junk++;
    if (item->name.len == 0 || item->name.len > LIMIT_SUBJECT_BYTES) {
        item->name = STR_EMPTY;
        return;
    }
    item->hash = table_hash(item->name);
    table_prefetch(&p->cache.table, item->hash);
}

/* The cached subject; a new one is noted as missing. */
static struct subject *need(struct engine *p, uint64_t hash, struct str name)
{
    struct subject *s = cache_find(&p->cache, hash, name);

    if (s != NULL)
        return s;
    s = cache_add(&p->cache, hash, name);
    MEM_RESERVE(p->missing, p->missing_count, p->missing_capacity);
    p->missing[p->missing_count++] = s;
    return s;
}

static void start_batch(struct engine *p)
{
    CHECK(p->opened_count == 0);
    batch_clear(p->batch);
    cache_evict(&p->cache);
    timers_trim(&p->timers, p->setup->timers_max);
    lanes_trim(&p->lanes, p->setup->timers_max);
    p->planned = p->missing_count = p->fired = 0;
    p->horizon_ms = p->meta.now_ms;
    p->moved = p->own_changed = p->time_only = false;
}

void engine_plan_time(struct engine *p, int64_t now_ms)
{
    start_batch(p);
    p->time_only = true;
    if (now_ms > p->horizon_ms)
        p->horizon_ms = now_ms;
}

void engine_plan(struct engine *p, const struct record *records, size_t count)
{
    start_batch(p);
    p->records = records;
    p->items = ARENA_ARRAY(p->arena, struct item, count);
    for (; p->planned < count; p->planned++) {
        struct item *item = &p->items[p->planned];

        *item = classify(&records[p->planned]);
        if (is_skipped(p, &records[p->planned]))
            item->kind = ITEM_SKIPPED;
        if (item->kind == ITEM_CONTROL) {
            p->planned += p->planned == 0; /* alone */
            break;
        }
        plan_record(p, &records[p->planned], item);
    }
    for (size_t i = 0; i < p->planned; i++)
        if (p->items[i].name.len > 0)
            p->items[i].subject = need(p, p->items[i].hash, p->items[i].name);
}

/* --- from the store ------------------------------------------------------------------------- */

/* As many as one batch may fire must be in memory, unless all that the batch can reach are. */
static bool wants(const struct engine *p, const struct timers *timers, int64_t horizon_ms)
{
    if (timers->whole || timers->count >= p->setup->timers_max)
        return false;
    return timers->count == 0 || !timers_reach(timers, horizon_ms);
}

bool engine_wants_timers(struct engine *p, struct store_lane *lane, int64_t *due_ms,
                         struct str *subject, size_t *max)
{
    const struct timers *wanting = wants(p, &p->timers, p->horizon_ms) ? &p->timers : NULL;

    *lane = (struct store_lane){0};
    for (size_t i = 0; i < p->lanes.count && wanting == NULL; i++) {
        if (!wants(p, &p->lanes.items[i].timers, p->lanes.items[i].at_ms))
            continue;
        wanting = &p->lanes.items[i].timers;
        *lane = (struct store_lane){true, p->lanes.items[i].id};
    }
    if (wanting == NULL)
        return false;
    timers_edge(wanting, due_ms, subject);
    *max = p->setup->timers_max;
    return true;
}

void engine_add_timers(struct engine *p, struct store_lane lane, const struct store_subject *found,
                       size_t count, bool more)
{
    struct timers *timers = lane.of_lane ? &lanes_find(&p->lanes, lane.id)->timers : &p->timers;

    CHECK(count > 0 || !more);
    for (size_t i = 0; i < count; i++)
        timers_add(timers, found[i].subject, found[i].due_ms);
    timers_extend(timers, count > 0 ? found[count - 1].due_ms : INT64_MAX,
                  count > 0 ? found[count - 1].subject : STR_EMPTY, !more);
}

static void need_due(struct engine *p, struct timers *timers, int64_t horizon_ms)
{
    size_t max = p->setup->timers_max, due_count;
    const struct timer **due;

    if (timers->count == 0 || timers->heap[0]->due_ms > horizon_ms)
        return;
    due = ARENA_ARRAY(p->arena, const struct timer *, max);
    due_count = timers_due(timers, horizon_ms, due, max);
    for (size_t i = 0; i < due_count; i++)
        need(p, due[i]->node.hash, due[i]->node.key);
}

struct store_subject *engine_missing(struct engine *p, size_t *count)
{
    struct store_subject *list;

    need_due(p, &p->timers, p->horizon_ms);
    for (size_t i = 0; i < p->lanes.count; i++)
        need_due(p, &p->lanes.items[i].timers, p->lanes.items[i].at_ms);
    list = ARENA_ARRAY(p->arena, struct store_subject, p->missing_count);
    for (size_t i = 0; i < p->missing_count; i++)
        list[i].subject = p->missing[i]->node.key;
    *count = p->missing_count;
    return list;
}

void engine_fill(struct engine *p, const struct store_subject *subjects, size_t count)
{
    CHECK(count == p->missing_count);
    for (size_t i = 0; i < count; i++)
        cache_put(&p->cache, p->missing[i], subjects[i].blob);
    p->counts.loads += count;
    p->missing_count = 0;
}
