/* processors/decide/instances.h - the runs of moments: opening, stepping on, ending.
 *
 * A record is offered to each open instance of each moment that listens to it - `withdraw`, else
 * the current step - and, if no instance took it, to the moment's first step.  An instance whose
 * steps are done becomes a candidate (PHASE_ASKING), which the funnel takes up at the end of the
 * turn.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_INSTANCES_H
#define ATTENT_PROCESSORS_DECIDE_INSTANCES_H

#include "processors/decide/explain.h"
#include "processors/decide/turn.h"

void instances_offer(struct turn *turn); /* the record at hand, to all moments that listen */
/* Time may have turned the first step (`becomes`) of a moment. */
void instances_look(struct turn *turn, uint16_t moment, int64_t due_ms);

/* End an instance with a decision record; its task, if one is out, is taken back.  trail NULL:
 * no stages to tell of. */
void instances_end(struct turn *turn, struct instance *in, enum reason reason,
                   const struct trail *trail);
/* ... without a word: a count that came to nothing, or a decision that said it already. */
void instances_close(struct turn *turn, struct instance *in);

/* One more, kept in order of (moment's name, about): the order of timers, and of blobs. */
void instances_insert(struct turn *turn, struct instance *in);

void instances_sweep(struct state *state); /* forget those that have ended */

const struct moment *instance_moment(const struct turn *turn, const struct instance *in);

#endif
