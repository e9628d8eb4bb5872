/* One walk from the leaves up.  Every node gets a type; where something is wrong it is reported
 * once and the node becomes dyn, which fits everywhere, so one mistake gives one finding and the
 * rest of the expression is checked as well. */
#include "core/check.h"
#include "rules/cel/checker.h"

enum { LOCALS_OF_A_MACRO = 5 }; /* range, index, gathered, first name, second name */

/* --- words ------------------------------------------------------------------------------------ */

const char *cel_type_text(struct checker *c, const struct cel_type *type)
{
    struct buf text = {0};
    const char *kept;

    cel_type_print(&text, type);
    kept = arena_str(c->arena, buf_str(&text)).data;
    buf_free(&text);
    return kept;
}

/* In moments, which people write who know tables and not types. */
static const char *plain_words(const struct cel_type *type)
{
    switch (type->kind) {
    case CEL_BOOL: return "true or false";
    case CEL_INT:
    case CEL_UINT: return "a whole number";
    case CEL_DOUBLE: return "a number";
    case CEL_STRING: return "a text";
    case CEL_LIST: return "a list";
    case CEL_TIMESTAMP: return "a time";
    case CEL_DURATION: return "a duration";
    case CEL_LOCAL: return "a local time";
    case CEL_DYN:
    case CEL_NULL:
    case CEL_BYTES:
    case CEL_MAP:
    case CEL_TYPE:
    case CEL_OPTIONAL: break;
    }
    return NULL;
}

/* "a string", "an int"; in moments "a text", "a whole number". */
const char *cel_type_with_article(struct checker *c, const struct cel_type *type)
{
    const char *plain = c->env->own_functions ? plain_words(type) : NULL;
    const char *name = type->kind == CEL_DYN ? "value of unknown type" : cel_type_text(c, type);
    bool vowel = strchr("aeio", name[0]) != NULL;

    if (plain != NULL)
        return plain;
    return arena_format(c->arena, "%s %s", vowel ? "an" : "a", name).data;
}

const struct cel_type *cel_type_make(struct checker *c, enum cel_type_kind kind,
                                     const struct cel_type *key, const struct cel_type *item)
{
    struct cel_type *type = ARENA_NEW(c->arena, struct cel_type);

    *type = (struct cel_type){.kind = kind, .key = key, .item = item};
    return type;
}

const struct cel_type *cel_type_item(const struct cel_type *type)
{
    return type->item != NULL ? type->item : &cel_dyn;
}

bool cel_type_is_number(const struct cel_type *type)
{
    return type->kind == CEL_INT || type->kind == CEL_UINT || type->kind == CEL_DOUBLE;
}

bool cel_type_same(const struct cel_type *a, const struct cel_type *b)
{
    if (a == NULL || b == NULL)
        return (a == NULL || a->kind == CEL_DYN) && (b == NULL || b->kind == CEL_DYN);
    return a->kind == b->kind && cel_type_same(a->key, b->key) && cel_type_same(a->item, b->item);
}

/* One type for both, NULL if there is none.  An item that nothing is known of (of []) becomes
 * the other's; a dyn makes the item dyn, not the whole. */
static const struct cel_type *unify(struct checker *c, const struct cel_type *a,
                                    const struct cel_type *b)
{
    const struct cel_type *key, *item;

    if (a == NULL || b == NULL)
        return a != NULL ? a : b;
    if (a->kind == CEL_DYN || b->kind == CEL_DYN)
        return &cel_dyn;
    if (a->kind == b->kind && a->kind != CEL_LIST && a->kind != CEL_MAP && a->kind != CEL_OPTIONAL)
        return a;
    if (a->kind != b->kind)
        return a->kind == CEL_NULL && cel_type_fits(a, b)   ? b
               : b->kind == CEL_NULL && cel_type_fits(b, a) ? a
                                                            : NULL;
    key = unify(c, a->key, b->key);
    item = unify(c, a->item, b->item);
    if ((key == NULL && (a->key != NULL || b->key != NULL)) ||
        (item == NULL && (a->item != NULL || b->item != NULL)))
        return NULL;
    return cel_type_make(c, a->kind, key, item);
}

