/* Mistakes and what is said about them: place, sentence, what to write instead. */
#include <check.h>

#include "tests/support/cel_table.h"
#include "tests/support/suite.h"

#define CHECK_FINDINGS(mode, cases)                                                                \
    table_check_findings(mode, cases, sizeof cases / sizeof cases[0])

START_TEST(mistakes_of_syntax)
{
    static const struct finding_case cases[] = {
        {"", "1:1 syntax: there is no expression"},
        {"i = 7", "1:3 syntax: there is no operator = (write == to compare)"},
        {"b and i > 3", "1:3 syntax: there is no operator and (write && for \"and\")"},
        {"b or i > 3", "1:3 syntax: there is no operator or (write || for \"or\")"},
        {"not b", "1:1 syntax: there is no operator not (write ! for \"not\")"},
        {"b & b | b", "1:3 syntax: there is no operator & (write && for \"and\") | "
                      "1:7 syntax: there is no operator | (write || for \"or\")"},
        {"i <> 3", "1:3 syntax: there is no operator <> (write !=)"},
        {"'abc", "1:1 syntax: this text is never closed (close it with the same quote)"},
        {"(i + 1", "1:1 syntax: this bracket is never closed (close it with ))"},
        {"[1, 2", "1:1 syntax: this bracket is never closed (close it with ])"},
        {"{'a': 1", "1:1 syntax: this bracket is never closed (close it with })"},
        {"i + 1)", "1:6 syntax: this bracket was never opened (remove it)"},
        {"i +", "1:4 syntax: a value, a name or a bracket is missing at the end"},
        {"i + * 2", "1:5 syntax: a value, a name or a bracket expected, found *"},
        {"i 2", "1:3 syntax: an operator expected, found 2"},
        {"b ? 1", "1:6 syntax: : of a ? b : c is missing at the end"},
        {"{'a' 1}", "1:6 syntax: : behind the key expected, found 1"},
        {"s.", "1:3 syntax: a field or function name behind the dot is missing at the end"},
        {"'\\q'", "1:2 syntax: unknown escape (write \\\\ for a backslash, or r\"...\" for a text "
                  "without escapes)"},
        {"'\\ud800'", "1:2 syntax: an escape that is no Unicode character (write \\\\ for a "
                      "backslash, or r\"...\" for a text without escapes)"},
        {"i > #", "1:5 syntax: a character that has no meaning here: #"},
        {"for > 1", "1:1 syntax: for is a reserved word (choose another name)"},
        {"99999999999999999999", "1:1 syntax: 99999999999999999999 does not fit into 64 bits"},
        {"9223372036854775808", "1:1 syntax: the number does not fit into 64 bits"},
        {"has(i)", "1:5 syntax: has() takes one field (write has(customer.name): a field behind "
                   "a dot)"},
        {"list.all(1, true)", "1:10 syntax: a plain name is needed here (write list.all(x, "
                              "condition))"},
        {"Msg{a: 1}", "1:1 syntax: messages are not part of this language (write a map: "
                      "{\"field\": value})"},
    };

    CHECK_FINDINGS(TABLE_STRICT, cases);
}
END_TEST

START_TEST(names_that_are_not_there)
{
    static const struct finding_case cases[] = {
        {"foo > 1", "1:1 unknown-name: there is no \"foo\""},
        {"customer.contry == 'NL'",
         "1:10 unknown-field: there is no fact of this name (did you mean country)"},
        {"event.data.wieght > 1", "1:12 unknown-field: event.data has no field \"wieght\""},
        {"event['data']['wieght'] > 1", "1:14 unknown-field: event.data has no field \"wieght\""},
        {"list.all(item, itm > 0)", "1:16 unknown-name: there is no \"itm\" (did you mean item)"},
        {"size > 3", "1:1 unknown-name: there is no \"size\" (a function needs brackets: write "
                     "size(...))"},
        {"b == True", "1:6 unknown-name: there is no \"True\" (write true, false or null in lower "
                      "case)"},
        {"s.size", "1:3 type: a string has no field \"size\" (a function needs brackets: write "
                   ".size())"},
        {"i.x", "1:3 type: an int has no field \"x\""},
        {"s.contain('x')",
         "1:3 unknown-function: there is no function \"contain\" (did you mean contains)"},
        {"len(s)", "1:1 unknown-function: there is no function \"len\" (write size(...))"},
        {"days(14)", "1:1 unknown-function: there is no function \"days\" (did you mean "
                     "dyn)"},
        {"foo + bar", "1:1 unknown-name: there is no \"foo\" | 1:7 unknown-name: there is no "
                      "\"bar\""},
        {"'\xc3\xa9\xc3\xa9' == foo", "1:9 unknown-name: there is no \"foo\""},
        {"b &&\n  foo", "2:3 unknown-name: there is no \"foo\""},
    };

    CHECK_FINDINGS(TABLE_STRICT, cases);
}
END_TEST

