/* Operators and functions: which row of funcs.def fits, and what to say when none does. */
#include "core/regex.h"
#include "rules/cel/checker.h"
#include "rules/cel/parse.h"

/* --- operators -------------------------------------------------------------------------------- */

static bool is_literal_of(const struct cel_node *node, enum value_kind kind)
{
    return node->kind == NODE_LITERAL && node->literal.kind == kind;
}

static bool looks_like_number(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((s.data[i] < '0' || s.data[i] > '9') && s.data[i] != '.' && (i > 0 || s.data[i] != '-'))
            return false;
    return s.len != 0;
}

/* What to write when a and b do not go together; NULL: no idea. */
static const char *mismatch_help(struct checker *c, const struct cel_node *a,
                                 const struct cel_node *b)
{
    const struct cel_type *ta = a->type, *tb = b->type;

    if (ta->kind == CEL_LOCAL || tb->kind == CEL_LOCAL)
        return "ask a local time for its parts: local(t).getHours() >= 9; compare timestamps "
               "without local()";
    if (is_literal_of(a, VALUE_STRING) && cel_type_is_number(tb) &&
        looks_like_number(value_str(a->literal)))
        return arena_format(c->arena, "write %.*s without quotes", STR_ARG(value_str(a->literal)))
            .data;
    if (cel_type_is_number(ta) && is_literal_of(b, VALUE_STRING))
        return mismatch_help(c, b, a);
    if (ta->kind == CEL_TIMESTAMP && tb->kind == CEL_STRING)
        return "write timestamp(\"2026-03-02T09:00:00Z\")";
    if (ta->kind == CEL_DURATION && tb->kind == CEL_STRING)
        return "write duration(\"36h\")";
    if (ta->kind == CEL_DURATION && cel_type_is_number(tb))
        return c->env->own_functions ? "write days(14) or hours(36)" : "write duration(\"36h\")";
    if (ta->kind == CEL_STRING && cel_type_is_number(tb))
        return "string(...) makes a text of a number, double(...) a number of a text";
    if (cel_type_is_number(ta) && cel_type_is_number(tb))
        return "int(...), uint(...) and double(...) make one kind of number of another";
    if (ta->kind == CEL_NULL || tb->kind == CEL_NULL)
        return "a field that may be missing is asked for with has(a.b)";
    if (ta->kind == CEL_BOOL && tb->kind == CEL_STRING)
        return "write true or false without quotes";
    return NULL;
}

static const char *pair_help(struct checker *c, const struct cel_node *node)
{
    const char *help = mismatch_help(c, node->items[0], node->items[1]);

    return help != NULL ? help : mismatch_help(c, node->items[1], node->items[0]);
}

/* "_<=_" -> "<=", "@in" -> "in". */
static struct str operator_sign(struct str name)
{
    size_t from = name.data[0] == '_' || name.data[0] == '@', to = name.len;

    return str_slice(name, from, to > from && name.data[to - 1] == '_' ? to - 1 : to);
}

static bool is_ordered(const struct cel_type *type)
{
    switch (type->kind) {
    case CEL_DYN:
    case CEL_BOOL:
    case CEL_INT:
    case CEL_UINT:
    case CEL_DOUBLE:
    case CEL_STRING:
    case CEL_BYTES:
    case CEL_TIMESTAMP:
    case CEL_DURATION: return true;
    case CEL_NULL:
    case CEL_LIST:
    case CEL_MAP:
    case CEL_TYPE:
    case CEL_OPTIONAL:
    case CEL_LOCAL: break;
    }
    return false;
}

static const struct cel_type *check_comparison(struct checker *c, struct cel_node *node)
{
    const struct cel_type *a = node->items[0]->type, *b = node->items[1]->type;
    bool ordering = node->name.data[1] == '<' || node->name.data[1] == '>';
    bool mixed = c->env->mixed_numbers && cel_type_is_number(a) && cel_type_is_number(b);

    if (a->kind == CEL_LOCAL || b->kind == CEL_LOCAL)
        COMPLAIN(c, node->at, "compare", pair_help(c, node), "a local time cannot be compared");
    else if (!mixed && !cel_type_fits(a, b))
        COMPLAIN(c, node->at, "compare", pair_help(c, node),
                 "%s cannot be compared with %s by %.*s", cel_type_with_article(c, a),
                 cel_type_with_article(c, b), STR_ARG(operator_sign(node->name)));
    else if (ordering && (!is_ordered(a) || !is_ordered(b)))
        COMPLAIN(c, node->at, "compare", NULL, "%s has no order",
                 cel_type_with_article(c, is_ordered(a) ? b : a));
    return &cel_bool;
}