/* The type of a value that is one or the other. */
const struct cel_type *cel_type_join(struct checker *c, const struct cel_type *a,
                                     const struct cel_type *b)
{
    const struct cel_type *joined = unify(c, a, b);

    return joined != NULL ? joined : &cel_dyn;
}

const struct cel_type *cel_type_plain(enum cel_type_kind kind)
{
    static const struct cel_type *const types[] = {
        &cel_dyn,       &cel_null,      &cel_bool,     &cel_int,           &cel_uint,
        &cel_double,    &cel_string,    &cel_bytes,    &cel_list_type,     &cel_map_type,
        &cel_type_type, &cel_timestamp, &cel_duration, &cel_optional_type, &cel_local_type,
    };

    return types[kind];
}

/* --- conversions ------------------------------------------------------------------------------ */

void cel_make_double(struct checker *c, struct cel_node **at)
{
    struct cel_node *inner = *at, *node;

    if (inner->kind == NODE_LITERAL) {
        inner->literal = value_double((double)inner->literal.i);
        inner->type = &cel_double;
        return;
    }
    node = ARENA_NEW(c->arena, struct cel_node);
    *node = (struct cel_node){.kind = NODE_DOUBLE,
                              .at = inner->at,
                              .height = inner->height,
                              .count = 1,
                              .type = &cel_double};
    node->items = ARENA_NEW(c->arena, struct cel_node *);
    node->items[0] = inner;
    *at = node;
}

void cel_make_error(struct checker *c, struct cel_node *node, const char *what, struct str name)
{
    struct value error = value_error(c->arena, "%s: %.*s", what, STR_ARG(name));

    *node = (struct cel_node){
        .kind = NODE_LITERAL, .at = node->at, .height = 1, .literal = error, .type = &cel_dyn};
}

/* An int beside a double becomes a double, in moments. */
void cel_mix_numbers(struct checker *c, struct cel_node **a, struct cel_node **b)
{
    if (!c->env->mixed_numbers)
        return;
    if ((*a)->type->kind == CEL_INT && (*b)->type->kind == CEL_DOUBLE)
        cel_make_double(c, a);
    else if ((*a)->type->kind == CEL_DOUBLE && (*b)->type->kind == CEL_INT)
        cel_make_double(c, b);
}

/* --- the rest --------------------------------------------------------------------------------- */

static void expect_bool(struct checker *c, const struct cel_node *node, const char *where)
{
    if (node->type->kind != CEL_BOOL && node->type->kind != CEL_DYN)
        COMPLAIN(c, node->at, "condition", "compare it: a == b, a > b",
                 "%s must be true or false, this is %s", where,
                 cel_type_with_article(c, node->type));
}

static const struct cel_type *check_logic(struct checker *c, struct cel_node *node)
{
    for (size_t i = 0; i < node->count; i++) {
        cel_check_node(c, &node->items[i]);
        expect_bool(c, node->items[i],
                    node->kind == NODE_AND ? "each side of &&" : "each side of ||");
    }
    return &cel_bool;
}

static const struct cel_type *check_choice(struct checker *c, struct cel_node *node)
{
    const struct cel_type *a, *b;

    for (size_t i = 0; i < 3; i++)
        cel_check_node(c, &node->items[i]);
    expect_bool(c, node->items[0], "what stands before ?");
    cel_mix_numbers(c, &node->items[1], &node->items[2]);
    a = node->items[1]->type;
    b = node->items[2]->type;
    if (!cel_type_fits(a, b))
        COMPLAIN(c, node->at, "type", "both must have one type; dyn(...) lifts that",
                 "the two results of ?: are %s and %s", cel_type_with_article(c, a),
                 cel_type_with_article(c, b));
    return cel_type_join(c, a, b);
}

