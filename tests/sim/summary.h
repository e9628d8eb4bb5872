/* tests/sim/summary.h - what struck where, and what should have and did not. */
#ifndef TESTS_SIM_SUMMARY_H
#define TESTS_SIM_SUMMARY_H

#include "tests/sim/runs.h"

/* Print the table.  whole: all plays took part; with enough seeds every pair of pairs.def must have
 * struck.  False: one has not. */
bool summary_print(const struct runs_totals *totals, uint64_t seeds, bool whole, double seconds);

#endif
