/* processors/cli/dlq_show.h - one dead letter, for a person or as JSON. */
#ifndef ATTENT_PROCESSORS_CLI_DLQ_SHOW_H
#define ATTENT_PROCESSORS_CLI_DLQ_SHOW_H

#include "processors/cli/dlq_letters.h"

/* Appended to out.  JSON: an object whose topic, key, headers and value are as `attent ingest --dry-run`
 * reads a record.  ERR_USAGE: there is no dead letter at this place. */
enum err_code dlq_show(const struct kafka_settings *kafka, const struct spot *at, bool json,
                       struct arena *arena, struct buf *out, struct err *err);

#endif
