/* Recursive descent, one function for a level of the grammar; binary operators by precedence
 * climbing.  The lexer repairs what has one obvious meaning.  After another mistake the operand of
 * && and || in which it stands is given up, with all brackets opened in it, and parsing goes on
 * behind: so a wrong bracket gives one finding, and other mistakes are found as well.
 *
 * Two limits keep every later walk over the tree safe: nesting (the parser's own recursion) and
 * the height of the tree, which a long chain of + reaches without any nesting. */
#include "core/limit.h"
#include "core/mem.h"
#include "rules/cel/message.h"
#include "rules/cel/parser.h"

static struct cel_node *parse_expr(struct parser *p);
static struct cel_node *parse_ways(struct parser *p, struct cel_node *condition);

/* Is the number of a token written with a u? */
static bool is_unsigned(const struct token *token)
{
    return token->literal.kind == VALUE_UINT &&
           (token->text.data[token->text.len - 1] | 0x20) == 'u';
}

/* --- primary and member ----------------------------------------------------------------------- */

/* Expressions up to `close`, with an optional comma behind the last. */
static void parse_args(struct parser *p, struct node_list *list, enum token_kind close,
                       uint32_t open_at)
{
    while (!p->failed && p->token.kind != close) {
        bool optional = close == TOKEN_RBRACKET && parser_accept(p, TOKEN_QUESTION);
        struct cel_node *item = parse_expr(p);
        item->entry_optional = optional;
        node_list_add(list, item);
        if (!parser_accept(p, TOKEN_COMMA))
            break;
        if (close == TOKEN_RPAREN && p->token.kind == close)
            parser_fail_unexpected(p, "an argument");
    }
    parser_expect_close(p, close, open_at);
}

static struct cel_node *parse_map(struct parser *p, uint32_t open_at)
{
    struct node_list list = {0};

    while (!p->failed && p->token.kind != TOKEN_RBRACE) {
        bool optional = parser_accept(p, TOKEN_QUESTION);
        struct cel_node *key = parse_expr(p);
        key->entry_optional = optional;
        node_list_add(&list, key);
        if (!parser_accept(p, TOKEN_COLON))
            parser_fail_unexpected(p, ": behind the key");
        node_list_add(&list, parse_expr(p));
        if (!parser_accept(p, TOKEN_COMMA))
            break;
    }
    parser_expect_close(p, TOKEN_RBRACE, open_at);
    return parser_node_take(p, NODE_MAP, open_at, &list);
}

static struct cel_node *parse_call(struct parser *p, struct cel_node *target, struct token name)
{
    struct node_list args = {0};
    struct cel_node *node;
    uint32_t open_at = p->token.at;

    parser_accept_open(p, TOKEN_LPAREN);
    parse_args(p, &args, TOKEN_RPAREN, open_at);
    if (p->failed) {
        mem_free(args.items);
        return parser_literal(p, name.at, VALUE_NONE);
    }
    if (p->env->no_macros)
        node = NULL;
    else if (target == NULL && str_is(name.text, "has"))
        node = parser_has(p, name.at, &args);
    else
        node = target != NULL ? parser_macro(p, target, name.text, name.at, &args) : NULL;
    if (node == NULL) {
        struct node_list all = {0};
        if (target != NULL)
            node_list_add(&all, target);
        for (size_t i = 0; i < args.count; i++)
            node_list_add(&all, args.items[i]);
        node = parser_node_take(p, NODE_CALL, name.at, &all);
        node->name = name.text;
        node->method = target != NULL;
    }
    mem_free(args.items);
    return node;
}

static bool is_reserved(struct str name)
{
    static const char *const words[] = {
        "as",  "break", "const",   "continue",  "else",   "for", "function", "if",   "import",
        "let", "loop",  "package", "namespace", "return", "var", "void",     "while"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_is(name, words[i]))
            return true;
    return false;
}

static struct cel_node *parse_name(struct parser *p, bool rooted)
{
    struct token name = p->token;
    struct cel_node *node;

    parser_advance(p);
    if (is_reserved(name.text)) {
        parser_fail(p, name.at, "choose another name",
                    arena_format(p->arena, "%.*s is a reserved word", STR_ARG(name.text)).data);
    } else if (p->token.kind == TOKEN_LPAREN) {
        return parse_call(p, NULL, name);
    }
    node = parser_node(p, NODE_NAME, name.at, NULL);
    node->name = name.text;
    node->rooted = rooted;
    return node;
}

