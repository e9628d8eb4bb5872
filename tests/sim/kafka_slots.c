/* A partition's queue in the client: [position, fetched_to) of its log, and the end if it was come
 * to.  Records stay in the log, so to fetch is to move fetched_to.
 */
#include "tests/sim/kafka_clients.h"

enum { FETCH_RECORDS = 500 };

static void fail(struct slot *s, enum err_code code, const char *text)
{
    s->failed = true;
    s->queued_fault = code;
    s->fault_text = text;
}

/* Where the log is now: it may have been deleted, and made again. */
static struct log *log_of(struct slot *s)
{
    if (s->log == NULL || s->log->topic->deleted)
        s->log = log_find(s->topic, s->partition);
    return s->log;
}

static void find_start(struct slot *s)
{
    if (s->start != KAFKA_OFFSET_BEGIN && s->start != KAFKA_OFFSET_END)
        return;
    s->position = s->start == KAFKA_OFFSET_BEGIN ? s->log->first : log_stable(s->log);
    s->fetched_to = s->position;
    s->start = s->position;
}

static bool is_idle(const struct slot *s)
{
    return s->held || s->paused || s->failed;
}

/* Does the fetch that would be answered now come late, or not at all? */
static bool is_struck(struct slot *s, int64_t now_us)
{
    if (cluster_is_gone()) {
        s->answer_us = cluster->gone_until_us + latency_us();
        return true;
    }
    if (sim_strikes(SIM_ANSWER_LATE, "fetch")) {
        s->answer_us = now_us + draw_us(50 * MS, 5000 * MS);
        return true;
    }
    if (sim_strikes(SIM_BROKER_GONE, "fetch")) {
        kafka_model_broker_gone(now_us + draw_us(100 * MS, 15000 * MS));
        s->answer_us = cluster->gone_until_us + latency_us();
        return true;
    }
    return false;
}

static void come_to_end(struct slot *s, int64_t stable)
{
    if (s->eof_at == stable)
        return;
    s->eof_at = stable;
    s->eof_queued = true;
}

void slot_fetch(struct slot *s)
{
    int64_t now_us = model_now_us(), stable;

    if (is_idle(s) || now_us < s->answer_us)
        return;
    if (log_of(s) == NULL) {
        fail(s, ERR_KAFKA, "unknown topic or partition");
        return;
    }
    find_start(s);
    stable = log_stable(s->log);
    if (s->fetched_to < s->log->first || s->fetched_to > s->log->next) {
        fail(s, ERR_STATE, "offset out of range");
        return;
    }
    if (s->fetched_to >= stable) {
        s->high = s->log->next;
        come_to_end(s, s->fetched_to);
        return;
    }
    if (is_struck(s, now_us))
        return;
    s->high = s->log->next;
    s->fetched_to = stable - s->fetched_to > FETCH_RECORDS ? s->fetched_to + FETCH_RECORDS : stable;
    s->answer_us = now_us + latency_us();
}

bool slot_has(const struct slot *s)
{
    return !s->held && !s->paused &&
           (s->position < s->fetched_to || s->eof_queued || s->queued_fault != ERR_NONE);
}

int64_t slot_next_us(struct slot *s)
{
    if (is_idle(s))
        return NEVER_US;
    if (log_of(s) == NULL || s->start < 0 || s->fetched_to < log_stable(s->log) ||
        s->fetched_to > s->log->next || s->eof_at != s->fetched_to)
        return s->answer_us;
    return NEVER_US;
}

void slot_seek(struct slot *s, int64_t offset)
{
    s->start = offset;
    s->position = s->fetched_to = s->wanted = s->read_to = offset < 0 ? 0 : offset;
    s->eof_at = -1;
    s->eof_queued = s->at_end = s->failed = false;
    s->queued_fault = s->fault = ERR_NONE;
    s->answer_us = model_now_us() + latency_us();
}

/* --- which are mine ------------------------------------------------------------------------------ */

struct slot *consumer_slot(const struct kafka_consumer *c, const char *topic, int32_t partition)
{
    for (size_t i = 0; i < c->slot_count; i++)
        if (c->slots[i].partition == partition && str_is(c->slots[i].topic, topic))
            return &c->slots[i];
    return NULL;
}

bool consumer_reads(const struct kafka_consumer *c, const struct log *log)
{
    for (size_t i = 0; i < c->slot_count; i++)
        if (c->slots[i].log == log)
            return true;
    return false;
}

void consumer_assign(struct kafka_consumer *c, const struct kafka_partition *partitions,
                     size_t count)
{
    c->slots = model_alloc((count + 1) * sizeof *c->slots);
    c->slot_count = count;
    c->turn = 0;
    for (size_t i = 0; i < count; i++) {
        struct slot *s = &c->slots[i];

        s->topic = model_copy(str_of(partitions[i].topic));
        s->partition = partitions[i].partition;
        s->high = -1;
        slot_seek(s, partitions[i].offset);
        s->held = partitions[i].offset == KAFKA_OFFSET_HOLD;
        s->log = log_find(s->topic, s->partition);
    }
}

enum err_code kafka_consumer_seek(struct kafka_consumer *c, const char *topic, int32_t partition,
                                  int64_t offset, struct err *err)
{
    struct slot *s = consumer_slot(c, topic, partition);
    struct kafka_partition to = {topic, partition, offset};

    cluster_advance();
    if (s == NULL)
        return err_set(err, ERR_FENCED, "seek %s/%d: not assigned to this process", topic,
                       partition);
    if (offset == KAFKA_OFFSET_GROUP && consumer_resolve(c, &to, 1, err) != ERR_NONE)
        return err != NULL ? err->code : ERR_KAFKA;
    if (consumer_place(&to, err) != ERR_NONE)
        return ERR_DOWN;
    if (s->held)
        s->paused = false;
    s->held = false;
    slot_seek(s, to.offset);
    return ERR_NONE;
}

/* A pause drops what is queued; it is fetched again from where the caller is. */
void kafka_consumer_pause(struct kafka_consumer *c, const char *topic, int32_t partition,
                          bool paused)
{
    struct slot *s = consumer_slot(c, topic, partition);

    if (s == NULL || s->paused == paused)
        return;
    s->paused = paused;
    s->fetched_to = s->position;
    s->eof_at = -1;
    s->eof_queued = false;
    s->answer_us = model_now_us() + latency_us();
}

bool kafka_consumer_at_end(struct kafka_consumer *c, const char *topic, int32_t partition)
{
    const struct slot *s = consumer_slot(c, topic, partition);

    return s != NULL && s->at_end;
}

int64_t kafka_consumer_read_to(struct kafka_consumer *c, const char *topic, int32_t partition)
{
    const struct slot *s = consumer_slot(c, topic, partition);

    return s != NULL ? s->read_to : -1;
}

int64_t kafka_consumer_end(struct kafka_consumer *c, const char *topic, int32_t partition)
{
    const struct slot *s = consumer_slot(c, topic, partition);

    return s != NULL ? s->high : -1;
}
