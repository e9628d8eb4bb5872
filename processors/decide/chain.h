/* processors/decide/chain.h - the actions of a moment: one task at a time, its outcome, the next.
 *
 *   ask -> (funnel) -> task out -> outcome: end, next, wait
 *                              \-> `wait` is over: next action, or the chain is over
 */
#ifndef ATTENT_PROCESSORS_DECIDE_CHAIN_H
#define ATTENT_PROCESSORS_DECIDE_CHAIN_H

#include "processors/decide/explain.h"
#include "processors/decide/slots.h"
#include "processors/decide/turn.h"

/* The id of the task of an instance's present action: the same whenever it is asked. In arena. */
struct str chain_task_id(const struct turn *turn, const struct instance *in);

/* Write the task of in's present action and its decision.  False: a text could not be filled
 * (the trail says which), nothing was written. */
bool chain_task(struct turn *turn, struct instance *in, const struct slots *slots);

/* Take back the task that is out, if it may still be worked; its cap is given back unless it
 * has reached the world.  moment NULL: it is gone. */
void chain_take_back(struct turn *turn, struct instance *in, const struct moment *moment,
                     enum reason reason);

void chain_outcome(struct turn *turn);                       /* the event at hand is one */
void chain_time_out(struct turn *turn, struct instance *in); /* `wait` is over */

/* Remember the trace context of the event at hand for the task. */
void chain_keep_trace(const struct turn *turn, struct instance *in);

#endif
