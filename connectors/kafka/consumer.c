/* One queue per partition.
 *
 *      broker threads                          the caller's thread
 *      events/0  ----> [ queue of events/0 ] --.
 *      events/3  ----> [ queue of events/3 ] ---+--> kafka_consumer_poll
 *      rebalance, errors, commits --> [ main ] -'      1. main  2. partitions in turn  3. wait
 *
 * A batch call on the main queue may serve a rebalance in its midst, and what it had taken before
 * then belongs to nobody.  Here the main queue is served first and yields no records; the batch
 * calls that follow see one partition each and no callback.  librdkafka keeps a queue that the
 * application has taken out of forwarding out of it, if that was done before the assignment.
 *
 * `wanted` is the next offset that the caller has not seen: what lies below it is dropped, whatever
 * was still on its way when a partition came back or a seek was done.
 *
 * While all queues are empty the thread waits for `wake`, an eventfd that librdkafka writes to
 * when a queue gets its first entry.  A caller that works on its partitions at different paces takes
 * from each queue by itself: what it does not take yet gathers there.
 */
#include "connectors/kafka/consumer_parts.h"

#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/check.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"

/* The fetch queue must hold 1.5 s of peak, or this librdkafka stalls for a second whenever it is
 * full: 100,000 events/s of 600 bytes. */
static const struct kafka_property defaults[] = {
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"auto.offset.reset", "error"},
    {"isolation.level", "read_committed"},
    {"partition.assignment.strategy", "range"},
    {"enable.partition.eof", "true"},
    {"session.timeout.ms", "6000"},
    {"heartbeat.interval.ms", "300"}, /* how soon a member hears that another one has left */
    {"fetch.wait.max.ms", "10"},
    {"fetch.error.backoff.ms", "50"},
    {"queued.min.messages", "150000"},
    {"queued.max.messages.kbytes", "131072"},
};

/* What is not fatal librdkafka mends by itself: it is said, not returned. */
static void on_error(rd_kafka_t *rk, int error, const char *reason, void *opaque)
{
    char why[256];

    if (error == RD_KAFKA_RESP_ERR__FATAL) {
        rd_kafka_fatal_error(rk, why, sizeof why);
        consumer_set_fault(opaque, ERR_KAFKA, why);
        return;
    }
    log_warn("kafka", "trouble that may pass", LOG_TEXT("client", rd_kafka_name(rk)),
             LOG_TEXT("reason", reason), LOG_END);
}

static void on_commit(rd_kafka_t *rk, rd_kafka_resp_err_t error,
                      rd_kafka_topic_partition_list_t *offsets, void *opaque)
{
    struct kafka_consumer *c = opaque;
    bool ok = error == RD_KAFKA_RESP_ERR_NO_ERROR;

    (void)rk;
    for (int i = 0; offsets != NULL && i < offsets->cnt; i++)
        ok = ok && offsets->elems[i].err == RD_KAFKA_RESP_ERR_NO_ERROR;
    c->committing = false;
    if (c->commit_done != NULL)
        c->commit_done(c->commit_context, ok);
}

/* --- records ----------------------------------------------------------------------------------- */

static void read_headers(struct slot *s, const rd_kafka_message_t *m, struct record *out)
{
    rd_kafka_headers_t *list;
    struct header *headers;
    const char *name;
    const void *value;
    size_t count, bytes;

    if (rd_kafka_message_headers(m, &list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    count = rd_kafka_header_cnt(list);
    headers = arena_alloc_raw(s->arena, arena_array_bytes(count, sizeof *headers));
    for (size_t i = 0; i < count; i++) {
        if (rd_kafka_header_get_all(list, i, &name, &value, &bytes) != RD_KAFKA_RESP_ERR_NO_ERROR)
            bytes = 0, value = NULL, name = "";
        headers[i] = (struct header){str_of(name), {value, bytes}};
    }
    out->headers = headers;
    out->header_count = count;
}

static void read_message(struct slot *s, const rd_kafka_message_t *m, struct record *out)
{
    rd_kafka_timestamp_type_t type;

    *out = (struct record){.topic = {s->topic, s->topic_bytes},
                           .partition = s->partition,
                           .offset = m->offset,
                           .timestamp_ms = rd_kafka_message_timestamp(m, &type),
                           .key = {m->key, m->key_len},
                           .value = {m->payload, m->len}};
    read_headers(s, m, out);
}

static void slot_fault(struct slot *s, enum err_code code, const char *text)
{
    mem_free(s->fault_text);
    s->fault = code;
    s->fault_text = mem_copy_text(text, strlen(text));
}

static void slot_event(struct slot *s, const rd_kafka_message_t *m)
{
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        s->at_end = true;
        s->read_to = m->offset;
        return;
    }
    s->off_the_log |= client_err_code(m->err) == ERR_STATE;
    slot_fault(s, client_err_code(m->err),
               m->payload != NULL ? rd_kafka_message_errstr(m) : rd_kafka_err2str(m->err));
}

/* Up to max records of one partition. */
static size_t slot_take(struct slot *s, struct record *out, size_t max)
{
    rd_kafka_message_t **messages;
    ssize_t got;
    size_t kept = 0;

    if (s->message_capacity < s->message_count + max) {
        s->message_capacity = s->message_count + max;
        s->messages = mem_resize(s->messages, s->message_capacity, sizeof *s->messages);
    }
    messages = s->messages + s->message_count;
    got = rd_kafka_consume_batch_queue(s->queue, 0, messages, max);

    for (ssize_t i = 0; i < got; i++) {
        rd_kafka_message_t *m = messages[i];

        if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR)
            slot_event(s, m);
        if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR || s->held || m->offset < s->wanted) {
            rd_kafka_message_destroy(m);
            continue;
        }
        read_message(s, m, &out[kept]);
        messages[kept++] = m;
        s->wanted = s->read_to = m->offset + 1;
        s->at_end = false;
    }
    s->message_count += kept;
    return kept;
}

