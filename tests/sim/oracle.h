/* tests/sim/oracle.h - is what came of a run what an undisturbed one would have made of the same log?
 *
 * Each partition of each step is run offline (processors/worker/offline.h) over what is in its topic at
 * the end.  Then, per output partition, what a reader takes by the rule of schemas/chain.h: all sources
 * end at the same number and the same chain, which is a hash over all that was taken; and per input
 * partition the states and their timers.
 */
#ifndef TESTS_SIM_ORACLE_H
#define TESTS_SIM_ORACLE_H

#include "tests/sim/cluster.h"

/* False: why says what differs.  After cluster_settle. */
bool oracle_compare(struct cluster *c, struct err *why);

#endif
