#include <stdio.h>

#include "processors/cli/test_coverage.h"
#include "processors/cli/test_junit.h"
#include "processors/cli/test_show.h"
#include "processors/cli/test_timeline.h"
#include "tests/support/decide_run.h"
#include "tests/support/suite.h"

static const struct rule_file rules[] = {
    EVENT_SCHEMAS,
    {"facts.yaml", "weight: {last: event.data.n, of: customer.updated}\n"
                   "often: {count: b.two, over: 2d}\n"
                   "upset: {mark: c.three, for: 2d}\n"
                   "pads: {last: event.data.n, of: c.three, per: event.data.key}\n"
                   "zone: {last: event.data.zone, of: customer.updated, role: time_zone}\n"},
    {"moments/m.yaml",
     "moment: m\ntitle: M\ntier: care\nabout: event.data.key\n"
     "when: [{event: a.one, if: event.data.n > 1.2 * customer.weight, as: x}, "
     "{absent: b.two, for: 14d}]\n"
     "suitable: \"!customer.upset\"\nwithdraw: [{event: b.two}]\n"
     "act:\n  - {channel: phone, say: \"It is {{x.data.n}}\", wait: 3d, outcomes: {done: end}}\n"
     "  - {channel: email, text: x}\n"},
    {"sources.yaml", "shop: {types: b.two, max_silence: 1d}\n"},
    {NULL, NULL}};

static struct arena *arena;
static struct ruleset *set;
static struct diags diags;
static struct buf report, timeline;
static struct coverage *coverage; /* NULL: not asked for */

static void set_up(void)
{
    arena = arena_new(0);
    set = decide_run_compile(rules);
    diags = (struct diags){0};
    report = timeline = (struct buf){0};
    coverage = NULL;
}

static void tear_down(void)
{
    buf_free(&report);
    buf_free(&timeline);
    coverage_free(coverage);
    diags_free(&diags);
    ruleset_free(set);
    arena_free(arena);
}

/* Run a file of one case. */
static enum test_verdict run(const char *body)
{
    struct str text = arena_format(arena,
                                   "test: m\ntime_zone: Europe/Amsterdam\n"
                                   "start: 2026-03-02T09:00:00+01:00\ncases:\n%s",
                                   body);
    struct test_story result;
    struct test_file file;
    enum test_verdict verdict;

    if (!test_file_read(text, "m_test.yaml", arena, &file, &diags))
        return TEST_WRONG;
    ck_assert_uint_eq(file.case_count, 1);
    verdict = test_run_case(set, &file.cases[0], coverage, arena, &result, &diags);
    buf_clear(&report);
    buf_clear(&timeline);
    if (verdict != TEST_WRONG) {
        test_show(&report, &result, STR("m"), false, false);
        test_timeline(&timeline, &result, false);
    }
    return verdict;
}

/* The report, or timeline, has this; else the test stops with what it is. */
static void has(struct buf *text, const char *what)
{
    ck_assert_msg(strstr(buf_text(text), what) != NULL, "no \"%s\" in:\n%s", what, buf_text(text));
}

static bool says(const char *what)
{
    for (size_t i = 0; i < diags.count; i++)
        if (strstr(diags.items[i].what, what) != NULL)
            return true;
    return false;
}

#define A "      - {at: 0d, type: a.one, data: {key: V, n: 1900}}\n"

START_TEST(a_case_passes_when_exactly_the_expected_tasks_came)
{
    ck_assert_int_eq(run("  - name: x\n    given: {weight: 1100}\n    events:\n" A
                         "    until: 30d\n    expect:\n"
                         "      - {at: 14d, task: phone, say: It is 1900, of: m, about: V}\n"
                         "      - {between: [16d, 18d], task: email}\n"),
                     TEST_PASSED);
    has(&report, "expected   {at: 14d, task: phone}  m about V, Mon 16 Mar 09:00\n");
}
END_TEST

START_TEST(a_task_not_listed_fails_the_case_and_its_reasons_are_printed)
{
    ck_assert_int_eq(run("  - name: x\n    given: {weight: 1100}\n    events:\n" A
                         "    until: 15d\n    expect: []\n"),
                     TEST_FAILED);
    has(&report, "came, was not expected: 1");
    has(&report, "unexpected {at: 14d, task: phone}  m about V, Mon 16 Mar 09:00\n"
                 "          say      It is 1900\n"
                 "          yes  pattern ");
    has(&report, "yes  suitable     customer.upset = false (!customer.upset)\n");
}
END_TEST

