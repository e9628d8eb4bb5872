/* processors/decide/waiting.h - what stays out is known when the sources have been read so far.
 *
 * `absent` and `every` are due by the partition's time and done behind the watermarks of all sources
 * that feed their types.  An instance that is due before waits in the lane of a source that is
 * behind.  It keeps its due time, and what comes meanwhile counts, whenever it happened: they have
 * paid.  A source that is behind by its max_silence is told of once per waiting.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_WAITING_H
#define ATTENT_PROCESSORS_DECIDE_WAITING_H

#include "processors/decide/turn.h"

/* Its step is due.  True: a source is behind, it waits now (or still). */
bool waiting_begins(struct turn *turn, struct instance *in, const struct moment_step *step);

bool waiting_is_over(const struct turn *turn,
                     const struct instance *in); /* its lane has got there */

/* Its notice is due: the source may have been silent for too long. */
void waiting_notice(struct turn *turn, struct instance *in);

/* The timers of a state in lanes, for struct step_class.  rules_lane: that of the rule set (adopt.h),
 * in which whoever has anything under way waits for other rules. */
size_t waiting_timers(const struct state *state, uint32_t rules_lane,
                      struct step_wait waits[STEP_LANES_MAX]);

#endif
