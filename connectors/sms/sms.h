/* connectors/sms/sms.h - a task as a text message, through Twilio's Messages API (2010-04-01).
 *
 *   POST BASE_URL/2010-04-01/Accounts/SID/Messages.json
 *   Authorization: Basic SID:TOKEN (or an API key and its secret)
 *   To, Body, and MessagingServiceSid or From; StatusCallback if configured
 *
 * At most once: Twilio knows no ids of ours.  Its error codes are sorted by sms_errors.def;
 * 21610 (the customer answered STOP) is an opt-out.
 */
#ifndef ATTENT_CONNECTORS_SMS_SMS_H
#define ATTENT_CONNECTORS_SMS_SMS_H

#include "connectors/channel.h"

extern const struct connector_class sms_class;

#endif
