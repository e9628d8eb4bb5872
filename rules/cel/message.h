/* rules/cel/message.h - google.protobuf.Int32Value{value: 3}: the well-known messages that stand
 * for JSON-like values.  There are no other messages.  Inside rules/cel only. */
#ifndef ATTENT_RULES_CEL_MESSAGE_H
#define ATTENT_RULES_CEL_MESSAGE_H

#include "rules/cel/node.h"

/* `name` is a chain of names, `fields` the NODE_MAP that stood in the braces.  What is wrong is
 * reported.  Never NULL. */
struct cel_node *cel_message_node(struct cel_source *source, const struct cel_env *env,
                                  struct arena *arena, const struct cel_node *name,
                                  const struct cel_node *fields);

#endif