static struct cel_node *parse_primary(struct parser *p)
{
    struct token token = p->token;
    struct node_list list = {0};
    struct cel_node *node;

    if (parser_accept(p, TOKEN_LITERAL)) {
        if (token.literal.kind == VALUE_UINT && !is_unsigned(&token))
            parser_fail(p, token.at, NULL, "the number does not fit into 64 bits");
        return parser_literal(p, token.at, token.literal);
    }
    if (parser_accept_open(p, TOKEN_LPAREN)) {
        node = parse_expr(p);
        parser_expect_close(p, TOKEN_RPAREN, token.at);
        node->in_parens = true;
        return node;
    }
    if (parser_accept_open(p, TOKEN_LBRACKET)) {
        parse_args(p, &list, TOKEN_RBRACKET, token.at);
        return parser_node_take(p, NODE_LIST, token.at, &list);
    }
    if (parser_accept_open(p, TOKEN_LBRACE))
        return parse_map(p, token.at);
    if (token.kind == TOKEN_NAME)
        return parse_name(p, false);
    if (parser_accept(p, TOKEN_DOT)) {
        if (p->token.kind == TOKEN_NAME)
            return parse_name(p, true);
        parser_fail_unexpected(p, "a name behind the dot");
    }
    parser_fail_unexpected(p, "a value, a name or a bracket");
    return parser_literal(p, token.at, VALUE_NONE);
}

/* What follows a dot. */
static struct cel_node *parse_select(struct parser *p, struct cel_node *operand)
{
    bool optional = parser_accept(p, TOKEN_QUESTION);
    struct token name = p->token;
    struct cel_node *node;

    if (!parser_accept(p, TOKEN_NAME) && !parser_accept(p, TOKEN_QUOTED_NAME)) {
        parser_fail_unexpected(p, "a field or function name behind the dot");
        return operand;
    }
    if (p->token.kind == TOKEN_LPAREN && name.kind == TOKEN_NAME && !optional)
        return parse_call(p, operand, name);
    node = parser_node_of(p, NODE_SELECT, name.at, operand, NULL);
    node->name =
        name.kind == TOKEN_QUOTED_NAME ? str_slice(name.text, 1, name.text.len - 1) : name.text;
    node->optional = optional;
    return node;
}

static struct cel_node *parse_index(struct parser *p, struct cel_node *operand, uint32_t at)
{
    bool optional = parser_accept(p, TOKEN_QUESTION);
    struct cel_node *node = parser_node_of(p, NODE_INDEX, at, operand, parse_expr(p));

    node->optional = optional;
    parser_expect_close(p, TOKEN_RBRACKET, at);
    return node;
}

/* a, a.b, a.b.c: what may stand before the brace of a message */
static bool is_plain_name(const struct cel_node *node)
{
    while (node->kind == NODE_SELECT && !node->optional && !node->in_parens)
        node = node->items[0];
    return node->kind == NODE_NAME && !node->in_parens;
}

static struct cel_node *message_of(struct parser *p, struct cel_node *name, struct cel_node *fields)
{
    return p->failed ? fields : cel_message_node(p->source, p->env, p->arena, name, fields);
}

static struct cel_node *parse_member_of(struct parser *p, struct cel_node *node)
{
    while (!p->failed) {
        uint32_t at = p->token.at;
        if (parser_accept(p, TOKEN_DOT))
            node = parse_select(p, node);
        else if (parser_accept_open(p, TOKEN_LBRACKET))
            node = parse_index(p, node, at);
        else if (p->token.kind == TOKEN_LBRACE && is_plain_name(node) &&
                 parser_accept_open(p, TOKEN_LBRACE))
            node = message_of(p, node, parse_map(p, at));
        else
            break;
    }
    return node;
}

/* --- operators -------------------------------------------------------------------------------- */

/* A minus right before a number belongs to it: -9223372036854775808 is an int. */
static struct cel_node *parse_negative(struct parser *p, uint32_t minus_at)
{
    struct value v = p->token.literal;

    if (p->token.kind != TOKEN_LITERAL || is_unsigned(&p->token))
        return NULL;
    if (v.kind == VALUE_INT)
        v.i = -v.i;
    else if (v.kind == VALUE_DOUBLE)
        v.d = -v.d;
    else if (v.kind == VALUE_UINT)
        v = value_int(INT64_MIN); /* the lexer lets only 2^63 through */
    else
        return NULL;
    parser_advance(p);
    return parse_member_of(p, parser_literal(p, minus_at, v));
}

