/* Where findings stand and what is refused as a whole; single mistakes are in tests/cel. */
#include <check.h>

#include "tests/support/cel_table.h"
#include "tests/support/suite.h"

START_TEST(findings_stand_where_the_text_stands_in_its_file)
{
    struct buf got = {0};

    table_findings(TABLE_STRICT, "foo ||\n  bar", (struct place){"x.yaml", 7, 9}, NULL, &got);
    ck_assert_str_eq(buf_text(&got), "7:9 unknown-name: there is no \"foo\" | "
                                     "8:11 unknown-name: there is no \"bar\"");
    buf_free(&got);
}
END_TEST

START_TEST(a_result_of_another_type_than_wanted_is_refused)
{
    struct buf got = {0};

    table_findings(TABLE_MOMENT, "i + 1", (struct place){NULL, 1, 1}, &cel_bool, &got);
    ck_assert_str_eq(buf_text(&got),
                     "1:3 condition: a condition must be true or false, this is a whole number "
                     "(compare it: a == b, a > b)");
    buf_clear(&got);
    table_findings(TABLE_MOMENT, "s", (struct place){NULL, 1, 1}, &cel_timestamp, &got);
    ck_assert_str_eq(buf_text(&got), "1:1 type: a time is needed here, this is a text "
                                     "(read a time, or write timestamp(\"...\"))");
    buf_clear(&got);
    table_findings(TABLE_MOMENT, "i", (struct place){NULL, 1, 1}, &cel_double, &got);
    ck_assert_str_eq(buf_text(&got), "");
    buf_free(&got);
}
END_TEST

START_TEST(what_is_too_large_or_too_deep_is_refused)
{
    struct buf text = {0}, got = {0};

    for (int i = 0; i < 100; i++)
        buf_put_char(&text, '(');
    table_findings(TABLE_STRICT, buf_text(&text), (struct place){NULL, 1, 1}, NULL, &got);
    ck_assert_str_eq(buf_text(&got), "1:65 syntax: the expression is nested too deeply (split it "
                                     "into several conditions)");
    buf_clear(&text);
    buf_clear(&got);
    buf_put_text(&text, "i");
    for (int i = 0; i < 300; i++)
        buf_put_text(&text, "+i");
    table_findings(TABLE_STRICT, buf_text(&text), (struct place){NULL, 1, 1}, NULL, &got);
    ck_assert_str_eq(buf_text(&got), "1:500 syntax: the expression is nested too deeply (split it "
                                     "into several conditions)");
    buf_clear(&got);
    while (text.len <= 16 * 1024)
        buf_put_text(&text, "          ");
    table_findings(TABLE_STRICT, buf_text(&text), (struct place){NULL, 1, 1}, NULL, &got);
    ck_assert_str_eq(buf_text(&got),
                     "1:1 limit: the expression has 16391 bytes, at most 16384 are taken (split "
                     "it into several conditions)");
    buf_clear(&got);
    table_findings(TABLE_STRICT, "\"\xff\"", (struct place){NULL, 1, 1}, NULL, &got);
    ck_assert_str_eq(buf_text(&got), "1:1 syntax: the expression is not UTF-8");
    buf_free(&text);
    buf_free(&got);
}
END_TEST

SUITE_MAIN("cel diagnostics", findings_stand_where_the_text_stands_in_its_file,
           a_result_of_another_type_than_wanted_is_refused,
           what_is_too_large_or_too_deep_is_refused)