START_TEST(types_that_do_not_go_together)
{
    static const struct finding_case cases[] = {
        {"i > '3'", "1:3 compare: an int cannot be compared with a string by > (write 3 without "
                    "quotes)"},
        {"s == 3",
         "1:3 compare: a string cannot be compared with an int by == (string(...) makes a "
         "text of a number, double(...) a number of a text)"},
        {"i == 1.5",
         "1:3 compare: an int cannot be compared with a double by == (int(...), uint(...) "
         "and double(...) make one kind of number of another)"},
        {"s == null",
         "1:3 compare: a string cannot be compared with a null by == (a field that may "
         "be missing is asked for with has(a.b))"},
        {"t > '2026-01-01'",
         "1:3 compare: a timestamp cannot be compared with a string by > (write "
         "timestamp(\"2026-03-02T09:00:00Z\"))"},
        {"span > 14", "1:6 compare: a duration cannot be compared with an int by > (write "
                      "duration(\"36h\"))"},
        {"b == 'true'", "1:3 compare: a bool cannot be compared with a string by == (write true or "
                        "false without quotes)"},
        {"s + 1", "1:3 type: + does not take a string and an int (string(...) makes a text of a "
                  "number, double(...) a number of a text)"},
        {"!i", "1:1 type: ! does not take an int (! turns true into false; compare first: !(a == "
               "b))"},
        {"-s", "1:1 type: - does not take a string"},
        {"i && b", "1:1 condition: each side of && must be true or false, this is an int"},
        {"i ? 1 : 2", "1:1 condition: what stands before ? must be true or false, this is an int"},
        {"b ? 1 : 'a'", "1:3 type: the two results of ?: are an int and a string (both must have "
                        "one type; dyn(...) lifts that)"},
        {"'x' in s", "1:5 type: in looks into a list or a map, this is a string (write "
                     "text.contains(part))"},
        {"s in list", "1:3 compare: a string can never be in a list(int)"},
        {"list['a']", "1:6 type: the items of this list are found by an int, not a string"},
        {"s[0]", "1:2 type: a string has no items (write text.charAt(0) or text.substring(0, 3))"},
        {"s.contains(1)", "1:3 type: there is no string.contains(int) (there is "
                          "string.contains(string) -> bool)"},
        {"s.contains()", "1:3 arguments: contains() does not take 0 arguments (there is "
                         "string.contains(string) -> bool)"},
        {"contains(s, 'x')", "1:1 arguments: contains is not called this way (there is "
                             "string.contains(string) -> bool)"},
        {"size(1)", "1:1 type: size() does not take int (there is string.size() -> int, "
                    "bytes.size() -> int, list.size() -> int, map.size() -> int)"},
        {"list.all(x)", "1:6 arguments: all() with other arguments than it takes (write "
                        "list.all(x, condition))"},
        {"list.filter(x, x)",
         "1:16 condition: this condition must be true or false, this is an int"},
        {"i.all(x, true)", "1:3 type: all() goes over a list or a map, this is an int"},
        {"list < list", "1:6 compare: a list(int) has no order"},
        {"{1.5: 2}", "1:2 type: a key of a map is a string, int, uint or bool, this is a double"},
        {"s.matches('(a')", "1:11 regex: the regular expression is not understood: missing "
                            "closing parenthesis (character 3)"},
        {"s.matches('a(?=b)')", "1:11 regex: the regular expression is not understood: "
                                "look-around is not part of RE2's language"},
        {"s.matches(r'(a)\\1')", "1:11 regex: the regular expression is not understood: "
                                 "back-references are not part of RE2's language"},
        {"s + 1 == 'a' && list.all(x, x + 'a' == s) || !d",
         "1:3 type: + does not take a string and an int (string(...) makes a text of a number, "
         "double(...) a number of a text) | 1:31 type: + does not take an int and a string "
         "(string(...) makes a text of a number, double(...) a number of a text) | 1:46 type: ! "
         "does not take a double (! turns true into false; compare first: !(a == b))"},
    };

    CHECK_FINDINGS(TABLE_STRICT, cases);
}
END_TEST

