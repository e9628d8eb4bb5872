/* Transactions of a producer: the client's half.
 */
#include "core/fail_point.h"
#include "tests/sim/kafka_clients.h"

enum { DELIVERY_TIMEOUT_MS = 10000, SETTLE_MS = 60000, PURGE_MS = 2000 };

enum trouble { TROUBLE_NONE, TROUBLE_ABORT, TROUBLE_FENCED, TROUBLE_FATAL };

static enum trouble trouble(enum trouble kind, struct err *why, enum err_code code,
                            const char *text)
{
    err_set(why, code, "%s", text);
    return kind;
}

static enum trouble fenced(struct kafka_producer *p, struct err *why)
{
    producer_fail(p, ERR_KAFKA);
    return trouble(TROUBLE_FATAL, why, ERR_KAFKA, "a newer producer has this transactional id");
}

static void close_transaction(struct kafka_producer *p)
{
    p->state = PRODUCER_IDLE;
    p->touched = false;
    for (size_t i = 0; i < p->lane_count; i++)
        p->lanes[i]->added = false;
}

/* --- end --------------------------------------------------------------------------------------- */

/* Nobody hears whether it was done. */
static bool strike_end(struct kafka_producer *p, bool commit)
{
    if (!sim_strikes(SIM_COMMIT_UNKNOWN, "end transaction"))
        return false;
    if (rng_below(sim_rng(), 2) == 0)
        txn_end(p->txn, p->epoch, commit);
    wait_until_us(model_now_us() + draw_us(10 * MS, (int64_t)SETTLE_MS * MS));
    return true;
}

static enum trouble end_transaction(struct kafka_producer *p, bool commit, struct err *why)
{
    int64_t until_us = model_now_us() + (int64_t)SETTLE_MS * MS;
    struct question q;

    if (!p->touched) {
        close_transaction(p);
        return TROUBLE_NONE;
    }
    while (model_now_us() < until_us) {
        enum answer answer;

        if (!question_arrives(&q, "end transaction", CLIENT_TIMEOUT_MS))
            continue;
        if (strike_end(p, commit))
            break;
        answer = txn_end(p->txn, p->epoch, commit);
        if (!question_is_answered(&q))
            continue;
        if (answer == ANSWER_OK) {
            close_transaction(p);
            return TROUBLE_NONE;
        }
        return fenced(p, why);
    }
    producer_fail(p, ERR_DOWN);
    return trouble(TROUBLE_FATAL, why, ERR_DOWN, "end of transaction: no answer from Kafka");
}

/* Numbers that were used up for nothing: a new epoch. */
static enum trouble renew(struct kafka_producer *p, struct err *why)
{
    int64_t until_us = model_now_us() + (int64_t)SETTLE_MS * MS;
    struct question q;

    while (p->bump && model_now_us() < until_us) {
        if (!question_arrives(&q, "init producer", CLIENT_TIMEOUT_MS))
            continue;
        if (p->txn->epoch != p->epoch)
            return fenced(p, why);
        if (txn_init(p->txn, p->transaction_timeout_us) == ANSWER_OK)
            producer_renumber(p, p->txn->epoch);
        else
            p->epoch = p->txn->epoch;
        wait_until_us(model_now_us() + 2 * MS);
    }
    if (!p->bump)
        return TROUBLE_NONE;
    producer_fail(p, ERR_DOWN);
    return trouble(TROUBLE_FATAL, why, ERR_DOWN, "abort: no answer from Kafka");
}

/* --- what the header promises -------------------------------------------------------------------- */

enum err_code kafka_begin(struct kafka_producer *p, struct err *err)
{
    cluster_advance();
    CHECK(p->txn != NULL && p->outstanding == 0);
    p->failure = (struct err){0};
    if (p->state != PRODUCER_IDLE)
        return err_set(err, ERR_KAFKA, "begin transaction: not now");
    p->state = PRODUCER_OPEN;
    return ERR_NONE;
}

static bool is_member_of(struct kafka_consumer *c, const struct kafka_partition *offsets,
                         size_t count, struct err *why)
{
    member_look(c);
    for (size_t i = 0; i < count; i++) {
        if (consumer_slot(c, offsets[i].topic, offsets[i].partition) != NULL)
            continue;
        err_set(why, ERR_FENCED, "%s/%d: another member of the group has it", offsets[i].topic,
                offsets[i].partition);
        return false;
    }
    if (c->group != NULL && c->generation >= 0)
        return true;
    err_set(why, ERR_FENCED, "this process is no member of its group any more");
    return false;
}

