/* core/conf_expand.h - ${VAR}, ${VAR:default} and ${file:PATH} in the text of a configuration.
 *
 * Asks the environment and reads files.  For core/conf_read.c alone.
 */
#ifndef ATTENT_CORE_CONF_EXPAND_H
#define ATTENT_CORE_CONF_EXPAND_H

#include "core/arena.h"
#include "core/diag.h"

struct yaml_node;

/* A text and where it stands: in a YAML file (node), or at `place` as a whole. */
struct conf_text_source {
    struct str text;
    const struct yaml_node *node; /* NULL: none */
    struct place place;
};

/* The text with its references filled in, in arena.  False: diags has an error. */
bool conf_expand(const struct conf_text_source *source, struct arena *arena, struct str *out,
                 struct diags *diags);

/* Is the text one reference and nothing else, as a secret has to be? */
bool conf_is_reference(struct str text);

#endif
