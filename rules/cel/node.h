/* rules/cel/node.h - the tree of an expression, between parser, checker and compiler.
 *
 * Inside rules/cel only.  Nodes live in a scratch arena that cel_compile drops; texts of names
 * are borrowed from the source.  The checker fills in types and turns names into NODE_SLOT and
 * NODE_LOCAL in place.
 */
#ifndef ATTENT_RULES_CEL_NODE_H
#define ATTENT_RULES_CEL_NODE_H

#include "rules/cel/cel.h"

enum cel_node_kind {
    NODE_LITERAL, /* literal                                                       */
    NODE_NAME,    /* name; `rooted` with a leading dot                             */
    NODE_SELECT,  /* items[0] . name;  `test`: has(), `optional`: .?               */
    NODE_CALL,    /* name(items); `method`: items[0] is the target; `sign`: operator */
    NODE_INDEX,   /* items[0] [ items[1] ];  `optional`: [?                        */
    NODE_LIST,    /* items; an item with `entry_optional`: [?x]                    */
    NODE_MAP,     /* items: key, value, key, value ...                             */
    NODE_AND,     /* items, two or more: a && b && c is one node                   */
    NODE_OR,
    NODE_CHOICE, /* items[0] ? items[1] : items[2]                                */
    NODE_MACRO,  /* macro, vars; items: range, [filter,] body                     */
    NODE_SLOT,   /* made by the checker: slot;  `test`: has()                     */
    NODE_LOCAL,  /* made by the checker: local                                    */
    NODE_DOUBLE, /* made by the checker: items[0], an int, as a double            */
};

/* What a macro makes of the values of its body. */
enum cel_collect {
    COLLECT_ALL,    /* false if one is                       */
    COLLECT_ANY,    /* true if one is                        */
    COLLECT_ONE,    /* true if exactly one is                */
    COLLECT_FILTER, /* the items for which it is true        */
    COLLECT_LIST,   /* a list of them                        */
    COLLECT_MAP,    /* a map: same keys, these values        */
    COLLECT_ENTRY,  /* a map: each is a map of new entries   */
    COLLECT_BIND,   /* cel.bind: no loop, the value itself   */
    COLLECT_OPT,    /* optMap: the optional of it            */
    COLLECT_OPT_FLAT,
};

struct cel_macro {
    struct str name;
    size_t vars; /* names that it introduces: 1 or 2                         */
    size_t args; /* with the names                                           */
    enum cel_collect collect;
    bool filtered; /* the argument after the names is a filter, the last the body */
    const char *usage, *text;
};

struct cel_node {
    enum cel_node_kind kind;
    uint32_t at;     /* byte offset in the text, for findings */
    uint16_t height; /* 1 = leaf */
    bool method, sign, rooted, test, optional, entry_optional, in_parens;
    struct str name;
    struct cel_node **items;
    size_t count;
    struct value literal;
    const struct cel_type *type; /* by the checker; never NULL after it */
    const struct cel_macro *macro;
    struct str vars[2];
    uint32_t var_at[2];
    uint32_t slot;     /* NODE_SLOT */
    struct str path;   /* NODE_SLOT: as written, for "no such key" */
    uint16_t local;    /* NODE_LOCAL: its number; NODE_MACRO: the first of its five */
    uint16_t overload; /* NODE_CALL: index of the function that fits, by the checker */
};

/* The text with its place, and where findings go. */
struct cel_source {
    struct str text;
    struct place place;
    struct diags *diags;
    size_t error_count; /* of this expression */
};

/* Report a finding at a byte offset of the text.  help may be NULL. */
void cel_report(struct cel_source *source, enum diag_level level, uint32_t at, const char *code,
                const char *help, const char *format, ...) __attribute__((format(printf, 6, 7)));

#endif
