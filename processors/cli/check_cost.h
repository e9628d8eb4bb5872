/* processors/cli/check_cost.h - attent check --cost: bytes per customer, of each fact and moment. */
#ifndef ATTENT_PROCESSORS_CLI_CHECK_COST_H
#define ATTENT_PROCESSORS_CLI_CHECK_COST_H

#include "core/buf.h"
#include "rules/moment/ruleset.h"

/* A table for people, or one JSON object a line; the last is the sum. */
void check_cost_put(struct buf *out, const struct ruleset *set, bool json);

#endif
