/* Macros: calls that introduce names, as rows of macros.def; has(); and sortBy(), which is written
 * with the others. */
#include "core/mem.h"
#include "rules/cel/parser.h"

static const struct cel_macro macros[] = {
#define MACRO(name, vars, args, collect, filtered, usage, text)                                    \
    {{name, sizeof(name) - 1}, vars, args, collect, filtered, usage, text},
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

const struct cel_macro *cel_macro_used(const char *usage)
{
    for (size_t i = 0; i < MACRO_COUNT; i++)
        if (strcmp(macros[i].usage, usage) == 0)
            return &macros[i];
    return NULL;
}

struct cel_node *parser_has(struct parser *p, uint32_t at, const struct node_list *args)
{
    struct cel_node *arg = args->count == 1 ? args->items[0] : NULL;

    if (arg == NULL || arg->kind != NODE_SELECT || arg->optional || arg->test) {
        parser_fail(p, arg != NULL ? arg->at : at, "write has(customer.name): a field behind a dot",
                    "has() takes one field");
        return parser_literal(p, at, value_bool(false));
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
            parser_fail(p, var->at, arena_format(p->arena, "write %s", macro->usage).data,
                        "a plain name is needed here");
            return false;
        }
        node->vars[i] = var->name;
        node->var_at[i] = var->at;
    }
    if (macro->vars == 2 && str_equal(node->vars[0], node->vars[1]))
        parser_fail(p, node->var_at[1], NULL, "both names are the same");
    return !p->failed;
}

static struct cel_node *name_new(struct parser *p, uint32_t at, const char *name)
{
    struct cel_node *node = parser_node(p, NODE_NAME, at, NULL);

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
    sorted = parser_call(p, "@sortBy", at, name_new(p, at, "@list"), keys);
    sorted->sign = false;
    bind = parser_node_of(p, NODE_MACRO, at, range, sorted);
    bind->macro = find_macro(STR("bind"), 3, true);
    bind->name = keys->name;
    bind->vars[0] = STR("@list");
    return bind;
}

struct cel_node *parser_macro(struct parser *p, struct cel_node *target, struct str name,
                              uint32_t at, const struct node_list *args)
{
    bool bind = target->kind == NODE_NAME && str_is(target->name, "cel") && str_is(name, "bind");
    const struct cel_macro *macro = find_macro(name, args->count, bind);
    struct cel_node *node;
    struct node_list items = {0};

    if (macro == NULL)
        return NULL;
    node_list_add(&items, bind ? args->items[1] : target);
    for (size_t i = bind ? 2 : macro->vars; i < args->count; i++)
        node_list_add(&items, args->items[i]);
    node = parser_node_take(p, NODE_MACRO, at, &items);
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
