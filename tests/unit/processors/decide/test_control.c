#include "processors/decide/control.h"

#include <stdio.h>

#include "core/when.h"
#include "tests/support/decide_run.h"
#include "tests/support/suite.h"

/* Half of all: who is in is asked of control_drawn, the rest has to follow. */
#define POLICY                                                                                     \
    "control: [{name: sales, percent: 50, tiers: [commercial]}]\n"                                 \
    "tiers: {service: {consent: opt_out}, commercial: {consent: opt_out}}\n"                       \
    "channels: {phone: {}, mail: {}}\n"
#define MOMENT(name, tier, acts)                                                                   \
    {                                                                                              \
        "moments/" name ".yaml", "moment: " name "\ntitle: T\ntier: " tier                         \
                                 "\nabout: event.data.key\nwhen: [{event: a.one}]\n" acts          \
    }
#define ONE_CALL "act: [{channel: phone, wait: 1h}]\n"

static const struct control half = {.name = {"sales", 5}, .percent = 50, .tiers = 1};

static struct arena *arena;
static struct decide_run *run;
static int64_t start_ms;

static void set_up(void)
{
    arena = arena_new(0);
    run = NULL;
    ck_assert(when_parse_ms(STR("2026-03-02T09:00:00+01:00"), &start_ms));
}

static void tear_down(void)
{
    if (run != NULL)
        decide_run_close(run);
    arena_free(arena);
}

static bool c1_is_in(int day)
{
    return control_drawn(&half, STR("c1"), start_ms + day * (int64_t)WHEN_DAY_MS, arena);
}

/* The first day from `day` on which c1 is in the group, or is not. */
static int find_day(int day, bool in)
{
    while (c1_is_in(day) != in)
        day++;
    return day;
}

static const char *days(int day)
{
    return arena_format(arena, "%dd", day).data;
}

static void came(const char *format, int day)
{
    char line[128];

    snprintf(line, sizeof line, format, day, day + 7);
    ck_assert_str_eq(decide_run_lines(run), line);
}

static void offer(int day, const char *key)
{
    char data[64];

    snprintf(data, sizeof data, "{\"key\":\"%s\"}", key);
    decide_run_event(run, days(day), "a.one", data);
}

START_TEST(so_many_of_a_hundred_customers_are_drawn_anew_each_month)
{
    const struct control sales = {.name = STR("sales"), .percent = 5};
    const struct control other = {.name = STR("other"), .percent = 5};
    int in = 0, in_next = 0, in_both = 0, in_other = 0;

    for (int i = 0; i < 20000; i++) {
        struct str customer = arena_format(arena, "c-%d", i);
        bool now = control_drawn(&sales, customer, start_ms, arena);
        bool next = control_drawn(&sales, customer, start_ms + 31 * (int64_t)WHEN_DAY_MS, arena);

        in += now;
        in_next += next;
        in_both += now && next;
        in_other += now && control_drawn(&other, customer, start_ms, arena);
        /* the same from the first to the last moment of March, UTC */
        ck_assert(now ==
                  control_drawn(&sales, customer, start_ms + 29 * (int64_t)WHEN_DAY_MS, arena));
    }
    ck_assert_int_gt(in, 900); /* 1,000 and 3 deviations of 31 */
    ck_assert_int_lt(in, 1100);
    ck_assert_int_gt(in_next, 900);
    ck_assert_int_lt(in_next, 1100);
    ck_assert_int_gt(in_both, 28); /* 50: two draws have nothing to do with each other */
    ck_assert_int_lt(in_both, 72);
    ck_assert_int_gt(in_other, 28);
    ck_assert_int_lt(in_other, 72);
}
END_TEST

START_TEST(who_is_in_gets_nothing_of_the_tier_and_all_of_others)
{
    struct rule_file files[] = {EVENT_SCHEMAS,
                                {"policy.yaml", POLICY},
                                MOMENT("sell", "commercial", ONE_CALL),
                                MOMENT("serve", "service", ONE_CALL),
                                {NULL, NULL}};
    int in = find_day(1, true);
    int out = find_day(in, false);

    run = decide_run_open(files);
    offer(in, "V");
    came("%1$dd sell/V silent control\n%1$dd serve/V task phone\n", in);
    ck_assert_ptr_nonnull(strstr(decide_run_decision(run), "task"));
    decide_run_until(run, days(out - 1));
    decide_run_lines(run);
    offer(out, "V");
    came("%1$dd serve/V task phone\n%1$dd sell/V hold outranked %2$dd\n", out);
}
END_TEST

START_TEST(what_began_outside_the_group_goes_on_to_its_end)
{
    struct rule_file files[] = {
        EVENT_SCHEMAS,
        {"policy.yaml", POLICY},
        MOMENT("sell", "commercial",
               "act: [{channel: phone, wait: 40d}, {channel: mail, wait: 1h}]\n"),
        {NULL, NULL}};
    int day = 1;

    while (c1_is_in(day) || !c1_is_in(day + 40))
        day++;
    run = decide_run_open(files);
    offer(day, "V");
    came("%dd sell/V task phone\n", day);
    decide_run_until(run, days(day + 40));
    came("%dd sell/V task mail\n", day + 40);
}
END_TEST

SUITE_MAIN_AROUND("control", set_up, tear_down,
                  so_many_of_a_hundred_customers_are_drawn_anew_each_month,
                  who_is_in_gets_nothing_of_the_tier_and_all_of_others,
                  what_began_outside_the_group_goes_on_to_its_end)
