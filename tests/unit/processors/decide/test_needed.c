#include <stdio.h>

#include "core/json.h"
#include "schemas/task.h"
#include "tests/support/decide_run.h"
#include "tests/support/suite.h"

/* What would have had to differ: said for every stage that can stop. */

static struct decide_run *run;

static void open_with(const char *policy, const char *moment)
{
    static char text[1024];
    struct rule_file files[] = {
        EVENT_SCHEMAS,
        {"facts.yaml", "email: {last: event.data.email, of: customer.updated, address: email}\n"
                       "zone: {last: event.data.zone, of: customer.updated, role: time_zone}\n"
                       "last_n: {last: event.data.n, of: b.two}\n"
                       "upset: {mark: c.three, for: 1h}\n"},
        {"policy.yaml", policy},
        {"moments/m.yaml", text},
        {"moments/rival.yaml", "moment: rival\ntitle: R\ntier: care\nvalue: 50\n"
                               "when: [{event: b.two}]\nact: [{channel: phone, wait: 1d}]\n"},
        {NULL, NULL}};

    snprintf(text, sizeof text, "moment: m\ntitle: M\nabout: event.data.key\n%s", moment);
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

#define CHANNELS "channels: {phone: {}, email: {address: email}}\ntime_zones: [Europe/Amsterdam]\n"
#define ON_ONE   "when: [{event: a.one}]\n"
#define CALL     "act: [{channel: phone, wait: 1h}]\n"
#define ASK(at)  decide_run_event(run, at, "a.one", "{\"key\":\"V\",\"n\":1}")

/* Of the last decision. */
static void needed(const char *words)
{
    struct arena *arena = arena_new(0);
    struct decision d;

    ck_assert(decision_read_json(str_of(decide_run_decision(run)), arena, &d, NULL));
    ck_assert_msg(str_is(d.needed, words), "%.*s", STR_ARG(d.needed));
    arena_free(arena);
}

/* --- conditions ---------------------------------------------------------------------------------- */

START_TEST(of_a_gate_the_parts_that_were_not_so)
{
    open_with(CHANNELS,
              ON_ONE CALL "tier: care\nsuitable: '!customer.upset && event.data.n > 3.0'\n");
    ASK("0s");
    needed("if event.data.n > 3 were true");
    decide_run_event(run, "1m", "c.three", "{}");
    ASK("2m");
    needed("if customer.upset were false (so it is from 2026-03-02T09:01:00Z on, if nothing comes) "
           "and event.data.n > 3 were true");
}
END_TEST

START_TEST(of_parts_joined_by_or_any_one)
{
    open_with(CHANNELS,
              ON_ONE CALL "tier: care\nrelevant: 'event.data.n > 3.0 || customer.upset'\n");
    ASK("0s");
    needed("if event.data.n > 3 were true or customer.upset were true");
}
END_TEST

START_TEST(of_parts_joined_in_several_ways_the_whole)
{
    open_with(CHANNELS, ON_ONE CALL "tier: care\n"
                                    "relevant: 'event.data.n > 3.0 && (customer.upset || "
                                    "event.data.key == \"W\")'\n");
    ASK("0s");
    needed("if event.data.n > 3.0 && (customer.upset || event.data.key == \"W\") were true");
}
END_TEST

START_TEST(of_what_could_not_be_read_that_it_were_known)
{
    open_with(CHANNELS, ON_ONE CALL "tier: care\neligible: customer.last_n > 3.0\n");
    ASK("0s");
    needed("if customer.last_n were known");
}
END_TEST

START_TEST(of_an_interlock_that_it_did_not_hold)
{
    open_with(CHANNELS "interlocks: [{name: upset, if: customer.upset || customer.last_n > 9.0, "
                       "stops: [care]}]\n",
              ON_ONE CALL "tier: care\n");
    decide_run_event(run, "0s", "c.three", "{\"n\":3}");
    decide_run_event(run, "1s", "b.two", "{\"n\":3}");
    ASK("1m");
    needed(
        "if customer.upset were false (so it is from 2026-03-02T09:00:00Z on, if nothing comes)");
}
END_TEST

/* --- the policy ---------------------------------------------------------------------------------- */

START_TEST(of_a_cap_how_many_fewer_or_when)
{
    open_with(CHANNELS "caps: [{max: 1, channel: phone, over: 2d}]\n", ON_ONE CALL "tier: care\n");
    ASK("0s");
    decide_run_event(run, "1h", "a.one", "{\"key\":\"W\"}");
    needed("if 1 task fewer had gone out (phone in 2d), or after 2026-03-04T08:00:00Z");
}
END_TEST

START_TEST(of_consent_which)
{
    open_with(CHANNELS, ON_ONE CALL "tier: commercial\npurpose: offers\n");
    ASK("0s");
    needed("with consent for offers on phone");
}
END_TEST

START_TEST(of_an_objection_that_there_were_none)
{
    open_with(CHANNELS, ON_ONE CALL "tier: service\n");
    decide_run_event(run, "0s", "consent.withdrawn",
                     "{\"purpose\":\"service\",\"channel\":\"phone\"}");
    ASK("1s");
    needed("if the customer had not objected to service on phone");
}
END_TEST

START_TEST(of_an_address_its_kind)
{
    open_with(CHANNELS, ON_ONE "tier: service\nact: [{channel: email, text: x}]\n");
    ASK("0s");
    needed("with an address of kind email");
}
END_TEST

START_TEST(of_a_better_one_that_it_were_not_there_or_worth_less)
{
    open_with(CHANNELS "quiet: [{hours: 08-12}]\n", ON_ONE CALL "tier: care\nvalue: 20\n");
    decide_run_event(run, "0s", "b.two", "{\"n\":1}");
    ASK("1s");
    needed("without rival, or with a value above 50");
}
END_TEST

START_TEST(of_an_hour_when)
{
    open_with(CHANNELS "quiet: [{hours: 08-12}]\n", ON_ONE CALL "tier: care\n");
    ASK("0s");
    needed("after 2026-03-02T11:00:00Z");
    ck_assert_ptr_nonnull(strstr(decide_run_decision(run), "quiet hours: 09:00 for the customer"));
}
END_TEST

START_TEST(of_an_hour_behind_the_deadline_how_long_it_would_have_to_wait)
{
    open_with(CHANNELS "quiet: [{hours: 08-12}]\n", ON_ONE CALL "tier: care\ndeadline: 1h\n");
    ASK("0s");
    needed("with a deadline after 2026-03-02T11:00:00Z");
}
END_TEST

START_TEST(of_a_pace_a_faster_one)
{
    open_with("channels: {phone: {pace: {tasks: 1, per: 2h}}}\ntime_zones: [UTC]\n",
              ON_ONE "tier: care\nact: [{channel: phone, wait: 1h, outcomes: {done: end}}]\n");
    ASK("0s");
    decide_run_outcome(run, "1m", "done", true);
    decide_run_event(run, "2m", "a.one", "{\"key\":\"W\"}");
    needed("with a faster pace, or after 2026-03-02T10:00:00Z");
}
END_TEST

/* --- the moment ---------------------------------------------------------------------------------- */

START_TEST(of_again_from_when_on)
{
    open_with(CHANNELS, ON_ONE CALL "tier: care\nagain: 3d\n");
    ASK("0s");
    decide_run_until(run, "2h");
    ASK("1d");
    needed("if it had happened at 2026-03-05T08:00:00Z or later");
}
END_TEST

START_TEST(of_an_end_by_an_event_that_it_had_not_come)
{
    open_with(CHANNELS, ON_ONE CALL "tier: care\nwithdraw: [{event: c.three}]\n");
    ASK("0s");
    decide_run_event(run, "1m", "c.three", "{\"key\":\"V\"}");
    needed("if no c.three had come");
}
END_TEST

START_TEST(of_a_task_nothing)
{
    open_with(CHANNELS, ON_ONE CALL "tier: care\n");
    ASK("0s");
    needed("");
}
END_TEST

SUITE_MAIN_AROUND("needed", set_up, tear_down, of_a_gate_the_parts_that_were_not_so,
                  of_parts_joined_by_or_any_one, of_parts_joined_in_several_ways_the_whole,
                  of_what_could_not_be_read_that_it_were_known,
                  of_an_interlock_that_it_did_not_hold, of_a_cap_how_many_fewer_or_when,
                  of_consent_which, of_an_objection_that_there_were_none, of_an_address_its_kind,
                  of_a_better_one_that_it_were_not_there_or_worth_less, of_an_hour_when,
                  of_an_hour_behind_the_deadline_how_long_it_would_have_to_wait,
                  of_a_pace_a_faster_one, of_again_from_when_on,
                  of_an_end_by_an_event_that_it_had_not_come, of_a_task_nothing)
