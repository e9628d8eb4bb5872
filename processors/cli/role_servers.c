/* Do Kafka and Redis answer?  Consumers and producers wait a failure out in silence, because that is
 * what makes them come back by themselves, and Redis is asked only when there is something to
 * commit: so somebody else has to ask, or /readyz would say "ready" of roles that can do nothing.
 */
#include "connectors/redis/redis.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/readiness.h"
#include "processors/cli/config.h"
#include "processors/cli/role.h"

enum { ASK_MS = 2000 };

struct server { /* of the two only one is used */
    const char *name;
    enum err_code (*ask)(struct server *s, struct err *err);
    int64_t next_mono_ms;

    struct arena *arena;
    struct kafka_settings kafka;
    struct kafka_consumer *consumer;
    const char *topic;

    struct redis_settings redis_settings;
    struct redis *redis; /* NULL: not connected */
};

static void close_server(void *state)
{
    struct server *s = state;

    kafka_consumer_close(s->consumer);
    redis_close(s->redis);
    arena_free(s->arena);
    mem_free(s);
}

static enum err_code poll_server(void *state, bool *again, struct err *err)
{
    struct server *s = state;
    enum err_code code;

    (void)again;
    clock_sleep_ms(ROLE_POLL_MS);
    if (clock_mono_ms() < s->next_mono_ms)
        return ERR_NONE;
    code = s->ask(s, err);
    s->next_mono_ms = clock_mono_ms() + ASK_MS;
    readiness_set(s->name, code == ERR_NONE, code == ERR_NONE ? NULL : err->text);
    return code;
}

/* --- Kafka -------------------------------------------------------------------------------------- */

static enum err_code ask_kafka(struct server *s, struct err *err)
{
    int partitions = 0;
    enum err_code code = kafka_consumer_topic_partitions(s->consumer, s->topic, &partitions, err);

    if (code == ERR_NONE && partitions == 0)
        return err_set(err, ERR_DOWN, "topic %s is not there", s->topic);
    if (code != ERR_NONE)
        err_prefix(err, "no answer from %s", s->kafka.brokers);
    return code;
}

static enum err_code open_kafka(const struct role_context *context, void **out, struct err *err)
{
    struct server *s = MEM_NEW(struct server);
    enum err_code code;

    s->name = "kafka";
    s->ask = ask_kafka;
    s->arena = arena_new(0);
    s->kafka = config_kafka(context->conf, "ready", s->arena);
    s->topic = config_topics(context->conf, s->arena).events;
    code = kafka_consumer_open_alone(&s->kafka, NULL, 0, &s->consumer, err);
    if (code != ERR_NONE) {
        close_server(s);
        return code;
    }
    *out = s;
    return ERR_NONE;
}

/* --- Redis -------------------------------------------------------------------------------------- */

static enum err_code ask_redis(struct server *s, struct err *err)
{
    enum err_code code = ERR_NONE;

    if (s->redis == NULL)
        code = redis_open(&s->redis_settings, &s->redis, err);
    if (code == ERR_NONE)
        code = redis_check(s->redis, err);
    return code == ERR_CONFIG ? ERR_REDIS : code; /* whose work it is says whether it ends */
}

static enum err_code open_redis(const struct role_context *context, void **out, struct err *err)
{
    struct server *s = MEM_NEW(struct server);

    (void)err;
    s->name = "redis";
    s->ask = ask_redis;
    s->redis_settings = config_redis(context->conf);
    *out = s;
    return ERR_NONE;
}

const struct role_class role_kafka = {
    .name = "kafka",
    .open = open_kafka,
    .poll = poll_server,
    .close = close_server,
};

const struct role_class role_redis = {
    .name = "redis",
    .open = open_redis,
    .poll = poll_server,
    .close = close_server,
};
