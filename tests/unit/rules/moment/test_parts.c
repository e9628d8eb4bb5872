#include <stdio.h>

#include "rules/moment/compile.h"
#include "tests/support/suite.h"

/* Every name is a slot of any type. */
static struct cel_found resolve(void *context, const struct str *path, size_t count)
{
    (void)context, (void)path;
    return (struct cel_found){.result = CEL_SLOT, .taken = count};
}

/* The parts with | between them; those that have to be not true behind "not". */
static const char *cut(const char *text)
{
    static char joined[1024];
    const struct cel_env env = {.resolve = resolve, .keep_tree = true};
    struct arena *arena = arena_new(0);
    struct diags diags = {0};
    const struct cel_program *program =
        cel_compile(&env, str_of(text), (struct place){0}, NULL, arena, &diags);
    struct part parts[PARTS_MAX];
    struct buf out = {0};
    size_t count;

    ck_assert_msg(program != NULL, "%s does not compile", text);
    count = parts_cut(cel_program_tree(program), parts);
    for (size_t i = 0; i < count; i++) {
        buf_put_format(&out, "%s%u%s ", i != 0 ? "|" : "", parts_at(parts[i].tree),
                       parts[i].so ? "" : " not");
        cel_tree_print(&out, parts[i].tree);
    }
    snprintf(joined, sizeof joined, "%s", buf_text(&out));
    buf_free(&out);
    diags_free(&diags);
    arena_free(arena);
    return joined;
}

START_TEST(a_condition_is_cut_at_and_and_or)
{
    ck_assert_str_eq(cut("a && !b"), "0 a|5 !b");
    ck_assert_str_eq(cut("a == 1 || b && c"), "0 a == 1|10 b|15 c");
    ck_assert_str_eq(cut(" ( a || b )&&c "), "3 a|8 b|13 c");
    ck_assert_str_eq(cut("((a && b))"), "2 a|7 b");
    ck_assert_str_eq(cut("a &&\n  b.c > 1"), "0 a|7 b.c > 1");
}
END_TEST

START_TEST(behind_a_not_its_parts_have_to_be_not_true)
{
    ck_assert_str_eq(cut("!(a && b)"), "2 not a|7 not b");
    ck_assert_str_eq(cut("a && !(b || !c)"), "0 a|7 not b|12 not !c");
    ck_assert_str_eq(cut("!(!(a || b) && c)"), "4 a|9 b|15 not c");
}
END_TEST

START_TEST(what_is_one_condition_is_not_cut)
{
    ck_assert_str_eq(cut("a > 1"), "");
    ck_assert_str_eq(cut("!a"), "");
    ck_assert_str_eq(cut("x.exists(y, y && z)"), "");
    ck_assert_str_eq(cut("a && b ? c : d"), "");
    ck_assert_str_eq(cut("a == \"&&\""), "");
}
END_TEST

START_TEST(more_than_the_most_are_left_whole)
{
    char text[PARTS_MAX * 10 + 16] = "a";

    for (int i = 1; i < PARTS_MAX; i++)
        strcat(text, " && b");
    ck_assert_str_ne(cut(text), "");
    strcat(text, " && b");
    ck_assert_str_eq(cut(text), "");
}
END_TEST

SUITE_MAIN("parts", a_condition_is_cut_at_and_and_or, behind_a_not_its_parts_have_to_be_not_true,
           what_is_one_condition_is_not_cut, more_than_the_most_are_left_whole)
