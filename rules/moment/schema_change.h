/* rules/moment/schema_change.h - which moments a change of event schemas breaks.
 *
 * A schema is a promise to rules.  What it takes back (a field, its type, a value, that it is always
 * there) is a finding where a moment, or a fact, reads it; with the names of those who do.
 */
#ifndef ATTENT_RULES_MOMENT_SCHEMA_CHANGE_H
#define ATTENT_RULES_MOMENT_SCHEMA_CHANGE_H

#include "rules/moment/ruleset.h"

/* Findings go to diags; places name the files of `after`, without a folder.  set: what `after` compiles
 * to; NULL: it does not, and who reads what is taken from `before`, for the moments that are still
 * there. */
void ruleset_compare_schemas(const struct bundle *before, const struct bundle *after,
                             const struct ruleset *set, struct diags *diags);

#endif
