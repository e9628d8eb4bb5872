/* schemas/binding.h - records of attent.identify, keyed by an alias (schemas/identity.h).
 *
 *   attent-identify   value
 *   event             an event that names the alias and no customer: binary CloudEvent without subject
 *   last-event        the same, and with it the alias stops being its owner's (vehicle.transferred)
 *   bind, unbind      {"customer": "c-anna", "at": "2026-03-04T08:00:00Z"}
 *                     unbind without a customer: whoever has it
 *   owned             of the step itself, keyed customer:HASH: {"customer": ..., "alias": "vin:...", "at": ...}
 *   forget            likewise, keyed by the alias: what is known of {"customer": ...} is to go
 *   rename            likewise, with "to": {"customer": "c-1", "to": "c-2"}
 *   erased, merged    of ingest, keyed customer:HASH: the {"customer": ...} is gone; {"to": "c-2"}: is c-2 now
 *
 * HASH (of the id) in a key names nobody who is to be forgotten.
 */
#ifndef ATTENT_SCHEMAS_BINDING_H
#define ATTENT_SCHEMAS_BINDING_H

#include "core/arena.h"
#include "core/buf.h"
#include "core/record.h"

#define IDENTIFY_HEADER "attent-identify"
#define ORIGIN_HEADER   "attent-origin" /* TOPIC/PARTITION/OFFSET that an event came from */

enum identify_kind {
    IDENTIFY_EVENT = 0,
    IDENTIFY_LAST_EVENT,
    IDENTIFY_BIND,
    IDENTIFY_UNBIND,
    IDENTIFY_OWNED,
    IDENTIFY_FORGET,
    IDENTIFY_RENAME,
    IDENTIFY_ERASED,
    IDENTIFY_MERGED,
    IDENTIFY_KIND_COUNT
};

/* What is said about a customer has this key: customer:HASH. */
struct str binding_customer_key(struct str customer, struct arena *arena);

const char *identify_kind_text(enum identify_kind kind);
/* False: the record says none, or one that there is not. */
bool identify_kind_of(const struct record *record, enum identify_kind *out);

struct binding { /* what is not said is empty; at_ms 0 */
    struct str customer, alias, to;
    int64_t at_ms;
};

void binding_put_json(struct buf *out, const struct binding *b);
/* Texts live in arena.  False: it is none, or a text is too long for a key. */
bool binding_read_json(struct str text, struct arena *arena, struct binding *out);

#endif
