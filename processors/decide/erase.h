/* processors/decide/erase.h - customer.erased: the customer is forgotten.
 *
 * Every instance ends, with a withdrawal for the task that is out, and dispatch hears that nothing
 * may go out any more, whatever the tier.  Nothing stays in the state, not even the id of the event
 * that said so: coming again, it says the same again.  What comes later begins anew.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_ERASE_H
#define ATTENT_PROCESSORS_DECIDE_ERASE_H

#include "processors/decide/turn.h"

void erase_customer(struct turn *turn); /* the event at hand says so */

#endif
