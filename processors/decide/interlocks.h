/* processors/decide/interlocks.h - what holds back whole tiers (policy: interlocks).
 *
 * While an interlock holds, nothing of the tiers that it stops goes out, on any channel and whatever
 * the moment says: a candidate and what is on hold end, a task that is out is taken back.  One that
 * cannot be evaluated holds: better silent than sorry.  Asked by the funnel only.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_INTERLOCKS_H
#define ATTENT_PROCESSORS_DECIDE_INTERLOCKS_H

#include "processors/decide/turn.h"

/* Does one stop this instance's tier now?  What was asked goes to the trail, if any was. */
bool interlocks_stop(struct turn *turn, const struct instance *in, struct trail *trail);

/* End what is on hold or out and is stopped now. */
void interlocks_sweep(struct turn *turn);

#endif
