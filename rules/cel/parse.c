/* Recursive descent, one function for a level of the grammar; binary operators by precedence
 * climbing.  The lexer repairs what has one obvious meaning.  After another mistake the operand of
 * && and || in which it stands is given up, with all brackets opened in it, and parsing goes on
 * behind: so a wrong bracket gives one finding, and other mistakes are found as well.
 *
 * Two limits keep every later walk over the tree safe: nesting (the parser's own recursion) and
 * the height of the tree, which a long chain of + reaches without any nesting. */
#include "rules/cel/parse.h"

#include "core/limit.h"
#include "core/mem.h"
#include "rules/cel/message.h"
#include "rules/cel/lex.h"

struct parser {
    struct lexer lexer;
    struct cel_source *source;
    struct arena *arena;
    struct token token;   /* the next one */
    struct token stopped; /* where it failed */
    int depth;
    int open; /* brackets that are open */
    bool failed;
    bool hopeless; /* failed, and what follows is not looked at */
    const struct cel_env *env;
};

struct node_list {
    struct cel_node **items;
    size_t count, capacity;
};

static struct cel_node *parse_expr(struct parser *p);

static const struct cel_macro macros[] = {
#define MACRO(name, vars, args, collect, filtered, usage)                                          \
    {{name, sizeof(name) - 1}, vars, args, collect, filtered, usage},
#include "rules/cel/macros.def"
#undef MACRO
};
enum { MACRO_COUNT = sizeof macros / sizeof macros[0] };

const struct cel_macro *cel_macro_named(struct str name)
{
    for (size_t i = 0; i < MACRO_COUNT; i++)
        if (str_equal(macros[i].name, name))
            return &macros[i];
    return NULL;
}

/* --- tokens and nodes ------------------------------------------------------------------------- */

static void advance(struct parser *p)
{
    if (!p->failed)
        p->token = cel_lex_next(&p->lexer);
    if (p->token.kind == TOKEN_BROKEN) {
        p->failed = true; /* reported by the lexer */
        p->stopped = p->token;
        p->token.kind = TOKEN_END;
    }
}

static bool at_name(const struct parser *p, const char *name)
{
    return p->token.kind == TOKEN_NAME && str_is(p->token.text, name);
}

static bool accept(struct parser *p, enum token_kind kind)
{
    if (p->failed || p->token.kind != kind)
        return false;
    advance(p);
    return true;
}

static void fail(struct parser *p, uint32_t at, const char *help, const char *what)
{
    if (!p->failed)
        cel_report(p->source, DIAG_ERROR, at, "syntax", help, "%s", what);
    if (!p->failed)
        p->stopped = p->token;
    p->failed = true;
    p->token.kind = TOKEN_END;
}

static void fail_too_deep(struct parser *p, uint32_t at)
{
    fail(p, at, "split it into several conditions", "the expression is nested too deeply");
    p->hopeless = true;
}

static void fail_unexpected(struct parser *p, const char *expected)
{
    struct str what;

    if (p->token.kind == TOKEN_END)
        what = arena_format(p->arena, "%s is missing at the end", expected);
    else
        what =
            arena_format(p->arena, "%s expected, found %.*s", expected,
                         p->token.text.len > 40 ? 40 : (int)p->token.text.len, p->token.text.data);
    fail(p, p->token.at,
         p->token.kind == TOKEN_END ? "complete it, or leave out the sign before it"
                                    : "look at the signs and brackets before it",
         what.data);
}

static bool is_open(enum token_kind kind)
{
    return kind == TOKEN_LPAREN || kind == TOKEN_LBRACKET || kind == TOKEN_LBRACE;
}

static bool is_close(enum token_kind kind)
{
    return kind == TOKEN_RPAREN || kind == TOKEN_RBRACKET || kind == TOKEN_RBRACE;
}

/* A bracket that opens: counted, so that it is known how many a mistake leaves open. */
static bool accept_open(struct parser *p, enum token_kind kind)
{
    if (!accept(p, kind))
        return false;
    p->open++;
    return true;
}

