/* processors/decide/control.h - control groups (policy: control).
 *
 * So that it can be said what outreach brought, a few customers get none for a month.  Who they are
 * is a hash of the group's name, the customer and the month (UTC) in which the moment's last step
 * was done: nobody chooses them, no state remembers them, and an instance that began outside a group
 * stays outside, whenever its actions follow.  Asked by the funnel only.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_CONTROL_H
#define ATTENT_PROCESSORS_DECIDE_CONTROL_H

#include "processors/decide/turn.h"

/* Is this instance's tier held back for the customer?  What was asked goes to the trail, if any. */
bool control_holds(struct turn *turn, const struct instance *in, struct trail *trail);

/* Is the customer in the group of that name in the month of at_ms? */
bool control_drawn(const struct control *control, struct str customer, int64_t at_ms,
                   struct arena *arena);

#endif
