/* The figures are held against states that decide has made. */
#include "processors/decide/cost.h"

#include "core/limit.h"
#include "processors/decide/given.h"
#include "processors/decide/state.h"
#include "tests/support/decide_run.h"
#include "tests/support/suite.h"

static const struct rule_file rules[] = {
    EVENT_SCHEMAS,
    {"facts.yaml", "yes: {mark: a.one, for: 2d}\n"
                   "word: {last: event.data.key, of: a.one}\n"
                   "often: {count: a.one, over: 100d}\n"
                   "pads: {last: event.data.n, of: a.one, per: event.data.key, keys: 4}\n"
                   "daily: {sum: event.data.n, of: a.one, over: 30d, step: 1d}\n"
                   "kinds: {distinct: event.data.key, of: a.one, over: 9d, limit: 8}\n"},
    {"moments/few.yaml", "moment: few\ntitle: F\ntier: care\nwhen: [{event: a.one}]\n"
                         "act: [{channel: phone, say: x}]\n"},
    {"moments/many.yaml",
     "moment: many\ntitle: M\ntier: care\nabout: event.data.key\ninstances: 10\nagain: 9d\n"
     "when: [{count: 3, of: a.one, within: 9d, as: m}, {wait: 1d}]\n"
     "act: [{channel: phone, say: \"{{m.data.key}} {{m.first.data.n}}\"}]\n"},
    {NULL, NULL}};

static struct cost fact(const struct ruleset *set, const char *name)
{
    return cost_of_fact(set, (size_t)ruleset_find_fact(set, str_of(name)));
}

static struct cost moment(const struct ruleset *set, const char *name)
{
    return cost_of_moment(set, (size_t)ruleset_find_moment(set, str_of(name)));
}

START_TEST(a_fact_costs_what_a_state_with_it_is_longer)
{
    struct ruleset *set = decide_run_compile(rules);
    struct given given = {.fact = (uint32_t)ruleset_find_fact(set, STR("word")),
                          .value = value_string(STR("abcdefghijkl"))};
    struct buf with = {0};

    ck_assert_int_eq(given_encode(set, STR("c"), &given, 1, 0, &with, NULL), ERR_NONE);
    /* around it: version, seven counts, check */
    ck_assert_uint_le(fact(set, "word").one, with.len - 12);
    ck_assert_uint_ge(fact(set, "word").one + 3, with.len - 12); /* a time of another length */
    buf_free(&with);
    ruleset_free(set);
}
END_TEST

START_TEST(limits_bound_the_worst_case)
{
    struct ruleset *set = decide_run_compile(rules);

    ck_assert_uint_eq(fact(set, "yes").one, fact(set, "yes").worst);
    ck_assert_uint_gt(fact(set, "word").worst, LIMIT_FACT_VALUE_BYTES);
    ck_assert_uint_lt(fact(set, "word").worst, LIMIT_FACT_VALUE_BYTES + 32);
    ck_assert_uint_gt(fact(set, "often").worst, LIMIT_FACT_EVENTS * 2);
    ck_assert_uint_gt(fact(set, "pads").worst, 4 * LIMIT_ABOUT_BYTES);
    ck_assert_uint_lt(fact(set, "pads").worst, 5 * LIMIT_ABOUT_BYTES);
    ck_assert_uint_gt(fact(set, "daily").worst, 31 * 9);
    ck_assert_uint_gt(fact(set, "kinds").worst, 8 * LIMIT_FACT_VALUE_BYTES);
    ck_assert_uint_lt(fact(set, "kinds").worst, 9 * LIMIT_FACT_VALUE_BYTES);
    ruleset_free(set);
}
END_TEST

START_TEST(a_moment_costs_its_instances_and_what_they_keep)
{
    struct ruleset *set = decide_run_compile(rules);
    uint64_t kept = (uint64_t)LIMIT_FACT_VALUE_BYTES * LIMIT_STEP_EVENTS;

    ck_assert_uint_gt(moment(set, "few").one, 40);
    ck_assert_uint_lt(moment(set, "few").one, 100);
    ck_assert_uint_lt(moment(set, "few").worst, 1000);
    ck_assert_uint_gt(moment(set, "many").one, moment(set, "few").one);
    ck_assert_uint_gt(moment(set, "many").worst, 10 * kept);
    ck_assert_uint_lt(moment(set, "many").worst, 11 * kept + 64 * 2 * LIMIT_ABOUT_BYTES);
    ruleset_free(set);
}
END_TEST

START_TEST(the_rest_is_the_same_for_all)
{
    ck_assert_uint_lt(cost_of_rest().one, 32);
    ck_assert_uint_gt(cost_of_rest().worst, LIMIT_RECENT_IDS * 7 + LIMIT_CONTACTS * 16);
}
END_TEST

SUITE_MAIN("cost", a_fact_costs_what_a_state_with_it_is_longer, limits_bound_the_worst_case,
           a_moment_costs_its_instances_and_what_they_keep, the_rest_is_the_same_for_all)
