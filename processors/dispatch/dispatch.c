/* One round:
 *
 *     poll -> plan (pure, plan.c) -> begin, produce, commit with offsets -> keep   (partition_commit)
 *                                              |
 *                                              +-- aborted: take back, seek to what was committed
 *                                              +-- fenced:  leave the group and join again
 *                                              +-- fatal:   another producer, and join again
 *
 * Joining again reads the ledgers anew, so it is right whatever happened before: after a fatal
 * error nobody knows whether the last transaction is in or not, but the ledger does.
 *
 * Offsets go with every transaction, also when only the clock had something to do: they prove to
 * Kafka that this process still owns the partitions.
 */
#include "processors/dispatch/dispatch.h"

#include <stdio.h>

#include "connectors/kafka/suspects.h"
#include "core/clock.h"
#include "core/fail_point.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metric.h"
#include "core/mutant.h"
#include "core/readiness.h"
#include "core/rng.h"
#include "processors/dispatch/abreast.h"
#include "processors/dispatch/flights.h"
#include "processors/dispatch/lacking.h"
#include "processors/dispatch/ledger_topic.h"
#include "processors/dispatch/plan.h"
#include "processors/dispatch/queue_topics.h"
#include "processors/dispatch/showing.h"

#define PART "dispatch"

enum {
    RECORDS_MAX = 500, /* of a round: a transaction of some hundred records takes 10 ms */
    DUE_MAX = 500,
    REJOIN_FIRST_MS = 100,
    REJOIN_LAST_MS = 5000,
    SHOW_MAX = 5000,     /* entries of a round that go to the view: 50 ms */
    FLIGHT_WAIT_MS = 10, /* how long a call's end, or a record, may wait for the other */
    LACKING_EVERY_MS = 1000,
    CAREFUL_MS = 60000, /* after a death: what is in line or falls due in that time is tried */
    DRAIN_MS = 10000,   /* before partitions are given up: for calls under way */
};

struct dispatch {
    const struct dispatch_config *config;
    struct channels *channels;
    struct kafka_producer *producer; /* NULL: to be opened */
    struct kafka_consumer *consumer; /* NULL: not in the group */
    struct partition *partitions;    /* that are mine */
    size_t partition_count;
    struct flights *flights;
    struct rng rng;
    struct plan_rules rules;
    struct plan plan;
    struct record *records; /* of this round */
    struct dispatch_counters counters;
    struct queue_topics *topics;
    struct suspects *suspects; /* NULL: nobody is tried */
    struct showing showing;
    struct err trouble; /* of a call-back: join again */
    bool fatal;         /* the producer is of no use any more */
    int64_t rejoin_pause_ms;
    int64_t lacking_mono_ms; /* when to look again for records that do not come */
    struct err lacking;      /* about one of them */
    bool stuck;              /* what a partition should read next is not in its log */
};

static void watch(void *context, const struct partition *p, struct str task)
{
    const struct dispatch *d = context;

    suspects_thing(d->suspects, d->config->tasks_topic, p->number, task);
}

static bool topic_is_there(void *context, struct str topic)
{
    struct dispatch *d = context;

    return queue_topics_ask(d->topics, d->consumer, topic);
}

/* --- the view -------------------------------------------------------------------------------- */

static void show_writes(const struct dispatch *d)
{
    for (size_t i = 0; d->config->view != NULL && i < d->plan.write_count; i++)
        if (str_is(d->plan.writes[i].topic, d->config->ledger_topic))
            ledger_view_take(d->config->view, &d->plan.writes[i]);
    for (size_t i = 0; d->config->view != NULL && i < d->plan.erased_count; i++)
        ledger_view_erase(d->config->view, d->plan.erased[i]);
}

/* Some of what is to be shown, if there is room for it. */
static void show_more(struct dispatch *d)
{
    struct ledger_view *view = d->config->view;

    if (view == NULL)
        return;
    if (ledger_view_wants_all(view))
        showing_begin(&d->showing, d->partitions, d->partition_count);
    if (d->showing.next < d->showing.count && ledger_view_waiting(view) < SHOW_MAX)
        showing_go_on(&d->showing, d->partitions, d->partition_count, view, SHOW_MAX);
}

