/* A producer: connectors/kafka/producer.c over the model's lanes.
 */
#include <stdlib.h>

#include "core/hash.h"
#include "schemas/control.h"
#include "tests/sim/kafka_clients.h"

enum {
    SETTLE_MS = 60000,
    TRANSACTION_MS = 10000,
    MESSAGE_BYTES_MAX = 1000000,
    GATHER_US = 100, /* what is queued within it goes together */
};

/* --- open and close ---------------------------------------------------------------------------- */

static enum err_code init_transactions(struct kafka_producer *p, struct err *err)
{
    int64_t until_us = model_now_us() + (int64_t)SETTLE_MS * MS;
    struct question q;

    while (model_now_us() < until_us) {
        enum answer answer = ANSWER_AGAIN;

        if (question_arrives(&q, "init producer", CLIENT_TIMEOUT_MS)) {
            answer = txn_init(p->txn, p->transaction_timeout_us);
            p->epoch = p->txn->epoch;
        }
        if (question_is_answered(&q) && answer == ANSWER_OK)
            return ERR_NONE;
        wait_until_us(model_now_us() + 2 * MS);
    }
    return answer_down(err, "init transactions");
}

static size_t property_of(const struct kafka_settings *settings, const char *name, size_t otherwise)
{
    for (size_t i = 0; i < settings->property_count; i++)
        if (strcmp(settings->properties[i].name, name) == 0)
            return strtoul(settings->properties[i].value, NULL, 10);
    return otherwise;
}

enum err_code kafka_producer_open(const struct kafka_settings *settings,
                                  const char *transactional_id, struct kafka_producer **out,
                                  struct err *err)
{
    struct kafka_producer *p = MODEL_NEW(struct kafka_producer);
    enum err_code code;

    *out = NULL;
    cluster_advance();
    p->process = sim_self();
    p->fd = sim_fd_new();
    p->message_bytes_max = property_of(settings, "message.max.bytes", MESSAGE_BYTES_MAX);
    p->transaction_timeout_us =
        (int64_t)property_of(settings, "transaction.timeout.ms", TRANSACTION_MS) * MS;
    MODEL_RESERVE(cluster->producers, cluster->producer_count, cluster->producer_capacity);
    cluster->producers[cluster->producer_count++] = p;
    if (transactional_id == NULL) {
        p->producer_id = cluster->next_producer_id++;
        *out = p;
        return ERR_NONE;
    }
    p->txn = txn_of(str_of(transactional_id));
    p->producer_id = p->txn->producer_id;
    code = init_transactions(p, err);
    if (code == ERR_NONE)
        *out = p;
    else
        kafka_producer_close(p);
    return code;
}

void kafka_producer_close(struct kafka_producer *p)
{
    if (p == NULL)
        return;
    if (p->outstanding > 0)
        producer_purge(p);
    p->dead = true;
    for (size_t i = 0; i < cluster->producer_count; i++)
        if (cluster->producers[i] == p)
            cluster->producers[i] = cluster->producers[--cluster->producer_count];
}

/* --- records ----------------------------------------------------------------------------------- */

static struct lane *lane_of(struct kafka_producer *p, struct str topic, int32_t partition)
{
    struct lane *lane;

    for (size_t i = 0; i < p->lane_count; i++)
        if (p->lanes[i]->partition == partition && str_equal(p->lanes[i]->topic, topic))
            return p->lanes[i];
    lane = MODEL_NEW(struct lane);
    lane->topic = model_copy(topic);
    lane->partition = partition;
    MODEL_RESERVE(p->lanes, p->lane_count, p->lane_capacity);
    return p->lanes[p->lane_count++] = lane;
}

static int32_t choose_partition(const struct record *record)
{
    const struct topic *t = record->partition < 0 ? topic_find(record->topic) : NULL;

    if (t == NULL)
        return record->partition;
    if (record->key.data == NULL)
        return (int32_t)rng_below(sim_rng(), (uint64_t)t->partitions);
    return hash_kafka_partition(record->key, t->partitions);
}

/* A rule of the protocol that only the log's keeper sees: who writes a tick has read all that lies
 * before it. */
static void check_tick(const struct kafka_producer *p, const struct record *record)
{
    if (!str_is(record_header(record, STR(CONTROL_HEADER)), CONTROL_TICK))
        return;
    for (size_t i = 0; i < cluster->consumer_count; i++) {
        const struct kafka_consumer *c = cluster->consumers[i];

        for (size_t k = 0; k < c->slot_count && c->process == p->process; k++)
            if (c->slots[k].partition == record->partition &&
                str_equal(c->slots[k].topic, record->topic) && !c->slots[k].at_end)
                sim_broken("a tick was written to %.*s/%d by who had not read all of it",
                           STR_ARG(record->topic), record->partition);
    }
}

