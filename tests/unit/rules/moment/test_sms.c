#include "rules/moment/sms.h"

#include <stdio.h>

#include "tests/support/suite.h"

/* "GSM 5/160 1" */
static const char *measure(const char *text, size_t times, const char *end)
{
    static char said[64];
    static char whole[8192];
    struct sms_size size;

    whole[0] = '\0';
    for (size_t i = 0; i < times; i++)
        strcat(whole, text);
    strcat(whole, end);
    size = sms_measure(str_of(whole));
    snprintf(said, sizeof said, "%s %zu/%zu %zu", size.ucs2 ? "UCS-2" : "GSM", size.units,
             size.room, size.parts);
    return said;
}

START_TEST(one_part_has_160_characters_several_have_153)
{
    ck_assert_str_eq(measure("", 1, ""), "GSM 0/0 0");
    ck_assert_str_eq(measure("a", 160, ""), "GSM 160/160 1");
    ck_assert_str_eq(measure("a", 161, ""), "GSM 161/306 2");
    ck_assert_str_eq(measure("a", 306, ""), "GSM 306/306 2");
    ck_assert_str_eq(measure("a", 307, ""), "GSM 307/459 3");
}
END_TEST

START_TEST(letters_of_the_gsm_alphabet_count_once_the_euro_sign_twice)
{
    ck_assert_str_eq(measure("\xc3\xa9\xc3\xa8\xc3\x84\xce\xa9\xc2\xa7", 1, "\n"), "GSM 6/160 1");
    ck_assert_str_eq(measure("\xe2\x82\xac", 1, "{}"), "GSM 6/160 1");
    ck_assert_str_eq(measure("a", 159, "\xe2\x82\xac"), "GSM 161/306 2");
    /* the euro sign does not fit behind 152, and is not cut: 152 + 153 + 2 */
    ck_assert_str_eq(measure("a", 152,
                             "\xe2\x82\xac"
                             "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
                             "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
                             "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"),
                     "GSM 306/459 3");
}
END_TEST

START_TEST(one_other_character_makes_it_ucs2)
{
    ck_assert_str_eq(measure("a", 1, "\xc3\xab"), "UCS-2 2/70 1"); /* e with two dots */
    ck_assert_str_eq(measure("a", 1, "`"), "UCS-2 2/70 1");
    ck_assert_str_eq(measure("\xc3\xab", 70, ""), "UCS-2 70/70 1");
    ck_assert_str_eq(measure("\xc3\xab", 71, ""), "UCS-2 71/134 2");
    ck_assert_str_eq(measure("\xf0\x9f\x9a\x97", 35, ""), "UCS-2 70/70 1");
    ck_assert_str_eq(measure("\xf0\x9f\x9a\x97", 67, ""), "UCS-2 134/201 3"); /* 33 in a part */
}
END_TEST

SUITE_MAIN("sms", one_part_has_160_characters_several_have_153,
           letters_of_the_gsm_alphabet_count_once_the_euro_sign_twice,
           one_other_character_makes_it_ucs2)
