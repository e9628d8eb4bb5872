/* Which language an action speaks, and what `attent check` says of languages that are missing. */
#include <stdio.h>

#include "core/mem.h"
#include "rules/moment/ruleset.h"
#include "tests/support/suite.h"

static struct ruleset *set;
static struct diags diags;

/* One moment, whose only action has these texts. */
static void compile(const char *languages, const char *texts)
{
    struct buf moment = {0}, policy = {0};
    struct bundle_file files[] = {
        {STR("moments/m.yaml"), STR_EMPTY},
        {STR("policy.yaml"), STR_EMPTY},
        {STR("schemas/events/a.one.json"), STR("{\"type\":\"object\"}")},
    };
    struct bundle bundle = {files, sizeof files / sizeof files[0]};

    buf_put_format(&policy, "channels: {phone: }\n%s", languages);
    buf_put_format(&moment,
                   "moment: m\ntitle: {en: M, nl: M}\ntier: care\nwhen: [{event: a.one}]\n"
                   "act:\n  - {channel: phone, %s}\n",
                   texts);
    files[0].text = buf_str(&moment);
    files[1].text = buf_str(&policy);
    set = ruleset_compile(&bundle, NULL, &diags);
    ck_assert_msg(set != NULL, "%s", diags.count != 0 ? diags.items[0].what : "");
    buf_free(&moment);
    buf_free(&policy);
}

static void drop(void)
{
    ruleset_free(set);
    diags_free(&diags);
}

static const char *language(const char *wanted)
{
    static char text[64];
    struct str found =
        act_language(set, &set->moments[0], &set->moments[0].acts[0], str_of(wanted));

    snprintf(text, sizeof text, "%.*s", STR_ARG(found));
    return text;
}

#define BOTH "languages: [en, nl]"

START_TEST(an_action_speaks_the_customers_language_or_the_default)
{
    compile(BOTH, "say: {en: Hello, nl: Dag}");
    ck_assert_str_eq(language("nl"), "nl");
    ck_assert_str_eq(language("NL_be"), "nl");
    ck_assert_str_eq(language("en-GB"), "en");
    ck_assert_str_eq(language("fr"), "en");
    ck_assert_str_eq(language(""), "en");
    ck_assert_uint_eq(diags.count, 0);
    drop();
}
END_TEST

START_TEST(an_action_never_mixes_languages_that_it_need_not_mix)
{
    compile(BOTH, "subject: {en: Hello}, text: {en: Hello, nl: Dag}");
    ck_assert_str_eq(language("nl"), "en");
    ck_assert_uint_eq(diags.count, 1);
    ck_assert_str_eq(diags.items[0].code, "language-missing");
    ck_assert_str_eq(diags.items[0].what, "\"subject\" is not written in nl");
    ck_assert_int_eq(diags.items[0].level, DIAG_WARNING);
    drop();
}
END_TEST

START_TEST(a_plain_text_is_in_the_default_language)
{
    compile(BOTH, "say: Hello");
    ck_assert_str_eq(language("nl"), "en");
    ck_assert_uint_eq(diags.count, 1);
    ck_assert_str_eq(diags.items[0].what, "\"say\" is not written in nl");
    drop();
}
END_TEST

START_TEST(a_language_that_the_policy_does_not_name_is_a_likely_mistake)
{
    compile(BOTH, "say: {en: Hello, nl: Dag, ml: Hello}");
    ck_assert_uint_eq(diags.count, 1);
    ck_assert_str_eq(diags.items[0].code, "language-unknown");
    ck_assert_str_eq(diags.items[0].what, "the policy has no language \"ml\"");
    drop();
}
END_TEST

START_TEST(without_languages_in_the_policy_the_first_written_is_the_last_resort)
{
    compile("", "say: {nl: Dag, en: Hello}");
    ck_assert_str_eq(language("en"), "en");
    ck_assert_str_eq(language("fr"), "nl");
    ck_assert_uint_eq(diags.count, 0);
    drop();
    compile("", "say: Hello");
    ck_assert_str_eq(language("nl"), "");
    drop();
}
END_TEST

START_TEST(an_action_without_words_speaks_the_language_of_the_reason)
{
    compile(BOTH, "wait: 3d}\nreason: {en: Because, nl: Omdat");
    ck_assert_str_eq(language("nl"), "nl");
    drop();
}
END_TEST

SUITE_MAIN("texts", an_action_speaks_the_customers_language_or_the_default,
           an_action_never_mixes_languages_that_it_need_not_mix,
           a_plain_text_is_in_the_default_language,
           a_language_that_the_policy_does_not_name_is_a_likely_mistake,
           without_languages_in_the_policy_the_first_written_is_the_last_resort,
           an_action_without_words_speaks_the_language_of_the_reason)
