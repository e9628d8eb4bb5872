#include <stdio.h>

#include "tests/support/decide_run.h"
#include "tests/support/suite.h"

static struct decide_run *run;

/* A moment `m` with one action on the phone. */
static void open_with(const char *rest)
{
    static char moment[2048];
    struct rule_file files[] = {EVENT_SCHEMAS, {"moments/m.yaml", moment}, {NULL, NULL}};

    snprintf(moment, sizeof moment,
             "moment: m\ntitle: M\ntier: service\ndeadline: 1d\nabout: event.data.key\n"
             "act: [{channel: phone, outcomes: {done: end}}]\n%s",
             rest);
    run = decide_run_open(files);
}

#define EVENT(at, type, data)      decide_run_event(run, at, type, data)
#define LATE(at, time, type, data) decide_run_late(run, at, time, type, data, "")
#define KEY(k)                     "{\"key\":\"" k "\",\"n\":2}"
#define CAME(lines)                ck_assert_str_eq(decide_run_lines(run), lines)

START_TEST(nothing_is_missed_before_it_has_been_seen_once)
{
    open_with("when: [{every: 10s, of: a.one}]\n");
    decide_run_until(run, "1h");
    CAME("");
    EVENT("1h", "a.one", KEY("V"));
    decide_run_until(run, "1h30s");
    CAME("1h10s m/V task phone\n");
    decide_run_close(run);
}
END_TEST

START_TEST(grace_is_added_and_each_event_counts_anew)
{
    open_with("when: [{every: 10s, of: a.one, grace: 2s}]\n");
    EVENT("0s", "a.one", KEY("V"));
    EVENT("11s", "a.one", KEY("V"));
    EVENT("22s", "a.one", KEY("V"));
    CAME("");
    decide_run_until(run, "1h");
    CAME("34s m/V task phone\n");
    decide_run_close(run);
}
END_TEST

START_TEST(an_event_exactly_when_it_is_due_is_too_late)
{
    open_with("when: [{every: 10s, of: a.one}]\n");
    EVENT("0s", "a.one", KEY("V"));
    EVENT("10s", "a.one", KEY("V"));
    CAME("10s m/V task phone\n");
    decide_run_close(run);
}
END_TEST

START_TEST(the_newest_by_event_time_counts_whatever_the_order_of_arrival)
{
    open_with("when: [{every: 10s, of: a.one}]\n");
    LATE("5s", "5s", "a.one", KEY("V"));
    LATE("6s", "1s", "a.one", KEY("V"));
    LATE("14s", "8s", "a.one", KEY("V"));
    decide_run_until(run, "17s");
    CAME("");
    decide_run_until(run, "18s");
    CAME("18s m/V task phone\n");
    decide_run_close(run);
}
END_TEST

START_TEST(an_event_that_is_too_old_is_missed_at_once)
{
    open_with("when: [{every: 10s, of: a.one}]\n");
    LATE("1h", "30m", "a.one", KEY("V"));
    decide_run_until(run, "1h");
    CAME("1h m/V task phone\n");
    decide_run_close(run);
}
END_TEST

START_TEST(each_about_has_its_own_clock_and_only_matching_events_count)
{
    open_with("when: [{every: 10s, of: [a.one, b.two], if: event.data.n > 1}]\n");
    EVENT("0s", "a.one", KEY("V"));
    EVENT("3s", "a.one", KEY("W"));
    EVENT("5s", "a.one", "{\"key\":\"V\",\"n\":1}");
    EVENT("6s", "b.two", KEY("W"));
    decide_run_until(run, "1h");
    CAME("10s m/V task phone\n16s m/W task phone\n");
    decide_run_close(run);
}
END_TEST

START_TEST(after_the_chain_the_next_event_starts_the_clock_again)
{
    open_with("when: [{every: 10s, of: a.one}]\n");
    EVENT("0s", "a.one", KEY("V"));
    decide_run_until(run, "20s");
    CAME("10s m/V task phone\n");
    EVENT("25s", "a.one", KEY("V")); /* the task is still out: no second instance */
    decide_run_outcome(run, "40s", "done", true);
    decide_run_until(run, "1h");
    CAME("40s m/V ended outcome\n");
    EVENT("2h", "a.one", KEY("V"));
    decide_run_until(run, "3h");
    CAME("2h10s m/V task phone\n");
    decide_run_close(run);
}
END_TEST

