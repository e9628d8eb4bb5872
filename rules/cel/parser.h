/* rules/cel/parser.h - what the parts of the parser share.  Inside rules/cel only.
 *
 * parse.c is the grammar, parse_macro.c the macros, parser.c reads tokens, makes nodes and gets
 * over mistakes.
 */
#ifndef ATTENT_RULES_CEL_PARSER_H
#define ATTENT_RULES_CEL_PARSER_H

#include "rules/cel/lex.h"
#include "rules/cel/parse.h"

struct parser {
    struct lexer lexer;
    struct cel_source *source;
    struct arena *arena;
    struct token token;   /* the next one; the end while `failed` */
    struct token stopped; /* where it failed */
    int depth;
    int open; /* brackets that are open */
    bool failed;
    bool hopeless; /* failed, and what follows is not looked at */
    const struct cel_env *env;
};

struct node_list {
    struct cel_node **items; /* on the heap; parser_node_take frees it */
    size_t count, capacity;
};

/* --- tokens ---------------------------------------------------------------------------------- */

void parser_advance(struct parser *p);
bool parser_accept(struct parser *p, enum token_kind kind);
bool parser_at_name(const struct parser *p, const char *name);
bool parser_closes(enum token_kind kind); /* is it ), ] or }? */

/* A bracket that opens: counted, so that it is known how many a mistake leaves open. */
bool parser_accept_open(struct parser *p, enum token_kind kind);

/* The bracket that closes the one at open_at. */
void parser_expect_close(struct parser *p, enum token_kind close, uint32_t open_at);

/* --- mistakes -------------------------------------------------------------------------------- */

/* Report one, unless another one has not been got over yet.  help may be NULL. */
void parser_fail(struct parser *p, uint32_t at, const char *help, const char *what);
void parser_fail_unexpected(struct parser *p, const char *expected);
void parser_fail_quietly(struct parser *p); /* where what is wrong has been said */
void parser_fail_too_deep(struct parser *p, uint32_t at);

/* After a mistake: go to where `ends` says, with `open` brackets open as before it.  What is passed
 * over is not looked at. */
void parser_skip_to(struct parser *p, int open, bool (*ends)(enum token_kind kind));

/* --- nodes ----------------------------------------------------------------------------------- */

struct cel_node *parser_node(struct parser *p, enum cel_node_kind kind, uint32_t at,
                             const struct node_list *list);
struct cel_node *parser_node_of(struct parser *p, enum cel_node_kind kind, uint32_t at,
                                struct cel_node *a, struct cel_node *b); /* b may be NULL */
struct cel_node *parser_node_take(struct parser *p, enum cel_node_kind kind, uint32_t at,
                                  struct node_list *list);
struct cel_node *parser_literal(struct parser *p, uint32_t at, struct value literal);
struct cel_node *parser_call(struct parser *p, const char *name, uint32_t at, struct cel_node *a,
                             struct cel_node *b); /* of an operator; b may be NULL */
void node_list_add(struct node_list *list, struct cel_node *node);

/* --- macros ---------------------------------------------------------------------------------- */

/* has(a.b) */
struct cel_node *parser_has(struct parser *p, uint32_t at, const struct node_list *args);

/* target.name(args) as a macro, or NULL if it is a plain call. */
struct cel_node *parser_macro(struct parser *p, struct cel_node *target, struct str name,
                              uint32_t at, const struct node_list *args);

#endif
