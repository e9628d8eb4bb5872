/* processors/cli/test_run.h - run one case of a rule test and compare what came with what was
 * expected.
 *
 * The case runs through the same engine as the service (processors/worker/offline.h): one
 * customer, a virtual clock, timers when they are due.  No I/O.
 */
#ifndef ATTENT_PROCESSORS_CLI_TEST_RUN_H
#define ATTENT_PROCESSORS_CLI_TEST_RUN_H

#include "processors/cli/test_file.h"
#include "rules/moment/ruleset.h"

enum test_verdict { TEST_PASSED, TEST_FAILED, TEST_WRONG /* diags say why it cannot be run */ };

/* report: on TEST_FAILED a text for people, lines indented by four; with `all` also when it
 * passed. */
enum test_verdict test_run_case(const struct ruleset *set, const struct test_case *c, bool all,
                                struct arena *arena, struct buf *report, struct diags *diags);

#endif
