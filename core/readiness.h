/* core/readiness.h - which parts of this process do their work, and if not, why not.
 *
 * A part ("ingest", "decide", "dispatch") says so itself whenever it changes; the console shows
 * it on /readyz and as attent_ready.  A part that has never said anything is not listed: a role
 * says "starting" first.  Any thread.
 */
#ifndef ATTENT_CORE_READINESS_H
#define ATTENT_CORE_READINESS_H

#include "core/buf.h"

/* part: a short plain word; why: a sentence, NULL or empty when ready.  Both are copied. */
void readiness_set(const char *part, bool ready, const char *why);

/* Append {"ready":false,"parts":{"decide":{"ready":false,"why":"..."},...}}.  True: there is a
 * part, and all are ready. */
bool readiness_put_json(struct buf *out);

#endif
