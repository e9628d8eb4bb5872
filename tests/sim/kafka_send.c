/* The sending thread of a producer: messages of a lane become batches with sequence numbers, up to
 * five are on their way, and what comes back is sorted out as librdkafka does it.
 *
 *     lane ---pump---> in flight ---arrives---> log ---answered---> reports ---hear---> receipts
 *       ^------------------------------------------------'  out of order: again, with a new epoch
 */
#include <stdio.h>

#include "tests/sim/kafka_clients.h"

enum { DELIVERY_TIMEOUT_MS = 10000, BATCH_BYTES = 900000, AGAIN_MS = 100 };

static void pump(void *what);

void producer_pump_at(struct kafka_producer *p, int64_t at_us)
{
    if (p->pump_due || p->dead)
        return;
    p->pump_due = true;
    cluster_at(at_us, pump, p);
}

void producer_fail(struct kafka_producer *p, enum err_code code)
{
    p->state = PRODUCER_FATAL;
    p->fatal = code;
    cluster_wake(p->process);
}

void producer_renumber(struct kafka_producer *p, int16_t epoch)
{
    p->epoch = epoch;
    p->bump = p->draining = false;
    for (size_t i = 0; i < p->lane_count; i++)
        p->lanes[i]->next_sequence = p->lanes[i]->next_acknowledged = 0;
}

/* --- reports ----------------------------------------------------------------------------------- */

static void report(struct batch *b)
{
    struct kafka_producer *p = b->producer;

    b->done = true;
    b->next = NULL;
    if (p->reports == NULL)
        p->reports = b;
    else
        p->last_report->next = b;
    p->last_report = b;
    cluster_wake(p->process);
}

static void report_one(struct lane *lane, struct message *m, struct kafka_producer *p,
                       enum answer answer)
{
    struct batch *b = MODEL_NEW(struct batch);

    b->producer = p;
    b->lane = lane;
    b->messages = model_alloc(sizeof *b->messages);
    b->messages[0] = m;
    b->count = 1;
    b->answer = answer;
    report(b);
}

static struct message *take_message(struct lane *lane)
{
    struct message *m = lane->first;

    lane->first = m->next;
    if (lane->first == NULL)
        lane->last = NULL;
    return m;
}

/* What has waited for too long is refused. */
static void drop_old(struct kafka_producer *p)
{
    int64_t oldest_us = model_now_us() - (int64_t)DELIVERY_TIMEOUT_MS * MS;

    for (size_t i = 0; i < p->lane_count; i++)
        while (p->lanes[i]->first != NULL && p->lanes[i]->first->queued_us <= oldest_us)
            report_one(p->lanes[i], take_message(p->lanes[i]), p, ANSWER_DOWN);
    for (size_t i = 0; i < p->flight_count;) {
        struct batch *b = p->flights[i];

        if (b->messages[0]->queued_us > oldest_us) {
            i++;
            continue;
        }
        memmove(&p->flights[i], &p->flights[i + 1], (--p->flight_count - i) * sizeof p->flights[0]);
        p->bump = p->draining = true;
        b->answer = ANSWER_DOWN;
        report(b);
    }
}

/* --- what comes back --------------------------------------------------------------------------- */

/* Back to its place in the lane, which is in the order of numbers. */
static void requeue(struct batch *b)
{
    struct lane *lane = b->lane;
    struct message **at = &lane->first;

    while (*at != NULL && (*at)->number < b->messages[0]->number)
        at = &(*at)->next;
    for (size_t i = b->count; i > 0; i--) {
        b->messages[i - 1]->next = *at;
        *at = b->messages[i - 1];
    }
    for (lane->last = lane->first; lane->last->next != NULL;)
        lane->last = lane->last->next;
}

static void spoil(struct kafka_producer *p)
{
    p->bump = true;
    if (p->txn == NULL)
        p->draining = true;
    else if (p->state == PRODUCER_OPEN)
        p->state = PRODUCER_ABORTABLE;
}

static void sort_out(struct batch *b)
{
    struct kafka_producer *p = b->producer;

    switch ((int)b->answer) {
    case ANSWER_OK: b->lane->next_acknowledged = b->head.first_sequence + (int32_t)b->count; break;
    case ANSWER_OUT_OF_ORDER:
        if (b->head.first_sequence > b->lane->next_acknowledged) {
            spoil(p);
            requeue(b);
            return;
        }
        p->out_of_order = b->head.first_sequence == b->lane->next_acknowledged;
        producer_fail(p, ERR_KAFKA);
        break;
    case ANSWER_OLD_EPOCH: producer_fail(p, ERR_KAFKA); break;
    default: spoil(p); break;
    }
    report(b);
}

static void is_answered(void *what)
{
    struct batch *b = what;
    struct kafka_producer *p = b->producer;
    size_t at = 0;

    if (p->dead || b->done)
        return;
    while (at < p->flight_count && p->flights[at] != b)
        at++;
    if (at == p->flight_count)
        return;
    memmove(&p->flights[at], &p->flights[at + 1], (--p->flight_count - at) * sizeof p->flights[0]);
    sort_out(b);
    pump(p);
}

