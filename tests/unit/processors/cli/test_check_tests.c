/* What tests say about doubtful things, and what is said of moments without tests. */
#include "processors/cli/rules_check.h"

#include "processors/cli/rules_folder.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"

static const char policy[] = "tiers: {care: {consent: opt_out}}\n"
                             "quiet: [{hours: 21-08}]\n"
                             "channels: {chat: }\n";
static const char moment[] = "moment: hello\n"
                             "title: Hello\n"
                             "tier: care\n"
                             "when:\n"
                             "  - event: a.one\n"
                             "deadline: 5m\n"
                             "act:\n"
                             "  - channel: chat\n";

static const char *folder(const char *test)
{
    const char *dir = scratch_dir();

    scratch_write(dir, "policy.yaml", policy);
    scratch_write(dir, "moments/hello.yaml", moment);
    scratch_write(dir, "schemas/events/a.one.json", "{\"type\":\"object\"}");
    if (test != NULL)
        scratch_write(dir, "moments/hello_test.yaml", test);
    return dir;
}

/* How many findings of a code there are. */
static int found(const char *dir, bool strict, const char *code, size_t *errors)
{
    struct arena *arena = arena_new(0);
    struct diags diags = {0};
    struct bundle bundle;
    struct ruleset *set;
    int count = 0;

    ck_assert_int_eq(rules_folder_read(dir, arena, &bundle, NULL), ERR_NONE);
    ck_assert_int_eq(rules_check(dir, &bundle, NULL, strict, &set, &diags, NULL), ERR_NONE);
    for (size_t i = 0; i < diags.count; i++)
        count += strcmp(diags.items[i].code, code) == 0;
    *errors = diags.error_count;
    diags_free(&diags);
    ruleset_free(set);
    arena_free(arena);
    return count;
}

#define CASES(silent)                                                                              \
    "test: hello\n"                                                                                \
    "time_zone: UTC\n"                                                                             \
    "start: 2026-03-02T12:00:00Z\n"                                                                \
    "cases:\n"                                                                                     \
    "  - {name: it speaks, events: [{at: 0d, type: a.one}], expect: [{at: 0d, task: chat}]}\n"     \
    "  - {name: at night it does not, events: [{at: 10h, type: a.one}], expect: [" silent "]}\n"

START_TEST(a_moment_without_a_test_is_found)
{
    const char *dir = folder(NULL);
    size_t errors;

    ck_assert_int_eq(found(dir, false, "no-test", &errors), 1);
    ck_assert_uint_eq(errors, 0);
    ck_assert_int_eq(found(dir, true, "no-test", &errors), 1);
    ck_assert_uint_ge(errors, 1);
    ck_assert_int_eq(found(folder(CASES("")), false, "no-test", &errors), 0);
    ck_assert_int_eq(found(folder("test: hello\nstart: 2026-03-02T12:00:00Z\ncases: []\n"), false,
                           "no-test", &errors),
                     1);
    ck_assert_uint_eq(errors, 1);
}
END_TEST

START_TEST(a_case_that_expects_the_silence_answers_the_doubt)
{
    size_t errors;

    ck_assert_int_eq(found(folder(CASES("")), false, "no-time", &errors), 1);
    ck_assert_uint_eq(errors, 0);
    ck_assert_int_eq(found(folder(CASES("")), true, "no-time", &errors), 1);
    ck_assert_uint_eq(errors, 1);
    ck_assert_int_eq(found(folder(CASES("{at: 10h, silent: no_slot}")), true, "no-time", &errors),
                     0);
    ck_assert_uint_eq(errors, 0);
}
END_TEST

SUITE_MAIN("check tests", a_moment_without_a_test_is_found,
           a_case_that_expects_the_silence_answers_the_doubt)
