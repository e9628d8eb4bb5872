#include <stdio.h>

#include "tests/support/decide_run.h"
#include "tests/support/suite.h"

static struct decide_run *run;

/* A moment `m` about key, unless the rest says otherwise, with one action on the phone. */
static void open_with(const char *rest)
{
    static char moment[2048];
    struct rule_file files[] = {EVENT_SCHEMAS, {"moments/m.yaml", moment}, {NULL, NULL}};

    snprintf(moment, sizeof moment,
             "moment: m\ntitle: M\ntier: service\ndeadline: 1d\n"
             "act: [{channel: phone, outcomes: {done: end}}]\n%s",
             rest);
    run = decide_run_open(files);
}

static void tear_down(void)
{
    decide_run_close(run);
}

static void set_up(void)
{
    run = NULL;
}

#define EVENT(at, type, data) decide_run_event(run, at, type, data)
#define KEY(k)                "{\"key\":\"" k "\"}"
#define CAME(lines)           ck_assert_str_eq(decide_run_lines(run), lines)

/* --- event and within ---------------------------------------------------------------------------- */

START_TEST(steps_come_in_order_and_one_event_is_one_step)
{
    open_with("about: event.data.key\nwhen: [{event: a.one}, {event: a.one}, {event: b.two}]\n");
    EVENT("0s", "b.two", KEY("V"));
    EVENT("1s", "a.one", KEY("V"));
    EVENT("2s", "b.two", KEY("V"));
    EVENT("3s", "a.one", KEY("V"));
    CAME("");
    EVENT("4s", "b.two", KEY("V"));
    CAME("4s m/V task phone\n");
}
END_TEST

START_TEST(within_ends_exactly_its_length_after_the_step_before)
{
    open_with("about: event.data.key\nwhen: [{event: a.one}, {event: b.two, within: 10s}]\n");
    EVENT("0s", "a.one", KEY("V"));
    EVENT("10s", "b.two", KEY("V"));
    CAME("10s m/V ended expired\n");
    EVENT("20s", "a.one", KEY("V"));
    decide_run_late(run, "29s", "29s", "b.two", KEY("V"), "");
    CAME("29s m/V task phone\n");
}
END_TEST

START_TEST(a_step_without_an_end_expires_after_four_hundred_days)
{
    open_with("when: [{event: a.one}, {event: b.two}]\n");
    EVENT("0s", "a.one", KEY("V"));
    decide_run_until(run, "399d");
    CAME("");
    decide_run_until(run, "401d");
    CAME("400d m ended expired\n");
}
END_TEST

/* --- absent -------------------------------------------------------------------------------------- */

START_TEST(what_stays_out_is_noticed_when_it_is_due_and_not_before)
{
    open_with("about: event.data.key\nwhen: [{event: a.one}, {absent: b.two, for: 10s}]\n");
    EVENT("0s", "a.one", KEY("V"));
    decide_run_until(run, "9s");
    CAME("");
    decide_run_until(run, "60s");
    CAME("10s m/V task phone\n");
}
END_TEST

START_TEST(what_comes_after_all_breaks_and_exactly_at_the_end_it_is_too_late_to)
{
    open_with("about: event.data.key\nwhen: [{event: a.one}, {absent: b.two, for: 10s}]\n");
    EVENT("0s", "a.one", KEY("V"));
    EVENT("9s", "b.two", KEY("V"));
    CAME("9s m/V ended broken\n");
    EVENT("20s", "a.one", KEY("W"));
    EVENT("30s", "b.two", KEY("W"));
    CAME("30s m/W task phone\n");
}
END_TEST

START_TEST(what_is_older_than_the_step_before_does_not_break)
{
    open_with("about: event.data.key\nwhen: [{event: a.one}, {absent: b.two, for: 10s}]\n");
    EVENT("5s", "a.one", KEY("V"));
    decide_run_late(run, "6s", "4s", "b.two", KEY("V"), "");
    decide_run_until(run, "15s");
    CAME("15s m/V task phone\n");
}
END_TEST

START_TEST(the_record_that_breaks_is_offered_to_the_first_step)
{
    open_with("about: event.data.key\nwhen: [{event: a.one}, {absent: a.one, for: 10s}]\n");
    EVENT("0s", "a.one", KEY("V"));
    EVENT("5s", "a.one", KEY("V"));
    CAME("5s m/V ended broken\n");
    decide_run_until(run, "20s");
    CAME("15s m/V task phone\n");
}
END_TEST

