/* processors/decide/recent.h - events that were here: what comes a second time is not decided again.
 *
 * An event is told by its source and id, or by what `dedupe: same` of the policy names for its type,
 * unless it lacks one of those fields.  48 bits of a hash of that are remembered, with the second in
 * which it came; so many, for so long, as the policy says.  The first double of an event is a decision
 * record (`duplicate`), the others are counted.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_RECENT_H
#define ATTENT_PROCESSORS_DECIDE_RECENT_H

#include "processors/decide/turn.h"

/* Was the event at hand here before?  If not, it is remembered.  Its fields are as its schema says. */
bool recent_saw(struct turn *turn);

/* The same for a mark; NULL: it was not here and is remembered now. */
struct recent *recent_take(struct state *state, struct arena *arena, const struct policy *policy,
                           uint64_t mark, int64_t now_ms);

/* An answer that comes after its customer was erased must not leave a state behind: of who has nothing
 * but this one event nothing is remembered. */
void recent_leave(struct state *state);

/* Those of a customer who is merged into this one stand between ours, in order of time. */
void recent_merge(struct turn *turn, const struct state *other);

#endif
