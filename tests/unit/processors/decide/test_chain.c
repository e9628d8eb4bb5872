#include <stdio.h>

#include "tests/support/decide_run.h"
#include "tests/support/suite.h"

static struct decide_run *run;

static void open_with(const char *rest)
{
    static char moment[2048];
    struct rule_file files[] = {EVENT_SCHEMAS, {"moments/m.yaml", moment}, {NULL, NULL}};

    snprintf(moment, sizeof moment, "moment: m\ntitle: M\ntier: service\nabout: event.data.key\n%s",
             rest);
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
#define TASK_HAS(text)        ck_assert_ptr_nonnull(strstr(decide_run_task(run), text))
#define TWO                                                                                        \
    "when: [{event: a.one, as: first}]\nact:\n"                                                    \
    "  - {channel: phone, wait: 3d, outcomes: {done: end, gone: next, later: wait}}\n"             \
    "  - {channel: email, text: x, wait: 2d}\n"

START_TEST(without_an_outcome_the_next_action_comes_when_wait_is_over)
{
    open_with(TWO);
    EVENT("0s", "a.one", KEY("V"));
    decide_run_until(run, "9d");
    CAME("0s m/V task phone\n3d m/V task email\n5d m/V ended chain_over\n");
}
END_TEST

START_TEST(an_outcome_says_whether_it_is_over_or_what_comes_next)
{
    open_with(TWO);
    EVENT("0s", "a.one", KEY("V"));
    decide_run_outcome(run, "1h", "later", false);
    CAME("0s m/V task phone\n");
    decide_run_outcome(run, "2h", "gone", true);
    CAME("2h m/V task email\n");
    EVENT("3h", "a.one", KEY("W"));
    decide_run_outcome(run, "4h", "done", false);
    CAME("3h m/W task phone\n4h m/W ended outcome\n");
}
END_TEST

START_TEST(a_code_not_listed_follows_its_own_final)
{
    open_with(TWO);
    EVENT("0s", "a.one", KEY("V"));
    decide_run_outcome(run, "1h", "opened", false);
    CAME("0s m/V task phone\n");
    decide_run_outcome(run, "2h", "wrong_number", true);
    CAME("2h m/V ended outcome\n");
}
END_TEST

START_TEST(what_could_not_be_sent_leads_to_the_next_action)
{
    static const char *const codes[] = {"failed", "expired", "not_allowed", "opted_out"};

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        open_with(TWO);
        EVENT("0s", "a.one", KEY("V"));
        decide_run_outcome(run, "1h", codes[i], true);
        CAME("0s m/V task phone\n1h m/V task email\n");
        decide_run_outcome(run, "2h", codes[i], true);
        CAME("2h m/V ended outcome\n");
        decide_run_close(run);
        run = NULL;
    }
    open_with("when: [{event: a.one}]\nact:\n"
              "  - {channel: phone, outcomes: {failed: end}}\n  - {channel: email, text: x}\n");
    EVENT("0s", "a.one", KEY("V"));
    decide_run_outcome(run, "1h", "failed", true); /* the moment's word counts */
    CAME("0s m/V task phone\n1h m/V ended outcome\n");
}
END_TEST

START_TEST(of_contradictory_outcomes_the_first_final_one_stays)
{
    open_with("when: [{event: a.one}]\nact: [{channel: phone, outcomes: {done: end}}]\n");
    EVENT("0s", "a.one", KEY("V"));
    decide_run_outcome(run, "1h", "sent", false);
    decide_run_outcome(run, "2h", "bounced", true);
    CAME("0s m/V task phone\n2h m/V ended outcome\n");
    ck_assert_uint_eq(decide_run_strays(run), 0);
    decide_run_outcome(run, "3h", "delivered", true); /* late, and of the same task */
    decide_run_outcome(run, "4h", "done", true);
    ck_assert_uint_eq(decide_run_strays(run), 2); /* dispatch knows that there was such a task */
    CAME("");
}
END_TEST

START_TEST(a_withdrawal_of_a_task_that_an_agent_has_accepted_is_a_notice)
{
    open_with("withdraw: [{event: c.three}]\n" TWO);
    EVENT("0s", "a.one", KEY("V"));
    decide_run_outcome(run, "1h", "accepted", false);
    EVENT("2h", "c.three", KEY("V"));
    CAME("0s m/V task phone\n2h m/V notice c.three\n2h m/V ended withdrawn\n");
}
END_TEST

START_TEST(a_task_says_that_it_may_rather_come_twice)
{
    open_with("when: [{event: a.one}]\nact: [{channel: phone, send: at_least_once}]\n");
    EVENT("0s", "a.one", KEY("V"));
    TASK_HAS("\"at_least_once\":true");
}
END_TEST

