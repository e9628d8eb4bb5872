/* connectors/genesys/callback.h - what is said to Genesys Cloud of a callback, and what it says. */
#ifndef ATTENT_CONNECTORS_GENESYS_CALLBACK_H
#define ATTENT_CONNECTORS_GENESYS_CALLBACK_H

#include "schemas/task.h"

/* CreateCallbackCommand.  script: empty: none. */
void callback_put_create(struct buf *out, const struct task *task, struct str queue,
                         struct str script);

/* ParticipantAttributes that say that it is not needed any more, and why. */
void callback_put_notice(struct buf *out, const struct withdrawal *w);

enum callback_stage {
    CALLBACK_WAITING,
    CALLBACK_WITH_AGENT, /* an agent is connected to it */
    CALLBACK_OVER,       /* everybody has left */
};

/* Where a CallbackConversation is.  *customer: the customer's participant, borrowed; empty: none. */
enum callback_stage callback_stage_of(struct value conversation, struct str *customer);

#endif
