#include <stdio.h>

#include "tests/support/decide_run.h"
#include "tests/support/suite.h"

static struct decide_run *run;

/* A moment `m` about key with one action on the phone. */
static void open_with(const char *rest)
{
    static char moment[2048];
    struct rule_file files[] = {EVENT_SCHEMAS,
                                {"facts.yaml", "end: {last: timestamp(event.data.zone), "
                                               "of: customer.updated}\n"},
                                {"moments/m.yaml", moment},
                                {NULL, NULL}};

    snprintf(moment, sizeof moment,
             "moment: m\ntitle: M\ntier: service\ndeadline: 1d\nabout: event.data.key\n"
             "act: [{channel: phone, outcomes: {done: end}}]\n%s",
             rest);
    run = decide_run_open(files);
}

#define EVENT(at, type, data) decide_run_event(run, at, type, data)
#define V                     "{\"key\":\"V\",\"zone\":\"2026-03-05T08:00:00Z\",\"n\":2}"
#define CAME(lines)           ck_assert_str_eq(decide_run_lines(run), lines)

START_TEST(a_wait_is_over_exactly_its_length_after_the_step_before)
{
    open_with("when: [{event: a.one}, {wait: 10s}]\n");
    EVENT("0s", "a.one", V);
    EVENT("9s", "a.one", V);
    CAME("");
    decide_run_until(run, "30s");
    CAME("10s m/V task phone\n");
    decide_run_close(run);
}
END_TEST

START_TEST(a_step_after_a_wait_takes_no_event_from_before_its_end)
{
    open_with("when: [{event: a.one}, {wait: 10s}, {event: b.two}]\n");
    EVENT("0s", "a.one", V);
    EVENT("5s", "b.two", V);
    decide_run_late(run, "11s", "9s", "b.two", V, "");
    CAME("");
    decide_run_late(run, "12s", "10s", "b.two", V, "");
    CAME("12s m/V task phone\n");
    decide_run_close(run);
}
END_TEST

START_TEST(a_wait_that_a_late_event_began_in_the_past_is_over_at_once)
{
    open_with("when: [{event: a.one}, {wait: 10s}, {wait: 5s}]\n");
    decide_run_late(run, "1h", "30m", "a.one", V, "");
    decide_run_until(run, "2h");
    CAME("1h m/V task phone\n");
    decide_run_close(run);
}
END_TEST

START_TEST(waiting_can_be_withdrawn)
{
    open_with("when: [{event: a.one}, {wait: 10s}]\nwithdraw: [{event: b.two}]\n");
    EVENT("0s", "a.one", V);
    EVENT("9s", "b.two", V);
    decide_run_until(run, "30s");
    CAME("9s m/V ended withdrawn\n");
    decide_run_close(run);
}
END_TEST

START_TEST(the_time_of_a_wait_can_be_read)
{
    open_with("when: [{event: a.one, as: a}, {wait: 10s, as: w}, {event: b.two}]\n"
              "relevant: w.time == a.time + duration('10s')\n");
    EVENT("0s", "a.one", V);
    EVENT("20s", "b.two", V);
    CAME("20s m/V task phone\n");
    decide_run_close(run);
}
END_TEST

START_TEST(at_is_the_time_that_an_event_names)
{
    open_with("when: [{event: a.one, as: a}, {at: timestamp(a.data.zone) - days(1)}]\n");
    EVENT("0s", "a.one", V); /* 2026-03-02T08:00:00Z */
    decide_run_until(run, "2d");
    CAME("2d m/V task phone\n");
    decide_run_close(run);
}
END_TEST

START_TEST(at_reads_facts_once_when_the_step_before_is_done)
{
    open_with("when: [{event: a.one}, {at: customer.end}]\n");
    EVENT("0s", "customer.updated", V);
    EVENT("1s", "a.one", V);
    EVENT("2s", "customer.updated", "{\"zone\":\"2026-03-04T08:00:00Z\"}");
    decide_run_until(run, "3d");
    CAME("3d m/V task phone\n");
    decide_run_close(run);
}
END_TEST

START_TEST(at_in_the_past_is_at_once_and_not_before_the_step_before)
{
    open_with("when: [{event: a.one, as: a}, {at: a.time - days(3), as: w}, {wait: 10s}]\n"
              "relevant: w.time == a.time\n");
    EVENT("1h", "a.one", V);
    decide_run_until(run, "2h");
    CAME("1h10s m/V task phone\n");
    decide_run_close(run);
}
END_TEST

START_TEST(at_a_time_that_nobody_knows_ends_with_an_error)
{
    open_with("when: [{event: a.one}, {at: customer.end}]\n");
    EVENT("0s", "a.one", V);
    CAME("0s m/V ended error\n");
    EVENT("1s", "customer.updated", V);
    EVENT("2s", "a.one", V); /* the failed one is gone: it opens again */
    decide_run_until(run, "3d");
    CAME("3d m/V task phone\n");
    decide_run_close(run);
}
END_TEST

START_TEST(at_after_a_timer_that_names_no_time_ends_with_an_error)
{
    open_with("when: [{event: a.one}, {wait: 10s}, {at: customer.end}]\n");
    EVENT("0s", "a.one", V);
    decide_run_until(run, "30s");
    CAME("10s m/V ended error\n");
    decide_run_close(run);
}
END_TEST

START_TEST(restart_begins_the_waiting_anew)
{
    open_with("when: [{event: a.one, restart: true}, {wait: 10s}]\n");
    EVENT("0s", "a.one", V);
    EVENT("8s", "a.one", V);
    decide_run_until(run, "30s");
    CAME("18s m/V task phone\n");
    decide_run_close(run);
}
END_TEST

SUITE_MAIN("waits", a_wait_is_over_exactly_its_length_after_the_step_before,
           a_step_after_a_wait_takes_no_event_from_before_its_end,
           a_wait_that_a_late_event_began_in_the_past_is_over_at_once, waiting_can_be_withdrawn,
           the_time_of_a_wait_can_be_read, at_is_the_time_that_an_event_names,
           at_reads_facts_once_when_the_step_before_is_done,
           at_in_the_past_is_at_once_and_not_before_the_step_before,
           at_a_time_that_nobody_knows_ends_with_an_error,
           at_after_a_timer_that_names_no_time_ends_with_an_error, restart_begins_the_waiting_anew)
