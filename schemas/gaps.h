/* schemas/gaps.h - sources of which a record is missing, and for how long.
 *
 * A gap is nothing bad for a moment: the producer died behind its first records, and whoever takes
 * over sends everything again (schemas/chain.h).  One that lasts needs a person.
 *
 * No clock: who looks says what time it is, by any clock that does not go back, and looks every second
 * or so.  One thread at a time.
 */
#ifndef ATTENT_SCHEMAS_GAPS_H
#define ATTENT_SCHEMAS_GAPS_H

#include "schemas/chain.h"

enum {
    GAPS_LAST_MS = 60000, /* then a gap is said */
    GAPS_MAX = 1000,      /* more than there are sources: names come from outside */
};

struct gap {
    char *from;
    uint64_t generation;
    uint64_t missing; /* the first number that has not come */
    int64_t since_ms; /* of the first look; -1: not looked at yet */
    bool said;        /* it has been returned as new */
    int64_t bound;    /* the log's end after its producer was seen to count it; -1: not seen */
};

struct gaps { /* start with {0} */
    struct gap *items;
    size_t count, capacity;
    size_t lasting; /* when they were looked at last */
};

/* A record was dropped, TAKEN_GAP: what taken_look has said of it. */
void gaps_open(struct gaps *gaps, const struct taken *taken, const struct taken_source *dropped);

/* The next record of this source was taken. */
void gaps_close(struct gaps *gaps, struct str from);

void gaps_forget(struct gaps *gaps); /* all, and their memory */

/* Look at them: how many have lasted too long (also kept in `lasting`).  fresh: a sentence about one
 * that was not said before; oldest: about the one that has lasted longest; each is set only if there
 * is one.  topic/partition: where they are missing. */
size_t gaps_look(struct gaps *gaps, const char *topic, int32_t partition, int64_t now_ms,
                 struct err *fresh, struct err *oldest);

/* Lost for good is a record that its producer has committed as published, when the log has been read
 * up to where it ended after that was seen.  gaps_doubted: the next one that lasts and whose `bound`
 * the caller may find out and set (start with *at = 0; NULL at the end).  gaps_lost: is one lost,
 * for who has read up to `next`?  Then err says which. */
struct gap *gaps_doubted(struct gaps *gaps, int64_t now_ms, size_t *at);
bool gaps_lost(const struct gaps *gaps, const char *topic, int32_t partition, int64_t next,
               struct err *err);

#endif