START_TEST(a_late_event_sets_a_timer_in_the_past_that_fires_right_after_it)
{
    open_with("about: event.data.key\nwhen: [{event: a.one}, {absent: b.two, for: 10s}]\n");
    EVENT("100s", "c.three", "{}");
    decide_run_late(run, "100s", "20s", "a.one", KEY("V"), "");
    CAME("1m40s m/V task phone\n");
}
END_TEST

/* --- about --------------------------------------------------------------------------------------- */

START_TEST(an_event_of_another_about_is_not_mine_and_one_that_lacks_it_is_everybodys)
{
    open_with("about: event.data.key\nwhen: [{event: a.one}, {absent: b.two, for: 10s}]\n");
    EVENT("0s", "a.one", KEY("V"));
    EVENT("0s", "a.one", KEY("W"));
    EVENT("1s", "b.two", KEY("X"));
    CAME("");
    EVENT("2s", "b.two", "{}");
    CAME("2s m/V ended broken\n2s m/W ended broken\n");
}
END_TEST

START_TEST(any_about_lifts_the_rule_of_the_same_about)
{
    open_with("about: event.data.key\nwhen: [{event: a.one}, {event: b.two, any_about: true}]\n");
    EVENT("0s", "a.one", KEY("V"));
    EVENT("1s", "b.two", KEY("X"));
    CAME("1s m/V task phone\n");
}
END_TEST

START_TEST(an_event_without_about_opens_nothing)
{
    open_with("about: event.data.key\nwhen: [{event: a.one}]\n");
    EVENT("0s", "a.one", "{}");
    CAME("");
}
END_TEST

START_TEST(timers_of_one_time_fire_in_order_of_about)
{
    open_with("about: event.data.key\ninstances: 4\n"
              "when: [{event: a.one}, {event: b.two, within: 10s}]\n");
    EVENT("0s", "a.one", KEY("W"));
    EVENT("0s", "a.one", KEY("A"));
    decide_run_until(run, "1m");
    CAME("10s m/A ended expired\n10s m/W ended expired\n");
}
END_TEST

/* --- count --------------------------------------------------------------------------------------- */

START_TEST(so_many_events_less_than_so_long_apart)
{
    open_with("when: [{count: 3, of: a.one, within: 10s}]\n");
    EVENT("0s", "a.one", "{}");
    EVENT("5s", "a.one", "{}");
    EVENT("10s", "a.one", "{}");
    CAME("");
    EVENT("14s", "a.one", "{}");
    CAME("14s m task phone\n");
}
END_TEST

START_TEST(a_count_that_comes_to_nothing_closes_without_a_word)
{
    open_with("when: [{count: 2, of: a.one, within: 10s}]\n");
    EVENT("0s", "a.one", "{}");
    EVENT("10s", "a.one", "{}");
    decide_run_until(run, "1m");
    CAME("");
}
END_TEST

START_TEST(withdraw_sets_the_counting_back)
{
    open_with("when: [{count: 2, of: a.one, within: 10s}]\nwithdraw: [{event: b.two}]\n");
    EVENT("0s", "a.one", "{}");
    EVENT("1s", "b.two", "{}");
    CAME("1s m ended withdrawn\n");
    EVENT("2s", "a.one", "{}");
    CAME("");
    EVENT("3s", "a.one", "{}");
    CAME("3s m task phone\n");
}
END_TEST

START_TEST(late_events_count_in_their_place)
{
    open_with("reason: \"{{m.first.data.n}} {{m.data.n}} {{m.count}}\"\n"
              "when: [{count: 3, of: a.one, within: 10s, as: m}]\n");
    EVENT("20s", "a.one", "{\"n\":3}");
    decide_run_late(run, "21s", "12s", "a.one", "{\"n\":1}", "");
    CAME("");
    decide_run_late(run, "22s", "15s", "a.one", "{\"n\":2}", "");
    CAME("22s m task phone\n");
    ck_assert_ptr_nonnull(strstr(decide_run_task(run), "\"reason\":\"1 3 3\""));
}
END_TEST

/* --- crosses ------------------------------------------------------------------------------------- */