START_TEST(mistakes_in_moments)
{
    static const struct finding_case cases[] = {
        {"i / 2 > 1", "1:3 integer-division: int / int drops the remainder: 7 / 2 is 3 (write "
                      "double(a) / b if the fraction matters)"},
        {"span > 14d", "1:8 syntax: 14d is not a number (write days(14) or duration(\"336h\"))"},
        {"span > 36h && s == 3m",
         "1:8 syntax: 36h is not a number (write hours(36) or duration(\"36h\")) | "
         "1:20 syntax: 3m is not a number (write duration(\"3m\"))"},
        {"span > 14", "1:6 compare: a duration cannot be compared with an int by > (write days(14) "
                      "or hours(36))"},
        {"local(t) > t", "1:10 compare: a local time cannot be compared (ask a local time for its "
                         "parts: local(t).getHours() >= 9; compare timestamps without local())"},
        {"local(t)", "1:1 type: a local time cannot be a result (ask it for hours or days: "
                     "local(t).getHours())"},
        {"local(t) - days(1) > t", "1:10 type: - does not take a local time and a duration (ask a "
                                   "local time for its parts: local(t).getHours() >= 9; compare "
                                   "timestamps without local())"},
        {"t > timestamp('yesterday')", "1:5 always-error: this is always an error: type "
                                       "conversion error from \"yesterday\" to timestamp"},
        {"t - days(1) > timestamp('soon') + days(2)",
         "1:15 always-error: this is always an error: type conversion error from \"soon\" to "
         "timestamp"},
        {"i > 10 / 0", "1:8 integer-division: int / int drops the remainder: 7 / 2 is 3 (write "
                       "double(a) / b if the fraction matters) | 1:8 always-error: this is always "
                       "an error: divide by zero"},
        {"day(14) < span", "1:1 unknown-function: there is no function \"day\" (did you mean "
                           "days)"},
    };

    CHECK_FINDINGS(TABLE_MOMENT, cases);
}
END_TEST

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
                     "1:3 condition: a condition must be true or false, this is an int "
                     "(compare it: a == b, a > b)");
    buf_clear(&got);
    table_findings(TABLE_MOMENT, "s", (struct place){NULL, 1, 1}, &cel_timestamp, &got);
    ck_assert_str_eq(buf_text(&got), "1:1 type: a timestamp is needed here, this is a string");
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
    ck_assert_str_eq(buf_text(&got), "1:1 limit: the expression is longer than 16384 bytes (split "
                                     "it into several conditions)");
    buf_clear(&got);
    table_findings(TABLE_STRICT, "\"\xff\"", (struct place){NULL, 1, 1}, NULL, &got);
    ck_assert_str_eq(buf_text(&got), "1:1 syntax: the expression is not UTF-8");
    buf_free(&text);
    buf_free(&got);
}
END_TEST

SUITE_MAIN("cel diagnostics", mistakes_of_syntax, names_that_are_not_there,
           types_that_do_not_go_together, mistakes_in_moments,
           findings_stand_where_the_text_stands_in_its_file,
           a_result_of_another_type_than_wanted_is_refused,
           what_is_too_large_or_too_deep_is_refused)