/* Items of a list, keys or values of a map. */
static const struct cel_type *check_items(struct checker *c, struct cel_node *node, size_t from,
                                          size_t step)
{
    const struct cel_type *item = NULL;

    for (size_t i = from; i < node->count; i += step) {
        const struct cel_type *type = cel_check_node(c, &node->items[i]);
        const struct cel_node *flag = node->items[i - from];
        if (flag->entry_optional && (step == 1 || from == 1))
            type = type->kind == CEL_OPTIONAL ? cel_type_item(type) : &cel_dyn;
        item = cel_type_join(c, item, type);
    }
    return item;
}

static const struct cel_type *check_map(struct checker *c, struct cel_node *node)
{
    const struct cel_type *key = check_items(c, node, 0, 2);
    const struct cel_type *item = check_items(c, node, 1, 2);

    for (size_t i = 0; i < node->count; i += 2) {
        enum cel_type_kind kind = node->items[i]->type->kind;
        if (kind != CEL_DYN && kind != CEL_BOOL && kind != CEL_INT && kind != CEL_UINT &&
            kind != CEL_STRING)
            COMPLAIN(c, node->items[i]->at, "type", NULL,
                     "a key of a map is a string, int, uint or bool, this is %s",
                     cel_type_with_article(c, node->items[i]->type));
    }
    return cel_type_make(c, CEL_MAP, key, item);
}

/* Types of the names that a macro introduces. */
static void macro_var_types(struct checker *c, const struct cel_node *node,
                            const struct cel_type *range, const struct cel_type *types[2])
{
    bool pair = node->macro->vars == 2;

    types[0] = types[1] = &cel_dyn;
    if (node->macro->collect == COLLECT_BIND) {
        types[0] = range;
    } else if (node->macro->collect >= COLLECT_OPT) {
        if (range->kind == CEL_OPTIONAL)
            types[0] = cel_type_item(range);
        else if (range->kind != CEL_DYN)
            COMPLAIN(c, node->at, "type", NULL, "%.*s() works on an optional, this is %s",
                     STR_ARG(node->name), cel_type_with_article(c, range));
    } else if (range->kind == CEL_LIST) {
        types[0] = pair ? &cel_int : cel_type_item(range);
        types[1] = cel_type_item(range);
    } else if (range->kind == CEL_MAP) {
        types[0] = range->key != NULL ? range->key : &cel_dyn;
        types[1] = cel_type_item(range);
    } else if (range->kind != CEL_DYN) {
        COMPLAIN(c, node->at, "type", NULL, "%.*s() goes over a list or a map, this is %s",
                 STR_ARG(node->name), cel_type_with_article(c, range));
    }
}

static const struct cel_type *macro_type(struct checker *c, const struct cel_node *node,
                                         const struct cel_type *range, const struct cel_type *var,
                                         const struct cel_type *body)
{
    switch (node->macro->collect) {
    case COLLECT_ALL:
    case COLLECT_ANY:
    case COLLECT_ONE: return &cel_bool;
    case COLLECT_FILTER: return cel_type_make(c, CEL_LIST, NULL, var);
    case COLLECT_LIST: return cel_type_make(c, CEL_LIST, NULL, body);
    case COLLECT_MAP:
        return cel_type_make(c, CEL_MAP, range->kind == CEL_LIST ? &cel_int : range->key, body);
    case COLLECT_ENTRY:
        if (body->kind != CEL_MAP && body->kind != CEL_DYN)
            COMPLAIN(c, node->items[node->count - 1]->at, "type", "write {key: value}",
                     "a map is needed here, this is %s", cel_type_with_article(c, body));
        return body->kind == CEL_MAP ? body : &cel_dyn;
    case COLLECT_BIND: return body;
    case COLLECT_OPT: return cel_type_make(c, CEL_OPTIONAL, NULL, body);
    case COLLECT_OPT_FLAT:
        if (body->kind != CEL_OPTIONAL && body->kind != CEL_DYN)
            COMPLAIN(c, node->items[node->count - 1]->at, "type", "use optMap",
                     "an optional is needed here, this is %s", cel_type_with_article(c, body));
        return body;
    }
    CHECK_NEVER("a macro that collects nothing");
}

