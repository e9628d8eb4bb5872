/* One thread, one round at a time:
 *
 *     mend what is suspended, write ticks, poll;
 *     while there are records: for each partition plan, load, run, queue outputs;
 *         flush once; send all commits; wait for all commits
 *
 * so the waiting for Kafka and for Redis is shared by the partitions, and a batch is what has
 * gathered during the round before: large under load, a single record when it is quiet.  A
 * partition that needs very many rounds before a record (a million timers are due) is put off after
 * some of them: what is left of its records is read again, so that those of others are read meanwhile.
 *
 * Rebalances happen inside the poll only, so a round never loses a partition in its midst without
 * the store telling (FENCED).
 */
#include "processors/worker/worker.h"

#include <stdio.h>
#include <string.h>

#include "core/check.h"
#include "core/clock.h"
#include "core/fail_point.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/readiness.h"
#include "processors/worker/place.h"
#include "processors/worker/redis_store.h"

enum {
    BATCH_RECORDS = 4096,
    TIMERS_MAX = 4096,
    CACHE_BYTES = 256 * 1024 * 1024,
    FLUSH_MS = 15000, /* longer than a record may take to be refused */
    ROUNDS_MS = 100,  /* so long a partition with very much to do may keep the others waiting */
    OFFSETS_MS = 5000,
    REPORT_MS = 1000,
    WAIT_MS_MIN = 2, /* a timer may be due long before the end of the log is reached */
};

/* --- the group gives and takes ---------------------------------------------------------------- */

static void on_assigned(void *context, struct kafka_partition *partitions, size_t count)
{
    struct worker *w = context;
    struct err down = {0};

    CHECK(w->place_count == 0); /* range: all were revoked before */
    history_forget(&w->history);
    w->places = MEM_NEW_ARRAY(struct place *, count);
    for (size_t i = 0; i < count; i++) {
        struct place *place =
            place_new(w, partitions[i].partition, w->config.cache_bytes_max / count);

        w->places[w->place_count++] = place;
        if (down.code == ERR_NONE)
            place_claim(w, place);
        else /* not one time-out after the other: the group waits for this */
            place_suspend(w, place, MEND_CLAIM, &down);
        if (place->state == WORKER_SUSPENDED)
            err_set(&down, ERR_DOWN, "%s", place->reason);
        partitions[i].offset = place->state == WORKER_RUNNING ? place->next : KAFKA_OFFSET_HOLD;
    }
    w->report_mono_ms = 0;
}

static void on_revoked(void *context, const struct kafka_partition *partitions, size_t count,
                       bool lost)
{
    struct worker *w = context;

    (void)partitions;
    FAIL_POINT_PASS(HANDED_OVER);
    log_info("worker", lost ? "partitions lost" : "partitions handed over",
             LOG_TEXT("step", w->class->name), LOG_INT("count", count), LOG_END);
    for (size_t i = 0; i < w->place_count; i++) {
        place_report_gone(w, w->places[i]);
        place_free(w->places[i]);
    }
    mem_free(w->places);
    w->places = NULL;
    w->place_count = 0;
    w->proving = -1;
}

/* --- a round ------------------------------------------------------------------------------------ */

static int64_t lap(int64_t *since_us)
{
    int64_t now_us = clock_mono_us(), span_us = now_us - *since_us;

    *since_us = now_us;
    return span_us;
}

/* Load and run; true: there is a batch to publish and commit. */
static bool run_batch(struct worker *w, struct place *place)
{
    struct run *run = &place->runs[0];
    int64_t clock_us = clock_mono_us();
    enum store_result result;
    enum err_code code;
    struct err why = {0};

    if (place->run_count > 0)
        engine_plan(place->engine, run->records, run->count);
    else
        engine_plan(place->engine, NULL, 0); /* to settle what a control record made ready */
    arena_reset(w->arena);
    result = store_fill(w->store, w->class->name, place->number, place->token, place->engine,
                        w->arena, &why);
    w->times.load_us += (uint64_t)lap(&clock_us);
    if (result != STORE_DONE) {
        place_refused(w, place, result, &why);
        return false;
    }
    FAIL_POINT_PASS(LOADED);
    code = engine_run(place->engine, &place->batch, &why);
    FAIL_POINT_PASS(DECIDED);
    w->times.decide_us += (uint64_t)lap(&clock_us);
    if (code != ERR_NONE) {
        place_stop(w, place, &why);
        return false;
    }
    place->status.batches++;
    place->in_round = true;
    return true;
}

