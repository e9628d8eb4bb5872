/* tests/sim/chain_rules.h - two small rule sets for the play of identify and decide, compiled once per
 * process of the OS.  Spans are seconds, so that a run of a minute sees timers, holds, waits and ends. */
#ifndef TESTS_SIM_CHAIN_RULES_H
#define TESTS_SIM_CHAIN_RULES_H

#include "rules/moment/ruleset.h"

enum { CHAIN_RULE_SETS = 2 };

void chain_rules_prepare(void);
const struct ruleset *chain_rules(size_t index);
const struct ruleset *chain_rules_find(void *context, struct str hash_hex, struct err *err);
const struct identity *chain_rules_identity(void *context, struct str hash_hex, struct err *err);

#endif
