/* A consumer: connectors/kafka/consumer.c over the model's queues.
 */
#include <stdio.h>

#include "tests/sim/kafka_clients.h"

enum {
    SESSION_MS = 6000,
    STEP_MIN_US = 1000,
    STEP_MAX_US = 32000,
    FDS_MAX = KAFKA_WAIT_OTHERS_MAX
};

/* --- records ----------------------------------------------------------------------------------- */

/* The end that was come to, or a fault.  false: there is nothing more. */
static bool take_event(struct slot *s)
{
    if (s->eof_queued) {
        s->eof_queued = false;
        s->at_end = true;
        s->read_to = s->eof_at;
        return true;
    }
    if (s->queued_fault == ERR_NONE)
        return false;
    s->fault = s->queued_fault;
    s->queued_fault = ERR_NONE;
    return false;
}

static size_t slot_take(struct slot *s, struct record *out, size_t max)
{
    size_t kept = 0;

    slot_fetch(s);
    if (s->held || s->paused)
        return 0;
    while (kept < max) {
        const struct record *r =
            s->log == NULL
                ? NULL
                : log_read(s->log, &s->position, s->eof_queued ? s->eof_at : s->fetched_to);

        if (r == NULL) {
            if (!take_event(s))
                break;
            continue;
        }
        out[kept] = *r;
        out[kept++].topic = s->topic;
        s->position = s->wanted = s->read_to = r->offset + 1;
        s->at_end = false;
    }
    s->signalled = s->signalled && slot_has(s);
    return kept;
}

static size_t take(struct kafka_consumer *c, struct record *out, size_t max)
{
    size_t share = c->slot_count > 0 ? (max + c->slot_count - 1) / c->slot_count : 0;
    size_t count = 0;

    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < c->slot_count && count < max; i++) {
            struct slot *s = &c->slots[(c->turn + i) % c->slot_count];
            size_t room = max - count;

            count += slot_take(s, out + count, round == 0 && share < room ? share : room);
        }
        if (count == 0 || c->slot_count < 2)
            break;
    }
    c->turn = c->slot_count > 0 ? (c->turn + 1) % c->slot_count : 0;
    return count;
}

size_t kafka_consumer_take(struct kafka_consumer *c, const char *topic, int32_t partition,
                           struct record *out, size_t max)
{
    struct slot *s = consumer_slot(c, topic, partition);

    CHECK(max > 0);
    cluster_advance();
    return s != NULL ? slot_take(s, out, max) : 0;
}

/* Records stay in the log. */
void kafka_consumer_release_one(struct kafka_consumer *c, const char *topic, int32_t partition)
{
    (void)c;
    (void)topic;
    (void)partition;
}

void kafka_consumer_release(struct kafka_consumer *c)
{
    (void)c;
}

/* --- what is no record ------------------------------------------------------------------------- */

void consumer_set_fault(struct kafka_consumer *c, enum err_code code, const char *text)
{
    c->fault = code;
    snprintf(c->fault_text, sizeof c->fault_text, "%s", text);
}

static enum err_code tell_fault(struct kafka_consumer *c, struct err *err)
{
    enum err_code code = c->fault;

    c->told_topic = NULL;
    c->fault = ERR_NONE;
    if (code != ERR_NONE)
        return err_set(err, code, "consumer: %s", c->fault_text);
    for (size_t i = 0; i < c->slot_count; i++) {
        struct slot *s = &c->slots[i];

        if (s->fault == ERR_NONE)
            continue;
        code = err_set(err, s->fault, "%s/%d at %lld: %s", s->topic.data, s->partition,
                       (long long)s->wanted, s->fault_text);
        c->told_topic = s->topic.data;
        c->told_partition = s->partition;
        s->fault = ERR_NONE;
        return code;
    }
    return ERR_NONE;
}

static void serve_commit(struct kafka_consumer *c)
{
    if (!c->committing || model_now_us() < c->commit_us)
        return;
    c->committing = false;
    if (c->commit_done != NULL)
        c->commit_done(c->commit_context, c->commit_ok);
}

enum err_code kafka_consumer_serve(struct kafka_consumer *c, struct err *err)
{
    cluster_advance();
    serve_commit(c);
    member_serve(c);
    return tell_fault(c, err);
}

bool kafka_consumer_fault(const struct kafka_consumer *c, const char **topic, int32_t *partition)
{
    *topic = c->told_topic;
    *partition = c->told_partition;
    return c->told_topic != NULL;
}

/* --- waiting ----------------------------------------------------------------------------------- */

/* Has anything come that the owner has not been woken for?  A queue wakes when its first entry comes,
 * not with what comes behind it. */
