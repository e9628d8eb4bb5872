/* tests/sim/steps_play.h - plays of workers: one with the toy step alone, one with identify and
 * decide in a row (plays.h). */
#ifndef TESTS_SIM_STEPS_PLAY_H
#define TESTS_SIM_STEPS_PLAY_H

#include "core/err.h"
#include "tests/sim/scheduler.h"

bool toy_play(const struct sim_plan *plan, struct err *why);
bool chain_play(const struct sim_plan *plan, struct err *why);

#endif
