/* processors/worker/lanes.h - the timers of a partition that wait for the time of a lane (step.h).
 *
 * Each lane has a time and its own front of timers (timers.h).  A timer is ready when its lane has
 * got to its due time.  Which lanes there are and what time it is in them says the step; they
 * change with control records only, so between two of those nothing becomes ready but what the
 * store had not given yet.  No I/O, one thread.
 */
#ifndef ATTENT_PROCESSORS_WORKER_LANES_H
#define ATTENT_PROCESSORS_WORKER_LANES_H

#include "processors/worker/step.h"
#include "processors/worker/timers.h"

struct lane {
    uint32_t id;
    int64_t at_ms;
    struct timers timers;
};

struct lanes { /* start with {0} */
    struct lane *items;
    size_t count;
};

/* As the step says now: at the beginning, and after a control record. */
void lanes_refresh(struct lanes *lanes, const struct step_class *class, const struct step *step);
void lanes_free(struct lanes *lanes);

struct lane *lanes_find(struct lanes *lanes, uint32_t id); /* NULL: no such lane */

/* The lane whose first timer is ready, of several the one that is due first.  NULL: none. */
struct lane *lanes_ready(struct lanes *lanes);

/* A lane of which the store may have timers and none is in memory.  NULL: none. */
struct lane *lanes_lacking(struct lanes *lanes);

/* What is to be written after the waits of a subject have changed: each lane of `now` and `before`
 * once, if it is another in `now` (STEP_NO_TIMER: no longer there).  Room for both in out. */
size_t lanes_changes(const struct step_wait *now, size_t now_count, const struct step_wait *before,
                     size_t before_count, struct step_wait *out);

void lanes_trim(struct lanes *lanes, size_t max); /* as timers_trim */

#endif
