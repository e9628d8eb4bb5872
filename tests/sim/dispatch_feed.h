/* tests/sim/dispatch_feed.h - what decide would write for dispatch: tasks, withdrawals, permissions taken
 * back; numbered, by two sources, of which each dies now and then and writes again what it had.
 *
 *     logical   1 2 3 4 5 6
 *     written   1 2 3 . 5 | 3 4 5 2 6      4 was lost, so 5 stands behind a gap; 3 is a repeat, and so is
 *                                          the 2 of one who does not know yet that it was replaced
 */
#ifndef TESTS_SIM_DISPATCH_FEED_H
#define TESTS_SIM_DISPATCH_FEED_H

#include "core/arena.h"
#include "tests/sim/receivers.h"

enum { FEED_PARTITIONS = 2, FEED_TASKS_MAX = 48 };

#define FEED_TOPIC "attent.tasks"
#define FEED_QUEUE "q"

struct feed_task {
    bool by_phone; /* the contact centre's queue; else a receiver: */
    enum receiver receiver;
    bool at_least_once;
    bool forged; /* its record does not follow from the one before: never to be taken */
    unsigned customer;
    bool waits;           /* it has a window that opens later */
    unsigned order;       /* in which a reader takes them; 0: it does not */
    int64_t withdrawn_us; /* true time from which a reader could know it; INT64_MAX: it is not */
};

/* Draw a log: tasks come during that time; memory lives in arena. */
void feed_draw(struct arena *arena, int64_t spread_us);

size_t feed_tasks(const struct feed_task **out); /* the number of a task is its index */

/* Write what is due by now; true: all is written. */
bool feed_go_on(void);

#endif