/* A first round gives every partition its share, a second one the rest to whoever has more. */
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

/* Rebalances, errors and commits.  No record comes this way; if one did, its partition is read
 * again from where the caller is. */
static void serve_main(struct kafka_consumer *c)
{
    rd_kafka_message_t *m;

    while ((m = rd_kafka_consumer_poll(c->rk, 0)) != NULL) {
        const char *topic = m->rkt != NULL ? rd_kafka_topic_name(m->rkt) : "";
        struct slot *s = consumer_slot(c, topic, m->partition);

        if (s != NULL && m->err != RD_KAFKA_RESP_ERR_NO_ERROR)
            slot_event(s, m);
        else if (s != NULL)
            kafka_consumer_seek(c, topic, m->partition, s->wanted, NULL);
        else if (m->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
            consumer_set_fault(c, client_err_code(m->err), rd_kafka_message_errstr(m));
        rd_kafka_message_destroy(m);
    }
}

static enum err_code tell_fault(struct kafka_consumer *c, struct err *err)
{
    enum err_code code;

    mem_free(c->told_topic);
    c->told_topic = NULL;
    if (c->fault != ERR_NONE) {
        code = err_set(err, c->fault, "consumer: %s", c->fault_text);
        c->fault = ERR_NONE;
        return code;
    }
    for (size_t i = 0; i < c->slot_count; i++) {
        struct slot *s = &c->slots[i];

        if (s->fault == ERR_NONE)
            continue;
        code = err_set(err, s->fault, "%s/%d at %lld: %s", s->topic, s->partition,
                       (long long)s->wanted, s->fault_text);
        c->told_topic = mem_copy_text(s->topic, s->topic_bytes);
        c->told_partition = s->partition;
        s->fault = ERR_NONE;
        return code;
    }
    return ERR_NONE;
}

enum err_code kafka_consumer_serve(struct kafka_consumer *c, struct err *err)
{
    serve_main(c);
    return tell_fault(c, err);
}

void kafka_consumer_wait(struct kafka_consumer *c, const int *others, size_t count, int timeout_ms)
{
    struct pollfd fds[1 + KAFKA_WAIT_OTHERS_MAX] = {{.fd = c->wake, .events = POLLIN}};
    uint64_t events;

    CHECK(count <= KAFKA_WAIT_OTHERS_MAX);
    for (size_t i = 0; i < count; i++)
        fds[1 + i] = (struct pollfd){.fd = others[i], .events = POLLIN};
    if (poll(fds, (nfds_t)(1 + count), timeout_ms) > 0 && fds[0].revents != 0)
        (void)!read(c->wake, &events, sizeof events);
}

enum err_code kafka_consumer_poll(struct kafka_consumer *c, int timeout_ms, struct record *out,
                                  size_t max, size_t *count, struct err *err)
{
    int64_t now_ms = clock_mono_ms(), until_ms = now_ms + timeout_ms;
    enum err_code code;

    CHECK(max > 0);
    for (;;) {
        *count = 0;
        c->given = false;
        code = kafka_consumer_serve(c, err);
        if (code != ERR_NONE || c->given)
            return code;
        *count = take(c, out, max);
        now_ms = clock_mono_ms();
        if (*count > 0 || now_ms >= until_ms)
            return ERR_NONE;
        kafka_consumer_wait(c, NULL, 0, (int)(until_ms - now_ms));
    }
}

size_t kafka_consumer_take(struct kafka_consumer *c, const char *topic, int32_t partition,
                           struct record *out, size_t max)
{
    struct slot *s = consumer_slot(c, topic, partition);

    CHECK(max > 0);
    return s != NULL ? slot_take(s, out, max) : 0;
}

void kafka_consumer_release_one(struct kafka_consumer *c, const char *topic, int32_t partition)
{
    struct slot *s = consumer_slot(c, topic, partition);

    if (s != NULL)
        consumer_release_slot(s);
}

void kafka_consumer_release(struct kafka_consumer *c)
{
    for (size_t i = 0; i < c->slot_count; i++)
        consumer_release_slot(&c->slots[i]);
}

bool kafka_consumer_fault(const struct kafka_consumer *c, const char **topic, int32_t *partition)
{
    *topic = c->told_topic;
    *partition = c->told_partition;
    return c->told_topic != NULL;
}

/* --- open and close --------------------------------------------------------------------------- */

static enum err_code consumer_new(const struct kafka_settings *settings, const char *group,
                                  const struct kafka_listener *listener,
                                  struct kafka_consumer **out, struct err *err)
{
    static const uint64_t one = 1;
    struct kafka_consumer *c = MEM_NEW(struct kafka_consumer);
    rd_kafka_conf_t *conf =
        client_conf(settings, defaults, sizeof defaults / sizeof defaults[0], err);

    *out = NULL;
    if (conf != NULL) {
        client_conf_set(conf, "group.id", group);
        rd_kafka_conf_set_opaque(conf, c);
        rd_kafka_conf_set_rebalance_cb(conf, consumer_on_rebalance);
        rd_kafka_conf_set_error_cb(conf, on_error);
        c->rk = client_new(RD_KAFKA_CONSUMER, conf, err);
    }
    if (c->rk == NULL) {
        mem_free(c);
        return ERR_CONFIG;
    }
    c->listener = listener != NULL ? *listener : (struct kafka_listener){0};
    c->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    CHECK(c->wake >= 0);
    rd_kafka_poll_set_consumer(c->rk);
    c->main = rd_kafka_queue_get_consumer(c->rk);
    rd_kafka_queue_io_event_enable(c->main, c->wake, &one, sizeof one);
    *out = c;
    return ERR_NONE;
}

enum err_code kafka_consumer_open(const struct kafka_settings *settings, const char *group,
                                  const char *const *topics, size_t topic_count,
                                  const struct kafka_listener *listener,
                                  struct kafka_consumer **out, struct err *err)
{
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_resp_err_t error;
    enum err_code code = consumer_new(settings, group, listener, out, err);

    if (code != ERR_NONE)
        return code;
    list = rd_kafka_topic_partition_list_new((int)topic_count);
    for (size_t i = 0; i < topic_count; i++)
        rd_kafka_topic_partition_list_add(list, topics[i], RD_KAFKA_PARTITION_UA);
    error = rd_kafka_subscribe((*out)->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
        return ERR_NONE;
    kafka_consumer_close(*out);
    *out = NULL;
    return err_set(err, client_err_code(error), "subscribe: %s", rd_kafka_err2str(error));
}

enum err_code kafka_consumer_open_alone(const struct kafka_settings *settings,
                                        const struct kafka_partition *partitions, size_t count,
                                        struct kafka_consumer **out, struct err *err)
{
    struct kafka_partition *copy;
    /* librdkafka wants a group's name even where none is joined */
    enum err_code code = consumer_new(settings, "attent-alone", NULL, out, err);

    if (code != ERR_NONE)
        return code;
    copy = MEM_NEW_ARRAY(struct kafka_partition, count + 1);
    for (size_t i = 0; i < count; i++) {
        copy[i] = partitions[i];
        if (copy[i].offset == KAFKA_OFFSET_GROUP) /* there is none */
            copy[i].offset = KAFKA_OFFSET_BEGIN;
    }
    consumer_assign(*out, copy, count, false);
    mem_free(copy);
    return ERR_NONE;
}

void kafka_consumer_close(struct kafka_consumer *c)
{
    if (c == NULL)
        return;
    kafka_consumer_release(c);
    rd_kafka_queue_io_event_enable(c->main, -1, NULL, 0);
    rd_kafka_consumer_close(c->rk);
    consumer_drop_slots(c); /* of a consumer without a group */
    rd_kafka_queue_destroy(c->main);
    rd_kafka_destroy(c->rk);
    close(c->wake);
    mem_free(c->told_topic);
    mem_free(c);
}

bool kafka_consumer_commit_async(struct kafka_consumer *c, const struct kafka_partition *offsets,
                                 size_t count, void (*done)(void *context, bool ok), void *context)
{
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_resp_err_t error;

    if (c->committing || count == 0)
        return false;
    list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, offsets[i].topic, offsets[i].partition)->offset =
            offsets[i].offset;
    c->commit_done = done;
    c->commit_context = context;
    error = rd_kafka_commit_queue(c->rk, list, c->main, on_commit, c);
    rd_kafka_topic_partition_list_destroy(list);
    c->committing = error == RD_KAFKA_RESP_ERR_NO_ERROR;
    return c->committing;
}
