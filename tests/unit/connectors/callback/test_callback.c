#include "connectors/callback/callback.h"

#include "tests/support/suite.h"

START_TEST(a_header_is_found_whatever_its_case)
{
    const struct header headers[] = {{STR("X-Sig"), STR("1")}, {STR("x-sig"), STR("2")}};
    const struct callback callback = {.headers = headers, .header_count = 2};

    ck_assert(str_is(callback_header(&callback, "x-SIG"), "1"));
    ck_assert_uint_eq(callback_header(&callback, "x-si").len, 0);
}
END_TEST

START_TEST(a_form_is_read_as_browsers_write_it)
{
    struct arena *arena = arena_new(0);
    struct header *fields;
    size_t count;

    ck_assert(callback_form(STR("a=1&&b=%2B31+6%c3%AB&c&a=2&=x"), arena, &fields, &count));
    ck_assert_uint_eq(count, 5);
    ck_assert(str_is(callback_form_get(fields, count, "a"), "1"));
    ck_assert(str_is(callback_form_get(fields, count, "b"), "+31 6\xc3\xab"));
    ck_assert_uint_eq(callback_form_get(fields, count, "c").len, 0);
    ck_assert(str_is(fields[3].value, "2"));
    ck_assert(callback_form(STR_EMPTY, arena, &fields, &count));
    ck_assert_uint_eq(count, 0);
    arena_free(arena);
}
END_TEST

START_TEST(a_form_that_is_none_is_refused)
{
    static const char *const wrong[] = {"a=%", "a=%4", "a=%4g", "%zz=1"};
    struct arena *arena = arena_new(0);
    struct buf many = {0};
    struct header *fields;
    size_t count;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_msg(!callback_form(str_of(wrong[i]), arena, &fields, &count), "%s", wrong[i]);
    for (int i = 0; i < CALLBACK_FORM_MAX; i++)
        buf_put_text(&many, "x=1&");
    ck_assert(callback_form(buf_str(&many), arena, &fields, &count));
    buf_put_text(&many, "x=1");
    ck_assert(!callback_form(buf_str(&many), arena, &fields, &count));
    buf_free(&many);
    arena_free(arena);
}
END_TEST

START_TEST(stop_is_that_word_alone)
{
    static const char *const yes[] = {"STOP",  "stop",     " Stop. ",
                                      "STOP!", "Afmelden", "UNSUBSCRIBE"};
    static const char *const no[] = {"", "stop sending me so late", "don't stop", "non-stop", "ja"};

    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        ck_assert_msg(callback_is_stop(str_of(yes[i])), "%s", yes[i]);
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        ck_assert_msg(!callback_is_stop(str_of(no[i])), "%s", no[i]);
}
END_TEST

START_TEST(a_report_holds_as_much_as_there_is)
{
    struct arena *arena = arena_new(0);
    struct callback_report report = {0};

    for (int i = 0; i < 100; i++) {
        callback_add_outcome(&report, arena)->at_ms = i;
        callback_add_stop(&report, arena)->at_ms = i;
    }
    ck_assert_uint_eq(report.outcome_count, 100);
    for (int i = 0; i < 100; i++)
        ck_assert(report.outcomes[i].at_ms == i && report.stops[i].at_ms == i);
    ck_assert_str_eq(callback_code_text(CALLBACK_OPTED_OUT), "opted_out");
    ck_assert(callback_code_is_final(CALLBACK_FAILED));
    ck_assert(!callback_code_is_final(CALLBACK_READ));
    arena_free(arena);
}
END_TEST

SUITE_MAIN("callback", a_header_is_found_whatever_its_case, a_form_is_read_as_browsers_write_it,
           a_form_that_is_none_is_refused, stop_is_that_word_alone,
           a_report_holds_as_much_as_there_is)
