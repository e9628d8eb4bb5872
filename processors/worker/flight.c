/* One thread: whatever has come in is looked at between two batches, so an acknowledgement or an
 * answer waits as long as one partition's batch takes to be decided.
 */
#include "processors/worker/flight.h"

#include <string.h>

#include "core/check.h"
#include "core/clock.h"
#include "core/fail_point.h"
#include "core/mutant.h"
#include "processors/worker/landmark.h"

enum { ACKNOWLEDGE_MS_MAX = 15000 /* longer than a record may take to be refused */ };

static uint64_t lap(int64_t *since_us)
{
    int64_t now_us = clock_mono_us(), span_us = now_us - *since_us;

    *since_us = now_us;
    return (uint64_t)span_us;
}

static void observe(const struct worker *w, const char *stage, int64_t span_us)
{
    const struct str labels[] = {str_of(w->class->name), str_of(stage)};

    metric_observe(metric_series(METRIC_WORKER_STAGE_TIME, labels, 2), (double)span_us / 1e6);
}

bool flight_is_empty(const struct place *place)
{
    return !place->open.there && !place->sent.there;
}

/* --- gather and decide ------------------------------------------------------------------------- */

/* How old the first record is: in log time that says nothing. */
static void observe_queue(const struct worker *w, const struct record *first)
{
    int64_t age_ms = w->config.wall_ms() - first->timestamp_ms;

    if (w->config.time == WORKER_TIME_WALL)
        observe(w, "queue", age_ms > 0 ? age_ms * 1000 : 0);
}

static bool gather(struct worker *w, struct place *place)
{
    int64_t clock_us = clock_mono_us();

    if (place->run.count == 0) {
        place->run.records = place->records;
        place->run.count = kafka_consumer_take(w->consumer, w->config.input, place->number,
                                               place->records, w->config.batch_records_max);
        w->times.take_us += lap(&clock_us);
    }
    return landmark_passed(w, place) &&
           (place->run.count > 0 || engine_is_unsettled(place->engine));
}

void flight_advance(struct worker *w, struct place *place, size_t done)
{
    if (place->run.count == 0)
        return; /* it had none */
    place->run.records += done;
    place->run.count -= done;
    if (place->run.count == 0)
        kafka_consumer_release_one(w->consumer, w->config.input, place->number);
}

static bool load(struct worker *w, struct place *place, size_t count)
{
    enum store_result result;
    struct err why = {0};

    engine_plan(place->engine, place->run.records, count);
    arena_reset(w->arena);
    result = store_fill(w->store, w->class->name, place->number, place->token, place->engine,
                        w->arena, &why);
    if (result != STORE_DONE)
        place_refused(w, place, result, &why);
    return result == STORE_DONE;
}

static bool run(struct worker *w, struct place *place)
{
    struct err why = {0};
    enum err_code code = engine_run(place->engine, &place->open.batch, &why);

    if (code != ERR_NONE)
        place_stop(w, place, &why);
    return code == ERR_NONE;
}

/* --- publish ----------------------------------------------------------------------------------- */

struct kafka_producer *flight_producer(struct worker *w, struct err *err)
{
    if (w->producer == NULL &&
        kafka_producer_open(&w->config.kafka, NULL, &w->producer, err) != ERR_NONE)
        w->producer = NULL;
    return w->producer;
}

