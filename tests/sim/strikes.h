/* tests/sim/strikes.h - what strikes in a run: drawn, noted, counted.  Private to the scheduler. */
#ifndef TESTS_SIM_STRIKES_H
#define TESTS_SIM_STRIKES_H

#include "tests/sim/scheduler.h"

void strikes_begin(const struct sim_plan *plan); /* borrowed until the next */

/* Asked once more: does it strike?  times: as likely as the plan says. */
bool strikes_ask(enum sim_fault fault, const char *step, double times, int64_t at_us, int process);

#endif
