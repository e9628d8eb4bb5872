/* processors/decide/consent.h - may this customer be reached for this purpose on this channel,
 * and where.
 *
 * Consent events (built in): consent.given, consent.withdrawn {purpose, channel}; a field left
 * out means all.  The latest event that speaks of purpose and channel counts.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_CONSENT_H
#define ATTENT_PROCESSORS_DECIDE_CONSENT_H

#include "processors/decide/explain.h"
#include "processors/decide/turn.h"

/* The event at hand gives or withdraws consent. */
void consent_take(struct turn *turn, bool given);

/* What the event at hand takes back, for dispatch: customer, because and created_ms are filled in. */
void consent_tell_dispatch(struct turn *turn, struct permission permission);

/* The word of a customer who is merged into this one counts as well: for each purpose and channel
 * "no" of either stands, whenever it was said; else "yes" of either. */
void consent_merge(struct turn *turn, const struct state *other);

/* Tells the trail either way.  REASON_TASK: it may; else NO_CONSENT or NO_ADDRESS. */
enum reason consent_ask(struct turn *turn, const struct moment *moment, const struct act *act,
                        struct trail *trail);

/* The customer's address for an action; empty: none needed, or none known. */
struct str consent_address(const struct turn *turn, const struct act *act);

#endif
