#include "core/clock.h"
#include "processors/cli/config.h"
#include "processors/cli/role.h"
#include "processors/dispatch/dispatch.h"

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

static enum err_code open_dispatch(const struct role_context *context, void **out, struct err *err)
{
    const struct conf *conf = context->conf;
    struct arena *arena = context->arena;
    struct config_topics topics = config_topics(conf, arena);
    struct dispatch_config *config = ARENA_NEW(arena, struct dispatch_config);
    struct dispatch *dispatch = NULL;
    enum err_code code;

    *config = (struct dispatch_config){
        .kafka = config_kafka(conf, "dispatch", arena),
        .group = config_group(conf, "dispatch", arena),
        .transactional_id = config_process_id(conf, "dispatch", arena),
        .tasks_topic = topics.tasks,
        .ledger_topic = topics.ledger,
        .outcomes_topic = topics.outcomes,
        .clock_ms = str_is(conf_text(conf, "time"), "log") ? NULL : clock_wall_ms,
        .keep_ms = conf_int(conf, "dispatch.keep"),
        .retry_ms = conf_int(conf, "dispatch.retry"),
    };
    config->channels = channels_of(conf, arena, &config->channel_count);
    code = dispatch_open(config, &dispatch, err);
    *out = dispatch;
    return code;
}

static enum err_code poll_dispatch(void *state, bool *again, struct err *err)
{
    (void)again; /* it joins its group again by itself */
    return dispatch_poll(state, ROLE_POLL_MS, err);
}

static void close_dispatch(void *state)
{
    dispatch_close(state);
}

const struct role_class role_dispatch = {
    .name = "dispatch",
    .open = open_dispatch,
    .poll = poll_dispatch,
    .close = close_dispatch,
};
