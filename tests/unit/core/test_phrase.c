#include "core/phrase.h"

#include <stdio.h>

#include "tests/support/suite.h"

START_TEST(a_tag_is_parts_of_letters_and_digits)
{
    ck_assert(language_is_tag(STR("nl")));
    ck_assert(language_is_tag(STR("nl-BE")));
    ck_assert(language_is_tag(STR("nl_be")));
    ck_assert(language_is_tag(STR("zh-Hant-TW")));
    ck_assert(language_is_tag(STR("es-419")));
    ck_assert(language_is_tag(STR("no")));
    ck_assert(!language_is_tag(STR_EMPTY));
    ck_assert(!language_is_tag(STR("n")));
    ck_assert(!language_is_tag(STR("nl-")));
    ck_assert(!language_is_tag(STR("-nl")));
    ck_assert(!language_is_tag(STR("nl--BE")));
    ck_assert(!language_is_tag(STR("n1")));
    ck_assert(!language_is_tag(STR("in Dutch")));
    ck_assert(!language_is_tag(STR("netherlands")));
    ck_assert(!language_is_tag(STR("nl-a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p-q")));
}
END_TEST

START_TEST(case_and_underscores_do_not_matter)
{
    ck_assert(language_equal(STR("nl-BE"), STR("NL_be")));
    ck_assert(!language_equal(STR("nl"), STR("nl-BE")));
    ck_assert(str_is(language_primary(STR("nl_BE")), "nl"));
    ck_assert(str_is(language_primary(STR("nl")), "nl"));
}
END_TEST

static struct phrase both[] = {{STR("nl"), STR("Remblokken")}, {STR("en"), STR("Brake pads")}};
static const struct phrases pads = {both, 2};

START_TEST(the_exact_language_then_its_primary_then_the_default_then_the_first)
{
    static struct phrase belgian[] = {
        {STR("en"), STR("en")}, {STR("nl"), STR("nl")}, {STR("nl-BE"), STR("nl-BE")}};
    const struct phrases three = {belgian, 3};

    ck_assert(str_is(phrases_text(&three, STR("nl-be"), STR("en")), "nl-BE"));
    ck_assert(str_is(phrases_text(&pads, STR("nl-BE"), STR("en")), "Remblokken"));
    ck_assert(str_is(phrases_text(&pads, STR("fr"), STR("en")), "Brake pads"));
    ck_assert(str_is(phrases_text(&pads, STR_EMPTY, STR("en")), "Brake pads"));
    ck_assert(str_is(phrases_text(&pads, STR("fr"), STR_EMPTY), "Remblokken"));
    ck_assert(str_is(phrases_text(&pads, STR("fr"), STR("de")), "Remblokken"));
}
END_TEST

START_TEST(what_states_no_language_is_in_the_default_one)
{
    struct phrase plain[] = {{STR_EMPTY, STR("Brake pads")}};
    const struct phrases one = {plain, 1}, none = {NULL, 0};

    ck_assert_int_eq(phrases_find(&one, STR("en"), STR("en")), 0);
    ck_assert_int_eq(phrases_find(&one, STR("nl"), STR("en")), -1);
    ck_assert(str_is(phrases_text(&one, STR("nl"), STR("en")), "Brake pads"));
    ck_assert_int_eq(phrases_find(&pads, STR("de"), STR("en")), -1);
    ck_assert(str_is(phrases_text(&none, STR("nl"), STR("en")), ""));
}
END_TEST

static const char *say(const char *text, bool so)
{
    static char said[128];
    struct buf out = {0};

    phrase_say(&out, str_of(text), so);
    snprintf(said, sizeof said, "%s", buf_text(&out));
    buf_free(&out);
    return said;
}

START_TEST(brackets_say_what_is_so_and_what_is_not)
{
    ck_assert_str_eq(say("[a|no] car is registered", true), "a car is registered");
    ck_assert_str_eq(say("[a|no] car is registered", false), "no car is registered");
    ck_assert_str_eq(say("the policy is [not] changed", true), "the policy is changed");
    ck_assert_str_eq(say("the policy is [not] changed", false), "the policy is not changed");
    ck_assert_str_eq(say("[Nothing|Something] is [not] known", false), "Something is not known");
    ck_assert_str_eq(say("[not] so", true), "so");
    ck_assert_str_eq(say("so [not]", false), "so not");
    ck_assert_str_eq(say("plain", false), "plain");
    ck_assert(phrase_turns(STR("is [not] so")));
    ck_assert(!phrase_turns(STR("is so")));
    ck_assert(!phrase_turns(STR_EMPTY));
}
END_TEST

START_TEST(brackets_stand_in_pairs)
{
    ck_assert(phrase_fits(STR("a [b|c] d [e] | f")));
    ck_assert(phrase_fits(STR_EMPTY));
    ck_assert(!phrase_fits(STR("a [b")));
    ck_assert(!phrase_fits(STR("a b]")));
    ck_assert(!phrase_fits(STR("[a [b] c]")));
    ck_assert(!phrase_fits(STR("[a|b|c]")));
}
END_TEST

SUITE_MAIN("phrase", a_tag_is_parts_of_letters_and_digits, case_and_underscores_do_not_matter,
           the_exact_language_then_its_primary_then_the_default_then_the_first,
           what_states_no_language_is_in_the_default_one, brackets_say_what_is_so_and_what_is_not,
           brackets_stand_in_pairs)
