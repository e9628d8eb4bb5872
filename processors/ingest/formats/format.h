/* processors/ingest/formats/format.h - how records of a source are read.  Pure: no Kafka, no clock. */
#ifndef ATTENT_PROCESSORS_INGEST_FORMATS_FORMAT_H
#define ATTENT_PROCESSORS_INGEST_FORMATS_FORMAT_H

#include "processors/ingest/formats/message.h"

struct format {
    const char *name; /* after `mode:` in the configuration */

    /* What the record says, or what is wrong with it.  options: what the format takes of a source's
     * configuration, see its folder.  Texts live in arena or are borrowed from record and options.
     * A record without a value that is no event: EVENT_EMPTY. */
    enum event_fault (*decode)(const void *options, const struct record *record,
                               struct arena *arena, struct message *out, struct err *err);
};

extern const struct format cloudevents_format; /* options: none */
extern const struct format json_format;        /* options: struct mapping */

const struct format *format_find(struct str name); /* NULL: there is none */

#endif