static enum answer add_offsets(struct kafka_producer *p, const struct kafka_consumer *c,
                               const struct kafka_partition *offsets, size_t count)
{
    enum answer answer = ANSWER_OK;

    for (size_t i = 0; i < count && answer == ANSWER_OK; i++)
        answer = txn_add_offset(p->txn, p->epoch, c->group, c->member_id, c->generation,
                                str_of(offsets[i].topic), offsets[i].partition, offsets[i].offset);
    p->touched |= answer == ANSWER_OK;
    return answer;
}

static enum trouble send_offsets(struct kafka_producer *p, struct kafka_consumer *member,
                                 const struct kafka_partition *offsets, size_t count,
                                 struct err *why)
{
    int64_t until_us = model_now_us() + (int64_t)CLIENT_TIMEOUT_MS * MS;
    struct question q;

    if (p->state != PRODUCER_OPEN)
        return trouble(p->state == PRODUCER_ABORTABLE ? TROUBLE_ABORT : TROUBLE_FATAL, why,
                       ERR_KAFKA, "send offsets: no transaction");
    if (!is_member_of(member, offsets, count, why))
        return TROUBLE_FENCED;
    while (model_now_us() < until_us) {
        enum answer answer = ANSWER_AGAIN;

        if (question_arrives(&q, "send offsets", CLIENT_TIMEOUT_MS))
            answer = add_offsets(p, member, offsets, count);
        if (!question_is_answered(&q))
            answer = ANSWER_AGAIN;
        if (answer == ANSWER_OK)
            return TROUBLE_NONE;
        if (answer == ANSWER_OLD_EPOCH)
            return fenced(p, why);
        if (answer != ANSWER_AGAIN)
            return trouble(TROUBLE_FENCED, why, ERR_FENCED,
                           "send offsets: not a member of this generation");
        wait_until_us(model_now_us() + 2 * MS);
    }
    return trouble(TROUBLE_ABORT, why, ERR_DOWN, "send offsets: no answer from Kafka");
}

enum err_code kafka_abort(struct kafka_producer *p, bool *fatal, struct err *err)
{
    enum trouble result = TROUBLE_FATAL;
    struct err why = {0};

    cluster_advance();
    if (p->state == PRODUCER_FATAL || p->state == PRODUCER_IDLE)
        err_set(&why, ERR_KAFKA, "abort transaction: there is none");
    else {
        producer_purge(p);
        p->state = PRODUCER_ABORTABLE;
        result = end_transaction(p, false, &why);
        if (result == TROUBLE_NONE)
            result = renew(p, &why);
    }
    producer_settle(p, PURGE_MS);
    p->failure = (struct err){0};
    *fatal = result != TROUBLE_NONE || p->outstanding > 0;
    return result == TROUBLE_NONE ? ERR_NONE : err_set(err, why.code, "%s", why.text);
}

static enum trouble commit(struct kafka_producer *p, struct err *why)
{
    if (p->state == PRODUCER_OPEN)
        return end_transaction(p, true, why);
    return trouble(p->state == PRODUCER_ABORTABLE ? TROUBLE_ABORT : TROUBLE_FATAL, why, ERR_KAFKA,
                   "commit transaction: there is none");
}

enum err_code kafka_commit(struct kafka_producer *p, struct kafka_consumer *group_member,
                           const struct kafka_partition *offsets, size_t count, bool *fatal,
                           struct err *err)
{
    enum trouble result = TROUBLE_ABORT;
    struct err why = {0};

    *fatal = false;
    if (kafka_flush(p, DELIVERY_TIMEOUT_MS + PURGE_MS, NULL, NULL, &why) == ERR_NONE)
        result = count > 0 ? send_offsets(p, group_member, offsets, count, &why) : TROUBLE_NONE;
    FAIL_POINT_PASS(OFFSETS_SENT);
    if (result == TROUBLE_NONE)
        result = commit(p, &why);
    if (result == TROUBLE_NONE)
        return ERR_NONE;
    if (result == TROUBLE_FATAL)
        *fatal = true;
    else
        kafka_abort(p, fatal, NULL);
    return err_set(err, why.code, "%s", why.text);
}