/* The bracket that closes the one at open_at. */
static void expect_close(struct parser *p, enum token_kind close, uint32_t open_at)
{
    if (p->failed)
        return;
    if (p->token.kind == close) {
        p->open--;
        advance(p);
        return;
    }
    if (p->token.kind == TOKEN_END || is_close(p->token.kind))
        fail(p, open_at, arena_format(p->arena, "close it with %s", cel_token_text(close)).data,
             "this bracket is never closed");
    else
        fail_unexpected(p, arena_format(p->arena, "%s or a comma", cel_token_text(close)).data);
}

static struct cel_node *node_new(struct parser *p, enum cel_node_kind kind, uint32_t at,
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
        fail_too_deep(p, at);
    return node;
}

static struct cel_node *node_of(struct parser *p, enum cel_node_kind kind, uint32_t at,
                                struct cel_node *a, struct cel_node *b)
{
    struct cel_node *items[2] = {a, b};
    struct node_list list = {items, b != NULL ? 2 : 1, 2};

    return node_new(p, kind, at, &list);
}

static struct cel_node *literal_new(struct parser *p, uint32_t at, struct value literal)
{
    struct cel_node *node = node_new(p, NODE_LITERAL, at, NULL);

    node->literal = literal;
    return node;
}

static void list_add(struct node_list *list, struct cel_node *node)
{
    MEM_RESERVE(list->items, list->count, list->capacity);
    list->items[list->count++] = node;
}

/* Make a node of a gathered list and free the list. */
static struct cel_node *node_take(struct parser *p, enum cel_node_kind kind, uint32_t at,
                                  struct node_list *list)
{
    struct cel_node *node = node_new(p, kind, at, list);

    mem_free(list->items);
    return node;
}

static struct cel_node *call_new(struct parser *p, const char *name, uint32_t at,
                                 struct cel_node *a, struct cel_node *b)
{
    struct cel_node *node = node_of(p, NODE_CALL, at, a, b);

    node->name = str_of(name);
    node->sign = true;
    return node;
}

/* --- macros ----------------------------------------------------------------------------------- */

static struct cel_node *has_macro(struct parser *p, uint32_t at, const struct node_list *args)
{
    struct cel_node *arg = args->count == 1 ? args->items[0] : NULL;

    if (arg == NULL || arg->kind != NODE_SELECT || arg->optional || arg->test) {
        fail(p, arg != NULL ? arg->at : at, "write has(customer.name): a field behind a dot",
             "has() takes one field");
        return literal_new(p, at, value_bool(false));
    }
    arg->test = true;
    return arg;
}

static const struct cel_macro *find_macro(struct str name, size_t args, bool bind)
{
    for (size_t i = 0; i < MACRO_COUNT; i++)
        if (str_equal(macros[i].name, name) && macros[i].args == args &&
            (macros[i].collect == COLLECT_BIND) == bind)
            return &macros[i];
    return NULL;
}

static bool take_vars(struct parser *p, struct cel_node *node, const struct cel_macro *macro,
                      const struct node_list *args)
{
    for (size_t i = 0; i < macro->vars; i++) {
        const struct cel_node *var = args->items[i];
        if (var->kind != NODE_NAME || var->rooted || var->in_parens) {
            fail(p, var->at, arena_format(p->arena, "write %s", macro->usage).data,
                 "a plain name is needed here");
            return false;
        }
        node->vars[i] = var->name;
        node->var_at[i] = var->at;
    }
    if (macro->vars == 2 && str_equal(node->vars[0], node->vars[1]))
        fail(p, node->var_at[1], NULL, "both names are the same");
    return !p->failed;
}

static struct cel_node *name_new(struct parser *p, uint32_t at, const char *name)
{
    struct cel_node *node = node_new(p, NODE_NAME, at, NULL);

    node->name = str_of(name);
    return node;
}

/* list.sortBy(x, key): cel.bind(@list, list, @sortBy(@list, @list.map(x, key))).  Nobody can write
 * a name that starts with @. */
static struct cel_node *sort_by(struct parser *p, struct cel_node *keys)
{
    uint32_t at = keys->at;
    struct cel_node *range = keys->items[0], *sorted, *bind;

    keys->items[0] = name_new(p, at, "@list");
    sorted = call_new(p, "@sortBy", at, name_new(p, at, "@list"), keys);
    sorted->sign = false;
    bind = node_of(p, NODE_MACRO, at, range, sorted);
    bind->macro = find_macro(STR("bind"), 3, true);
    bind->name = keys->name;
    bind->vars[0] = STR("@list");
    return bind;
}