START_TEST(an_outcome_of_an_older_task_changes_nothing)
{
    open_with(TWO);
    EVENT("0s", "a.one", KEY("V"));
    EVENT("1h", "task.outcome",
          "{\"task\":\"00000000000000000000000000000000\",\"code\":\"done\",\"final\":true}");
    CAME("0s m/V task phone\n");
}
END_TEST

START_TEST(next_behind_the_last_action_ends_the_chain)
{
    open_with("when: [{event: a.one}]\nact: [{channel: phone, outcomes: {gone: next}}]\n");
    EVENT("0s", "a.one", KEY("V"));
    decide_run_outcome(run, "1h", "gone", true);
    CAME("0s m/V task phone\n1h m/V ended outcome\n");
}
END_TEST

START_TEST(gates_are_asked_again_before_each_action_about_the_event_that_completed)
{
    struct rule_file files[] = {
        EVENT_SCHEMAS,
        {"facts.yaml", "n: {last: event.data.n, of: c.three, default: 0}\n"},
        {"moments/m.yaml", "moment: m\ntitle: M\ntier: service\nabout: event.data.key\n"
                           "suitable: event.data.n > customer.n\n" TWO},
        {NULL, NULL}};

    run = decide_run_open(files);
    EVENT("0s", "a.one", "{\"key\":\"V\",\"n\":5}");
    EVENT("0s", "a.one", "{\"key\":\"W\",\"n\":9}");
    EVENT("1d", "c.three", "{\"n\":7}");
    decide_run_until(run, "4d");
    CAME("0s m/V task phone\n0s m/W task phone\n3d m/V silent not_suitable\n3d m/W task email\n");
}
END_TEST

START_TEST(a_task_may_be_worked_until_its_deadline_or_its_wait_if_that_is_sooner)
{
    open_with(TWO);
    EVENT("0s", "a.one", KEY("V"));
    TASK_HAS("\"deadline\":\"2026-03-05T08:00:00Z\"");
    decide_run_until(run, "4d");
    TASK_HAS("\"deadline\":\"2026-03-07T08:00:00Z\"");
}
END_TEST

START_TEST(a_task_beyond_its_deadline_is_not_taken_back)
{
    open_with("deadline: 1d\nwithdraw: [{event: c.three}]\n" TWO);
    EVENT("0s", "a.one", KEY("V"));
    EVENT("2d", "c.three", KEY("V"));
    CAME("0s m/V task phone\n2d m/V ended withdrawn\n");
}
END_TEST

#define MEETING(appointment)                                                                       \
    "when: [{event: a.one, as: first}]\n"                                                          \
    "act: [{channel: email, subject: Brakes, text: x, appointment: " appointment "}]\n"

START_TEST(a_task_carries_its_appointment)
{
    open_with(MEETING("{start: \"first.time + duration('26h')\", duration: 45m, "
                      "title: \"Brakes {{first.data.n}}\", place: \"Garage {{first.data.key}}\"}"));
    EVENT("0s", "a.one", "{\"key\":\"V\",\"n\":2}");
    TASK_HAS("\"appointment\":{\"start\":\"2026-03-03T10:00:00Z\",\"end\":\"2026-03-03T10:45:00Z\","
             "\"title\":\"Brakes 2\",\"place\":\"Garage V\"}");
}
END_TEST

START_TEST(an_appointment_without_a_title_is_called_as_the_mail)
{
    open_with(MEETING("{start: now, duration: 1h}"));
    EVENT("0s", "a.one", KEY("V"));
    TASK_HAS("\"end\":\"2026-03-02T09:00:00Z\",\"title\":\"Brakes\"}");
}
END_TEST

START_TEST(an_appointment_without_a_time_stops_the_action)
{
    open_with(MEETING("{start: timestamp(first.data.zone), duration: 1h}"));
    EVENT("0s", "a.one", KEY("V"));
    ck_assert_str_eq(decide_run_task(run), "");
    ck_assert_ptr_nonnull(strstr(decide_run_decision(run), "appointment.start: "));
    EVENT("1s", "a.one", "{\"key\":\"W\",\"zone\":\"1066-10-14T09:00:00Z\"}");
    ck_assert_str_eq(decide_run_task(run), "");
    ck_assert_ptr_nonnull(strstr(decide_run_decision(run), "between 1970 and 9999"));
}
END_TEST

