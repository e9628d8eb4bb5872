#include <stdio.h>

#include "tests/support/decide_run.h"
#include "tests/support/suite.h"

static struct decide_run *run;

/* A moment at each a.one, calling queue q, under a policy. */
static void open_with(const char *policy, const char *deadline)
{
    static char text[2048], moment[1024];
    struct rule_file files[] = {
        EVENT_SCHEMAS,
        {"facts.yaml", "zone: {last: event.data.zone, of: customer.updated, role: time_zone}\n"
                       "wish: {last: event.data.email, of: customer.updated, role: hours}\n"},
        {"policy.yaml", text},
        {"moments/m.yaml", moment},
        {NULL, NULL}};

    snprintf(text, sizeof text, "channels: {phone: {}}\n%s", policy);
    snprintf(moment, sizeof moment,
             "moment: m\ntitle: M\ntier: service\nabout: event.data.key\ndeadline: %s\n"
             "when: [{event: a.one}]\nact: [{channel: phone%s}]\n",
             deadline, strstr(policy, "queues:") != NULL ? ", queue: q" : "");
    run = decide_run_open(files);
}

static void set_up(void)
{
    run = NULL;
}

static void tear_down(void)
{
    decide_run_close(run);
}

/* An event at that time; what comes until an hour before the next. */
static const char *at(const char *time, const char *until)
{
    decide_run_event(run, time, "a.one", "{\"key\":\"V\"}");
    decide_run_until(run, until);
    return decide_run_lines(run);
}

static void lives_in(const char *zone)
{
    char data[128];

    snprintf(data, sizeof data, "{\"zone\":\"%s\"}", zone);
    decide_run_event(run, "0s", "customer.updated", data);
}

#define QUIET "quiet: [{hours: 21-08}]\n"

START_TEST(quiet_hours_are_the_customers_own)
{
    open_with(QUIET "time_zones: [UTC]\n", "7d");
    lives_in("America/New_York"); /* 08:00Z is 03:00 there; eight o'clock is 13:00Z */
    ck_assert_str_eq(at("0s", "6h"), "0s m/V hold quiet_hours 5h\n5h m/V task phone\n");
}
END_TEST

START_TEST(a_channel_that_answers_is_not_held_by_quiet_hours)
{
    static const char policy[] = "quiet: [{hours: 21-08}]\ntime_zones: [UTC]\n"
                                 "channels: {phone: {quiet: false}}\n";
    struct rule_file files[] = {EVENT_SCHEMAS,
                                {"policy.yaml", policy},
                                {"moments/m.yaml",
                                 "moment: m\ntitle: M\ntier: service\nabout: event.data.key\n"
                                 "when: [{event: a.one}]\nact: [{channel: phone}]\n"},
                                {NULL, NULL}};

    run = decide_run_open(files);
    ck_assert_str_eq(at("15h", "15h"), "15h m/V task phone\n"); /* 23:00 */
}
END_TEST

START_TEST(of_unknown_zone_it_has_to_be_decent_everywhere)
{
    open_with(QUIET "time_zones: [Europe/Amsterdam, America/New_York]\n", "7d");
    ck_assert_str_eq(at("0s", "6h"), "0s m/V hold quiet_hours 5h\n5h m/V task phone\n");
    lives_in("Europe/Amsterdam");
    decide_run_outcome(run, "6h", "done", true);
    decide_run_lines(run);
    ck_assert_str_eq(at("7h", "8h"), "7h m/V task phone\n");
}
END_TEST

START_TEST(an_unknown_zone_name_is_an_unknown_zone)
{
    open_with(QUIET "time_zones: [America/New_York]\n", "7d");
    lives_in("Mars/Olympus");
    ck_assert_str_eq(at("0s", "6h"), "0s m/V hold quiet_hours 5h\n5h m/V task phone\n");
}
END_TEST

START_TEST(at_the_last_minute_it_is_decent_and_on_the_hour_it_is_quiet)
{
    open_with(QUIET "time_zones: [UTC]\n", "7d");
    ck_assert_str_eq(at("12h59m59s", "12h59m59s"), "12h59m59s m/V task phone\n");
    decide_run_outcome(run, "12h59m59s", "done", true);
    decide_run_lines(run);
    ck_assert_str_eq(at("13h", "1d"), "13h m/V hold quiet_hours 1d\n1d m/V task phone\n");
}
END_TEST

/* On Sunday 29 March 2026 the clocks in Amsterdam go from 02:00 to 03:00, so eight o'clock comes
 * 23 hours after eight o'clock on Saturday; on 25 October it is 25 hours. */
START_TEST(when_clocks_go_forward_the_morning_comes_an_hour_sooner)
{
    open_with(QUIET "time_zones: [Europe/Amsterdam]\n", "7d");
    ck_assert_str_eq(at("26d14h", "27d"), /* Saturday 23:00 local; Sunday 08:00 is 06:00Z */
                     "26d14h m/V hold quiet_hours 26d22h\n26d22h m/V task phone\n");
}
END_TEST

START_TEST(when_clocks_go_back_the_night_is_longer)
{
    open_with(QUIET "time_zones: [Europe/Amsterdam]\n", "7d");
    ck_assert_str_eq(at("236d12h", "238d"), /* Saturday 24 October 22:00 local, to 07:00Z */
                     "236d12h m/V hold quiet_hours 236d23h\n236d23h m/V task phone\n");
}
END_TEST

