#include "tests/sim/dispatch_play.h"

#include <stdio.h>
#include <string.h>

#include "core/check.h"
#include "core/clock.h"
#include "processors/dispatch/dispatch.h"
#include "processors/dispatch/ledger_record.h"
#include "tests/sim/dispatch_feed.h"
#include "tests/sim/kafka_model.h"

#define LEDGER   "attent.ledger"
#define OUTCOMES "attent.outcomes"
#define QUEUE    "contact." FEED_QUEUE
#define GROUP    "attent-dispatch"

enum {
    MEMBERS_MAX = 3,
    READ_MAX = 256,
    OUTCOMES_MAX = 1024,
    REST_US = 600000000, /* it comes to rest within that time after faults end */
    QUIET_US = 40000000, /* and then nothing happens any more */
    UNSEEN_US =
        15000000, /* a call begins at most so long after its withdrawal could be read: what was
                             planned before is begun within 5 s, by a member of the group */
};

struct seen { /* of a task, outside */
    bool known, waited;
    enum ledger_state state;
    unsigned in_queue, called_back;
    int64_t queued_ms;
};

static struct {
    struct arena *arena; /* of a run */
    struct arena *conf_arena;
    struct dispatch_config config;
    struct channel_config channels[RECEIVER_COUNT + 1];
    char ids[MEMBERS_MAX][16];
    const struct feed_task *tasks;
    size_t task_count;
    struct seen seen[FEED_TASKS_MAX];
    int64_t ledger_next[FEED_PARTITIONS];
    bool written;
    struct err *why;
} play;

/* --- dispatch -------------------------------------------------------------------------------------- */

static const struct conf *conf_of(const struct connector_class *class, const char *yaml)
{
    struct diags diags = {0};
    const struct conf *conf =
        conf_read(class->fields, str_of(yaml), "sim", NULL, 0, play.conf_arena, &diags);

    CHECK(conf != NULL);
    return conf;
}

static void configure(void)
{
    static const char options[] =
        "{timeout: 2s, retries: [200ms, 1s, 2s, 4s, 4s, 4s, 4s, 4s, 4s, 4s, 4s, 4s, 4s, 4s], "
        "breaker: {failures: 5, pause: 2s}}";
    const struct connector_class *phone = channel_find(STR("contact_centre"));

    if (play.conf_arena != NULL)
        return;
    play.conf_arena = arena_new(0);
    for (int i = 0; i < RECEIVER_COUNT; i++)
        play.channels[i] = (struct channel_config){
            str_of(receiver_name((enum receiver)i)), receiver_class((enum receiver)i),
            conf_of(receiver_class((enum receiver)i), options)};
    play.channels[RECEIVER_COUNT] =
        (struct channel_config){STR("phone"), phone, conf_of(phone, "")};
    play.config = (struct dispatch_config){.kafka = {.brokers = "sim", .client_id = "sim"},
                                           .group = GROUP,
                                           .tasks_topic = FEED_TOPIC,
                                           .ledger_topic = LEDGER,
                                           .outcomes_topic = OUTCOMES,
                                           .channels = play.channels,
                                           .channel_count = RECEIVER_COUNT + 1,
                                           .clock_ms = clock_wall_ms,
                                           .keep_ms = INT64_C(30) * 86400000,
                                           .retry_ms = 1000};
}

static void run_dispatch(void *context)
{
    struct dispatch_config config = play.config;
    struct dispatch *dispatch;
    struct err err;

    config.transactional_id = context;
    while (dispatch_open(&config, &dispatch, &err) != ERR_NONE) {
        sim_tell("cannot start: %s", err.text);
        sim_sleep_us(500000);
    }
    for (;;) {
        err = (struct err){0};
        if (dispatch_poll(dispatch, 1000, &err) != ERR_NONE)
            sim_tell("%s", err.text);
    }
}

static void open_world(const struct sim_plan *plan)
{
    play.arena = arena_new(0);
    memset(play.seen, 0, sizeof play.seen);
    memset(play.ledger_next, 0, sizeof play.ledger_next);
    configure();
    receivers_begin();
    kafka_model_open();
    kafka_model_create_topic(FEED_TOPIC, FEED_PARTITIONS, 0);
    kafka_model_create_topic(LEDGER, FEED_PARTITIONS, 0);
    kafka_model_create_topic(OUTCOMES, 1, 0);
    kafka_model_create_topic(QUEUE, 1, 0);
    feed_draw(play.arena,
              plan->faults_us / 2 + (int64_t)rng_below(sim_rng(), (uint64_t)plan->faults_us));
    play.task_count = feed_tasks(&play.tasks);
    for (uint64_t i = 0, count = 1 + rng_below(sim_rng(), MEMBERS_MAX); i < count; i++) {
        snprintf(play.ids[i], sizeof play.ids[i], "dispatch-%d", (int)i);
        sim_spawn("dispatch", run_dispatch, play.ids[i], true);
    }
}