static const struct cel_type *check_macro(struct checker *c, struct cel_node *node)
{
    const struct cel_type *range = cel_check_node(c, &node->items[0]);
    const struct cel_type *types[2], *body = NULL, *result;
    const struct cel_local *outer = c->locals;
    struct cel_local vars[2];

    node->local = c->local_count;
    macro_var_types(c, node, range, types);
    for (size_t i = 0; i < node->macro->vars; i++) {
        vars[i] = (struct cel_local){.name = node->vars[i], .type = types[i], .outer = c->locals};
        vars[i].number = (uint16_t)(node->local + 3 + i);
        c->locals = &vars[i];
    }
    c->local_count = (uint16_t)(c->local_count + LOCALS_OF_A_MACRO);
    for (size_t i = 1; i < node->count; i++) {
        body = cel_check_node(c, &node->items[i]);
        if (i + 1 < node->count || node->macro->collect <= COLLECT_FILTER)
            expect_bool(c, node->items[i], "this condition");
    }
    result = macro_type(c, node, range, types[0], body);
    c->local_count = node->local;
    c->locals = outer;
    return result;
}

static const struct cel_type *check_kind(struct checker *c, struct cel_node *node)
{
    switch (node->kind) {
    case NODE_LITERAL: return cel_type_plain(cel_kind_of(node->literal));
    case NODE_NAME: return cel_check_name(c, node);
    case NODE_SELECT:
    case NODE_INDEX: return cel_check_member(c, node);
    case NODE_CALL: return cel_check_call(c, node);
    case NODE_LIST: return cel_type_make(c, CEL_LIST, NULL, check_items(c, node, 0, 1));
    case NODE_MAP: return check_map(c, node);
    case NODE_AND:
    case NODE_OR: return check_logic(c, node);
    case NODE_CHOICE: return check_choice(c, node);
    case NODE_MACRO: return check_macro(c, node);
    case NODE_SLOT:
    case NODE_LOCAL:
    case NODE_DOUBLE: /* done already */ return node->type;
    }
    CHECK_NEVER("a node of no kind");
}

const struct cel_type *cel_check_node(struct checker *c, struct cel_node **at)
{
    const struct cel_type *type = check_kind(c, *at);

    (*at)->type = type;
    return type;
}

static void check_result(struct checker *c, const struct cel_type *want, struct cel_node **root)
{
    const struct cel_type *type = (*root)->type;
    bool error_free = c->source->error_count == 0;

    if (type->kind == CEL_LOCAL && error_free)
        COMPLAIN(c, (*root)->at, "type", "ask it for hours or days: local(t).getHours()",
                 "a local time cannot be a result");
    if (want == NULL || cel_type_fits(type, want))
        return;
    if (want->kind == CEL_DOUBLE && type->kind == CEL_INT && c->env->mixed_numbers)
        cel_make_double(c, root);
    else if (want->kind == CEL_BOOL)
        COMPLAIN(c, (*root)->at, "condition",
                 cel_type_is_number(type) || type->kind == CEL_STRING ? "compare it: a == b, a > b"
                                                                      : NULL,
                 "a condition must be true or false, this is %s", cel_type_with_article(c, type));
    else
        COMPLAIN(c, (*root)->at, "type",
                 want->kind == CEL_TIMESTAMP ? "read a time, or write timestamp(\"...\")"
                                             : "write or read one, or convert it: double(...), "
                                               "int(...), string(...)",
                 "%s is needed here, this is %s", cel_type_with_article(c, want),
                 cel_type_with_article(c, type));
}

void cel_check(struct cel_source *source, const struct cel_env *env, const struct cel_type *want,
               struct arena *arena, struct cel_node **root)
{
    struct checker c = {.source = source, .env = env, .arena = arena};

    cel_check_node(&c, root);
    check_result(&c, want, root);
}
