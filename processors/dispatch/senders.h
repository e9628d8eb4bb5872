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
#include "processors/dispatch/links.h"

enum job_kind { JOB_DELIVER, JOB_ASK, JOB_WITHDRAW };

struct job { /* one call of a channel, and what came of it; owned, and so are its texts */
    enum job_kind kind;
    int32_t partition;
    uint32_t attempt;
    size_t channel;
    char id[TASK_ID_SIZE];
    char *task, *withdrawal; /* JSON; withdrawal: of JOB_WITHDRAW */
    size_t task_bytes, withdrawal_bytes;
    char *address; /* of the task, as its gate knows it; "" none */
    char reference[CHANNEL_REFERENCE_SIZE];
    int64_t
        begin_by_mono_ms; /* not begun by then: surely not sent (RETRY); whoever begins it says so */
    int64_t now_ms;       /* wall clock at which it was planned */
    enum delivery result;
    struct receipt receipt;
    struct err err;
    struct job *next;
};

void job_free(struct job *job); /* NULL allowed */

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
