#include "processors/dispatch/channels.h"

#include "core/mem.h"

struct channel {
    char *name;
    const struct connector_class *class;
    struct connector *connector;
};

struct channels {
    struct channel *items;
    size_t count;
};

static const struct channel *find(const struct channels *channels, struct str name)
{
    for (size_t i = 0; i < channels->count; i++)
        if (str_is(name, channels->items[i].name))
            return &channels->items[i];
    return NULL;
}

static enum err_code open_channel(struct channels *channels, const struct channel_config *config,
                                  struct err *err)
{
    struct channel *channel = &channels->items[channels->count];
    const struct connector_class *class = config->class;
    enum err_code code;

    if (class->task_record == NULL)
        return err_set(err, ERR_CONFIG,
                       "channel %.*s: connector %s delivers by itself, and dispatch can only write"
                       " to topics",
                       STR_ARG(config->name), class->name);
    if (find(channels, config->name) != NULL)
        return err_set(err, ERR_CONFIG, "channel %.*s is there twice", STR_ARG(config->name));
    code = class->open(config->conf, &channel->connector, err);
    if (code != ERR_NONE) {
        err_prefix(err, "channel %.*s", STR_ARG(config->name));
        return code;
    }
    channel->class = class;
    channel->name = mem_copy_text(config->name.data, config->name.len);
    channels->count++;
    return ERR_NONE;
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
        mem_free(channels->items[i].name);
    }
    mem_free(channels->items);
    mem_free(channels);
}

bool channels_find(const struct channels *channels, struct str name,
                   const struct connector_class **class, struct connector **connector)
{
    const struct channel *channel = find(channels, name);

    if (channel == NULL)
        return false;
    *class = channel->class;
    *connector = channel->connector;
    return true;
}
