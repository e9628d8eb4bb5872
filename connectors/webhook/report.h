/* connectors/webhook/report.h - how any partner reports what became of a task: after Standard
 * Webhooks, in the other direction.
 *
 *   POST PUBLIC_URL/callback/CHANNEL/REFERENCE     the task came with it, as "callback"
 *   webhook-id, webhook-timestamp, webhook-signature, by one of callback.secrets
 *
 *   {"type": "task.outcome", "data": {"task": "<id>", "code": "delivered", "final": false,
 *                                     "reason": "...", "opted_out": false}}
 *
 * A timestamp more than five minutes off is refused (the specification leaves the number open; its
 * libraries take five), so a message that somebody caught is of no use later.  webhook-id makes the
 * outcome's id: the same message twice has one effect.  A code of callback/codes.def is final or
 * not by that table unless it says otherwise; one of the partner's own is not, unless it says so.
 */
#ifndef ATTENT_CONNECTORS_WEBHOOK_REPORT_H
#define ATTENT_CONNECTORS_WEBHOOK_REPORT_H

#include "connectors/callback/callback.h"

extern const struct callback_class webhook_reports;

#endif
