/* processors/worker/meta.h - how far a partition of a step has come: one blob beside its states.
 *
 * Committed together with the states, so that the two are always of one moment.
 */
#ifndef ATTENT_PROCESSORS_WORKER_META_H
#define ATTENT_PROCESSORS_WORKER_META_H

#include "core/buf.h"
#include "core/err.h"
#include "schemas/chain.h"

struct meta_topic { /* an output topic */
    int32_t partition_count;
    struct chain *sent; /* per partition */
};

struct meta {
    uint64_t commit;     /* number of the commit that wrote this; 0: none yet */
    int64_t next;        /* first offset not yet in the state */
    int64_t now_ms;      /* the partition's time */
    uint64_t generation; /* of its outputs */
    struct meta_topic *topics;
    size_t topic_count;
    struct taken taken;  /* of numbered inputs */
    struct hash128 last; /* the record in front of `next` (record_hash); {0, 0}: not known */
};

/* A partition at its very beginning. */
void meta_init(struct meta *meta, int64_t next, uint64_t generation, const int32_t *partitions,
               size_t topic_count);

void meta_encode(const struct meta *meta, struct buf *out); /* appends */

/* ERR_STATE: damaged, of a newer version, or made for other numbers of partitions (numbering would
 * break: that takes a new generation).  *meta is freed by the caller in any case. */
enum err_code meta_decode(struct str bytes, const int32_t *partitions, size_t topic_count,
                          struct meta *meta, struct err *err);

/* The same for whatever step wrote it: topics as they were then. */
enum err_code meta_decode_any(struct str bytes, struct meta *meta, struct err *err);

void meta_free(struct meta *meta); /* the contents */

#endif
