/* connectors/amazon_connect/contact.h - the bodies of requests to Amazon Connect. */
#ifndef ATTENT_CONNECTORS_AMAZON_CONNECT_CONTACT_H
#define ATTENT_CONNECTORS_AMAZON_CONNECT_CONTACT_H

#include "schemas/task.h"

struct contact_place { /* borrowed; of flow and template one is empty */
    struct str instance, flow, template;
};

/* StartTaskContact.  The agent sees name, description and references, the flow sees attributes. */
void contact_put_start(struct buf *out, const struct contact_place *place, const struct task *task);

/* StopContact. */
void contact_put_stop(struct buf *out, const struct contact_place *place, struct str contact);

/* UpdateContact: the agent who has it reads in its name that it is not needed any more, and why. */
void contact_put_notice(struct buf *out, const struct task *task, const struct withdrawal *w);

#endif
