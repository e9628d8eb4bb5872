/* rules/moment/letter.h - what goes out: the texts of one action for one customer, filled in.
 *
 * One place for decide and for `attent preview`, so that a preview shows what will be sent.
 */
#ifndef ATTENT_RULES_MOMENT_LETTER_H
#define ATTENT_RULES_MOMENT_LETTER_H

#include "rules/moment/ruleset.h"
#include "rules/moment/sms.h"

struct letter {
    struct str language; /* of all of it; empty: not stated */
    struct str title, reason;
    struct str say, subject, text, html; /* empty: none */
    struct sms_size sms;                 /* of the text, if the channel is SMS */
    int64_t start_ms, end_ms;            /* of the appointment; both 0: there is none */
    struct str meeting, place;           /* its title, and where; place empty: not stated */
};

/* Fill it for somebody who speaks `wanted`.  False: a text could not be filled or is too long;
 * *error says which and why.  Everything lives in arena or in the rule set. */
bool letter_fill(struct letter *letter, const struct ruleset *set, const struct moment *moment,
                 const struct act *act, struct str wanted, const struct cel_input *input,
                 struct arena *arena, struct str *error);

#endif
