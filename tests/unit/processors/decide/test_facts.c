#include <stdio.h>

#include "tests/support/decide_run.h"
#include "tests/support/suite.h"

/* Each `ask` event makes a task whose text is `say`. */
static struct decide_run *run;

static void open_with(const char *facts, const char *say)
{
    run = decide_run_open_asking(facts, say);
}

static const char *ask(const char *at)
{
    return decide_run_ask(run, at, ",\"n\":7");
}

START_TEST(last_takes_the_latest_by_event_time_and_at_equal_times_the_later_record)
{
    open_with("x: {last: event.data.n, of: a.one}\n", "{{customer.x | none}}");
    ck_assert_str_eq(ask("0s"), "none");
    decide_run_event(run, "10s", "a.one", "{\"n\":1}");
    decide_run_late(run, "11s", "9s", "a.one", "{\"n\":2}", "");
    ck_assert_str_eq(ask("12s"), "1");
    decide_run_late(run, "13s", "10s", "a.one", "{\"n\":3}", "");
    ck_assert_str_eq(ask("14s"), "3");
    decide_run_close(run);
}
END_TEST

START_TEST(first_takes_the_earliest_by_event_time_and_at_equal_times_the_earlier_record)
{
    open_with("x: {first: event.data.n, of: a.one}\n", "{{customer.x | none}}");
    decide_run_event(run, "10s", "a.one", "{\"n\":1}");
    decide_run_late(run, "11s", "10s", "a.one", "{\"n\":2}", "");
    ck_assert_str_eq(ask("12s"), "1");
    decide_run_late(run, "13s", "9s", "a.one", "{\"n\":3}", "");
    ck_assert_str_eq(ask("14s"), "3");
    decide_run_close(run);
}
END_TEST

START_TEST(a_window_ends_exactly_its_length_after_an_event)
{
    open_with("x: {count: a.one, over: 10s}\n", "{{customer.x}}");
    decide_run_event(run, "0s", "a.one", "{}");
    decide_run_event(run, "5s", "a.one", "{}");
    ck_assert_str_eq(ask("9s"), "2");
    ck_assert_str_eq(ask("10s"), "1");
    ck_assert_str_eq(ask("15s"), "0");
    decide_run_close(run);
}
END_TEST

START_TEST(an_event_too_late_for_its_window_is_not_counted)
{
    open_with("x: {count: a.one, over: 10s}\n", "{{customer.x}}");
    decide_run_late(run, "20s", "10s", "a.one", "{}", "");
    ck_assert_str_eq(ask("20s"), "0");
    decide_run_late(run, "20s", "11s", "a.one", "{}", "");
    ck_assert_str_eq(ask("20s"), "1");
    ck_assert_str_eq(ask("21s"), "0");
    decide_run_close(run);
}
END_TEST

START_TEST(beyond_the_limit_the_oldest_by_event_time_is_forgotten)
{
    open_with("x: {sum: event.data.n, of: a.one, over: 100s, limit: 2}\n", "{{customer.x}}");
    decide_run_event(run, "10s", "a.one", "{\"n\":1}");
    decide_run_event(run, "11s", "a.one", "{\"n\":10}");
    decide_run_late(run, "12s", "5s", "a.one", "{\"n\":100}", "");
    ck_assert_str_eq(ask("13s"), "11");
    decide_run_event(run, "14s", "a.one", "{\"n\":1000}");
    ck_assert_str_eq(ask("15s"), "1010");
    decide_run_close(run);
}
END_TEST

START_TEST(a_sum_is_made_in_order_of_event_time_whatever_the_order_of_arrival)
{
    open_with("x: {sum: event.data.n, of: a.one, over: 100s}\n",
              "{{customer.x == 0.1 + 0.2 + 0.3}}");
    decide_run_event(run, "3s", "a.one", "{\"n\":0.3}");
    decide_run_late(run, "4s", "1s", "a.one", "{\"n\":0.1}", "");
    decide_run_late(run, "5s", "2s", "a.one", "{\"n\":0.2}", "");
    ck_assert_str_eq(ask("6s"), "true");
    decide_run_close(run);
}
END_TEST

START_TEST(counts_and_sums_since_ever_have_no_window)
{
    open_with("x: {count: a.one}\ny: {sum: event.data.i, of: a.one}\n",
              "{{customer.x}} {{customer.y}}");
    ck_assert_str_eq(ask("0s"), "0 0");
    decide_run_event(run, "0s", "a.one", "{\"i\":5}");
    decide_run_event(run, "400d", "a.one", "{\"i\":-2}");
    ck_assert_str_eq(ask("800d"), "2 3");
    decide_run_close(run);
}
END_TEST

START_TEST(a_mark_stands_until_its_length_after_the_last_event)
{
    open_with("x: {mark: [a.one, b.two], for: 10s}\n", "{{customer.x}}");
    ck_assert_str_eq(ask("0s"), "false");
    decide_run_event(run, "1s", "a.one", "{}");
    decide_run_event(run, "5s", "b.two", "{}");
    decide_run_late(run, "6s", "2s", "a.one", "{}", "");
    ck_assert_str_eq(ask("14s"), "true");
    ck_assert_str_eq(ask("15s"), "false");
    decide_run_close(run);
}
END_TEST

