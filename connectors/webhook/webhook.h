/* connectors/webhook/webhook.h - a task as an HTTP POST, after Standard Webhooks.
 *
 *   POST URL
 *   webhook-id: the task's id; of a withdrawal, that + "-withdrawn"
 *   webhook-timestamp: seconds, of this attempt
 *   webhook-signature: v1,BASE64 [v1,BASE64 ...]   one for each secret
 *
 *   {"type": "attent.task.v1", "timestamp": "2026-03-02T08:00:00Z", "data": {the task},
 *    "callback": "https://..."}     where to report what became of it (report.h), if configured
 *
 * An attempt in doubt is made again: the receiver knows a task by webhook-id, so two attempts have
 * one effect.  410 Gone means that it wants nothing more.
 */
#ifndef ATTENT_CONNECTORS_WEBHOOK_WEBHOOK_H
#define ATTENT_CONNECTORS_WEBHOOK_WEBHOOK_H

#include "connectors/channel.h"

extern const struct connector_class webhook_class;

#endif
