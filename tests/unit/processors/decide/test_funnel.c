#include <stdio.h>

#include "tests/support/decide_run.h"
#include "tests/support/suite.h"

static struct decide_run *run;

#define FACTS                                                                                      \
    "zone: {last: event.data.zone, of: customer.updated, role: time_zone}\n"                       \
    "mail: {last: event.data.email, of: customer.updated, address: email}\n"                       \
    "upset: {mark: c.three, for: 1h}\n"

/* Two moments: `low` on a.one, `high` on b.two, both about key, and a policy. */
static void open_with(const char *policy, const char *low, const char *high)
{
    static char low_text[1024], high_text[1024];
    struct rule_file files[] = {EVENT_SCHEMAS,
                                {"facts.yaml", FACTS},
                                {"policy.yaml", policy},
                                {"moments/low.yaml", low_text},
                                {"moments/high.yaml", high_text},
                                {NULL, NULL}};

    snprintf(low_text, sizeof low_text,
             "moment: low\ntitle: Low\nabout: event.data.key\nwhen: [{event: a.one}]\n%s", low);
    snprintf(high_text, sizeof high_text,
             "moment: high\ntitle: High\nabout: event.data.key\nwhen: [{event: b.two}]\n%s", high);
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

#define EVENT(at, type, data) decide_run_event(run, at, type, data)
#define KEY(k)                "{\"key\":\"" k "\"}"
#define CAME(lines)           ck_assert_str_eq(decide_run_lines(run), lines)
#define PHONE                 "act: [{channel: phone, outcomes: {done: end}}]\n"
#define SERVICE               "tier: service\n" PHONE
#define CHANNELS              "channels: {phone: {}, email: {address: email}}\n"

/* --- gates --------------------------------------------------------------------------------------- */

START_TEST(the_first_gate_not_passed_ends_the_instance)
{
    open_with(CHANNELS, SERVICE "eligible: event.data.n > 1.0\nsuitable: \"!customer.upset\"\n",
              SERVICE);
    EVENT("0s", "a.one", "{\"key\":\"V\",\"n\":1}");
    CAME("0s low/V silent not_eligible\n");
    EVENT("1s", "a.one", "{\"key\":\"V\"}");
    CAME("1s low/V silent not_eligible\n");
    EVENT("2s", "c.three", "{}");
    EVENT("3s", "a.one", "{\"key\":\"V\",\"n\":2}");
    CAME("3s low/V silent not_suitable\n");
    ck_assert_ptr_nonnull(
        strstr(decide_run_decision(run), "customer.upset = true since 1s (!customer.upset)"));
    EVENT("2h", "a.one", "{\"key\":\"V\",\"n\":2}");
    CAME("2h low/V task phone\n");
}
END_TEST

START_TEST(of_a_gate_not_passed_only_the_values_that_decided_it_are_told)
{
    open_with(CHANNELS,
              SERVICE "suitable: '!customer.upset && (event.data.n > 1.0 || event.data.i == 3)'\n",
              SERVICE);
    EVENT("0s", "a.one", "{\"key\":\"V\",\"n\":1,\"i\":2}");
    ck_assert_ptr_nonnull(strstr(decide_run_decision(run),
                                 "\"event.data.n = 1, event.data.i = 2 (!customer.upset && "));
    EVENT("1h", "c.three", "{}");
    EVENT("1h1m1s", "a.one", "{\"key\":\"V\",\"n\":2}");
    ck_assert_ptr_nonnull(strstr(decide_run_decision(run), "customer.upset = true since 1m1s"));
}
END_TEST

/* --- caps ---------------------------------------------------------------------------------------- */

START_TEST(a_cap_rolls_and_what_it_stops_waits_until_it_is_free)
{
    open_with(CHANNELS "caps: [{max: 1, channel: phone, over: 2d}]\n", SERVICE, SERVICE);
    EVENT("0s", "a.one", KEY("V"));
    CAME("0s low/V task phone\n");
    EVENT("1d", "b.two", KEY("V"));
    CAME("1d high/V hold cap 2d\n");
    decide_run_until(run, "3d");
    CAME("2d high/V task phone\n");
}
END_TEST

START_TEST(a_cap_that_is_not_free_before_the_deadline_is_the_end)
{
    open_with(CHANNELS "caps: [{max: 1, channel: phone, over: 20d}]\n", SERVICE, SERVICE);
    EVENT("0s", "a.one", KEY("V"));
    EVENT("1d", "b.two", KEY("V"));
    CAME("0s low/V task phone\n1d high/V silent cap\n");
}
END_TEST

START_TEST(a_task_withdrawn_before_it_was_sent_gives_its_cap_back)
{
    open_with(CHANNELS "caps: [{max: 1, channel: phone, over: 2d}]\n",
              SERVICE "withdraw: [{event: c.three}]\n", SERVICE);
    EVENT("0s", "a.one", KEY("V"));
    EVENT("1h", "b.two", KEY("V"));
    CAME("0s low/V task phone\n1h high/V hold cap 2d\n");
    EVENT("2h", "c.three", KEY("V"));
    CAME("2h low/V withdrawn c.three\n2h low/V ended withdrawn\n2h high/V task phone\n");
}
END_TEST

START_TEST(a_task_that_reached_somebody_keeps_its_cap)
{
    open_with(CHANNELS "caps: [{max: 1, channel: phone, over: 2d}]\n",
              SERVICE "withdraw: [{event: c.three}]\n", SERVICE);
    EVENT("0s", "a.one", KEY("V"));
    decide_run_outcome(run, "30m", "call_back", false);
    EVENT("1h", "b.two", KEY("V"));
    EVENT("2h", "c.three", KEY("V"));
    CAME("0s low/V task phone\n1h high/V hold cap 2d\n"
         "2h low/V withdrawn c.three\n2h low/V ended withdrawn\n");
}
END_TEST

START_TEST(a_task_that_failed_gives_its_cap_back)
{
    open_with(CHANNELS "caps: [{max: 1, channel: phone, over: 2d}]\n", SERVICE, SERVICE);
    EVENT("0s", "a.one", KEY("V"));
    EVENT("1h", "b.two", KEY("V"));
    decide_run_outcome(run, "2h", "failed", true);
    CAME("0s low/V task phone\n1h high/V hold cap 2d\n2h low/V ended outcome\n"
         "2h high/V task phone\n");
}
END_TEST

START_TEST(caps_of_a_tier_or_a_moment_count_only_theirs)
{
    open_with(CHANNELS "caps: [{max: 1, tier: care, over: 2d}, {max: 1, moment: high, over: 3d}]\n",
              SERVICE, "tier: care\n" PHONE);
    EVENT("0s", "a.one", KEY("V"));
    decide_run_outcome(run, "1s", "done", true);
    EVENT("2s", "b.two", KEY("V"));
    decide_run_outcome(run, "3s", "done", true);
    EVENT("4s", "a.one", KEY("W"));
    decide_run_lines(run);
    EVENT("1h", "b.two", KEY("W"));
    CAME("1h high/W hold cap 3d2s\n");
}
END_TEST

/* --- consent and address ------------------------------------------------------------------------- */

START_TEST(commercial_needs_consent_for_the_channel)
{
    open_with(CHANNELS, "tier: commercial\n" PHONE, SERVICE);
    EVENT("0s", "a.one", KEY("V"));
    CAME("0s low/V silent no_consent\n");
    EVENT("1s", "consent.given", "{\"purpose\":\"commercial\",\"channel\":\"email\"}");
    EVENT("2s", "a.one", KEY("V"));
    CAME("2s low/V silent no_consent\n");
    EVENT("3s", "consent.given", "{\"purpose\":\"commercial\",\"channel\":\"phone\"}");
    EVENT("4s", "a.one", KEY("V"));
    CAME("4s low/V task phone\n");
}
END_TEST

START_TEST(service_goes_unless_the_customer_objected_and_the_latest_word_counts)
{
    open_with(CHANNELS, SERVICE, SERVICE);
    ck_assert_str_eq(decide_run_permission(run), "");
    EVENT("5s", "consent.withdrawn", "{\"purpose\":\"service\",\"channel\":\"phone\"}");
    ck_assert_ptr_nonnull(strstr(decide_run_permission(run), "\"purpose\":\"service\""));
    decide_run_late(run, "6s", "4s", "consent.given",
                    "{\"purpose\":\"service\",\"channel\":\"phone\"}", "");
    EVENT("7s", "a.one", KEY("V"));
    CAME("7s low/V silent no_consent\n");
    EVENT("8s", "consent.given", "{\"purpose\":\"service\",\"channel\":\"phone\"}");
    EVENT("9s", "a.one", KEY("V"));
    CAME("9s low/V task phone\n");
}
END_TEST

START_TEST(an_action_that_cannot_be_leads_to_the_next_at_once)
{
    open_with(CHANNELS, "tier: service\nact: [{channel: email, text: x}, {channel: phone}]\n",
              SERVICE);
    EVENT("0s", "a.one", KEY("V"));
    CAME("0s low/V silent no_address\n0s low/V task phone\n");
    EVENT("1s", "customer.updated", "{\"email\":\"a@example.org\"}");
    EVENT("2s", "a.one", KEY("W"));
    CAME("2s low/W task email\n");
    ck_assert_ptr_nonnull(strstr(decide_run_task(run), "\"address\":\"a@example.org\""));
}
END_TEST

/* --- arbitration --------------------------------------------------------------------------------- */

START_TEST(what_an_open_task_does_not_hinder_it_does_not_outrank)
{
    open_with(CHANNELS, SERVICE, SERVICE);
    EVENT("0s", "a.one", KEY("V"));
    EVENT("1s", "b.two", KEY("V"));
    CAME("0s low/V task phone\n1s high/V task phone\n");
}
END_TEST

/* Both moments at one event: who loses waits until the winner has ended. */
static void open_pair(const char *low, const char *high, const char *policy)
{
    static char low_text[1024], high_text[1024];
    struct rule_file files[] = {EVENT_SCHEMAS,
                                {"facts.yaml", FACTS},
                                {"policy.yaml", policy},
                                {"moments/low.yaml", low_text},
                                {"moments/high.yaml", high_text},
                                {NULL, NULL}};

    snprintf(low_text, sizeof low_text, "moment: low\ntitle: L\nwhen: [{event: a.one}]\n%s", low);
    snprintf(high_text, sizeof high_text, "moment: high\ntitle: H\nwhen: [{event: a.one}]\n%s",
             high);
    run = decide_run_open(files);
}

START_TEST(tiers_go_before_value)
{
    open_pair("tier: care\nvalue: 1000\n" PHONE, "tier: service\nvalue: 1\n" PHONE, CHANNELS);
    EVENT("0s", "a.one", "{}");
    CAME("0s high task phone\n0s low hold outranked 1w\n");
    decide_run_outcome(run, "1h", "done", true);
    CAME("1h high ended outcome\n1h low task phone\n");
}
END_TEST

START_TEST(inside_a_tier_value_decides)
{
    open_pair("tier: care\nvalue: 10\n" PHONE, "tier: care\nvalue: 9.5\n" PHONE, CHANNELS);
    EVENT("0s", "a.one", "{}");
    CAME("0s low task phone\n0s high hold outranked 1w\n");
}
END_TEST

START_TEST(who_is_outranked_until_the_deadline_ends_without_a_task)
{
    open_pair("tier: care\ndeadline: 1d\n" PHONE, SERVICE, CHANNELS);
    EVENT("0s", "a.one", "{}");
    decide_run_until(run, "2d");
    CAME("0s high task phone\n0s low hold outranked 1d\n1d low silent outranked\n");
}
END_TEST

START_TEST(who_cannot_go_outranks_nobody)
{
    open_pair("tier: care\n" PHONE, "tier: service\nact: [{channel: email, text: x}]\n", CHANNELS);
    EVENT("0s", "a.one", "{}");
    CAME("0s high silent no_address\n0s low task phone\n");
}
END_TEST

START_TEST(a_better_one_goes_before_what_waits_for_the_morning)
{
    open_with(CHANNELS "quiet: [{hours: 21-08, except: [safety]}]\ntime_zones: [UTC]\n", SERVICE,
              "tier: safety\n" PHONE);
    EVENT("14h", "a.one", KEY("V"));
    CAME("14h low/V hold quiet_hours 1d\n");
    EVENT("15h", "b.two", KEY("V"));
    CAME("15h high/V task phone\n15h low/V hold outranked 7d14h\n");
    decide_run_outcome(run, "16h", "done", true);
    CAME("16h high/V ended outcome\n16h low/V hold quiet_hours 1d\n");
    decide_run_until(run, "1d1h");
    CAME("1d low/V task phone\n");
}
END_TEST

START_TEST(a_lesser_one_waits_behind_what_waits_for_the_morning)
{
    open_with(CHANNELS "quiet: [{hours: 21-08, tiers: [service]}]\ntime_zones: [UTC]\n", SERVICE,
              "tier: care\n" PHONE);
    EVENT("14h", "a.one", KEY("V"));
    EVENT("15h", "b.two", KEY("V"));
    CAME("14h low/V hold quiet_hours 1d\n15h high/V hold outranked 7d15h\n");
    decide_run_until(run, "1d1h");
    CAME("1d low/V task phone\n");
}
END_TEST

/* --- slot and hold ------------------------------------------------------------------------------- */

START_TEST(what_waits_is_looked_at_again_before_it_goes_out)
{
    open_with(CHANNELS "quiet: [{hours: 21-08}]\ntime_zones: [UTC]\n",
              SERVICE "suitable: \"!customer.upset\"\n", SERVICE);
    EVENT("14h", "a.one", KEY("V"));
    CAME("14h low/V hold quiet_hours 1d\n");
    EVENT("23h30m", "c.three", "{}");
    decide_run_until(run, "2d");
    CAME("1d low/V silent not_suitable\n");
}
END_TEST

START_TEST(what_waits_can_be_withdrawn)
{
    open_with(CHANNELS "quiet: [{hours: 21-08}]\ntime_zones: [UTC]\n",
              SERVICE "withdraw: [{event: c.three}]\n", SERVICE);
    EVENT("14h", "a.one", KEY("V"));
    EVENT("15h", "c.three", KEY("V"));
    CAME("14h low/V hold quiet_hours 1d\n15h low/V ended withdrawn\n");
}
END_TEST

START_TEST(no_decent_moment_before_the_deadline_is_no_task)
{
    open_with(CHANNELS "quiet: [{hours: 21-08}]\ntime_zones: [UTC]\n", SERVICE "deadline: 10h\n",
              SERVICE);
    EVENT("14h", "a.one", KEY("V"));
    CAME("14h low/V silent no_slot\n");
}
END_TEST

START_TEST(a_text_that_cannot_be_filled_is_no_task)
{
    open_with(CHANNELS, "tier: service\nact: [{channel: phone, say: \"{{event.data.n}}\"}]\n",
              SERVICE);
    EVENT("0s", "a.one", KEY("V"));
    CAME("0s low/V silent text\n");
    EVENT("1s", "a.one", "{\"key\":\"V\",\"n\":1900}");
    CAME("1s low/V task phone\n");
    ck_assert_ptr_nonnull(strstr(decide_run_task(run), "\"say\":\"1900\""));
}
END_TEST

SUITE_MAIN_AROUND(
    "funnel", set_up, tear_down, the_first_gate_not_passed_ends_the_instance,
    of_a_gate_not_passed_only_the_values_that_decided_it_are_told,
    a_cap_rolls_and_what_it_stops_waits_until_it_is_free,
    a_cap_that_is_not_free_before_the_deadline_is_the_end,
    a_task_withdrawn_before_it_was_sent_gives_its_cap_back,
    a_task_that_reached_somebody_keeps_its_cap, a_task_that_failed_gives_its_cap_back,
    caps_of_a_tier_or_a_moment_count_only_theirs, commercial_needs_consent_for_the_channel,
    service_goes_unless_the_customer_objected_and_the_latest_word_counts,
    an_action_that_cannot_be_leads_to_the_next_at_once,
    what_an_open_task_does_not_hinder_it_does_not_outrank, tiers_go_before_value,
    inside_a_tier_value_decides, who_is_outranked_until_the_deadline_ends_without_a_task,
    who_cannot_go_outranks_nobody, a_better_one_goes_before_what_waits_for_the_morning,
    a_lesser_one_waits_behind_what_waits_for_the_morning,
    what_waits_is_looked_at_again_before_it_goes_out, what_waits_can_be_withdrawn,
    no_decent_moment_before_the_deadline_is_no_task, a_text_that_cannot_be_filled_is_no_task)
