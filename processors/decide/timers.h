/* processors/decide/timers.h - what is due when: each instance has at most one timer, and while
 * that waits for a source another.
 *
 *   waits for a step: when it stays out or expires     on hold: its slot, a free cap, its deadline
 *   task out:         when `wait` is over
 */
#ifndef ATTENT_PROCESSORS_DECIDE_TIMERS_H
#define ATTENT_PROCESSORS_DECIDE_TIMERS_H

#include "processors/decide/turn.h"

int64_t timers_next(const struct state *state); /* STEP_NO_TIMER: none */

/* Fire all that are due at due_ms, in order of (moment, about).  Timers that they set join the
 * queue of the worker. */
void timers_fire(struct turn *turn, int64_t due_ms);

#endif