START_TEST(nothing_has_stayed_out_while_its_source_is_silent)
{
    ck_assert_int_eq(run("  - name: x\n    given: {weight: 1100}\n    events:\n" A
                         "      - {at: 13d, source: shop, silent_for: 3d}\n"
                         "    until: 17d\n    expect:\n"
                         "      - {at: 14d, silent: source_behind}\n"
                         "      - {at: 16d, task: phone}\n"),
                     TEST_PASSED);
    ck_assert_int_eq(run("  - name: x\n    given: {weight: 1100}\n    events:\n" A
                         "      - {at: 13d, source: shop, silent_for: 3d}\n"
                         "    until: 15d\n    expect: []\n"),
                     TEST_PASSED);
}
END_TEST

START_TEST(others_may_be_ahead_in_a_paced_queue)
{
    static const struct rule_file paced[] = {
        EVENT_SCHEMAS,
        {"policy.yaml",
         "channels: {phone: {}}\ntime_zones: [UTC]\n"
         "queues: {team: {hours: {mon-sun: 00-24}, time_zone: UTC, pace: {tasks: 30, per: 1h}}}\n"},
        {"moments/m.yaml", "moment: m\ntitle: M\ntier: care\nwhen: [{event: a.one}]\n"
                           "act: [{channel: phone, queue: team}]\n"},
        {NULL, NULL}};

    ruleset_free(set);
    set = decide_run_compile(paced);
    ck_assert_int_eq(run("  - name: x\n    ahead: {team: 60}\n    events:\n" A
                         "    until: 3h\n    expect:\n"
                         "      - {at: 0d, silent: paced}\n      - {at: 2h, task: phone}\n"),
                     TEST_PASSED);
    ck_assert_int_eq(
        run("  - name: x\n    events:\n" A "    expect:\n      - {at: 0d, task: phone}\n"),
        TEST_PASSED);
    ck_assert_int_eq(run("  - name: x\n    ahead: {teem: 1}\n    events:\n" A "    expect: []\n"),
                     TEST_WRONG);
    ck_assert(says("no queue or channel with a pace is called teem"));
    ck_assert_int_eq(
        run("  - name: x\n    ahead: {team: many}\n    events:\n" A "    expect: []\n"),
        TEST_WRONG);
    ck_assert(says("how many tasks? not many"));
}
END_TEST

START_TEST(an_expected_line_that_did_not_come_is_printed_with_what_came)
{
    ck_assert_int_eq(run("  - name: x\n    given: {weight: 1100}\n    events:\n" A
                         "      - {at: 5d, type: b.two, data: {key: V}}\n"
                         "    until: 30d\n    expect:\n      - {at: 14d, task: phone}\n"),
                     TEST_FAILED);
    has(&report, "line 12: expected, did not come:\n      {at: 14d, task: phone}\n");
    has(&report, "silence    {at: 5d, silent: withdrawn}  m about V, Sat 07 Mar 09:00\n");
}
END_TEST

START_TEST(silences_may_be_listed_and_withdrawals_have_to_be)
{
    ck_assert_int_eq(run("  - name: x\n    given: {weight: 1100}\n    events:\n" A
                         "      - {at: 15d, type: b.two, data: {key: V}}\n"
                         "    expect:\n      - {at: 14d, task: phone}\n"
                         "      - {at: 15d, withdrawn: b.two}\n"
                         "      - {at: 15d, silent: withdrawn}\n"),
                     TEST_PASSED);
    ck_assert_int_eq(run("  - name: x\n    given: {weight: 1100}\n    events:\n" A
                         "      - {at: 15d, type: b.two, data: {key: V}}\n"
                         "    expect:\n      - {at: 14d, task: phone}\n"),
                     TEST_FAILED);
}
END_TEST

START_TEST(facts_can_be_given_of_every_kind)
{
    ck_assert_int_eq(
        run("  - name: x\n    given: {weight: 1100, upset: true, often: 2, pads: {V: 3}}\n"
            "    events:\n" A "    until: 14d\n    expect:\n"
            "      - {at: 14d, task: phone}\n"),
        TEST_PASSED); /* the mark stands two days from the start */
    ck_assert_int_eq(run("  - name: x\n    given: {weight: 1600}\n    events:\n" A
                         "    until: 30d\n    expect: []\n"),
                     TEST_PASSED);
}
END_TEST

