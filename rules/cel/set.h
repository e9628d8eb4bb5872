/* rules/cel/set.h - a constant list that values are looked up in.  Inside rules/cel only.
 *
 * Its items are all texts or all ints.  A hash table of their numbers stands beside the list and
 * is made when the expression is compiled; looking up allocates nothing.
 */
#ifndef ATTENT_RULES_CEL_SET_H
#define ATTENT_RULES_CEL_SET_H

#include "core/value.h"

struct cel_set {
    struct value list;
    const uint32_t *table; /* number of an item + 1, 0: free; collisions go on to the next place */
    uint32_t mask;         /* places - 1; at least half of them are free */
};

/* Is it worth a table: many items, all of one kind that can be hashed? */
bool cel_set_fits(struct value list);

/* Of a list that fits; it is copied into arena. */
struct cel_set cel_set_make(struct arena *arena, struct value list);

/* The set of the same list, NULL if it is not among them. */
const struct cel_set *cel_set_find(const struct cel_set *sets, size_t count, struct value list);

/* v is of the kind of the items. */
bool cel_set_has(const struct cel_set *set, struct value v);

#endif
