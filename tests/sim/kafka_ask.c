/* Questions of a consumer, and its commits of offsets.
 */
#include "tests/sim/kafka_clients.h"

enum { PLACE_TIMEOUT_MS = 2000 };

static bool is_unstable(struct group *g, const struct kafka_partition *partitions, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (partitions[i].offset == KAFKA_OFFSET_GROUP &&
            group_offset_of(g, str_of(partitions[i].topic), partitions[i].partition)->producer_id !=
                NO_PRODUCER)
            return true;
    return false;
}

/* An open transaction that has offsets holds the answer back. */
static bool wait_stable(struct group *g, const struct kafka_partition *partitions, size_t count,
                        const struct question *q)
{
    while (is_unstable(g, partitions, count)) {
        int64_t now_us = model_now_us(), again_us = now_us + 20 * MS;

        if (now_us >= q->until_us)
            return false;
        wait_until_us(again_us < q->until_us ? again_us : q->until_us);
    }
    return true;
}

enum err_code consumer_resolve(struct kafka_consumer *c, struct kafka_partition *partitions,
                               size_t count, struct err *err)
{
    struct question q;
    struct group *g = c->group != NULL ? c->group : group_of(STR("attent-alone"));
    int64_t *offsets = model_alloc((count + 1) * sizeof *offsets);
    bool any = false;

    for (size_t i = 0; i < count; i++)
        any = any || partitions[i].offset == KAFKA_OFFSET_GROUP;
    if (!any)
        return ERR_NONE;
    if (!question_arrives(&q, "ask", CLIENT_TIMEOUT_MS) || !wait_stable(g, partitions, count, &q))
        return answer_down(err, "committed offsets of the group");
    for (size_t i = 0; i < count; i++)
        offsets[i] =
            group_offset_of(g, str_of(partitions[i].topic), partitions[i].partition)->offset;
    if (!question_is_answered(&q))
        return answer_down(err, "committed offsets of the group");
    for (size_t i = 0; i < count; i++)
        if (partitions[i].offset == KAFKA_OFFSET_GROUP)
            partitions[i].offset = offsets[i] < 0 ? KAFKA_OFFSET_BEGIN : offsets[i];
    return ERR_NONE;
}

enum err_code consumer_place(struct kafka_partition *p, struct err *err)
{
    const struct log *log;
    struct question q;
    int64_t at = -1;

    if (p->offset >= 0)
        return ERR_NONE;
    if (!question_arrives(&q, "ask", PLACE_TIMEOUT_MS))
        return answer_down(err, "a bound of a log");
    log = log_find(str_of(p->topic), p->partition);
    if (log != NULL)
        at = p->offset == KAFKA_OFFSET_BEGIN ? log->first : log_stable(log);
    if (at < 0 || !question_is_answered(&q))
        return answer_down(err, "a bound of a log");
    p->offset = at;
    return ERR_NONE;
}

enum err_code kafka_consumer_committed(struct kafka_consumer *c, const char *topic,
                                       int32_t partition, int64_t *offset, struct err *err)
{
    struct kafka_partition p = {topic, partition, KAFKA_OFFSET_GROUP};
    enum err_code code = consumer_resolve(c, &p, 1, err);

    *offset = code == ERR_NONE && p.offset >= 0 ? p.offset : -1;
    return code;
}

enum err_code kafka_consumer_ask_ends(struct kafka_consumer *c, struct kafka_partition *partitions,
                                      size_t count, int timeout_ms, struct err *err)
{
    struct question q;
    int64_t *ends = model_alloc((count + 1) * sizeof *ends);

    (void)c;
    if (!question_arrives(&q, "ask", timeout_ms))
        return answer_down(err, "ends of logs");
    for (size_t i = 0; i < count; i++) {
        const struct log *log = log_find(str_of(partitions[i].topic), partitions[i].partition);

        ends[i] = log != NULL ? log_stable(log) : -1;
    }
    if (!question_is_answered(&q))
        return answer_down(err, "ends of logs");
    for (size_t i = 0; i < count; i++) {
        partitions[i].offset = ends[i];
        if (ends[i] < 0)
            return err_set(err, ERR_KAFKA, "ends of logs: unknown topic or partition");
    }
    return ERR_NONE;
}

/* --- questions of anybody ------------------------------------------------------------------------ */

static enum err_code ask_bounds(const char *topic, int32_t partition, int64_t *first, int64_t *next,
                                struct err *err)
{
    const struct log *log;
    struct question q;
    int64_t from = 0, to = 0;

    if (!question_arrives(&q, "ask", CLIENT_TIMEOUT_MS))
        return answer_down(err, "offsets");
    log = log_find(str_of(topic), partition);
    if (log != NULL) {
        from = log->first;
        to = log_stable(log);
    }
    if (!question_is_answered(&q))
        return answer_down(err, "offsets");
    if (log == NULL)
        return err_set(err, ERR_KAFKA, "offsets of %s/%d: unknown partition", topic, partition);
    *first = from;
    *next = to;
    return ERR_NONE;
}