/* --- partitions ------------------------------------------------------------------------------ */

static void drop_partitions(struct dispatch *d)
{
    for (size_t i = 0; i < d->partition_count; i++)
        partition_close(&d->partitions[i]);
    mem_free(d->partitions);
    d->partitions = NULL;
    d->partition_count = 0;
}

/* Where the group stands; without a committed offset: the log's beginning. */
static enum err_code find_start(struct dispatch *d, struct partition *p, struct err *err)
{
    const char *topic = d->config->tasks_topic;
    int64_t end;
    enum err_code code = kafka_consumer_committed(d->consumer, topic, p->number, &p->next, err);

    if (code == ERR_NONE && p->next < 0)
        code = kafka_consumer_bounds(d->consumer, topic, p->number, &p->next, &end, err);
    return code;
}

static bool is_under_way(void *context, struct str id)
{
    const struct dispatch *d = context;

    return flights_knows(d->flights, id);
}

static enum err_code take_over(struct dispatch *d, struct kafka_partition *partitions, size_t count,
                               struct err *err)
{
    enum err_code code;

    d->partitions = MEM_NEW_ARRAY(struct partition, count + 1);
    d->partition_count = count;
    for (size_t i = 0; i < count; i++)
        partition_open(&d->partitions[i], partitions[i].partition);
    code = ledger_topic_read(&d->config->kafka, d->consumer, d->producer, d->config->ledger_topic,
                             d->partitions, count, &d->fatal, err);
    for (size_t i = 0; code == ERR_NONE && i < count; i++) {
        code = find_start(d, &d->partitions[i], err);
        partitions[i].offset = d->partitions[i].broken ? KAFKA_OFFSET_HOLD : d->partitions[i].next;
        plan_line_up(&d->plan, &d->partitions[i], is_under_way, d);
        partition_commit(&d->partitions[i]);
    }
    return code;
}

static void on_assigned(void *context, struct kafka_partition *partitions, size_t count)
{
    struct dispatch *d = context;
    int64_t from_ms = clock_mono_ms();
    size_t known = 0;

    drop_partitions(d);
    suspects_assigned(d->suspects, partitions, count);
    d->stuck = false; /* if it is still so, the next read says it again */
    if (take_over(d, partitions, count, &d->trouble) != ERR_NONE) {
        for (size_t i = 0; i < count; i++)
            partitions[i].offset = KAFKA_OFFSET_HOLD;
        return;
    }
    for (size_t i = 0; i < count; i++)
        known += ledger_count(d->partitions[i].ledger);
    if (d->config->view != NULL)
        showing_begin(&d->showing, d->partitions, d->partition_count);
    log_info(PART, "took over partitions", LOG_INT("partitions", count), LOG_INT("tasks", known),
             LOG_INT("ms", clock_mono_ms() - from_ms), LOG_END);
}

static void drain(struct dispatch *d);

static void on_revoked(void *context, const struct kafka_partition *partitions, size_t count,
                       bool lost)
{
    struct dispatch *d = context;

    (void)partitions;
    if (!lost)
        drain(d);
    suspects_revoked(d->suspects, lost ? NULL : d->consumer);
    log_info(PART, "gave up partitions", LOG_INT("partitions", count), LOG_END);
    drop_partitions(d);
}

static struct partition *find_partition(struct dispatch *d, int32_t number)
{
    for (size_t i = 0; i < d->partition_count; i++)
        if (d->partitions[i].number == number)
            return &d->partitions[i];
    return NULL;
}

/* --- joining --------------------------------------------------------------------------------- */

static enum err_code join(struct dispatch *d, struct err *err)
{
    const struct dispatch_config *c = d->config;
    const struct kafka_listener listener = {d, on_assigned, on_revoked};
    enum err_code code = ERR_NONE;