/* The records of the batch are done; what is left comes in the next round. */
static void advance_run(struct place *place)
{
    struct run *run = &place->runs[0];

    if (place->run_count == 0)
        return;
    run->records += place->batch.done;
    run->count -= place->batch.done;
    if (run->count == 0) {
        place->run_count--;
        place->runs[0] = place->runs[1];
    }
}

static enum err_code queue_outputs(struct worker *w, const struct place *place, struct err *err)
{
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < place->batch.output_count && code == ERR_NONE; i++) {
        code = kafka_produce(w->producer, &place->batch.outputs[i].record, err);
        FAIL_POINT_PASS(OUTPUT_SENT);
    }
    return code;
}

/* Kafka has not taken something.  What it has is written again, with the same numbers, and
 * readers drop it. */
static void go_back(struct worker *w, const struct err *why)
{
    for (size_t i = 0; i < w->place_count; i++)
        if (w->places[i]->in_round)
            place_suspend(w, w->places[i], MEND_REWIND, why);
}

static void halt(struct worker *w, const struct err *why)
{
    struct err all;

    err_set(&all, ERR_STATE, "Kafka may have lost records that it had acknowledged: %s", why->text);
    w->halt = all;
    for (size_t i = 0; i < w->place_count; i++)
        if (w->places[i]->state != WORKER_STOPPED)
            place_stop(w, w->places[i], &all);
}

static enum err_code open_producer(struct worker *w, struct err *err)
{
    if (w->producer != NULL)
        return ERR_NONE;
    return kafka_producer_open(&w->config.kafka, NULL, &w->producer, err);
}

static enum err_code flush(struct worker *w, struct err *err)
{
    bool fatal, lost;
    enum err_code code = kafka_flush(w->producer, FLUSH_MS, &fatal, &lost, err);

    if (code != ERR_NONE && lost)
        halt(w, err);
    if (code != ERR_NONE && fatal) {
        kafka_producer_close(w->producer);
        w->producer = NULL;
    }
    return code;
}

static enum err_code publish(struct worker *w, struct err *err)
{
    enum err_code code = open_producer(w, err), queued = ERR_NONE;
    struct err ignored;

    if (code != ERR_NONE)
        return code;
    for (size_t i = 0; i < w->place_count && queued == ERR_NONE; i++)
        if (w->places[i]->in_round)
            queued = queue_outputs(w, w->places[i], err);
    code = flush(w, queued == ERR_NONE ? err : &ignored);
    return queued != ERR_NONE ? queued : code;
}

static void send_commits(struct worker *w)
{
    for (size_t i = 0; i < w->place_count; i++) {
        struct place *place = w->places[i];

        if (!place->in_round || !place->batch.moved)
            continue;
        w->store->class->commit_send(w->store, w->class->name, place->number, place->token,
                                     engine_commit(place->engine), place->batch.meta,
                                     place->batch.subjects, place->batch.subject_count);
        FAIL_POINT_PASS(COMMIT_SENT);
    }
}

static void wait_commit(struct worker *w, struct place *place)
{
    enum store_result result = STORE_DONE;
    struct err why = {0};

    if (place->batch.moved)
        result = w->store->class->commit_wait(w->store, w->class->name, place->number, &why);
    FAIL_POINT_PASS(COMMIT_KEPT);
    if (result != STORE_DONE) {
        place_refused(w, place, result, &why);
        return;
    }
    if (place->batch.moved)
        place_committed(place);
    else
        engine_unmoved(place->engine);
    advance_run(place);
    place->in_round = false;
}

static void observe_commit(struct worker *w, int64_t span_us)
{
    const struct str step = str_of(w->class->name);

    w->times.commit_us += (uint64_t)span_us;
    metric_observe(metric_series(METRIC_WORKER_COMMIT_TIME, &step, 1), (double)span_us / 1e6);
}

/* False: no partition has records left. */
static bool do_round(struct worker *w, struct err *err)
{
    int64_t clock_us;
    bool any = false;
    enum err_code code;

    for (size_t i = 0; i < w->place_count; i++)
        if (w->places[i]->state == WORKER_RUNNING &&
            (w->places[i]->run_count > 0 || engine_is_unsettled(w->places[i]->engine)))
            any |= run_batch(w, w->places[i]);
    if (!any)
        return false;
    clock_us = clock_mono_us();
    code = publish(w, err);
    w->times.publish_us += (uint64_t)lap(&clock_us);
    if (code != ERR_NONE) {
        go_back(w, err);
        return true;
    }
    FAIL_POINT_PASS(OUTPUTS_KEPT);
    send_commits(w);
    for (size_t i = 0; i < w->place_count; i++)
        if (w->places[i]->in_round)
            wait_commit(w, w->places[i]);
    observe_commit(w, lap(&clock_us));
    return true;
}

