/* processors/cli/check_tests.h - what the rule tests of a folder say about its moments, without running
 * them: for `attent check`.
 *
 *   no test, or one without a case       a finding (no-test)
 *   a case that expects silent: REASON   says that a doubtful thing is meant: its finding goes
 *
 * Running them is test_proof.h.
 */
#ifndef ATTENT_PROCESSORS_CLI_CHECK_TESTS_H
#define ATTENT_PROCESSORS_CLI_CHECK_TESTS_H

#include "core/err.h"
#include "rules/moment/ruleset.h"

/* `heard`: what is wrong in the test files themselves goes to diags too (where they are run, running
 * them says so).  Not ERR_NONE: a file could not be read at all. */
enum err_code check_tests(const char *dir, const struct bundle *bundle, bool heard,
                          struct diags *diags, struct err *err);

#endif
