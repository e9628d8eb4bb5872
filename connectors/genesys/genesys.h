/* connectors/genesys/genesys.h - a task as a callback in a queue of Genesys Cloud.
 *
 *   POST  /api/v2/conversations/callbacks        make it
 *   GET   /api/v2/conversations/callbacks/ID     does an agent have it already?
 *   PATCH /api/v2/conversations/callbacks/ID     {"state": "disconnected"}: take it back
 *   PATCH /api/v2/conversations/ID/participants/PARTICIPANT/attributes   tell the agent who has it
 *
 * with an access token of an OAuth client (connectors/oauth).
 *
 * At most once: a callback has no id of ours, and what was made cannot be looked up by one, so two
 * requests are two callbacks, and what is in doubt stays so.  The conversation's id is the receipt's
 * reference.
 */
#ifndef ATTENT_CONNECTORS_GENESYS_GENESYS_H
#define ATTENT_CONNECTORS_GENESYS_GENESYS_H

#include "connectors/channel.h"

extern const struct connector_class genesys_class;

#endif
