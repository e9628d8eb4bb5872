/* processors/worker/handout.h - the states of some partitions, handed out to more of them.
 *
 * Each subject goes where Kafka's partitioner sends its key when there are `after` partitions.  The
 * partition's own state (the rules in force, how far sources are) is of all of them alike, because the
 * log told it to each: a new partition gets that of an old one, its number modulo `before`.
 */
#ifndef ATTENT_PROCESSORS_WORKER_HANDOUT_H
#define ATTENT_PROCESSORS_WORKER_HANDOUT_H

#include "processors/worker/store.h"

/* What partition `to` of `after` gets of old[before].  Sets subjects and count of *out, in arena; the
 * bytes are those of old. */
void handout(const struct store_copy *old, int32_t before, int32_t after, int32_t to,
             struct arena *arena, struct store_copy *out);

#endif
