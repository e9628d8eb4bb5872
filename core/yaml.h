/* core/yaml.h - a YAML file as a tree that knows where everything stands.
 *
 * YAML 1.2 with the core schema: only true and false are booleans, so NO is a text; 0o17 is
 * octal, 017 is not.  Refused, each with its place: a key that stands twice, tags (a condition
 * that begins with ! has to be quoted), several documents, aliases into themselves, and whatever
 * is beyond the limits of size, nesting and number of nodes (aliases counted as often as used).
 *
 * A tree is immutable and lives in its arena with everything it points to.  Any thread.
 * This is the only file that knows libyaml.
 */
#ifndef ATTENT_CORE_YAML_H
#define ATTENT_CORE_YAML_H

#include "core/arena.h"
#include "core/diag.h"
#include "core/value.h"

enum yaml_kind {
    YAML_NULL = 0, /* nothing, null or ~                    */
    YAML_BOOL,     /* boolean                               */
    YAML_INT,      /* integer                               */
    YAML_FLOAT,    /* number                                */
    YAML_STRING,   /* text                                  */
    YAML_LIST,     /* items, count                          */
    YAML_MAP,      /* keys and items, count; in file order  */
};

struct yaml_node {
    enum yaml_kind kind;
    struct place place; /* its first character, the quote of a quoted text */
    struct str text;    /* of every scalar: as written, quotes and escapes undone */
    bool quoted;        /* a scalar in quotes or a block: always YAML_STRING */
    bool boolean;
    int64_t integer;
    double number;                 /* of YAML_INT too */
    const struct yaml_node **keys; /* of a map: scalars */
    const struct yaml_node **items;
    size_t count;
    struct str source; /* the file from this node on: for yaml_place */
};

/* Read one document; an empty one is YAML_NULL.  file: its name for findings (NULL: none), text:
 * both are copied.  NULL: diags got errors. */
const struct yaml_node *yaml_read(struct str text, const char *file, struct arena *arena,
                                  struct diags *diags);

/* The value of a key; NULL: not there, or the node is NULL or not a map. */
const struct yaml_node *yaml_get(const struct yaml_node *map, struct str key);

/* Where byte `offset` of a scalar's text stands in the file, in whatever style it was written. */
struct place yaml_place(const struct yaml_node *scalar, size_t offset);

/* The tree as a value: map keys are texts, null is VALUE_NULL. */
struct value yaml_value(const struct yaml_node *node, struct arena *arena);

const char *yaml_kind_name(enum yaml_kind kind); /* "a list", "true or false", for messages */

#endif
