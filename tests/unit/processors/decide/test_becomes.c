#include <stdio.h>

#include "tests/support/decide_run.h"
#include "tests/support/suite.h"

static struct decide_run *run;

static const char facts[] = "many: {count: a.one, over: 10s}\n"
                            "busy: {mark: b.two, for: 5s}\n"
                            "n: {last: event.data.n, of: [a.one, c.three]}\n"
                            "per: {sum: event.data.n, of: a.one, per: event.data.key, over: 10s}\n";

/* A moment `m` with one action on the phone. */
static void open_with(const char *rest)
{
    static char moment[2048];
    struct rule_file files[] = {
        EVENT_SCHEMAS, {"facts.yaml", facts}, {"moments/m.yaml", moment}, {NULL, NULL}};

    snprintf(moment, sizeof moment,
             "moment: m\ntitle: M\ntier: service\ndeadline: 1d\n"
             "act: [{channel: phone, outcomes: {done: end}, wait: 1s}]\n%s",
             rest);
    run = decide_run_open(files);
}

#define EVENT(at, type, data)      decide_run_event(run, at, type, data)
#define LATE(at, time, type, data) decide_run_late(run, at, time, type, data, "")
#define N(n)                       "{\"key\":\"V\",\"n\":" #n "}"
#define CAME(lines)                ck_assert_str_eq(decide_run_lines(run), lines)

START_TEST(a_record_turns_it_once_until_it_was_not_true)
{
    open_with("when: [{becomes: customer.n > 3}]\n");
    EVENT("0s", "a.one", N(5)); /* absent before: not true */
    CAME("0s m task phone\n");
    EVENT("10s", "a.one", N(6));
    CAME("1s m ended chain_over\n");
    EVENT("11s", "a.one", N(1));
    EVENT("12s", "c.three", N(4));
    CAME("12s m task phone\n");
    decide_run_close(run);
}
END_TEST

START_TEST(true_from_the_beginning_is_not_turning)
{
    open_with("when: [{becomes: customer.many < 2}]\n");
    EVENT("0s", "a.one", N(1));
    EVENT("1s", "a.one", N(1));
    CAME("");
    decide_run_until(run, "9999ms");
    CAME("");
    decide_run_until(run, "1m"); /* the first left the window exactly 10 s later */
    CAME("10s m task phone\n11s m ended chain_over\n");
    decide_run_close(run);
}
END_TEST

START_TEST(a_mark_that_runs_out_turns_it_exactly_then)
{
    open_with("when: [{becomes: '!customer.busy', as: calm}]\n"
              "relevant: calm.time == timestamp('2026-03-02T08:00:08Z')\n");
    EVENT("0s", "b.two", N(1));
    EVENT("3s", "b.two", N(1)); /* marks anew */
    decide_run_until(run, "1m");
    CAME("8s m task phone\n9s m ended chain_over\n");
    decide_run_close(run);
}
END_TEST

START_TEST(a_mark_of_before_these_rules_turns_it_too)
{
    struct rule_file files[] = {EVENT_SCHEMAS,
                                {"facts.yaml", facts},
                                {"moments/m.yaml", "moment: m\ntitle: M\ntier: service\n"
                                                   "when: [{event: b.two, if: event.data.n > 9}]\n"
                                                   "act: [{channel: phone}]\n"},
                                {NULL, NULL}};
    struct ruleset *sets[2];

    sets[0] = decide_run_compile(files);
    files[5].text = "moment: m\ntitle: M\ntier: service\nwhen: [{becomes: '!customer.busy'}]\n"
                    "act: [{channel: phone}]\n";
    ck_assert_str_eq(files[5].name, "moments/m.yaml");
    sets[1] = decide_run_compile(files);
    run = decide_run_open_sets(sets, 2);
    EVENT("0s", "b.two", N(1));
    decide_run_activate(run, "1s", sets[1]);
    EVENT("2s", "c.three", N(1)); /* of another fact */
    decide_run_until(run, "10s");
    CAME("5s m task phone\n");
    decide_run_close(run);
    ruleset_free(sets[0]);
    ruleset_free(sets[1]);
}
END_TEST

START_TEST(a_late_event_that_is_out_already_turns_nothing)
{
    open_with("when: [{becomes: customer.busy}]\n");
    LATE("20s", "15s", "b.two", N(1));
    decide_run_until(run, "1m");
    CAME("");
    LATE("1m", "56s", "b.two", N(1));
    CAME("1m m task phone\n");
    decide_run_close(run);
}
END_TEST