    if (d->producer == NULL)
        code = kafka_producer_open(&c->kafka, c->transactional_id, &d->producer, err);
    if (code == ERR_NONE)
        code = kafka_consumer_open(&c->kafka, c->group, &c->tasks_topic, 1, &listener, &d->consumer,
                                   err);
    return code;
}

static void leave(struct dispatch *d)
{
    kafka_consumer_close(d->consumer); /* revoked is called */
    d->consumer = NULL;
    drop_partitions(d);
    queue_topics_forget(d->topics);
    if (d->fatal) {
        kafka_producer_close(d->producer);
        d->producer = NULL;
        d->fatal = false;
    }
}

/* Leave; the next round joins again, after a pause that grows while nothing helps. */
static enum err_code rejoin(struct dispatch *d, enum err_code code, const struct err *why)
{
    readiness_set(PART, false, why->text);
    leave(d);
    d->trouble = (struct err){0};
    d->rejoin_pause_ms = d->rejoin_pause_ms == 0 ? REJOIN_FIRST_MS : 2 * d->rejoin_pause_ms;
    if (d->rejoin_pause_ms > REJOIN_LAST_MS)
        d->rejoin_pause_ms = REJOIN_LAST_MS;
    d->counters.rejoined++;
    metric_add(metric_series(METRIC_DISPATCH_REJOINED, NULL, 0), 1);
    return code;
}

/* --- transactions ---------------------------------------------------------------------------- */

static enum err_code write_all(struct dispatch *d, struct err *err)
{
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < d->plan.write_count && code == ERR_NONE; i++)
        code = kafka_produce(d->producer, &d->plan.writes[i], err);
    return code;
}

static enum err_code commit(struct dispatch *d, struct err *err)
{
    struct kafka_partition *offsets = MEM_NEW_ARRAY(struct kafka_partition, d->partition_count + 1);
    size_t count = 0;
    enum err_code code;

    for (size_t i = 0; i < d->partition_count; i++)
        if (d->partitions[i].touched)
            offsets[count++] = (struct kafka_partition){
                d->config->tasks_topic, d->partitions[i].number, d->partitions[i].next};
    code = kafka_commit(d->producer, d->consumer, offsets, count, &d->fatal, err);
    if (code == ERR_NONE)
        suspects_committed(d->suspects, offsets, count);
    mem_free(offsets);
    return code;
}

static enum err_code transact(struct dispatch *d, struct err *err)
{
    int64_t from_us = clock_mono_us();
    enum err_code code;

    FAIL_POINT_PASS(PLANNED);
    code = kafka_begin(d->producer, err);
    FAIL_POINT_PASS(BEGUN);
    if (code != ERR_NONE) {
        d->fatal = true;
        return code;
    }
    code = write_all(d, err);
    FAIL_POINT_PASS(WRITTEN);
    if (code == ERR_NONE)
        code = commit(d, err);
    else
        kafka_abort(d->producer, &d->fatal, NULL);
    FAIL_POINT_PASS(COMMITTED);
    if (code == ERR_NONE)
        metric_observe(metric_series(METRIC_DISPATCH_TRANSACTION, NULL, 0),
                       (double)(clock_mono_us() - from_us) / 1e6);
    return code;
}

static void report_partition(const struct partition *p)
{
    char number[16];
    struct str label;

    snprintf(number, sizeof number, "%d", (int)p->number);
    label = str_of(number);
    metric_set(metric_series(METRIC_DISPATCH_OPEN, &label, 1), (double)ledger_count(p->ledger));
    metric_set(metric_series(METRIC_DISPATCH_STOPPED, &label, 1),
               (double)sources_stopped(p->sources));
}

static void report_channels(const struct dispatch *d)
{
    for (size_t i = 0; i < channels_count(d->channels); i++) {
        const struct channel *channel = channels_at(d->channels, i);
        struct str label = str_of(channel->name);
        if (channel->gate == NULL)
            continue;
        metric_set(metric_series(METRIC_DISPATCH_UNDER_WAY, &label, 1),
                   gate_under_way(channel->gate));
        metric_set(metric_series(METRIC_DISPATCH_BREAKER, &label, 1),
                   gate_is_broken(channel->gate) ? 1 : 0);
    }
}

