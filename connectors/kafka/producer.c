/* Acknowledgement by counting: every record queued gets one delivery report, in the thread that
 * polls; a flush is over when none is outstanding.  A receipt counts those of some records; it travels
 * with them as their opaque pointer, so it is freed by whoever is last, its owner or the last report.
 * (Without a report callback this librdkafka lets commit_transaction poll in steps of 10 ms.)
 *
 * A partition that has never heard of a producer takes any number of it.  Were two batches under way to
 * it and the first refused for a moment (disk full, another leader), the second would be taken,
 * and librdkafka would count both as acknowledged.  So the first record of a producer to a partition
 * travels alone.  In a transaction the broker looks at that by itself.
 *
 * After a failure the numbers that an idempotent producer has given to records are no longer
 * those that the broker expects.  librdkafka can mend that, but a new producer is simpler and
 * does the same; a late record of the old one is a repeat that readers drop.  A transactional
 * producer mends it by its abort.
 */
#include "connectors/kafka/producer_parts.h"

#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/check.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"

enum {
    FLUSH_SLICE_MS = 100,    /* how late a flush hears that a record was refused */
    PARTITIONS_MAX = 100000, /* of a topic; a record for one beyond is refused anyway */
};

enum acquaintance { STRANGER, FIRST_ON_ITS_WAY, ACQUAINTED };

struct kafka_receipt {
    size_t outstanding, refused;
    bool dropped;
};

/* A refused batch would be refused for ever, so ours stay below the 1,048,588 bytes that a topic
 * takes unless told otherwise. */
static const struct kafka_property defaults[] = {
    {"enable.idempotence", "true"},
    {"partitioner", "murmur2_random"},
    {"linger.ms", "0"},
    {"message.timeout.ms", "10000"},
    {"message.max.bytes", "1000000"},
    {"batch.size", "900000"},
    {"queue.buffering.max.messages", "1000000"},
    {"queue.buffering.max.kbytes", "262144"},
};

/* CONCURRENT_TRANSACTIONS is answered while the broker still writes the markers of the transaction
 * before: ask again soon.  A crash in an open transaction holds back readers for its time-out.
 * Records wait for the flush that begins the commit: this librdkafka has one request of a partition
 * under way, and its thread asks without a pause whether the next may go while any record is due. */
static const struct kafka_property transactional[] = {
    {"retry.backoff.ms", "2"},
    {"transaction.timeout.ms", "10000"},
    {"linger.ms", "1000"},
};
enum { TRANSACTIONAL_COUNT = sizeof transactional / sizeof transactional[0] };

static enum err_code refusal(rd_kafka_resp_err_t error)
{
    if (error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
        return ERR_LIMIT;
    return error == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT ? ERR_DOWN : client_err_code(error);
}

static void count_report(struct kafka_receipt *receipt, bool acknowledged)
{
    if (receipt == NULL)
        return;
    CHECK(receipt->outstanding > 0);
    receipt->outstanding--;
    receipt->refused += !acknowledged;
    if (receipt->outstanding == 0 && receipt->dropped)
        mem_free(receipt);
}

/* The first record to a partition was acknowledged: others may follow. */
static void make_known(struct kafka_producer *p, const rd_kafka_message_t *m)
{
    for (size_t i = 0; i < p->topic_count; i++) {
        struct topic_handle *t = &p->topics[i];

        if (m->partition < 0 || (size_t)m->partition >= t->known_count ||
            t->known[m->partition] != FIRST_ON_ITS_WAY ||
            strcmp(t->name, rd_kafka_topic_name(m->rkt)) != 0)
            continue;
        t->known[m->partition] = ACQUAINTED;
        p->firsts--;
    }
}

static bool is_purge(rd_kafka_resp_err_t error)
{
    return error == RD_KAFKA_RESP_ERR__PURGE_QUEUE || error == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
}

/* What was dropped because another record failed may be reported before that one. */
static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    struct kafka_producer *p = opaque;

    (void)rk;
    CHECK(p->outstanding > 0);
    p->outstanding--;
    if (p->firsts > 0 && m->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        make_known(p, m);
    count_report(m->_private, m->err == RD_KAFKA_RESP_ERR_NO_ERROR);
    if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR ||
        (p->failure.code != ERR_NONE && !(p->failure_is_purge && !is_purge(m->err))))
        return;
    p->failure_is_purge = is_purge(m->err);
    err_set(&p->failure, refusal(m->err), "record for %s/%d was not taken: %s",
            rd_kafka_topic_name(m->rkt), m->partition, rd_kafka_err2str(m->err));
}

static void on_error(rd_kafka_t *rk, int error, const char *reason, void *opaque)
{
    (void)opaque;
    log_warn("kafka", error == RD_KAFKA_RESP_ERR__FATAL ? "fatal" : "trouble that may pass",
             LOG_TEXT("client", rd_kafka_name(rk)), LOG_TEXT("reason", reason), LOG_END);
}

