#include "core/base64.h"
#include "tests/support/suite.h"

/* RFC 4648, section 10, and one that tells the two alphabets apart */
static const struct {
    const char *bytes, *text, *url;
} cases[] = {
    {"", "", ""},
    {"f", "Zg==", "Zg"},
    {"fo", "Zm8=", "Zm8"},
    {"foo", "Zm9v", "Zm9v"},
    {"foob", "Zm9vYg==", "Zm9vYg"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
    {"\xfb\xff\xbf", "+/+/", "-_-_"},
};
enum { CASES = sizeof cases / sizeof cases[0] };

START_TEST(the_vectors_of_rfc_4648_are_written_and_read)
{
    for (size_t i = 0; i < CASES; i++) {
        struct buf out = {0};
        base64_put(&out, str_of(cases[i].bytes));
        ck_assert_str_eq(buf_text(&out), cases[i].text);
        buf_clear(&out);
        base64_put_url(&out, str_of(cases[i].bytes));
        ck_assert_str_eq(buf_text(&out), cases[i].url);
        buf_clear(&out);
        ck_assert(base64_read(&out, str_of(cases[i].text)));
        ck_assert_str_eq(buf_text(&out), cases[i].bytes);
        buf_clear(&out);
        ck_assert(base64_read(&out, str_of(cases[i].url)));
        ck_assert_str_eq(buf_text(&out), cases[i].bytes);
        buf_free(&out);
    }
}
END_TEST

START_TEST(what_is_not_base64_is_refused_and_leaves_nothing)
{
    static const char *const wrong[] = {
        "Z", "Zm9vY", "Zg=", "Zg===", "=", "Zh==", "Zm9=", "Zm 9", "Zm9v\n", "Zg==Zg", "Zm\x80v"};
    struct buf out = {0};

    buf_put_text(&out, "before");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_msg(!base64_read(&out, str_of(wrong[i])), "%s", wrong[i]);
    ck_assert_str_eq(buf_text(&out), "before");
    buf_free(&out);
}
END_TEST

SUITE_MAIN("base64", the_vectors_of_rfc_4648_are_written_and_read,
           what_is_not_base64_is_refused_and_leaves_nothing)