/* What was planned is committed, or needed no commit. */
static void begin_calls(struct dispatch *d)
{
    flights_begin(d->flights, plan_take_jobs(&d->plan));
    flights_forget_ended(d->flights);
}

static void keep(struct dispatch *d)
{
    d->counters.transactions++;
    plan_count(&d->plan, &d->counters);
    show_writes(d);
    for (size_t i = 0; i < d->partition_count; i++) {
        if (!d->partitions[i].touched)
            continue;
        partition_commit(&d->partitions[i]);
        report_partition(&d->partitions[i]);
    }
    begin_calls(d);
    report_channels(d);
}

/* Aborted: nothing of this round has happened, also no question to a channel, which touches no
 * partition: its task is not under way.  ERR_*: the way back is barred, join again. */
static enum err_code take_back(struct dispatch *d, struct err *err)
{
    enum err_code code = ERR_NONE;

    d->counters.aborted++;
    metric_add(metric_series(METRIC_DISPATCH_ABORTED, NULL, 0), 1);
    queue_topics_forget(d->topics);
    for (size_t i = 0; i < d->partition_count && code == ERR_NONE; i++) {
        struct partition *p = &d->partitions[i];
        bool touched = p->touched;

        if (touched)
            partition_rollback(p);
        plan_line_up(&d->plan, p, is_under_way, d);
        if (touched)
            code =
                kafka_consumer_seek(d->consumer, d->config->tasks_topic, p->number, p->next, err);
    }
    return code;
}

static enum err_code finish(struct dispatch *d, struct err *err)
{
    enum err_code code;
    struct err barred;

    if (MUTANT(SENDING_UNCOMMITTED))
        begin_calls(d);
    code = transact(d, err);
    if (code == ERR_NONE) {
        keep(d);
        return ERR_NONE;
    }
    log_warn(PART, "a transaction was not committed", LOG_TEXT("why", err->text), LOG_END);
    if (d->fatal) /* it may be in nevertheless */
        flights_give_up(d->flights, plan_take_jobs(&d->plan));
    if (code == ERR_FENCED || d->fatal || take_back(d, &barred) != ERR_NONE)
        return rejoin(d, code, err);
    clock_sleep_ms(REJOIN_FIRST_MS); /* whatever it was, it may need a moment */
    return code;
}

/* --- a round --------------------------------------------------------------------------------- */

static void set_now(const struct dispatch *d, struct partition *p)
{
    int64_t now_ms = d->config->clock_ms != NULL ? d->config->clock_ms() : p->now_ms;

    if (now_ms > p->now_ms)
        p->now_ms = now_ms;
}

static void plan_calls(struct dispatch *d)
{
    for (const struct job *job = flights_ended(d->flights, NULL); job != NULL;
         job = flights_ended(d->flights, job)) {
        struct partition *p = find_partition(d, job->partition);
        if (p != NULL)
            plan_result(&d->plan, p, job);
    }
    for (size_t i = 0; i < d->partition_count; i++)
        if (d->partitions[i].adopt_ms <= d->plan.real_ms)
            plan_adopt(&d->plan, &d->partitions[i], is_under_way, d);
}

static void plan_turns_of(struct dispatch *d)
{
    struct partition **whole = MEM_NEW_ARRAY(struct partition *, d->partition_count + 1);
    size_t count = 0;

    for (size_t i = 0; i < d->partition_count; i++)
        if (!d->partitions[i].broken && !d->partitions[i].behind)
            whole[count++] = &d->partitions[i];
    plan_turns(&d->plan, whole, count);
    mem_free(whole);
}

/* The monotonic one first: a process that is stopped in between, or at any time before its calls,
 * begins none later than the ledger lets others expect. */
static void set_clocks(struct dispatch *d)
{
    d->plan.mono_ms = clock_mono_ms();
    for (size_t i = 0; i < d->partition_count; i++)
        set_now(d, &d->partitions[i]);
    d->plan.real_ms = d->config->clock_ms != NULL ? d->config->clock_ms() : clock_wall_ms();
}