START_TEST(as_a_later_step_it_has_to_turn_after_the_step_before)
{
    open_with("when: [{event: c.three}, {becomes: customer.many >= 2}]\n");
    EVENT("0s", "a.one", N(1));
    EVENT("1s", "a.one", N(1));
    EVENT("2s", "c.three", N(1)); /* it is true already */
    EVENT("3s", "a.one", N(1));
    CAME("");
    decide_run_until(run, "30s"); /* not true from 11 s on */
    EVENT("30s", "a.one", N(1));
    CAME("");
    EVENT("31s", "a.one", N(1));
    CAME("31s m task phone\n");
    decide_run_close(run);
}
END_TEST

START_TEST(as_a_later_step_time_may_turn_it)
{
    open_with("about: event.data.key\n"
              "when: [{event: c.three, as: c}, "
              "{becomes: 'customer.per[c.data.key] < 2.0'}, {wait: 5s}]\n");
    EVENT("0s", "a.one", N(3));
    EVENT("1s", "c.three", N(1));
    decide_run_until(run, "1m");
    CAME("15s m/V task phone\n16s m/V ended chain_over\n");
    decide_run_close(run);
}
END_TEST

START_TEST(again_and_an_open_instance_hold_it_back)
{
    open_with("when: [{becomes: customer.busy}]\nagain: 1h\n");
    EVENT("0s", "b.two", N(1));
    CAME("0s m task phone\n");
    EVENT("20s", "b.two", N(1));
    CAME("1s m ended chain_over\n20s m silent again\n");
    EVENT("1h", "b.two", N(1));
    CAME("1h m task phone\n");
    decide_run_close(run);
}
END_TEST

START_TEST(as_a_later_step_it_expires_after_400_days)
{
    open_with("when: [{event: c.three}, {becomes: customer.busy}]\n");
    EVENT("0s", "c.three", N(1));
    decide_run_until(run, "401d");
    CAME("400d m ended expired\n");
    decide_run_close(run);
}
END_TEST

START_TEST(withdraw_goes_before_and_the_state_goes_on)
{
    open_with("when: [{becomes: customer.busy}, {wait: 1m}]\nwithdraw: [{event: b.two}]\n");
    EVENT("0s", "b.two", N(1));
    EVENT("2s", "b.two", N(1));
    CAME("2s m ended withdrawn\n");
    EVENT("3s", "b.two", N(1)); /* still true */
    decide_run_until(run, "1h");
    CAME("");
    decide_run_close(run);
}
END_TEST

static void refuses(const char *rest, const char *code)
{
    static char moment[2048];
    struct bundle_file files[] = {{STR("facts.yaml"), str_of("busy: {mark: task.outcome, for: 5s}\n"
                                                             "t: {since: task.outcome}\n")},
                                  {STR("moments/m.yaml"), {0}}};
    struct bundle bundle = {files, 2};
    struct diags diags = {0};
    bool found = false;

    snprintf(moment, sizeof moment, "moment: m\ntitle: M\ntier: service\nact: [{channel: p}]\n%s",
             rest);
    files[1].text = str_of(moment);
    ck_assert_ptr_null(ruleset_compile(&bundle, NULL, &diags));
    for (size_t i = 0; i < diags.count; i++)
        found |= strcmp(diags.items[i].code, code) == 0;
    ck_assert_msg(found, "%s: %s", rest, diags.items[0].code);
    diags_free(&diags);
}

START_TEST(it_reads_facts_alone)
{
    refuses("when: [{becomes: 'customer.t < now'}]\n", "out-of-reach");
    refuses("when: [{becomes: 'event.time == customer.t'}]\n", "no-event");
    refuses("when: [{becomes: 'local(customer.t).getHours() > 3'}]\n", "unknown-function");
    refuses("about: event.data.task\nwhen: [{becomes: customer.busy}]\n", "about");
    refuses("when: [{becomes: customer.busy, if: customer.busy}]\n", "key-place");
    refuses("when: [{becomes: customer.busy, for: 3d}]\n", "key-place");
}
END_TEST

SUITE_MAIN("becomes", a_record_turns_it_once_until_it_was_not_true,
           true_from_the_beginning_is_not_turning, a_mark_that_runs_out_turns_it_exactly_then,
           a_mark_of_before_these_rules_turns_it_too,
           a_late_event_that_is_out_already_turns_nothing,
           as_a_later_step_it_has_to_turn_after_the_step_before, as_a_later_step_time_may_turn_it,
           again_and_an_open_instance_hold_it_back, as_a_later_step_it_expires_after_400_days,
           withdraw_goes_before_and_the_state_goes_on, it_reads_facts_alone)
