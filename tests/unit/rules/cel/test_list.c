#include "rules/cel/cel.h"
#include "tests/support/suite.h"

/* The expression's value, or its error, as people see it. */
static void gives(const char *expression, const char *expected)
{
    struct cel_env env = {0};
    struct cel_input input = {0};
    struct diags diags = {0};
    struct arena *arena = arena_new(0);
    struct buf out = {0};
    const struct cel_program *program =
        cel_compile(&env, str_of(expression), (struct place){"test", 1, 1}, NULL, arena, &diags);

    ck_assert_msg(program != NULL, "%s: %s", expression, diags.count ? diags.items[0].what : "");
    cel_print(&out, cel_eval(program, &input, arena));
    ck_assert_str_eq(buf_text(&out), expected);
    buf_free(&out);
    diags_free(&diags);
    arena_free(arena);
}

START_TEST(parts_of_lists)
{
    gives("[1, 2, 3].slice(1, 3)", "[2, 3]");
    gives("[].slice(0, 0)", "[]");
    gives("[1].slice(0, 2)", "error: invalid_argument: slice(0, 2) of a list of 1 items");
    gives("[1, 2, 3].reverse()", "[3, 2, 1]");
    gives("[1, 1.0, 1u, 2].distinct()", "[1, 2]");
    gives("lists.range(3)", "[0, 1, 2]");
    gives("[1, [2, [3]]].flatten()", "[1, 2, [3]]");
    gives("[1, [2, [3]]].flatten(2)", "[1, 2, 3]");
}
END_TEST

START_TEST(lists_are_sorted_and_equal_keys_keep_their_order)
{
    gives("[3, 1, 2].sort()", "[1, 2, 3]");
    gives("['b', 'a'].sort()", "[\"a\", \"b\"]");
    gives("['bb', 'a', 'cc', 'd'].sortBy(x, size(x))", "[\"a\", \"d\", \"bb\", \"cc\"]");
    gives("[[2, 1], [1]].sortBy(x, x.sortBy(y, y)[0])", "[[2, 1], [1]]");
    gives("[1, dyn('a')].sort()", "error: invalid_argument: sorted are numbers, texts, bytes, "
                                  "bools and times, all of one kind");
}
END_TEST

START_TEST(what_is_too_much_is_an_error)
{
    gives("lists.range(-1)", "error: invalid_argument: a range of fewer than no items");
    gives("lists.range(9223372036854775807)", "error: the list is too long");
    gives("[1].flatten(-1)", "error: invalid_argument: a list is flattened by 0 levels or more");
    gives("lists.range(50000).distinct()", "error: the expression needs too many steps");
}
END_TEST

SUITE_MAIN("list", parts_of_lists, lists_are_sorted_and_equal_keys_keep_their_order,
           what_is_too_much_is_an_error)