static void put_aside(struct dispatch *d, struct partition *p, const struct record *record,
                      bool first)
{
    struct record skip;

    if (!first) {
        plan_pass(&d->plan, p, record, NULL);
        return;
    }
    skip = suspects_skip(d->suspects, record, p->now_ms, d->plan.arena);
    plan_pass(&d->plan, p, record, &skip);
    log_error(PART, "a record is skipped: processes end at it", LOG_STR("topic", record->topic),
              LOG_INT("partition", p->number), LOG_INT("offset", record->offset), LOG_END);
}

/* Those of one partition. */
static void plan_run(struct dispatch *d, struct partition *p, const struct record *records,
                     size_t count)
{
    size_t from = 0;

    for (size_t i = 0; i < count; i++) {
        enum suspects_verdict verdict = suspects_record(d->suspects, &records[i]);

        if (verdict == SUSPECTS_TAKE)
            continue;
        plan_records(&d->plan, p, &records[from], i - from);
        put_aside(d, p, &records[i], verdict == SUSPECTS_POISON);
        from = i + 1;
    }
    plan_records(&d->plan, p, &records[from], count - from);
}

static void condemn(struct dispatch *d)
{
    for (size_t i = 0; i < d->partition_count; i++) {
        struct partition *p = &d->partitions[i];
        struct str id = suspects_poison(d->suspects, d->config->tasks_topic, p->number);

        if (id.len != 0 && !p->broken)
            plan_condemn(&d->plan, p, d->config->tasks_topic, id);
    }
}

/* Records come in runs of one partition. */
static void plan_round(struct dispatch *d, size_t count)
{
    set_clocks(d);
    flights_collect(d->flights, d->plan.real_ms);
    condemn(d);
    plan_calls(d);
    for (size_t from = 0, to; from < count; from = to) {
        struct partition *p = find_partition(d, d->records[from].partition);
        for (to = from + 1; to < count; to++)
            if (d->records[to].partition != d->records[from].partition)
                break;
        if (p != NULL)
            plan_run(d, p, &d->records[from], to - from);
    }
    abreast_look(d->consumer, d->config->tasks_topic, &d->plan, d->partitions, d->partition_count);
    for (size_t i = 0; i < d->partition_count; i++)
        if (!d->partitions[i].broken && !d->partitions[i].behind)
            plan_due(&d->plan, &d->partitions[i], DUE_MAX);
    plan_turns_of(d);
}

static bool anything_touched(const struct dispatch *d)
{
    for (size_t i = 0; i < d->partition_count; i++)
        if (d->partitions[i].touched)
            return true;
    return false;
}

/* Before partitions are given up: wait for calls under way and commit what came of them, so that the
 * next owner finds no attempt in doubt.  Nothing new is begun. */
static void drain(struct dispatch *d)
{
    int64_t until_ms = clock_mono_ms() + DRAIN_MS;
    struct err err = {0};

    plan_clear(&d->plan);
    while (flights_under_way(d->flights) != 0 && clock_mono_ms() < until_ms) {
        flights_wait(d->flights, FLIGHT_WAIT_MS);
        flights_collect(d->flights, d->plan.real_ms);
    }
    if (flights_ended(d->flights, NULL) == NULL || d->producer == NULL || d->fatal)
        return;
    set_clocks(d);
    plan_calls(d);
    if (anything_touched(d) && transact(d, &err) == ERR_NONE)
        keep(d);
    else if (err.code != ERR_NONE)
        log_warn(PART, "what the last calls said was not committed", LOG_TEXT("why", err.text),
                 LOG_END);
    plan_clear(&d->plan);
}

/* How long to wait for records: not beyond the first entry that becomes due, or whose turn comes;
 * where records must come first, that is what to wait for. */
