/* processors/identify/owners.h - whose an alias is, and when.
 *
 *      |--- Anna ---|       |------- Bert -------
 *     bind        unbind   bind                       changes, in order of their own times
 *
 * An event belongs to who owned the alias at its time.  In a gap, and before the first that is known,
 * it belongs to whoever comes next, if that is not longer than `look_back_ms` after it: whom a car
 * was sold to is often said after the car has reported.  An unbind that names who gave it away says
 * whose it was before.  What came in in which order plays no part, but for two changes of one time.
 *
 * The last few owners are kept.  Of the time before them nothing is guessed.
 */
#ifndef ATTENT_PROCESSORS_IDENTIFY_OWNERS_H
#define ATTENT_PROCESSORS_IDENTIFY_OWNERS_H

#include "core/arena.h"
#include "core/buf.h"

struct owner_change {
    int64_t at_ms;
    bool bound; /* else unbound: from here on nobody's, if it was `customer`'s until here */
    struct str customer; /* empty, of unbound: whoever has it */
};

struct owners {                 /* start with {.known_from_ms = INT64_MIN} */
    struct owner_change *items; /* in the arena of the state */
    size_t count;
    int64_t known_from_ms; /* who had it before is forgotten */
};

enum owner_answer { OWNER_FOUND, OWNER_UNKNOWN, OWNER_FORGOTTEN };

enum owner_answer owners_at(const struct owners *o, int64_t at_ms, int64_t look_back_ms,
                            struct str *customer);

/* `most` owners are kept.  Texts are copied to arena.  False: nothing changed. */
bool owners_bind(struct owners *o, struct str customer, int64_t at_ms, size_t most,
                 struct arena *arena);
bool owners_unbind(struct owners *o, struct str customer, int64_t at_ms, size_t most,
                   struct arena *arena);

/* The customer is to be forgotten, as of at_ms, and with that the time up to then, if it is known whose
 * the alias is now, else all of it; has another id now. */
bool owners_forget(struct owners *o, struct str customer, int64_t at_ms);
bool owners_rename(struct owners *o, struct str from, struct str to, struct arena *arena);

#endif
