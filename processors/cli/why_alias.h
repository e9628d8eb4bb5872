/* processors/cli/why_alias.h - attent why --alias: what became of the events that name an alias, and which
 * binding said whose they are.
 *
 * The alias's partition of attent.identify is identified again, from its first record, and what concerns
 * the alias is told; nothing is written.
 */
#ifndef ATTENT_PROCESSORS_CLI_WHY_ALIAS_H
#define ATTENT_PROCESSORS_CLI_WHY_ALIAS_H

#include "processors/cli/cli.h"

/* Prints the last lines; 0: all of them. */
enum err_code why_alias(const struct command *c, const char *alias, size_t last, struct err *err);

#endif