/* --- at the broker ----------------------------------------------------------------------------- */

static void arrives(void *what);

static void send_at(struct batch *b, int64_t at_us)
{
    struct kafka_producer *p = b->producer;

    p->wire_us = at_us > p->wire_us ? at_us : p->wire_us;
    b->next_us = p->wire_us;
    cluster_at(b->next_us, arrives, b);
}

static void answer_at(struct batch *b, int64_t at_us)
{
    struct kafka_producer *p = b->producer;

    p->back_us = at_us > p->back_us ? at_us : p->back_us;
    b->next_us = p->back_us;
    cluster_at(b->next_us, is_answered, b);
}

static bool is_in_transaction(const struct batch *b)
{
    const struct txn *t = b->producer->txn;

    if (t->epoch != b->head.epoch || t->state != TXN_OPEN)
        return false;
    for (size_t i = 0; i < t->log_count; i++)
        if (t->logs[i] == b->log)
            return true;
    return false;
}

static enum answer append(struct batch *b)
{
    int64_t offset;

    if (b->head.in_transaction && !is_in_transaction(b))
        return ANSWER_OLD_EPOCH;
    if (sim_strikes(SIM_REFUSED, "produce"))
        return ANSWER_INVALID;
    return log_append(b->log, &b->head, b->records, b->count, &offset);
}

/* The connection breaks, and the client asks again; or nothing is heard any more. */
static void lose_answer(struct batch *b)
{
    if (rng_below(sim_rng(), 4) > 0) {
        b->again = true;
        send_at(b, model_now_us() + draw_us(20 * MS, 1000 * MS));
        return;
    }
    b->next_us = NEVER_US;
}

static void strike_broker(int64_t until_us)
{
    if (rng_below(sim_rng(), 4) == 0)
        kafka_model_disk_full(until_us);
    else
        kafka_model_broker_gone(until_us);
}

static void arrives(void *what)
{
    struct batch *b = what;
    int64_t now_us = model_now_us();

    if (b->again && (b->producer->dead || b->done))
        return; /* there is nobody who would send it again */
    if (!cluster_is_gone() && sim_strikes(SIM_BROKER_GONE, "produce"))
        strike_broker(now_us + draw_us(100 * MS, 15000 * MS));
    if (cluster_is_gone() || cluster_is_full()) {
        b->again = true;
        send_at(b,
                cluster_is_gone() ? cluster->gone_until_us + latency_us() : now_us + AGAIN_MS * MS);
        return;
    }
    b->answer = append(b);
    if (b->answer == ANSWER_OK && sim_strikes(SIM_ANSWER_LOST, "produce"))
        lose_answer(b);
    else if (sim_strikes(SIM_ANSWER_LATE, "produce"))
        answer_at(b, now_us + draw_us(50 * MS, 5000 * MS));
    else
        answer_at(b, now_us + latency_us());
}

/* --- pump -------------------------------------------------------------------------------------- */

static size_t batch_size(const struct lane *lane)
{
    size_t count = 0, bytes = 0;

    for (const struct message *m = lane->first; m != NULL; m = m->next) {
        bytes += m->record.key.len + m->record.value.len;
        if (count > 0 && bytes > BATCH_BYTES)
            break;
        count++;
    }
    return rng_below(sim_rng(), 2) == 0 ? count : 1 + (size_t)rng_below(sim_rng(), count);
}

static void send_batch(struct kafka_producer *p, struct lane *lane, struct log *log)
{
    struct batch *b = MODEL_NEW(struct batch);

    b->producer = p;
    b->lane = lane;
    b->log = log;
    b->count = batch_size(lane);
    b->messages = model_alloc(b->count * sizeof *b->messages);
    b->records = model_alloc(b->count * sizeof *b->records);
    for (size_t i = 0; i < b->count; i++) {
        b->messages[i] = take_message(lane);
        b->records[i] = &b->messages[i]->record;
    }
    b->head = (struct batch_head){p->producer_id, p->epoch, lane->next_sequence, p->txn != NULL};
    lane->next_sequence += (int32_t)b->count;
    p->flights[p->flight_count++] = b;
    send_at(b, model_now_us() + latency_us());
}

/* A topic that is not there may come; a partition of it will not. */
static struct log *target(struct kafka_producer *p, struct lane *lane)
{
    struct log *log = log_find(lane->topic, lane->partition);

    while (log == NULL && lane->first != NULL && topic_find(lane->topic) != NULL)
        report_one(lane, take_message(lane), p, ANSWER_UNKNOWN);
    return log;
}

