/* tests/sim/runs.h - runs in processes of the OS: what one leaves behind, and many side by side.
 *
 * A run may end its process (CHECK, a signal) or not end at all; and what a killed simulated process had
 * on the heap is lost.  So runs are made in children, some hundred seeds each, that write what came
 * of it into shared memory.
 */
#ifndef TESTS_SIM_RUNS_H
#define TESTS_SIM_RUNS_H

#include "tests/sim/plays.h"

enum { RUNS_STRIKES_MAX = 4096, RUNS_PAIRS_MAX = 512, RUNS_STEP_SIZE = 32, RUNS_WHY_SIZE = 512 };

struct runs_pair {
    enum sim_fault fault;
    char step[RUNS_STEP_SIZE];
    uint64_t asked, struck;
};

struct runs_strike {
    enum sim_fault fault;
    char step[RUNS_STEP_SIZE];
    uint64_t nth;
};

/* What a child leaves; in shared memory. */
struct runs_leaves {
    uint64_t seed; /* the last one that it began */
    bool running;  /* and has not finished */
    bool failed;
    char why[RUNS_WHY_SIZE];
    uint64_t count, switches, digest; /* of those that it finished; digests added up */
    size_t pair_count;
    struct runs_pair pairs[RUNS_PAIRS_MAX];
    size_t strike_count; /* of the last one */
    struct runs_strike strikes[RUNS_STRIKES_MAX];
};

struct runs_totals {
    uint64_t count, switches, digest;
    size_t pair_count;
    struct runs_pair pairs[RUNS_PAIRS_MAX];
    size_t failed_count;
    uint64_t failed[64]; /* the first of them */
    char why[64][RUNS_WHY_SIZE];
};

struct runs_wanted {
    uint64_t from, count;        /* seeds */
    int jobs;                    /* children at a time */
    const struct sim_play *play; /* NULL: that of each seed */
    size_t failures_max;         /* stops after so many */
    /* After each child, with what there is so far; NULL: nobody asks. */
    void (*tell)(void *context, const struct runs_totals *so_far);
    void *context;
};

void runs_many(const struct runs_wanted *wanted, struct runs_totals *out);

/* How many seeds a child plays (200): for the test that it does not matter which came before. */
void runs_set_chunk(uint64_t seeds);

/* One run in a child.  leaves is shared memory (runs_shared).  True: it failed, leaves say how. */
struct runs_leaves *runs_shared(void);
bool runs_fails(const struct sim_play *play, const struct sim_plan *plan,
                struct runs_leaves *leaves);

/* Leave out strikes for as long as it still fails; returns how many are left at the beginning of
 * `strikes`.  tries: at most so many runs. */
size_t runs_shorten(const struct sim_play *play, const struct sim_plan *plan,
                    struct runs_strike *strikes, size_t count, int tries);

#endif
