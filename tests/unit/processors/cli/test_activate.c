/* What may be put in force: `attent activate` before it writes anything. */
#include "processors/cli/activate.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"

#define EVENTS "    events: [{at: 0d, type: order.placed, data: {amount: 5.0}}]\n"
#define SPEAKS "  - name: it speaks\n" EVENTS "    expect: [{at: 0d, task: phone}]\n"
#define SILENT "  - name: it is silent\n    expect: []\n"

static const char *folder(const char *cases)
{
    const char *dir = scratch_dir();
    struct buf test = {0};

    buf_put_format(&test, "test: thanks\nstart: 2026-03-02T09:00:00+01:00\ncases:\n%s", cases);
    scratch_write(dir, "moments/thanks.yaml",
                  "moment: thanks\ntitle: Thanks\ntier: care\nwhen: [{event: order.placed}]\n"
                  "act: [{channel: phone}]\n");
    scratch_write(dir, "schemas/events/order.placed.json",
                  "{\"type\": \"object\", \"properties\": {\"amount\": {\"type\": \"number\"}}}");
    if (cases[0] != '\0')
        scratch_write(dir, "moments/thanks_test.yaml", buf_text(&test));
    buf_free(&test);
    return dir;
}

static bool may_go(const char *cases, bool proved)
{
    struct arena *arena = arena_new(0);
    struct bundle bundle;
    bool may = activate_read_folder(folder(cases), NULL, proved, arena, &bundle);

    arena_free(arena);
    return may;
}

START_TEST(a_moment_has_to_be_shown_speaking_and_silent)
{
    ck_assert(!may_go("", true));
    ck_assert(!may_go(SPEAKS, true));
    ck_assert(!may_go(SILENT, true));
    ck_assert(may_go(SPEAKS SILENT, true));
}
END_TEST

START_TEST(a_case_that_fails_proves_nothing)
{
    ck_assert(!may_go(SPEAKS "  - name: wrong\n" EVENTS "    expect: []\n", true));
}
END_TEST

START_TEST(the_way_out_leaves_the_tests_aside_and_not_the_errors)
{
    const char *dir = folder("");
    struct arena *arena = arena_new(0);
    struct bundle bundle;

    ck_assert(may_go("", false));
    scratch_write(dir, "moments/broken.yaml", "moment: broken\n");
    ck_assert(!activate_read_folder(dir, NULL, false, arena, &bundle));
    arena_free(arena);
}
END_TEST

SUITE_MAIN("activate", a_moment_has_to_be_shown_speaking_and_silent,
           a_case_that_fails_proves_nothing, the_way_out_leaves_the_tests_aside_and_not_the_errors)
