#include <stdio.h>

#include "tests/support/decide_run.h"
#include "tests/support/suite.h"

/* Each `ask` event makes a task whose reason is what a text gives at that time. */
static struct decide_run *run;

static void open_with(const char *facts, const char *say)
{
    run = decide_run_open_asking(facts, say);
}

static const char *ask(const char *at)
{
    return decide_run_ask(run, at, "");
}

static void tell(const char *at, double n)
{
    char data[64];

    snprintf(data, sizeof data, "{\"n\":%.17g,\"i\":%d,\"key\":\"K%d\"}", n, (int)n, (int)n);
    decide_run_event(run, at, "a.one", data);
}

START_TEST(least_most_and_mean_are_of_the_window_and_absent_when_it_is_empty)
{
    open_with("a: {min: event.data.n, of: a.one, over: 10s}\n"
              "b: {max: event.data.n, of: a.one, over: 10s}\n"
              "c: {mean: event.data.n, of: a.one, over: 10s}\n",
              "{{customer.a | -}} {{customer.b | -}} {{customer.c | -}}");
    ck_assert_str_eq(ask("0s"), "- - -");
    tell("1s", 4);
    tell("2s", -2);
    tell("3s", 1);
    ck_assert_str_eq(ask("4s"), "-2 4 1");
    ck_assert_str_eq(ask("11s"), "-2 1 -0.5");
    ck_assert_str_eq(ask("12s"), "1 1 1");
    ck_assert_str_eq(ask("13s"), "- - -");
    decide_run_close(run);
}
END_TEST

START_TEST(least_most_and_mean_since_ever_need_no_window)
{
    open_with("a: {min: event.data.i, of: a.one, default: 0}\n"
              "b: {max: event.data.i, of: a.one}\n"
              "c: {mean: event.data.i, of: a.one}\n",
              "{{customer.a}} {{customer.b | -}} {{customer.c | -}}");
    ck_assert_str_eq(ask("0s"), "0 - -");
    tell("1s", 4);
    tell("100d", 5);
    ck_assert_str_eq(ask("200d"), "4 5 4.5");
    decide_run_close(run);
}
END_TEST

START_TEST(different_values_count_once_and_from_their_last_event)
{
    open_with("x: {distinct: event.data.key, of: a.one, over: 10s, limit: 3}\n", "{{customer.x}}");
    ck_assert_str_eq(ask("0s"), "0");
    tell("1s", 1);
    tell("2s", 2);
    tell("3s", 1);
    ck_assert_str_eq(ask("4s"), "2");
    ck_assert_str_eq(ask("12s"), "1"); /* K2 is out, K1 was seen again */
    ck_assert_str_eq(ask("13s"), "0");
    for (int i = 0; i < 5; i++)
        tell("20s", i);
    ck_assert_str_eq(ask("20s"), "3");
    decide_run_close(run);
}
END_TEST

START_TEST(a_late_event_does_not_make_a_value_older)
{
    open_with("x: {distinct: event.data.n, of: a.one, over: 10s}\n", "{{customer.x}}");
    tell("5s", 1);
    decide_run_late(run, "6s", "2s", "a.one", "{\"n\":1.0}", "");
    ck_assert_str_eq(ask("14s"), "1");
    ck_assert_str_eq(ask("15s"), "0");
    decide_run_close(run);
}
END_TEST

START_TEST(a_trend_is_the_slope_per_day_of_three_points_at_two_times)
{
    open_with("x: {trend: event.data.n, of: a.one, over: 30d}\n", "{{customer.x | -}}");
    tell("0d", 10);
    tell("1d", 8);
    ck_assert_str_eq(ask("1d"), "-");
    tell("2d", 6);
    ck_assert_str_eq(ask("2d"), "-2");
    ck_assert_str_eq(ask("30d"), "-"); /* two points are left */
    decide_run_close(run);
}
END_TEST

START_TEST(three_points_at_one_time_have_no_trend)
{
    open_with("x: {trend: event.data.n, of: a.one, over: 30d, default: 0}\n", "{{customer.x}}");
    for (int i = 0; i < 3; i++)
        tell("1d", i);
    ck_assert_str_eq(ask("1d"), "0");
    tell("2d", 3);
    ck_assert_str_eq(ask("2d"), "2");
    decide_run_close(run);
}
END_TEST

START_TEST(the_order_of_arrival_does_not_change_the_last_bit)
{
    open_with("x: {mean: event.data.n, of: a.one, over: 100s}\n",
              "{{customer.x == (0.1 + 0.2 + 0.3) / 3.0}}");
    tell("3s", 0.3);
    decide_run_late(run, "4s", "1s", "a.one", "{\"n\":0.1}", "");
    decide_run_late(run, "5s", "2s", "a.one", "{\"n\":0.2}", "");
    ck_assert_str_eq(ask("6s"), "true");
    decide_run_close(run);
}
END_TEST

START_TEST(in_buckets_an_event_counts_from_the_start_of_its_utc_step)
{
    open_with("x: {count: a.one, over: 3h, step: 1h}\n"
              "y: {mean: event.data.n, of: a.one, over: 3h, step: 1h}\n"
              "z: {max: event.data.n, of: a.one, over: 3h, step: 1h}\n",
              "{{customer.x}} {{customer.y | -}} {{customer.z | -}}");
    tell("59m", 1); /* 08:59 UTC: of the bucket of 08:00 */
    tell("61m", 3);
    tell("62m", 5);
    ck_assert_str_eq(ask("2h59m"), "3 3 5");
    ck_assert_str_eq(ask("3h"), "2 4 5");
    decide_run_late(run, "3h", "119m", "a.one", "{\"n\":10}", "");
    decide_run_late(run, "3h", "59m", "a.one", "{\"n\":99}", "");
    ck_assert_str_eq(ask("3h59m"), "3 6 10");
    ck_assert_str_eq(ask("4h"), "0 - -");
    decide_run_close(run);
}
END_TEST

START_TEST(buckets_have_no_limit)
{
    open_with("x: {count: a.one, over: 1d, step: 1d}\n", "{{customer.x}}");
    for (int i = 0; i < 400; i++)
        tell("1s", 1);
    ck_assert_str_eq(ask("2s"), "400");
    decide_run_close(run);
}
END_TEST

START_TEST(a_key_whose_window_is_empty_is_as_one_never_seen)
{
    open_with("x: {max: event.data.n, of: a.one, over: 10s, per: event.data.key}\n"
              "s: {sum: event.data.i, of: a.one, per: event.data.key}\n",
              "{{customer.x['K3'] | -}} {{'K3' in customer.x}} {{customer.s['K3'] + 1}}");
    tell("0s", 3);
    ck_assert_str_eq(ask("9s"), "3 true 4");
    ck_assert_str_eq(ask("10s"), "- false 4");
    decide_run_close(run);
}
END_TEST

SUITE_MAIN("amounts", least_most_and_mean_are_of_the_window_and_absent_when_it_is_empty,
           least_most_and_mean_since_ever_need_no_window,
           different_values_count_once_and_from_their_last_event,
           a_late_event_does_not_make_a_value_older,
           a_trend_is_the_slope_per_day_of_three_points_at_two_times,
           three_points_at_one_time_have_no_trend,
           the_order_of_arrival_does_not_change_the_last_bit,
           in_buckets_an_event_counts_from_the_start_of_its_utc_step, buckets_have_no_limit,
           a_key_whose_window_is_empty_is_as_one_never_seen)
