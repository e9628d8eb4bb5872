/* rules/cel/checker.h - what the parts of the checker share.  Inside rules/cel only.
 *
 * check.c walks the tree, check_name.c finds names and fields, check_call.c operators and
 * functions.
 */
#ifndef ATTENT_RULES_CEL_CHECKER_H
#define ATTENT_RULES_CEL_CHECKER_H

#include "rules/cel/check.h"
#include "rules/cel/funcs.h"

struct cel_local { /* a name that a macro introduced */
    struct str name;
    const struct cel_type *type;
    uint16_t number;
    const struct cel_local *outer;
};

struct checker {
    struct cel_source *source;
    const struct cel_env *env;
    struct arena *arena;
    const struct cel_local *locals;
    uint16_t local_count; /* in use here */
};

#define COMPLAIN(c, at, code, help, ...)                                                           \
    ((c)->env->unchecked ? (void)0                                                                 \
                         : cel_report((c)->source, DIAG_ERROR, (at), (code), (help), __VA_ARGS__))

/* The walk: types *at and what is below it; may replace *at.  Never NULL. */
const struct cel_type *cel_check_node(struct checker *c, struct cel_node **at);

/* In place of what could not be checked: an error when run (env->unchecked). */
void cel_make_error(struct checker *c, struct cel_node *node, const char *what, struct str name);

/* Nodes of one kind; their type. */
const struct cel_type *cel_check_name(struct checker *c, struct cel_node *node);
const struct cel_type *cel_check_member(struct checker *c, struct cel_node *node);
const struct cel_type *cel_check_call(struct checker *c, struct cel_node *node);

const struct cel_local *cel_find_local(const struct checker *c, struct str name);

/* An int beside a double becomes a double, in moments. */
void cel_mix_numbers(struct checker *c, struct cel_node **a, struct cel_node **b);
void cel_make_double(struct checker *c, struct cel_node **at);

/* Types.  Texts live in the checker's arena. */
const char *cel_type_text(struct checker *c, const struct cel_type *type);
const char *cel_type_with_article(struct checker *c, const struct cel_type *type); /* "an int" */
const struct cel_type *cel_type_make(struct checker *c, enum cel_type_kind kind,
                                     const struct cel_type *key, const struct cel_type *item);
const struct cel_type *cel_type_plain(enum cel_type_kind kind);
const struct cel_type *cel_type_item(const struct cel_type *type); /* of list, map, optional */
const struct cel_type *cel_type_join(struct checker *c, const struct cel_type *a,
                                     const struct cel_type *b); /* of one or the other; a NULL: b */
bool cel_type_same(const struct cel_type *a, const struct cel_type *b);
bool cel_type_is_number(const struct cel_type *type);

#endif