static struct cel_node *parse_unary(struct parser *p)
{
    struct token first = p->token;
    enum token_kind sign = first.kind;
    struct cel_node *node = NULL;
    size_t count = 0;
    uint32_t last_at = first.at;

    if (parser_at_name(p, "not")) {
        struct lexer ahead = p->lexer;
        struct diags none = {0};
        struct cel_source quiet = {.text = p->source->text, .diags = &none};
        ahead.source = &quiet;
        enum token_kind next = cel_lex_next(&ahead).kind;
        diags_free(&none);
        if (next == TOKEN_NAME || next == TOKEN_LITERAL) {
            cel_report(p->source, DIAG_ERROR, first.at, "syntax", "write ! for \"not\"",
                       "there is no operator not");
            p->token.kind = sign = TOKEN_NOT;
        }
    }
    if (sign == TOKEN_NOT || sign == TOKEN_MINUS)
        for (; p->token.kind == sign; count++) {
            last_at = p->token.at;
            parser_advance(p);
        }
    if (count != 0 && sign == TOKEN_MINUS && (node = parse_negative(p, last_at)) != NULL)
        count--;
    if (node == NULL)
        node = parse_member_of(p, parse_primary(p));
    for (; count > 0 && !p->failed; count--)
        node = parser_call(p, sign == TOKEN_NOT ? "!_" : "-_", first.at, node, NULL);
    return node;
}

static const struct {
    enum token_kind token;
    int level; /* binds tighter the higher it is */
    const char *function;
} operators[] = {
    {TOKEN_EQ, 1, "_==_"},  {TOKEN_NE, 1, "_!=_"},   {TOKEN_LT, 1, "_<_"},
    {TOKEN_LE, 1, "_<=_"},  {TOKEN_GT, 1, "_>_"},    {TOKEN_GE, 1, "_>=_"},
    {TOKEN_IN, 1, "@in"},   {TOKEN_PLUS, 2, "_+_"},  {TOKEN_MINUS, 2, "_-_"},
    {TOKEN_STAR, 3, "_*_"}, {TOKEN_SLASH, 3, "_/_"}, {TOKEN_PERCENT, 3, "_%_"},
};
enum { OPERATOR_COUNT = sizeof operators / sizeof operators[0] };

static struct cel_node *parse_binary(struct parser *p, int level)
{
    struct cel_node *left = parse_unary(p);

    while (!p->failed) {
        struct token token = p->token;
        size_t i = 0;
        while (i < OPERATOR_COUNT && operators[i].token != token.kind)
            i++;
        if (i == OPERATOR_COUNT || operators[i].level < level)
            break;
        parser_advance(p);
        left = parser_call(p, operators[i].function, token.at, left,
                           parse_binary(p, operators[i].level + 1));
    }
    return left;
}

/* `and`, `or` of other languages: say CEL's sign and go on. */
static bool accept_word(struct parser *p, const char *word, enum token_kind kind)
{
    uint32_t at = p->token.at;

    if (parser_accept(p, kind))
        return true;
    if (p->failed || !parser_at_name(p, word))
        return false;
    cel_report(p->source, DIAG_ERROR, at, "syntax",
               kind == TOKEN_AND ? "write && for \"and\"" : "write || for \"or\"",
               "there is no operator %s", word);
    parser_advance(p);
    return true;
}

static bool ends_operand(enum token_kind kind)
{
    return kind == TOKEN_AND || kind == TOKEN_OR || kind == TOKEN_COMMA || kind == TOKEN_COLON ||
           kind == TOKEN_QUESTION || parser_closes(kind);
}

static bool ends_way(enum token_kind kind)
{
    return kind == TOKEN_COLON || kind == TOKEN_COMMA || parser_closes(kind);
}

static struct cel_node *parse_operand(struct parser *p)
{
    int open = p->open, depth = p->depth;
    uint32_t at = p->token.at;
    struct cel_node *node = parse_binary(p, 1);

    if (!p->failed || p->hopeless)
        return node;
    parser_skip_to(p, open, ends_operand);
    p->depth = depth;
    return parser_literal(p, at, VALUE_NONE); /* of any type, so that nothing more is said of it */
}

static struct cel_node *parse_and(struct parser *p)
{
    struct cel_node *first = parse_operand(p);
    struct node_list list = {0};
    uint32_t at = p->token.at;

    if (!accept_word(p, "and", TOKEN_AND))
        return first;
    node_list_add(&list, first);
    do
        node_list_add(&list, parse_operand(p));
    while (accept_word(p, "and", TOKEN_AND));
    return parser_node_take(p, NODE_AND, at, &list);
}

