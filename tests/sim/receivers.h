/* tests/sim/receivers.h - whoever gets tasks in a simulated run, and what became of each there.
 *
 * Receivers outlive the processes that call them: what has come in is kept here, for the oracle.
 * How a call goes is drawn when it reaches its receiver; while faults strike it may be refused, lost,
 * answered late or not at all (SIM_RECEIVER_FAILS).
 */
#ifndef TESTS_SIM_RECEIVERS_H
#define TESTS_SIM_RECEIVERS_H

#include "connectors/channel.h"

enum receiver {                      /* what a channel promises depends on it */
                RECEIVER_IDEMPOTENT, /* drops an id that it has */
                RECEIVER_ONCE,       /* knows no ids, cannot be asked */
                RECEIVER_ASKED,      /* at most once, says whether it has an id */
                RECEIVER_RECALLED,   /* at most once, gives back what it has */
                RECEIVER_COUNT
};

const char *receiver_name(enum receiver receiver); /* also the name of its channel */
const struct connector_class *receiver_class(enum receiver receiver);

struct receiver_task { /* what came of one task, by its number */
    unsigned arrivals;
    int64_t first_us, last_us; /* true time of the first and the last call that it came with */
    bool refused;              /* it will never be taken */
    unsigned recalls;
};

enum { RECEIVER_TASKS_MAX = 256 };

void receivers_begin(void); /* of a run: nothing has come yet */
const struct receiver_task *receivers_task(unsigned number);

/* Tasks are called by their numbers: t0007. */
void receiver_put_id(unsigned number, char id[8]);
bool receiver_read_id(struct str id, unsigned *number); /* false: it is none */

/* How long the call takes that was made last; its answer is known then. */
int64_t receivers_span_us(void);

#endif
