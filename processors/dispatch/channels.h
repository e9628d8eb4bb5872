/* processors/dispatch/channels.h - the channels of the configuration: a name ("phone") and the
 * open connector behind it.  One thread at a time. */
#ifndef ATTENT_PROCESSORS_DISPATCH_CHANNELS_H
#define ATTENT_PROCESSORS_DISPATCH_CHANNELS_H

#include "connectors/channel.h"

struct channel_config {
    struct str name; /* as tasks say it: "phone" */
    const struct connector_class *class;
    const struct conf *conf; /* checked against the fields of that class */
};

struct channels;

/* Open every channel.  ERR_CONFIG: a name twice, or a connector that does not
 * give records (those need a ledger state of their own, which this version does not have). */
enum err_code channels_open(const struct channel_config *configs, size_t count,
                            struct channels **out, struct err *err);
void channels_close(struct channels *channels); /* NULL allowed */

/* The connector of a channel and its class; false: the configuration has no such channel. */
bool channels_find(const struct channels *channels, struct str name,
                   const struct connector_class **class, struct connector **connector);

#endif
