#include "processors/cli/options.h"

#include "processors/cli/cli.h"
#include "tests/support/suite.h"

#define ACCEPTED "config set json last"

static struct arena *arena;
static struct options options;
static struct err err;

static enum err_code parse(const char *const *words)
{
    int argc = 1;
    char **argv;

    while (words[argc - 1] != NULL)
        argc++;
    arena = arena_new(0);
    argv = ARENA_ARRAY(arena, char *, (size_t)argc + 1);
    argv[0] = (char *)(uintptr_t) "verb";
    for (int i = 1; i < argc; i++)
        argv[i] = (char *)(uintptr_t)words[i - 1];
    err = (struct err){0};
    return options_parse(ACCEPTED, argc, argv, arena, &options, &err);
}

#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})

static void refused(enum err_code code, const char *text)
{
    ck_assert_int_eq(code, ERR_USAGE);
    ck_assert_msg(strstr(err.text, text) != NULL, "%s", err.text);
    arena_free(arena);
}

START_TEST(long_options_take_values_after_a_blank_or_an_equals_sign)
{
    ck_assert_int_eq(PARSE("--config", "a.yaml", "--set=x=1", "c-anna", "--json"), ERR_NONE);
    ck_assert_str_eq(options_value(&options, "config"), "a.yaml");
    ck_assert_str_eq(options_value(&options, "set"), "x=1");
    ck_assert(options_has(&options, "json"));
    ck_assert(!options_has(&options, "last"));
    ck_assert_uint_eq(options.argument_count, 1);
    ck_assert_str_eq(options.arguments[0], "c-anna");
    arena_free(arena);
}
END_TEST

START_TEST(letters_take_values_at_once_or_after_a_blank)
{
    ck_assert_int_eq(PARSE("-ca.yaml", "-s", "x=1", "-sy=2"), ERR_NONE);
    ck_assert_str_eq(options_value(&options, "config"), "a.yaml");
    ck_assert_str_eq(options_value(&options, "set"), "y=2"); /* the last */
    ck_assert_uint_eq(options.given_count, 3);
    arena_free(arena);
}
END_TEST

START_TEST(two_dashes_end_the_options)
{
    ck_assert_int_eq(PARSE("--", "--json", "-"), ERR_NONE);
    ck_assert(!options_has(&options, "json"));
    ck_assert_uint_eq(options.argument_count, 2);
    arena_free(arena);
}
END_TEST

START_TEST(what_a_verb_does_not_take_is_refused_with_a_suggestion)
{
    refused(PARSE("--jsno"), "unknown option --jsno");
    refused(PARSE("--confg", "x"), "did you mean --config?");
    refused(PARSE("--role", "decide"), "unknown option --role");
    refused(PARSE("-x"), "unknown option -x");
    refused(PARSE("--config"), "--config wants a value: --config FILE");
    refused(PARSE("-c"), "--config wants a value");
    refused(PARSE("--json=1"), "--json takes no value");
}
END_TEST

START_TEST(numbers_have_a_range)
{
    int64_t number;

    ck_assert_int_eq(PARSE("--last", "7"), ERR_NONE);
    ck_assert_int_eq(options_number(&options, "last", 1, 9, 5, &number, &err), ERR_NONE);
    ck_assert_int_eq(number, 7);
    ck_assert_int_eq(options_number(&options, "last", 1, 6, 5, &number, &err), ERR_USAGE);
    arena_free(arena);
    ck_assert_int_eq(PARSE("--last", "7x"), ERR_NONE);
    ck_assert_int_eq(options_number(&options, "last", 1, 9, 5, &number, &err), ERR_USAGE);
    arena_free(arena);
    ck_assert_int_eq(PARSE("a"), ERR_NONE);
    ck_assert_int_eq(options_number(&options, "last", 1, 9, 5, &number, &err), ERR_NONE);
    ck_assert_int_eq(number, 5);
    arena_free(arena);
}
END_TEST

SUITE_MAIN("options", long_options_take_values_after_a_blank_or_an_equals_sign,
           letters_take_values_at_once_or_after_a_blank, two_dashes_end_the_options,
           what_a_verb_does_not_take_is_refused_with_a_suggestion, numbers_have_a_range)
