/* processors/decide/bound.h - one customer's state stays small, whatever happens to the customer.
 *
 * Beyond LIMIT_CUSTOMER_BYTES nothing new opens (reason `limit`), and facts forget: the largest
 * its older half, again and again, then memories, the oldest first, but for those by which
 * `again` is silent now: a flooded customer is not told twice.  What is left beside values that cannot
 * be halved are instances; should they alone come near LIMIT_STATE_BYTES, where a partition would
 * have to stop, the largest ends (`limit`), then a fact goes whole, and at the very last silence.
 *
 * It is asked at the end of each turn and depends on the state alone, so any split of a log
 * into batches forgets the same.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_BOUND_H
#define ATTENT_PROCESSORS_DECIDE_BOUND_H

#include "processors/decide/turn.h"

bool bound_is_reached(const struct state *state); /* nothing may open */
void bound_keep(struct turn *turn);               /* at the end of a turn */

#endif
