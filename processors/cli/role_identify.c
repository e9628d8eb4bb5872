/* One worker: aliases are few beside events, and most events name their customer. */
#include "core/mem.h"
#include "core/metric.h"
#include "processors/cli/config.h"
#include "processors/cli/identities.h"
#include "processors/cli/role.h"
#include "processors/cli/skips.h"
#include "processors/identify/identify.h"
#include "processors/worker/worker.h"

enum { CACHE_PART = 4 }; /* of worker.cache_bytes */

struct identify_state {
    struct rules_topic *rules;
    struct metric_series *happened[IDENTIFY_HAPPENING_COUNT]; /* NULL: has not happened yet */
    struct arena *arena;
    struct identify_config step;
    struct worker_config config;
    const char *outputs[4]; /* by IDENTIFY_TOPIC_* */
    struct worker *worker;
};

static void count(void *context, enum identify_happening happening)
{
    struct identify_state *s = context;
    struct str what = str_of(identify_happening_text(happening));

    if (s->happened[happening] == NULL)
        s->happened[happening] = metric_series(METRIC_IDENTIFY_HAPPENED, &what, 1);
    metric_add(s->happened[happening], 1);
}

static const struct identity *find(void *context, struct str hash_hex, struct err *err)
{
    struct identify_state *s = context;

    return identities_find(s->rules, hash_hex, err);
}

static void close_identify(void *state)
{
    struct identify_state *s = state;

    worker_close(s->worker);
    arena_free(s->arena);
    mem_free(s);
}

/* Who writes numbered records to attent.identify: it itself. */
static const struct worker_source source = {"identify", IDENTIFY_TOPIC_OWN};

static void configure(struct identify_state *s, const struct role_context *context)
{
    const struct conf *conf = context->conf;
    struct config_topics topics = config_topics(conf, s->arena);
    bool log_time = str_is(conf_text(conf, "time"), "log");

    s->rules = context->rules;
    s->step = (struct identify_config){
        .find = find, .happened = count, .context = s, .partitions = topics.partitions};
    s->outputs[IDENTIFY_TOPIC_EVENTS] = topics.events;
    s->outputs[IDENTIFY_TOPIC_OWN] = topics.identify;
    s->outputs[IDENTIFY_TOPIC_DLQ] = topics.identify_dlq;
    s->config = (struct worker_config){
        .kafka = config_kafka(conf, "identify", s->arena),
        .group = config_group(conf, "identify", s->arena),
        .input = topics.identify,
        .outputs = s->outputs,
        .sources = &source,
        .source_count = 1,
        .redis = config_redis(conf),
        .skips = skips_of(conf, s->arena),
        .dlq = topics.identify_dlq,
        .time = log_time ? WORKER_TIME_LOG : WORKER_TIME_WALL,
        .batch_records_max = (size_t)conf_int(conf, "worker.batch_records"),
        .cache_bytes_max = (size_t)conf_int(conf, "worker.cache_bytes") / CACHE_PART,
    };
}

static enum err_code open_identify(const struct role_context *context, void **out, struct err *err)
{
    struct identify_state *s = MEM_NEW(struct identify_state);
    enum err_code code;

    s->arena = arena_new(0);
    configure(s, context);
    code = worker_open(&s->config, &identify_class, &s->step, &s->worker, err);
    if (code != ERR_NONE) {
        close_identify(s);
        return code;
    }
    *out = s;
    return ERR_NONE;
}

static enum err_code poll_identify(void *state, bool *again, struct err *err)
{
    struct identify_state *s = state;

    (void)again; /* it goes on by itself */
    return worker_poll(s->worker, ROLE_POLL_MS, err);
}

const struct role_class role_identify = {
    .name = "identify",
    .open = open_identify,
    .poll = poll_identify,
    .close = close_identify,
};
