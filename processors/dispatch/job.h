/* processors/dispatch/job.h - one call of a channel, from its plan to what came of it. */
#ifndef ATTENT_PROCESSORS_DISPATCH_JOB_H
#define ATTENT_PROCESSORS_DISPATCH_JOB_H

#include "connectors/channel.h"

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
        begin_by_mono_ms; /* not begun by then: not any more (job_missed); whoever begins it says so */
    int64_t now_ms;       /* wall clock at which it was planned */
    enum delivery result;
    struct receipt receipt;
    struct err err;
    struct job *next;
};

void job_free(struct job *job); /* NULL allowed */

/* Its call was not made, and is not made any more.  Of a delivery that means that it surely was not sent
 * (RETRY); of a question or a taking back nothing at all (DOWN): RETRY as an answer to a question
 * would say that the receiver surely has not got the task. */
void job_missed(struct job *job, const char *why);

#endif
