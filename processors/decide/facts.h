/* processors/decide/facts.h - the facts of a customer: bringing them up to date, reading them.
 *
 * An event updates all facts that listen to its type before any moment looks at it.  A window is
 * (now - D, now]: what is exactly D old is outside.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_FACTS_H
#define ATTENT_PROCESSORS_DECIDE_FACTS_H

#include "processors/decide/turn.h"

void facts_update(struct turn *turn);

/* Those of a customer who is merged into this one; both as the rule set in force keeps them
 * (docs/decisions/074). */
void facts_merge(struct turn *turn, const struct state *other);

/* The value of fact `index` at turn->now_ms; with `per` a map; VALUE_ABSENT: never set. */
struct value facts_read(const struct turn *turn, uint32_t index);

/* Since when it has been so: the time of the last event of a `last`, `first` or `mark`; INT64_MIN:
 * not known, or of many events. */
int64_t facts_time_ms(const struct turn *turn, uint32_t index);

/* When fact `index` changes next by time alone, after turn->now_ms; STEP_NO_TIMER: it does not. */
int64_t facts_run_out_ms(const struct turn *turn, uint32_t index);

/* The place of a fact in a state, made if it is not there.  Facts are sorted by id. */
struct fact_state *facts_at(struct state *state, struct arena *arena, const struct fact *fact);

/* Small enough to be kept in a state, and of a form that reads back from its blob. */
bool facts_value_fits(struct value v, struct arena *arena);

#endif
