/* What becomes of instances that are under way when other rules come into force. */
#include <stdio.h>

#include "processors/decide/adopt.h"
#include "tests/support/decide_run.h"
#include "tests/support/suite.h"

#define HEAD         "moment: m\ntitle: M\ntier: care\nabout: event.data.key\n"
#define OPENED       "{event: a.one, as: car}"
#define ACT          "act: [{channel: phone, wait: 3d}]\n"
#define ABSENT(span) HEAD "when: [" OPENED ", {absent: b.two, for: " span "}]\n" ACT
#define V            "{\"key\":\"V\"}"

static struct ruleset *sets[3];
static struct decide_run *run;

static struct ruleset *set_of(const char *moment)
{
    struct rule_file files[] = {EVENT_SCHEMAS, {"moments/m.yaml", moment}, {NULL, NULL}};

    return decide_run_compile(files);
}

/* One after the other, each with one moment. */
static void open_run(const char *first, const char *second, const char *third)
{
    sets[0] = set_of(first);
    sets[1] = set_of(second);
    sets[2] = set_of(third);
    run = decide_run_open_sets(sets, 3);
}

static void close_run(void)
{
    decide_run_close(run);
    for (size_t i = 0; i < 3; i++)
        ruleset_free(sets[i]);
}

/* Opened at 0, then the first rules are replaced by the second; what is said until 30d. */
static void expect(const char *first, const char *second, const char *at, const char *lines)
{
    open_run(first, second, second);
    decide_run_event(run, "0s", "a.one", V);
    decide_run_activate(run, at, sets[1]);
    decide_run_until(run, "30d");
    ck_assert_str_eq(decide_run_lines(run), lines);
    close_run();
}

START_TEST(who_has_done_only_steps_that_stayed_goes_on)
{
    expect(ABSENT("10d"), HEAD "when: [" OPENED ", {absent: b.two, for: 10d}, {wait: 2d}]\n" ACT,
           "1d", "12d m/V task phone\n15d m/V ended chain_over\n");
    expect(ABSENT("10d"),
           HEAD "when: [" OPENED ", {absent: b.two, for: 10d}]\neligible: 1 < 2\n"
                "act: [{channel: email, wait: 3d}]\n",
           "1d", "10d m/V task email\n13d m/V ended chain_over\n");
}
END_TEST

START_TEST(how_steps_are_written_does_not_matter)
{
    expect(ABSENT("10d"),
           "# the same\n" HEAD "when:\n  - as: vehicle\n    event: [a.one]\n    restart: true\n"
           "  - for: 240h\n    absent: b.two\n" ACT,
           "1d", "10d m/V task phone\n13d m/V ended chain_over\n");
}
END_TEST

START_TEST(who_stands_at_a_step_that_changed_ends_at_once_with_a_reason)
{
    open_run(ABSENT("10d"), ABSENT("5d"), ABSENT("5d"));
    decide_run_event(run, "2d", "a.one", V);
    decide_run_activate(run, "3d", sets[1]);
    ck_assert_str_eq(decide_run_lines(run), "2d m/V ended changed\n"); /* now is that of a record */
    ck_assert_ptr_nonnull(strstr(decide_run_decision(run),
                                 "other rules are in force: the steps up to there are others now"));
    ck_assert_ptr_nonnull(strstr(decide_run_decision(run), sets[1]->hash_hex));
    close_run();
    expect(ABSENT("10d"), HEAD "when: [{event: [a.one, c.three]}, {absent: b.two, for: 10d}]\n" ACT,
           "1d", "0s m/V ended changed\n");
    expect(ABSENT("10d"),
           "moment: m\ntitle: M\ntier: care\nabout: event.data.i\nwhen: [" OPENED
           ", {absent: b.two, for: 10d}]\n" ACT,
           "1d", "0s m/V ended changed\n");
}
END_TEST

START_TEST(keep_goes_on_where_it_stands_under_what_is_written_there_now)
{
    expect(ABSENT("10d"), ABSENT("5d") "on_change: keep\n", "1d",
           "5d m/V task phone\n8d m/V ended chain_over\n");
    expect(ABSENT("10d"), HEAD "when: [" OPENED "]\n" ACT "on_change: keep\n", "1d",
           "0s m/V ended changed\n"); /* there is no second step any more */
}
END_TEST

