/* processors/ingest/alias.h - what goes to attent.identify, by the identity.yaml of the rule set in force.
 *
 *     names a customer and a field that binds or unbinds   attent.events as ever, and a binding beside it
 *     names no customer, but an alias                      attent.identify instead, keyed by the alias
 *     customer.erased, customer.merged                     attent.events, and word to the customer's aliases
 *
 * All in one transaction.  Pure: no Kafka, no clock.
 */
#ifndef ATTENT_PROCESSORS_INGEST_ALIAS_H
#define ATTENT_PROCESSORS_INGEST_ALIAS_H

#include "processors/ingest/convert.h"

/* May an event of this type come without a customer? */
bool alias_may_stand(const struct identity *identity, struct str type);

/* Send a converted event (out->record, for attent.events) on its way.  EVENT_FINE, or EVENT_NO_SUBJECT
 * or EVENT_BAD_ALIAS: it names neither. */
enum event_fault alias_route(const struct ingest_config *config, const struct event *event,
                             const struct record *from, struct arena *arena, struct converted *out,
                             struct err *err);

#endif
