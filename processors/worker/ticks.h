/* processors/worker/ticks.h - records that say what time it is, where nothing else does.  Private to
 * the worker.
 *
 * A tick is written for a partition that has been read to its end and has nothing on its way, when a
 * timer is due by this machine's clock and not by the log; and only while that clock can be believed:
 * it must not differ from the store's by more than 5 s.  A clock that is ahead would make what has
 * not happened yet look as if it had stayed out.
 */
#ifndef ATTENT_PROCESSORS_WORKER_TICKS_H
#define ATTENT_PROCESSORS_WORKER_TICKS_H

#include "processors/worker/place.h"

void ticks_send(struct worker *w, struct err *err);

/* Why none are written although they are due; NULL: they are. */
const char *ticks_trouble(const struct worker *w);

#endif
