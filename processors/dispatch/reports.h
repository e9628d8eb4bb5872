/* processors/dispatch/reports.h - from what a provider reports to records for Kafka.  No I/O.
 *
 *     an outcome ........ task.outcome
 *       that opted out .. and consent.withdrawn for its channel
 *     STOP .............. consent.withdrawn for the channel, if somebody knows whose address it is
 *     what belongs to nobody ... a dead letter with its reason: the call as it came
 *
 * A withdrawn consent is written twice: as an event for decide, and as attent's own record on the
 * tasks topic, which stops what is in line before the event has gone its way.
 */
#ifndef ATTENT_PROCESSORS_DISPATCH_REPORTS_H
#define ATTENT_PROCESSORS_DISPATCH_REPORTS_H

#include "connectors/callback/reference.h"
#include "core/record.h"
#include "processors/dispatch/receiver.h"

struct reports { /* records in the making */
    const struct receiver_config *config;
    struct arena *arena;
    int64_t now_ms;
    struct record *records;
    size_t count, capacity;
};

/* Of a task that is known. */
void reports_add_outcome(struct reports *reports, const struct callback_outcome *outcome,
                         const struct reference *reference);

/* The customer wants nothing more: purpose and channel as consent.withdrawn has them (empty: all).
 * id: what makes the event's id, together with channel and purpose. */
void reports_add_withdrawn(struct reports *reports, struct str customer, struct str purpose,
                           struct str channel, struct str id, int64_t at_ms);

/* body: of the call; reason: "unknown_task", "unknown_sender". */
void reports_add_dead_letter(struct reports *reports, struct str channel, const char *reason,
                             const char *why, struct str body);

#endif