START_TEST(a_task_says_who_what_why_and_carries_the_trace)
{
    open_with("reason: \"Number {{first.data.n}}\"\nvalue: 3\n" TWO);
    EVENT("0s", "a.one", "{\"key\":\"V\",\"n\":12.5}");
    TASK_HAS("\"customer\":\"c1\"");
    TASK_HAS("\"moment\":\"m\"");
    TASK_HAS("\"about\":\"V\"");
    TASK_HAS("\"tier\":\"service\"");
    TASK_HAS("\"reason\":\"Number 12.5\"");
    TASK_HAS("\"attempt\":1");
    TASK_HAS("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    decide_run_until(run, "3d");
    TASK_HAS("\"attempt\":2");
    TASK_HAS("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
}
END_TEST

START_TEST(a_task_names_the_decision_that_explains_it)
{
    const char *id;

    open_with(TWO);
    EVENT("0s", "a.one", KEY("V"));
    id = strstr(decide_run_decision(run), "\"id\":\"");
    ck_assert_ptr_nonnull(id);
    ck_assert_ptr_nonnull(strstr(decide_run_task(run), "\"decision\":\""));
    ck_assert_int_eq(strncmp(strstr(decide_run_task(run), "\"decision\":\"") + 12, id + 6, 32), 0);
}
END_TEST

#define FIVE(text) text text text text text

/* Control characters are six bytes each in JSON: texts within their limits make a task beyond its. */
START_TEST(a_task_too_large_for_the_topic_does_not_go_out)
{
    struct buf data = {0};

    open_with(
        "when: [{event: a.one, as: first}]\n"
        "reason: \"" FIVE(
            "{{first.data.zone}}{{first.data.zone}}{{first.data.zone}}") "\"\n"
                                                                         "act: [{channel: phone, say: \"" FIVE(
                                                                             "{{first.data.zone}}{{first.data.zone}}{{first.data.zone}}") "\"}]\n");
    buf_put_text(&data, "{\"key\":\"V\",\"zone\":\"x");
    for (int i = 0; i < 4094; i++)
        buf_put_text(&data, "\\u0001");
    buf_put_text(&data, "\"}");
    EVENT("0s", "a.one", buf_text(&data));
    CAME("0s m/V silent text\n");
    ck_assert_ptr_nonnull(strstr(decide_run_decision(run), "bytes, 524288 are allowed"));
    EVENT("1s", "a.one", "{\"key\":\"W\",\"zone\":\"x\"}");
    CAME("1s m/W task phone\n");
    buf_free(&data);
}
END_TEST

/* The detail of a stage is cut at 508 bytes: with one of these within an e with an accent. */
START_TEST(a_long_detail_of_a_decision_is_cut_between_characters)
{
    for (int odd = 0; odd < 2; odd++) {
        struct buf when = {0};

        buf_put_format(&when, "when: [{event: a.one}]\nsuitable: event.data.zone == '%s",
                       odd != 0 ? "x" : "");
        for (int i = 0; i < 600; i++)
            buf_put_text(&when, "\xc3\xa9");
        buf_put_text(&when, "'\nact: [{channel: phone}]\n");
        if (odd != 0)
            decide_run_close(run);
        open_with(buf_text(&when));
        EVENT("0s", "a.one", "{\"key\":\"V\",\"zone\":\"x\"}");
        CAME("0s m/V silent not_suitable\n");
        ck_assert_ptr_nonnull(strstr(decide_run_decision(run), "\xc3\xa9\xc3\xa9"));
        ck_assert_ptr_null(strchr(decide_run_decision(run), '?'));
        buf_free(&when);
    }
}
END_TEST

SUITE_MAIN_AROUND("chain", set_up, tear_down, a_task_too_large_for_the_topic_does_not_go_out,
                  a_long_detail_of_a_decision_is_cut_between_characters,
                  without_an_outcome_the_next_action_comes_when_wait_is_over,
                  an_outcome_says_whether_it_is_over_or_what_comes_next,
                  a_code_not_listed_follows_its_own_final,
                  what_could_not_be_sent_leads_to_the_next_action,
                  of_contradictory_outcomes_the_first_final_one_stays,
                  a_withdrawal_of_a_task_that_an_agent_has_accepted_is_a_notice,
                  a_task_says_that_it_may_rather_come_twice,
                  an_outcome_of_an_older_task_changes_nothing,
                  next_behind_the_last_action_ends_the_chain,
                  gates_are_asked_again_before_each_action_about_the_event_that_completed,
                  a_task_may_be_worked_until_its_deadline_or_its_wait_if_that_is_sooner,
                  a_task_beyond_its_deadline_is_not_taken_back, a_task_carries_its_appointment,
                  an_appointment_without_a_title_is_called_as_the_mail,
                  an_appointment_without_a_time_stops_the_action,
                  a_task_says_who_what_why_and_carries_the_trace,
                  a_task_names_the_decision_that_explains_it)
