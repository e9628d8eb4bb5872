/* schemas/suspect.h - a note of what a process has in hand, for who comes after its death.
 *
 *   "16 80 1"                 one of the records 16 to 79; one process had it in hand before, and died
 *   "17 18 2"                 record 17, alone; two processes had it in hand before
 *   "timer 17 18 2 5000 c-7"  the timer of c-7 that is due at 5000, before record 17 is run
 *   "among 16 80 2"           nothing is in hand; what two processes died of is one of these
 *   ""                        nothing
 *
 * Who finds a note of several things takes them singly: so what kills is in hand three times, first
 * with all that nobody had noted, then with some, then alone.
 */
#ifndef ATTENT_SCHEMAS_SUSPECT_H
#define ATTENT_SCHEMAS_SUSPECT_H

#include "core/buf.h"

struct suspect {
    int64_t from, to; /* offsets [from, to); from -1: nothing */
    int64_t deaths;   /* of processes that had this in hand, before */
    bool among;       /* it is not in hand now */
    struct str timer; /* whose timer it is; empty: no timer but these records */
    int64_t due_ms;   /* of the timer */
};

#define SUSPECT_NOBODY ((struct suspect){.from = -1, .to = -1})

void suspect_put(struct buf *out, const struct suspect *s);

/* False: it is none (nothing, or not ours).  The timer is borrowed from text. */
bool suspect_read(struct str text, struct suspect *out);

bool suspect_is_one(const struct suspect *s); /* a single record, or a timer */

/* The note of a process that died, where the log was not read further than `next`: counts that death,
 * if it was in hand.  False: it says nothing, all in it was done. */
bool suspect_died(struct suspect *s, int64_t next);

/* It is one thing, and was in hand often enough to be put aside. */
bool suspect_is_poison(const struct suspect *s);

#endif
