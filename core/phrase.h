/* core/phrase.h - words for people, in one language or several.
 *
 *   title: Brake pads worn                    one phrase, of no stated language
 *   title: {en: Brake pads, nl: Remblokken}   two
 *
 * A language is a tag as in BCP 47: "nl", "nl-BE".  Case does not matter, and an underscore is as
 * good as a dash.  A phrase of no stated language is in the reader's default one.
 *
 * A phrase may hold brackets, "[a|no] car is registered", "the policy is [not] changed": what
 * stands in front of the bar is said when it is so, what stands behind it when it is not; without
 * a bar it is only said when it is not so.
 */
#ifndef ATTENT_CORE_PHRASE_H
#define ATTENT_CORE_PHRASE_H

#include "core/buf.h"

struct phrase {
    struct str language; /* as written; empty: not stated */
    struct str text;
};

struct phrases {
    struct phrase *items; /* in the order in which they were written */
    size_t count;         /* 0: none */
};

/* "nl", "nl-BE", "zh-Hant-TW": letters and digits in parts, the first of 2 to 8 letters. */
bool language_is_tag(struct str tag);
bool language_equal(struct str a, struct str b);
struct str language_primary(struct str tag); /* "nl-BE": "nl" */

/* Index of the phrase in exactly this language; -1: none.  `fallback` is the language of a phrase
 * that states none. */
int phrases_find(const struct phrases *phrases, struct str language, struct str fallback);

/* Index of the phrase for somebody who speaks `wanted`: in that language, else in its primary one,
 * else in `fallback`, else the first.  There has to be one. */
size_t phrases_choose(const struct phrases *phrases, struct str wanted, struct str fallback);

/* Are its brackets in pairs, not nested, with at most one bar in each? */
bool phrase_fits(struct str text);
/* It has brackets, so it can be said either way. */
bool phrase_turns(struct str text);
/* Append it; so: it is so, or it is not. */
void phrase_say(struct buf *out, struct str text, bool so);

/* The text of it; empty if there is none. */
struct str phrases_text(const struct phrases *phrases, struct str wanted, struct str fallback);

#endif
