/* The transactions of a producer.  Each step is asked again while librdkafka says that this may help; what
 * is left then tells the caller what it may do: go back and send again (the transaction has been
 * aborted), or open another producer, because nobody knows what became of it.
 */
#include "connectors/kafka/producer_parts.h"

#include "core/check.h"
#include "core/clock.h"
#include "core/fail_point.h"

enum { SETTLE_MS = 60000 }; /* how often a commit is asked again: only its outcome lets us go on */

enum trouble { TROUBLE_NONE, TROUBLE_RETRY, TROUBLE_ABORT, TROUBLE_FENCED, TROUBLE_FATAL };

/* Take an error object apart; it is destroyed. */
static enum trouble judge(rd_kafka_error_t *error, const char *what, struct err *err)
{
    enum trouble trouble = TROUBLE_FATAL;
    rd_kafka_resp_err_t code;

    if (error == NULL)
        return TROUBLE_NONE;
    code = rd_kafka_error_code(error);
    if (rd_kafka_error_is_fatal(error))
        trouble = TROUBLE_FATAL;
    else if (code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
             code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
             code == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS ||
             code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
        trouble = TROUBLE_FENCED;
    else if (rd_kafka_error_txn_requires_abort(error))
        trouble = TROUBLE_ABORT;
    else if (rd_kafka_error_is_retriable(error))
        trouble = TROUBLE_RETRY;
    err_set(err, trouble == TROUBLE_FENCED ? ERR_FENCED : client_err_code(code), "%s: %s", what,
            rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return trouble;
}

enum err_code producer_init_transactions(struct kafka_producer *p, struct err *err)
{
    int64_t until_ms = clock_mono_ms() + SETTLE_MS;
    enum trouble trouble;
    struct err why = {0};

    do {
        trouble =
            judge(rd_kafka_init_transactions(p->rk, CLIENT_TIMEOUT_MS), "init transactions", &why);
    } while (trouble == TROUBLE_RETRY && clock_mono_ms() < until_ms);
    return trouble == TROUBLE_NONE ? ERR_NONE : err_set(err, why.code, "%s", why.text);
}

enum err_code kafka_begin(struct kafka_producer *p, struct err *err)
{
    struct err why;

    CHECK(p->transactional && p->outstanding == 0);
    p->failure = (struct err){0};
    if (judge(rd_kafka_begin_transaction(p->rk), "begin transaction", &why) == TROUBLE_NONE)
        return ERR_NONE;
    return err_set(err, why.code, "%s", why.text);
}

static enum trouble send_offsets(struct kafka_producer *p, struct kafka_consumer *member,
                                 const struct kafka_partition *offsets, size_t count,
                                 struct err *why)
{
    rd_kafka_consumer_group_metadata_t *meta = consumer_membership(member, offsets, count, why);
    rd_kafka_topic_partition_list_t *list;
    int64_t until_ms = clock_mono_ms() + CLIENT_TIMEOUT_MS;
    enum trouble trouble;

    if (meta == NULL)
        return TROUBLE_FENCED;
    list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, offsets[i].topic, offsets[i].partition)->offset =
            offsets[i].offset;
    do {
        trouble = judge(rd_kafka_send_offsets_to_transaction(p->rk, list, meta, CLIENT_TIMEOUT_MS),
                        "send offsets", why);
    } while (trouble == TROUBLE_RETRY && clock_mono_ms() < until_ms);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_consumer_group_metadata_destroy(meta);
    return trouble == TROUBLE_RETRY ? TROUBLE_ABORT : trouble;
}

/* Only an answer ends this: a commit that was asked for may have happened. */
static enum trouble commit(struct kafka_producer *p, struct err *why)
{
    int64_t until_ms = clock_mono_ms() + SETTLE_MS;
    enum trouble trouble;

    do {
        trouble =
            judge(rd_kafka_commit_transaction(p->rk, CLIENT_TIMEOUT_MS), "commit transaction", why);
    } while (trouble == TROUBLE_RETRY && clock_mono_ms() < until_ms);
    return trouble == TROUBLE_RETRY ? TROUBLE_FATAL : trouble;
}

enum err_code kafka_abort(struct kafka_producer *p, bool *fatal, struct err *err)
{
    int64_t until_ms = clock_mono_ms() + SETTLE_MS;
    struct err why = {0};
    enum trouble trouble;

    do {
        trouble =
            judge(rd_kafka_abort_transaction(p->rk, CLIENT_TIMEOUT_MS), "abort transaction", &why);
    } while (trouble == TROUBLE_RETRY && clock_mono_ms() < until_ms);
    producer_settle(p, PRODUCER_PURGE_MS);
    p->failure = (struct err){0};
    *fatal = trouble != TROUBLE_NONE || p->outstanding > 0;
    return trouble == TROUBLE_NONE ? ERR_NONE : err_set(err, why.code, "%s", why.text);
}

enum err_code kafka_commit(struct kafka_producer *p, struct kafka_consumer *group_member,
                           const struct kafka_partition *offsets, size_t count, bool *fatal,
                           struct err *err)
{
    enum trouble trouble = TROUBLE_ABORT;
    struct err why = {0};

    *fatal = false;
    if (kafka_flush(p, PRODUCER_DELIVERY_TIMEOUT_MS + PRODUCER_PURGE_MS, NULL, NULL, &why) ==
        ERR_NONE)
        trouble = count > 0 ? send_offsets(p, group_member, offsets, count, &why) : TROUBLE_NONE;
    FAIL_POINT_PASS(OFFSETS_SENT);
    if (trouble == TROUBLE_NONE)
        trouble = commit(p, &why);
    if (trouble == TROUBLE_NONE)
        return ERR_NONE;
    if (trouble == TROUBLE_FATAL)
        *fatal = true;
    else
        kafka_abort(p, fatal, NULL);
    return err_set(err, why.code, "%s", why.text);
}