/* Those whose last batch has not got past a record.  Records are lent until the end of a poll.
 * False: no partition has records left. */
static bool put_off(struct worker *w)
{
    bool any = false;

    for (size_t i = 0; i < w->place_count; i++) {
        struct place *place = w->places[i];
        struct err why = {0};

        if (place->state != WORKER_RUNNING || place->run_count == 0)
            continue;
        if (place->batch.done > 0) {
            any = true;
            continue;
        }
        place->run_count = 0;
        if (kafka_consumer_seek(w->consumer, w->config.input, place->number, place->next, &why) !=
            ERR_NONE)
            place_suspend(w, place, MEND_PROOF, &why);
    }
    return any;
}

static void do_rounds(struct worker *w, struct err *err)
{
    int64_t until_ms = clock_mono_ms() + ROUNDS_MS;

    while (do_round(w, err))
        if (clock_mono_ms() >= until_ms && !put_off(w))
            return;
}

/* Each partition's records stand together, in one run or two. */
static void distribute(struct worker *w, size_t count)
{
    for (size_t at = 0, end; at < count; at = end) {
        struct place *place = place_find(w, w->records[at].partition);

        for (end = at + 1; end < count && w->records[end].partition == w->records[at].partition;)
            end++;
        if (place == NULL || place->state != WORKER_RUNNING)
            continue; /* still on their way when it was suspended: they will be read again */
        if (place->run_count == 1 &&
            place->runs[0].records + place->runs[0].count == w->records + at) {
            place->runs[0].count += end - at;
            continue;
        }
        CHECK(place->run_count < 2);
        place->runs[place->run_count++] = (struct run){w->records + at, end - at};
    }
}

/* --- ticks -------------------------------------------------------------------------------------- */

/* A timer that is due by the wall clock, in a partition that has been read to its end, and the
 * log says nothing: then a record is needed that says what time it is. */
static int64_t tick_due_ms(struct worker *w, const struct place *place, int64_t wall_ms)
{
    int64_t due_ms;

    if (place->state != WORKER_RUNNING)
        return STEP_NO_TIMER;
    due_ms = engine_due_ms(place->engine);
    if (due_ms > wall_ms || due_ms <= engine_now_ms(place->engine) || due_ms <= place->tick_ms)
        return STEP_NO_TIMER;
    if (!kafka_consumer_at_end(w->consumer, w->config.input, place->number))
        return STEP_NO_TIMER;
    return engine_due_by(place->engine, wall_ms);
}

/* After a claim the timers are still in the store; a quiet partition has nothing else to load
 * them. */
static void load_timers(struct worker *w, struct place *place)
{
    enum store_result result;
    struct err why = {0};

    if (place->state != WORKER_RUNNING || !engine_lacks_timers(place->engine))
        return;
    engine_plan(place->engine, NULL, 0);
    arena_reset(w->arena);
    result = store_fill(w->store, w->class->name, place->number, place->token, place->engine,
                        w->arena, &why);
    if (result != STORE_DONE)
        place_refused(w, place, result, &why);
}

static void send_ticks(struct worker *w)
{
    const struct header header = {STR(CONTROL_HEADER), STR(CONTROL_TICK)};
    int64_t wall_ms = w->config.wall_ms();
    struct err why = {0};
    enum err_code code = ERR_NONE;
    bool any = false;

    for (size_t i = 0; i < w->place_count && code == ERR_NONE; i++) {
        struct place *place = w->places[i];
        struct record tick = {.topic = str_of(w->config.input),
                              .partition = place->number,
                              .headers = &header,
                              .header_count = 1};
        int64_t due_ms;

        load_timers(w, place);
        due_ms = tick.timestamp_ms = tick_due_ms(w, place, wall_ms);
        if (due_ms == STEP_NO_TIMER)
            continue;
        code = open_producer(w, &why);
        if (code == ERR_NONE)
            code = kafka_produce(w->producer, &tick, &why);
        if (code == ERR_NONE) {
            place->tick_ms = due_ms;
            place->status.ticks++;
            any = true;
        }
    }
    if (any && flush(w, &why) != ERR_NONE)
        for (size_t i = 0; i < w->place_count; i++)
            w->places[i]->tick_ms = INT64_MIN; /* once more: a tick too many does no harm */
    if (any)
        FAIL_POINT_PASS(TICKED);
}

/* --- between rounds ----------------------------------------------------------------------------- */