START_TEST(keep_counts_from_the_step_before_so_time_may_be_over_at_once)
{
    open_run(ABSENT("10d"), ABSENT("5d") "on_change: keep\n", ABSENT("5d"));
    decide_run_event(run, "0s", "a.one", V);
    decide_run_until(run, "7d");
    decide_run_activate(run, "7d", sets[1]);
    ck_assert_str_eq(decide_run_lines(run), "1w m/V task phone\n");
    close_run();
}
END_TEST

START_TEST(restart_begins_again_behind_what_opened_it)
{
    open_run(ABSENT("10d"), ABSENT("5d") "on_change: restart\n", ABSENT("5d"));
    decide_run_event(run, "0s", "a.one", V);
    decide_run_until(run, "2d");
    decide_run_activate(run, "2d", sets[1]);
    decide_run_until(run, "30d");
    ck_assert_str_eq(decide_run_lines(run), "1w m/V task phone\n10d m/V ended chain_over\n");
    close_run();
}
END_TEST

START_TEST(restart_forgets_later_steps_and_keeps_what_the_first_one_said)
{
    const char *three = HEAD "when: [{event: a.one, as: car}, {event: b.two, as: two}, "
                             "{wait: 2d}]\nreason: \"{{car.data.n}} {{two.data.n | none}}\"\n" ACT;

    open_run(three,
             HEAD "when: [{event: a.one, as: car}, {wait: 1d}]\n"
                  "reason: \"{{car.data.n}}\"\n" ACT "on_change: restart\n",
             three);
    decide_run_event(run, "0s", "a.one", "{\"key\":\"V\",\"n\":1}");
    decide_run_event(run, "1d", "b.two", "{\"key\":\"V\",\"n\":2}");
    decide_run_activate(run, "1d", sets[1]);
    decide_run_until(run, "3d");
    ck_assert_str_eq(decide_run_lines(run), "2d m/V task phone\n");
    ck_assert_ptr_nonnull(strstr(decide_run_task(run), "\"reason\":\"1\""));
    close_run();
}
END_TEST

START_TEST(what_opened_it_under_other_words_cannot_begin_again)
{
    expect(ABSENT("10d"),
           HEAD "when: [{event: a.one, if: event.data.n > 3}, {absent: b.two, for: 5d}]\n" ACT
                "on_change: restart\n",
           "1d", "0s m/V ended changed\n");
    expect(ABSENT("10d"), HEAD "when: [{event: a.one}]\n" ACT "on_change: restart\n", "1d",
           "0s m/V ended changed\n"); /* or an activation would send at once to all of them */
}
END_TEST

START_TEST(drop_ends_all_once_and_only_when_steps_change)
{
    expect(ABSENT("10d"),
           HEAD "when: [" OPENED ", {absent: b.two, for: 10d}, {wait: 2d}]\n" ACT
                "on_change: drop\n",
           "1d", "0s m/V ended changed\n");
    expect(ABSENT("10d"), ABSENT("10d") "on_change: drop\n", "1d",
           "10d m/V task phone\n13d m/V ended chain_over\n");
}
END_TEST

START_TEST(a_task_that_is_out_is_taken_back_or_goes_on_but_never_goes_out_again)
{
    static const char back[] = "0s m/V task phone\n0s /V withdrawn \n0s m/V ended changed\n";
    static const char on[] = "0s m/V task phone\n3d m/V ended chain_over\n";
    static const char *const fates[][2] = {{"", back},
                                           {"on_change: drop\n", back},
                                           {"on_change: restart\n", on},
                                           {"on_change: keep\n", on}};

    for (size_t i = 0; i < sizeof fates / sizeof fates[0]; i++) {
        char second[512];

        snprintf(second, sizeof second, "%s%s",
                 HEAD "when: [{event: a.one}, {event: b.two}, {event: c.three}]\n" ACT,
                 fates[i][0]);
        open_run(HEAD "when: [{event: a.one}, {event: b.two}]\n" ACT, second, second);
        decide_run_event(run, "0s", "a.one", V);
        decide_run_event(run, "0s", "b.two", V);
        decide_run_activate(run, "1d", sets[1]);
        decide_run_until(run, "9d");
        ck_assert_str_eq(decide_run_lines(run), fates[i][1]);
        close_run();
    }
}
END_TEST

