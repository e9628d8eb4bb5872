/* The checker's tree copied into the caller's arena, without what is only for compiling. */
#include "rules/cel/tree.h"

#include "core/check.h"
#include "rules/cel/program.h"

static enum cel_tree_kind kind_of(const struct cel_node *node)
{
    switch (node->kind) {
    case NODE_LITERAL: return TREE_LITERAL;
    case NODE_SLOT: return TREE_SLOT;
    case NODE_SELECT: return TREE_SELECT;
    case NODE_INDEX: return TREE_INDEX;
    case NODE_CALL: return node->sign ? TREE_OPERATOR : TREE_CALL;
    case NODE_AND: return TREE_AND;
    case NODE_OR: return TREE_OR;
    case NODE_CHOICE: return TREE_CHOICE;
    case NODE_LIST: return TREE_LIST;
    case NODE_MAP: return TREE_MAP;
    case NODE_MACRO: return TREE_MACRO;
    case NODE_NAME:
    case NODE_LOCAL: return TREE_LOCAL;
    case NODE_DOUBLE: break;
    }
    CHECK_NEVER("a conversion");
}

/* "_<_": "<";  "!_": "!";  "@in": "in" */
static struct str sign_of(struct str name)
{
    size_t from = name.len > 0 && (name.data[0] == '_' || name.data[0] == '@') ? 1 : 0;

    return str_slice(name, from, str_ends(name, STR("_")) ? name.len - 1 : name.len);
}

static struct cel_tree *copy(const struct cel_node *node, struct arena *arena)
{
    struct cel_tree *tree, *has;

    while (node->kind == NODE_DOUBLE)
        node = node->items[0];
    tree = ARENA_NEW(arena, struct cel_tree);
    *tree = (struct cel_tree){.kind = kind_of(node),
                              .method = node->method,
                              .optional = node->optional,
                              .at = node->at,
                              .slot = node->slot,
                              .type = cel_type_copy(arena, node->type),
                              .count = node->count};
    tree->name = node->kind == NODE_SLOT ? node->path : node->name;
    if (tree->kind == TREE_OPERATOR)
        tree->name = sign_of(tree->name);
    tree->name = arena_str(arena, tree->name);
    if (node->kind == NODE_LITERAL)
        tree->literal = value_copy(arena, node->literal);
    for (size_t i = 0; i < 2; i++)
        tree->vars[i] = arena_str(arena, node->vars[i]);
    tree->items = ARENA_ARRAY(arena, const struct cel_tree *, node->count);
    for (size_t i = 0; i < node->count; i++)
        tree->items[i] = copy(node->items[i], arena);
    if (!node->test)
        return tree;
    has = ARENA_NEW(arena, struct cel_tree);
    *has = (struct cel_tree){.kind = TREE_HAS, .at = node->at, .type = &cel_bool, .count = 1};
    has->items = ARENA_ARRAY(arena, const struct cel_tree *, 1);
    has->items[0] = tree;
    return has;
}

const struct cel_tree *cel_tree_of(const struct cel_node *root, struct arena *arena)
{
    return copy(root, arena);
}

const struct cel_tree *cel_program_tree(const struct cel_program *program)
{
    return program->tree;
}

/* --- printing ------------------------------------------------------------------------------------ */

/* How tightly it binds. */
enum level {
    LEVEL_CHOICE,
    LEVEL_OR,
    LEVEL_AND,
    LEVEL_RELATION,
    LEVEL_SUM,
    LEVEL_PRODUCT,
    LEVEL_UNARY,
    LEVEL_MEMBER
};

static enum level level_of(const struct cel_tree *tree)
{
    switch (tree->kind) {
    case TREE_CHOICE: return LEVEL_CHOICE;
    case TREE_OR: return LEVEL_OR;
    case TREE_AND: return LEVEL_AND;
    case TREE_OPERATOR:
        if (tree->count == 1)
            return LEVEL_UNARY;
        if (str_is(tree->name, "+") || str_is(tree->name, "-"))
            return LEVEL_SUM;
        if (str_is(tree->name, "*") || str_is(tree->name, "/") || str_is(tree->name, "%"))
            return LEVEL_PRODUCT;
        return LEVEL_RELATION;
    case TREE_LITERAL:
    case TREE_SLOT:
    case TREE_HAS:
    case TREE_SELECT:
    case TREE_INDEX:
    case TREE_CALL:
    case TREE_LIST:
    case TREE_MAP:
    case TREE_MACRO:
    case TREE_LOCAL: break;
    }
    return LEVEL_MEMBER;
}

