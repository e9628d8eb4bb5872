/* rules/moment/say.h - conditions and values of a moment in words.
 *
 * From the tree of an expression (rules/cel/tree.h) and the words that authors gave to events,
 * fields and facts.  What has no words stands as CEL, or as its title, and is counted.  All texts
 * live in the teller's arena.
 */
#ifndef ATTENT_RULES_MOMENT_SAY_H
#define ATTENT_RULES_MOMENT_SAY_H

#include "rules/cel/tree.h"
#include "rules/moment/ruleset.h"
#include "rules/moment/wording.h"

struct teller {
    const struct ruleset *set;
    const struct moment *moment;
    struct arena *arena;
    enum tongue tongue;
    const uint16_t *types; /* of `event`; none: there is none */
    size_t type_count;
    const struct zone *zone; /* of times; NULL: UTC */
    size_t unworded;
    bool in_macro; /* its variable is said as "it" */
};

/* Is it so, or (so = false) is it not?  As it stands behind "when" or "als". */
struct str say_condition(struct teller *t, const struct cel_tree *tree, bool so);

/* "a, b and c"; last: WORDING_AND or WORDING_OR.  None: empty. */
struct str say_list(struct teller *t, enum wording last, const struct str *items, size_t count);

/* A value, as in "the weight on the policy".  `beside`: what it is compared with, which knows the
 * unit and the names of values; NULL: nothing. */
struct str say_value(struct teller *t, const struct cel_tree *tree, const struct cel_tree *beside);

/* What is compared: x < 3, 3 > x and !(x >= 3) are all one thing. */
struct comparison {
    const struct cel_tree *left, *right; /* constants stand right */
    enum wording how;                    /* WORDING_MORE_THAN ...; WORDING_EQUAL */
    bool so;                             /* of WORDING_EQUAL */
    double percent;                      /* right is so many % above `base`; 0: it is not */
    const struct cel_tree *base;
};
bool say_comparison(const struct cel_tree *tree, bool so, struct comparison *out);

/* "a car is registered", or that it is not; any of several. */
struct str say_event(struct teller *t, const uint16_t *types, size_t count, bool so);

/* A title in the teller's language, for lists; the unit, or empty. */
struct str say_event_title(struct teller *t, uint16_t type);
struct str say_label(struct teller *t, const struct cel_tree *tree);
struct str say_unit(const struct teller *t, const struct cel_tree *tree);

/* A phrase in the teller's language; empty: there is none in it. */
struct str say_phrase(const struct teller *t, const struct phrases *phrases);

/* 1900.0 as "1,900 kg"; texts as they are or by the words of their value. */
struct str say_plain(struct teller *t, struct value v, const struct cel_tree *beside);

#endif
