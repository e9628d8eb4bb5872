/* A mistake is reported once: from then on there are no tokens, so every function of the grammar
 * ends by itself, until parser_skip_to takes up again where something new can begin. */
#include "rules/cel/parser.h"

#include "core/limit.h"
#include "core/mem.h"

/* --- tokens ----------------------------------------------------------------------------------- */

void parser_advance(struct parser *p)
{
    if (!p->failed)
        p->token = cel_lex_next(&p->lexer);
    if (p->token.kind == TOKEN_BROKEN) {
        p->failed = true; /* reported by the lexer */
        p->stopped = p->token;
        p->token.kind = TOKEN_END;
    }
}

bool parser_at_name(const struct parser *p, const char *name)
{
    return p->token.kind == TOKEN_NAME && str_is(p->token.text, name);
}

bool parser_accept(struct parser *p, enum token_kind kind)
{
    if (p->failed || p->token.kind != kind)
        return false;
    parser_advance(p);
    return true;
}

static bool is_open(enum token_kind kind)
{
    return kind == TOKEN_LPAREN || kind == TOKEN_LBRACKET || kind == TOKEN_LBRACE;
}

bool parser_closes(enum token_kind kind)
{
    return kind == TOKEN_RPAREN || kind == TOKEN_RBRACKET || kind == TOKEN_RBRACE;
}

bool parser_accept_open(struct parser *p, enum token_kind kind)
{
    if (!parser_accept(p, kind))
        return false;
    p->open++;
    return true;
}

void parser_expect_close(struct parser *p, enum token_kind close, uint32_t open_at)
{
    if (p->failed)
        return;
    if (p->token.kind == close) {
        p->open--;
        parser_advance(p);
        return;
    }
    if (p->token.kind == TOKEN_END || parser_closes(p->token.kind))
        parser_fail(p, open_at,
                    arena_format(p->arena, "close it with %s", cel_token_text(close)).data,
                    "this bracket is never closed");
    else
        parser_fail_unexpected(p,
                               arena_format(p->arena, "%s or a comma", cel_token_text(close)).data);
}

/* --- mistakes --------------------------------------------------------------------------------- */

void parser_fail_quietly(struct parser *p)
{
    if (!p->failed)
        p->stopped = p->token;
    p->failed = true;
    p->token.kind = TOKEN_END;
}

void parser_fail(struct parser *p, uint32_t at, const char *help, const char *what)
{
    if (!p->failed)
        cel_report(p->source, DIAG_ERROR, at, "syntax", help, "%s", what);
    parser_fail_quietly(p);
}

void parser_fail_too_deep(struct parser *p, uint32_t at)
{
    parser_fail(p, at, "split it into several conditions", "the expression is nested too deeply");
    p->hopeless = true;
}

void parser_fail_unexpected(struct parser *p, const char *expected)
{
    struct str what;

    if (p->token.kind == TOKEN_END)
        what = arena_format(p->arena, "%s is missing at the end", expected);
    else
        what =
            arena_format(p->arena, "%s expected, found %.*s", expected,
                         p->token.text.len > 40 ? 40 : (int)p->token.text.len, p->token.text.data);
    parser_fail(p, p->token.at,
                p->token.kind == TOKEN_END ? "complete it, or leave out the sign before it"
                                           : "look at the signs and brackets before it",
                what.data);
}

void parser_skip_to(struct parser *p, int open, bool (*ends)(enum token_kind kind))
{
    struct diags none = {0};
    struct cel_source quiet = {.text = p->source->text, .diags = &none}, *source = p->source;
    struct token token = p->stopped;

    p->lexer.source = &quiet;
    while (token.kind != TOKEN_END && !(p->open <= open && ends(token.kind))) {
        p->open += is_open(token.kind) - parser_closes(token.kind);
        token = cel_lex_next(&p->lexer);
    }
    p->lexer.source = source;
    diags_free(&none);
    p->open = open;
    p->token = token;
    p->failed = false;
}

/* --- nodes ------------------------------------------------------------------------------------ */

struct cel_node *parser_node(struct parser *p, enum cel_node_kind kind, uint32_t at,
                             const struct node_list *list)
{
    struct cel_node *node = ARENA_NEW(p->arena, struct cel_node);
    unsigned height = 0;

    node->kind = kind;
    node->at = at;
    if (list != NULL && list->count != 0) {
        node->count = list->count;
        node->items = arena_copy(p->arena, list->items, list->count * sizeof *list->items);
        for (size_t i = 0; i < list->count; i++)
            if (list->items[i]->height > height)
                height = list->items[i]->height;
    }
    node->height = (uint16_t)(height + 1);
    if (node->height > LIMIT_CEL_HEIGHT)
        parser_fail_too_deep(p, at);
    return node;
}

struct cel_node *parser_node_of(struct parser *p, enum cel_node_kind kind, uint32_t at,
                                struct cel_node *a, struct cel_node *b)
{
    struct cel_node *items[2] = {a, b};
    struct node_list list = {items, b != NULL ? 2 : 1, 2};

    return parser_node(p, kind, at, &list);
}

struct cel_node *parser_literal(struct parser *p, uint32_t at, struct value literal)
{
    struct cel_node *node = parser_node(p, NODE_LITERAL, at, NULL);

    node->literal = literal;
    return node;
}

void node_list_add(struct node_list *list, struct cel_node *node)
{
    MEM_RESERVE(list->items, list->count, list->capacity);
    list->items[list->count++] = node;
}

struct cel_node *parser_node_take(struct parser *p, enum cel_node_kind kind, uint32_t at,
                                  struct node_list *list)
{
    struct cel_node *node = parser_node(p, kind, at, list);

    mem_free(list->items);
    return node;
}

struct cel_node *parser_call(struct parser *p, const char *name, uint32_t at, struct cel_node *a,
                             struct cel_node *b)
{
    struct cel_node *node = parser_node_of(p, NODE_CALL, at, a, b);

    node->name = str_of(name);
    node->sign = true;
    return node;
}
