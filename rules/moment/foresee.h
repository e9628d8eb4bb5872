/* rules/moment/foresee.h - how a condition can come out, by what its parts can be.
 *
 * A walk over the tree of an expression (rules/cel/tree.h) in the world of possible values
 * (possible.h).  What a slot can be is asked of the caller; on the way `knowledge` says what is
 * left of it: behind `has(x)` x is there, behind `x > 5` it is more than 5, in `a || b` whichever
 * of the two.  So x > 5 && x < 3 is seen to be never true.
 *
 * Cautious: what the walk does not understand can be anything, and after FORESEE_STEPS_MAX steps of
 * one question it understands nothing more.
 */
#ifndef ATTENT_RULES_MOMENT_FORESEE_H
#define ATTENT_RULES_MOMENT_FORESEE_H

#include "rules/cel/tree.h"
#include "rules/moment/possible.h"

enum { FORESEE_STEPS_MAX = 20000, KNOWN_MAX = 32 };

/* What is known of slots at one place; of others what `slot` says.  When it is full, what comes more is
 * forgotten. */
struct knowledge {
    struct known {
        uint32_t slot;
        struct possible possible;
    } items[KNOWN_MAX];
    size_t count;
};

struct foresight {
    void *context;
    /* What the slot can be, where `known` holds (and does not name it itself). */
    struct possible (*slot)(void *context, uint32_t slot, const struct knowledge *known);
    /* Of a slot that holds a map: what stands under a key; missing: perhaps nothing. */
    struct possible (*entry)(void *context, uint32_t slot);
    struct arena *arena;
    size_t steps; /* taken so far */
};

const struct possible *knowledge_find(const struct knowledge *k, uint32_t slot); /* NULL: nothing */
void knowledge_set(struct knowledge *k, uint32_t slot, const struct possible *possible);

/* NULL known: nothing is known. */
struct possible foresee_value(struct foresight *f, const struct cel_tree *tree,
                              const struct knowledge *known);
struct outcomes foresee_outcomes(struct foresight *f, const struct cel_tree *tree,
                                 const struct knowledge *known);

/* Learn what holds when the condition comes out as `wanted`.  False: it cannot. */
bool foresee_assume(struct foresight *f, const struct cel_tree *tree, bool wanted,
                    struct knowledge *known);

/* The expression had a value, so what it reads was there. */
void foresee_present(struct foresight *f, const struct cel_tree *tree, struct knowledge *known);

/* The slots that reading the expression needs and that may be missing there, each place once. */
void foresee_missing(struct foresight *f, const struct cel_tree *tree,
                     const struct knowledge *known, void *context,
                     void (*report)(void *context, const struct cel_tree *slot));

#endif