static void close_world(void)
{
    kafka_model_close();
    arena_free(play.arena);
}

/* --- what is seen ---------------------------------------------------------------------------------- */

static void see_ledger(const struct record *record)
{
    struct ledger_record read;
    unsigned number;

    ledger_record_read(record, play.arena, &read, NULL);
    if (read.kind != LEDGER_RECORD_TASK || !receiver_read_id(read.entry.id, &number))
        return;
    play.seen[number].known = true;
    play.seen[number].state = read.entry.state;
    play.seen[number].waited |= read.entry.state == LEDGER_PENDING;
}

static void read_topic(const char *topic, int32_t partition, int64_t *next,
                       void (*see)(const struct record *record))
{
    struct record records[READ_MAX];
    size_t count;

    do {
        count = kafka_model_read(topic, partition, *next, records, READ_MAX, next);
        for (size_t i = 0; i < count; i++)
            see(&records[i]);
    } while (count != 0);
}

static bool has_ended(const struct seen *seen)
{
    switch (seen->state) {
    case LEDGER_SENT:
    case LEDGER_FAILED:
    case LEDGER_EXPIRED:
    case LEDGER_UNKNOWN:
    case LEDGER_WITHDRAWN: return seen->known;
    case LEDGER_PENDING:
    case LEDGER_SENDING:
    case LEDGER_RECALLING:
    case LEDGER_STATE_COUNT: break;
    }
    return false;
}

static size_t count_open(void)
{
    size_t open = 0;

    for (int32_t p = 0; p < FEED_PARTITIONS; p++)
        read_topic(LEDGER, p, &play.ledger_next[p], see_ledger);
    for (size_t i = 0; i < play.task_count; i++)
        open += !play.tasks[i].forged && !has_ended(&play.seen[i]);
    return open;
}

static bool is_read(void)
{
    for (int32_t p = 0; p < FEED_PARTITIONS; p++)
        if (kafka_model_bounds(FEED_TOPIC, p).next > 0 &&
            kafka_model_committed(GROUP, FEED_TOPIC, p) < kafka_model_bounds(FEED_TOPIC, p).next)
            return false;
    return true;
}

static bool is_at_rest(void *context)
{
    (void)context;
    play.written = feed_go_on();
    return play.written && is_read() && count_open() == 0;
}

static bool never(void *context)
{
    (void)context;
    return false;
}

static void see_queue(const struct record *record)
{
    struct str id = record_header(record, STR("ce_id"));
    struct str type = record_header(record, STR("ce_type"));
    unsigned number;

    if (!receiver_read_id(str_slice(id, 0, id.len < 5 ? id.len : 5), &number))
        return;
    if (str_is(type, WITHDRAWAL_CE_TYPE)) {
        play.seen[number].called_back++;
        if (play.seen[number].queued_ms == record->timestamp_ms)
            err_set(play.why, ERR_STATE, "t%04u went to the queue together with its withdrawal",
                    number);
        return;
    }
    play.seen[number].in_queue++;
    play.seen[number].queued_ms = record->timestamp_ms;
}

static struct {
    char ids[OUTCOMES_MAX][24];
    size_t count;
} outcomes;

static void see_outcome(const struct record *record)
{
    struct str id = record_header(record, STR("ce_id"));

    for (size_t i = 0; i < outcomes.count; i++)
        if (str_is(id, outcomes.ids[i]))
            err_set(play.why, ERR_STATE, "the outcome %.*s was told twice", STR_ARG(id));
    CHECK(outcomes.count < OUTCOMES_MAX);
    snprintf(outcomes.ids[outcomes.count++], sizeof outcomes.ids[0], "%.*s", STR_ARG(id));
}

/* --- what is right of a task ------------------------------------------------------------------------- */

struct promise { /* how often it may have arrived, by how it ended */
    unsigned least, most;
};

static struct promise promise_of(const struct feed_task *task, enum ledger_state state)
{
    bool may_come_twice =
        !task->by_phone && (task->at_least_once || task->receiver == RECEIVER_IDEMPOTENT);
    unsigned most = may_come_twice ? UINT32_MAX : 1;

