/* rules/moment/sentence.h - a moment as a paragraph, in English or Dutch, for `attent explain`.
 *
 *   When a car is registered and the weight is more than 20 % above the weight on the policy, and
 *   the policy is not changed within 14 days: call (queue insurance); after 3 days ...
 *
 * Made from the rule set alone (say.h); nobody types it.
 */
#ifndef ATTENT_RULES_MOMENT_SENTENCE_H
#define ATTENT_RULES_MOMENT_SENTENCE_H

#include "rules/moment/ruleset.h"
#include "rules/moment/wording.h"

/* Appends the paragraph, with a line break about every 100 columns.  Gives how many things had no
 * words and stand as CEL or as a title. */
size_t moment_sentence(struct buf *out, const struct ruleset *set, const struct moment *moment,
                       enum tongue tongue);

#endif
