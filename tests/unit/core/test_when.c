#include "core/when.h"
#include "tests/support/suite.h"

static const char *printed(int64_t at_ms)
{
    static struct buf buf;

    buf_clear(&buf);
    when_put_rfc3339(&buf, at_ms);
    return buf_text(&buf);
}

START_TEST(times_read_and_print)
{
    static const struct {
        const char *text, *printed;
    } cases[] = {
        {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"},
        {"2026-03-02T09:00:00+01:00", "2026-03-02T08:00:00Z"},
        {"2024-02-29T23:59:59.25z", "2024-02-29T23:59:59.250Z"},
        {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
        {"9999-12-31T23:59:59.999999999-23:59", "10000-01-01T23:58:59.999Z"},
        {"1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t at_ms;
        ck_assert_msg(when_parse_ms(str_of(cases[i].text), &at_ms), "%s", cases[i].text);
        ck_assert_str_eq(printed(at_ms), cases[i].printed);
    }
}
END_TEST

START_TEST(what_is_no_time_is_refused)
{
    static const char *const wrong[] = {
        "",
        "2026-03-02",
        "2026-03-02T09:00:00",
        "2026-03-02 09:00:00Z",
        "2026-13-02T09:00:00Z",
        "2025-02-29T09:00:00Z",
        "2026-03-02T24:00:00Z",
        "2026-03-02T09:00:00.Z",
        "2026-03-02T09:00:00.1234567890Z",
        "2026-03-02T09:00:00+0100",
        "0000-03-02T09:00:00Z",
        "2026-03-02T09:00:00Zjunk",
    };
    int64_t at_ms;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_msg(!when_parse_ms(str_of(wrong[i]), &at_ms), "%s", wrong[i]);
}
END_TEST

START_TEST(to_the_letter_there_are_more_times)
{
    static const struct {
        const char *text, *printed;
    } cases[] = {
        {"0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"},
        {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"},
        {"1990-12-31T15:59:60-08:00", "1991-01-01T00:00:00Z"},
        {"2026-03-02t09:00:00.1234567890123z", "2026-03-02T09:00:00.123Z"},
        {"2026-03-02T09:00:00-00:00", "2026-03-02T09:00:00Z"},
    };
    static const char *const wrong[] = {
        "",
        "2026-03-02 09:00:00Z",
        "2026-03-02T09:00:00",
        "2026-03-02T09:00:00.Z",
        "2026-03-02T09:00Z",
        "2026-03-02T09:00:00+01",
        "2026-03-02T09:00:00+24:00",
        "2026-03-02T09:00:00+01:60",
        "2026-02-29T09:00:00Z",
        "2026-3-2T09:00:00Z",
        "2016-12-31T23:59:61Z",
        "2016-12-31T22:59:60Z",
        "2016-12-30T23:59:60Z",
        "2016-12-31T23:59:60+01:00",
        " 2026-03-02T09:00:00Z",
        "20260302T090000Z",
    };
    int64_t at_ms;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_msg(when_parse_to_the_letter(str_of(cases[i].text), &at_ms), "%s", cases[i].text);
        ck_assert_str_eq(printed(at_ms), cases[i].printed);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_msg(!when_parse_to_the_letter(str_of(wrong[i]), &at_ms), "%s", wrong[i]);
}
END_TEST

START_TEST(days_and_dates_agree_over_four_centuries)
{
    for (int64_t day = -146097; day < 146097; day += 13) {
        int64_t year;
        int month, day_of_month;
        when_civil_from_days(day, &year, &month, &day_of_month);
        ck_assert_int_eq(when_days_from_civil(year, month, day_of_month), day);
    }
}
END_TEST

START_TEST(spans_read_and_print_as_people_write_them)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {{"90s", 90000}, {"10m", 600000}, {"1d12h", 129600000}, {"2w", 1209600000},
                 {"0s", 0},      {"250ms", 250},  {"1h1m1s", 3661000}};
    static const char *const wrong[] = {"",    "5",    "d",     "1h2d", "1d1d",
                                        "-1d", "1.5h", "9999w", "1 d"};
    struct buf buf = {0};
    int64_t ms;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_msg(when_parse_span_ms(str_of(cases[i].text), &ms), "%s", cases[i].text);
        ck_assert_int_eq(ms, cases[i].ms);
        buf_clear(&buf);
        when_put_span(&buf, ms);
        ck_assert(when_parse_span_ms(buf_str(&buf), &ms));
        ck_assert_int_eq(ms, cases[i].ms);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_msg(!when_parse_span_ms(str_of(wrong[i]), &ms), "%s", wrong[i]);
    buf_free(&buf);
}
END_TEST

SUITE_MAIN("when", times_read_and_print, what_is_no_time_is_refused,
           to_the_letter_there_are_more_times, days_and_dates_agree_over_four_centuries,
           spans_read_and_print_as_people_write_them)
