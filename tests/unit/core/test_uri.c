#include "core/uri.h"
#include "tests/support/suite.h"

START_TEST(references_are_told_from_what_is_none)
{
    static const char *const right[] = {
        "",
        "/crm",
        "crm",
        "1-555-123-4567",
        "./a:b",
        "?q",
        "#f",
        "//host",
        "//user:pw@host:80/p?q#f",
        "https://github.com/cloudevents",
        "mailto:cncf-wg-serverless@lists.cncf.io",
        "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
        "http://[2001:db8::7]:8080/",
        "http://[::]",
        "http://[::ffff:192.0.2.1]/",
        "http://[1:2:3:4:5:6:7:8]/",
        "http://[vF.x:y]/",
        "/a%20b",
        "x:",
        "file:///etc",
        "a/b:c",
    };
    static const char *const wrong[] = {
        " ",
        "a b",
        "/a%2",
        "/a%zz",
        "a#b#c",
        "1:a",
        ":a",
        "/a\"b",
        "<a>",
        "a|b",
        "a\\b",
        "a^b",
        "{a}",
        "/\xc3\xa9",
        "http://[::1",
        "http://[1:2:3]/",
        "http://[1:2:3:4:5:6:7:8:9]/",
        "http://[1::2::3]/",
        "http://[::12345]/",
        "http://[::300.0.2.1]/",
        "http://[]/",
        "http://host:8x/",
        "http://a@b@c/",
        "//ho[st",
        "a\n",
    };

    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
        ck_assert_msg(uri_is_reference(str_of(right[i])), "%s", right[i]);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_msg(!uri_is_reference(str_of(wrong[i])), "%s", wrong[i]);
    ck_assert(!uri_is_reference((struct str){"a\0b", 3}));
}
END_TEST

START_TEST(an_absolute_one_has_a_scheme_and_no_fragment)
{
    ck_assert(uri_is_absolute(STR("https://example.com/schemas/order?v=2")));
    ck_assert(uri_is_absolute(STR("urn:x:order")));
    ck_assert(!uri_is_absolute(STR("https://example.com/schemas#order")));
    ck_assert(!uri_is_absolute(STR("/schemas/order")));
    ck_assert(!uri_is_absolute(STR("//example.com/order")));
    ck_assert(!uri_is_absolute(STR("order.json")));
    ck_assert(!uri_is_absolute(STR("")));
}
END_TEST

SUITE_MAIN("uri", references_are_told_from_what_is_none,
           an_absolute_one_has_a_scheme_and_no_fragment)
