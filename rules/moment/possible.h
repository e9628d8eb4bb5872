/* rules/moment/possible.h - what a value can be, as far as schemas and conditions tell.
 *
 *   ANYTHING                      nobody knows
 *   BETWEEN   0 <= x < 30         a number of a range, perhaps whole
 *   ONE_OF    "quote", "checkout" a text, number or true/false of a list
 *
 * beside which it may be `missing`: a field that is not there, a value that cannot be computed.
 * What is said is always enough, never too little: a value outside of it cannot come.  So "never" and
 * "always" that are concluded from it hold, and where nothing is known nothing is concluded.
 *
 * Numbers are compared across int and double, as in moments.  A bound beyond 2^53, where doubles no
 * longer tell whole numbers apart, counts as none.
 */
#ifndef ATTENT_RULES_MOMENT_POSSIBLE_H
#define ATTENT_RULES_MOMENT_POSSIBLE_H

#include "core/arena.h"
#include "core/value.h"

enum possible_kind { POSSIBLE_ANYTHING, POSSIBLE_BETWEEN, POSSIBLE_ONE_OF };

struct possible {
    enum possible_kind kind;
    bool missing;
    bool nan;   /* BETWEEN: also what is no number (0.0 / 0.0), which compares with nothing */
    bool whole; /* BETWEEN */
    bool low_out, high_out;    /* BETWEEN: the bound itself is not in it */
    double low, high;          /* BETWEEN: infinite: no bound */
    const struct value *items; /* ONE_OF: bool, int, uint, double, string; borrowed */
    size_t count;
};

/* What a comparison, or a condition, can come out as. */
struct outcomes {
    bool yes, no, error;
};

enum comparison { IS_EQUAL, IS_UNEQUAL, IS_LESS, IS_LESS_OR_EQUAL, IS_MORE, IS_MORE_OR_EQUAL };

struct possible possible_anything(bool missing);
struct possible possible_nothing(void); /* a value that is never there: no item, not missing */
struct possible possible_between(double low, double high, bool whole);
struct possible possible_one_of(const struct value *items, size_t count); /* borrowed */
/* A literal; ANYTHING for what a ONE_OF cannot hold. */
struct possible possible_value(struct arena *arena, struct value v);
struct possible possible_truth(struct outcomes outcomes); /* of a condition */

/* No value can come (it may still be missing). */
bool possible_none(const struct possible *p);

/* Either of the two. */
struct possible possible_join(struct arena *arena, const struct possible *a,
                              const struct possible *b);

struct outcomes possible_compare(enum comparison comparison, const struct possible *a,
                                 const struct possible *b);
/* As a condition: yes, no, error. */
struct outcomes possible_as_truth(const struct possible *p);

/* What is left of *p where `p comparison other` is true. */
struct possible possible_where(struct arena *arena, const struct possible *p,
                               enum comparison comparison, const struct possible *other);

enum comparison comparison_opposite(enum comparison c); /* < and >= : when it is false */
enum comparison comparison_turned(enum comparison c);   /* < and >  : the sides exchanged */

/* + - * of numbers, and -x.  ANYTHING where nothing is known. */
struct possible possible_sum(const struct possible *a, const struct possible *b);
struct possible possible_product(const struct possible *a, const struct possible *b);
struct possible possible_negative(const struct possible *a);
struct possible possible_not_whole(struct possible p); /* the same as doubles */

/* In words: "from 0 to 30", "0 or more", "\"quote\" or \"checkout\"", "true or false"; false: nothing
 * worth saying. */
bool possible_print(struct buf *out, const struct possible *p);

#endif
