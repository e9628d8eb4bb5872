/* One thread.  A poll serves the group, writes ticks, and lets every place do what it can without
 * waiting: decide what has gathered, publish it, commit what is acknowledged (flight.h).  Only when none
 * can do anything it waits, for whatever comes first: records, acknowledgements, answers of the
 * store, a timer.
 *
 *     places:   0 [ decide ]......publish......[ commit ]
 *               1           [ decide ]....publish....[ commit ]
 *               2                     [ decide ]...
 *               0                               [ decide ]...   on top of what is being committed
 *
 * Rebalances happen inside kafka_consumer_serve only.  What is on its way is finished before partitions
 * are handed over.
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
#include "processors/worker/flight.h"
#include "processors/worker/landmark.h"
#include "processors/worker/place.h"
#include "processors/worker/redis_store.h"
#include "processors/worker/ticks.h"

enum {
    BATCH_RECORDS = 4096,
    TIMERS_MAX = 4096,
    CACHE_BYTES = 256 * 1024 * 1024,
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
    w->skips_known = false;
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
        partitions[i].offset =
            place->state == WORKER_RUNNING ? landmark_start(place) : KAFKA_OFFSET_HOLD;
    }
    w->report_mono_ms = 0;
}

static void free_places(struct worker *w)
{
    for (size_t i = 0; i < w->place_count; i++) {
        place_report_gone(w, w->places[i]);
        place_free(w, w->places[i]);
    }
    mem_free(w->places);
    w->places = NULL;
    w->place_count = 0;
    w->proving = -1;
}

static void on_revoked(void *context, const struct kafka_partition *partitions, size_t count,
                       bool lost)
{
    struct worker *w = context;

    (void)partitions;
    FAIL_POINT_PASS(HANDED_OVER);
    log_info("worker", lost ? "partitions lost" : "partitions handed over",
             LOG_TEXT("step", w->class->name), LOG_INT("count", count), LOG_END);
    if (!lost)
        flight_land(w);
    for (size_t i = 0; i < w->place_count && !lost; i++)
        trial_left(w, w->places[i]);
    free_places(w);
}

/* --- besides ----------------------------------------------------------------------------------- */

static void mend_places(struct worker *w, int64_t mono_ms)
{
    history_forget(&w->history);
    w->skips_known = false;
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
                 {"commit", w->times.commit_us, &w->reported.commit_us},
                 {"wait", w->times.wait_us, &w->reported.wait_us}};

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const struct str labels[] = {str_of(w->class->name), str_of(parts[i].name)};

        metric_add(metric_series(METRIC_WORKER_PART_TIME, labels, 2),
                   (double)(parts[i].us - *parts[i].reported_us) / 1e6);
        *parts[i].reported_us = parts[i].us;
    }
}

/* What stands in the way, the worst first; NULL: nothing. */
static const char *trouble(struct worker *w, const struct place *bad, const struct err *lacking)
{
    if (bad != NULL)
        return bad->reason;
    return lacking->code != ERR_NONE ? lacking->text : ticks_trouble(w);
}

static void report_all(struct worker *w, int64_t mono_ms)
{
    const struct place *bad = NULL;
    struct err lacking = {0};
    const char *why;

    if (mono_ms < w->report_mono_ms)
        return;
    w->report_mono_ms = mono_ms + REPORT_MS;
    for (size_t i = 0; i < w->place_count; i++) {
        place_report(w, w->places[i]);
        place_lacks(w, w->places[i], w->config.mono_ms(), &lacking);
        if (w->places[i]->state != WORKER_RUNNING && (bad == NULL || bad->state != WORKER_STOPPED))
            bad = w->places[i];
    }
    report_times(w);
    why = trouble(w, bad, &lacking);
    readiness_set(w->class->name, why == NULL, why);
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
        if (place->state == WORKER_RUNNING && w->config.time == WORKER_TIME_WALL &&
            ticks_trouble(w) == NULL) {
            due_ms = engine_due_ms(place->engine);
            if (due_ms != STEP_NO_TIMER && due_ms > place->tick_ms)
                until = due_ms - wall_ms;
        }
        if (until < wait)
            wait = until < WAIT_MS_MIN ? WAIT_MS_MIN : until;
    }
    return (int)wait;
}

/* A partition whose offset is not in the log any more: the claim says what is missing and stops it.
 * Other faults of a partition pass. */
static void handle_fault(struct worker *w, const struct err *why)
{
    const char *topic;
    int32_t number;
    struct place *place;

    if (!kafka_consumer_fault(w->consumer, &topic, &number) || why->code != ERR_STATE)
        return;
    place = place_find(w, number);
    if (place != NULL && place->state == WORKER_RUNNING)
        place_suspend(w, place, MEND_PROOF, why);
}

/* One look at everything; false: there was nothing to do. */
static bool turn(struct worker *w, struct err *err)
{
    bool any = flight_move_on(w, err);

    for (size_t i = 0; i < w->place_count && w->halt.code == ERR_NONE; i++) {
        struct place *place = w->places[(w->turn + i) % w->place_count];

        if (!flight_decide(w, place, err))
            continue;
        any = true;
        flight_move_on(w, err); /* what came in for the others meanwhile */
    }
    w->turn++;
    return any;
}

static bool any_sent(const struct worker *w)
{
    for (size_t i = 0; i < w->place_count; i++)
        if (w->places[i]->sent.there)
            return true;
    return false;
}

/* The store is listened to only while it owes an answer: one that has gone away can be read for
 * ever. */
static void wait_for_any(struct worker *w, int timeout_ms)
{
    const int others[] = {w->producer != NULL ? kafka_producer_fd(w->producer) : -1,
                          any_sent(w) ? w->store->class->fd(w->store) : -1};

    kafka_consumer_wait(w->consumer, others, sizeof others / sizeof others[0], timeout_ms);
}

static void serve(struct worker *w, struct err *err)
{
    int64_t clock_us = clock_mono_us();

    if (kafka_consumer_serve(w->consumer, err) != ERR_NONE)
        handle_fault(w, err);
    w->times.take_us += (uint64_t)(clock_mono_us() - clock_us);
}

enum err_code worker_poll(struct worker *w, int timeout_ms, struct err *err)
{
    int64_t mono_ms = clock_mono_ms(), clock_us;
    struct err why = {0};

    mend_places(w, mono_ms);
    serve(w, &why);
    if (!turn(w, &why)) {
        if (w->config.time == WORKER_TIME_WALL && w->halt.code == ERR_NONE)
            ticks_send(w, &why);
        clock_us = clock_mono_us();
        wait_for_any(w, wait_ms(w, timeout_ms, mono_ms));
        w->times.wait_us += (uint64_t)(clock_mono_us() - clock_us);
    }
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
    if (c->mono_ms == NULL)
        c->mono_ms = clock_mono_ms;
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
        code = flight_producer(w, err) != NULL ? ERR_NONE : ERR_KAFKA;
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
    free_places(w);                    /* of an assignment that came while it closed */
    kafka_producer_close(w->producer);
    if (w->store_owned && w->store != NULL)
        w->store->class->close(w->store);
    history_forget(&w->history);
    skip_list_free(&w->skips);
    arena_free(w->arena);
    mem_free(w->output_partitions);
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
