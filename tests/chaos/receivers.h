/* tests/chaos/receivers.h - who gets what attent sends: a webhook's receiver and a mail server, both
 * flaky; the contact centre's queue is a topic.
 *
 * One answer in fifty is none, whatever the mood.  Calls are for main's thread.
 */
#ifndef TESTS_CHAOS_RECEIVERS_H
#define TESTS_CHAOS_RECEIVERS_H

#include "tests/chaos/accounts.h"

struct receivers;

enum mood {
    MOOD_FINE,
    MOOD_500,    /* refuses, half the time after it has done it */
    MOOD_SILENT, /* says nothing, half the time after it has done it */
    MOOD_CLOSES, /* closes in the middle: of the request's answer, or instead of it */
};

struct receivers *receivers_open(uint64_t seed);
void receivers_close(struct receivers *r); /* NULL allowed */

void receivers_put_channels(const struct receivers *r,
                            struct buf *yaml); /* garage, email, letter */

void receivers_set_mood(struct receivers *r, enum mood mood); /* of the webhook's */
void receivers_kill_mail(struct receivers *r);
void receivers_pause_mail(struct receivers *r);
void receivers_mend_mail(struct receivers *r); /* runs again, and answers */

/* Fill in `posted` and `mailed` of the accounts.  All senders have ended. */
void receivers_tell(struct receivers *r, struct accounts *accounts);

#endif
