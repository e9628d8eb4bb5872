/* A condition is cut at every && and ||, also behind a !, so that
 *
 *   customer.country == "NL" && !(customer.bereaved || customer.spend_30d > 100.0)
 *
 * has three parts, two of which have to be not true.  A choice (a ? b : c) is one part, and so is a
 * macro: what they join is not asked every time.
 */
#include "rules/cel/tree.h"
#include "rules/moment/compile.h"

static bool is_joined(const struct cel_tree *tree)
{
    return tree->kind == TREE_AND || tree->kind == TREE_OR;
}

/* !(a && b), !!(a || b) */
static bool is_turned(const struct cel_tree *tree)
{
    return tree->kind == TREE_OPERATOR && tree->count == 1 && str_is(tree->name, "!") &&
           (is_joined(tree->items[0]) || is_turned(tree->items[0]));
}

static void cut(const struct cel_tree *tree, bool so, struct part parts[PARTS_MAX], size_t *count)
{
    bool turned = is_turned(tree);

    for (size_t i = 0; (turned || is_joined(tree)) && i < tree->count; i++)
        cut(tree->items[i], so != turned, parts, count);
    if (turned || is_joined(tree))
        return;
    if (*count < PARTS_MAX)
        parts[*count] = (struct part){tree, so};
    ++*count;
}

size_t parts_cut(const struct cel_tree *tree, struct part parts[PARTS_MAX])
{
    size_t count = 0;

    cut(tree, true, parts, &count);
    return count > 1 && count <= PARTS_MAX ? count : 0;
}

/* Behind a ! && joins as || does. */
static void look_joined(const struct cel_tree *tree, bool so, bool found[2])
{
    bool turned = is_turned(tree);

    if (is_joined(tree))
        found[(tree->kind == TREE_AND) == so ? JOINED_ALL : JOINED_ANY] = true;
    for (size_t i = 0; (turned || is_joined(tree)) && i < tree->count; i++)
        look_joined(tree->items[i], so != turned, found);
}

enum joined parts_joined(const struct cel_tree *tree)
{
    bool found[2] = {false};

    look_joined(tree, true, found);
    if (found[JOINED_ALL] && found[JOINED_ANY])
        return JOINED_MIXED;
    return found[JOINED_ANY] ? JOINED_ANY : JOINED_ALL;
}

uint32_t parts_at(const struct cel_tree *tree)
{
    uint32_t at = tree->at;

    for (size_t i = 0; i < tree->count; i++) {
        uint32_t of_item = parts_at(tree->items[i]);
        at = of_item < at ? of_item : at;
    }
    return at;
}