static const struct cel_type *check_in(struct checker *c, struct cel_node *node)
{
    const struct cel_type *item = node->items[0]->type, *in = node->items[1]->type;
    const struct cel_type *inside;

    if (in->kind == CEL_DYN)
        return &cel_bool;
    if (in->kind != CEL_LIST && in->kind != CEL_MAP) {
        COMPLAIN(c, node->at, "type",
                 in->kind == CEL_STRING ? "write text.contains(part)" : "write x in [a, b]",
                 "in looks into a list or a map, this is %s", cel_type_with_article(c, in));
        return &cel_bool;
    }
    inside = in->kind == CEL_LIST ? in->item : in->key;
    if (inside != NULL && !cel_type_fits(item, inside) &&
        !(c->env->mixed_numbers && cel_type_is_number(item) && cel_type_is_number(inside)))
        COMPLAIN(c, node->at, "compare", NULL, "%s can never be in %s",
                 cel_type_with_article(c, item), cel_type_with_article(c, in));
    return &cel_bool;
}

/* --- calls ------------------------------------------------------------------------------------ */

static bool arg_fits(const struct cel_func *func, size_t i, const struct cel_type *type)
{
    enum cel_type_kind wanted = func->args[i];

    return wanted == CEL_DYN || type->kind == CEL_DYN || type->kind == wanted;
}

/* f(1, 2.5) or f([1, 2.5]): what takes any number of arguments takes numbers. */
static bool variadic_fits(const struct cel_node *node)
{
    const struct cel_type *list = node->count == 1 ? node->items[0]->type : &cel_dyn;

    if (list->kind == CEL_LIST)
        return list->item == NULL || list->item->kind == CEL_DYN || cel_type_is_number(list->item);
    for (size_t i = 0; i < node->count; i++)
        if (node->items[i]->type->kind != CEL_DYN && !cel_type_is_number(node->items[i]->type))
            return false;
    return node->count != 0;
}

static bool style_fits(const struct cel_func *func, const struct cel_node *node)
{
    return func->style == CEL_EITHER || (func->style == CEL_METHOD) == node->method;
}

static bool func_fits(const struct cel_func *func, const struct cel_node *node)
{
    if (func->style == CEL_VARIADIC)
        return !node->method && variadic_fits(node);
    if (func->arg_count != node->count)
        return false;
    for (size_t i = 0; i < node->count; i++)
        if (!arg_fits(func, i, node->items[i]->type))
            return false;
    if (func->result == CEL_RESULT_ITEM && node->count == 2 &&
        !cel_type_fits(node->items[1]->type, cel_type_item(node->items[0]->type)))
        return false; /* what stands in for an item is of its type */
    return style_fits(func, node);
}

static const struct cel_type *result_type(struct checker *c, const struct cel_func *func,
                                          const struct cel_node *node)
{
    const struct cel_type *first = node->count != 0 ? node->items[0]->type : &cel_dyn;

    if (func->result == CEL_RESULT_ITEM)
        return node->count == 2 ? cel_type_join(c, cel_type_item(first), node->items[1]->type)
                                : cel_type_item(first);
    if (func->result == CEL_RESULT_OPTIONAL)
        return cel_type_make(c, CEL_OPTIONAL, NULL, first);
    if (func->result == CEL_RESULT_STRING_LIST)
        return cel_type_make(c, CEL_LIST, NULL, &cel_string);
    if (func->result == CEL_RESULT_INT_LIST)
        return cel_type_make(c, CEL_LIST, NULL, &cel_int);
    if (func->result == CEL_RESULT_FIRST)
        return first->kind == CEL_DYN ? &cel_list_type : first;
    if (func->result != CEL_RESULT_SAME)
        return cel_type_plain((enum cel_type_kind)func->result);
    for (size_t i = 1; i < node->count; i++)
        first = cel_type_join(c, first, node->items[i]->type);
    if (func->style == CEL_VARIADIC && node->count == 1 && first->kind == CEL_LIST)
        return cel_type_item(first);
    return first;
}

/* Try all rows of a name; the result is dyn when rows with different results may fit. */
static const struct cel_type *pick_overload(struct checker *c, struct cel_node *node, size_t first)
{
    const struct cel_type *type = NULL;

    for (size_t i = first; cel_func_at(i) != NULL && cel_func_named(cel_func_at(i), node->name);
         i++) {
        const struct cel_func *func = cel_func_at(i);
        if (!func_fits(func, node))
            continue;
        const struct cel_type *result = result_type(c, func, node);
        if (type == NULL)
            node->overload = (uint16_t)i;
        type = type == NULL || cel_type_same(type, result) ? result : &cel_dyn;
    }
    return type;
}

