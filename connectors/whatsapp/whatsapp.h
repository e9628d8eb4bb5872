/* connectors/whatsapp/whatsapp.h - a task as a WhatsApp message, through Meta's Cloud API.
 *
 *   POST BASE_URL/VERSION/PHONE_NUMBER_ID/messages
 *   Authorization: Bearer TOKEN
 *
 * A business may write freely only within 24 hours of the customer's last message, and otherwise
 * with a template that Meta has approved.  The connector does not know when a customer wrote: a
 * fact that the moment puts into the task says so (option last_message).  Within the 24 hours a
 * task goes as text, else as the template of its moment, whose only parameter is the task's text.
 *
 * At most once: Meta knows no ids of ours.  The task's mark goes along as biz_opaque_callback_data
 * and comes back with each status (report.h); without a receiver it is the task's id.  Error codes are sorted by whatsapp_errors.def; 131050 (the
 * customer stopped marketing messages) is an opt-out.
 */
#ifndef ATTENT_CONNECTORS_WHATSAPP_WHATSAPP_H
#define ATTENT_CONNECTORS_WHATSAPP_WHATSAPP_H

#include "connectors/channel.h"

extern const struct connector_class whatsapp_class;

#endif