static struct cel_node *parse_or(struct parser *p)
{
    struct cel_node *first = parse_and(p);
    struct node_list list = {0};
    uint32_t at = p->token.at;

    if (!accept_word(p, "or", TOKEN_OR))
        return first;
    node_list_add(&list, first);
    do
        node_list_add(&list, parse_and(p));
    while (accept_word(p, "or", TOKEN_OR));
    return parser_node_take(p, NODE_OR, at, &list);
}

/* a ? b ? c : d : e: what stands between ? and : is no a ? b : c itself, as the grammar has it. */
static struct cel_node *parse_inner_choice(struct parser *p, struct cel_node *condition)
{
    cel_report(p->source, DIAG_ERROR, p->token.at, "syntax", "put the inner a ? b : c in brackets",
               ": of a ? b : c expected, found ?");
    if (p->depth >= LIMIT_CEL_DEPTH) {
        parser_fail_too_deep(p, p->token.at);
        return condition;
    }
    p->depth++;
    condition = parse_ways(p, condition);
    p->depth--;
    return condition;
}

/* What follows a condition: ? b : c, or nothing. */
static struct cel_node *parse_ways(struct parser *p, struct cel_node *condition)
{
    struct cel_node *items[3] = {condition};
    struct node_list list = {items, 3, 3};
    uint32_t at = p->token.at;
    size_t errors = p->source->error_count;
    int open = p->open;

    if (!parser_accept(p, TOKEN_QUESTION))
        return condition;
    items[1] = parse_or(p);
    if (!p->failed && p->token.kind == TOKEN_QUESTION)
        items[1] = parse_inner_choice(p, items[1]);
    if (p->token.kind != TOKEN_COLON && !p->failed) {
        if (p->token.kind != TOKEN_END || p->source->error_count == errors)
            parser_fail_unexpected(p, ": of a ? b : c");
        else
            parser_fail_quietly(p); /* what is wrong before it took the rest with it */
    }
    if (p->failed && !p->hopeless)
        parser_skip_to(p, open, ends_way);
    items[2] = parser_accept(p, TOKEN_COLON) ? parse_expr(p) : parser_literal(p, at, VALUE_NONE);
    return parser_node(p, NODE_CHOICE, at, &list);
}

static struct cel_node *parse_choice(struct parser *p)
{
    return parse_ways(p, parse_or(p));
}

static struct cel_node *parse_expr(struct parser *p)
{
    struct cel_node *node;

    if (p->depth >= LIMIT_CEL_DEPTH) {
        parser_fail_too_deep(p, p->token.at);
        return parser_literal(p, p->token.at, VALUE_NONE);
    }
    p->depth++;
    node = parse_choice(p);
    p->depth--;
    return node;
}

/* Behind a whole expression stands something: say so, and look at what comes behind the next &&, ||
 * or ?.  Both are put into a list, in which any types may stand together. */
static struct cel_node *parse_rest(struct parser *p, struct cel_node *first)
{
    struct cel_node *next;

    if (parser_closes(p->token.kind))
        parser_fail(p, p->token.at, "remove it", "this bracket was never opened");
    else
        parser_fail_unexpected(p, "an operator");
    do {
        p->stopped = cel_lex_next(&p->lexer);
        parser_skip_to(p, 0, ends_operand);
        p->stopped = p->token;
    } while (p->token.kind == TOKEN_COMMA || p->token.kind == TOKEN_COLON ||
             parser_closes(p->token.kind));
    if (p->token.kind == TOKEN_END)
        return first;
    if (p->token.kind == TOKEN_QUESTION) {
        next = parse_ways(p, parser_literal(p, p->token.at, VALUE_NONE));
    } else {
        parser_advance(p);
        next = parse_expr(p);
    }
    return parser_node_of(p, NODE_LIST, first->at, first, next);
}

struct cel_node *cel_parse(struct cel_source *source, const struct cel_env *env,
                           struct arena *arena)
{
    struct parser p = {.source = source, .arena = arena, .env = env};
    struct cel_node *node;

    p.lexer = (struct lexer){.source = source, .arena = arena, .days_known = env->own_functions};
    parser_advance(&p);
    if (p.token.kind == TOKEN_END && !p.failed) {
        parser_fail(&p, p.token.at, NULL, "there is no expression");
        return NULL;
    }
    node = parse_expr(&p);
    while (!p.failed && p.token.kind != TOKEN_END)
        node = parse_rest(&p, node);
    return p.failed ? NULL : node;
}
