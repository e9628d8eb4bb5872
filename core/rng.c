#include "core/rng.h"

#include <sys/random.h>

#include "core/check.h"

struct rng rng_seeded(uint64_t seed)
{
    return (struct rng){seed};
}

uint64_t rng_next(struct rng *rng)
{
    uint64_t z = rng->state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t rng_below(struct rng *rng, uint64_t bound)
{
    CHECK(bound > 0);
    return (uint64_t)((unsigned __int128)rng_next(rng) * bound >> 64);
}

double rng_unit(struct rng *rng)
{
    return (double)(rng_next(rng) >> 11) * 0x1.0p-53;
}

void rng_system(void *out, size_t bytes)
{
    CHECK(bytes <= 256); /* more than that getrandom may cut short */
    CHECK(getrandom(out, bytes, 0) == (ssize_t)bytes);
}
