/* tests/support/flaky_store.h - a store in front of Redis, with calls that never arrive, answers that
 * never come, and another owner.
 *
 * A copy of the class may put functions of its own in place.
 */
#ifndef TESTS_SUPPORT_FLAKY_STORE_H
#define TESTS_SUPPORT_FLAKY_STORE_H

#include "core/rng.h"
#include "processors/worker/store.h"
#include "tests/support/scene.h"

struct flaky_store {
    struct store store;
    struct store *behind, *rival; /* two connections; rival NULL: nothing fails */
    struct rng rng;
    bool swallowed[SCENE_INPUTS]; /* the commit that was sent last */
    int faults;
};

extern const struct store_class flaky_store_class;

#endif
