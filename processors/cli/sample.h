/* processors/cli/sample.h - what verbs that try records have in common: by what they are read, and where
 * they come from.
 */
#ifndef ATTENT_PROCESSORS_CLI_SAMPLE_H
#define ATTENT_PROCESSORS_CLI_SAMPLE_H

#include "processors/cli/cli.h"
#include "processors/cli/ingest_lines.h"

/* With a configuration (-c, -s, ./attent.yaml): its sources and the event types of rules.folder, in the
 * command's arena.  Without: nothing. */
enum err_code sample_configure(const struct command *c, struct ingest_trial *trial,
                               struct err *err);

/* The newest records of a topic, as many as --count says (100). */
enum err_code sample_topic(const struct command *c, const char *topic,
                           enum err_code (*record)(void *context, const struct record *record,
                                                   struct err *err),
                           void *context, struct err *err);

#endif
