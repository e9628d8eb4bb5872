/* Exactness first: what a record does depends on the log before it and on nothing else.
 *
 *   - Before a record is looked at, time moves to its timestamp, and every timer up to there fires in
 *     order of (due time, subject); after it, what it has set in the past fires.
 *   - plan only guesses what run will need (a timer may set another, a record may turn out to be
 *     a repeat).  run asks for nothing: where it meets a subject that is not loaded, or would pass
 *     the timers that are in memory, it stops; what is done is committed, and the next plan
 *     starts there.  Time may then stand between two records, where a tick would have put it.
 *   - A control record may change what the step wants, so a plan ends before it, and it is a batch
 *     of its own.  What it makes ready in the lanes fires before anything else does.
 *   - Between batches a state is its blob, in the cache; what is in an arena belongs to one batch.  A
 *     subject leaves the cache, and a timer memory, when the next batch is planned: all that was
 *     decided is in commits that were sent then, and a load comes behind them.
 *   - The timer in force is the one that was computed when the state last changed (it stands
 *     in the blob), whenever the state is loaded.
 */
#include "processors/worker/engine.h"

#include <stdio.h>
#include <string.h>

#include "core/check.h"
#include "core/fail_point.h"
#include "core/limit.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/mutant.h"
#include "processors/worker/batch.h"
#include "processors/worker/blob.h"
#include "processors/worker/cache.h"
#include "processors/worker/lanes.h"
#include "processors/worker/timers.h"

enum {
    FROM_SIZE = 80,
    /* Firings without an end are a bug of the step: timers of one record that set each other. */
    FIRINGS_MAX = 1000000,
};

enum item_kind { ITEM_RECORD, ITEM_TICK, ITEM_CONTROL, ITEM_SKIPPED };

struct item { /* what plan found out about a record */
    enum item_kind kind;
    bool numbered;
    uint64_t hash;
    struct str name;         /* of the subject; empty: the step does not want the record */
    struct subject *subject; /* NULL likewise */
};

struct engine {
    const struct engine_setup *setup;
    const struct step_class *class;
    struct step *step;
    char from[FROM_SIZE];
    struct meta meta;
    uint64_t sent; /* number of the last commit that was sent */
    struct cache cache;
    struct timers timers;
    struct lanes lanes;
    struct engine_counts counts;

    struct batch batches[2];
    struct batch *batch; /* that is planned and run; the other one may be in flight */
    bool in_flight;

    /* of that batch */
    struct arena *arena; /* its own */
    const struct record *records;
    struct item *items;
    size_t planned;
    int64_t horizon_ms; /* the greatest time that the batch may reach */
    size_t fired;
    bool time_only;   /* no records: let time reach the horizon */
    bool own_changed; /* the partition's own state */
    bool moved;
    bool in_record;                      /* what fires now was set by the record at hand */
    struct subject **missing, **decoded; /* arrays, kept between batches */
    size_t missing_count, missing_capacity;
    size_t decoded_count, decoded_capacity;
    struct step_wait waits[STEP_LANES_MAX]; /* of the subject at hand */
    struct buf inner, wrapped;
};

/* --- open and close ----------------------------------------------------------------------- */

/* err says why.  The partition stops, so what is said next to it is what to do. */
static enum err_code unreadable(const struct engine *p, const char *whose, struct err *err)
{
    struct err why = {0};

    if (err == NULL)
        return ERR_STATE;
    why = *err;
    return err_set(err, why.code,
                   "%s: %s cannot be read: %s; `attent restore` puts the partition back to a "
                   "snapshot, without one `attent init --step %s --partition %d --from beginning` "
                   "decides it again",
                   p->from, whose, why.text, p->class->name, p->setup->number);
}

static enum err_code read_own(struct engine *p, struct str own, struct err *err)
{
    struct blob_timers none;
    struct str inner;
    enum err_code code;

    if (blob_unwrap(STR_EMPTY, own, p->arena, &none, &inner, err) != ERR_NONE)
        return unreadable(p, "the partition's own state", err);
    code = p->class->open(p->setup->config, p->setup->number, inner, &p->step, err);
    if (code == ERR_NONE)
        lanes_refresh(&p->lanes, p->class, p->step);
    return code;
}

