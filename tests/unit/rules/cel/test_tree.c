/* What others see of an expression; printed, it is the same expression. */
#include "rules/cel/tree.h"

#include <stdio.h>

#include "tests/support/suite.h"

/* x.NAME is slot 1, of any type. */
static struct cel_found resolve(void *context, const struct str *path, size_t count)
{
    (void)context;
    if (!str_is(path[0], "x") || count < 2)
        return (struct cel_found){.result = CEL_NO_SUCH_NAME};
    return (struct cel_found){.result = CEL_SLOT, .slot = 1, .type = &cel_dyn, .taken = 2};
}

static struct arena *arena;

static const struct cel_tree *tree_of(const char *text, bool keep)
{
    const struct cel_env env = {
        .resolve = resolve, .mixed_numbers = true, .own_functions = true, .keep_tree = keep};
    struct diags diags = {0};
    const struct cel_program *program;

    if (arena == NULL)
        arena = arena_new(0);
    program = cel_compile(&env, str_of(text), (struct place){0}, NULL, arena, &diags);
    ck_assert_msg(program != NULL, "%s: %s", text, diags.count != 0 ? diags.items[0].what : "");
    diags_free(&diags);
    return cel_program_tree(program);
}

static void drop(void)
{
    arena_free(arena);
    arena = NULL;
}

START_TEST(it_is_kept_only_when_asked_for)
{
    ck_assert_ptr_null(tree_of("x.a > 1", false));
    ck_assert_ptr_nonnull(tree_of("x.a > 1", true));
    drop();
}
END_TEST

START_TEST(it_says_what_was_written_not_what_is_run)
{
    const struct cel_tree *tree = tree_of("x.a > 1.2 * 100 && !has(x.b)", true);
    const struct cel_tree *more, *not ;

    ck_assert_int_eq(tree->kind, TREE_AND);
    more = tree->items[0];
    ck_assert_int_eq(more->kind, TREE_OPERATOR);
    ck_assert(str_is(more->name, ">"));
    ck_assert_int_eq(more->items[0]->kind, TREE_SLOT);
    ck_assert_uint_eq(more->items[0]->slot, 1);
    ck_assert(str_is(more->items[0]->name, "x.a"));
    ck_assert(str_is(more->items[1]->name, "*"));
    ck_assert_int_eq(more->items[1]->items[1]->kind, TREE_LITERAL);
    not = tree->items[1];
    ck_assert(str_is(not ->name, "!"));
    ck_assert_int_eq(not ->items[0]->kind, TREE_HAS);
    ck_assert_int_eq(not ->items[0]->items[0]->kind, TREE_SLOT);
    drop();
}
END_TEST

START_TEST(printed_it_is_the_expression_again)
{
    static const char *const texts[] = {
        "x.a > 1.5 * x.b && !x.c || x.d == \"a \\\"b\\\"\"",
        "(x.a || x.b) && x.c",
        "x.a - (x.b - x.c) - x.d",
        "(x.a + 1) * 2 % 3",
        "-(x.a + 1) < -3",
        "!(x.a == x.b)",
        "x.a ? x.b : x.c ? 1 : 2",
        "(x.a ? x.b : x.c) == 1",
        "x.a in [1, 2u, \"z\", true, null]",
        "{\"k\": x.a, \"l\": []}[\"k\"] == {}",
        "size(x.a) > 3 && x.b.startsWith(\"y\")",
        "has(x.a) && has(x.a.b)",
        "x.a.b.c[0].d",
        "x.a.exists(i, i > 2) && x.a.map(i, i > 1, i + 1) == []",
        "cel.bind(y, x.a + 1, y * y) > 3",
        "x.a.?b[?0].orValue(1) == 1",
        "timestamp(\"2026-01-01T00:00:00Z\") - days(30) < x.a",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct buf out = {0};
        cel_tree_print(&out, tree_of(texts[i], true));
        ck_assert_str_eq(buf_text(&out), texts[i]);
        buf_free(&out);
    }
    drop();
}
END_TEST

SUITE_MAIN("tree", it_is_kept_only_when_asked_for, it_says_what_was_written_not_what_is_run,
           printed_it_is_the_expression_again)
