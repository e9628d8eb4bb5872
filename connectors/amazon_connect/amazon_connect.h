/* connectors/amazon_connect/amazon_connect.h - a task as a task contact of Amazon Connect.
 *
 *   PUT  /contact/task               StartTaskContact; ClientToken = the task's id
 *   GET  /contacts/INSTANCE/CONTACT  DescribeContact: does an agent have it already?
 *   POST /contact/stop               StopContact: take it back
 *   POST /contacts/INSTANCE/CONTACT  UpdateContact: tell the agent who has it
 *
 * each signed with AWS Signature Version 4 (sigv4.h).
 *
 * Amazon Connect knows a task by ClientToken: starting it twice is one contact, so what is in doubt
 * is started again.  The contact's id is the receipt's reference.
 */
#ifndef ATTENT_CONNECTORS_AMAZON_CONNECT_AMAZON_CONNECT_H
#define ATTENT_CONNECTORS_AMAZON_CONNECT_AMAZON_CONNECT_H

#include "connectors/channel.h"

extern const struct connector_class amazon_connect_class;

#endif
