/* tests/support/toy_step.h - a step whose outputs depend on all that went before.
 *
 * Its state is a hash over every record and timer of the subject with the times they were seen
 * at, and some timers.  What it does with a record is decided by the record's value, byte by
 * byte: it sets timers (also in the past, also in two lanes), clears them, writes to two topics,
 * forgets itself.  A
 * timer may set others.  So whatever a worker does wrong (a record twice, a stale state, a timer
 * too late) changes everything behind it.
 *
 * A control record other than a tick sets which records it wants: those whose first byte modulo the
 * value's first byte is not 1; and it moves the time of a lane.
 */
#ifndef TESTS_SUPPORT_TOY_STEP_H
#define TESTS_SUPPORT_TOY_STEP_H

#include "processors/worker/step.h"

extern const struct step_class toy_step_class; /* topics "toy.a", "toy.b"; config: none */

#endif
