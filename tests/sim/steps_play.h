/* tests/sim/steps_play.h - plays of workers: one with the toy step alone, one with identify and
 * decide in a row, one in which something is lost for good, one with ingest and dispatch around (plays.h). */
#ifndef TESTS_SIM_STEPS_PLAY_H
#define TESTS_SIM_STEPS_PLAY_H

#include "core/err.h"
#include "tests/sim/scheduler.h"

bool toy_play(const struct sim_plan *plan, struct err *why);
bool chain_play(const struct sim_plan *plan, struct err *why);
bool guards_play(const struct sim_plan *plan, struct err *why);
bool whole_play(const struct sim_plan *plan, struct err *why);
void whole_play_prepare(void);

struct cluster;
/* What the toy play is made of: topics toy.in, toy.a, toy.b, a step over them, and what feeds it. */
void toy_play_set_up(struct cluster *c);
void toy_play_nudge(void *context);

#endif