static enum err_code read_meta(struct engine *p, struct str meta, struct err *err)
{
    const struct engine_setup *setup = p->setup;
    size_t topics = 0;

    while (p->class->topics != NULL && p->class->topics[topics] != NULL)
        topics++;
    if (meta.len == 0) {
        meta_init(&p->meta, setup->start, setup->generation, setup->topic_partitions, topics);
        return ERR_NONE;
    }
    if (meta_decode(meta, setup->topic_partitions, topics, &p->meta, err) != ERR_NONE)
        return err_prefix(err, "%s", p->from);
    p->sent = p->meta.commit;
    for (size_t i = 0; MUTANT(NUMBERS_ANEW) && i < topics; i++)
        memset(p->meta.topics[i].sent, 0,
               (size_t)p->meta.topics[i].partition_count * sizeof *p->meta.topics[i].sent);
    return ERR_NONE;
}

static void use_batch(struct engine *p, struct batch *batch)
{
    p->batch = batch;
    p->arena = batch->arena;
}

enum err_code engine_open(const struct engine_setup *setup, struct str meta, struct str own,
                          struct engine **out, struct err *err)
{
    struct engine *p = MEM_NEW(struct engine);
    struct outputs outputs;
    enum err_code code;
    int len;

    *out = NULL;
    CHECK(setup->timers_max > 0);
    p->setup = setup;
    p->class = setup->class;
    len = snprintf(p->from, sizeof p->from, "%s/%d", p->class->name, setup->number);
    CHECK(len > 0 && (size_t)len < sizeof p->from);
    p->cache.bytes_max = setup->cache_bytes_max;
    timers_init(&p->timers);
    outputs = (struct outputs){.meta = &p->meta,
                               .topic_names = setup->topic_names != NULL ? setup->topic_names
                                                                         : p->class->topics,
                               .from = {p->from, (size_t)len}};
    for (int i = 0; i < 2; i++)
        batch_init(&p->batches[i], &outputs);
    use_batch(p, &p->batches[0]);
    code = read_meta(p, meta, err);
    if (code == ERR_NONE)
        code = read_own(p, own, err);
    if (code != ERR_NONE) {
        engine_close(p);
        return code;
    }
    *out = p;
    return ERR_NONE;
}

void engine_close(struct engine *p)
{
    if (p == NULL)
        return;
    p->class->close(p->step);
    meta_free(&p->meta);
    cache_free(&p->cache);
    timers_free(&p->timers);
    lanes_free(&p->lanes);
    for (int i = 0; i < 2; i++)
        batch_free(&p->batches[i]);
    mem_free(p->missing);
    mem_free(p->decoded);
    buf_free(&p->inner);
    buf_free(&p->wrapped);
    mem_free(p);
}

int64_t engine_next(const struct engine *p)
{
    return p->meta.next;
}

struct hash128 engine_last(const struct engine *p)
{
    return p->meta.last;
}

int64_t engine_now_ms(const struct engine *p)
{
    return p->meta.now_ms;
}

uint64_t engine_commit(const struct engine *p)
{
    return p->sent;
}

const struct engine_counts *engine_counts(const struct engine *p)
{
    return &p->counts;
}

int64_t engine_due_ms(const struct engine *p)
{
    const struct timer *first = timers_first(&p->timers);

    return first != NULL ? first->due_ms : STEP_NO_TIMER;
}

/* The first timer that may fire although time stands: of a lane, or one that such a timer has set. */
static const struct timer *first_settled(struct engine *p)
{
    const struct lane *lane = lanes_ready(&p->lanes);
    const struct timer *of_lane = lane != NULL ? timers_first(&lane->timers) : NULL;
    const struct timer *own = timers_first(&p->timers);

    if (own == NULL || own->due_ms > p->meta.now_ms)
        return of_lane;
    return of_lane == NULL || timer_is_before(own, of_lane) ? own : of_lane;
}

