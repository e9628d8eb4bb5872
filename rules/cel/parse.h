/* rules/cel/parse.h - tokens to a tree, macros included.  Inside rules/cel only. */
#ifndef ATTENT_RULES_CEL_PARSE_H
#define ATTENT_RULES_CEL_PARSE_H

#include "rules/cel/node.h"

/* NULL when no tree could be made; a tree may come with errors reported as well (= for ==). */
struct cel_node *cel_parse(struct cel_source *source, const struct cel_env *env,
                           struct arena *arena);

/* A macro by its name, for help; NULL: none of that name. */
const struct cel_macro *cel_macro_named(struct str name);

/* A macro by how it is written, for listings; NULL: none. */
const struct cel_macro *cel_macro_used(const char *usage);

#endif