static void mend_places(struct worker *w, int64_t mono_ms)
{
    history_forget(&w->history);
    for (size_t i = 0; i < w->place_count; i++) {
        struct place *place = w->places[i];

        if (place->state != WORKER_SUSPENDED || place->retry_mono_ms > mono_ms)
            continue;
        place_mend(w, place);
        if (place->state == WORKER_SUSPENDED && place->mend == MEND_CLAIM)
            return; /* perhaps after a time-out: poll before the next one */
    }
}

/* For lag monitors, and as a sign that there was a state once. */
static void commit_offsets(struct worker *w, int64_t mono_ms)
{
    struct kafka_partition *offsets;
    size_t count = 0;

    if (w->place_count == 0 || mono_ms < w->offsets_mono_ms)
        return;
    offsets = MEM_NEW_ARRAY(struct kafka_partition, w->place_count);
    for (size_t i = 0; i < w->place_count; i++)
        if (w->places[i]->state == WORKER_RUNNING)
            offsets[count++] =
                (struct kafka_partition){w->config.input, w->places[i]->number, w->places[i]->next};
    if (kafka_consumer_commit_async(w->consumer, offsets, count, NULL, NULL))
        w->offsets_mono_ms = mono_ms + OFFSETS_MS;
    FAIL_POINT_PASS(NEXT_TOLD);
    mem_free(offsets);
}

/* What each part has taken since the last report; several workers of a process add up. */
static void report_times(struct worker *w)
{
    const struct {
        const char *name;
        uint64_t us;
        uint64_t *reported_us;
    } parts[] = {{"take", w->times.take_us, &w->reported.take_us},
                 {"load", w->times.load_us, &w->reported.load_us},
                 {"decide", w->times.decide_us, &w->reported.decide_us},
                 {"publish", w->times.publish_us, &w->reported.publish_us},
                 {"commit", w->times.commit_us, &w->reported.commit_us}};

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const struct str labels[] = {str_of(w->class->name), str_of(parts[i].name)};

        metric_add(metric_series(METRIC_WORKER_PART_TIME, labels, 2),
                   (double)(parts[i].us - *parts[i].reported_us) / 1e6);
        *parts[i].reported_us = parts[i].us;
    }
}

static void report_all(struct worker *w, int64_t mono_ms)
{
    const struct place *bad = NULL;

    if (mono_ms < w->report_mono_ms)
        return;
    w->report_mono_ms = mono_ms + REPORT_MS;
    for (size_t i = 0; i < w->place_count; i++) {
        place_report(w, w->places[i]);
        if (w->places[i]->state != WORKER_RUNNING && (bad == NULL || bad->state != WORKER_STOPPED))
            bad = w->places[i];
    }
    report_times(w);
    readiness_set(w->class->name, bad == NULL, bad != NULL ? bad->reason : NULL);
}

/* Not longer than until something is to be done. */
static int wait_ms(const struct worker *w, int timeout_ms, int64_t mono_ms)
{
    int64_t wait = timeout_ms, wall_ms = w->config.wall_ms();

    for (size_t i = 0; i < w->place_count; i++) {
        const struct place *place = w->places[i];
        int64_t until = timeout_ms, due_ms;

        if (place->state == WORKER_SUSPENDED)
            until = place->mend == MEND_PROOF && w->proving >= 0 ? timeout_ms
                                                                 : place->retry_mono_ms - mono_ms;
        if (place->state == WORKER_RUNNING && engine_is_unsettled(place->engine))
            until = 0;
        else if (place->state == WORKER_RUNNING && w->config.time == WORKER_TIME_WALL) {
            due_ms = engine_due_ms(place->engine);
            if (due_ms != STEP_NO_TIMER && due_ms > place->tick_ms)
                until = due_ms - wall_ms;
        }
        if (until < wait)
            wait = until < WAIT_MS_MIN ? WAIT_MS_MIN : until;
    }
    return (int)wait;
}

/* A partition whose offset is not in the log is stopped; other faults of a partition pass. */
static void handle_fault(struct worker *w, const struct err *why)
{
    const char *topic;
    int32_t number;
    struct place *place;

    if (!kafka_consumer_fault(w->consumer, &topic, &number) || why->code != ERR_STATE)
        return;
    place = place_find(w, number);
    if (place != NULL)
        place_stop(w, place, why);
}

enum err_code worker_poll(struct worker *w, int timeout_ms, struct err *err)
{
    int64_t mono_ms = clock_mono_ms(), clock_us = clock_mono_us();
    struct err why = {0};
    enum err_code code;
    size_t count = 0;

