/* rules/moment/texts.h - a text of a moment, in the languages in which it is written.
 *
 * One action speaks one language: the customer's, else its primary one (nl-BE: nl), else the
 * policy's first, the first of these that all its texts are written in.  If there is none, each
 * text goes by the same order on its own.  Lives in the rule set's arena.
 */
#ifndef ATTENT_RULES_MOMENT_TEXTS_H
#define ATTENT_RULES_MOMENT_TEXTS_H

#include "core/phrase.h"
#include "rules/moment/template.h"

struct texts {
    struct phrases written;           /* none: there is no such text */
    const struct template **compiled; /* as many */
};

/* The text for a language; NULL: there is none. */
const struct template *texts_in(const struct texts *texts, struct str language,
                                struct str fallback);

/* The slots that it may read, in any language. */
void texts_slots(const struct texts *texts, void (*each)(void *context, uint32_t slot),
                 void *context);

/* The language in which all of these that there are can be told to somebody who speaks `wanted`.
 * Empty: they state none, and the policy neither. */
struct str texts_language(const struct texts *const *texts, size_t count, struct str wanted,
                          struct str fallback);

#endif