static struct str args_text(struct checker *c, const struct cel_node *node)
{
    struct buf text = {0};
    struct str kept;

    for (size_t i = node->method ? 1 : 0; i < node->count; i++) {
        if (text.len != 0)
            buf_put_text(&text, ", ");
        cel_type_print(&text, node->items[i]->type);
    }
    kept = arena_str(c->arena, buf_str(&text));
    buf_free(&text);
    return kept;
}

/* "write text.contains(part)": the forms of a name, a few of them. */
static const char *forms_help(struct checker *c, size_t first, struct str name)
{
    struct buf text = {0};
    const char *kept;
    size_t shown = 0;

    buf_put_text(&text, "there is ");
    for (size_t i = first; cel_func_at(i) != NULL && cel_func_named(cel_func_at(i), name); i++) {
        if (shown == 4) {
            buf_put_text(&text, ", ...");
            break;
        }
        buf_put_text(&text, shown++ != 0 ? ", " : "");
        cel_func_print(&text, cel_func_at(i));
    }
    kept = arena_str(c->arena, buf_str(&text)).data;
    buf_free(&text);
    return kept;
}

static bool func_available(const struct checker *c, size_t i)
{
    int flags = cel_func_at(i)->flags;

    return ((flags & CEL_OWN) == 0 || c->env->own_functions) &&
           ((flags & CEL_IMPURE) == 0 || !c->env->no_zone);
}

/* Kept out of line: its array must not be part of the recursion's frames. */
static __attribute__((noinline)) const char *nearest_function(struct checker *c, struct str name)
{
    struct str names[256], near;
    size_t count = 0;

    if (str_is(name, "not"))
        return "write ! for \"not\"";
    if (str_is(name, "len") || str_is(name, "length") || str_is(name, "count"))
        return "write size(...)";
    if (str_is(name, "lower") || str_is(name, "upper"))
        return "write .lowerAscii() or .upperAscii()";
    if (str_is(name, "now"))
        return "write now without brackets, where it is there";
    if (str_is(name, "any"))
        return "write list.exists(x, condition)";
    for (size_t i = 0; cel_func_at(i) != NULL && count < 255; i++)
        if (cel_func_at(i)->style != CEL_OPERATOR && func_available(c, i))
            names[count++] = str_of(cel_func_at(i)->name);
    names[count++] = STR("has");
    near = str_nearest(name, names, count);
    if (near.len == 0)
        return NULL;
    return arena_format(c->arena, "did you mean %.*s", STR_ARG(near)).data;
}

static void report_macro(struct checker *c, const struct cel_node *node)
{
    COMPLAIN(c, node->at, "arguments",
             arena_format(c->arena, "write %s", cel_macro_named(node->name)->usage).data,
             "%.*s() with other arguments than it takes", STR_ARG(node->name));
}

static void report_unknown_function(struct checker *c, const struct cel_node *node)
{
    const char *help = cel_func_find(node->name) == SIZE_MAX ? nearest_function(c, node->name)
                       : c->env->own_functions ? "the customer's time zone is not known here"
                                               : "only moments have it";

    COMPLAIN(c, node->at, "unknown-function", help, "there is no function \"%.*s\"",
             STR_ARG(node->name));
}

static void report_no_overload(struct checker *c, const struct cel_node *node, size_t first)
{
    bool style = false, count = false;
    struct str name = node->name;

    for (size_t i = first; cel_func_at(i) != NULL && cel_func_named(cel_func_at(i), name); i++) {
        style |= style_fits(cel_func_at(i), node);
        count |= style_fits(cel_func_at(i), node) &&
                 (cel_func_at(i)->arg_count == node->count ||
                  (cel_func_at(i)->style == CEL_VARIADIC && node->count != 0));
    }
    if (!style)
        COMPLAIN(c, node->at, "arguments", forms_help(c, first, name),
                 "%.*s is not called this way", STR_ARG(name));
    else if (!count)
        COMPLAIN(c, node->at, "arguments", forms_help(c, first, name),
                 "%.*s() does not take %zu argument%s", STR_ARG(name), node->count - node->method,
                 node->count - node->method == 1 ? "" : "s");
    else if (node->method)
        COMPLAIN(c, node->at, "type", forms_help(c, first, name), "there is no %s.%.*s(%.*s)",
                 cel_type_text(c, node->items[0]->type), STR_ARG(name),
                 STR_ARG(args_text(c, node)));
    else
        COMPLAIN(c, node->at, "type", forms_help(c, first, name), "%.*s() does not take %.*s",
                 STR_ARG(name), STR_ARG(args_text(c, node)));
}

