/* processors/decide/becomes.h - the step `becomes`: a condition over facts that comes true.
 *
 * Facts change by a record, or at a time that they know beforehand: a window or mark runs out.
 * So whether the condition was true needs no memory: it is asked of the facts as they were before
 * the record, or a millisecond before the time.  Error and absent are not true.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_BECOMES_H
#define ATTENT_PROCESSORS_DECIDE_BECOMES_H

#include "processors/decide/turn.h"

/* Has the record at hand, or turn->now_ms when there is none, made the step's condition true?
 * in: the instance that waits for it, NULL: it is the first step. */
bool becomes_turned(struct turn *turn, const struct instance *in, const struct moment_step *step);

/* When it may turn next by time alone, after turn->now_ms; STEP_NO_TIMER: never. */
int64_t becomes_due_ms(const struct turn *turn, const struct moment_step *step);

#endif
