/* tests/sim/unwell_play.h - a play that breaks a promise when two certain faults strike in one run: to see
 * that a failure is found, made shorter and told.  No seed's own play. */
#ifndef TESTS_SIM_UNWELL_PLAY_H
#define TESTS_SIM_UNWELL_PLAY_H

#include "core/err.h"
#include "tests/sim/scheduler.h"

bool unwell_play(const struct sim_plan *plan, struct err *why);

#endif
