/* processors/cli/test_proof.h - does each moment have a case that shows it speaking, and one that
 * shows it silent?  For `attent check --strict`.
 */
#ifndef ATTENT_PROCESSORS_CLI_TEST_PROOF_H
#define ATTENT_PROCESSORS_CLI_TEST_PROOF_H

#include "core/err.h"
#include "processors/cli/test_run.h"

/* Run all tests of a folder.  Findings: a test that cannot be read, a case that fails (unless it is
 * marked todo), a moment without a passing case in which a task of it comes, or without one in which
 * none comes.  Not ERR_NONE: a file could not be read at all. */
enum err_code test_prove(const char *dir, const struct bundle *bundle, const struct ruleset *set,
                         struct diags *diags, struct err *err);

/* The rule set that a case with `only:` runs with: the bundle without the other moments.  NULL:
 * diags say why. */
struct ruleset *test_case_set(const char *dir, const struct bundle *bundle,
                              const struct ruleset *set, const struct test_case *c,
                              struct arena *arena, struct diags *diags);

#endif