START_TEST(an_outcome_is_of_the_last_task)
{
    ck_assert_int_eq(run("  - name: x\n    given: {weight: 1100}\n    events:\n" A
                         "      - {at: 14d2h, outcome: done}\n"
                         "    until: 30d\n    expect:\n      - {at: 14d, task: phone}\n"
                         "      - {at: 14d2h, silent: outcome}\n"),
                     TEST_PASSED);
    ck_assert_int_eq(run("  - name: x\n    given: {weight: 1100}\n    events:\n" A
                         "      - {at: 14d2h, outcome: lost}\n    expect: []\n"),
                     TEST_WRONG);
    ck_assert(says("add final: true or false"));
}
END_TEST

START_TEST(an_event_may_have_happened_before_its_record)
{
    ck_assert_int_eq(run("  - name: x\n    given: {weight: 1100}\n    events:\n"
                         "      - {at: 3d, time: 1d, type: a.one, data: {key: V, n: 1900}}\n"
                         "    until: 16d\n    expect:\n      - {at: 15d, task: phone}\n"),
                     TEST_PASSED);
}
END_TEST

START_TEST(mistakes_in_a_test_are_told_with_what_to_write)
{
    ck_assert_int_eq(run("  - name: x\n    evens: []\n    expect: []\n"), TEST_WRONG);
    ck_assert(says("there is no such key: evens"));
    ck_assert_str_eq(diags.items[0].help, "write events");
    ck_assert_int_eq(run("  - name: x\n    given: {weigth: 1}\n    expect: []\n"), TEST_WRONG);
    ck_assert(says("there is no fact weigth"));
    ck_assert_int_eq(run("  - name: x\n    given: {weight: heavy}\n    expect: []\n"), TEST_WRONG);
    ck_assert(says("a value of type string does not fit the fact weight"));
    ck_assert_int_eq(run("  - name: x\n    expect: [{at: 1d, silent: quiet}]\n"), TEST_WRONG);
    ck_assert(says("there is no reason quiet"));
    ck_assert_int_eq(run("  - name: x\n    events: [{at: 0d, type: a.two}]\n    expect: []\n"),
                     TEST_WRONG);
    ck_assert(says("there is no event type a.two"));
    ck_assert_int_eq(
        run("  - name: x\n    events: [{at: 0d, type: a.one, data: {n: two}}]\n    expect: []\n"),
        TEST_WRONG);
    ck_assert(says("data does not fit its type"));
    ck_assert_int_eq(run("  - name: x\n    todo: [a]\n    expect: []\n"), TEST_WRONG);
    ck_assert(says("\"todo\" needs a text, but here is a list"));
    ck_assert_int_eq(
        run("  - name: x\n    events: [{at: 2d, source: crm, silent_for: 3d}]\n    expect: []\n"),
        TEST_WRONG);
    ck_assert(says("sources.yaml has no source crm"));
    ck_assert_int_eq(run("  - name: x\n    events: [{at: 2d, source: crm}]\n    expect: []\n"),
                     TEST_WRONG);
    ck_assert(says("a source is silent for a span"));
    ck_assert_int_eq(
        run("  - name: x\n    events: [{at: 2d, type: a.one, silent_for: 3d}]\n    expect: []\n"),
        TEST_WRONG);
    ck_assert(says("a source is silent for a span"));
}
END_TEST

START_TEST(the_nearest_thing_that_came_is_compared_with_what_was_expected)
{
#define ONE_TASK "  - name: x\n    given: {weight: 1100}\n    events:\n" A "    until: 15d\n"
    ck_assert_int_eq(run(ONE_TASK "    expect: [{at: 13d, task: phone}]\n"), TEST_FAILED);
    has(&report,
        "      it came at 14d, Mon 16 Mar 09:00: 1d later; if that is right, write at: 14d\n");
    ck_assert_int_eq(run(ONE_TASK "    expect: [{at: 14d, task: phone, say: Nine, about: W}]\n"),
                     TEST_FAILED);
    has(&report, "      but about is \"V\"\n      but say is \"It is 1900\"\n");
    ck_assert_int_eq(run(ONE_TASK "    expect: [{at: 14d, task: email}]\n"), TEST_FAILED);
    has(&report, "      instead a task came: phone\n");
#undef ONE_TASK
}
END_TEST