static enum err_code ask_partitions(const char *topic, int *partitions, struct err *err)
{
    const struct topic *t;
    struct question q;

    *partitions = 0;
    if (!question_arrives(&q, "ask", CLIENT_TIMEOUT_MS))
        return answer_down(err, "partitions of a topic");
    t = topic_find(str_of(topic));
    if (!question_is_answered(&q))
        return answer_down(err, "partitions of a topic");
    *partitions = t != NULL ? t->partitions : 0;
    return ERR_NONE;
}

enum err_code kafka_consumer_bounds(struct kafka_consumer *c, const char *topic, int32_t partition,
                                    int64_t *first, int64_t *next, struct err *err)
{
    (void)c;
    return ask_bounds(topic, partition, first, next, err);
}

enum err_code kafka_consumer_topic_partitions(struct kafka_consumer *c, const char *topic,
                                              int *partitions, struct err *err)
{
    (void)c;
    return ask_partitions(topic, partitions, err);
}

enum err_code kafka_topic_partitions(const struct kafka_settings *settings, const char *topic,
                                     int *partitions, struct err *err)
{
    (void)settings;
    return ask_partitions(topic, partitions, err);
}

enum err_code kafka_topic_bounds(const struct kafka_settings *settings, const char *topic,
                                 int32_t partition, int64_t *first, int64_t *next, struct err *err)
{
    (void)settings;
    return ask_bounds(topic, partition, first, next, err);
}

static size_t number_of(const struct kafka_topic_config *config, const char *name)
{
    size_t number = 0;

    for (size_t i = 0; i < config->property_count; i++)
        for (const char *d = config->properties[i].value;
             strcmp(config->properties[i].name, name) == 0 && *d >= '0' && *d <= '9'; d++)
            number = number * 10 + (size_t)(*d - '0');
    return number;
}

enum err_code kafka_topics_create(const struct kafka_settings *settings,
                                  const struct kafka_topic_config *topics, size_t count,
                                  struct err *err)
{
    struct question q;

    (void)settings;
    if (count == 0)
        return ERR_NONE;
    if (!question_arrives(&q, "ask", CLIENT_TIMEOUT_MS))
        return answer_down(err, "create topics");
    for (size_t i = 0; i < count; i++)
        if (topic_find(str_of(topics[i].name)) == NULL)
            topic_make(str_of(topics[i].name), topics[i].partitions,
                       number_of(&topics[i], "max.message.bytes"));
    return question_is_answered(&q) ? ERR_NONE : answer_down(err, "create topics");
}

/* --- commits ------------------------------------------------------------------------------------- */

static void commit_arrives(void *what)
{
    struct kafka_consumer *c = what;

    if (cluster_is_gone()) {
        cluster_at(cluster->gone_until_us + latency_us(), commit_arrives, c);
        return;
    }
    c->commit_ok =
        group_admits(c->group, c->commit_member, c->commit_generation, false) == ANSWER_OK;
    for (size_t i = 0; c->commit_ok && i < c->commit_count; i++) {
        struct group_offset *o = group_offset_of(c->group, str_of(c->commit_offsets[i].topic),
                                                 c->commit_offsets[i].partition);

        o->offset = c->commit_offsets[i].offset;
        o->order = ++cluster->order;
    }
    c->commit_us = model_now_us() + latency_us();
    if (sim_strikes(SIM_ANSWER_LATE, "commit offsets"))
        c->commit_us += draw_us(50 * MS, 5000 * MS);
    if (sim_strikes(SIM_ANSWER_LOST, "commit offsets")) {
        c->commit_us += CLIENT_TIMEOUT_MS * MS;
        c->commit_ok = false;
    }
    cluster_wake(c->process);
}

bool kafka_consumer_commit_async(struct kafka_consumer *c, const struct kafka_partition *offsets,
                                 size_t count, void (*done)(void *context, bool ok), void *context)
{
    cluster_advance();
    member_look(c);
    if (c->committing || count == 0 || c->group == NULL)
        return false;
    c->commit_offsets = model_alloc(count * sizeof *offsets);
    for (size_t i = 0; i < count; i++) {
        c->commit_offsets[i] = offsets[i];
        c->commit_offsets[i].topic = model_copy(str_of(offsets[i].topic)).data;
    }
    c->commit_count = count;
    c->commit_member = c->member_id;
    c->commit_generation = c->generation;
    c->commit_done = done;
    c->commit_context = context;
    c->committing = true;
    c->commit_us = NEVER_US;
    cluster_at(model_now_us() + latency_us(), commit_arrives, c);
    return true;
}
