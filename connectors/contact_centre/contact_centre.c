#include "connectors/contact_centre/contact_centre.h"

#include "core/mem.h"
#include "schemas/event.h"

#define QUEUE_MARK   STR("{queue}")
#define EVENT_SOURCE STR("/attent/dispatch")

enum { TOPIC_BYTES_MAX = 249 }; /* Kafka's limit on a topic's name */

static const struct conf_field fields[] = {
    {.path = "topic",
     .kind = CONF_TEXT,
     .fallback = "contact.{queue}",
     .doc = "Topic that a queue's tasks are written to; {queue} stands for the task's queue."},
    {.path = "queue",
     .kind = CONF_TEXT,
     .fallback = "general",
     .doc = "Queue of tasks whose moment names none."},
    {0},
};

struct connector {
    struct buf before, after; /* of the topic's name, around the queue */
    bool by_queue;            /* the name has a {queue} */
    struct buf queue;         /* for tasks without one */
};

static bool is_topic_part(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '_' || c == '-'))
            return false;
    }
    return true;
}

static void contact_centre_close(struct connector *c)
{
    if (c == NULL)
        return;
    buf_free(&c->before);
    buf_free(&c->after);
    buf_free(&c->queue);
    mem_free(c);
}

static void split_topic(struct connector *c, struct str topic)
{
    const char *mark =
        topic.len != 0 ? memmem(topic.data, topic.len, QUEUE_MARK.data, QUEUE_MARK.len) : NULL;
    size_t at = mark != NULL ? (size_t)(mark - topic.data) : topic.len;

    c->by_queue = mark != NULL;
    buf_put(&c->before, str_slice(topic, 0, at));
    buf_put(&c->after, str_slice(topic, at + QUEUE_MARK.len, topic.len));
}

static enum err_code contact_centre_open(const struct conf *conf, struct connector **out,
                                         struct err *err)
{
    struct str topic = conf_text(conf, "topic"), queue = conf_text(conf, "queue");
    struct connector *c = MEM_NEW(struct connector);

    *out = NULL;
    split_topic(c, topic);
    buf_put(&c->queue, queue);
    if (topic.len == 0 || !is_topic_part(buf_str(&c->before)) ||
        !is_topic_part(buf_str(&c->after)) || !is_topic_part(queue)) {
        contact_centre_close(c);
        return err_set(err, ERR_CONFIG,
                       "topic \"%.*s\" and queue \"%.*s\": letters, digits, . _ - and one {queue}",
                       STR_ARG(topic), STR_ARG(queue));
    }
    *out = c;
    return ERR_NONE;
}

/* The topic of a queue (empty: the default one); false: there can be none of that name. */
static bool find_topic(const struct connector *c, struct str queue, struct arena *arena,
                       struct str *out)
{
    if (queue.len == 0)
        queue = buf_str(&c->queue);
    if (!is_topic_part(queue) || (c->by_queue && queue.len == 0))
        return false;
    *out = arena_format(arena, "%.*s%.*s%.*s", STR_ARG(buf_str(&c->before)),
                        STR_ARG(c->by_queue ? queue : STR_EMPTY), STR_ARG(buf_str(&c->after)));
    return out->len <= TOPIC_BYTES_MAX && !str_is(*out, ".") && !str_is(*out, "..");
}

/* What a task and a withdrawal have in common.  Takes json. */
static enum delivery make_record(const struct connector *c, const struct event *event,
                                 struct str queue, struct buf *json, struct arena *arena,
                                 struct record *out, struct err *err)
{
    struct header *headers = NULL;
    enum delivery result = DELIVERY_REFUSED;

    *out = (struct record){.partition = -1, .timestamp_ms = event->time_ms};
    if (event->id.len == 0 || event->subject.len == 0) {
        err_set(err, ERR_PARSE, "contact centre: a task needs an id and a customer");
    } else if (!find_topic(c, queue, arena, &out->topic)) {
        err_set(err, ERR_CONFIG, "contact centre: queue \"%.*s\" cannot be part of a topic's name",
                STR_ARG(queue));
    } else {
        out->key = arena_str(arena, event->subject);
        out->value = arena_str(arena, buf_str(json));
        out->header_count = event_headers(event, arena, &headers);
        out->headers = headers;
        result = DELIVERY_ACCEPTED;
    }
    buf_free(json);
    return result;
}

static enum delivery contact_centre_task(struct connector *c, const struct task *task,
                                         struct arena *arena, struct record *out, struct err *err)
{
    const struct event event = {.id = task->id,
                                .source = EVENT_SOURCE,
                                .type = STR(TASK_CE_TYPE),
                                .subject = task->customer,
                                .partition_key = task->customer,
                                .traceparent = task->traceparent,
                                .time_ms = task->created_ms};
    struct buf json = {0};

    task_put_json(&json, task);
    return make_record(c, &event, task->queue, &json, arena, out, err);
}

static enum delivery contact_centre_withdrawal(struct connector *c, const struct withdrawal *w,
                                               struct arena *arena, struct record *out,
                                               struct err *err)
{
    struct str id = arena_format(arena, "%.*s-withdrawn", STR_ARG(w->task));
    const struct event event = {.id = w->task.len != 0 ? id : STR_EMPTY,
                                .source = EVENT_SOURCE,
                                .type = STR(WITHDRAWAL_CE_TYPE),
                                .subject = w->customer,
                                .partition_key = w->customer,
                                .time_ms = w->created_ms};
    struct buf json = {0};

    withdrawal_put_json(&json, w);
    return make_record(c, &event, w->queue, &json, arena, out, err);
}

const struct connector_class contact_centre_class = {
    .name = "contact_centre",
    .fields = fields,
    .guarantee = GUARANTEE_IDEMPOTENT,
    .open = contact_centre_open,
    .task_record = contact_centre_task,
    .withdrawal_record = contact_centre_withdrawal,
    .close = contact_centre_close,
};
