/* connectors/sms/report.h - what Twilio reports: statuses of messages, and what people answer.
 *
 *   X-Twilio-Signature: base64 of HMAC-SHA-1, by the account's auth token, over the URL as it was
 *   called and, behind it, each field of the form as name and value, sorted by name
 *
 * It signs no time, so a report that is sent again cannot be told from one that is sent twice: both
 * have the id of the first, and one effect.  A status comes to the URL of its task
 * (StatusCallback); what people write comes to PUBLIC_URL/callback/CHANNEL, to be entered at the
 * number or messaging service, and only STOP among it has a meaning here.
 */
#ifndef ATTENT_CONNECTORS_SMS_REPORT_H
#define ATTENT_CONNECTORS_SMS_REPORT_H

#include "connectors/callback/callback.h"

extern const struct callback_class sms_reports;

#endif