static void add_logs(void *what)
{
    struct kafka_producer *p = what;

    p->adding = false;
    if (p->dead || p->state != PRODUCER_OPEN)
        return;
    for (size_t i = 0; i < p->lane_count; i++) {
        struct lane *lane = p->lanes[i];
        struct log *log = lane->first != NULL && !lane->added ? target(p, lane) : NULL;
        enum answer answer;

        if (log == NULL)
            continue;
        answer = cluster_is_gone() ? ANSWER_AGAIN : txn_add_log(p->txn, p->epoch, log);
        if (answer == ANSWER_OLD_EPOCH) {
            producer_fail(p, ERR_KAFKA);
            break;
        }
        lane->added = answer == ANSWER_OK;
        p->touched |= lane->added;
    }
    pump(p);
}

static void pump_lanes(struct kafka_producer *p)
{
    for (size_t i = 0; i < p->lane_count; i++) {
        struct lane *lane = p->lanes[i];

        while (lane->first != NULL && p->flight_count < IN_FLIGHT_MAX) {
            struct log *log = target(p, lane);

            /* A partition takes any first number of a producer that it has not heard of: as
             * connectors/kafka/producer.c does, nothing follows before the first is there. */
            if (log == NULL || (lane->next_sequence > 0 && lane->next_acknowledged == 0))
                break;
            if (p->txn != NULL && !lane->added) {
                if (!p->adding)
                    cluster_at(model_now_us() + 2 * latency_us(), add_logs, p);
                p->adding = true;
                break;
            }
            send_batch(p, lane, log);
        }
    }
}

/* A new epoch, once nothing is under way with the old one. */
static void begin_anew(void *what)
{
    struct kafka_producer *p = what;

    if (p->dead || !p->draining)
        return;
    p->draining = false;
    producer_renumber(p, (int16_t)(p->epoch + 1));
    pump(p);
}

static void fail_queued(struct kafka_producer *p)
{
    for (size_t i = 0; i < p->lane_count; i++)
        while (p->lanes[i]->first != NULL)
            report_one(p->lanes[i], take_message(p->lanes[i]), p, ANSWER_OLD_EPOCH);
}

static void pump(void *what)
{
    struct kafka_producer *p = what;

    p->pump_due = false;
    if (p->dead)
        return;
    if (p->state == PRODUCER_FATAL) {
        fail_queued(p);
        return;
    }
    drop_old(p);
    if (p->txn != NULL && p->state != PRODUCER_OPEN)
        return;
    if (cluster_is_gone())
        producer_pump_at(p, cluster->gone_until_us + latency_us());
    else if (p->draining && p->flight_count == 0 && p->txn == NULL)
        cluster_at(model_now_us() + 2 * latency_us(), begin_anew, p);
    else if (!p->draining)
        pump_lanes(p);
}

/* --- for who waits ----------------------------------------------------------------------------- */

int64_t producer_next_us(const struct kafka_producer *p)
{
    int64_t next_us = NEVER_US;

    if (p->reports != NULL)
        return 0;
    for (size_t i = 0; i < p->flight_count; i++)
        if (p->flights[i]->next_us < next_us)
            next_us = p->flights[i]->next_us;
    if (p->outstanding > 0 && cluster->heap_count > 0 && next_us == NEVER_US)
        next_us = cluster->heap[0].at_us;
    return next_us;
}

static const char *words(enum answer answer)
{
    switch ((int)answer) {
    case ANSWER_TOO_LARGE: return "too large";
    case ANSWER_DOWN: return "timed out";
    case ANSWER_UNKNOWN: return "unknown topic or partition";
    case ANSWER_OLD_EPOCH: return "fenced";
    case ANSWER_OUT_OF_ORDER: return "out of order sequence number";
    default: return "invalid record";
    }
}

static void hear_batch(struct kafka_producer *p, const struct batch *b)
{
    enum err_code code = b->answer == ANSWER_TOO_LARGE ? ERR_LIMIT
                         : b->answer == ANSWER_DOWN    ? ERR_DOWN
                                                       : ERR_KAFKA;

    for (size_t i = 0; i < b->count; i++) {
        struct kafka_receipt *receipt = b->messages[i]->receipt;

        CHECK(p->outstanding > 0);
        p->outstanding--;
        if (receipt == NULL)
            continue;
        CHECK(receipt->outstanding > 0);
        receipt->outstanding--;
        receipt->refused += b->answer != ANSWER_OK;
    }
    if (b->answer != ANSWER_OK && p->failure.code == ERR_NONE)
        err_set(&p->failure, code, "record for %s/%d was not taken: %s", b->lane->topic.data,
                b->lane->partition, words(b->answer));
}

void producer_hear(struct kafka_producer *p)
{
    cluster_advance();
    drop_old(p);
    while (p->reports != NULL) {
        struct batch *b = p->reports;

        p->reports = b->next;
        hear_batch(p, b);
    }
}

/* What is queued is dropped; what is on its way may arrive, and nobody hears of it. */
void producer_purge(struct kafka_producer *p)
{
    struct err first;

    producer_hear(p);
    first = p->failure;
    fail_queued(p);
    for (size_t i = 0; i < p->flight_count; i++) {
        struct batch *b = p->flights[i];

        p->bump = true;
        b->answer = ANSWER_INVALID;
        report(b);
    }
    p->flight_count = 0;
    producer_hear(p);
    p->failure = first;
}