/* target.name(args) as a macro, or NULL if it is a plain call. */
static struct cel_node *method_macro(struct parser *p, struct cel_node *target, struct str name,
                                     uint32_t at, const struct node_list *args)
{
    bool bind = target->kind == NODE_NAME && str_is(target->name, "cel") && str_is(name, "bind");
    const struct cel_macro *macro = find_macro(name, args->count, bind);
    struct cel_node *node;
    struct node_list items = {0};

    if (macro == NULL)
        return NULL;
    list_add(&items, bind ? args->items[1] : target);
    for (size_t i = bind ? 2 : macro->vars; i < args->count; i++)
        list_add(&items, args->items[i]);
    node = node_take(p, NODE_MACRO, at, &items);
    node->macro = macro;
    node->name = name;
    if (bind) {
        struct node_list first = {args->items, 1, 1};
        take_vars(p, node, macro, &first);
    } else {
        take_vars(p, node, macro, args);
    }
    return str_is(name, "sortBy") ? sort_by(p, node) : node;
}

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
        bool optional = close == TOKEN_RBRACKET && accept(p, TOKEN_QUESTION);
        struct cel_node *item = parse_expr(p);
        item->entry_optional = optional;
        list_add(list, item);
        if (!accept(p, TOKEN_COMMA))
            break;
        if (close == TOKEN_RPAREN && p->token.kind == close)
            fail_unexpected(p, "an argument");
    }
    expect_close(p, close, open_at);
}

static struct cel_node *parse_map(struct parser *p, uint32_t open_at)
{
    struct node_list list = {0};

    while (!p->failed && p->token.kind != TOKEN_RBRACE) {
        bool optional = accept(p, TOKEN_QUESTION);
        struct cel_node *key = parse_expr(p);
        key->entry_optional = optional;
        list_add(&list, key);
        if (!accept(p, TOKEN_COLON))
            fail_unexpected(p, ": behind the key");
        list_add(&list, parse_expr(p));
        if (!accept(p, TOKEN_COMMA))
            break;
    }
    expect_close(p, TOKEN_RBRACE, open_at);
    return node_take(p, NODE_MAP, open_at, &list);
}

static struct cel_node *parse_call(struct parser *p, struct cel_node *target, struct token name)
{
    struct node_list args = {0};
    struct cel_node *node;
    uint32_t open_at = p->token.at;

    accept_open(p, TOKEN_LPAREN);
    parse_args(p, &args, TOKEN_RPAREN, open_at);
    if (p->failed) {
        mem_free(args.items);
        return literal_new(p, name.at, VALUE_NONE);
    }
    if (p->env->no_macros)
        node = NULL;
    else if (target == NULL && str_is(name.text, "has"))
        node = has_macro(p, name.at, &args);
    else
        node = target != NULL ? method_macro(p, target, name.text, name.at, &args) : NULL;
    if (node == NULL) {
        struct node_list all = {0};
        if (target != NULL)
            list_add(&all, target);
        for (size_t i = 0; i < args.count; i++)
            list_add(&all, args.items[i]);
        node = node_take(p, NODE_CALL, name.at, &all);
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

    advance(p);
    if (is_reserved(name.text)) {
        fail(p, name.at, "choose another name",
             arena_format(p->arena, "%.*s is a reserved word", STR_ARG(name.text)).data);
    } else if (p->token.kind == TOKEN_LPAREN) {
        return parse_call(p, NULL, name);
    }
    node = node_new(p, NODE_NAME, name.at, NULL);
    node->name = name.text;
    node->rooted = rooted;
    return node;
}

static struct cel_node *parse_primary(struct parser *p)
{
    struct token token = p->token;
    struct node_list list = {0};
    struct cel_node *node;

