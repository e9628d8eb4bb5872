/* rules/moment/reason.h - why a customer is contacted, made from the moment itself.
 *
 *   Thickness of the brake pads 2.8 mm (below 3 mm)
 *   Vehicle registered; Weight 1,900 kg (more than 20 % above Weight on the policy, 1,100 kg)
 *
 * For a moment without `reason:`.  Labels and not sentences: an agent reads it while the telephone
 * rings.
 */
#ifndef ATTENT_RULES_MOMENT_REASON_H
#define ATTENT_RULES_MOMENT_REASON_H

#include "rules/moment/ruleset.h"
#include "rules/moment/wording.h"

/* In arena.  input: what slots of facts and steps hold now. */
struct str moment_reason(const struct ruleset *set, const struct moment *moment, enum tongue tongue,
                         const struct cel_input *input, struct arena *arena);

#endif
