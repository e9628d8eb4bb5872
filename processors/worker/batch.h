/* processors/worker/batch.h - what one run of an engine leaves behind: records to be published, and
 * states to be committed when they are.
 *
 * An engine has two: while one is on its way, the next is decided.  All bytes are in the batch's own
 * arena, so nothing that is decided later changes what may have to be sent again.  One thread.
 */
#ifndef ATTENT_PROCESSORS_WORKER_BATCH_H
#define ATTENT_PROCESSORS_WORKER_BATCH_H

#include "processors/worker/outputs.h"
#include "processors/worker/store.h"

struct batch {
    struct arena *arena;
    struct outputs outputs;
    struct store_subject *commit; /* owned array; names and blobs are in arena */
    size_t commit_count, commit_capacity;
    struct buf meta;
};

/* The other fields of outputs are the engine's (borrowed). */
void batch_init(struct batch *batch, const struct outputs *outputs);
void batch_clear(struct batch *batch); /* before it is used again */
void batch_free(struct batch *batch);  /* the contents */

/* name and blob are copied; the waits must be in the batch's arena. */
void batch_commits(struct batch *batch, struct store_subject subject);

#endif
