/* processors/worker/lost.h - was a record that does not come published at all?
 *
 * A partition of a step commits its state when all that it has published is acknowledged, and the
 * state counts it.  So if the state counts a number, and a reader has read everything that the log
 * held after that was seen, and the number was not in it, then Kafka has lost a record that it had
 * acknowledged (schemas/gaps.h keeps the two together).
 */
#ifndef ATTENT_PROCESSORS_WORKER_LOST_H
#define ATTENT_PROCESSORS_WORKER_LOST_H

#include "processors/worker/store.h"
#include "schemas/gaps.h"

/* Has the source ("decide/3") committed that it published this number to that partition of its
 * topic number `topic`?  False also when nobody knows. */
bool lost_is_counted(struct store *s, const struct gap *gap, size_t topic, int32_t partition);

#endif
