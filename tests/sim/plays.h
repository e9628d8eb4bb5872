/* tests/sim/plays.h - what a seed stands for: one of the plays, and a plan of what goes wrong in it.
 *
 * A play begins and ends its run itself (scheduler.h) and compares what came of it with what is right.
 */
#ifndef TESTS_SIM_PLAYS_H
#define TESTS_SIM_PLAYS_H

#include "core/err.h"
#include "tests/sim/scheduler.h"

struct sim_play {
    const char *name;
    unsigned weight; /* of all seeds, this share */
    /* False: a promise is broken; why says which. */
    bool (*run)(const struct sim_plan *plan, struct err *why);
    void (*prepare)(void); /* once per process of the OS, before the first run; NULL: nothing */
};

const struct sim_play *sim_plays(size_t *count);
const struct sim_play *sim_play_named(const char *name); /* NULL: there is none */
const struct sim_play *sim_play_of(uint64_t seed);

/* What goes wrong, and how often. */
void sim_plan_draw(uint64_t seed, struct sim_plan *plan);

/* False: a promise is broken, by the play's own judgement or by a model's (sim_broken). */
bool sim_play_runs_well(const struct sim_play *play, const struct sim_plan *plan, struct err *why);

/* The play and the plan of a seed. */
bool sim_play(uint64_t seed, struct err *why);

#endif
