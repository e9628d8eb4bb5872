/* tests/sim/dispatch_play.h - a run of dispatch: tasks as decide would write them, two or three processes,
 * receivers of each kind, and what is right of it in the end:
 *
 *   - every task has ended, and stays so;
 *   - the contact centre's queue has it once, and so has a receiver that knows our ids; at most once, or
 *     at least once, where that is what its channel promises;
 *   - the ledger says what the receivers saw: SENT is there, FAILED and EXPIRED are not;
 *   - nothing is called for a task whose withdrawal could be read some seconds before; none goes to the
 *     queue in one transaction with its withdrawal;
 *   - a channel calls for a customer's tasks in the order in which they were decided;
 *   - no outcome is told twice;
 *   - a record that does not follow from the one before is never taken.
 *
 * One thread.
 */
#ifndef TESTS_SIM_DISPATCH_PLAY_H
#define TESTS_SIM_DISPATCH_PLAY_H

#include "core/err.h"
#include "tests/sim/scheduler.h"

/* Begins and ends the run.  False: something is wrong, why says what. */
bool dispatch_play(const struct sim_plan *plan, struct err *why);

#endif
