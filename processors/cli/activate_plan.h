/* processors/cli/activate_plan.h - what an activation would do, without doing it.
 *
 *   ~ moments/brake-pads.yaml
 *
 *   brake-pads: other steps from step 2 on, no on_change: who stands before that goes on, ...
 *     12 under way: 9 go on, 3 end; 2 tasks are taken back
 *          9  go on: the steps up to there are the same
 *          3  end: the steps up to there are others now
 *
 * Who is under way is counted in the states that Redis holds now, by the function that decide settles
 * it with (decide/adopt.h).  Reads only; events that come meanwhile may or may not be in the counts.
 */
#ifndef ATTENT_PROCESSORS_CLI_ACTIVATE_PLAN_H
#define ATTENT_PROCESSORS_CLI_ACTIVATE_PLAN_H

#include "processors/cli/cli.h"
#include "rules/moment/ruleset.h"

/* Print it to standard output; how far it is to standard error, when it takes long.  name: of the
 * rules, "rules/".  The exit code: EXIT_FINDINGS if states could not be read. */
int activate_plan(const struct command *c, const struct bundle *bundle, const char *name);

#endif
