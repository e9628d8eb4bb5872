/* processors/worker/landmark.h - is the log still the one that the state is of?  Private to the worker.
 *
 * This client library tells no ids of topics, so a topic that was deleted and made again cannot be told
 * by its name.  The state keeps a hash of the last record that it has taken.  Who claims a
 * partition reads that record once more before any other, and drops it:
 *
 *        next - 1   next
 *     ... [ last ] [ first ] ...     the same as then: go on with the first
 *                                    another one, or none: it is another log; the partition stops
 *
 * Where retention has taken the record meanwhile, or the state is of a version that kept no hash, there
 * is nothing to compare.  A record that stands at its offset never changes, so it is read once per claim.
 */
#ifndef ATTENT_PROCESSORS_WORKER_LANDMARK_H
#define ATTENT_PROCESSORS_WORKER_LANDMARK_H

#include "processors/worker/place.h"

/* A claim found the log beginning at `first`: is there something to compare? */
void landmark_begin(struct place *place, int64_t first);

/* Where to read on from: `next`, or the record in front of it. */
int64_t landmark_start(const struct place *place);

/* Looks at what was taken of the log, and takes the record in front of `next` away.  False: the partition
 * must not go on, because the record has not come yet, or (then it is stopped) is another one. */
bool landmark_passed(struct worker *w, struct place *place);

#endif
