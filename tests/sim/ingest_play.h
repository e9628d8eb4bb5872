/* tests/sim/ingest_play.h - a run of ingest: source topics with events, events that name only an alias,
 * bindings, what is no event, and doubles of their producers; one to three processes.
 *
 * What is right: in each partition of attent.events, attent.identify and the dead letters stands, of each
 * partition of a source, exactly what belongs there, once and in its order; nothing comes behind a
 * watermark that is later (unless clocks are wrong); and nothing is left behind.
 * One thread.
 */
#ifndef TESTS_SIM_INGEST_PLAY_H
#define TESTS_SIM_INGEST_PLAY_H

#include "core/err.h"
#include "tests/sim/scheduler.h"

/* Begins and ends the run.  False: something is wrong, why says what. */
bool ingest_play(const struct sim_plan *plan, struct err *why);

#endif
