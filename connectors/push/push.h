/* connectors/push/push.h - a task as a notification of an app, through Firebase Cloud Messaging.
 *
 *   POST BASE_URL/v1/projects/PROJECT/messages:send
 *   Authorization: Bearer TOKEN, which a service account gets from Google (connectors/oauth)
 *
 * The task's address is the registration token of an app on a device, its text the notification,
 * its id the collapse key: a second message of one task replaces the first on the device.  The
 * message is kept for a device that is away until the task's deadline (four weeks at most).
 *
 * At most once: Google knows no ids of ours, and a customer who has wiped a notification away sees
 * its repetition.  A device that has no such app any more (UNREGISTERED) is a dead address.
 */
#ifndef ATTENT_CONNECTORS_PUSH_PUSH_H
#define ATTENT_CONNECTORS_PUSH_PUSH_H

#include "connectors/channel.h"

extern const struct connector_class push_class;

#endif