    if (accept(p, TOKEN_LITERAL)) {
        if (token.literal.kind == VALUE_UINT && !is_unsigned(&token))
            fail(p, token.at, NULL, "the number does not fit into 64 bits");
        return literal_new(p, token.at, token.literal);
    }
    if (accept_open(p, TOKEN_LPAREN)) {
        node = parse_expr(p);
        expect_close(p, TOKEN_RPAREN, token.at);
        node->in_parens = true;
        return node;
    }
    if (accept_open(p, TOKEN_LBRACKET)) {
        parse_args(p, &list, TOKEN_RBRACKET, token.at);
        return node_take(p, NODE_LIST, token.at, &list);
    }
    if (accept_open(p, TOKEN_LBRACE))
        return parse_map(p, token.at);
    if (token.kind == TOKEN_NAME)
        return parse_name(p, false);
    if (accept(p, TOKEN_DOT)) {
        if (p->token.kind == TOKEN_NAME)
            return parse_name(p, true);
        fail_unexpected(p, "a name behind the dot");
    }
    fail_unexpected(p, "a value, a name or a bracket");
    return literal_new(p, token.at, VALUE_NONE);
}

/* What follows a dot. */
static struct cel_node *parse_select(struct parser *p, struct cel_node *operand)
{
    bool optional = accept(p, TOKEN_QUESTION);
    struct token name = p->token;
    struct cel_node *node;

    if (!accept(p, TOKEN_NAME) && !accept(p, TOKEN_QUOTED_NAME)) {
        fail_unexpected(p, "a field or function name behind the dot");
        return operand;
    }
    if (p->token.kind == TOKEN_LPAREN && name.kind == TOKEN_NAME && !optional)
        return parse_call(p, operand, name);
    node = node_of(p, NODE_SELECT, name.at, operand, NULL);
    node->name =
        name.kind == TOKEN_QUOTED_NAME ? str_slice(name.text, 1, name.text.len - 1) : name.text;
    node->optional = optional;
    return node;
}

static struct cel_node *parse_index(struct parser *p, struct cel_node *operand, uint32_t at)
{
    bool optional = accept(p, TOKEN_QUESTION);
    struct cel_node *node = node_of(p, NODE_INDEX, at, operand, parse_expr(p));

    node->optional = optional;
    expect_close(p, TOKEN_RBRACKET, at);
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
        if (accept(p, TOKEN_DOT))
            node = parse_select(p, node);
        else if (accept_open(p, TOKEN_LBRACKET))
            node = parse_index(p, node, at);
        else if (p->token.kind == TOKEN_LBRACE && is_plain_name(node) &&
                 accept_open(p, TOKEN_LBRACE))
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
    advance(p);
    return parse_member_of(p, literal_new(p, minus_at, v));
}

static struct cel_node *parse_unary(struct parser *p)
{
    struct token first = p->token;
    enum token_kind sign = first.kind;
    struct cel_node *node = NULL;
    size_t count = 0;
    uint32_t last_at = first.at;

    if (at_name(p, "not")) {
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
            advance(p);
        }
    if (count != 0 && sign == TOKEN_MINUS && (node = parse_negative(p, last_at)) != NULL)
        count--;
    if (node == NULL)
        node = parse_member_of(p, parse_primary(p));
    for (; count > 0 && !p->failed; count--)
        node = call_new(p, sign == TOKEN_NOT ? "!_" : "-_", first.at, node, NULL);
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
        advance(p);
        left = call_new(p, operators[i].function, token.at, left,
                        parse_binary(p, operators[i].level + 1));
    }
    return left;
}

/* `and`, `or` of other languages: say CEL's sign and go on. */
static bool accept_word(struct parser *p, const char *word, enum token_kind kind)
{
    uint32_t at = p->token.at;

    if (accept(p, kind))
        return true;
    if (p->failed || !at_name(p, word))
        return false;
    cel_report(p->source, DIAG_ERROR, at, "syntax",
               kind == TOKEN_AND ? "write && for \"and\"" : "write || for \"or\"",
               "there is no operator %s", word);
    advance(p);
    return true;
}

/* Does an operand of && or || end before this token? */
static bool ends_operand(enum token_kind kind)
{
    return kind == TOKEN_AND || kind == TOKEN_OR || kind == TOKEN_COMMA || kind == TOKEN_COLON ||
           kind == TOKEN_QUESTION || is_close(kind);
}

/* After a mistake: go to the end of the operand that began with `open` brackets open.  What is
 * passed over is not looked at. */