static bool has_come(struct kafka_consumer *c)
{
    bool come = c->wake;

    c->wake = false;
    member_look(c);
    if (c->assign_due || c->state == MEMBER_REVOKING ||
        (c->committing && model_now_us() >= c->commit_us))
        come = true;
    for (size_t i = 0; i < c->slot_count; i++) {
        struct slot *s = &c->slots[i];

        slot_fetch(s);
        if (!s->signalled && slot_has(s))
            s->signalled = come = true;
    }
    return come;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static const struct kafka_producer *producer_of(int fd)
{
    for (size_t i = 0; fd >= 0 && i < cluster->producer_count; i++)
        if (cluster->producers[i]->fd == fd)
            return cluster->producers[i];
    return NULL;
}

/* When it is worth a look. */
static int64_t fd_next_us(int fd)
{
    const struct kafka_producer *p = producer_of(fd);

    return p != NULL ? producer_next_us(p) : sim_fd_at(fd);
}

static bool is_readable(int fd)
{
    const struct kafka_producer *p = producer_of(fd);

    return p != NULL ? p->reports != NULL : sim_fd_at(fd) <= model_now_us();
}

static int64_t next_us(struct kafka_consumer *c, const int *others, size_t count)
{
    int64_t at_us = earlier(member_next_us(c), c->committing ? c->commit_us : NEVER_US);

    for (size_t i = 0; i < c->slot_count; i++)
        if (!c->slots[i].signalled)
            at_us = earlier(at_us, slot_next_us(&c->slots[i]));
    for (size_t i = 0; i < count; i++)
        at_us = earlier(at_us, fd_next_us(others[i]));
    return at_us;
}

static bool any_readable(const int *others, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_readable(others[i]))
            return true;
    return false;
}

void kafka_consumer_wait(struct kafka_consumer *c, const int *others, size_t count, int timeout_ms)
{
    int64_t until_us = model_now_us() + (int64_t)timeout_ms * MS, now_us, to_us;

    CHECK(count <= FDS_MAX);
    cluster_advance();
    while (!has_come(c) && !any_readable(others, count) && (now_us = model_now_us()) < until_us) {
        to_us = earlier(until_us, next_us(c, others, count));
        if (to_us <= now_us) /* its heartbeat, its batch: look again a moment later */
            to_us = now_us + 100;
        c->waiting = true;
        sim_sleep_us(to_us - now_us);
        c->waiting = false;
        cluster_advance();
    }
}

enum err_code kafka_consumer_poll(struct kafka_consumer *c, int timeout_ms, struct record *out,
                                  size_t max, size_t *count, struct err *err)
{
    int64_t until_us = model_now_us() + (int64_t)timeout_ms * MS, now_us;
    enum err_code code;

    CHECK(max > 0);
    for (;;) {
        *count = 0;
        code = kafka_consumer_serve(c, err);
        if (code != ERR_NONE)
            return code;
        *count = take(c, out, max);
        now_us = model_now_us();
        if (*count > 0 || now_us >= until_us)
            return ERR_NONE;
        kafka_consumer_wait(c, NULL, 0, (int)((until_us - now_us + MS - 1) / MS));
    }
}

/* --- open and close ---------------------------------------------------------------------------- */

static struct kafka_consumer *consumer_new(const struct kafka_listener *listener)
{
    struct kafka_consumer *c = MODEL_NEW(struct kafka_consumer);

    cluster_advance();
    c->process = sim_self();
    c->listener = listener != NULL ? *listener : (struct kafka_listener){0};
    c->commit_us = NEVER_US;
    c->generation = -1;
    c->member = (struct member){
        .process = c->process, .silent_at_us = NEVER_US, .session_us = (int64_t)SESSION_MS * MS};
    MODEL_RESERVE(cluster->consumers, cluster->consumer_count, cluster->consumer_capacity);
    return cluster->consumers[cluster->consumer_count++] = c;
}

static void say_missing(struct kafka_consumer *c, struct str topic)
{
    char text[256];

    snprintf(text, sizeof text, "subscribed topic not available: %.*s", STR_ARG(topic));
    consumer_set_fault(c, ERR_KAFKA, text);
}

enum err_code kafka_consumer_open(const struct kafka_settings *settings, const char *group,
                                  const char *const *topics, size_t topic_count,
                                  const struct kafka_listener *listener,
                                  struct kafka_consumer **out, struct err *err)
{
    struct kafka_consumer *c = consumer_new(listener);
    struct str *names = model_alloc((topic_count + 1) * sizeof *names);

    (void)settings;
    (void)err;
    c->group = group_of(str_of(group));
    for (size_t i = 0; i < topic_count; i++) {
        names[i] = model_copy(str_of(topics[i]));
        if (topic_find(names[i]) == NULL)
            say_missing(c, names[i]);
    }
    c->member.topics = names;
    c->member.topic_count = topic_count;
    member_begin(c);
    *out = c;
    return ERR_NONE;
}

enum err_code kafka_consumer_open_alone(const struct kafka_settings *settings,
                                        const struct kafka_partition *partitions, size_t count,
                                        struct kafka_consumer **out, struct err *err)
{
    struct kafka_consumer *c = consumer_new(NULL);
    struct kafka_partition *copy = model_alloc((count + 1) * sizeof *copy);

    (void)settings;
    (void)err;
    for (size_t i = 0; i < count; i++) {
        copy[i] = partitions[i];
        if (copy[i].offset == KAFKA_OFFSET_GROUP) /* there is none */
            copy[i].offset = KAFKA_OFFSET_BEGIN;
    }
    consumer_assign(c, copy, count);
    *out = c;
    return ERR_NONE;
}

void kafka_consumer_close(struct kafka_consumer *c)
{
    if (c == NULL)
        return;
    cluster_advance();
    member_leave(c);
    c->dead = true;
    for (size_t i = 0; i < cluster->consumer_count; i++)
        if (cluster->consumers[i] == c)
            cluster->consumers[i] = cluster->consumers[--cluster->consumer_count];
}
