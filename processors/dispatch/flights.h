/* processors/dispatch/flights.h - the calls of this process: from the commit that announces one to
 * the commit of what came of it.
 *
 * A result is kept until it is committed, through aborted transactions and also when the process
 * leaves its group and joins again: the ledger would only know that the attempt had begun.
 * One thread at a time: the poll thread.
 */
#ifndef ATTENT_PROCESSORS_DISPATCH_FLIGHTS_H
#define ATTENT_PROCESSORS_DISPATCH_FLIGHTS_H

#include "processors/dispatch/senders.h"

struct flights;

struct flights *flights_open(const struct channels *channels,
                             const struct links *links); /* both borrowed; see senders.h */
void flights_close(struct flights *flights); /* waits for calls under way; NULL allowed */

/* Their announcement is committed: begin (takes the list). */
void flights_begin(struct flights *flights, struct job *jobs);
/* Nobody knows whether it is: they count as missed, should the ledger say that they were begun. */
void flights_give_up(struct flights *flights, struct job *jobs);

/* Fetch what has ended, and tell the gates. */
void flights_collect(struct flights *flights, int64_t real_ms);

/* What has ended and is not forgotten: NULL behind the last. */
const struct job *flights_ended(const struct flights *flights, const struct job *after);
void flights_forget_ended(struct flights *flights); /* committed, or of no interest */

bool flights_knows(const struct flights *flights, struct str id); /* under way or ended */
size_t flights_under_way(const struct flights *flights);
void flights_wait(struct flights *flights, int timeout_ms); /* until one ends */

#endif
