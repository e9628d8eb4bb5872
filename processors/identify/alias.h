/* processors/identify/alias.h - the state of a subject of `identify`.
 *
 * Of an alias ("vin:..."): its owners and the events that wait to know theirs.  Of a customer
 * ("customer:..."): the aliases that are or were his, so that they can be found again when he is erased
 * or merged; and for a while that he was.
 *
 * As bytes: a version, then both; nothing for a subject of which nothing is known.
 */
#ifndef ATTENT_PROCESSORS_IDENTIFY_ALIAS_H
#define ATTENT_PROCESSORS_IDENTIFY_ALIAS_H

#include "core/err.h"
#include "core/record.h"
#include "processors/identify/owners.h"

struct parked { /* an event */
    int64_t until_ms;
    struct record record; /* headers, value, timestamp */
};

struct known_alias {
    struct str name;
    int64_t at_ms;
};

struct alias {
    struct str subject; /* borrowed */
    struct owners owners;
    struct parked *parked; /* in the order in which they came */
    size_t parked_count;
    struct known_alias *names; /* of a customer */
    size_t name_count;
    int64_t gone_ms; /* of a customer: erased or merged then; INT64_MIN: is not */
    int64_t gone_until_ms;
    struct str gone_to; /* merged into; empty: erased */
};

/* blob empty: a new one.  Texts are borrowed from blob and subject.  ERR_STATE: broken. */
enum err_code alias_decode(struct str subject, struct str blob, struct arena *arena,
                           struct alias **out, struct err *err);
void alias_encode(const struct alias *a, struct buf *out);

size_t parked_bytes(const struct parked *p); /* what it counts for */
int64_t alias_due_ms(const struct alias *a); /* STEP_NO_TIMER: never */

/* A copy of the record behind the others. */
void alias_park(struct alias *a, const struct record *record, int64_t until_ms,
                struct arena *arena);
/* False: it was known. */
bool alias_add_name(struct alias *a, struct str name, int64_t at_ms, struct arena *arena);

#endif
