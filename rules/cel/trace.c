/* Each sub-expression becomes a program of its own and is run by itself: dear, but nothing in the
 * VM has to know of it, and what is shown is what the whole would compute there. */
#include <stdlib.h>

#include "core/mem.h"
#include "rules/cel/parse.h"
#include "rules/cel/program.h"

struct tracer {
    struct cel_source *source;
    const struct cel_env *env;
    const struct cel_node **nodes; /* on the heap */
    size_t count, capacity;
};

/* Gather what can stand alone; the lowest local of a macro around it that `node` uses. */
static uint16_t gather(struct tracer *t, const struct cel_node *node)
{
    uint16_t lowest = node->kind == NODE_LOCAL ? node->local : UINT16_MAX;

    for (size_t i = 0; i < node->count; i++) {
        uint16_t item = gather(t, node->items[i]);
        if (item < lowest)
            lowest = item;
    }
    if (node->kind == NODE_MACRO && lowest >= node->local)
        lowest = UINT16_MAX;
    if (lowest == UINT16_MAX && node->kind != NODE_LITERAL) {
        MEM_RESERVE(t->nodes, t->count, t->capacity);
        t->nodes[t->count++] = node;
    }
    return lowest;
}

static int compare_at(const void *a, const void *b)
{
    const struct cel_node *x = *(const struct cel_node *const *)a;
    const struct cel_node *y = *(const struct cel_node *const *)b;

    return (x->at > y->at) - (x->at < y->at);
}

void cel_trace(const struct cel_env *env, struct str text, const struct cel_input *input,
               struct arena *arena, void *context,
               void (*report)(void *context, uint32_t at, struct value v))
{
    struct diags diags = {0};
    struct cel_source source = {.text = text, .diags = &diags};
    struct tracer t = {.source = &source, .env = env};
    struct cel_node *root = NULL;

    if (cel_compile(env, text, source.place, NULL, arena, &diags) != NULL)
        root = cel_parse(&source, env, arena);
    if (root != NULL) {
        cel_check(&source, env, NULL, arena, &root);
        gather(&t, root);
    }
    if (t.count > 1)
        qsort(t.nodes, t.count, sizeof(struct cel_node *), compare_at);
    for (size_t i = 0; i < t.count; i++) {
        const struct cel_program *program = cel_generate(&source, env, t.nodes[i], NULL, arena);
        if (program != NULL)
            report(context, t.nodes[i]->at, cel_eval(program, input, arena));
    }
    mem_free(t.nodes);
    diags_free(&diags);
}
