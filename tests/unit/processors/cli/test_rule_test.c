#include <stdio.h>

#include "processors/cli/test_run.h"
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
    {NULL, NULL}};

static struct arena *arena;
static struct ruleset *set;
static struct diags diags;
static struct buf report;

static void set_up(void)
{
    arena = arena_new(0);
    set = decide_run_compile(rules);
    diags = (struct diags){0};
    report = (struct buf){0};
}

static void tear_down(void)
{
    buf_free(&report);
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
    struct test_file file;

    if (!test_file_read(text, "m_test.yaml", arena, &file, &diags))
        return TEST_WRONG;
    ck_assert_uint_eq(file.case_count, 1);
    return test_run_case(set, &file.cases[0], false, arena, &report, &diags);
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
    ck_assert_uint_eq(report.len, 0);
}
END_TEST

START_TEST(a_task_not_listed_fails_the_case_and_its_reasons_are_printed)
{
    ck_assert_int_eq(run("  - name: x\n    given: {weight: 1100}\n    events:\n" A
                         "    until: 15d\n    expect: []\n"),
                     TEST_FAILED);
    ck_assert_ptr_nonnull(strstr(buf_text(&report), "came, was not expected:\n"
                                                    "      {at: 14d, task: phone}   m about V\n"));
    ck_assert_ptr_nonnull(strstr(buf_text(&report), "yes suitable"));
}
END_TEST

START_TEST(an_expected_line_that_did_not_come_is_printed_with_what_came)
{
    ck_assert_int_eq(run("  - name: x\n    given: {weight: 1100}\n    events:\n" A
                         "      - {at: 5d, type: b.two, data: {key: V}}\n"
                         "    until: 30d\n    expect:\n      - {at: 14d, task: phone}\n"),
                     TEST_FAILED);
    ck_assert_ptr_nonnull(strstr(buf_text(&report), "line 12: expected, did not come:\n"
                                                    "      {at: 14d, task: phone}\n"));
    ck_assert_ptr_nonnull(strstr(buf_text(&report), "{at: 5d, silent: withdrawn}"));
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
    ck_assert(says("unknown key evens"));
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
    ck_assert_int_eq(
        run("  - name: x\n    events: [{at: 2d, source: crm, silent_for: 3d}]\n    expect: []\n"),
        TEST_WRONG);
    ck_assert(says("not there yet"));
}
END_TEST

SUITE_MAIN_AROUND("rule_test", set_up, tear_down,
                  a_case_passes_when_exactly_the_expected_tasks_came,
                  a_task_not_listed_fails_the_case_and_its_reasons_are_printed,
                  an_expected_line_that_did_not_come_is_printed_with_what_came,
                  silences_may_be_listed_and_withdrawals_have_to_be,
                  facts_can_be_given_of_every_kind, an_outcome_is_of_the_last_task,
                  an_event_may_have_happened_before_its_record,
                  mistakes_in_a_test_are_told_with_what_to_write)
