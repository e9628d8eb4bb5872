/* core/rng.h - chance: the only place that asks the system for it.
 *
 * Everything else takes a seeded generator as a parameter, so that a seed replays a run.
 */
#ifndef ATTENT_CORE_RNG_H
#define ATTENT_CORE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t state;
};

struct rng rng_seeded(uint64_t seed);
uint64_t rng_next(struct rng *rng);                  /* splitmix64 (Steele et al., 2014) */
uint64_t rng_below(struct rng *rng, uint64_t bound); /* 0 .. bound - 1, bound > 0 */
double rng_unit(struct rng *rng);                    /* [0, 1) */

void rng_system(void *out, size_t bytes); /* fresh, unguessable: owner tokens, uuids */

#endif
