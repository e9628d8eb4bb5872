/* processors/worker/blob.h - what the store keeps of one subject: the step's bytes, wrapped.
 *
 *   version 1 | checksum 4 | has a timer 1 | its due time (zigzag) | the step's own bytes
 *
 * The due time stands here as well as in the store's order of timers, so that it is known as soon
 * as the state is.  A subject that is not worth keeping has an empty blob.
 */
#ifndef ATTENT_PROCESSORS_WORKER_BLOB_H
#define ATTENT_PROCESSORS_WORKER_BLOB_H

#include "core/buf.h"
#include "core/err.h"

/* Replaces what is in out.  due_ms: STEP_NO_TIMER (INT64_MAX): none. */
void blob_wrap(struct buf *out, int64_t due_ms, struct str inner);

/* *inner is borrowed from blob.  An empty blob: no timer, empty.  ERR_STATE: damaged, or of a
 * newer version. */
enum err_code blob_unwrap(struct str blob, int64_t *due_ms, struct str *inner, struct err *err);

#endif
