#include "core/regex.h"

#include "tests/support/suite.h"

START_TEST(patterns_of_re2_match_a_part_of_the_text)
{
    static const struct {
        const char *pattern, *text;
        enum regex_answer answer;
    } cases[] = {
        {"b+", "abbc", REGEX_YES},
        {"^b+$", "abbc", REGEX_NO},
        {"", "", REGEX_YES},
        {"(?i)ABC", "xabcx", REGEX_YES},
        {"a$", "a\n", REGEX_NO},
        {"(?m)^b$", "a\nb\nc", REGEX_YES},
        {"a.c", "a\nc", REGEX_NO},
        {"(?s)a.c", "a\nc", REGEX_YES},
        {"^\\w+$", "caf\xc3\xa9", REGEX_NO},
        {"^.{4}$", "caf\xc3\xa9", REGEX_YES},
        {"\\x{e9}+", "\xc3\xa9", REGEX_YES},
        {"\\p{Lu}", "abC", REGEX_YES},
        {"[[:alpha:]]", "1a", REGEX_YES},
        {"[]a]", "]", REGEX_YES},
        {"\\Qa.b\\E", "a.b", REGEX_YES},
        {"(?P<x>a)(?<y>b)", "ab", REGEX_YES},
        {"a",
         "\xff"
         "a",
         REGEX_YES},
        {"^a{2,3}?$", "aaa", REGEX_YES},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena *arena = arena_new(0);
        struct regex *regex;
        struct err err;
        ck_assert_msg(regex_compile(str_of(cases[i].pattern), arena, &regex, &err) == ERR_NONE,
                      "%s: %s", cases[i].pattern, err.text);
        ck_assert_msg(regex_search(regex, str_of(cases[i].text), 1000) == cases[i].answer, "%s",
                      cases[i].pattern);
        arena_free(arena);
    }
}
END_TEST

START_TEST(what_re2_lacks_is_refused)
{
    static const char *const refused[] = {
        "(a)\\1", "(?=a)",      "(?!a)",     "(?<=a)",  "(?<!a)", "(?>a)",   "a++",
        "a*+",    "a{2}+",      "a**",       "(?R)",    "(?1)",   "(?|a|b)", "(?(1)a)",
        "(?#x)",  "(*ACCEPT)a", "\\Ka",      "\\R",     "\\X",    "\\G",     "\\h",
        "\\k<x>", "\\g1",       "[[:](?=a)", "a{1001}", "(a",     "a)",      "[a",
        "\\",     "\\C",        "(?P=x)",    "(?P>x)",  "(?&x)",  "\\9",     "\xff",
    };

    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct arena *arena = arena_new(0);
        struct regex *regex;
        struct err err;
        ck_assert_msg(regex_compile(str_of(refused[i]), arena, &regex, &err) != ERR_NONE, "%s",
                      refused[i]);
        ck_assert_uint_gt(strlen(err.text), 3);
        ck_assert_ptr_null(regex);
        arena_free(arena);
    }
}
END_TEST

START_TEST(work_of_a_match_is_limited)
{
    struct arena *arena = arena_new(0);
    struct str text = STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab");
    struct regex *regex;

    ck_assert_int_eq(regex_compile(STR("^(a+)+$"), arena, &regex, NULL), ERR_NONE);
    ck_assert_int_eq(regex_search(regex, text, 10000), REGEX_TOO_COSTLY);
    arena_free(arena);
}
END_TEST

SUITE_MAIN("regex", patterns_of_re2_match_a_part_of_the_text, what_re2_lacks_is_refused,
           work_of_a_match_is_limited)
