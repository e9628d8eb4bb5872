/* Each thread is a worker of its own: another member of the group, with its share of the cache. */
#include "core/mem.h"
#include "processors/cli/config.h"
#include "processors/cli/decide_counted.h"
#include "processors/cli/role.h"
#include "processors/cli/rules_topic.h"
#include "processors/cli/skips.h"
#include "processors/identify/identify.h"
#include "processors/worker/worker.h"

struct decide_state {
    struct arena *arena;
    struct decide_config step;
    struct worker_config config;
    const char *outputs[DECIDE_TOPIC_COUNT + 1]; /* by DECIDE_TOPIC_*; NULL at the end */
    struct worker *worker;
};

static int thread_count(const struct conf *conf)
{
    return (int)conf_int(conf, "worker.threads");
}

static void close_decide(void *state)
{
    struct decide_state *s = state;

    worker_close(s->worker);
    arena_free(s->arena);
    mem_free(s);
}

/* Who writes numbered records to attent.events. */
static const struct worker_source sources[] = {{"identify", IDENTIFY_TOPIC_EVENTS},
                                               {"decide", DECIDE_TOPIC_EVENTS}};

static void configure(struct decide_state *s, const struct role_context *context)
{
    const struct conf *conf = context->conf;
    struct config_topics topics = config_topics(conf, s->arena);
    bool log_time = str_is(conf_text(conf, "time"), "log");

    s->step = (struct decide_config){.find = rules_topic_find,
                                     .context = context->rules,
                                     .watermarks_follow = log_time,
                                     .partitions = topics.partitions};
    s->outputs[DECIDE_TOPIC_TASKS] = topics.tasks;
    s->outputs[DECIDE_TOPIC_DECISIONS] = topics.decisions;
    s->outputs[DECIDE_TOPIC_EVENTS] = topics.events;
    s->config = (struct worker_config){
        .kafka = config_kafka(conf, "decide", s->arena),
        .group = config_group(conf, "decide", s->arena),
        .input = topics.events,
        .outputs = s->outputs,
        .sources = sources,
        .source_count = sizeof sources / sizeof sources[0],
        .redis = config_redis(conf),
        .skips = skips_of(conf, s->arena),
        .dlq = topics.events_dlq,
        .time = log_time ? WORKER_TIME_LOG : WORKER_TIME_WALL,
        .batch_records_max = (size_t)conf_int(conf, "worker.batch_records"),
        .cache_bytes_max = (size_t)conf_int(conf, "worker.cache_bytes") / (size_t)context->threads,
    };
}

static enum err_code open_decide(const struct role_context *context, void **out, struct err *err)
{
    struct decide_state *s = MEM_NEW(struct decide_state);
    enum err_code code;

    s->arena = arena_new(0);
    configure(s, context);
    code = worker_open(&s->config, &decide_counted_class, &s->step, &s->worker, err);
    if (code != ERR_NONE) {
        close_decide(s);
        return code;
    }
    *out = s;
    return ERR_NONE;
}

static enum err_code poll_decide(void *state, bool *again, struct err *err)
{
    struct decide_state *s = state;

    (void)again; /* it goes on by itself */
    return worker_poll(s->worker, ROLE_POLL_MS, err);
}

const struct role_class role_decide = {
    .name = "decide",
    .threads = thread_count,
    .open = open_decide,
    .poll = poll_decide,
    .close = close_decide,
};