static bool is_acknowledged(const struct place *place)
{
    return place->open.receipt == NULL || MUTANT(COMMIT_UNACKNOWLEDGED) ||
           kafka_receipt_is_complete(place->open.receipt);
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

static void finish_commit(struct worker *w, struct place *place);

/* What Kafka has of it is written again, with the same numbers, and readers drop it.  A commit that
 * is in flight is waited for: it says where to begin again. */
static void begin_again(struct worker *w, struct place *place, const struct err *why)
{
    if (place->sent.there)
        finish_commit(w, place);
    if (place->open.there)
        place_suspend(w, place, MEND_REWIND, why);
}

/* The producer is of no use any more, and who has something with it that is not acknowledged begins
 * again. */
static void go_back(struct worker *w, bool lost, const struct err *why)
{
    kafka_producer_close(w->producer);
    w->producer = NULL;
    if (lost)
        halt(w, why);
    for (size_t i = 0; i < w->place_count; i++) {
        struct place *place = w->places[i];

        place->tick_ms = INT64_MIN; /* once more: a tick too many does no harm */
        if (place->open.there && !is_acknowledged(place))
            begin_again(w, place, why);
    }
}

static enum err_code queue_outputs(struct worker *w, struct place *place, struct err *err)
{
    const struct engine_batch *batch = &place->open.batch;
    struct kafka_producer *producer;
    enum err_code code = ERR_NONE;

    if (batch->output_count == 0)
        return ERR_NONE;
    producer = flight_producer(w, err);
    if (producer == NULL)
        return ERR_DOWN;
    place->open.receipt = kafka_receipt_new();
    for (size_t i = 0; i < batch->output_count && code == ERR_NONE; i++) {
        code = kafka_produce_counted(producer, &batch->outputs[i].record, place->open.receipt, err);
        FAIL_POINT_PASS(OUTPUT_SENT);
    }
    return code;
}

/* A record that the producer does not even queue is as one that Kafka refuses; it is in no receipt. */
static void publish(struct worker *w, struct place *place, struct err *err)
{
    struct err why = {0};

    if (MUTANT(COMMIT_BEFORE_PUBLISH) || queue_outputs(w, place, &why) == ERR_NONE)
        return;
    begin_again(w, place, &why);
    go_back(w, false, &why);
    *err = why;
}

/* Its first `count` records. */
static void decide(struct worker *w, struct place *place, size_t count, struct err *err)
{
    int64_t clock_us = clock_mono_us(), start_us = clock_us;
    bool decided;

    if (!load(w, place, count))
        return;
    FAIL_POINT_PASS(LOADED);
    w->times.load_us += lap(&clock_us);
    decided = run(w, place);
    FAIL_POINT_PASS(DECIDED);
    w->times.decide_us += lap(&clock_us);
    if (!decided)
        return;
    place->status.batches++;
    flight_advance(w, place, place->open.batch.done);
    if (!place->open.batch.moved)
        return;
    observe(w, "decide", clock_us - start_us);
    place->open.there = true;
    place->open.since_us = clock_us;
    publish(w, place, err);
    w->times.publish_us += lap(&clock_us);
}

bool flight_decide(struct worker *w, struct place *place, struct err *err)
{
    size_t count;

    if (place->state != WORKER_RUNNING || place->open.there || !gather(w, place))
        return false;
    if (place->run.count > 0)
        observe_queue(w, place->run.records);
    if (!trial_begin(w, place, &count))
        return true;
    decide(w, place, count, err);
    trial_end(place);
    return true;
}

/* --- commit ------------------------------------------------------------------------------------ */

static void send_commit(struct worker *w, struct place *place)
{
    const struct engine_batch *batch = &place->open.batch;

    w->store->class->commit_send(w->store, w->class->name, place->number, place->token,
                                 engine_commit(place->engine), batch->meta, batch->subjects,
                                 batch->subject_count);
    FAIL_POINT_PASS(COMMIT_SENT);
    if (MUTANT(COMMIT_BEFORE_PUBLISH))
        queue_outputs(w, place, NULL);
    kafka_receipt_drop(place->open.receipt);
    place->open.receipt = NULL;
    engine_sent(place->engine);
    place->sent = place->open;
    place->open = (struct flight){0};
}

/* Waits, if the answer has not come. */
static void finish_commit(struct worker *w, struct place *place)
{
    struct err why = {0};
    enum store_result result =
        w->store->class->commit_wait(w->store, w->class->name, place->number, &why);

    FAIL_POINT_PASS(COMMIT_KEPT);
    if (result != STORE_DONE) {
        place->sent.there = false; /* there is nothing left to drop */
        place_refused(w, place, result, &why);
        return;
    }
    observe(w, "commit", clock_mono_us() - place->sent.since_us);
    place_committed(place, &place->sent.batch);
    place->sent = (struct flight){0};
}

static bool move_on(struct worker *w, struct place *place)
{
    bool moved = false;

    if (place->sent.there &&
        w->store->class->commit_ready(w->store, w->class->name, place->number)) {
        finish_commit(w, place);
        moved = true;
    }
    if (place->open.there && !place->open.acknowledged && is_acknowledged(place)) {
        int64_t now_us = clock_mono_us();

        if (place->open.receipt != NULL) /* most batches publish nothing */
            observe(w, "publish", now_us - place->open.since_us);
        place->open.acknowledged = true;
        FAIL_POINT_PASS(OUTPUTS_KEPT);
        place->open.since_us = now_us;
    }
    if (place->open.acknowledged && !place->sent.there) {
        send_commit(w, place);
        moved = true;
    }
    return moved;
}

/* No acknowledgement and no refusal: librdkafka has always one of them in time. */
static bool is_overdue(const struct worker *w)
{
    int64_t limit_us = clock_mono_us() - (int64_t)ACKNOWLEDGE_MS_MAX * 1000;

    for (size_t i = 0; i < w->place_count; i++) {
        const struct flight *open = &w->places[i]->open;

        if (open->there && !open->acknowledged && open->since_us < limit_us)
            return true;
    }
    return false;
}

static void hear_kafka(struct worker *w, int wait_ms, struct err *err)
{
    bool lost = false;
    struct err why = {0};
    enum err_code code;

    if (w->producer == NULL)
        return;
    if (wait_ms > 0 || is_overdue(w))
        code = kafka_flush(w->producer, wait_ms, NULL, &lost, &why);
    else
        code = kafka_hear(w->producer, NULL, &lost, &why);
    if (code == ERR_NONE)
        return;
    go_back(w, lost, &why);
    *err = why;
}

bool flight_move_on(struct worker *w, struct err *err)
{
    int64_t clock_us = clock_mono_us();
    bool moved = false;

    hear_kafka(w, 0, err);
    w->times.publish_us += lap(&clock_us);
    for (size_t i = 0; i < w->place_count; i++)
        moved |= move_on(w, w->places[i]);
    w->times.commit_us += lap(&clock_us);
    return moved;
}

void flight_land(struct worker *w)
{
    struct err ignored;

    hear_kafka(w, ACKNOWLEDGE_MS_MAX, &ignored);
    for (size_t i = 0; i < w->place_count; i++) {
        struct place *place = w->places[i];

        while (!flight_is_empty(place)) { /* all is acknowledged, or was dropped */
            if (place->sent.there)
                finish_commit(w, place);
            move_on(w, place);
        }
    }
}

void flight_drop(struct worker *w, struct place *place)
{
    if (place->sent.there)
        w->store->class->commit_drop(w->store, w->class->name, place->number);
    kafka_receipt_drop(place->open.receipt);
    place->open = place->sent = (struct flight){0};
    if (place->run.count > 0)
        kafka_consumer_release_one(w->consumer, w->config.input, place->number);
    place->run = (struct run){0};
}