static void report_operator(struct checker *c, const struct cel_node *node)
{
    struct str sign = operator_sign(node->name);

    if (node->count == 1)
        COMPLAIN(c, node->at, "type",
                 sign.data[0] == '!' ? "! turns true into false; compare first: !(a == b)" : NULL,
                 "%.*s does not take %s", STR_ARG(sign),
                 cel_type_with_article(c, node->items[0]->type));
    else
        COMPLAIN(c, node->at, "type", pair_help(c, node), "%.*s does not take %s and %s",
                 STR_ARG(sign), cel_type_with_article(c, node->items[0]->type),
                 cel_type_with_article(c, node->items[1]->type));
}

static const struct cel_type *check_operator(struct checker *c, struct cel_node *node)
{
    size_t first = cel_func_find(node->name);
    const struct cel_type *type;

    if (str_is(node->name, "@in"))
        return check_in(c, node);
    if (node->count == 2)
        cel_mix_numbers(c, &node->items[0], &node->items[1]);
    if (first == SIZE_MAX)
        return check_comparison(c, node);
    type = pick_overload(c, node, first);
    if (type == NULL) {
        node->overload = (uint16_t)first;
        report_operator(c, node);
        return &cel_dyn;
    }
    if (c->env->mixed_numbers && str_is(node->name, "_/_") && type->kind == CEL_INT &&
        node->items[0]->type->kind == CEL_INT && node->items[1]->type->kind == CEL_INT)
        cel_report(c->source, DIAG_WARNING, node->at, "integer-division",
                   "write double(a) / b if the fraction matters",
                   "int / int drops the remainder: 7 / 2 is 3");
    return type;
}

/* optional.of(x), math.abs(x): the "target" is the first half of a name. */
static void join_namespace(struct checker *c, struct cel_node *node)
{
    const struct cel_node *target = node->items != NULL ? node->items[0] : NULL;
    struct str name;

    if (!node->method || target->kind != NODE_NAME || cel_find_local(c, target->name) != NULL)
        return;
    name = arena_format(c->arena, "%.*s.%.*s", STR_ARG(target->name), STR_ARG(node->name));
    if (cel_func_find(name) == SIZE_MAX)
        return;
    node->name = name;
    node->method = false;
    node->items++;
    node->count--;
}

/* A regular expression written out is looked at now. */
static void check_pattern(struct checker *c, const struct cel_node *pattern)
{
    struct regex *regex;
    struct err err = {0};

    if (is_literal_of(pattern, VALUE_STRING) &&
        regex_compile(value_str(pattern->literal), c->arena, &regex, &err) != ERR_NONE)
        COMPLAIN(c, pattern->at, "regex", "look at its brackets; a backslash is written twice",
                 "the regular expression is not understood: %s", err.text);
}

/* In moments an int is as good as a double where only a double will do. */
static void mix_arguments(struct checker *c, struct cel_node *node)
{
    bool stands_in = str_is(node->name, "orValue") && node->count == 2 &&
                     cel_type_item(node->items[0]->type)->kind == CEL_DOUBLE;

    for (size_t i = stands_in ? 1 : 0; i < node->count; i++)
        if (node->items[i]->type->kind == CEL_INT &&
            (stands_in || str_is(node->name, "distance_km")))
            cel_make_double(c, &node->items[i]);
}

const struct cel_type *cel_check_call(struct checker *c, struct cel_node *node)
{
    const struct cel_type *type;
    size_t first;

    join_namespace(c, node);
    if (cel_macro_named(node->name) != NULL && cel_func_find(node->name) == SIZE_MAX) {
        report_macro(c, node); /* its arguments use a name that nobody introduced */
        cel_make_error(c, node, "no such overload", node->name);
        return &cel_dyn;
    }
    for (size_t i = 0; i < node->count; i++)
        cel_check_node(c, &node->items[i]);
    if (node->sign)
        return check_operator(c, node);
    first = cel_func_find(node->name);
    if (first == SIZE_MAX || !func_available(c, first)) {
        report_unknown_function(c, node);
        cel_make_error(c, node, "no such function", node->name);
        return &cel_dyn;
    }
    if (c->env->mixed_numbers)
        mix_arguments(c, node);
    type = pick_overload(c, node, first);
    if (type == NULL)
        node->overload = (uint16_t)first;
    if (type == NULL)
        report_no_overload(c, node, first);
    else if (str_is(node->name, "matches"))
        check_pattern(c, node->items[1]);
    return type != NULL ? type : &cel_dyn;
}