    switch (state) {
    case LEDGER_SENT: return (struct promise){1, most};
    case LEDGER_FAILED:
    case LEDGER_EXPIRED: return (struct promise){0, 0};
    case LEDGER_UNKNOWN:
    case LEDGER_WITHDRAWN: return (struct promise){0, most};
    case LEDGER_PENDING:
    case LEDGER_SENDING:
    case LEDGER_RECALLING:
    case LEDGER_STATE_COUNT: break;
    }
    CHECK_NEVER("a task that has not ended");
}

static bool wrong(size_t number, const char *what)
{
    const struct feed_task *t = &play.tasks[number];

    err_set(play.why, ERR_STATE, "t%04zu (%s%s), %s in the ledger: %s", number,
            t->by_phone ? "phone" : receiver_name(t->receiver), t->at_least_once ? ", twice" : "",
            play.seen[number].known ? ledger_state_code(play.seen[number].state) : "not", what);
    return false;
}

/* What goes in the round in which it is read is looked at with what was read, and no further. */
static bool went_late(const struct feed_task *t, const struct seen *seen,
                      const struct receiver_task *at)
{
    int64_t latest_us = t->withdrawn_us == INT64_MAX ? INT64_MAX : t->withdrawn_us + UNSEEN_US;

    if (t->by_phone)
        return seen->in_queue != 0 && seen->waited && seen->queued_ms * 1000 > latest_us;
    return at->arrivals != 0 && at->last_us > latest_us;
}

static bool check_task(size_t number)
{
    const struct feed_task *t = &play.tasks[number];
    const struct receiver_task *at = receivers_task((unsigned)number);
    const struct seen *seen = &play.seen[number];
    unsigned arrivals = t->by_phone ? seen->in_queue : at->arrivals;
    struct promise promise;

    if (t->forged)
        return arrivals == 0 && !seen->known ? true : wrong(number, "nobody decided it");
    if (!has_ended(seen))
        return wrong(number, "it has not ended");
    promise = promise_of(t, seen->state);
    if (arrivals < promise.least)
        return wrong(number, "it never came");
    if (arrivals > promise.most)
        return wrong(number, promise.most == 0 ? "it came nevertheless" : "it came twice");
    if (went_late(t, seen, at))
        return wrong(number, "it went although its withdrawal had been there for long");
    return true;
}

/* Does another task of this customer stand before it in the line of their channel? */
static bool stands_before(const struct feed_task *other, const struct feed_task *task)
{
    return !other->by_phone && !other->waits && other->order < task->order &&
           other->receiver == task->receiver && other->customer == task->customer;
}

/* Of those that had to wait for nothing else. */
static bool check_order(size_t number)
{
    const struct feed_task *t = &play.tasks[number];
    const struct receiver_task *at = receivers_task((unsigned)number);

    for (size_t i = 0; i < play.task_count; i++) {
        const struct receiver_task *other = receivers_task((unsigned)i);

        if (!t->by_phone && !t->waits && at->arrivals != 0 && other->arrivals != 0 &&
            stands_before(&play.tasks[i], t) && other->first_us > at->first_us)
            return wrong(number, "it came before one that was decided earlier");
    }
    return true;
}

static bool check_all(void)
{
    int64_t next = 0;

    outcomes.count = 0;
    read_topic(QUEUE, 0, &next, see_queue);
    next = 0;
    read_topic(OUTCOMES, 0, &next, see_outcome);
    if (play.why->code != ERR_NONE)
        return false;
    count_open();
    for (size_t i = 0; i < play.task_count; i++)
        if (!check_task(i) || !check_order(i))
            return false;
    return true;
}

/* A process that stands still may go on late: what it does then counts, too. */
static bool run(const struct sim_plan *plan)
{
    if (!sim_go(is_at_rest, NULL, plan->faults_us + REST_US)) {
        for (size_t i = 0; i < play.task_count; i++)
            if (!play.tasks[i].forged && !has_ended(&play.seen[i]))
                return wrong(i, "it has not ended");
        err_set(play.why, ERR_STATE, "dispatch does not come to the end of its log");
        return false;
    }
    sim_go(never, NULL, QUIET_US);
    return check_all();
}

bool dispatch_play(const struct sim_plan *plan, struct err *why)
{
    static struct sim_plan own; /* strikes are looked at after the run */
    bool right;

    *why = (struct err){0};
    play.why = why;
    own = *plan;
    own.watch = (struct sim_watch){.died = kafka_model_process_died,
                                   .stopped = kafka_model_process_stopped};
    own.chance[SIM_WRONG_CLOCK] = 0; /* windows and deadlines are by the clock of its machine */
    sim_begin(&own);
    open_world(&own);
    right = run(&own);
    sim_end();
    close_world();
    return right;
}
