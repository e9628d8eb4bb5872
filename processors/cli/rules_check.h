/* processors/cli/rules_check.h - all that `attent check` finds in a folder of rules, and that
 * `attent activate` asks for before it puts them in force.
 */
#ifndef ATTENT_PROCESSORS_CLI_RULES_CHECK_H
#define ATTENT_PROCESSORS_CLI_RULES_CHECK_H

#include "core/err.h"
#include "rules/moment/ruleset.h"

/* Compile, inspect, compare event schemas with those of `before` (NULL: with nothing), and read the tests; `strict`: run them, and what has to be proved is an error.
 * *set: NULL when it does not compile; with a set there may be errors in diags all the same.  Sorted.
 * Not ERR_NONE: a file could not be read at all. */
enum err_code rules_check(const char *dir, const struct bundle *bundle, const struct bundle *before,
                          bool strict, struct ruleset **set, struct diags *diags, struct err *err);

#endif