/* --- open and close ------------------------------------------------------------------------------- */

enum err_code kafka_producer_open(const struct kafka_settings *settings,
                                  const char *transactional_id, struct kafka_producer **out,
                                  struct err *err)
{
    struct kafka_producer *p = MEM_NEW(struct kafka_producer);
    rd_kafka_conf_t *conf =
        client_conf(settings, defaults, sizeof defaults / sizeof defaults[0], err);
    static const uint64_t one = 1;
    enum err_code code = ERR_CONFIG;

    *out = NULL;
    p->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    CHECK(p->wake >= 0);
    p->transactional = transactional_id != NULL;
    if (conf != NULL) {
        for (size_t i = 0; p->transactional && i < TRANSACTIONAL_COUNT; i++)
            client_conf_set(conf, transactional[i].name, transactional[i].value);
        if (p->transactional)
            client_conf_set(conf, "transactional.id", transactional_id);
        rd_kafka_conf_set_opaque(conf, p);
        rd_kafka_conf_set_dr_msg_cb(conf, on_report);
        rd_kafka_conf_set_error_cb(conf, on_error);
        p->rk = client_new(RD_KAFKA_PRODUCER, conf, err);
    }
    if (p->rk != NULL) {
        rd_kafka_queue_io_event_enable(p->reports = rd_kafka_queue_get_main(p->rk), p->wake, &one,
                                       sizeof one);
        code = p->transactional ? producer_init_transactions(p, err) : ERR_NONE;
    }
    if (code != ERR_NONE) {
        kafka_producer_close(p);
        return code;
    }
    *out = p;
    return ERR_NONE;
}

/* Drop what is queued or on its way, and hear the reports about it. */
static void purge(struct kafka_producer *p)
{
    int64_t until_ms = clock_mono_ms() + PRODUCER_PURGE_MS;

    rd_kafka_purge(p->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    while (p->outstanding > 0 && clock_mono_ms() < until_ms)
        rd_kafka_poll(p->rk, 50);
}

void kafka_producer_close(struct kafka_producer *p)
{
    if (p == NULL)
        return;
    if (p->rk != NULL && p->outstanding > 0)
        purge(p);
    for (size_t i = 0; i < p->topic_count; i++) {
        rd_kafka_topic_destroy(p->topics[i].handle);
        mem_free(p->topics[i].name);
        mem_free(p->topics[i].known);
    }
    if (p->rk != NULL) {
        rd_kafka_queue_io_event_enable(p->reports, -1, NULL, 0);
        rd_kafka_queue_destroy(p->reports);
        rd_kafka_destroy(p->rk);
    }
    close(p->wake);
    mem_free(p->topics);
    mem_free(p);
}

/* --- records -------------------------------------------------------------------------------------- */

/* Kept open: librdkafka forgets a topic, and asks for it again, with its last handle. */
static struct topic_handle *topic_handle(struct kafka_producer *p, struct str name)
{
    struct topic_handle *t;

    for (size_t i = 0; i < p->topic_count; i++)
        if (str_is(name, p->topics[i].name))
            return &p->topics[i];
    MEM_RESERVE(p->topics, p->topic_count, p->topic_capacity);
    t = &p->topics[p->topic_count++];
    *t = (struct topic_handle){.name = mem_copy_text(name.data, name.len)};
    t->handle = rd_kafka_topic_new(p->rk, t->name, NULL);
    CHECK(t->handle != NULL);
    return t;
}

static unsigned char *known_of(struct topic_handle *t, size_t partition)
{
    if (partition >= t->known_count) {
        t->known = mem_resize(t->known, partition + 1, 1);
        memset(t->known + t->known_count, STRANGER, partition + 1 - t->known_count);
        t->known_count = partition + 1;
    }
    return &t->known[partition];
}

/* Wait while the first record to this partition is on its way.  NULL: it is known, or does not matter. */
static unsigned char *await_first(struct kafka_producer *p, const struct record *record)
{
    struct topic_handle *t = topic_handle(p, record->topic);
    int64_t until_ms = clock_mono_ms() + PRODUCER_DELIVERY_TIMEOUT_MS;
    unsigned char *known;

    if (p->transactional || record->partition < 0 || record->partition >= PARTITIONS_MAX)
        return NULL;
    known = known_of(t, (size_t)record->partition);
    while (*known == FIRST_ON_ITS_WAY && p->failure.code == ERR_NONE && clock_mono_ms() < until_ms)
        rd_kafka_poll(p->rk, 10);
    return *known == STRANGER ? known : NULL;
}

static rd_kafka_headers_t *make_headers(const struct record *record)
{
    rd_kafka_headers_t *list;

    if (record->header_count == 0)
        return NULL;
    list = rd_kafka_headers_new(record->header_count);
    for (size_t i = 0; i < record->header_count; i++) {
        const struct header *h = &record->headers[i];

        rd_kafka_header_add(list, h->name.data, (ssize_t)h->name.len, h->value.data,
                            (ssize_t)h->value.len);
    }
    return list;
}

/* On success librdkafka has the headers. */
static rd_kafka_resp_err_t produce_once(struct kafka_producer *p, const struct record *record,
                                        rd_kafka_headers_t *headers, struct kafka_receipt *receipt)
{
    return rd_kafka_producev(
        p->rk, RD_KAFKA_V_RKT(topic_handle(p, record->topic)->handle),
        RD_KAFKA_V_PARTITION(record->partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(record->key.data, record->key.len),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)record->value.data, record->value.len),
        RD_KAFKA_V_TIMESTAMP(record->timestamp_ms), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_OPAQUE(receipt), RD_KAFKA_V_END);
}

