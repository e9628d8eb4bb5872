/* processors/decide/funnel.h - from candidates to at most one task at a time.
 *
 *   gates -> caps -> consent -> arbitration -> slot -> texts -> task
 *
 * Candidates of one turn are arbitrated together, and with what the customer has on hold.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_FUNNEL_H
#define ATTENT_PROCESSORS_DECIDE_FUNNEL_H

#include "processors/decide/turn.h"

/* Action `act` of in is a candidate now: the funnel takes it up at the end of this turn. */
void funnel_ask(struct turn *turn, struct instance *in, uint8_t act);

void funnel_cap_freed(struct turn *turn);                     /* what waits for a cap asks again */
void funnel_time_out(struct turn *turn, struct instance *in); /* its hold is due */
void funnel_run(struct turn *turn);

#endif