START_TEST(crossing_needs_a_value_on_the_other_side_before)
{
    open_with(
        "about: event.data.key\nwhen: [{crosses: below 3, value: event.data.n, of: a.one}]\n");
    EVENT("0s", "a.one", "{\"key\":\"V\",\"n\":2}");
    EVENT("1s", "a.one", "{\"key\":\"V\",\"n\":1}");
    CAME("");
    EVENT("2s", "a.one", "{\"key\":\"V\",\"n\":3}");
    EVENT("3s", "a.one", "{\"key\":\"V\",\"n\":2.9}");
    CAME("3s m/V task phone\n");
}
END_TEST

START_TEST(a_trembling_value_crosses_once_until_it_was_strictly_beyond_back)
{
    open_with("about: event.data.key\n"
              "when: [{crosses: below 3, value: event.data.n, of: a.one, back: 3.5}]\n");
    EVENT("0s", "a.one", "{\"key\":\"V\",\"n\":4}");
    EVENT("1s", "a.one", "{\"key\":\"V\",\"n\":2.9}");
    CAME("1s m/V task phone\n");
    decide_run_outcome(run, "2s", "done", true);
    CAME("2s m/V ended outcome\n");
    EVENT("3s", "a.one", "{\"key\":\"V\",\"n\":3.5}");
    EVENT("4s", "a.one", "{\"key\":\"V\",\"n\":2.9}");
    CAME("");
    EVENT("5s", "a.one", "{\"key\":\"V\",\"n\":3.6}");
    EVENT("6s", "a.one", "{\"key\":\"V\",\"n\":2.9}");
    CAME("6s m/V task phone\n");
}
END_TEST

START_TEST(the_state_of_a_crossing_goes_on_while_the_instance_is_open)
{
    open_with(
        "about: event.data.key\nwhen: [{crosses: above 10, value: event.data.n, of: a.one}]\n");
    EVENT("0s", "a.one", "{\"key\":\"V\",\"n\":4}");
    EVENT("1s", "a.one", "{\"key\":\"V\",\"n\":11}");
    CAME("1s m/V task phone\n");
    EVENT("2s", "a.one", "{\"key\":\"V\",\"n\":9}");
    decide_run_outcome(run, "3s", "done", true);
    CAME("3s m/V ended outcome\n");
    EVENT("4s", "a.one", "{\"key\":\"V\",\"n\":11}");
    CAME("4s m/V task phone\n");
}
END_TEST

START_TEST(older_late_values_do_not_move_a_crossing)
{
    open_with(
        "about: event.data.key\nwhen: [{crosses: below 3, value: event.data.n, of: a.one}]\n");
    EVENT("10s", "a.one", "{\"key\":\"V\",\"n\":2}");
    decide_run_late(run, "11s", "9s", "a.one", "{\"key\":\"V\",\"n\":5}", "");
    EVENT("12s", "a.one", "{\"key\":\"V\",\"n\":2}");
    CAME("");
}
END_TEST

/* --- withdraw, again, limit, restart ------------------------------------------------------------- */

START_TEST(what_withdraws_is_not_older_than_the_first_step)
{
    open_with("about: event.data.key\nwithdraw: [{event: c.three}]\n"
              "when: [{event: a.one}, {event: b.two}]\n");
    EVENT("5s", "a.one", KEY("V"));
    decide_run_late(run, "6s", "4s", "c.three", KEY("V"), "");
    CAME("");
    decide_run_late(run, "7s", "5s", "c.three", KEY("V"), "");
    CAME("7s m/V ended withdrawn\n");
}
END_TEST

START_TEST(withdrawing_takes_back_the_task_that_is_out)
{
    open_with("about: event.data.key\nwithdraw: [{event: c.three}]\nwhen: [{event: a.one}]\n");
    EVENT("0s", "a.one", KEY("V"));
    EVENT("5s", "c.three", KEY("V"));
    CAME("0s m/V task phone\n5s m/V withdrawn c.three\n5s m/V ended withdrawn\n");
}
END_TEST

START_TEST(again_counts_from_the_task_and_ends_exactly_its_length_later)
{
    open_with("about: event.data.key\nagain: 10d\n"
              "when: [{event: a.one}, {absent: b.two, for: 1d}]\n");
    EVENT("0s", "a.one", KEY("V"));
    decide_run_until(run, "3d");
    CAME("1d m/V task phone\n2d m/V ended chain_over\n");
    EVENT("4d", "a.one", KEY("V"));
    EVENT("5d", "a.one", KEY("V"));
    CAME("4d m/V silent again\n");
    EVENT("5d", "a.one", KEY("W"));
    decide_run_until(run, "10d");
    CAME("6d m/W task phone\n1w m/W ended chain_over\n");
    EVENT("11d", "a.one", KEY("V"));
    decide_run_until(run, "12d");
    CAME("12d m/V task phone\n");
}
END_TEST