static int wait_ms(const struct dispatch *d, int timeout_ms)
{
    int64_t real_ms = d->config->clock_ms != NULL ? d->config->clock_ms() : clock_wall_ms();
    int64_t until_ms = real_ms + timeout_ms;

    for (size_t i = 0; i < d->partition_count; i++) {
        const struct partition *p = &d->partitions[i];
        int64_t turn_ms = plan_turn_ms(&d->plan, p), due_ms = ledger_due_ms(p->ledger);
        if (p->broken)
            continue;
        until_ms = p->adopt_ms < until_ms ? p->adopt_ms : until_ms;
        if (p->behind)
            continue;
        until_ms = turn_ms < until_ms ? turn_ms : until_ms;
        if (d->config->clock_ms != NULL && due_ms < until_ms)
            until_ms = due_ms;
    }
    return until_ms > real_ms ? (int)(until_ms - real_ms) : 0;
}

/* Wait for records, or for a call that ends.  There is no waiting for both: short turns. */
static enum err_code poll_records(struct dispatch *d, int timeout_ms, size_t *count,
                                  struct err *err)
{
    bool calling = flights_under_way(d->flights) != 0 || flights_ended(d->flights, NULL) != NULL;
    enum err_code code;

    timeout_ms = wait_ms(d, timeout_ms);
    code = kafka_consumer_poll(d->consumer, calling ? 0 : timeout_ms, d->records,
                               suspects_records(d->suspects, RECORDS_MAX, 1), count, err);
    if (code == ERR_NONE && calling && *count == 0)
        flights_wait(d->flights, timeout_ms < FLIGHT_WAIT_MS ? timeout_ms : FLIGHT_WAIT_MS);
    return code;
}

/* An error of one partition is final for it when what it should read is gone: nothing is guessed,
 * nothing skipped.  Any other means that the whole client should start again. */
static enum err_code poll_failed(struct dispatch *d, enum err_code code, struct err *err)
{
    const char *topic;
    int32_t number;

    if (code != ERR_STATE || !kafka_consumer_fault(d->consumer, &topic, &number))
        return rejoin(d, code, err);
    d->stuck = true;
    log_error(PART, "a partition stands still: what it should read next is not in the log",
              LOG_TEXT("topic", topic), LOG_INT("partition", number), LOG_TEXT("why", err->text),
              LOG_END);
    return code;
}

static void look_for_lacking(struct dispatch *d)
{
    if (clock_mono_ms() < d->lacking_mono_ms)
        return;
    d->lacking_mono_ms = clock_mono_ms() + LACKING_EVERY_MS;
    d->lacking = (struct err){0};
    for (size_t i = 0; i < d->partition_count; i++)
        lacking_look(d->config, d->consumer, &d->partitions[i], &d->lacking);
}

static void report_readiness(struct dispatch *d)
{
    size_t stopped = 0, broken = 0;

    for (size_t i = 0; i < d->partition_count; i++) {
        stopped += sources_stopped(d->partitions[i].sources);
        broken += d->partitions[i].broken;
    }
    if (broken != 0)
        readiness_set(PART, false, "the ledger of a partition cannot be read: see the log");
    else if (d->stuck)
        readiness_set(PART, false, "a partition stands still: see the log");
    else if (stopped != 0)
        readiness_set(PART, false, "a source is stopped, its chain is broken: see the log");
    else
        readiness_set(PART, d->lacking.code == ERR_NONE, d->lacking.text);
}

static enum err_code round_of(struct dispatch *d, int timeout_ms, struct err *err)
{
    size_t count;
    enum err_code code = poll_records(d, timeout_ms, &count, err);

    if (d->trouble.code != ERR_NONE) {
        kafka_consumer_release(d->consumer);
        *err = d->trouble;
        return rejoin(d, err->code, err);
    }
    if (code != ERR_NONE)
        return poll_failed(d, code, err);
    code = suspects_look(d->suspects, d->consumer, err);
    if (code != ERR_NONE) {
        kafka_consumer_release(d->consumer);
        return rejoin(d, code, err);
    }
    d->rejoin_pause_ms = 0;
    show_more(d);
    suspects_begin(d->suspects, d->consumer, d->records, count);
    plan_round(d, count);
    suspects_end(d->suspects);
    if (anything_touched(d))
        code = finish(d, err);
    else
        begin_calls(d);
    if (code == ERR_NONE)
        look_for_lacking(d);
    report_readiness(d);
    if (d->consumer != NULL)
        kafka_consumer_release(d->consumer);
    plan_clear(&d->plan);
    return code;
}