static void skip_operand(struct parser *p, int open)
{
    struct diags none = {0};
    struct cel_source quiet = {.text = p->source->text, .diags = &none}, *source = p->source;
    struct token token = p->stopped;

    p->lexer.source = &quiet;
    while (token.kind != TOKEN_END && !(p->open <= open && ends_operand(token.kind))) {
        p->open += is_open(token.kind) - is_close(token.kind);
        token = cel_lex_next(&p->lexer);
    }
    p->lexer.source = source;
    diags_free(&none);
    p->open = open;
    p->token = token;
    p->failed = false;
}

static struct cel_node *parse_operand(struct parser *p)
{
    int open = p->open, depth = p->depth;
    uint32_t at = p->token.at;
    struct cel_node *node = parse_binary(p, 1);

    if (!p->failed || p->hopeless)
        return node;
    skip_operand(p, open);
    p->depth = depth;
    return literal_new(p, at, VALUE_NONE); /* of any type, so that nothing more is said of it */
}

static struct cel_node *parse_and(struct parser *p)
{
    struct cel_node *first = parse_operand(p);
    struct node_list list = {0};
    uint32_t at = p->token.at;

    if (!accept_word(p, "and", TOKEN_AND))
        return first;
    list_add(&list, first);
    do
        list_add(&list, parse_operand(p));
    while (accept_word(p, "and", TOKEN_AND));
    return node_take(p, NODE_AND, at, &list);
}

static struct cel_node *parse_or(struct parser *p)
{
    struct cel_node *first = parse_and(p);
    struct node_list list = {0};
    uint32_t at = p->token.at;

    if (!accept_word(p, "or", TOKEN_OR))
        return first;
    list_add(&list, first);
    do
        list_add(&list, parse_and(p));
    while (accept_word(p, "or", TOKEN_OR));
    return node_take(p, NODE_OR, at, &list);
}

static struct cel_node *parse_choice(struct parser *p)
{
    struct cel_node *condition = parse_or(p);
    struct cel_node *items[3] = {condition};
    struct node_list list = {items, 3, 3};
    uint32_t at = p->token.at;

    if (!accept(p, TOKEN_QUESTION))
        return condition;
    items[1] = parse_or(p);
    if (!accept(p, TOKEN_COLON))
        fail_unexpected(p, ": of a ? b : c");
    items[2] = parse_expr(p);
    return node_new(p, NODE_CHOICE, at, &list);
}

static struct cel_node *parse_expr(struct parser *p)
{
    struct cel_node *node;

    if (p->depth >= LIMIT_CEL_DEPTH) {
        fail_too_deep(p, p->token.at);
        return literal_new(p, p->token.at, VALUE_NONE);
    }
    p->depth++;
    node = parse_choice(p);
    p->depth--;
    return node;
}

/* Behind a whole expression stands something: say so, and look at what comes behind the next && or
 * ||.  Both are put into a list, in which any types may stand together. */
static struct cel_node *parse_rest(struct parser *p, struct cel_node *first)
{
    struct cel_node *next;

    if (is_close(p->token.kind))
        fail(p, p->token.at, "remove it", "this bracket was never opened");
    else
        fail_unexpected(p, "an operator");
    do {
        p->stopped = cel_lex_next(&p->lexer);
        skip_operand(p, 0);
        p->stopped = p->token;
    } while (p->token.kind != TOKEN_END && p->token.kind != TOKEN_AND && p->token.kind != TOKEN_OR);
    if (p->token.kind == TOKEN_END)
        return first;
    advance(p);
    next = parse_expr(p);
    return node_of(p, NODE_LIST, first->at, first, next);
}

struct cel_node *cel_parse(struct cel_source *source, const struct cel_env *env,
                           struct arena *arena)
{
    struct parser p = {.source = source, .arena = arena, .env = env};
    struct cel_node *node;

    p.lexer = (struct lexer){.source = source, .arena = arena, .days_known = env->own_functions};
    advance(&p);
    if (p.token.kind == TOKEN_END && !p.failed) {
        fail(&p, p.token.at, NULL, "there is no expression");
        return NULL;
    }
    node = parse_expr(&p);
    while (!p.failed && p.token.kind != TOKEN_END)
        node = parse_rest(&p, node);
    return p.failed ? NULL : node;
}