START_TEST(a_withdrawn_task_does_not_end_again)
{
    open_with("about: event.data.key\nagain: 10d\nwithdraw: [{event: c.three}]\n"
              "when: [{event: a.one}]\n");
    EVENT("0s", "a.one", KEY("V"));
    EVENT("1s", "c.three", KEY("V"));
    EVENT("2s", "a.one", KEY("V"));
    CAME("0s m/V task phone\n1s m/V withdrawn c.three\n1s m/V ended withdrawn\n"
         "2s m/V silent again\n");
}
END_TEST

START_TEST(the_first_refusal_by_limit_is_told_and_the_next_after_one_has_ended)
{
    open_with("about: event.data.key\ninstances: 1\nwhen: [{event: a.one}, {event: b.two}]\n");
    EVENT("0s", "a.one", KEY("V"));
    EVENT("1s", "a.one", KEY("W"));
    EVENT("2s", "a.one", KEY("X"));
    CAME("1s m/W silent limit\n");
    EVENT("3s", "b.two", KEY("V"));
    decide_run_outcome(run, "4s", "done", true);
    CAME("3s m/V task phone\n4s m/V ended outcome\n");
    EVENT("5s", "a.one", KEY("W"));
    EVENT("6s", "a.one", KEY("X"));
    CAME("6s m/X silent limit\n");
}
END_TEST

START_TEST(restart_begins_anew_while_steps_run)
{
    open_with("about: event.data.key\n"
              "when: [{event: a.one, restart: true}, {absent: b.two, for: 10s}]\n");
    EVENT("0s", "a.one", KEY("V"));
    EVENT("5s", "a.one", KEY("V"));
    decide_run_until(run, "1m");
    CAME("15s m/V task phone\n");
}
END_TEST

START_TEST(an_if_sees_earlier_steps_and_an_error_is_no_match)
{
    open_with(
        "about: event.data.key\n"
        "when: [{event: a.one, as: first}, {event: b.two, if: event.data.n > first.data.n}]\n");
    EVENT("0s", "a.one", "{\"key\":\"V\",\"n\":5}");
    EVENT("1s", "b.two", "{\"key\":\"V\",\"n\":4}");
    EVENT("2s", "b.two", KEY("V"));
    CAME("");
    EVENT("3s", "b.two", "{\"key\":\"V\",\"n\":6}");
    CAME("3s m/V task phone\n");
}
END_TEST

SUITE_MAIN_AROUND("instances", set_up, tear_down, steps_come_in_order_and_one_event_is_one_step,
                  within_ends_exactly_its_length_after_the_step_before,
                  a_step_without_an_end_expires_after_four_hundred_days,
                  what_stays_out_is_noticed_when_it_is_due_and_not_before,
                  what_comes_after_all_breaks_and_exactly_at_the_end_it_is_too_late_to,
                  what_is_older_than_the_step_before_does_not_break,
                  the_record_that_breaks_is_offered_to_the_first_step,
                  a_late_event_sets_a_timer_in_the_past_that_fires_right_after_it,
                  an_event_of_another_about_is_not_mine_and_one_that_lacks_it_is_everybodys,
                  any_about_lifts_the_rule_of_the_same_about, an_event_without_about_opens_nothing,
                  timers_of_one_time_fire_in_order_of_about, so_many_events_less_than_so_long_apart,
                  a_count_that_comes_to_nothing_closes_without_a_word,
                  withdraw_sets_the_counting_back, late_events_count_in_their_place,
                  crossing_needs_a_value_on_the_other_side_before,
                  a_trembling_value_crosses_once_until_it_was_strictly_beyond_back,
                  the_state_of_a_crossing_goes_on_while_the_instance_is_open,
                  older_late_values_do_not_move_a_crossing,
                  what_withdraws_is_not_older_than_the_first_step,
                  withdrawing_takes_back_the_task_that_is_out,
                  again_counts_from_the_task_and_ends_exactly_its_length_later,
                  a_withdrawn_task_does_not_end_again,
                  the_first_refusal_by_limit_is_told_and_the_next_after_one_has_ended,
                  restart_begins_anew_while_steps_run,
                  an_if_sees_earlier_steps_and_an_error_is_no_match)
