/* connectors/callback/reference.h - which task a provider reports on, in a form that nobody else
 * can make: it goes to the provider with the task and comes back with what became of it.
 *
 * Signed, so that an outcome can only be of a task that went out by this channel, and nothing has
 * to be looked up; it expires.  Readable by whoever has it: ids and names, no address and no text.
 */
#ifndef ATTENT_CONNECTORS_CALLBACK_REFERENCE_H
#define ATTENT_CONNECTORS_CALLBACK_REFERENCE_H

#include "core/buf.h"
#include "schemas/task.h"

enum { REFERENCE_BYTES_MAX = 2048 }; /* longer ones are not looked at */

struct reference {
    struct str task, customer, moment, about, channel;
    uint32_t attempt; /* of the chain: task.attempt */
    int64_t expires_ms;
};

/* Append the reference of a task: letters, digits, - and _. */
void reference_put(struct buf *out, struct str key, const struct task *task, int64_t expires_ms);

/* False: it was not made with this key, was changed, or has expired.  The texts of *out live in
 * *bytes, which the caller frees in any case. */
bool reference_read(struct str text, struct str key, int64_t now_ms, struct buf *bytes,
                    struct reference *out);

#endif