    mend_places(w, mono_ms);
    if (w->config.time == WORKER_TIME_WALL)
        send_ticks(w);
    code = kafka_consumer_poll(w->consumer, wait_ms(w, timeout_ms, mono_ms), w->records,
                               w->config.batch_records_max, &count, &why);
    w->times.take_us += (uint64_t)lap(&clock_us);
    if (code != ERR_NONE)
        handle_fault(w, &why);
    if (w->halt.code == ERR_NONE) {
        distribute(w, count);
        do_rounds(w, &why);
    }
    kafka_consumer_release(w->consumer);
    mono_ms = clock_mono_ms();
    commit_offsets(w, mono_ms);
    report_all(w, mono_ms);
    if (w->halt.code != ERR_NONE)
        why = w->halt;
    return why.code == ERR_NONE ? ERR_NONE : err_set(err, why.code, "%s", why.text);
}

/* --- open and close ----------------------------------------------------------------------------- */

static void fill_defaults(struct worker_config *c)
{
    if (c->wall_ms == NULL)
        c->wall_ms = clock_wall_ms;
    if (c->generation == 0)
        c->generation = 1;
    if (c->batch_records_max == 0)
        c->batch_records_max = BATCH_RECORDS;
    if (c->cache_bytes_max == 0)
        c->cache_bytes_max = CACHE_BYTES;
    if (c->timers_max == 0)
        c->timers_max = TIMERS_MAX;
}

static enum err_code look_at_topics(struct worker *w, struct err *err)
{
    int partitions;
    enum err_code code =
        kafka_topic_partitions(&w->config.kafka, w->config.input, &partitions, err);

    if (code == ERR_NONE && partitions == 0)
        code = err_set(err, ERR_CONFIG, "topic %s is not there", w->config.input);
    w->outputs = w->config.outputs != NULL ? w->config.outputs : w->class->topics;
    while (w->class->topics != NULL && w->class->topics[w->output_count] != NULL)
        w->output_count++;
    w->output_partitions = mem_alloc((w->output_count + 1) * sizeof *w->output_partitions);
    for (size_t i = 0; i < w->output_count && code == ERR_NONE; i++) {
        code = kafka_topic_partitions(&w->config.kafka, w->outputs[i], &partitions, err);
        if (code == ERR_NONE && partitions == 0)
            code = err_set(err, ERR_CONFIG, "topic %s is not there", w->outputs[i]);
        w->output_partitions[i] = partitions;
    }
    return code;
}

static enum err_code open_parts(struct worker *w, struct err *err)
{
    const struct kafka_listener listener = {w, on_assigned, on_revoked};
    enum err_code code = ERR_NONE;

    w->store = w->config.store;
    w->store_owned = w->store == NULL;
    if (w->store_owned)
        code = redis_store_open(&w->config.redis, &w->store, err);
    if (code == ERR_NONE)
        code = look_at_topics(w, err);
    if (code == ERR_NONE)
        code = open_producer(w, err);
    if (code == ERR_NONE)
        code = kafka_consumer_open(&w->config.kafka, w->config.group, &w->config.input, 1,
                                   &listener, &w->consumer, err);
    return code;
}

enum err_code worker_open(const struct worker_config *config, const struct step_class *class,
                          const void *step_config, struct worker **out, struct err *err)
{
    struct worker *w = MEM_NEW(struct worker);
    enum err_code code;

    *out = NULL;
    w->config = *config;
    fill_defaults(&w->config);
    w->class = class;
    w->step_config = step_config;
    w->proving = -1;
    w->arena = arena_new(0);
    w->records = MEM_NEW_ARRAY(struct record, w->config.batch_records_max);
    code = open_parts(w, err);
    if (code != ERR_NONE) {
        worker_close(w);
        return code;
    }
    *out = w;
    return ERR_NONE;
}

void worker_close(struct worker *w)
{
    if (w == NULL)
        return;
    kafka_consumer_close(w->consumer); /* revoked is called */
    kafka_producer_close(w->producer);
    if (w->store_owned && w->store != NULL)
        w->store->class->close(w->store);
    history_forget(&w->history);
    arena_free(w->arena);
    mem_free(w->output_partitions);
    mem_free(w->records);
    mem_free(w);
}

size_t worker_status(const struct worker *w, struct worker_partition_status *out, size_t max)
{
    for (size_t i = 0; i < w->place_count && i < max; i++) {
        place_report((struct worker *)(uintptr_t)w, w->places[i]);
        out[i] = w->places[i]->status;
    }
    return w->place_count;
}

struct worker_times worker_times(const struct worker *w)
{
    return w->times;
}
