/* connectors/contact_centre/contact_centre.h - agents' queues as Kafka topics.
 *
 * A task becomes a CloudEvent (binary mode, type attent.task.v1, id = task id) on the topic of
 * its queue, a withdrawal one of type attent.task_withdrawn.v1 (id = task id + "-withdrawn").
 * The key is the customer, so both go to one partition, in order.  The contact centre's own
 * integration reads the topic and answers on attent.outcomes.
 *
 * It gives records and writes nothing itself: dispatch writes them in its transaction, so a
 * reader with isolation.level=read_committed sees each task exactly once.
 */
#ifndef ATTENT_CONNECTORS_CONTACT_CENTRE_CONTACT_CENTRE_H
#define ATTENT_CONNECTORS_CONTACT_CENTRE_CONTACT_CENTRE_H

#include "connectors/channel.h"

extern const struct connector_class contact_centre_class;

#endif
