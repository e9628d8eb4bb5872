#include "core/phrase.h"

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

SUITE_MAIN("phrase", a_tag_is_parts_of_letters_and_digits, case_and_underscores_do_not_matter,
           the_exact_language_then_its_primary_then_the_default_then_the_first,
           what_states_no_language_is_in_the_default_one)