enum err_code dispatch_poll(struct dispatch *d, int timeout_ms, struct err *err)
{
    struct err own = {0};
    enum err_code code = ERR_NONE;

    if (err == NULL)
        err = &own;
    if (d->consumer == NULL) {
        clock_sleep_ms(d->rejoin_pause_ms < timeout_ms ? d->rejoin_pause_ms : timeout_ms);
        code = join(d, err);
        if (code != ERR_NONE)
            return rejoin(d, code, err);
    }
    return round_of(d, timeout_ms, err);
}

/* --- life ------------------------------------------------------------------------------------ */

/* The ledger of a task lies in the partition of the same number. */
static enum err_code check_topics(const struct dispatch_config *c, struct err *err)
{
    const char *const names[] = {c->tasks_topic, c->ledger_topic, c->outcomes_topic};
    int partitions[3];

    for (size_t i = 0; i < 3; i++) {
        enum err_code code = kafka_topic_partitions(&c->kafka, names[i], &partitions[i], err);
        if (code != ERR_NONE)
            return code;
        if (partitions[i] == 0)
            return err_set(err, ERR_CONFIG,
                           "topic %s is not there (attent topics prints how to"
                           " create it)",
                           names[i]);
    }
    if (partitions[0] != partitions[1])
        return err_set(err, ERR_CONFIG,
                       "topic %s has %d partitions and %s has %d: they must have"
                       " as many",
                       names[0], partitions[0], names[1], partitions[1]);
    return ERR_NONE;
}

enum err_code dispatch_open(const struct dispatch_config *config, struct dispatch **out,
                            struct err *err)
{
    struct dispatch *d = MEM_NEW(struct dispatch);
    uint64_t seed;
    enum err_code code;

    *out = NULL;
    readiness_set(PART, false, "starting");
    d->config = config;
    d->rules = (struct plan_rules){.ledger_topic = config->ledger_topic,
                                   .outcomes_topic = config->outcomes_topic,
                                   .dlq_topic = config->dlq_topic,
                                   .keep_ms = config->keep_ms,
                                   .retry_ms = config->retry_ms,
                                   .time_is_log = config->clock_ms == NULL,
                                   .rng = &d->rng,
                                   .topic_is_there = topic_is_there,
                                   .watch = watch,
                                   .context = d};
    rng_system(&seed, sizeof seed);
    d->rng = rng_seeded(seed);
    plan_open(&d->plan, &d->rules);
    d->topics = queue_topics_new();
    d->suspects = suspects_new(&(struct suspects_config){.skips = config->skips,
                                                         .rules_topic = config->rules_topic,
                                                         .part = PART,
                                                         .topics = &config->tasks_topic,
                                                         .topic_count = 1,
                                                         .in_hand_max = RECORDS_MAX,
                                                         .careful_ms = CAREFUL_MS});
    d->records = MEM_NEW_ARRAY(struct record, RECORDS_MAX);
    code = channels_open(config->channels, config->channel_count, &d->channels, err);
    if (code == ERR_NONE) {
        d->rules.channels = d->channels;
        d->flights = flights_open(d->channels, config->links);
        code = check_topics(config, err);
    }
    if (code == ERR_NONE)
        code = join(d, err);
    if (code != ERR_NONE) {
        dispatch_close(d);
        return code;
    }
    *out = d;
    return ERR_NONE;
}

const struct dispatch_counters *dispatch_counters(const struct dispatch *d)
{
    return &d->counters;
}

void dispatch_close(struct dispatch *d)
{
    if (d == NULL)
        return;
    leave(d);
    flights_close(d->flights);
    kafka_producer_close(d->producer);
    plan_close(&d->plan);
    mem_free(d->records);
    showing_free(&d->showing);
    queue_topics_free(d->topics);
    suspects_free(d->suspects);
    channels_close(d->channels);
    mem_free(d);
}
