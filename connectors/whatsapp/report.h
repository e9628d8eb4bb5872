/* connectors/whatsapp/report.h - what Meta reports: statuses of messages, and what people answer.
 *
 *   GET  ?hub.mode=subscribe&hub.verify_token=...&hub.challenge=...     is anybody there?
 *   POST X-Hub-Signature-256: sha256=HEX     HMAC-SHA-256 of the body, by the app's secret
 *
 * One address for the whole app, so each status says itself which task it is of: our reference comes
 * back as biz_opaque_callback_data.  A status without one is of a message that others sent.  Meta
 * signs no time and asks again for days: the message's id and its status make the event's id.
 */
#ifndef ATTENT_CONNECTORS_WHATSAPP_REPORT_H
#define ATTENT_CONNECTORS_WHATSAPP_REPORT_H

#include "connectors/callback/callback.h"

extern const struct callback_class whatsapp_reports;

#endif
