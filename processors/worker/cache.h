/* processors/worker/cache.h - the subjects of a partition that are in memory.
 *
 * Between batches a subject is its blob (processors/worker/blob.h); during a batch it may also
 * have a decoded state, which lives in the batch's arena.  After a commit, subjects that were not
 * used for longest leave until `bytes_max` is kept.  One thread.
 */
#ifndef ATTENT_PROCESSORS_WORKER_CACHE_H
#define ATTENT_PROCESSORS_WORKER_CACHE_H

#include <stdbool.h>

#include "processors/worker/step.h"
#include "processors/worker/table.h"

struct subject {
    struct table_node node; /* key: its name, owned */
    char *blob;             /* owned */
    uint32_t blob_bytes, blob_capacity;
    bool loaded;      /* the blob is known (empty: nothing is kept of it) */
    bool used;        /* since the hand came by */
    bool changed;     /* in this batch */
    bool due_changed; /* in this batch: its earliest timer is another */
    bool opened;      /* in this batch: the timers below are its */
    int64_t due_ms;   /* its earliest timer */
    struct step_wait *waits,
        *stored_waits; /* its timers in lanes, now and in the store; likewise */
    size_t wait_count, stored_wait_count;
    void *state; /* the step's, in the arena of the batch; NULL: not decoded */
};

struct cache { /* start with {.bytes_max = ...} */
    struct table table;
    size_t bytes, bytes_max;
    size_t hand; /* where the search for a subject to leave goes on */
};

struct subject *cache_find(struct cache *cache, uint64_t hash, struct str name); /* NULL: none */
struct subject *cache_add(struct cache *cache, uint64_t hash, struct str name);  /* not loaded */
void cache_put(struct cache *cache, struct subject *s, struct str blob); /* loaded, copied */
void cache_evict(struct cache *cache); /* no subject may be changed or decoded */
void cache_free(struct cache *cache);

#endif