START_TEST(as_a_later_step_it_counts_from_the_step_before)
{
    open_with("when: [{event: b.two}, {every: 10s, of: a.one, grace: 5s, as: e}]\n"
              "relevant: e.time == timestamp('2026-03-02T08:00:34Z')\n");
    EVENT("0s", "a.one", KEY("V"));
    EVENT("10s", "b.two", KEY("V"));
    LATE("11s", "9s", "a.one", KEY("V")); /* before the step before */
    EVENT("19s", "a.one", KEY("V"));
    LATE("20s", "15s", "a.one", KEY("V"));
    decide_run_until(run, "33s");
    CAME("");
    decide_run_until(run, "1h");
    CAME("34s m/V task phone\n");
    decide_run_close(run);
}
END_TEST

START_TEST(a_step_may_follow_and_takes_nothing_older_than_the_silence)
{
    open_with("when: [{every: 10s, of: a.one}, {event: b.two}]\n");
    EVENT("0s", "a.one", KEY("V"));
    LATE("11s", "9s", "b.two", KEY("V"));
    CAME("");
    EVENT("12s", "b.two", KEY("V"));
    CAME("12s m/V task phone\n");
    decide_run_close(run);
}
END_TEST

START_TEST(watching_can_be_withdrawn)
{
    open_with("when: [{every: 10s, of: a.one}]\nwithdraw: [{event: b.two}]\n");
    EVENT("0s", "a.one", KEY("V"));
    EVENT("9s", "b.two", KEY("V"));
    decide_run_until(run, "1h");
    CAME("9s m/V ended withdrawn\n");
    decide_run_close(run);
}
END_TEST

START_TEST(withdraw_by_the_same_type_ends_the_chain_not_the_watching)
{
    open_with("when: [{every: 10s, of: a.one}]\nwithdraw: [{event: a.one}]\n");
    EVENT("0s", "a.one", KEY("V"));
    EVENT("9s", "a.one", KEY("V"));
    CAME("");
    decide_run_until(run, "30s");
    CAME("19s m/V task phone\n");
    EVENT("31s", "a.one", KEY("V"));
    CAME("31s m/V withdrawn a.one\n31s m/V ended withdrawn\n");
    decide_run_until(run, "40s");
    CAME(""); /* the opening that ended it began the next watch */
    decide_run_until(run, "41s");
    CAME("41s m/V task phone\n");
    decide_run_close(run);
}
END_TEST

START_TEST(what_ends_a_watch_and_is_not_the_heartbeat_begins_none)
{
    open_with("when: [{every: 10s, of: a.one}]\nwithdraw: [{event: b.two}]\nagain: 1h\n");
    EVENT("0s", "a.one", KEY("V"));
    decide_run_until(run, "10s");
    EVENT("11s", "b.two", KEY("V"));
    EVENT("12s", "a.one", KEY("V")); /* `again` counts for a watch as for any opening */
    decide_run_until(run, "1d");
    CAME("10s m/V task phone\n11s m/V withdrawn b.two\n11s m/V ended withdrawn\n"
         "12s m/V silent again\n");
    decide_run_close(run);
}
END_TEST

START_TEST(what_is_not_the_heartbeat_withdraws_also_while_watching)
{
    open_with("when: [{every: 10s, of: a.one, if: event.data.n > 1}]\n"
              "withdraw: [{event: a.one}]\n");
    EVENT("0s", "a.one", KEY("V"));
    EVENT("5s", "a.one", "{\"key\":\"V\",\"n\":1}");
    CAME("5s m/V ended withdrawn\n");
    decide_run_close(run);
}
END_TEST

START_TEST(after_the_silence_every_as_first_step_is_over_and_withdraw_goes_first)
{
    open_with("when: [{every: 10s, of: a.one}, {wait: 1h}]\nwithdraw: [{event: a.one}]\n");
    EVENT("0s", "a.one", KEY("V"));
    EVENT("20s", "a.one", KEY("V"));
    CAME("20s m/V ended withdrawn\n");
    decide_run_until(run, "1h29s");
    CAME("");
    decide_run_until(run, "1h30s");
    CAME("1h30s m/V task phone\n");
    decide_run_close(run);
}
END_TEST

SUITE_MAIN("every", nothing_is_missed_before_it_has_been_seen_once,
           grace_is_added_and_each_event_counts_anew, an_event_exactly_when_it_is_due_is_too_late,
           the_newest_by_event_time_counts_whatever_the_order_of_arrival,
           an_event_that_is_too_old_is_missed_at_once,
           each_about_has_its_own_clock_and_only_matching_events_count,
           after_the_chain_the_next_event_starts_the_clock_again,
           as_a_later_step_it_counts_from_the_step_before,
           a_step_may_follow_and_takes_nothing_older_than_the_silence, watching_can_be_withdrawn,
           withdraw_by_the_same_type_ends_the_chain_not_the_watching,
           what_ends_a_watch_and_is_not_the_heartbeat_begins_none,
           what_is_not_the_heartbeat_withdraws_also_while_watching,
           after_the_silence_every_as_first_step_is_over_and_withdraw_goes_first)
