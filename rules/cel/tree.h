/* rules/cel/tree.h - a checked expression as a tree, to read: for words, and for analysis.
 *
 * It says what was written, with names as slots and types known, before constants are folded.
 * Conversions that the checker put in are left out.  Kept only for environments with `keep_tree`;
 * lives in the program's arena.
 */
#ifndef ATTENT_RULES_CEL_TREE_H
#define ATTENT_RULES_CEL_TREE_H

#include "rules/cel/cel.h"

enum cel_tree_kind {
    TREE_LITERAL,  /* literal                                                               */
    TREE_SLOT,     /* slot; name: the path as it was written                                */
    TREE_HAS,      /* has(items[0]), a slot or a select                                     */
    TREE_SELECT,   /* items[0] . name;  `optional`: .?                                      */
    TREE_INDEX,    /* items[0] [ items[1] ];  `optional`: [?                                */
    TREE_OPERATOR, /* name: < <= > >= == != in + - * / % with two items; ! - with one       */
    TREE_CALL,     /* name(items);  `method`: items[0] . name(the others)                   */
    TREE_AND,      /* two items or more                                                     */
    TREE_OR,
    TREE_CHOICE, /* items[0] ? items[1] : items[2]                                        */
    TREE_LIST,
    TREE_MAP,   /* key, value, key, value ...                                            */
    TREE_MACRO, /* items[0] . name(vars, the others); of bind: name(vars, the items)     */
    TREE_LOCAL, /* name: of a macro around it                                            */
};

struct cel_tree {
    enum cel_tree_kind kind;
    bool method, optional;
    uint32_t at; /* byte offset in the text */
    uint32_t slot;
    struct str name;
    struct value literal;
    const struct cel_type *type; /* never NULL */
    struct str vars[2];          /* TREE_MACRO; the second may be empty */
    const struct cel_tree **items;
    size_t count;
};

/* NULL: it was not kept. */
const struct cel_tree *cel_program_tree(const struct cel_program *program);

/* As CEL, with no more brackets than it needs. */
void cel_tree_print(struct buf *out, const struct cel_tree *tree);

#endif
