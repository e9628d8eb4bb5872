/* processors/cli/test_coverage.h - what the cases of rule tests have reached of the rules.
 *
 *   a step was done, an entry of `withdraw` matched, an action became a task, an outcome that an
 *   action lists came, a condition was true and was not, an instance ended for a reason
 *
 * A condition joined by && or || counts by its parts (rules/moment/parts.c), each of which has to go
 * both ways.  Things are told apart by their places in the files, so a case with `only:`, which runs with a rule set of its
 * own, counts for the same moments.
 */
#ifndef ATTENT_PROCESSORS_CLI_TEST_COVERAGE_H
#define ATTENT_PROCESSORS_CLI_TEST_COVERAGE_H

#include "core/buf.h"
#include "processors/cli/test_run.h"
#include "processors/decide/scope.h"

struct coverage;

struct coverage *coverage_new(void);
void coverage_free(struct coverage *coverage); /* NULL allowed */

/* The rules of a folder, from now on those that cases run with.  Borrowed until the next call. */
void coverage_use(struct coverage *coverage, const char *dir, const struct ruleset *set,
                  const struct bundle *bundle);
/* The same rules, some moments left out. */
void coverage_bind(struct coverage *coverage, const struct ruleset *set);

/* A file of this moment was asked for: the report is of it, and of others so named. */
void coverage_only(struct coverage *coverage, struct str moment);

/* What the run of a case tells. */
void coverage_did(struct coverage *coverage, const struct decide_did *did);
void coverage_asked(struct coverage *coverage, struct scope *scope, int moment,
                    const struct cel_program *program, struct value v);
void coverage_outcome(struct coverage *coverage, const struct task *task, struct str code);
void coverage_came(struct coverage *coverage, const struct test_story *result);

/* For people: a table of the moments, then each thing that was not reached, with its line. */
void coverage_put(struct coverage *coverage, struct buf *out, bool colours);
/* One object a line: everything, reached or not. */
void coverage_put_json(struct coverage *coverage, struct buf *out);

#endif
