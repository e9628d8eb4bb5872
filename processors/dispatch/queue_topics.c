#include "processors/dispatch/queue_topics.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"

enum {
    THERE_MS = 60000,  /* how long "it is there" is believed */
    MISSING_MS = 5000, /* ... "it is not" */
    ANSWERS_MAX = 500, /* names of queues come from tasks: keep few */
};

struct answer {
    char *topic;
    bool there;
    int64_t until_mono_ms;
};

struct queue_topics {
    struct answer *answers;
    size_t count, capacity;
};

struct queue_topics *queue_topics_new(void)
{
    return MEM_NEW(struct queue_topics);
}

void queue_topics_forget(struct queue_topics *t)
{
    for (size_t i = 0; i < t->count; i++)
        mem_free(t->answers[i].topic);
    t->count = 0;
}

void queue_topics_free(struct queue_topics *t)
{
    if (t == NULL)
        return;
    queue_topics_forget(t);
    mem_free(t->answers);
    mem_free(t);
}

/* The answer kept for a topic, a new and outdated one if there is none. */
static struct answer *find(struct queue_topics *t, struct str topic)
{
    for (size_t i = 0; i < t->count; i++)
        if (str_is(topic, t->answers[i].topic))
            return &t->answers[i];
    if (t->count >= ANSWERS_MAX)
        queue_topics_forget(t);
    MEM_RESERVE(t->answers, t->count, t->capacity);
    t->answers[t->count] = (struct answer){.topic = mem_copy_text(topic.data, topic.len)};
    return &t->answers[t->count++];
}

bool queue_topics_ask(struct queue_topics *t, struct kafka_consumer *asked, struct str topic)
{
    struct answer *a = find(t, topic);
    int64_t now_ms = clock_mono_ms();
    int partitions = 0;

    if (now_ms < a->until_mono_ms)
        return a->there;
    if (kafka_consumer_topic_partitions(asked, a->topic, &partitions, NULL) != ERR_NONE)
        return true;
    a->there = partitions > 0;
    a->until_mono_ms = now_ms + (a->there ? THERE_MS : MISSING_MS);
    if (!a->there)
        log_warn("dispatch", "the topic of a queue is not there: its tasks wait",
                 LOG_STR("topic", topic), LOG_END);
    return a->there;
}
