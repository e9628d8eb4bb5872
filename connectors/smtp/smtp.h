/* connectors/smtp/smtp.h - a task as a mail, handed to a mail server.
 *
 * At most once: a mail server knows no ids of ours, so a mail whose submission ended in doubt is
 * not sent again.  What is surely not sent is: a server may not keep half a message.
 *
 * A task with an appointment carries an invitation for the calendar, and only such a one can be
 * taken back: by a second mail that cancels it.
 */
#ifndef ATTENT_CONNECTORS_SMTP_SMTP_H
#define ATTENT_CONNECTORS_SMTP_SMTP_H

#include "connectors/channel.h"

extern const struct connector_class smtp_class;

#endif
