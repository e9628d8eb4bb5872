#include "processors/cli/cli.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/scratch.h"
#include "tests/support/suite.h"

static const struct {
    const char *name, *summary, *options, *help;
} verbs[] = {
#define VERB(name, function, summary, arguments, options, help) {name, summary, options, help},
#include "processors/cli/verbs.def"
#undef VERB
};
enum { VERB_COUNT = sizeof verbs / sizeof verbs[0] };

/* What `attent WORDS` prints to standard error; its exit code in *code. */
static const char *stderr_of(int *code, const char *one, const char *two)
{
    const char *path = scratch_path(scratch_dir(), "stderr");
    char *argv[] = {(char *)(uintptr_t) "attent", (char *)(uintptr_t)one, (char *)(uintptr_t)two,
                    NULL};
    const char *kept;
    char *text;

    ck_assert_ptr_nonnull(freopen(path, "w", stderr));
    *code = cli_run(two != NULL ? 3 : one != NULL ? 2 : 1, argv);
    fflush(stderr);
    text = scratch_read(path, NULL);
    ck_assert_ptr_nonnull(text);
    kept = scratch_keep(text);
    free(text);
    return kept;
}

static void ends_with(const char *one, const char *two, int wanted, const char *said)
{
    int code;
    const char *text = stderr_of(&code, one, two);

    ck_assert_int_eq(code, wanted);
    ck_assert_msg(strstr(text, said) != NULL, "%s", text);
}

START_TEST(every_verb_has_help_with_its_options)
{
    for (size_t i = 0; i < VERB_COUNT; i++) {
        struct buf out = {0};
        ck_assert(cli_put_verb_help(&out, verbs[i].name));
        ck_assert_ptr_nonnull(strstr(buf_text(&out), verbs[i].summary));
        ck_assert_ptr_nonnull(strstr(buf_text(&out), verbs[i].help));
        for (size_t o = 0; o < option_spec_count; o++)
            if (option_in(verbs[i].options, str_of(option_specs[o].name)))
                ck_assert_ptr_nonnull(strstr(buf_text(&out), option_specs[o].doc));
        buf_free(&out);
    }
}
END_TEST

START_TEST(every_option_of_the_tables_is_known_and_taken_by_a_verb)
{
    for (size_t o = 0; o < option_spec_count; o++) {
        bool taken = false;
        for (size_t i = 0; i < VERB_COUNT; i++)
            taken |= option_in(verbs[i].options, str_of(option_specs[o].name));
        ck_assert_msg(taken, "no verb takes --%s", option_specs[o].name);
    }
    for (size_t i = 0; i < VERB_COUNT; i++) {
        struct str rest = str_of(verbs[i].options), word;
        while (rest.len != 0) {
            bool known = false;
            if (!str_cut(rest, ' ', &word, &rest)) {
                word = rest;
                rest = STR_EMPTY;
            }
            for (size_t o = 0; o < option_spec_count; o++)
                known |= str_is(word, option_specs[o].name);
            ck_assert_msg(known, "%s takes %.*s", verbs[i].name, STR_ARG(word));
        }
    }
}
END_TEST

START_TEST(the_help_lists_every_verb)
{
    struct buf out = {0};

    cli_put_help(&out);
    for (size_t i = 0; i < VERB_COUNT; i++)
        ck_assert_ptr_nonnull(strstr(buf_text(&out), verbs[i].summary));
    ck_assert(!cli_put_verb_help(&out, "nonsense"));
    buf_free(&out);
}
END_TEST

START_TEST(the_page_of_commands_is_fresh)
{
    char *page = scratch_read("docs/commands.md", NULL);
    struct buf out = {0};

    cli_put_reference(&out);
    ck_assert_ptr_nonnull(page);
    ck_assert_msg(strcmp(buf_text(&out), page) == 0, "docs/commands.md is stale: run `make docs`");
    buf_free(&out);
    free(page);
}
END_TEST

START_TEST(wrong_usage_ends_with_2_and_a_suggestion)
{
    ends_with("topcs", NULL, EXIT_USAGE, "did you mean topics?");
    ends_with("nonsense", NULL, EXIT_USAGE, "attent --help");
    ends_with("topics", "--craete", EXIT_USAGE, "did you mean --create?");
    ends_with("topics", "word", EXIT_USAGE, "\"word\" is too much");
    ends_with("why", NULL, EXIT_USAGE, "CUSTOMER is missing");
    ends_with("list", NULL, EXIT_USAGE, "list: WHAT is missing");
    ends_with("list", "fact", EXIT_USAGE, "did you mean facts?");
    ends_with("help", "topcs", EXIT_USAGE, "did you mean topics?");
    ends_with("test", "--moment=brake", EXIT_USAGE, "no tests of a moment \"brake\"");
    ends_with("topics", "-sx", EXIT_USAGE, "write PATH=VALUE");
    ends_with(NULL, NULL, EXIT_USAGE, "");
}
END_TEST

START_TEST(a_wrong_configuration_ends_with_78)
{
    ends_with("topics", "-spartitions=0", EXIT_CONFIG, "wants a whole number from 1 to 1024");
    ends_with("topics", "-c/no/such/file", EXIT_CONFIG, "open /no/such/file");
    ends_with("activate", "no/such/folder", EXIT_CONFIG, "no/such/folder is not a folder");
    ends_with("test", "no/such/test", EXIT_CONFIG, "no/such/test: there is no such file");
}
END_TEST

START_TEST(a_finding_on_the_command_line_shows_no_line_of_a_file)
{
    int code;
    const char *text = stderr_of(&code, "topics", "-schannels={phone: {connector: fax}}");

    ck_assert_int_eq(code, EXIT_CONFIG);
    ck_assert_ptr_nonnull(strstr(text, "connector is \"fax\", wants contact_centre"));
    ck_assert_ptr_null(strchr(text, '^'));
}
END_TEST

START_TEST(rules_are_checked_with_a_configuration_as_without)
{
    ends_with("check", NULL, EXIT_FINE, "");
    ends_with("check", "-spartitions=3", EXIT_FINE, "");
    ends_with("check", "-spartitions=0", EXIT_CONFIG, "wants a whole number from 1 to 1024");
    ends_with("check", "-srules.folder=no-such", EXIT_CONFIG, "no-such");
}
END_TEST

START_TEST(each_kind_of_failure_has_its_exit_code)
{
    ck_assert_int_eq(cli_exit_code(ERR_NONE), 0);
    ck_assert_int_eq(cli_exit_code(ERR_USAGE), 2);
    ck_assert_int_eq(cli_exit_code(ERR_DOWN), 69);
    ck_assert_int_eq(cli_exit_code(ERR_KAFKA), 69);
    ck_assert_int_eq(cli_exit_code(ERR_CONFIG), 78);
    ck_assert_int_eq(cli_exit_code(ERR_STATE), 78);
    ck_assert_int_eq(cli_exit_code(ERR_PARSE), 1);
}
END_TEST

SUITE_MAIN("cli", every_verb_has_help_with_its_options,
           every_option_of_the_tables_is_known_and_taken_by_a_verb, the_help_lists_every_verb,
           the_page_of_commands_is_fresh, wrong_usage_ends_with_2_and_a_suggestion,
           a_wrong_configuration_ends_with_78,
           a_finding_on_the_command_line_shows_no_line_of_a_file,
           rules_are_checked_with_a_configuration_as_without,
           each_kind_of_failure_has_its_exit_code)
