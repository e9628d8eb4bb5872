/* schemas/suspect.h - a note of what a process has in hand, for who comes after its death.
 *
 *   "17 18 0"    record 17, alone; nobody is known to have died of it
 *   "17 18 1"    the same, and one has
 *   "16 80 0"    one of the records 16 to 79
 *   "timers"     no record
 *   ""           nothing
 *
 * A note with one record in it is evidence: who wrote it had nothing else in hand.
 */
#ifndef ATTENT_SCHEMAS_SUSPECT_H
#define ATTENT_SCHEMAS_SUSPECT_H

#include "core/buf.h"

struct suspect {
    int64_t from, to; /* offsets [from, to); from -1: no record */
    int64_t deaths;   /* at this one record, before */
};

void suspect_put(struct buf *out, const struct suspect *s); /* "timers" for no record */

/* False: it is none (nothing, or not ours). */
bool suspect_read(struct str text, struct suspect *out);

/* What the note of a dead process says of what lies at `next`, where the log was not read further.
 * *deaths: with this one, at the one record that it names; 0: it names none, or several. */
bool suspect_is_alive(const struct suspect *s, int64_t next, int64_t *deaths);

#endif