bool engine_lacks_timers(struct engine *p)
{
    return (!p->timers.whole && p->timers.count == 0) || lanes_lacking(&p->lanes) != NULL;
}

bool engine_is_unsettled(struct engine *p)
{
    return first_settled(p) != NULL || lanes_lacking(&p->lanes) != NULL;
}

int64_t engine_due_by(const struct engine *p, int64_t at_ms)
{
    int64_t latest_ms = STEP_NO_TIMER;

    for (size_t i = 0; i < p->timers.count; i++) {
        int64_t due_ms = p->timers.heap[i]->due_ms;

        if (due_ms <= at_ms && (latest_ms == STEP_NO_TIMER || due_ms > latest_ms))
            latest_ms = due_ms;
    }
    return latest_ms;
}

size_t engine_subjects(const struct engine *p)
{
    return p->cache.table.count;
}

/* --- plan --------------------------------------------------------------------------------- */

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
    CHECK(p->decoded_count == 0);
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

/* --- timers and subjects from the store ------------------------------------------------------ */

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

/* --- run ---------------------------------------------------------------------------------- */

enum progress { PROGRESS_ON, PROGRESS_STOP, PROGRESS_FAILED };

static enum err_code unreadable_subject(const struct engine *p, struct str subject, struct err *err)
{
    char name[LOG_CUSTOMER_SIZE], whose[LOG_CUSTOMER_SIZE + 16];

    snprintf(whose, sizeof whose, "the state of %.*s", STR_ARG(log_customer(subject, name)));
    return unreadable(p, whose, err);
}

static enum err_code decode(struct engine *p, struct subject *s, struct err *err)
{
    struct blob_timers timers;
    struct str inner;
    enum err_code code;

    if (s->state != NULL)
        return ERR_NONE;
    code = blob_unwrap(s->node.key, (struct str){s->blob, s->blob_bytes}, p->arena, &timers, &inner,
                       err);
    s->due_ms = timers.due_ms;
    s->waits = s->stored_waits = timers.waits;
    s->wait_count = s->stored_wait_count = timers.wait_count;
    if (code == ERR_NONE)
        code = p->class->load(p->step, s->node.key, inner, p->arena, &s->state, err);
    if (code != ERR_NONE)
        return unreadable_subject(p, s->node.key, err);
    CHECK(s->state != NULL);
    MEM_RESERVE(p->decoded, p->decoded_count, p->decoded_capacity);
    p->decoded[p->decoded_count++] = s;
    return ERR_NONE;
}

static void update_waits(struct engine *p, struct subject *s)
{
    struct step_wait changes[2 * STEP_LANES_MAX];
    size_t count = p->class->waits(p->step, s->state, p->waits);
    size_t changed = lanes_changes(p->waits, count, s->waits, s->wait_count, changes);

    if (changed == 0)
        return;
    s->waits = count != 0 ? arena_copy(p->arena, p->waits, count * sizeof *p->waits) : NULL;
    s->wait_count = count;
    s->changed = true;
    for (size_t i = 0; i < changed; i++) {
        struct lane *lane = lanes_find(&p->lanes, changes[i].lane);

        CHECK(lane != NULL); /* it waits in one that the step named */
        timers_set(&lane->timers, s->node.hash, s->node.key, changes[i].due_ms);
    }
}

/* After the state has changed: its timers may be others now. */
static void update_due(struct engine *p, struct subject *s)
{
    int64_t due_ms = p->class->due_ms(p->step, s->state);

    if (p->class->waits != NULL)
        update_waits(p, s);
    if (due_ms == s->due_ms)
        return;
    s->due_ms = due_ms;
    s->due_changed = s->changed = true;
    timers_set(&p->timers, s->node.hash, s->node.key, due_ms);
}

/* Who looks on is told before it happens. */
static void tell(struct engine *p, int64_t at)
{
    if (p->setup->watch != NULL)
        p->setup->watch(p->setup->watch_context, at);
}

static enum progress fire(struct engine *p, struct subject *s, int64_t due_ms, struct err *err)
{
    bool changed = false;