enum err_code kafka_produce_counted(struct kafka_producer *p, const struct record *record,
                                    struct kafka_receipt *receipt, struct err *err)
{
    rd_kafka_headers_t *headers = make_headers(record);
    unsigned char *stranger = await_first(p, record);
    int64_t until_ms = clock_mono_ms() + PRODUCER_DELIVERY_TIMEOUT_MS;
    rd_kafka_resp_err_t error;

    while ((error = produce_once(p, record, headers, receipt)) == RD_KAFKA_RESP_ERR__QUEUE_FULL &&
           clock_mono_ms() < until_ms)
        rd_kafka_poll(p->rk, 10);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        p->outstanding++;
        if (stranger != NULL) {
            *stranger = FIRST_ON_ITS_WAY;
            p->firsts++;
        }
        if (receipt != NULL)
            receipt->outstanding++;
        return ERR_NONE;
    }
    if (headers != NULL)
        rd_kafka_headers_destroy(headers);
    err_set(&p->failure, refusal(error), "record of %zu bytes for %.*s/%d: %s", record->value.len,
            STR_ARG(record->topic), record->partition, rd_kafka_err2str(error));
    return err_set(err, p->failure.code, "%s", p->failure.text);
}

enum err_code kafka_produce(struct kafka_producer *p, const struct record *record, struct err *err)
{
    return kafka_produce_counted(p, record, NULL, err);
}

struct kafka_receipt *kafka_receipt_new(void)
{
    return MEM_NEW(struct kafka_receipt);
}

bool kafka_receipt_is_complete(const struct kafka_receipt *receipt)
{
    return receipt->outstanding == 0 && receipt->refused == 0;
}

void kafka_receipt_drop(struct kafka_receipt *receipt)
{
    if (receipt == NULL)
        return;
    receipt->dropped = true;
    if (receipt->outstanding == 0)
        mem_free(receipt);
}

int kafka_producer_fd(const struct kafka_producer *p)
{
    return p->wake;
}

void producer_settle(struct kafka_producer *p, int timeout_ms)
{
    int64_t now_ms = clock_mono_ms(), until_ms = now_ms + timeout_ms;

    for (; p->outstanding > 0 && p->failure.code == ERR_NONE && now_ms < until_ms;
         now_ms = clock_mono_ms())
        rd_kafka_flush(p->rk, until_ms - now_ms < FLUSH_SLICE_MS ? (int)(until_ms - now_ms)
                                                                 : FLUSH_SLICE_MS);
    if (p->outstanding > 0 && p->failure.code == ERR_NONE)
        err_set(&p->failure, ERR_DOWN, "%zu records were not acknowledged in %d ms", p->outstanding,
                timeout_ms);
}

/* Kafka says that a number is missing that it had acknowledged. */
static bool lost_records(struct kafka_producer *p, bool *fatal)
{
    char why[256];
    rd_kafka_resp_err_t error = rd_kafka_fatal_error(p->rk, why, sizeof why);

    *fatal = error != RD_KAFKA_RESP_ERR_NO_ERROR || !p->transactional || p->outstanding > 0;
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
        err_set(&p->failure, ERR_KAFKA, "%s", why);
    return error == RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
}

static enum err_code conclude(struct kafka_producer *p, bool *fatal, bool *out_of_order,
                              struct err *err)
{
    enum err_code code = ERR_NONE;
    bool dead = false, lost = false;

    if (p->failure.code != ERR_NONE) {
        purge(p);
        lost = lost_records(p, &dead);
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
    uint64_t events;

    (void)!read(p->wake, &events, sizeof events);
    rd_kafka_poll(p->rk, 0);
    return conclude(p, fatal, out_of_order, err);
}
