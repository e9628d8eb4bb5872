/* processors/cli/role_ingest.h - what ingest reads and checks by, for verbs that try it. */
#ifndef ATTENT_PROCESSORS_CLI_ROLE_INGEST_H
#define ATTENT_PROCESSORS_CLI_ROLE_INGEST_H

#include "core/conf.h"
#include "processors/ingest/ingest.h"
#include "rules/moment/ruleset.h"

/* The sources of the configuration, and the outcomes, which are always one.  In arena. */
struct ingest_source *ingest_sources_of(const struct conf *conf, const char *outcomes,
                                        struct arena *arena, size_t *count);

/* The event types of a bundle, and those built in that it does not bring.  NULL: err says why. */
struct event_types *ingest_types_of(const struct bundle *bundle, struct arena *arena,
                                    struct err *err);

#endif
