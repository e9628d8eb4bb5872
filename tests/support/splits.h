/* tests/support/splits.h - one log, run through the engine in many ways that must all come to the same.
 *
 *   plain   one record after the other, all states and timers in memory: what is right
 *   rough   random batches, a tiny cache, few timers in memory, batches that are given up after
 *           they were decided, restarts from what the store has, and commits whose answer comes
 *           late or never, while the next batch is decided on top
 *
 * Nothing here returns a failure: it fails the test and says why.  One thread.
 */
#ifndef TESTS_SUPPORT_SPLITS_H
#define TESTS_SUPPORT_SPLITS_H

#include "core/hash.h"
#include "processors/worker/store.h"

struct splits_met {       /* what has happened in rough runs */
    size_t overlaps;      /* batches decided while a commit was in flight */
    size_t fell_together; /* and given up because that was lost */
};

struct splits { /* all borrowed */
    const struct step_class *class;
    const void *config; /* of the step */
    const int32_t *topic_partitions;
    const struct record *records; /* of partition 1, offsets ascending */
    size_t count;
    struct splits_met *met; /* added to; NULL: not counted */
};

struct splits_end {         /* all that a run leaves */
    struct hash128 outputs; /* every byte of them, in order, with their numbers and chains */
    size_t output_count;
    struct hash128 state; /* of the store */
    int64_t now_ms, next;
};

struct splits_end splits_plain(const struct splits *splits);
struct splits_end splits_rough(const struct splits *splits, uint64_t seed);

/* Add an output to what a run leaves (struct offline_setup.output, context: a struct splits_end). */
void splits_add(void *end, int topic, const struct record *record);

/* The plain run and `runs` rough ones come to the same; returns it.  seed: of the first, and the
 * number to repeat a failure with. */
struct splits_end splits_compare(const struct splits *splits, uint64_t seed, int runs);

/* As many timers stand in a store, in each order, as the states tell of.  Claims the partition. */
void splits_check_timers(struct store *store, const struct step_class *class, const void *config,
                         int32_t partition, struct str identity);

#endif