static enum err_code refuse(struct kafka_producer *p, const struct record *record,
                            enum err_code code, struct err *err)
{
    err_set(&p->failure, code, "record of %zu bytes for %.*s/%d: refused", record->value.len,
            STR_ARG(record->topic), record->partition);
    return err_set(err, p->failure.code, "%s", p->failure.text);
}

enum err_code kafka_produce_counted(struct kafka_producer *p, const struct record *record,
                                    struct kafka_receipt *receipt, struct err *err)
{
    struct message *m;
    struct lane *lane;

    cluster_advance();
    check_tick(p, record);
    if (record->key.len + record->value.len > p->message_bytes_max)
        return refuse(p, record, ERR_LIMIT, err);
    if (p->state == PRODUCER_FATAL || (p->txn != NULL && p->state != PRODUCER_OPEN))
        return refuse(p, record, ERR_KAFKA, err);
    m = MODEL_NEW(struct message);
    lane = lane_of(p, record->topic, choose_partition(record));
    m->record = model_copy_record(record);
    if (m->record.timestamp_ms == 0)
        m->record.timestamp_ms = model_now_us() / MS;
    m->receipt = receipt;
    m->queued_us = model_now_us();
    m->number = p->numbers++;
    if (lane->first == NULL)
        lane->first = m;
    else
        lane->last->next = m;
    lane->last = m;
    p->outstanding++;
    if (receipt != NULL)
        receipt->outstanding++;
    producer_pump_at(p, m->queued_us + GATHER_US);
    return ERR_NONE;
}

enum err_code kafka_produce(struct kafka_producer *p, const struct record *record, struct err *err)
{
    return kafka_produce_counted(p, record, NULL, err);
}

struct kafka_receipt *kafka_receipt_new(void)
{
    return MODEL_NEW(struct kafka_receipt);
}

bool kafka_receipt_is_complete(const struct kafka_receipt *receipt)
{
    CHECK(!receipt->dropped);
    return receipt->outstanding == 0 && receipt->refused == 0;
}

void kafka_receipt_drop(struct kafka_receipt *receipt)
{
    if (receipt == NULL)
        return;
    CHECK(!receipt->dropped);
    receipt->dropped = true;
}

int kafka_producer_fd(const struct kafka_producer *p)
{
    return p->fd;
}

/* --- acknowledgements ---------------------------------------------------------------------------- */

enum err_code producer_settle(struct kafka_producer *p, int timeout_ms)
{
    int64_t until_us = model_now_us() + (int64_t)timeout_ms * MS, next_us;

    for (;;) {
        producer_hear(p);
        if (p->outstanding == 0 || p->failure.code != ERR_NONE || model_now_us() >= until_us)
            break;
        next_us = model_now_us() + 1000 * MS; /* something may have waited for too long */
        if (cluster->heap_count > 0 && cluster->heap[0].at_us < next_us)
            next_us = cluster->heap[0].at_us;
        wait_until_us(next_us < until_us ? next_us : until_us);
    }
    if (p->outstanding > 0 && p->failure.code == ERR_NONE)
        err_set(&p->failure, ERR_DOWN, "%zu records were not acknowledged in %d ms", p->outstanding,
                timeout_ms);
    return p->failure.code;
}

static enum err_code conclude(struct kafka_producer *p, bool *fatal, bool *out_of_order,
                              struct err *err)
{
    enum err_code code = ERR_NONE;
    bool dead = false, lost = false;

    if (p->failure.code != ERR_NONE) {
        producer_purge(p);
        dead = p->state == PRODUCER_FATAL || p->txn == NULL || p->outstanding > 0;
        lost = p->out_of_order;
        if (p->state == PRODUCER_FATAL)
            p->failure.code = p->fatal;
        code = err_set(err, p->failure.code, "%s", p->failure.text);
        p->failure = (struct err){0};
    }
    if (fatal != NULL)
        *fatal = dead;
    if (out_of_order != NULL)
        *out_of_order = lost;
    return code;
}

enum err_code kafka_flush(struct kafka_producer *p, int timeout_ms, bool *fatal, bool *out_of_order,
                          struct err *err)
{
    producer_settle(p, timeout_ms);
    return conclude(p, fatal, out_of_order, err);
}

enum err_code kafka_hear(struct kafka_producer *p, bool *fatal, bool *out_of_order, struct err *err)
{
    producer_hear(p);
    return conclude(p, fatal, out_of_order, err);
}