START_TEST(a_count_under_way_goes_on_when_kept)
{
#define COUNT(n) HEAD "when: [{count: " n ", of: a.one, within: 10d}]\n" ACT
    open_run(COUNT("3"), COUNT("2") "on_change: keep\n", COUNT("4"));
    decide_run_event(run, "0s", "a.one", V);
    decide_run_activate(run, "1d", sets[1]);
    decide_run_event(run, "2d", "a.one", V);
    ck_assert_str_eq(decide_run_lines(run), "2d m/V task phone\n");
    close_run();
    open_run(COUNT("3"), COUNT("2"), COUNT("4"));
    decide_run_event(run, "0s", "a.one", V);
    decide_run_activate(run, "1d", sets[1]);
    ck_assert_str_eq(decide_run_lines(run), "0s m/V ended changed\n");
    close_run();
}
END_TEST

START_TEST(each_activation_that_changes_steps_visits_those_under_way)
{
    open_run(ABSENT("10d"), ABSENT("5d") "on_change: restart\n",
             ABSENT("2d") "on_change: restart\n");
    decide_run_event(run, "0s", "a.one", V);
    decide_run_until(run, "1d");
    decide_run_activate(run, "1d", sets[1]);
    decide_run_until(run, "4d");
    decide_run_activate(run, "4d", sets[2]);
    decide_run_until(run, "5d");
    decide_run_activate(run, "5d", sets[0]); /* on_change is not said there: it ends */
    decide_run_until(run, "30d");
    ck_assert_str_eq(decide_run_lines(run), "5d m/V ended changed\n");
    close_run();
}
END_TEST

START_TEST(a_moment_that_is_gone_ends_at_once)
{
    struct rule_file other[] = {EVENT_SCHEMAS,
                                {"moments/o.yaml", "moment: o\ntitle: O\ntier: care\n"
                                                   "when: [{event: c.three}]\n" ACT},
                                {NULL, NULL}};

    sets[0] = set_of(ABSENT("10d"));
    sets[1] = decide_run_compile(other);
    sets[2] = set_of(ABSENT("10d"));
    run = decide_run_open_sets(sets, 3);
    decide_run_event(run, "0s", "a.one", V);
    decide_run_activate(run, "1d", sets[1]);
    ck_assert_ptr_nonnull(strstr(decide_run_lines(run), "/V ended retired\n"));
    close_run();
}
END_TEST

START_TEST(who_came_by_other_steps_or_stands_where_none_is_ends)
{
    struct ruleset *set = set_of(ABSENT("10d"));
    uint32_t all = set->moments[0].steps[set->moments[0].step_count - 1].upto;
    struct instance in = {.phase = PHASE_STEPS, .step = 1, .went = {.all = all}};

    ck_assert_int_eq(adopt_fate(&set->moments[0], &in), FATE_SAME);
    in.step = 2;
    ck_assert_int_eq(adopt_fate(&set->moments[0], &in), FATE_NO_PLACE);
    in.went = (struct went){1, 2, 3};
    ck_assert_int_eq(adopt_fate(&set->moments[0], &in), FATE_STEPS_DIFFER);
    ck_assert_int_eq(adopt_fate(NULL, &in), FATE_RETIRED);
    ruleset_free(set);
}
END_TEST

SUITE_MAIN("adopt", who_has_done_only_steps_that_stayed_goes_on,
           how_steps_are_written_does_not_matter,
           who_stands_at_a_step_that_changed_ends_at_once_with_a_reason,
           keep_goes_on_where_it_stands_under_what_is_written_there_now,
           keep_counts_from_the_step_before_so_time_may_be_over_at_once,
           restart_begins_again_behind_what_opened_it,
           restart_forgets_later_steps_and_keeps_what_the_first_one_said,
           what_opened_it_under_other_words_cannot_begin_again,
           drop_ends_all_once_and_only_when_steps_change,
           a_task_that_is_out_is_taken_back_or_goes_on_but_never_goes_out_again,
           a_count_under_way_goes_on_when_kept,
           each_activation_that_changes_steps_visits_those_under_way,
           a_moment_that_is_gone_ends_at_once, who_came_by_other_steps_or_stands_where_none_is_ends)
