/* Each sub-expression becomes a program of its own and is run by itself: dear, but nothing in the
 * VM has to know of it, and what is shown is what the whole would compute there.
 *
 * What stands inside a macro and uses its name has a value for each item: x * 2 of
 * list.map(x, x * 2) is run as list.map(x, x * 2) itself, and of list.all(x, x * 2 > 3) as well. */
#include <stdlib.h>

#include "core/mem.h"
#include "rules/cel/parse.h"
#include "rules/cel/program.h"

struct tracer {
    struct cel_source *source;
    const struct cel_env *env;
    struct arena *arena;
    struct traced {
        uint32_t at;
        const struct cel_node *node;
    } * nodes; /* on the heap */
    size_t count, capacity;
};

struct around { /* a macro around what is looked at */
    const struct cel_node *macro;
    const struct around *outer;
};

static bool uses(const struct cel_node *node, const struct cel_node *macro)
{
    if (node->kind == NODE_LOCAL)
        return node->local >= macro->local && node->local < macro->local + 5u;
    for (size_t i = 0; i < node->count; i++)
        if (uses(node->items[i], macro))
            return true;
    return false;
}

/* The macro with another body: of a loop, all values of the body in a list. */
static struct cel_node *with_body(struct tracer *t, const struct cel_node *macro,
                                  struct cel_node *body)
{
    static const struct cel_macro lists[] = {{.vars = 1, .collect = COLLECT_LIST},
                                             {.vars = 2, .collect = COLLECT_LIST}};
    struct cel_node *node = ARENA_NEW(t->arena, struct cel_node);

    *node = *macro;
    node->count = 2;
    node->items = ARENA_ARRAY(t->arena, struct cel_node *, 2);
    node->items[0] = macro->items[0];
    node->items[1] = body;
    if (macro->macro->collect < COLLECT_BIND)
        node->macro = &lists[macro->macro->vars - 1];
    return node;
}

/* Parts that nobody wrote: sortBy is made of names that begin with @. */
static bool is_made(const struct cel_node *node)
{
    const struct cel_node *first = node->kind == NODE_MACRO ? node->items[0] : node;

    return !first->sign && first->name.len != 0 && first->name.data[0] == '@';
}

static void gather(struct tracer *t, struct cel_node *node, const struct around *around)
{
    struct around here = {node, around};
    struct cel_node *whole = node;

    for (size_t i = 0; i < node->count; i++)
        gather(t, node->items[i], node->kind == NODE_MACRO && i > 0 ? &here : around);
    if (node->kind == NODE_LITERAL || is_made(node))
        return;
    for (; around != NULL; around = around->outer)
        if (uses(whole, around->macro))
            whole = with_body(t, around->macro, whole);
    MEM_RESERVE(t->nodes, t->count, t->capacity);
    t->nodes[t->count++] = (struct traced){node->at, whole};
}

static int compare_at(const void *a, const void *b)
{
    const struct traced *x = a, *y = b;

    return (x->at > y->at) - (x->at < y->at);
}

void cel_trace(const struct cel_env *env, struct str text, const struct cel_input *input,
               struct arena *arena, void *context,
               void (*report)(void *context, uint32_t at, struct value v))
{
    struct diags diags = {0};
    struct cel_source source = {.text = text, .diags = &diags};
    struct tracer t = {.source = &source, .env = env, .arena = arena};
    struct cel_node *root = NULL;

    if (cel_compile(env, text, source.place, NULL, arena, &diags) != NULL)
        root = cel_parse(&source, env, arena);
    if (root != NULL) {
        cel_check(&source, env, NULL, arena, &root);
        gather(&t, root, NULL);
    }
    if (t.count > 1)
        qsort(t.nodes, t.count, sizeof *t.nodes, compare_at);
    for (size_t i = 0; i < t.count; i++) {
        const struct cel_program *program =
            cel_generate(&source, env, t.nodes[i].node, NULL, arena);
        if (program != NULL)
            report(context, t.nodes[i].at, cel_eval(program, input, arena));
    }
    mem_free(t.nodes);
    diags_free(&diags);
}
