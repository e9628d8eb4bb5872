#include <stdio.h>

#include "rules/moment/compile.h"
#include "tests/support/suite.h"

/* The parts with | between them. */
static const char *cut(const char *text)
{
    static char joined[512];
    struct str parts[PARTS_MAX];
    size_t count = parts_cut(str_of(text), parts), at = 0;

    joined[0] = '\0';
    for (size_t i = 0; i < count; i++)
        at += (size_t)snprintf(joined + at, sizeof joined - at, "%s%.*s", i != 0 ? "|" : "",
                               STR_ARG(parts[i]));
    return joined;
}

START_TEST(a_condition_is_cut_at_and_and_or)
{
    ck_assert_str_eq(cut("a && !b"), "a|!b");
    ck_assert_str_eq(cut("a == 1 || b && c"), "a == 1|b|c");
    ck_assert_str_eq(cut(" ( a || b )&&c "), "a|b|c");
    ck_assert_str_eq(cut("((a && b))"), "a|b");
}
END_TEST

START_TEST(what_is_one_condition_is_not_cut)
{
    ck_assert_str_eq(cut("a > 1"), "");
    ck_assert_str_eq(cut("!(a && b)"), "");
    ck_assert_str_eq(cut("x.exists(y, y && z)"), "");
    ck_assert_str_eq(cut("a && b ? c : d"), "");
    ck_assert_str_eq(cut(""), "");
}
END_TEST

START_TEST(signs_in_strings_are_words)
{
    ck_assert_str_eq(cut("a == \"&&\" && b"), "a == \"&&\"|b");
    ck_assert_str_eq(cut("a == '\\'||' || b"), "a == '\\'||'|b");
    ck_assert_str_eq(cut("a == r'\\' || b"), "a == r'\\'|b");
    ck_assert_str_eq(cut("a == '''x' || y''' || b"), "a == '''x' || y'''|b");
    ck_assert_str_eq(cut("a.?b.orValue(c) && d"), "a.?b.orValue(c)|d");
    ck_assert_str_eq(cut("a == \"open && b"), "");
}
END_TEST

START_TEST(more_than_the_most_are_left_together)
{
    char text[PARTS_MAX * 10 + 16] = "a";
    struct str parts[PARTS_MAX];

    for (int i = 0; i < PARTS_MAX + 5; i++)
        strcat(text, " && b");
    ck_assert_uint_eq(parts_cut(str_of(text), parts), PARTS_MAX);
    ck_assert(str_starts(parts[PARTS_MAX - 1], STR("b && b")));
}
END_TEST

SUITE_MAIN("parts", a_condition_is_cut_at_and_and_or, what_is_one_condition_is_not_cut,
           signs_in_strings_are_words, more_than_the_most_are_left_together)
