/* processors/decide/memory.h - what is remembered of a moment and about beyond its instances:
 * when it had its last task (`again`), and on which side of a bound a value was (`crosses`).
 *
 * For the last LIMIT_ABOUTS values of about of each moment; the one not changed for longest goes.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_MEMORY_H
#define ATTENT_PROCESSORS_DECIDE_MEMORY_H

#include "processors/decide/turn.h"

/* A task of this moment and about was decided: `again` counts from now. */
void memory_start_again(struct turn *turn, const struct moment *moment, struct str about);

/* Until when `again` refuses; INT64_MIN: it does not.  What happens before that, also before the
 * task, does not open: the customer has had this moment. */
int64_t memory_again_until(const struct state *state, const struct moment *moment,
                           struct str about);

/* Does `again` refuse because of this one now?  Forgotten, the customer would be told once more. */
bool memory_keeps_silent(const struct turn *turn, const struct memory *memory);

/* First refusal of a span?  Only that one is a decision. */
bool memory_refuse_again(struct turn *turn, const struct moment *moment, struct str about);
bool memory_refuse_limit(struct turn *turn, const struct moment *moment);
void memory_end_limit(struct turn *turn, uint32_t moment); /* an instance has ended */

/* Take a value of a `crosses` step.  True: this one crossed the bound. */
bool memory_cross(struct turn *turn, const struct moment *moment, size_t step, struct str about,
                  double value, int64_t time_ms);

/* The first step `becomes` is to be looked at then; STEP_NO_TIMER: time alone does not turn it. */
void memory_look_at(struct turn *turn, const struct moment *moment, int64_t due_ms);
int64_t memory_look_ms(const struct state *state, const struct moment *moment);

/* What is remembered of a customer who is merged into this one: the later `again`, the newer side of
 * a bound.  What only the other knows counts as older than all of ours. */
void memory_merge(struct turn *turn, const struct state *other);

#endif
