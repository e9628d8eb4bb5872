/* processors/dispatch/wishes.h - what customers told dispatch itself, and decide may not know yet.
 *
 *   unsubscribed --> attent.tasks at once (no number)         --> from here on nothing is sent
 *        \--> attent.outcomes -> ingest -> decide --> attent.tasks (numbered) --> decide knows
 *
 * A task that was decided between the two comes behind the first.  So a wish is kept until decide's
 * own record of it comes, for a minute at most.  In memory only: it is about a moment.  One thread
 * at a time.
 */
#ifndef ATTENT_PROCESSORS_DISPATCH_WISHES_H
#define ATTENT_PROCESSORS_DISPATCH_WISHES_H

#include "schemas/task.h"

struct wishes;

struct wishes *wishes_new(void);
void wishes_free(struct wishes *wishes); /* NULL allowed */

/* Copied.  Beyond LIMIT_DISPATCH_WISHES the oldest goes. */
void wishes_add(struct wishes *wishes, const struct permission *permission, int64_t now_ms);

/* Decide has said the same. */
void wishes_settle(struct wishes *wishes, const struct permission *permission);

/* Those that count at now_ms, oldest first; earlier ones are forgotten.  Valid until the next call. */
size_t wishes_count(struct wishes *wishes, int64_t now_ms);
const struct permission *wishes_at(const struct wishes *wishes, size_t index);

#endif