START_TEST(a_silence_says_which_value_decided_and_since_when)
{
    ck_assert_int_eq(run("  - name: x\n    given: {weight: 1100}\n    events:\n" A
                         "      - {at: 13d, type: c.three}\n    until: 15d\n"
                         "    expect: [{at: 14d, task: phone}]\n"),
                     TEST_FAILED);
    has(&report, "      silent at that time: not_suitable\n");
    has(&report, "no   suitable     customer.upset = true since 1d (!customer.upset)\n");
}
END_TEST

START_TEST(when_nothing_came_the_report_says_how_far_the_moment_got)
{
    ck_assert_int_eq(run("  - name: x\n    given: {weight: 1800}\n    events:\n" A
                         "    until: 15d\n    expect: [{at: 14d, task: phone}]\n"),
                     TEST_FAILED);
    has(&report, "      0d a.one did not do step 1 of 2 (event a.one):\n"
                 "        event.data.n = 1900, customer.weight = 1800 "
                 "(event.data.n > 1.2 * customer.weight)\n");
    ck_assert_int_eq(run("  - name: x\n    given: {weight: 1100}\n    events:\n" A
                         "    until: 13d\n    hint: wait longer\n"
                         "    expect: [{at: 14d, task: phone}]\n"),
                     TEST_FAILED);
    has(&report, "      m about V waits for step 2 of 2 (absent b.two) until 14d; the case ends at "
                 "13d\n");
    has(&report, "    hint: wait longer\n");
    ck_assert_int_eq(run("  - name: x\n    until: 1d\n    expect: [{at: 0d, task: phone}]\n"),
                     TEST_FAILED);
    has(&report, "      no event began m\n");
}
END_TEST

START_TEST(a_timeline_has_a_lane_for_each_kind_and_the_customers_clock)
{
    ck_assert_int_eq(run("  - name: x\n    given: {weight: 1100}\n    events:\n" A
                         "      - {at: 15d, type: b.two, data: {key: V}}\n    until: 20d\n"
                         "    expect: [{at: 14d, task: phone}, {at: 15d, withdrawn: b.two}]\n"),
                     TEST_PASSED);
    has(&timeline, "                0d             5d              10d             15d             "
                   "20d\n"
                   "                +--------------+---------------+---------------+---------------"
                   "+\n"
                   "    events      1                                              4\n"
                   "    timers                                                  2\n"
                   "    tasks                                                   3===\n");
    has(&timeline, "     1  0d       Mon 02 Mar 09:00  event     a.one {key: V, n: 1900}\n");
    has(&timeline,
        "m V: step 1 of 2 (event a.one) done; waits for step 2 of 2 (absent b.two) until "
        "14d\n");
    has(&timeline, "     3  14d      Mon 16 Mar 09:00  task      m V: phone: \"It is 1900\"\n");
    has(&timeline, "     5  15d      Tue 17 Mar 09:00  withdrawn m V: the task is taken back, "
                   "because of b.two\n");
}
END_TEST

/* The same rules with another `suitable`. */
static void compile_with(const char *suitable, struct bundle_file *file)
{
    struct rule_file other[sizeof rules / sizeof rules[0]];
    struct str text =
        arena_replace(arena, str_of(rules[5].text), STR("!customer.upset"), str_of(suitable));

    memcpy(other, rules, sizeof rules);
    other[5].text = text.data;
    *file = (struct bundle_file){STR("moments/m.yaml"), text};
    ruleset_free(set);
    set = decide_run_compile(other);
}

START_TEST(behind_a_not_each_part_is_told_and_covered_for_itself)
{
    struct bundle_file file;
    const struct bundle bundle = {&file, 1};
    struct buf covered = {0};

    compile_with("!(customer.upset || customer.often > 5)", &file);
    coverage = coverage_new();
    coverage_use(coverage, "r", set, &bundle);
    ck_assert_int_eq(run("  - name: x\n    given: {weight: 1100}\n    events:\n" A
                         "      - {at: 13d, type: c.three, data: {key: W}}\n"
                         "    until: 15d\n    expect: [{at: 14d, task: phone}]\n"),
                     TEST_FAILED);
    has(&report, "no   suitable     customer.upset = true since 1d (!(customer.upset || "
                 "customer.often > 5))\n"); /* and nothing of often: it is as it should be */
    coverage_only(coverage, STR("m"));
    coverage_put(coverage, &covered, false);
    has(&covered, "  m       2 of 2      3 of 6 ");
    has(&covered, "  r/moments/m.yaml:6: suitable: customer.upset was never false\n");
    has(&covered, "  r/moments/m.yaml:6: suitable: customer.often > 5 was never true\n");
    ck_assert_ptr_null(strstr(buf_text(&covered), "no case ended")); /* asked of one moment */
    buf_free(&covered);
}
END_TEST

