#include "core/str.h"
#include "tests/support/suite.h"

START_TEST(slices_are_clamped_to_the_text)
{
    ck_assert(str_is(str_slice(STR("abcdef"), 2, 4), "cd"));
    ck_assert(str_is(str_slice(STR("abc"), 1, 99), "bc"));
    ck_assert(str_is(str_slice(STR("abc"), 3, 3), ""));
    ck_assert(str_is(str_slice(STR("abc"), 9, 2), ""));
}
END_TEST

START_TEST(order_is_bytewise_and_shorter_first)
{
    ck_assert_int_lt(str_compare(STR("a"), STR("b")), 0);
    ck_assert_int_lt(str_compare(STR("a"), STR("aa")), 0);
    ck_assert_int_gt(str_compare(STR("\xff"), STR("a")), 0);
    ck_assert_int_eq(str_compare(STR_EMPTY, STR("")), 0);
}
END_TEST

START_TEST(cut_takes_the_first_separator)
{
    struct str before, after;

    ck_assert(str_cut(STR("a:b:c"), ':', &before, &after));
    ck_assert(str_is(before, "a"));
    ck_assert(str_is(after, "b:c"));
    ck_assert(!str_cut(STR("abc"), ':', &before, &after));
    ck_assert(!str_cut(STR_EMPTY, ':', &before, &after));
}
END_TEST

START_TEST(utf8_is_checked_as_rfc_3629_says)
{
    ck_assert(str_is_utf8(STR("plain")));
    ck_assert(str_is_utf8(STR("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9a\x97")));
    ck_assert(str_is_utf8(STR("sixteen letters and\xc3\xa9 more, then the end")));
    ck_assert(!str_is_utf8(STR("eight...eight...\x80 and so on")));
    ck_assert(!str_is_utf8(STR("eight...and seven\xff")));
    ck_assert(!str_is_utf8(STR("\xc0\x80")));         /* overlong */
    ck_assert(!str_is_utf8(STR("\xe0\x80\x80")));     /* overlong */
    ck_assert(!str_is_utf8(STR("\xed\xa0\x80")));     /* surrogate */
    ck_assert(!str_is_utf8(STR("\xf4\x90\x80\x80"))); /* beyond U+10FFFF */
    ck_assert(!str_is_utf8(STR("\xc3")));             /* cut short */
    ck_assert(!str_is_utf8(STR("\x80")));             /* starts in the middle */
}
END_TEST

START_TEST(nearest_name_is_a_likely_misspelling_or_none)
{
    const struct str names[] = {STR("weight_kg"), STR("vin"), STR("make")};

    ck_assert(str_is(str_nearest(STR("wieght_kg"), names, 3), "weight_kg"));
    ck_assert(str_is(str_nearest(STR("vim"), names, 3), "vin"));
    ck_assert(str_is(str_nearest(STR("completely_other"), names, 3), ""));
}
END_TEST

START_TEST(blanks_at_the_ends_are_trimmed)
{
    ck_assert(str_is(str_trim(STR(" \t a b\r\n")), "a b"));
    ck_assert(str_is(str_trim(STR("  ")), ""));
}
END_TEST

START_TEST(a_head_ends_before_a_character_that_does_not_fit)
{
    ck_assert(str_is(str_head(STR("abc"), 2), "ab"));
    ck_assert(str_is(str_head(STR("abc"), 3), "abc"));
    ck_assert(str_is(str_head(STR("a\xc3\xa9"), 2), "a"));
    ck_assert(str_is(str_head(STR("a\xc3\xa9"
                                  "b"),
                              3),
                     "a\xc3\xa9"));
    ck_assert(str_is(str_head(STR("\xf0\x9f\x9a\x97"), 3), ""));
    ck_assert(str_is(str_head(STR("\x80\x80\x80\x80\x80\x80"), 5), "\x80\x80"));
    ck_assert(str_is(str_head(STR_EMPTY, 5), ""));
}
END_TEST

START_TEST(a_number_is_all_digits_and_fits)
{
    uint64_t n;

    ck_assert(str_read_number(STR("0"), &n) && n == 0);
    ck_assert(str_read_number(STR("0042"), &n) && n == 42);
    ck_assert(str_read_number(STR("18446744073709551615"), &n) && n == UINT64_MAX);
    n = 1;
    ck_assert(!str_read_number(STR("18446744073709551616"), &n) && n == 0);
    ck_assert(!str_read_number(STR("99999999999999999999"), &n));
    ck_assert(!str_read_number(STR("4x"), &n) && n == 0);
    ck_assert(!str_read_number(STR("-1"), &n));
    ck_assert(!str_read_number(STR(" 1"), &n));
    ck_assert(!str_read_number(STR_EMPTY, &n));
}
END_TEST

SUITE_MAIN("str", a_number_is_all_digits_and_fits, a_head_ends_before_a_character_that_does_not_fit,
           slices_are_clamped_to_the_text, order_is_bytewise_and_shorter_first,
           cut_takes_the_first_separator, utf8_is_checked_as_rfc_3629_says,
           nearest_name_is_a_likely_misspelling_or_none, blanks_at_the_ends_are_trimmed)
