/* processors/cli/identities.h - identity.yaml of a rule set of attent.rules. */
#ifndef ATTENT_PROCESSORS_CLI_IDENTITIES_H
#define ATTENT_PROCESSORS_CLI_IDENTITIES_H

#include "core/err.h"
#include "schemas/identity.h"

/* Fits identify_config.find with context = the struct rules_topic. */
const struct identity *identities_find(void *rules, struct str hash_hex, struct err *err);

#endif