    if (!p->in_record)
        tell(p, ENGINE_AT_TIMERS);
    if (decode(p, s, err) != ERR_NONE)
        return PROGRESS_FAILED;
    p->class->timer(p->step, s->state, due_ms, p->meta.now_ms, p->arena, &p->batch->outputs,
                    &changed);
    s->changed |= changed;
    p->moved = true;
    p->counts.timers++;
    update_due(p, s);
    CHECK(changed || s->due_ms != due_ms); /* else it would fire for ever */
    return PROGRESS_ON;
}

/* A batch is bounded, whatever a single record sets off. */
static size_t firings_left(const struct engine *p)
{
    return p->fired < p->setup->timers_max ? p->setup->timers_max - p->fired : 0;
}

/* Fire what is ready in the lanes, and what that sets. */
static enum progress settle(struct engine *p, struct err *err)
{
    const struct timer *t;

    while ((t = first_settled(p)) != NULL) {
        struct subject *s = cache_find(&p->cache, t->node.hash, t->node.key);

        if (s == NULL || !s->loaded || firings_left(p) == 0 || lanes_lacking(&p->lanes) != NULL)
            return PROGRESS_STOP;
        p->fired++;
        if (fire(p, s, t->due_ms, err) != PROGRESS_ON)
            return PROGRESS_FAILED;
    }
    return lanes_lacking(&p->lanes) != NULL || !timers_reach(&p->timers, p->meta.now_ms)
               ? PROGRESS_STOP
               : PROGRESS_ON;
}

/* Let time reach at_ms (or stay, when that is past): fires what is due.  firings_max: then stop. */
static enum progress advance(struct engine *p, int64_t at_ms, size_t firings_max, struct err *err)
{
    int64_t to_ms = at_ms > p->meta.now_ms ? at_ms : p->meta.now_ms;

    for (size_t firings = 0;; firings++) {
        const struct timer *t = timers_first(&p->timers);
        struct subject *s;

        if (t == NULL || t->due_ms > to_ms)
            break;
        s = cache_find(&p->cache, t->node.hash, t->node.key);
        if (s == NULL || !s->loaded || firings == firings_max)
            return PROGRESS_STOP;
        if (t->due_ms > p->meta.now_ms)
            p->meta.now_ms = t->due_ms;
        p->fired++;
        if (fire(p, s, t->due_ms, err) != PROGRESS_ON)
            return PROGRESS_FAILED;
    }
    if (!timers_reach(&p->timers, to_ms))
        return PROGRESS_STOP;
    p->meta.now_ms = to_ms;
    return PROGRESS_ON;
}

static enum progress run_subject(struct engine *p, const struct record *record, struct subject *s,
                                 struct err *err)
{
    enum progress progress;
    bool changed = false;

    tell(p, record->offset);
    FAIL_POINT_MEET(p->class->name, record);
    if (decode(p, s, err) != ERR_NONE)
        return PROGRESS_FAILED;
    p->class->record(p->step, s->state, record, p->meta.now_ms, p->arena, &p->batch->outputs,
                     &changed);
    p->counts.wanted++;
    if (!changed)
        return PROGRESS_ON;
    s->changed = true;
    update_due(p, s);
    if (s->due_ms > p->meta.now_ms)
        return PROGRESS_ON;
    /* set in the past: only this subject's, and it is loaded */
    p->in_record = true;
    progress = advance(p, p->meta.now_ms, FIRINGS_MAX, err);
    p->in_record = false;
    CHECK(progress != PROGRESS_STOP);
    return progress;
}

/* Nothing that comes behind it can be trusted: a person has to give the numbers up. */
static enum progress broken_chain(struct err *err)
{
    struct err why;

    if (err == NULL)
        return PROGRESS_FAILED;
    why = *err;
    err_set(err, why.code,
            "%s: two runs have decided differently; `attent snapshot DIR` and `attent init --from "
            "DIR` begin new numbers (docs/operations.md)",
            why.text);
    return PROGRESS_FAILED;
}

