/* rules/cel/check.h - names to slots, types to every node.  Inside rules/cel only. */
#ifndef ATTENT_RULES_CEL_CHECK_H
#define ATTENT_RULES_CEL_CHECK_H

#include "rules/cel/node.h"

/* Check a tree in place; findings go to source.  `want` NULL: any type.  The root may be replaced
 * (a conversion is put around it). */
void cel_check(struct cel_source *source, const struct cel_env *env, const struct cel_type *want,
               struct arena *arena, struct cel_node **root);

extern const struct cel_type cel_type_type, cel_local_type, cel_list_type, cel_map_type,
    cel_optional_type;

/* Is a value of type `from` good where `to` is asked?  dyn always is, either way. */
bool cel_type_fits(const struct cel_type *from, const struct cel_type *to);
const struct cel_type *cel_type_copy(struct arena *arena, const struct cel_type *type);

#endif
