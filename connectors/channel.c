#include "connectors/channel.h"

#define CHANNEL(class) extern const struct connector_class class##_class;
#include "connectors/channels.def"
#undef CHANNEL

static const struct connector_class *const classes[] = {
#define CHANNEL(class) &class##_class,
#include "connectors/channels.def"
#undef CHANNEL
};
enum { CLASS_COUNT = sizeof classes / sizeof classes[0] };

const struct connector_class *channel_find(struct str name)
{
    for (size_t i = 0; i < CLASS_COUNT; i++)
        if (str_is(name, classes[i]->name))
            return classes[i];
    return NULL;
}

const struct connector_class *channel_at(size_t index)
{
    return index < CLASS_COUNT ? classes[index] : NULL;
}
