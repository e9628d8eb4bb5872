/* processors/worker/blob.h - what the store keeps of one subject: the step's bytes, wrapped.
 *
 *   version 1 | checksum 4 | flags 1 | its due time (zigzag) | timers in lanes | the step's own bytes
 *
 * Flags: 1 has a timer, 2 has timers in lanes (a count, then lane 4 and due time (zigzag) of each).
 * They stand here as well as in the store's order of timers, so that they are known as soon
 * as the state is, and the order can be made again from them.  A subject that is not worth keeping
 * has an empty blob.
 *
 * Version 2 is written.  Its checksum covers the subject's name too: a state that came under
 * another's key is not taken for his.  Version 1, whose checksum covers what follows it only, is
 * read as well, and becomes 2 when the state changes.
 */
#ifndef ATTENT_PROCESSORS_WORKER_BLOB_H
#define ATTENT_PROCESSORS_WORKER_BLOB_H

#include "core/buf.h"
#include "core/err.h"
#include "processors/worker/step.h"

struct blob_timers {
    int64_t due_ms;          /* STEP_NO_TIMER: none */
    struct step_wait *waits; /* in lanes, ascending by lane */
    size_t wait_count;
};

/* Replaces what is in out.  subject: whose it is. */
void blob_wrap(struct buf *out, struct str subject, const struct blob_timers *timers,
               struct str inner);

/* *inner is borrowed from blob, the waits live in arena.  An empty blob: no timer, empty.  ERR_STATE:
 * damaged, another subject's, or of a newer version. */
enum err_code blob_unwrap(struct str subject, struct str blob, struct arena *arena,
                          struct blob_timers *timers, struct str *inner, struct err *err);

/* As the newest version writes it, in arena: what says the same has the same bytes then.  What cannot
 * be read stays as it is. */
struct str blob_renewed(struct str subject, struct str blob, struct arena *arena);

#endif
