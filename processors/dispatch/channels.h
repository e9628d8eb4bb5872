/* processors/dispatch/channels.h - the channels of the configuration: a name ("phone") and the
 * open connector behind it.  One thread at a time. */
#ifndef ATTENT_PROCESSORS_DISPATCH_CHANNELS_H
#define ATTENT_PROCESSORS_DISPATCH_CHANNELS_H

#include "connectors/channel.h"
#include "processors/dispatch/gate.h"

struct channel_config {
    struct str name; /* as tasks say it: "phone" */
    const struct connector_class *class;
    const struct conf *conf; /* checked against channel_options.def and the fields of that class */
};

struct channel {
    const char *name;
    size_t index; /* in the order of the configuration */
    const struct connector_class *class;
    const struct conf *conf;
    struct connector *connector; /* for records; a channel that delivers is opened by its senders */
    struct gate_options options; /* of one that delivers */
    struct gate *gate;           /* likewise */
};

struct channels;

/* Open every channel (conf is borrowed for as long).  ERR_CONFIG: a name twice, an option that the
 * connector does not take, or that it has no use for. */
enum err_code channels_open(const struct channel_config *configs, size_t count,
                            struct channels **out, struct err *err);
void channels_close(struct channels *channels); /* NULL allowed */

const struct channel *channels_find(const struct channels *channels, struct str name); /* or NULL */
size_t channels_count(const struct channels *channels);
const struct channel *channels_at(const struct channels *channels, size_t index);

#endif
