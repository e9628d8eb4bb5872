/* processors/decide/cost.h - what a rule set costs in the state of a customer, in bytes.
 *
 * Measured: states are made as decide makes them and go through the codec of states, so the figures
 * are those of the blobs in Redis.  `one`: a fact after its first event, a moment with one instance
 * whose task is out.  `worst`: as much as the limits let it grow, with the longest values that are
 * kept.  A state as a whole is limited as well (LIMIT_STATE_BYTES).
 */
#ifndef ATTENT_PROCESSORS_DECIDE_COST_H
#define ATTENT_PROCESSORS_DECIDE_COST_H

#include "rules/moment/ruleset.h"

struct cost {
    uint64_t one, worst;
};

struct cost cost_of_fact(const struct ruleset *set, size_t index);
struct cost cost_of_moment(const struct ruleset *set, size_t index);
struct cost cost_of_rest(void); /* recent ids, contacts, consents: of every customer */

#endif
