/* tests/unit/sim/alone.h - the functions of tests/sim/sim.h for one caller: to sleep is to move the clock,
 * nothing strikes unless it was ordered, and the caller says which process it is.
 *
 * Clocks of core/clock.h read the same time.
 */
#ifndef TESTS_UNIT_SIM_ALONE_H
#define TESTS_UNIT_SIM_ALONE_H

#include "tests/sim/sim.h"

void lone_begin(uint64_t seed); /* time, chance and orders as at first; process 0 */
void lone_be(int process);
void lone_pass_ms(int64_t span_ms);
/* The next `times` times that this fault is asked for at this step it strikes; fault
 * SIM_FAULT_COUNT: no order. */
void lone_order(enum sim_fault fault, const char *step, int times);
bool lone_is_ordered(void); /* something ordered has not struck yet */

#endif
