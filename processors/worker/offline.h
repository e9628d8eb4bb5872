/* processors/worker/offline.h - run a step over one partition without Kafka and Redis.
 *
 * The same engine, the same state blobs and the same numbered outputs as the worker's; the state is
 * in memory.  For rule tests, backtests, the simulator, and to compare a live run with.
 * One thread at a time.
 */
#ifndef ATTENT_PROCESSORS_WORKER_OFFLINE_H
#define ATTENT_PROCESSORS_WORKER_OFFLINE_H

#include "processors/worker/step.h"
#include "processors/worker/store.h"
#include "schemas/skip.h"

struct offline;

struct offline_setup {
    const struct step_class *class;
    const void *config; /* of the step; borrowed, outlives the run */
    int32_t partition;
    const int32_t *topic_partitions; /* of each output topic; NULL: 1 each */
    uint64_t generation;             /* 0: 1 */
    size_t cache_bytes_max;          /* 0: no limit */
    size_t timers_max;               /* 0: as the worker's default */
    const struct skip_list *skips;   /* borrowed; NULL: none */
    const struct store_copy *from;   /* begin with these states; NULL: with nothing */
    int64_t start;                   /* ... at this offset */

    /* Each output, in order; borrowed during the call.  NULL allowed. */
    void *context;
    void (*output)(void *context, int topic, const struct record *record);
};

enum err_code offline_open(const struct offline_setup *setup, struct offline **out,
                           struct err *err);
void offline_close(struct offline *o); /* NULL allowed */

/* One record, or several as one batch: offsets ascending.  ERR_*: the step could not go on; the run
 * is over. */
enum err_code offline_record(struct offline *o, const struct record *record, struct err *err);
enum err_code offline_records(struct offline *o, const struct record *records, size_t count,
                              struct err *err);

/* Move time as a tick does (but no offset is used up). */
enum err_code offline_advance(struct offline *o, int64_t now_ms, struct err *err);

/* When the earliest timer is due, STEP_NO_TIMER: there is none. */
int64_t offline_due_next(const struct offline *o);

int64_t offline_next(const struct offline *o); /* the next offset */
int64_t offline_now_ms(const struct offline *o);

/* Of all states, as store_digest of a Redis store gives it. */
struct hash128 offline_digest(struct offline *o);

/* All of it as a store would give it, in arena.  commit 0: nothing has happened. */
struct store_copy offline_copy(struct offline *o, struct arena *arena);

#endif
