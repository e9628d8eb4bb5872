/* Does Kafka answer?  Consumers and producers wait a failure out in silence, because that is what
 * makes them come back by themselves; so somebody else has to ask, or /readyz would say "ready" of
 * roles that can do nothing. */
#include "core/clock.h"
#include "core/mem.h"
#include "core/readiness.h"
#include "processors/cli/config.h"
#include "processors/cli/role.h"

enum { ASK_MS = 2000 };

struct kafka_state {
    struct arena *arena;
    struct kafka_settings kafka;
    struct kafka_consumer *asking;
    const char *topic;
    int64_t next_mono_ms;
};

static void close_kafka(void *state)
{
    struct kafka_state *s = state;

    kafka_consumer_close(s->asking);
    arena_free(s->arena);
    mem_free(s);
}

static enum err_code open_kafka(const struct role_context *context, void **out, struct err *err)
{
    struct kafka_state *s = MEM_NEW(struct kafka_state);
    enum err_code code;

    s->arena = arena_new(0);
    s->kafka = config_kafka(context->conf, "ready", s->arena);
    s->topic = config_topics(context->conf, s->arena).events;
    code = kafka_consumer_open_alone(&s->kafka, NULL, 0, &s->asking, err);
    if (code != ERR_NONE) {
        close_kafka(s);
        return code;
    }
    *out = s;
    return ERR_NONE;
}

static enum err_code ask(struct kafka_state *s, struct err *err)
{
    int partitions = 0;
    enum err_code code = kafka_consumer_topic_partitions(s->asking, s->topic, &partitions, err);

    if (code == ERR_NONE && partitions == 0)
        return err_set(err, ERR_DOWN, "topic %s is not there", s->topic);
    if (code != ERR_NONE)
        err_prefix(err, "no answer from %s", s->kafka.brokers);
    return code;
}

static enum err_code poll_kafka(void *state, bool *again, struct err *err)
{
    struct kafka_state *s = state;
    enum err_code code;

    (void)again;
    clock_sleep_ms(ROLE_POLL_MS);
    if (clock_mono_ms() < s->next_mono_ms)
        return ERR_NONE;
    code = ask(s, err);
    s->next_mono_ms = clock_mono_ms() + ASK_MS;
    readiness_set("kafka", code == ERR_NONE, code == ERR_NONE ? NULL : err->text);
    return code;
}

const struct role_class role_kafka = {
    .name = "kafka",
    .open = open_kafka,
    .poll = poll_kafka,
    .close = close_kafka,
};
