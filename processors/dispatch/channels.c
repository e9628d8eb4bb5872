#include "processors/dispatch/channels.h"

#include "core/check.h"
#include "core/mem.h"

struct channels {
    struct channel *items;
    size_t count;
};

const struct channel *channels_find(const struct channels *channels, struct str name)
{
    for (size_t i = 0; i < channels->count; i++)
        if (str_is(name, channels->items[i].name))
            return &channels->items[i];
    return NULL;
}

size_t channels_count(const struct channels *channels)
{
    return channels->count;
}

const struct channel *channels_at(const struct channels *channels, size_t index)
{
    CHECK(index < channels->count);
    return &channels->items[index];
}

/* What a channel that delivers may be told, and what nobody reads of one that gives records. */
static enum err_code read_options(struct channel *channel, struct err *err)
{
    static const char *const delivering[] = {
#define CONF(path, ...) path,
#include "processors/dispatch/channel_options.def"
#undef CONF
    };

    if (channel->class->deliver != NULL) {
        enum err_code code = gate_options_read(channel->conf, &channel->options, err);
        channel->gate = gate_new(&channel->options);
        return code;
    }
    for (size_t i = 0; i < sizeof delivering / sizeof delivering[0]; i++)
        if (conf_has(channel->conf, delivering[i]) &&
            conf_place(channel->conf, delivering[i]).file != NULL)
            return err_set(err, ERR_CONFIG, "%s has no meaning: %s is written in a transaction",
                           delivering[i], channel->class->name);
    return ERR_NONE;
}

/* One that delivers is opened once here, so that a wrong option stops the start. */
static enum err_code open_connector(struct channel *channel, struct err *err)
{
    enum err_code code = channel->class->open(channel->conf, &channel->connector, err);

    if (code == ERR_NONE && channel->class->deliver != NULL) {
        channel->class->close(channel->connector);
        channel->connector = NULL;
    }
    return code;
}

static enum err_code open_channel(struct channels *channels, const struct channel_config *config,
                                  struct err *err)
{
    struct channel *channel = &channels->items[channels->count];
    enum err_code code;

    if (channels_find(channels, config->name) != NULL)
        return err_set(err, ERR_CONFIG, "channel %.*s is there twice", STR_ARG(config->name));
    *channel = (struct channel){.name = mem_copy_text(config->name.data, config->name.len),
                                .index = channels->count++,
                                .class = config->class,
                                .conf = config->conf};
    code = read_options(channel, err);
    if (code == ERR_NONE)
        code = open_connector(channel, err);
    if (code != ERR_NONE)
        err_prefix(err, "channel %.*s", STR_ARG(config->name));
    return code;
}

enum err_code channels_open(const struct channel_config *configs, size_t count,
                            struct channels **out, struct err *err)
{
    struct channels *channels = MEM_NEW(struct channels);
    enum err_code code = ERR_NONE;

    *out = NULL;
    channels->items = mem_alloc((count + 1) * sizeof *channels->items);
    for (size_t i = 0; i < count && code == ERR_NONE; i++)
        code = open_channel(channels, &configs[i], err);
    if (code != ERR_NONE) {
        channels_close(channels);
        return code;
    }
    *out = channels;
    return ERR_NONE;
}

void channels_close(struct channels *channels)
{
    if (channels == NULL)
        return;
    for (size_t i = 0; i < channels->count; i++) {
        channels->items[i].class->close(channels->items[i].connector);
        gate_free(channels->items[i].gate);
        mem_free((void *)channels->items[i].name);
    }
    mem_free(channels->items);
    mem_free(channels);
}
