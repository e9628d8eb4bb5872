/* rules/moment/interlock_gap.h - can an action of a moment go out while an interlock holds?
 *
 * It cannot where the interlock stops the moment's tier (the funnel asks it for every action, on every
 * channel), nor where the moment's own gates are never passed while it holds.  Else there is a state
 * of the customer in which it can: the counter-example.
 */
#ifndef ATTENT_RULES_MOMENT_INTERLOCK_GAP_H
#define ATTENT_RULES_MOMENT_INTERLOCK_GAP_H

#include "rules/moment/ruleset.h"

/* True: it can; what the facts are then is put to state, "customer.bereaved = true". */
bool interlock_gap(const struct ruleset *set, const struct moment *moment,
                   const struct interlock *lock, struct buf *state);

#endif
