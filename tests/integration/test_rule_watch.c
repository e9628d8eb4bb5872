/* attent test --watch: started really, a file is saved, and it runs again in under a second. */
#include <signal.h>
#include <stdlib.h>

#include "core/clock.h"
#include "tests/support/process.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"

#define MOMENT(n)                                                                                  \
    "moment: m\ntitle: M\ntier: care\nwhen: [{event: a.one, if: event.data.n > " n "}]\n"          \
    "act: [{channel: phone, say: x}]\n"
#define TEST                                                                                       \
    "test: m\nstart: 2026-03-02T09:00:00Z\ncases:\n  - name: five is enough\n"                     \
    "    events: [{at: 0d, type: a.one, data: {n: 5}}]\n    expect: [{at: 0d, task: phone}]\n"

static const char *dir;

static struct process *start(void)
{
    const char *const argv[] = {"build/asan/attent", "test", "--watch", NULL, NULL};
    const char *given[5];

    dir = scratch_dir();
    scratch_write(
        dir, "schemas/events/a.one.json",
        "{\"title\":\"A\",\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"number\"}}}");
    scratch_write(dir, "moments/m.yaml", MOMENT("3"));
    scratch_write(dir, "moments/m_test.yaml", TEST);
    memcpy(given, argv, sizeof argv);
    given[3] = dir;
    return process_start(given, NULL);
}

START_TEST(a_saved_file_runs_the_tests_again_until_ctrl_c)
{
    struct process *process = start();
    int64_t saved_ms;

    ck_assert(process_wait_output(process, "1 case in 1 file, all passed\nwatching", 20000));
    saved_ms = clock_mono_ms();
    scratch_write(dir, "moments/m.yaml", MOMENT("30"));
    ck_assert(process_wait_output(process, "--- m.yaml was saved\n", 20000));
    ck_assert(process_wait_output(process, "1 of 1 case failed, in 1 of 1 file\nwatching", 20000));
    ck_assert_int_lt(clock_mono_ms() - saved_ms, 1000);
    scratch_write(dir, "moments/m.yaml", "moment: m\n"); /* not even a moment: it goes on */
    ck_assert(process_wait_output(process, "m.yaml:1:1: error", 20000));
    scratch_write(dir, "schemas/events/a.one.json", "{\"type\":\"object\"}");
    ck_assert(process_wait_output(process, "--- a.one.json was saved\n", 20000));
    process_kill(process, SIGINT);
    ck_assert_int_eq(process_wait(process, 20000), 1); /* as the last run ended */
    process_free(process);
}
END_TEST

SUITE_MAIN("rule_watch", a_saved_file_runs_the_tests_again_until_ctrl_c)
