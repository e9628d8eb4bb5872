#include "processors/cli/rules_folder.h"

#include "core/file.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"

static struct arena *arena;

static bool has(const struct bundle *bundle, const char *name)
{
    for (size_t i = 0; i < bundle->count; i++)
        if (str_is(bundle->files[i].name, name))
            return true;
    return false;
}

static const char *start(void)
{
    arena = arena_new(0);
    return scratch_dir();
}

START_TEST(a_folder_becomes_a_bundle_without_its_tests)
{
    const char *dir = start();
    struct bundle bundle;
    struct str *tests;
    size_t count;

    scratch_write(dir, "facts.yaml", "a: {count: x}\n");
    scratch_write(dir, "moments/b.yaml", "moment: b\n");
    scratch_write(dir, "moments/a.yaml", "moment: a\n");
    scratch_write(dir, "moments/a_test.yaml", "test: a\n");
    scratch_write(dir, "moments/notes.txt", "");
    scratch_write(dir, "schemas/events/x.json", "{}");
    ck_assert_int_eq(rules_folder_read(dir, arena, &bundle, NULL), ERR_NONE);
    ck_assert_uint_eq(bundle.count, 6);
    ck_assert(has(&bundle, BUNDLE_ZONE_DATA)); /* local times are decided by it */
    ck_assert(str_is(bundle_file_text(&bundle, STR(BUNDLE_SEMANTICS)), RULES_SEMANTICS));
    ck_assert(has(&bundle, "facts.yaml") && has(&bundle, "moments/a.yaml"));
    ck_assert(has(&bundle, "schemas/events/x.json") && !has(&bundle, "policy.yaml"));
    for (size_t i = 1; i < bundle.count; i++)
        ck_assert_int_lt(str_compare(bundle.files[i - 1].name, bundle.files[i].name), 0);
    ck_assert_int_eq(rules_folder_tests(dir, arena, &tests, &count, NULL), ERR_NONE);
    ck_assert_uint_eq(count, 1);
    ck_assert(str_ends(tests[0], STR("moments/a_test.yaml")));
    arena_free(arena);
}
END_TEST

START_TEST(schemas_may_lie_beside_the_folder)
{
    const char *top = start();
    const char *dir = arena_format(arena, "%s/rules/", top).data;
    struct bundle bundle;
    struct str path;

    scratch_write(top, "rules/facts.yaml", "");
    scratch_write(top, "schemas/events/x.json", "{}");
    ck_assert_int_eq(rules_folder_read(dir, arena, &bundle, NULL), ERR_NONE);
    ck_assert(has(&bundle, "schemas/events/x.json"));
    path = rules_folder_path(dir, STR("schemas/events/x.json"), arena);
    ck_assert_msg(file_exists(path.data), "%s", path.data);
    arena_free(arena);
}
END_TEST

START_TEST(findings_name_files_that_can_be_opened)
{
    const char *top = start();
    const char *dir = arena_format(arena, "%s/rules", top).data;
    struct diags diags = {0};
    struct bundle bundle;

    scratch_write(top, "rules/facts.yaml", "a: {count: y}\n");
    scratch_write(top, "schemas/events/x.json", "{\"type\": \"nonsense\"}");
    ck_assert_int_eq(rules_folder_read(dir, arena, &bundle, NULL), ERR_NONE);
    ck_assert_ptr_null(rules_folder_compile(dir, &bundle, &diags));
    ck_assert_uint_ge(diags.error_count, 2);
    for (size_t i = 0; i < diags.count; i++)
        ck_assert_msg(file_exists(diags.items[i].place.file), "%s", diags.items[i].place.file);
    diags_free(&diags);
    arena_free(arena);
}
END_TEST

START_TEST(a_folder_without_rules_is_said_to_be_one)
{
    const char *dir = start();
    struct bundle bundle;
    struct err err;

    ck_assert_int_eq(rules_folder_read(dir, arena, &bundle, &err), ERR_IO);
    ck_assert(strstr(err.text, "no facts.yaml") != NULL);
    dir = arena_format(arena, "%s/nothing", dir).data;
    ck_assert_int_eq(rules_folder_read(dir, arena, &bundle, &err), ERR_IO);
    ck_assert(strstr(err.text, "is not a folder") != NULL);
    arena_free(arena);
}
END_TEST

START_TEST(the_shipped_rules_compile)
{
    struct diags diags = {0};
    struct bundle bundle;
    struct ruleset *set;

    start();
    ck_assert_int_eq(rules_folder_read("rules", arena, &bundle, NULL), ERR_NONE);
    set = rules_folder_compile("rules", &bundle, &diags);
    ck_assert_ptr_nonnull(set);
    ck_assert_uint_eq(diags.count, 0);
    ck_assert_int_ge(ruleset_find_moment(set, STR("missed-payment")), 0);
    ck_assert_int_ge(ruleset_find_moment(set, STR("new-car-uninsured")), 0);
    ck_assert_int_ge(ruleset_find_moment(set, STR("brake-pads")), 0);
    ruleset_free(set);
    arena_free(arena);
}
END_TEST

SUITE_MAIN("rules folder", a_folder_becomes_a_bundle_without_its_tests,
           schemas_may_lie_beside_the_folder, findings_name_files_that_can_be_opened,
           a_folder_without_rules_is_said_to_be_one, the_shipped_rules_compile)
