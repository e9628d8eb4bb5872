/* rules/moment/wording.h - what attent itself says about moments, in English and in Dutch.
 *
 * wording.def has the phrases; here they are put together, and numbers, spans and times are
 * written as the language does.  Knows no rules.  Any thread.
 */
#ifndef ATTENT_RULES_MOMENT_WORDING_H
#define ATTENT_RULES_MOMENT_WORDING_H

#include "core/arena.h"
#include "core/buf.h"
#include "core/zone.h"

enum tongue { TONGUE_EN = 0, TONGUE_NL, TONGUE_COUNT };

enum wording {
#define WORDING(name, en, nl) WORDING_##name,
#include "rules/moment/wording.def"
#undef WORDING
    WORDING_COUNT
};

/* The one that a language tag means, by its primary part.  False: it is not spoken here. */
bool tongue_of(struct str language, enum tongue *tongue);
struct str tongue_language(enum tongue tongue); /* "nl" */

/* A phrase with up to five arguments, in arena. */
struct words {
    struct str at[5];
};
struct str wording_say(struct arena *arena, enum tongue tongue, enum wording wording,
                       struct words words);
/* The same for a phrase that turns. */
struct str wording_turn(struct arena *arena, enum tongue tongue, enum wording wording, bool so,
                        struct words words);
struct str wording_upper(struct arena *arena, struct str text); /* with a capital first letter */

/* 1900.5 as "1,900.5" and "1.900,5"; grouped: with marks between thousands. */
void wording_put_number(struct buf *out, enum tongue tongue, double number, bool grouped);
/* "14 days", "1 dag en 12 uur": the two largest parts that are not 0. */
struct str wording_span(struct arena *arena, enum tongue tongue, int64_t span_ms);
/* "18 March 2026, 11:12", "18 maart 2026, 11:12" in a zone (NULL: UTC).  False: nothing is put, it
 * is no year of four digits. */
bool wording_put_time(struct buf *out, enum tongue tongue, int64_t at_s, const struct zone *zone);

#endif