START_TEST(since_is_the_time_of_the_last_event)
{
    open_with("x: {since: a.one}\n", "{{customer.x | never}}");
    ck_assert_str_eq(ask("0s"), "never");
    decide_run_late(run, "10s", "5s", "a.one", "{}", "");
    ck_assert_str_eq(ask("11s"), "2026-03-02T08:00:05Z");
    decide_run_close(run);
}
END_TEST

START_TEST(per_keeps_so_many_keys_and_lets_go_of_the_one_not_updated_for_longest)
{
    open_with("x: {last: event.data.n, of: a.one, per: event.data.key, keys: 2}\n",
              "{{customer.x['A'] | -}} {{customer.x['B'] | -}} {{customer.x['C'] | -}} "
              "{{'A' in customer.x}}");
    decide_run_event(run, "1s", "a.one", "{\"key\":\"A\",\"n\":1}");
    decide_run_event(run, "2s", "a.one", "{\"key\":\"B\",\"n\":2}");
    decide_run_event(run, "3s", "a.one", "{\"key\":\"A\",\"n\":3}");
    ck_assert_str_eq(ask("4s"), "3 2 - true");
    decide_run_event(run, "5s", "a.one", "{\"key\":\"C\",\"n\":4}");
    ck_assert_str_eq(ask("6s"), "3 - 4 true");
    decide_run_close(run);
}
END_TEST

START_TEST(a_count_of_a_key_never_seen_is_zero_and_the_key_is_not_there)
{
    open_with("x: {count: a.one, over: 1d, per: event.data.key}\n"
              "y: {last: event.data.n, of: a.one, per: event.data.key}\n",
              "{{customer.x['A']}} {{'A' in customer.x}} {{customer.y['A'] | none}}");
    ck_assert_str_eq(ask("0s"), "0 false none");
    decide_run_event(run, "1s", "a.one", "{\"key\":\"A\",\"n\":3}");
    ck_assert_str_eq(ask("2s"), "1 true 3");
    decide_run_close(run);
}
END_TEST

START_TEST(before_is_the_fact_without_this_event)
{
    struct rule_file files[] = {EVENT_SCHEMAS,
                                {"facts.yaml", "x: {last: event.data.n, of: c.three}\n"},
                                {"moments/ask.yaml",
                                 "moment: ask\ntitle: Ask\ntier: service\n"
                                 "when: [{event: c.three, if: event.data.n > 1.3 * before.x}]\n"
                                 "act: [{channel: phone}]\n"},
                                {NULL, NULL}};

    run = decide_run_open(files);
    decide_run_event(run, "0s", "c.three", "{\"n\":100}");
    decide_run_event(run, "1s", "c.three", "{\"n\":130}");
    ck_assert_str_eq(decide_run_lines(run), "");
    decide_run_event(run, "2s", "c.three", "{\"n\":170}");
    ck_assert_str_eq(decide_run_lines(run), "2s ask task phone\n");
    decide_run_close(run);
}
END_TEST

START_TEST(only_events_that_meet_the_condition_count)
{
    open_with("x: {count: a.one, if: event.data.n > 3}\n", "{{customer.x}}");
    decide_run_event(run, "1s", "a.one", "{\"n\":3}");
    decide_run_event(run, "2s", "a.one", "{\"n\":4}");
    decide_run_event(run, "3s", "a.one", "{}");
    ck_assert_str_eq(ask("4s"), "1");
    decide_run_close(run);
}
END_TEST

START_TEST(a_default_stands_in_for_what_was_never_set)
{
    open_with("x: {last: event.data.n, of: a.one, default: 4}\n", "{{customer.x}}");
    ck_assert_str_eq(ask("0s"), "4");
    decide_run_close(run);
}
END_TEST

/* A civil time is no value of JSON or of a state; what cannot be read back must not be kept. */
START_TEST(a_value_that_would_not_read_back_is_not_kept)
{
    open_with("x: {last: '[local(event.time)]', of: a.one}\nn: {last: event.data.n, of: a.one}\n",
              "{{customer.n | none}}");
    decide_run_event(run, "1s", "a.one", "{\"n\":1}");
    ck_assert_str_eq(ask("2s"), "1");
    decide_run_close(run);
}
END_TEST

SUITE_MAIN("facts", a_value_that_would_not_read_back_is_not_kept,
           last_takes_the_latest_by_event_time_and_at_equal_times_the_later_record,
           first_takes_the_earliest_by_event_time_and_at_equal_times_the_earlier_record,
           a_window_ends_exactly_its_length_after_an_event,
           an_event_too_late_for_its_window_is_not_counted,
           beyond_the_limit_the_oldest_by_event_time_is_forgotten,
           a_sum_is_made_in_order_of_event_time_whatever_the_order_of_arrival,
           counts_and_sums_since_ever_have_no_window,
           a_mark_stands_until_its_length_after_the_last_event, since_is_the_time_of_the_last_event,
           per_keeps_so_many_keys_and_lets_go_of_the_one_not_updated_for_longest,
           a_count_of_a_key_never_seen_is_zero_and_the_key_is_not_there,
           before_is_the_fact_without_this_event, only_events_that_meet_the_condition_count,
           a_default_stands_in_for_what_was_never_set)