START_TEST(coverage_names_what_no_case_has_reached)
{
    const struct bundle_file file = {STR("moments/m.yaml"), str_of(rules[5].text)};
    const struct bundle bundle = {(struct bundle_file *)(uintptr_t)&file, 1};
    struct buf covered = {0};

    ck_assert_str_eq(rules[5].name, "moments/m.yaml");
    coverage = coverage_new();
    coverage_use(coverage, "r", set, &bundle);
    ck_assert_int_eq(run("  - name: x\n    given: {weight: 1100}\n    events:\n" A
                         "      - {at: 14d2h, outcome: done}\n"
                         "    expect: [{at: 14d, task: phone}, {at: 14d2h, silent: outcome}]\n"),
                     TEST_PASSED);
    coverage_put(coverage, &covered, false);
    has(&covered, "  m       2 of 2      2 of 4      0 of 1      1 of 2      1 of 1\n");
    has(&covered,
        "  r/moments/m.yaml:5: if: event.data.n > 1.2 * customer.weight was never false\n");
    has(&covered, "  r/moments/m.yaml:6: suitable: !customer.upset was never false\n");
    has(&covered, "  r/moments/m.yaml:7: withdraw by b.two never happened\n");
    has(&covered, "  r/moments/m.yaml:10: action 2 (email) was never taken\n");
    has(&covered, "  no case ended for these reasons: withdrawn, broken, ");
    buf_clear(&covered);
    coverage_put_json(coverage, &covered);
    has(&covered, "{\"covers\":\"outcome\",\"moment\":\"m\",\"file\":\"r/moments/m.yaml\","
                  "\"line\":9,\"what\":\"outcome done of action 1 (phone)\",\"count\":1}\n");
    buf_free(&covered);
}
END_TEST

START_TEST(junit_has_a_suite_per_file_and_escapes_what_it_holds)
{
    const struct test_case plain = {.name = STR("a < b"), .place = {NULL, 7, 1}};
    const struct test_case todo = {.name = STR("c"), .todo = STR("later & more")};
    struct junit junit = {0};

    junit_case(&junit, STR("m"), &plain, TEST_PASSED, STR_EMPTY);
    junit_case(&junit, STR("m"), &plain, TEST_FAILED, STR("    first\n  \"second\"\n"));
    junit_case(&junit, STR("m"), &todo, TEST_FAILED, STR("x"));
    junit_suite(&junit, "m_test.yaml", true, STR_EMPTY);
    junit_suite(&junit, "n_test.yaml", false, STR("n_test.yaml:1: error"));
    has(&junit.suites, "  <testsuite name=\"m_test.yaml\" tests=\"3\" failures=\"1\" errors=\"0\" "
                       "skipped=\"1\">\n"
                       "    <testcase classname=\"m\" name=\"a &lt; b\" line=\"7\">\n"
                       "    </testcase>\n");
    has(&junit.suites,
        "<failure message=\"first\">    first&#10;  &quot;second&quot;&#10;</failure>");
    has(&junit.suites, "<skipped message=\"later &amp; more\">");
    has(&junit.suites, "name=\"n_test.yaml\" tests=\"1\" failures=\"0\" errors=\"1\"");
    junit_free(&junit);
}
END_TEST

SUITE_MAIN_AROUND(
    "rule_test", set_up, tear_down, a_case_passes_when_exactly_the_expected_tasks_came,
    a_task_not_listed_fails_the_case_and_its_reasons_are_printed,
    nothing_has_stayed_out_while_its_source_is_silent, others_may_be_ahead_in_a_paced_queue,
    an_expected_line_that_did_not_come_is_printed_with_what_came,
    silences_may_be_listed_and_withdrawals_have_to_be, facts_can_be_given_of_every_kind,
    an_outcome_is_of_the_last_task, an_event_may_have_happened_before_its_record,
    mistakes_in_a_test_are_told_with_what_to_write,
    the_nearest_thing_that_came_is_compared_with_what_was_expected,
    a_silence_says_which_value_decided_and_since_when,
    when_nothing_came_the_report_says_how_far_the_moment_got,
    a_timeline_has_a_lane_for_each_kind_and_the_customers_clock,
    behind_a_not_each_part_is_told_and_covered_for_itself, coverage_names_what_no_case_has_reached,
    junit_has_a_suite_per_file_and_escapes_what_it_holds)
