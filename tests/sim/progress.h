/* tests/sim/progress.h - how far a long run of seeds is, for the person who waits for it:
 *
 *     412,400 of 1,000,000 seeds   651 a second   0 failed   15 min 3 s to go
 *
 * On a terminal the line is written over itself each second; elsewhere there is one a minute.
 */
#ifndef TESTS_SIM_PROGRESS_H
#define TESTS_SIM_PROGRESS_H

#include <stdint.h>

#include "tests/sim/runs.h"

struct progress {
    uint64_t seeds; /* to be played */
    double begin_s, told_s;
    bool terminal, shown;
};

void progress_begin(struct progress *progress, uint64_t seeds);
double progress_seconds(const struct progress *progress); /* since it began */

/* Some seeds more have been played.  progress: a struct progress, as runs_many passes it on. */
void progress_tell(void *progress, const struct runs_totals *totals);

void progress_end(struct progress *progress); /* its line is gone */

#endif