static void print(struct buf *out, const struct cel_tree *tree, enum level least);

static void print_items(struct buf *out, const struct cel_tree *tree, size_t from,
                        const char *between)
{
    for (size_t i = from; i < tree->count; i++) {
        buf_put_text(out, i == from ? "" : between);
        print(out, tree->items[i], LEVEL_CHOICE);
    }
}

static void print_joined(struct buf *out, const struct cel_tree *tree, const char *between)
{
    for (size_t i = 0; i < tree->count; i++) {
        buf_put_text(out, i == 0 ? "" : between);
        print(out, tree->items[i], (enum level)(level_of(tree) + 1));
    }
}

static void print_map(struct buf *out, const struct cel_tree *tree)
{
    for (size_t i = 0; i + 1 < tree->count; i += 2) {
        buf_put_text(out, i == 0 ? "{" : ", ");
        print(out, tree->items[i], LEVEL_CHOICE);
        buf_put_text(out, ": ");
        print(out, tree->items[i + 1], LEVEL_CHOICE);
    }
    buf_put_text(out, tree->count == 0 ? "{}" : "}");
}

static void print_operator(struct buf *out, const struct cel_tree *tree)
{
    enum level level = level_of(tree);

    if (tree->count == 1) {
        buf_put(out, tree->name);
        print(out, tree->items[0], LEVEL_MEMBER);
        return;
    }
    print(out, tree->items[0], level);
    buf_put_format(out, " %.*s ", STR_ARG(tree->name));
    print(out, tree->items[1], (enum level)(level + 1));
}

static void print_call(struct buf *out, const struct cel_tree *tree)
{
    bool target = tree->method || (tree->kind == TREE_MACRO && !str_is(tree->name, "bind"));

    if (target) {
        print(out, tree->items[0], LEVEL_MEMBER);
        buf_put_char(out, '.');
    } else if (tree->kind == TREE_MACRO) {
        buf_put_text(out, "cel.");
    }
    buf_put_format(out, "%.*s(", STR_ARG(tree->name));
    for (size_t i = 0; i < 2 && tree->vars[i].len != 0; i++)
        buf_put_format(out, "%.*s, ", STR_ARG(tree->vars[i]));
    print_items(out, tree, target ? 1 : 0, ", ");
    buf_put_char(out, ')');
}

static void print_bare(struct buf *out, const struct cel_tree *tree)
{
    switch (tree->kind) {
    case TREE_LITERAL: cel_print_literal(out, tree->literal); return;
    case TREE_SLOT:
    case TREE_LOCAL: buf_put(out, tree->name); return;
    case TREE_HAS:
        buf_put_text(out, "has(");
        print(out, tree->items[0], LEVEL_CHOICE);
        buf_put_char(out, ')');
        return;
    case TREE_SELECT:
        print(out, tree->items[0], LEVEL_MEMBER);
        buf_put_format(out, ".%s%.*s", tree->optional ? "?" : "", STR_ARG(tree->name));
        return;
    case TREE_INDEX:
        print(out, tree->items[0], LEVEL_MEMBER);
        buf_put_text(out, tree->optional ? "[?" : "[");
        print(out, tree->items[1], LEVEL_CHOICE);
        buf_put_char(out, ']');
        return;
    case TREE_OPERATOR: print_operator(out, tree); return;
    case TREE_CALL:
    case TREE_MACRO: print_call(out, tree); return;
    case TREE_AND: print_joined(out, tree, " && "); return;
    case TREE_OR: print_joined(out, tree, " || "); return;
    case TREE_CHOICE:
        print(out, tree->items[0], LEVEL_OR);
        buf_put_text(out, " ? ");
        print(out, tree->items[1], LEVEL_OR);
        buf_put_text(out, " : ");
        print(out, tree->items[2], LEVEL_CHOICE);
        return;
    case TREE_LIST:
        buf_put_char(out, '[');
        print_items(out, tree, 0, ", ");
        buf_put_char(out, ']');
        return;
    case TREE_MAP: print_map(out, tree); return;
    }
}

static void print(struct buf *out, const struct cel_tree *tree, enum level least)
{
    bool brackets = level_of(tree) < least;

    buf_put_text(out, brackets ? "(" : "");
    print_bare(out, tree);
    buf_put_text(out, brackets ? ")" : "");
}

void cel_tree_print(struct buf *out, const struct cel_tree *tree)
{
    print(out, tree, LEVEL_CHOICE);
}
