/* What does not depend on the input is run once, here, by the same VM: so folding can never differ
 * from running.  A subtree is closed if it reads no slot, calls nothing that depends on the input
 * and uses no name of a macro around it.  The largest closed subtrees are run; all of them
 * together have the budget of one evaluation, beyond it they stay as they are. */
#include "core/limit.h"
#include "rules/cel/program.h"

struct folder {
    struct cel_source *source;
    const struct cel_env *env;
    struct arena *arena;
    int64_t budget;
};

/* What a subtree depends on. */
struct needs {
    bool input;
    uint16_t lowest; /* local of a macro, UINT16_MAX: none */
};

static bool closed(struct needs needs)
{
    return !needs.input && needs.lowest == UINT16_MAX;
}

static bool evaluate(struct folder *f, struct cel_node *node);

/* A subtree that is always an error is a mistake of whoever wrote the moment: say so where it is
 * written.  Strict CEL keeps the error for the run. */
static void report_error(struct folder *f, const struct cel_node *node, struct value v)
{
    for (size_t i = 0; i < node->count && node->kind == NODE_CALL; i++) {
        struct cel_node item = *node->items[i];
        size_t errors = f->source->error_count;
        evaluate(f, &item);
        if (f->source->error_count != errors ||
            (item.kind == NODE_LITERAL && item.literal.kind == VALUE_ERROR))
            return; /* it comes from there */
    }
    cel_report(f->source, DIAG_ERROR, node->at, "always-error",
               "correct it: whatever comes, it has no value", "this is always an error: %.*s",
               STR_ARG(value_str(v)));
}

/* Run a closed subtree and put its value in its place. */
static bool evaluate(struct folder *f, struct cel_node *node)
{
    struct cel_run run = {.arena = f->arena, .budget = f->budget, .mixed = f->env->mixed_numbers};
    const struct cel_program *program;
    struct value v;

    if (node->kind == NODE_LITERAL)
        return true;
    program = cel_generate(f->source, f->env, node, NULL, f->arena);
    if (program == NULL)
        return false;
    v = cel_run_program(program, &run);
    f->budget = run.budget;
    if (run.budget <= 0)
        return false;
    if (v.kind == VALUE_ERROR && f->env->own_functions)
        report_error(f, node, v);
    node->kind = NODE_LITERAL;
    node->literal = v;
    node->height = 1;
    return true;
}

static struct needs literal_needs(void)
{
    return (struct needs){false, UINT16_MAX};
}

static bool is_bool(const struct cel_node *node, bool b)
{
    return node->kind == NODE_LITERAL && node->literal.kind == VALUE_BOOL &&
           node->literal.boolean == b;
}

/* false && x, true || x, true ? a : b: the rest does not matter. */
static bool decided(struct cel_node *node)
{
    for (size_t i = 0; i < node->count && (node->kind == NODE_AND || node->kind == NODE_OR); i++)
        if (is_bool(node->items[i], node->kind == NODE_OR)) {
            node->kind = NODE_LITERAL;
            node->literal = value_bool(node->items[i]->literal.boolean);
            return true;
        }
    return false;
}

static struct needs own_needs(const struct cel_node *node)
{
    struct needs needs = literal_needs();

    if (node->kind == NODE_SLOT)
        needs.input = true;
    if (node->kind == NODE_LOCAL)
        needs.lowest = node->local;
    if (node->kind == NODE_CALL && !node->sign)
        needs.input = (cel_func_at(node->overload)->flags & CEL_IMPURE) != 0;
    return needs;
}

static struct needs fold(struct folder *f, struct cel_node *node)
{
    struct needs all = own_needs(node), each[2] = {{0}};

    for (size_t i = 0; i < node->count; i++) {
        struct needs item = fold(f, node->items[i]);
        if (closed(item) && !closed(all))
            evaluate(f, node->items[i]);
        else if (!closed(item) && closed(all))
            for (size_t j = 0; j < i; j++) /* those before were closed: now it is known */
                evaluate(f, node->items[j]);
        all.input |= item.input;
        if (item.lowest < all.lowest)
            all.lowest = item.lowest;
        if (node->kind == NODE_CHOICE && i > 0)
            each[i - 1] = item;
    }
    if (node->kind == NODE_MACRO && all.lowest >= node->local)
        all.lowest = UINT16_MAX;
    if (closed(all))
        return all;
    if (decided(node))
        return literal_needs();
    if (node->kind == NODE_CHOICE &&
        (is_bool(node->items[0], true) || is_bool(node->items[0], false))) {
        size_t taken = node->items[0]->literal.boolean ? 0 : 1;
        *node = *node->items[taken + 1];
        return each[taken];
    }
    return all;
}

void cel_fold(struct cel_source *source, const struct cel_env *env, struct arena *arena,
              struct cel_node *root)
{
    struct folder f = {source, env, arena, LIMIT_CEL_STEPS};

    if (closed(fold(&f, root)))
        evaluate(&f, root);
}
