/* processors/cli/rules_folder.h - a folder of rules as a bundle.
 *
 *   DIR/facts.yaml  DIR/policy.yaml  DIR/moments/NAME.yaml  DIR/schemas/events/TYPE.json
 *
 * Each may be missing.  Schemas are looked for in DIR, beside it and above it; the first folder
 * found counts.  Tests (NAME_test.yaml) are no part of a bundle.
 */
#ifndef ATTENT_PROCESSORS_CLI_RULES_FOLDER_H
#define ATTENT_PROCESSORS_CLI_RULES_FOLDER_H

#include "core/err.h"
#include "rules/moment/ruleset.h"

/* Everything lives in arena.  ERR_IO: the folder is not there, has no moments, no facts and no
 * policy, or a file cannot be read. */
enum err_code rules_folder_read(const char *dir, struct arena *arena, struct bundle *out,
                                struct err *err);

/* Where the file of a bundle (its name) is really read from: schemas may lie outside of dir. */
struct str rules_folder_path(const char *dir, struct str file, struct arena *arena);

/* Paths of the tests, DIR/moments/NAME_test.yaml, sorted; none is fine. */
enum err_code rules_folder_tests(const char *dir, struct arena *arena, struct str **paths,
                                 size_t *count, struct err *err);

/* Compile a bundle of this folder; the places of findings are what a person can open. */
struct ruleset *rules_folder_compile(const char *dir, const struct bundle *bundle,
                                     struct diags *diags);
/* The same, and what compiles but cannot be meant (ruleset_check). */
struct ruleset *rules_folder_check(const char *dir, const struct bundle *bundle,
                                   struct diags *diags);
/* Places of findings from number `from` on name files of the bundle: name what a person can open. */
void rules_folder_name_files(const char *dir, struct diags *diags, size_t from);

#endif