/* The reader's rule.  False: drop the record. */
static enum progress look(struct engine *p, const struct record *record,
                          struct taken_source *source, bool *take, struct err *err)
{
    *take = false;
    switch (taken_look(&p->meta.taken, record, &p->batch->outputs.scratch, source, err)) {
    case TAKEN_PLAIN:
    case TAKEN_NEXT: *take = true; break;
    case TAKEN_REPEAT:
    case TAKEN_OLD: p->counts.repeats++; break;
    case TAKEN_GAP:
        p->counts.gaps++;
        if (p->setup->gaps != NULL)
            gaps_open(p->setup->gaps, &p->meta.taken, source);
        break;
    case TAKEN_JUNK: p->counts.junk++; break;
    case TAKEN_BROKEN: return broken_chain(err);
    }
    return PROGRESS_ON;
}

static enum progress run_record(struct engine *p, const struct record *record, struct item *item,
                                struct err *err)
{
    struct taken_source source;
    enum progress progress;
    bool take = true;

    if (record->offset < p->meta.next)
        return PROGRESS_ON;
    progress = settle(p, err);
    if (progress == PROGRESS_ON && item->numbered)
        progress = look(p, record, &source, &take, err);
    if (progress == PROGRESS_ON && item->kind == ITEM_SKIPPED) {
        p->counts.skipped++;
    } else if (progress == PROGRESS_ON && take && item->kind == ITEM_CONTROL) {
        tell(p, record->offset);
        if (p->class->control(p->step, record, p->arena, &p->batch->outputs, &p->own_changed,
                              err) != ERR_NONE)
            return PROGRESS_FAILED;
        lanes_refresh(&p->lanes, p->class, p->step);
    } else if (progress == PROGRESS_ON && take) {
        progress = advance(p, record->timestamp_ms, firings_left(p), err);
        if (progress == PROGRESS_ON && item->subject != NULL)
            progress = run_subject(p, record, item->subject, err);
    }
    if (progress != PROGRESS_ON)
        return progress;
    if (item->numbered && take) {
        taken_advance(&p->meta.taken, &source);
        if (p->setup->gaps != NULL)
            gaps_close(p->setup->gaps, source.from);
    }
    p->meta.next = record->offset + 1;
    p->moved = true;
    p->counts.records++;
    return PROGRESS_ON;
}

/* --- the end of a batch --------------------------------------------------------------------- */

static enum err_code encode(struct engine *p, struct subject *s, struct err *err)
{
    buf_clear(&p->inner);
    p->class->save(p->step, s->state, &p->inner);
    if (p->inner.len > LIMIT_STATE_BYTES)
        return err_set(err, ERR_LIMIT, "%s: state of a subject has %zu bytes, at most %d are kept",
                       p->from, p->inner.len, LIMIT_STATE_BYTES);
    if (p->inner.len == 0) {
        CHECK(s->due_ms == STEP_NO_TIMER && s->wait_count == 0); /* timers are worth keeping */
        cache_put(&p->cache, s, STR_EMPTY);
        return ERR_NONE;
    }
    blob_wrap(&p->wrapped, s->node.key, &(struct blob_timers){s->due_ms, s->waits, s->wait_count},
              buf_str(&p->inner));
    cache_put(&p->cache, s, buf_str(&p->wrapped));
    return ERR_NONE;
}

static void add_subject(struct engine *p, const struct subject *s)
{
    struct step_wait *waits =
        ARENA_ARRAY(p->arena, struct step_wait, s->wait_count + s->stored_wait_count);
    size_t count =
        lanes_changes(s->waits, s->wait_count, s->stored_waits, s->stored_wait_count, waits);

    batch_commits(p->batch, (struct store_subject){.subject = s->node.key,
                                                   .blob = {s->blob, s->blob_bytes},
                                                   .due_ms = s->due_ms,
                                                   .due_changed = s->due_changed &&
                                                                  !MUTANT(TIMERS_UNCOMMITTED),
                                                   .waits = waits,
                                                   .wait_count = count});
}

