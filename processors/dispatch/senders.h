/* processors/dispatch/senders.h - the threads in which channels are called.
 *
 *     poll thread                             sender threads, per channel
 *     senders_begin(job)  ---- queue ---->    deliver, ask or withdraw
 *     senders_take_done() <--- results ---    each with a connector of its own
 *
 * The poll thread alone touches ledger and Kafka; a sender knows one job and its connector.  A
 * thread is started when a channel first needs one more.  A call that hangs holds one thread of its
 * own channel and nobody else.
 *
 * Functions are called from the poll thread.
 */
#ifndef ATTENT_PROCESSORS_DISPATCH_SENDERS_H
#define ATTENT_PROCESSORS_DISPATCH_SENDERS_H

#include "processors/dispatch/channels.h"
#include "processors/dispatch/job.h"
#include "processors/dispatch/links.h"

struct senders;

/* Both borrowed; links NULL: nobody listens to what comes back. */
struct senders *senders_open(const struct channels *channels, const struct links *links);
/* Waits for calls that are under way, not longer than their time-outs. */
void senders_close(struct senders *senders); /* NULL allowed */

void senders_begin(struct senders *senders, struct job *job); /* takes job */

/* Jobs that have ended since the last call, in a list by `next`; the caller owns them. */
struct job *senders_take_done(struct senders *senders);

/* Wait until a job has ended or timeout_ms have passed. */
void senders_wait(struct senders *senders, int timeout_ms);

#endif
