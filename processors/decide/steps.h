/* processors/decide/steps.h - the steps of an instance: what one takes of a record, what time does to it,
 * and going on to the next.
 *
 * Late events: a step takes nothing older than the step before.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_STEPS_H
#define ATTENT_PROCESSORS_DECIDE_STEPS_H

#include "processors/decide/observer.h"
#include "processors/decide/offer.h"

enum took { TOOK_NOT, TOOK_IT, TOOK_BROKE };

/* It begins, or begins anew, with the record that matched its first step. */
void steps_start(const struct offer *offer, struct instance *in);

/* Offer it to the current step.  crossed: what steps_crosses said of the same record. */
enum took steps_offer(const struct offer *offer, struct instance *in, bool crossed);
/* Of the later steps of an instance that are `crosses`, the current one's answer. */
bool steps_crosses(const struct offer *offer, const struct instance *in);

/* `every` as first step watches, and this is what it watches for. */
bool steps_is_heartbeat(const struct offer *offer, const struct instance *in);
void steps_take_heartbeat(const struct offer *offer, struct instance *in);

/* Other steps came into force (adopt.h).  It goes on where it stands, with what is written there now. */
void steps_resume(struct turn *turn, struct instance *in);
/* It begins again behind its first step, as if that had come now. */
void steps_restart(struct turn *turn, struct instance *in);
/* Note under which steps it got where it is. */
void steps_stamp(const struct turn *turn, struct instance *in);

void steps_time_out(struct turn *turn, struct instance *in); /* its step's timer is due */

/* Two that count the same count together: what other has counted, in has.  Nothing is completed: that is
 * for the next event.  False: they do not count the same. */
bool steps_join_counts(struct turn *turn, struct instance *in, const struct instance *other);

void steps_look_again(const struct turn *turn, struct instance *in); /* facts are others now */

/* To the observer, if there is one. */
void steps_tell(const struct turn *turn, const struct instance *in, enum did what, size_t number);

#endif