static enum err_code collect(struct engine *p, struct err *err)
{
    for (size_t i = 0; i < p->decoded_count; i++) {
        struct subject *s = p->decoded[i];

        if (!s->changed)
            continue;
        if (encode(p, s, err) != ERR_NONE)
            return err != NULL ? err->code : ERR_LIMIT;
        add_subject(p, s);
    }
    if (p->class->partition_changed != NULL && p->class->partition_changed(p->step))
        p->own_changed = true;
    if (!p->own_changed || MUTANT(OWN_STATE_UNCOMMITTED))
        return ERR_NONE;
    buf_clear(&p->inner);
    p->class->save_partition(p->step, &p->inner);
    blob_wrap(&p->wrapped, STR_EMPTY, &(struct blob_timers){.due_ms = STEP_NO_TIMER},
              buf_str(&p->inner));
    batch_commits(p->batch,
                  (struct store_subject){.blob = buf_str(&p->wrapped), .due_ms = STEP_NO_TIMER});
    return ERR_NONE;
}

static enum progress run_records(struct engine *p, size_t *done, struct err *err)
{
    enum progress progress = PROGRESS_ON;

    if (p->planned == 0)
        progress = settle(p, err);
    for (; *done < p->planned && progress == PROGRESS_ON; *done += progress == PROGRESS_ON)
        progress = run_record(p, &p->records[*done], &p->items[*done], err);
    if (*done > 0 && p->records[*done - 1].offset + 1 == p->meta.next)
        p->meta.last = record_hash(&p->records[*done - 1]);
    tell(p, ENGINE_AT_BATCH);
    return progress;
}

static enum progress run_time(struct engine *p, size_t *done, struct err *err)
{
    enum progress progress = PROGRESS_ON;

    progress = settle(p, err);
    if (progress == PROGRESS_ON && p->horizon_ms > p->meta.now_ms) {
        p->moved = true;
        progress = advance(p, p->horizon_ms, p->setup->timers_max, err);
    }
    *done = progress == PROGRESS_ON;
    return progress;
}

/* They are blobs again. */
static void forget_states(struct engine *p)
{
    for (size_t i = 0; i < p->decoded_count; i++) {
        p->decoded[i]->state = NULL;
        p->decoded[i]->changed = p->decoded[i]->due_changed = false;
    }
    p->decoded_count = 0;
    p->records = NULL;
    p->planned = 0;
}

enum err_code engine_run(struct engine *p, struct engine_batch *out, struct err *err)
{
    struct batch *batch = p->batch;
    struct err own = {0};
    enum progress progress;
    size_t done = 0;

    *out = (struct engine_batch){0};
    CHECK(p->missing_count == 0);
    progress = p->time_only ? run_time(p, &done, &own) : run_records(p, &done, &own);
    if (progress == PROGRESS_FAILED || collect(p, &own) != ERR_NONE)
        return err_set(err, own.code, "%s", own.text);
    forget_states(p);
    p->meta.commit = p->sent + 1;
    p->meta.next += MUTANT(NEXT_TOO_FAR);
    meta_encode(&p->meta, &batch->meta);
    p->meta.next -= MUTANT(NEXT_TOO_FAR);
    p->counts.outputs += batch->outputs.count;
    *out = (struct engine_batch){.done = done,
                                 .next = p->meta.next,
                                 .outputs = batch->outputs.items,
                                 .output_count = batch->outputs.count,
                                 .meta = buf_str(&batch->meta),
                                 .subjects = batch->commit,
                                 .subject_count = batch->commit_count,
                                 .moved = p->moved};
    return ERR_NONE;
}

void engine_sent(struct engine *p)
{
    CHECK(!p->in_flight && p->meta.commit == p->sent + 1);
    p->sent = p->meta.commit;
    p->in_flight = true;
    use_batch(p, p->batch == &p->batches[0] ? &p->batches[1] : &p->batches[0]);
}

void engine_committed(struct engine *p)
{
    CHECK(p->in_flight);
    p->in_flight = false;
}

void engine_keep_cache(struct engine *p, struct engine *before)
{
    if (p != NULL && before != NULL) {
        forget_states(before);
        cache_free(&p->cache);
        p->cache = before->cache;
        before->cache = (struct cache){0};
    }
    engine_close(before);
}
