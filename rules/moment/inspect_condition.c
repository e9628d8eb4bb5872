/* What is said points at the part to blame, and says what its fields and facts can be. */
#include <stdio.h>

#include "rules/moment/inspect.h"

enum { REASONS_MAX = 3 };

/* --- where ---------------------------------------------------------------------------------------- */

static uint32_t begin_of(const struct cel_tree *tree)
{
    uint32_t at = tree->at;

    for (size_t i = 0; i < tree->count; i++) {
        uint32_t item = begin_of(tree->items[i]);
        if (item < at)
            at = item;
    }
    return at;
}

static struct place place_of(const struct yaml_node *node, const struct cel_tree *tree)
{
    return yaml_place(node, begin_of(tree));
}

/* --- why ------------------------------------------------------------------------------------------ */

struct reasons {
    struct sight *sight;
    const struct knowledge *known;
    struct buf *out;
    uint32_t said[REASONS_MAX];
    size_t count;
};

static struct possible look(struct reasons *r, const struct cel_tree *slot)
{
    const struct possible *known = knowledge_find(r->known, slot->slot);

    return known != NULL ? *known : r->sight->foresight.slot(r->sight, slot->slot, r->known);
}

/* "event.data.pad_mm is from 0 to 100 and customer.country is "NL" or "BE"" */
static void put_reasons(struct reasons *r, const struct cel_tree *tree)
{
    struct buf range = {0};
    struct possible p;
    bool said = false;

    for (size_t i = 0; i < tree->count; i++)
        put_reasons(r, tree->items[i]);
    if ((tree->kind != TREE_SLOT && tree->kind != TREE_INDEX) || r->count == REASONS_MAX)
        return;
    if (tree->kind == TREE_INDEX)
        p = foresee_value(&r->sight->foresight, tree, r->known);
    else
        p = look(r, tree);
    for (size_t i = 0; i < r->count; i++)
        said |= tree->kind == TREE_SLOT && r->said[i] == tree->slot;
    if (!said && possible_print(&range, &p)) {
        buf_put_text(r->out, r->count == 0 ? ": " : " and ");
        cel_tree_print(r->out, tree);
        buf_put_text(r->out, " is ");
        buf_put(r->out, buf_str(&range));
        r->said[r->count++] = tree->kind == TREE_SLOT ? tree->slot : UINT32_MAX;
    }
    buf_free(&range);
}

static const struct cel_tree *text_beside(const struct cel_tree *tree, size_t *side)
{
    for (*side = 0; *side < 2; ++*side)
        if (tree->items[*side]->kind == TREE_LITERAL &&
            tree->items[*side]->literal.kind == VALUE_STRING)
            return tree->items[*side];
    return NULL;
}

/* A text that is none of those that can come: the nearest of them; empty: none. */
static struct str nearest(struct reasons *r, const struct cel_tree *tree)
{
    const struct cel_tree *text;
    struct possible p;
    struct str names[64];
    size_t side, count = 0;

    if (tree->kind != TREE_OPERATOR || tree->count != 2 ||
        (text = text_beside(tree, &side)) == NULL)
        return STR_EMPTY;
    p = foresee_value(&r->sight->foresight, tree->items[1 - side], r->known);
    for (size_t i = 0; p.kind == POSSIBLE_ONE_OF && i < p.count && count < 64; i++)
        if (p.items[i].kind == VALUE_STRING)
            names[count++] = value_str(p.items[i]);
    return str_nearest(value_str(text->literal), names, count);
}

static void report(struct sight *sight, const struct yaml_node *node, const struct cel_tree *tree,
                   const struct knowledge *known, const char *code, const char *what,
                   const char *help)
{
    const struct diag_code *row = diag_code_find(code);
    enum diag_level level = row->severity == SEVERITY_ERROR ? DIAG_ERROR : DIAG_WARNING;
    struct buf why = {0};
    struct reasons r = {.sight = sight, .known = known, .out = &why};
    struct str near = nearest(&r, tree);
    char instead[128];

    put_reasons(&r, tree);
    snprintf(instead, sizeof instead, "write \"%.*s\"", STR_ARG(near));
    diag_add(sight->in->c->diags, level, place_of(node, tree), code, near.len != 0 ? instead : help,
             "%s%s", what, buf_text(&why));
    buf_free(&why);
}

/* --- parts ---------------------------------------------------------------------------------------- */

/* Of an && that is never true the part that is never true by itself; else all of it. */
static const struct cel_tree *culprit(struct sight *sight, const struct cel_tree *tree,
                                      const struct knowledge *known)
{
    for (size_t i = 0; tree->kind == TREE_AND && i < tree->count; i++)
        if (!foresee_outcomes(&sight->foresight, tree->items[i], known).yes)
            return culprit(sight, tree->items[i], known);
    return tree;
}

/* Parts that decide nothing: always true in an &&, never true in an ||, where all that stands before
 * leaves it open. */
static void find_idle(struct sight *sight, const struct cel_tree *tree,
                      const struct yaml_node *node, struct knowledge known)
{
    bool and = tree->kind == TREE_AND;

    for (size_t i = 0; (and || tree->kind == TREE_OR) && i < tree->count; i++) {
        const struct cel_tree *part = tree->items[i];
        struct outcomes o = foresee_outcomes(&sight->foresight, part, &known);

        if (and&&!o.no && !o.error)
            report(sight, node, part, &known, "idle-part", "this part is always true",
                   "leave it out, or compare with something that can be otherwise");
        else if (!and&&!o.yes)
            report(sight, node, part, &known, "idle-part", "this part is never true",
                   "leave it out, or compare with something that can come");
        else
            find_idle(sight, part, node, known);
        if (!foresee_assume(&sight->foresight, part, and, &known))
            return;
    }
}

bool inspect_condition(struct sight *sight, const struct cel_program *program,
                       const struct yaml_node *node, struct meaning meaning,
                       struct knowledge *known)
{
    const struct cel_tree *tree = program != NULL ? cel_program_tree(program) : NULL;
    struct outcomes o;
    struct value constant;

    if (tree == NULL || node == NULL || cel_program_constant(program, &constant))
        return true; /* what is constant was said when it was compiled */
    o = foresee_outcomes(&sight->foresight, tree, known);
    if (!o.yes && !(meaning.failing_holds && o.error)) {
        tree = culprit(sight, tree, known);
        report(sight, node, tree, known, meaning.code, meaning.what,
               "change the condition, or what the schema of the event allows");
        return false;
    }
    if (!o.no && (meaning.failing_holds || !o.error))
        report(sight, node, tree, known, "always-true", "this condition is always true",
               "leave it out, or compare with something that can be otherwise");
    else
        find_idle(sight, tree, node, *known);
    return foresee_assume(&sight->foresight, tree, true, known) || meaning.failing_holds;
}
