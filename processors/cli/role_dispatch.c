#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "processors/cli/config.h"
#include "processors/cli/role.h"
#include "processors/cli/skips.h"
#include "processors/decide/decide.h"
#include "processors/dispatch/dispatch.h"
#include "processors/dispatch/outbox.h"
#include "processors/dispatch/receiver.h"
#include "processors/worker/lost.h"
#include "processors/worker/redis_store.h"

struct dispatch_state {
    struct dispatch *dispatch;
    struct redis_settings redis;
    struct store *store; /* the states of decide; NULL: not asked yet */
    struct ledger_view *view;
    struct outbox *outbox;
    struct receiver *receiver; /* NULL: not in this process */
};

static struct channel_config *channels_of(const struct conf *conf, struct arena *arena,
                                          size_t *count)
{
    struct channel_config *channels;

    *count = conf_count(conf, "channels");
    channels = ARENA_ARRAY(arena, struct channel_config, *count + 1);
    for (size_t i = 0; i < *count; i++) {
        const struct conf *item = conf_item(conf, "channels", i);
        channels[i] = (struct channel_config){.name = conf_item_name(conf, "channels", i),
                                              .class = channel_find(conf_text(item, "connector")),
                                              .conf = item};
    }
    return channels;
}

static const struct links *links_of(const struct conf *conf, struct arena *arena)
{
    struct links *links = ARENA_NEW(arena, struct links);

    *links = (struct links){.public_url = conf_text(conf, "receiver.public_url"),
                            .key = conf_text(conf, "receiver.key"),
                            .unsubscribe_valid_ms = conf_int(conf, "receiver.unsubscribe_valid")};
    return links;
}

static struct dispatch_config *config_of(const struct role_context *context)
{
    const struct conf *conf = context->conf;
    struct arena *arena = context->arena;
    struct config_topics topics = config_topics(conf, arena);
    struct dispatch_config *config = ARENA_NEW(arena, struct dispatch_config);

    *config = (struct dispatch_config){
        .kafka = config_kafka(conf, "dispatch", arena),
        .group = config_group(conf, "dispatch", arena),
        .transactional_id = config_process_id(conf, "dispatch", arena),
        .tasks_topic = topics.tasks,
        .ledger_topic = topics.ledger,
        .outcomes_topic = topics.outcomes,
        .dlq_topic = arena_format(arena, "%s.dlq", topics.outcomes).data,
        .skips = skips_of(conf, arena),
        .rules_topic = topics.rules,
        .links = links_of(conf, arena),
        .clock_ms = str_is(conf_text(conf, "time"), "log") ? NULL : clock_wall_ms,
        .keep_ms = conf_int(conf, "dispatch.keep"),
        .retry_ms = conf_int(conf, "dispatch.retry"),
    };
    config->channels = channels_of(conf, arena, &config->channel_count);
    return config;
}

static struct ledger_view *open_view(const struct role_context *context)
{
    struct ledger_view_config *config = ARENA_NEW(context->arena, struct ledger_view_config);

    *config =
        (struct ledger_view_config){.redis = config_redis(context->conf),
                                    .prefix = config_view_prefix(context->conf, context->arena),
                                    .key = conf_text(context->conf, "receiver.key")};
    return ledger_view_open(config);
}

/* --- decide's states ------------------------------------------------------------------------------ */

/* Asked only when a task has been missing for a minute. */
static bool is_counted(void *context, const struct gap *gap, int32_t partition)
{
    struct dispatch_state *s = context;

    if (s->store == NULL && redis_store_open(&s->redis, &s->store, NULL) != ERR_NONE)
        return false;
    return lost_is_counted(s->store, gap, DECIDE_TOPIC_TASKS, partition);
}

/* --- the receiver -------------------------------------------------------------------------------- */

static enum err_code keep(void *context, const struct record *records, size_t count,
                          struct err *err)
{
    struct dispatch_state *s = context;

    return outbox_write(s->outbox, records, count, err);
}

static enum err_code customer_of(void *context, struct str channel, struct str address,
                                 struct arena *arena, struct str *out, struct err *err)
{
    struct dispatch_state *s = context;

    return ledger_view_customer_of(s->view, channel, address, arena, out, err);
}

static enum err_code open_receiver(struct dispatch_state *s, const struct role_context *context,
                                   const struct dispatch_config *dispatch, struct err *err)
{
    struct str address = conf_text(context->conf, "receiver.address");
    struct receiver_config *config = ARENA_NEW(context->arena, struct receiver_config);
    enum err_code code;

    if (address.len == 0)
        return ERR_NONE;
    *config = (struct receiver_config){
        .address = address.data,
        .threads = (unsigned)conf_int(context->conf, "receiver.threads"),
        .links = dispatch->links,
        .channels = dispatch->channels,
        .channel_count = dispatch->channel_count,
        .outcomes_topic = dispatch->outcomes_topic,
        .dlq_topic = dispatch->dlq_topic,
        .tasks_topic = dispatch->tasks_topic,
        .clock_ms = clock_wall_ms,
        .keep = keep,
        .customer_of = customer_of,
        .context = s,
    };
    s->outbox = outbox_open(&dispatch->kafka);
    code = receiver_open(config, &s->receiver, err);
    if (code == ERR_NONE)
        log_info("receiver", "listening", LOG_TEXT("address", address.data),
                 LOG_INT("port", receiver_port(s->receiver)), LOG_END);
    return code;
}

/* --- the role ------------------------------------------------------------------------------------ */

static void close_dispatch(void *state)
{
    struct dispatch_state *s = state;

    receiver_close(s->receiver);
    outbox_close(s->outbox);
    dispatch_close(s->dispatch);
    ledger_view_close(s->view);
    if (s->store != NULL)
        s->store->class->close(s->store);
    mem_free(s);
}

static enum err_code open_dispatch(const struct role_context *context, void **out, struct err *err)
{
    struct dispatch_config *config = config_of(context);
    struct dispatch_state *s = MEM_NEW(struct dispatch_state);
    enum err_code code = links_check(config->links, err);

    s->redis = config_redis(context->conf);
    config->is_counted = is_counted;
    config->context = s;
    s->view = config->view = open_view(context);
    if (code == ERR_NONE)
        code = dispatch_open(config, &s->dispatch, err);
    if (code == ERR_NONE)
        code = open_receiver(s, context, config, err);
    if (code != ERR_NONE) {
        close_dispatch(s);
        s = NULL;
    }
    *out = s;
    return code;
}

static enum err_code poll_dispatch(void *state, bool *again, struct err *err)
{
    struct dispatch_state *s = state;

    (void)again; /* it joins its group again by itself */
    return dispatch_poll(s->dispatch, ROLE_POLL_MS, err);
}

const struct role_class role_dispatch = {
    .name = "dispatch",
    .open = open_dispatch,
    .poll = poll_dispatch,
    .close = close_dispatch,
};
