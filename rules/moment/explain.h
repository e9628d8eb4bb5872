/* rules/moment/explain.h - a compiled moment in plain words: steps, gates, actions, what it reads.
 *
 * For `attent explain` and whoever reviews a moment.  Says what was compiled, not what was
 * written: defaults are filled in.
 */
#ifndef ATTENT_RULES_MOMENT_EXPLAIN_H
#define ATTENT_RULES_MOMENT_EXPLAIN_H

#include "rules/moment/ruleset.h"

/* code: show the bytecode of its conditions as well. */
void moment_explain(struct buf *out, const struct ruleset *set, const struct moment *moment,
                    bool code);

const char *consent_rule_name(enum consent_rule rule); /* "opt_out" */

#endif
