/* The coordinator of transactions.  Its decision stands when txn_end says so; the markers that let
 * readers see it are written a moment later, and until then nothing new can begin.
 */
#include "tests/sim/kafka_clients.h"

static struct txn *txn_find(struct str id)
{
    for (size_t i = 0; i < cluster->txn_count; i++)
        if (str_equal(cluster->txns[i]->id, id))
            return cluster->txns[i];
    return NULL;
}

struct txn *txn_of(struct str id)
{
    struct txn *t = txn_find(id);

    if (t != NULL)
        return t;
    t = MODEL_NEW(struct txn);
    *t =
        (struct txn){.id = model_copy(id), .producer_id = cluster->next_producer_id++, .epoch = -1};
    MODEL_RESERVE(cluster->txns, cluster->txn_count, cluster->txn_capacity);
    return cluster->txns[cluster->txn_count++] = t;
}

static void write_markers(void *what)
{
    struct txn *t = what;

    for (size_t i = 0; i < t->log_count; i++)
        log_end_transaction(t->logs[i], t->producer_id, t->epoch, t->commits);
    for (size_t i = 0; i < t->group_count; i++)
        group_end_transaction(t->groups[i], t->producer_id, t->commits);
    t->log_count = t->group_count = 0;
    t->state = TXN_EMPTY;
}

static void decide(struct txn *t, bool commit)
{
    t->state = TXN_ENDING;
    t->commits = commit;
    t->markers_us = model_now_us() + latency_us();
    cluster_at(t->markers_us, write_markers, t);
}

/* Whoever has it open is fenced. */
static void give_up(struct txn *t)
{
    t->epoch++;
    decide(t, false);
}

static void run_out(void *what)
{
    struct txn *t = what;

    if (t->state == TXN_OPEN && model_now_us() >= t->began_us + t->timeout_us)
        give_up(t);
}

enum answer txn_init(struct txn *t, int64_t timeout_us)
{
    if (t->state == TXN_OPEN)
        give_up(t);
    if (t->state == TXN_ENDING)
        return ANSWER_AGAIN;
    t->epoch++;
    t->timeout_us = timeout_us;
    return ANSWER_OK;
}

/* Is it the turn of this producer?  Opens the transaction. */
static enum answer enter(struct txn *t, int16_t epoch)
{
    if (epoch != t->epoch)
        return ANSWER_OLD_EPOCH;
    if (t->state == TXN_ENDING)
        return ANSWER_AGAIN;
    if (t->state == TXN_EMPTY) {
        t->state = TXN_OPEN;
        t->began_us = model_now_us();
        cluster_at(t->began_us + t->timeout_us, run_out, t);
    }
    return ANSWER_OK;
}

enum answer txn_add_log(struct txn *t, int16_t epoch, struct log *log)
{
    enum answer answer = enter(t, epoch);

    if (answer != ANSWER_OK)
        return answer;
    for (size_t i = 0; i < t->log_count; i++)
        if (t->logs[i] == log)
            return ANSWER_OK;
    MODEL_RESERVE(t->logs, t->log_count, t->log_capacity);
    t->logs[t->log_count++] = log;
    return ANSWER_OK;
}

static void add_group(struct txn *t, struct group *g)
{
    for (size_t i = 0; i < t->group_count; i++)
        if (t->groups[i] == g)
            return;
    MODEL_RESERVE(t->groups, t->group_count, t->group_capacity);
    t->groups[t->group_count++] = g;
}

enum answer txn_add_offset(struct txn *t, int16_t epoch, struct group *g, uint64_t member_id,
                           int32_t generation, struct str topic, int32_t partition, int64_t offset)
{
    enum answer answer = enter(t, epoch);
    struct group_offset *o;

    if (answer == ANSWER_OK)
        answer = group_admits(g, member_id, generation, true);
    if (answer != ANSWER_OK)
        return answer;
    add_group(t, g);
    o = group_offset_of(g, topic, partition);
    o->pending = offset;
    o->producer_id = t->producer_id;
    o->pending_order = ++cluster->order;
    return ANSWER_OK;
}

enum answer txn_end(struct txn *t, int16_t epoch, bool commit)
{
    if (epoch != t->epoch)
        return ANSWER_OLD_EPOCH;
    if (t->state == TXN_OPEN)
        decide(t, commit);
    return t->commits == commit ? ANSWER_OK : ANSWER_INVALID; /* asked again, or never begun */
}
