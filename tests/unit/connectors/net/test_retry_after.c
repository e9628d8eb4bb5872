#include "connectors/net/retry_after.h"

#include "tests/support/suite.h"

#define NOW_MS INT64_C(784111777000) /* Sun, 06 Nov 1994 08:49:37 GMT, RFC 9110's example */

START_TEST(the_three_forms_of_a_date_are_the_same_time)
{
    static const char *const forms[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
                                        "Sunday, 06-Nov-94 08:49:37 GMT",
                                        "Sun Nov  6 08:49:37 1994"};

    for (size_t i = 0; i < 3; i++) {
        int64_t at_ms = 0;
        ck_assert_msg(http_date_parse(str_of(forms[i]), NOW_MS, &at_ms), "%s", forms[i]);
        ck_assert_int_eq(at_ms, NOW_MS);
    }
}
END_TEST

START_TEST(two_digits_of_a_year_are_at_most_fifty_years_ahead)
{
    int64_t at_ms;

    ck_assert(http_date_parse(STR("Saturday, 01-Jan-44 00:00:00 GMT"), NOW_MS, &at_ms));
    ck_assert_int_eq(at_ms, INT64_C(2335219200000)); /* 2044 */
    ck_assert(http_date_parse(STR("Saturday, 01-Jan-45 00:00:00 GMT"), NOW_MS, &at_ms));
    ck_assert_int_eq(at_ms, INT64_C(-788918400000)); /* 1945 */
}
END_TEST

START_TEST(seconds_and_dates_become_a_span)
{
    static const struct {
        const char *value;
        int64_t span_ms;
    } cases[] = {
        {"0", 0},
        {"120", 120000},
        {" 120 ", 120000},
        {"007", 7000},
        {"86400", 86400000},
        {"86401", RETRY_AFTER_MS_MAX},
        {"99999999999999999999999999", RETRY_AFTER_MS_MAX},
        {"Sun, 06 Nov 1994 08:51:37 GMT", 120000},
        {"Sun, 06 Nov 1994 08:49:00 GMT", 0},
        {"Fri, 31 Dec 9999 23:59:59 GMT", RETRY_AFTER_MS_MAX},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_msg(retry_after_ms(str_of(cases[i].value), NOW_MS) == cases[i].span_ms, "%s",
                      cases[i].value);
}
END_TEST

START_TEST(anything_else_is_none)
{
    static const char *const wrong[] = {"",
                                        " ",
                                        "-1",
                                        "+1",
                                        "1.5",
                                        "1e3",
                                        "soon",
                                        "12 0",
                                        "Sun, 06 Nov 1994 08:49:37",
                                        "Sun, 6 Nov 1994 08:49:37 GMT",
                                        "Sun, 31 Feb 1994 08:49:37 GMT",
                                        "Sun, 00 Nov 1994 08:49:37 GMT",
                                        "Sun, 06 Nov 0000 08:49:37 GMT",
                                        "Sun, 06 Nov 1994 24:00:00 GMT",
                                        "Sun, 06 Nov 1994 08:60:00 GMT",
                                        "Sun, 06 nov 1994 08:49:37 GMT",
                                        "Sun, 06 Nov 1994 08:49:37 CET",
                                        "Sun Nov  6 08:49:37 1994 GMT"};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_msg(retry_after_ms(str_of(wrong[i]), NOW_MS) == RETRY_AFTER_NONE, "\"%s\"",
                      wrong[i]);
}
END_TEST

SUITE_MAIN("retry_after", the_three_forms_of_a_date_are_the_same_time,
           two_digits_of_a_year_are_at_most_fifty_years_ahead, seconds_and_dates_become_a_span,
           anything_else_is_none)