START_TEST(a_queue_has_hours_and_holidays_on_its_own_clock)
{
    open_with("queues: {q: {hours: {mon-fri: 08-18}, time_zone: Europe/Amsterdam, "
              "holidays: [2026-03-03]}}\n",
              "7d");
    /* Monday 18:30 local; Tuesday is a holiday; Wednesday 08:00 local is 07:00Z */
    ck_assert_str_eq(at("9h30m", "3d"),
                     "9h30m m/V hold queue_closed 1d23h\n1d23h m/V task phone\n");
}
END_TEST

START_TEST(both_the_customer_and_the_queue_have_to_be_awake)
{
    open_with(QUIET "queues: {q: {hours: {mon-fri: 08-18}, time_zone: Europe/Amsterdam}}\n", "7d");
    lives_in("America/New_York"); /* from 13:00Z there, until 17:00Z here */
    ck_assert_str_eq(at("0s", "6h"), "0s m/V hold quiet_hours 5h\n5h m/V task phone\n");
    decide_run_outcome(run, "6h", "done", true);
    decide_run_lines(run);
    ck_assert_str_eq(at("9h", "2d"), "9h m/V hold queue_closed 1d5h\n1d5h m/V task phone\n");
}
END_TEST

START_TEST(a_task_carries_the_windows_in_which_it_may_go_out)
{
    open_with(QUIET "time_zones: [UTC]\n", "2d");
    at("1h", "1h");
    ck_assert_ptr_nonnull(strstr(decide_run_task(run), "2026-03-02T09:00:00Z"));
    ck_assert_ptr_nonnull(strstr(decide_run_task(run), "2026-03-02T21:00:00Z"));
    ck_assert_ptr_nonnull(strstr(decide_run_task(run), "2026-03-03T08:00:00Z"));
    ck_assert_ptr_nonnull(strstr(decide_run_task(run), "2026-03-03T21:00:00Z"));
    ck_assert_ptr_nonnull(strstr(decide_run_task(run), "2026-03-04T08:00:00Z"));
}
END_TEST

static void wishes(const char *hours)
{
    char data[128];

    snprintf(data, sizeof data, "{\"email\":\"%s\"}", hours);
    decide_run_event(run, "0s", "customer.updated", data);
}

START_TEST(what_the_customer_wishes_is_kept_on_the_customers_own_clock)
{
    open_with(QUIET "time_zones: [Europe/Amsterdam]\n", "7d");
    lives_in("America/New_York"); /* 09:00 here is 03:00 there; summer time begins on 8 March */
    wishes("mon 18-21, sat 10-12");
    ck_assert_str_eq(at("1s", "3d"), "1s m/V hold quiet_hours 15h\n15h m/V task phone\n");
    decide_run_outcome(run, "3d", "done", true);
    decide_run_lines(run);
    ck_assert_str_eq(at("3d1h", "6d"), "3d1h m/V hold quiet_hours 5d7h\n5d7h m/V task phone\n");
}
END_TEST

START_TEST(a_wish_says_so_in_the_decision_and_holds_the_windows_too)
{
    open_with("time_zones: [Europe/Amsterdam]\n", "7d");
    wishes("18-21");
    decide_run_event(run, "0s", "a.one", "{\"key\":\"V\"}");
    ck_assert_ptr_nonnull(strstr(decide_run_decision(run),
                                 "outside the hours that the customer wishes (18-21): 09:00"));
    decide_run_until(run, "1d");
    ck_assert_ptr_nonnull(strstr(decide_run_task(run),
                                 "\"windows\":[{\"from\":\"2026-03-02T17:00:00Z\","
                                 "\"to\":\"2026-03-02T20:00:00Z\"}"));
}
END_TEST

START_TEST(a_wish_that_cannot_be_read_is_none)
{
    open_with("time_zones: [UTC]\n", "7d");
    wishes("in the evening");
    ck_assert_str_eq(at("0s", "1h"), "0s m/V task phone\n");
}
END_TEST

START_TEST(a_holiday_of_the_customer_is_quiet_on_that_day_only)
{
    open_with("quiet: [{hours: 00-24, holidays: [2026-03-02, 2026-03-04], except: [safety]}]\n"
              "time_zones: [Europe/Amsterdam, Europe/Lisbon]\n",
              "7d");
    /* Tuesday has begun in both at 00:00 in Lisbon */
    ck_assert_str_eq(at("0s", "1d"), "0s m/V hold quiet_hours 16h\n16h m/V task phone\n");
}
END_TEST

SUITE_MAIN_AROUND("slots", set_up, tear_down, quiet_hours_are_the_customers_own,
                  a_channel_that_answers_is_not_held_by_quiet_hours,
                  of_unknown_zone_it_has_to_be_decent_everywhere,
                  an_unknown_zone_name_is_an_unknown_zone,
                  at_the_last_minute_it_is_decent_and_on_the_hour_it_is_quiet,
                  when_clocks_go_forward_the_morning_comes_an_hour_sooner,
                  when_clocks_go_back_the_night_is_longer,
                  a_queue_has_hours_and_holidays_on_its_own_clock,
                  both_the_customer_and_the_queue_have_to_be_awake,
                  a_task_carries_the_windows_in_which_it_may_go_out,
                  what_the_customer_wishes_is_kept_on_the_customers_own_clock,
                  a_wish_says_so_in_the_decision_and_holds_the_windows_too,
                  a_wish_that_cannot_be_read_is_none,
                  a_holiday_of_the_customer_is_quiet_on_that_day_only)
