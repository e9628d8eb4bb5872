#include <stdio.h>

#include "core/hash.h"
#include "core/rng.h"
#include "tests/support/decide_run.h"
#include "tests/support/suite.h"

/* --- one rule for each thing that moves ---------------------------------------------------------- */

static const struct rule_file rules[] = {
    EVENT_SCHEMAS,
    {"facts.yaml", "latest: {last: event.data.n, of: a.one}\n"
                   "earliest: {first: event.data.n, of: a.one}\n"
                   "total: {sum: event.data.n, of: a.one}\n"
                   "number: {count: a.one}\n"
                   "least: {min: event.data.n, of: a.one}\n"
                   "most: {max: event.data.n, of: a.one}\n"
                   "middle: {mean: event.data.n, of: a.one}\n"
                   "lately: {sum: event.data.n, of: a.one, over: 2d}\n"
                   "often: {count: a.one, over: 2d}\n"
                   "hourly: {count: a.one, over: 2d, step: 1h}\n"
                   "kinds: {distinct: event.data.key, of: a.one, over: 9d}\n"
                   "marked: {mark: a.one, for: 1d}\n"
                   "since: {since: a.one}\n"
                   "by_key: {sum: event.data.n, of: a.one, per: event.data.key, keys: 3}\n"},
    {"moments/ask.yaml",
     "moment: ask\ntitle: A\ntier: safety\nabout: event.data.key\nwhen: [{event: c.three}]\n"
     "reason: \"{{customer.latest}} {{customer.earliest}} {{customer.total}} {{customer.number}} "
     "{{customer.least}} {{customer.most}} {{customer.middle}} {{customer.lately}} "
     "{{customer.often}} {{customer.hourly}} {{customer.kinds}} {{customer.marked}} "
     "{{customer.since}} {{customer.by_key['K2']}} {{customer.by_key['K3']}} "
     "{{customer.by_key['K4']}} {{'K1' in customer.by_key}}\"\n"
     "act: [{channel: phone, wait: 1s}]\ndeadline: 1s\n"},
    {NULL, NULL}};

static const char *reason_of(struct decide_run *run)
{
    static char text[512];
    const char *from = strstr(decide_run_task(run), "\"reason\":\"");

    ck_assert_ptr_nonnull(from);
    snprintf(text, sizeof text, "%s", from + strlen("\"reason\":\""));
    text[strcspn(text, "\"")] = '\0';
    return text;
}

START_TEST(facts_are_as_if_one_customer_had_lived_both_lives)
{
    struct decide_run *both = decide_run_open(rules), *one = decide_run_open(rules);
    static const struct {
        const char *customer, *at, *data;
    } events[] = {
        {"c2", "0s", "{\"key\":\"K1\",\"n\":7}"},   {"c1", "1h", "{\"key\":\"K2\",\"n\":3}"},
        {"c2", "90m", "{\"key\":\"K2\",\"n\":11}"}, {"c1", "95m", "{\"key\":\"K3\",\"n\":5}"},
        {"c2", "30h", "{\"key\":\"K4\",\"n\":2}"},  {"c1", "31h", "{\"key\":\"K2\",\"n\":9}"}};
    char expected[512];

    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        decide_run_event_of(both, events[i].customer, events[i].at, "a.one", events[i].data);
        decide_run_event_of(one, "c1", events[i].at, "a.one", events[i].data);
    }
    decide_run_event_of(both, "c2", "40h", "customer.merged", "{\"from\":\"c2\",\"into\":\"c1\"}");
    ck_assert_str_eq(decide_run_lines(both), "c2 1d16h  silent merged\n1d16h  silent merged\n");
    decide_run_event(one, "49h", "c.three", "{\"key\":\"Q\"}");
    snprintf(expected, sizeof expected, "%s", reason_of(one));
    ck_assert_ptr_nonnull(strstr(expected, "9 7 37 6 2 11"));
    decide_run_event(both, "49h", "c.three", "{\"key\":\"Q\"}");
    ck_assert_str_eq(reason_of(both), expected);
    decide_run_close(both);
    decide_run_close(one);
}
END_TEST

/* --- moments ------------------------------------------------------------------------------------- */

static const struct rule_file moments[] = {
    EVENT_SCHEMAS,
    {"facts.yaml", "n: {sum: event.data.n, of: b.two}\nnear: {mark: customer.merged, for: 9d}\n"},
    {"moments/call.yaml", "moment: call\ntitle: C\ntier: care\nabout: event.data.key\nagain: 9d\n"
                          "when: [{event: a.one}]\nwithdraw: [{event: c.three}]\n"
                          "act: [{channel: phone, wait: 3d, outcomes: {done: end, none: next}},\n"
                          "      {channel: mail, wait: 3d}]\n"},
    {"moments/wait.yaml", "moment: wait\ntitle: W\ntier: care\nabout: event.data.key\n"
                          "when: [{event: a.one}, {wait: 1d}, {absent: b.two, for: 1d}]\n"
                          "act: [{channel: mail}]\n"},
    {"moments/thrice.yaml",
     "moment: thrice\ntitle: T\ntier: care\n"
     "when: [{count: 3, of: b.two, if: event.data.key == \"T\", within: 2d, as: seen}]\n"
     "reason: \"{{seen.first.data.n}} {{seen.data.n}}\"\nact: [{channel: mail}]\n"},
    {"moments/grow.yaml", "moment: grow\ntitle: G\ntier: care\nwhen: [{becomes: customer.n > 9}]\n"
                          "act: [{channel: mail}]\n"},
    {"policy.yaml", "tiers:\n  care: {consent: opt_out}\nchannels:\n  phone: {}\n  mail: {}\n"
                    "caps:\n  - {max: 2, channel: phone, over: 7d}\n"},
    {NULL, NULL}};

#define MERGE_2_INTO_1 "{\"from\":\"c2\",\"into\":\"c1\"}"
#define MERGE_1_INTO_2 "{\"from\":\"c1\",\"into\":\"c2\"}"

START_TEST(a_task_that_is_out_keeps_its_key_and_its_answer_finds_it)
{
    struct decide_run *run = decide_run_open(moments);

    decide_run_event_of(run, "c2", "0s", "a.one", "{\"key\":\"V\"}");
    decide_run_event_of(run, "c2", "1h", "customer.merged", MERGE_2_INTO_1);
    ck_assert_str_eq(decide_run_lines(run),
                     "c2 0s call/V task phone\nc2 1h  silent merged\n1h  silent merged\n");
    decide_run_event_of(run, "c2", "2h", "task.outcome", "{\"task\":\"nobody's\",\"code\":\"x\"}");
    ck_assert_uint_eq(decide_run_strays(run), 1);
    decide_run_event_of(run, "c2", "3h", "c.three", "{\"key\":\"V\"}");
    ck_assert_str_eq(decide_run_lines(run),
                     "c2 3h call/V withdrawn c.three\n3h call/V ended withdrawn\n");
    decide_run_event(run, "4h", "a.one", "{\"key\":\"V\"}"); /* `again` came along */
    ck_assert_str_eq(decide_run_lines(run), "4h call/V silent again\n");
    decide_run_close(run);
}
END_TEST

START_TEST(an_answer_under_the_old_id_leads_to_the_next_action_of_the_new)
{
    struct decide_run *run = decide_run_open(moments);
    char old[64];
    const char *task;

    decide_run_event_of(run, "c2", "0s", "a.one", "{\"key\":\"V\"}");
    decide_run_event_of(run, "c2", "1h", "customer.merged", MERGE_2_INTO_1);
    decide_run_lines(run);
    task = strstr(decide_run_task(run), "\"id\":\"");
    snprintf(old, sizeof old, "%.32s", task + strlen("\"id\":\""));
    decide_run_outcome(run, "2h", "none", true);
    ck_assert_str_eq(decide_run_lines(run), "2h call/V task mail\n");
    ck_assert_ptr_nonnull(strstr(decide_run_task(run), "\"customer\":\"c1\""));
    ck_assert_ptr_null(strstr(decide_run_task(run), old));
    decide_run_outcome(run, "3h", "done", true);
    ck_assert_str_eq(decide_run_lines(run), "3h call/V ended outcome\n");
    decide_run_close(run);
}
END_TEST

START_TEST(of_two_about_the_same_the_one_that_is_further_goes_on)
{
    struct decide_run *run = decide_run_open(moments);

    decide_run_event_of(run, "c2", "0s", "a.one", "{\"key\":\"V\"}"); /* steps: 1 of `wait` */
    decide_run_event_of(run, "c1", "20h", "a.one", "{\"key\":\"V\"}");
    decide_run_event_of(run, "c1", "20h", "a.one", "{\"key\":\"W\"}");
    decide_run_until(run, "25h"); /* c2 waits for b.two to stay out, c1 still waits */
    decide_run_lines(run);
    decide_run_event_of(run, "c2", "30h", "customer.merged", MERGE_2_INTO_1);
    ck_assert_str_eq(decide_run_lines(run),
                     "c2 1d6h  silent merged\n1d6h  silent merged\n"
                     "c2 1d6h call/V withdrawn attent.customer_moved.v1\n1d6h call/V ended merged\n"
                     "1d6h wait/V ended merged\n");
    decide_run_event(run, "32h", "b.two", "{\"key\":\"V\",\"n\":1}"); /* breaks that of c2 only */
    ck_assert_str_eq(decide_run_lines(run), "1d8h wait/V ended broken\n");
    decide_run_close(run);
}
END_TEST

START_TEST(what_both_have_counted_counts_together)
{
    struct decide_run *run = decide_run_open(moments);

    decide_run_event_of(run, "c1", "1h", "b.two", "{\"key\":\"T\",\"n\":1}");
    decide_run_event_of(run, "c2", "2h", "b.two", "{\"key\":\"T\",\"n\":2}");
    decide_run_event_of(run, "c2", "3h", "customer.merged", MERGE_2_INTO_1);
    decide_run_lines(run);
    decide_run_event_of(run, "c2", "4h", "b.two", "{\"key\":\"T\",\"n\":3}");
    ck_assert_str_eq(decide_run_lines(run), "4h thrice task mail\n");
    ck_assert_ptr_nonnull(strstr(decide_run_task(run), "\"reason\":\"1 3\""));
    decide_run_close(run);
}
END_TEST

START_TEST(caps_are_added)
{
    struct decide_run *run = decide_run_open(moments);

    decide_run_event_of(run, "c2", "0s", "a.one", "{\"key\":\"V\"}");
    decide_run_event_of(run, "c1", "0s", "a.one", "{\"key\":\"W\"}");
    decide_run_event_of(run, "c2", "1h", "customer.merged", MERGE_2_INTO_1);
    decide_run_lines(run);
    decide_run_event(run, "2h", "a.one", "{\"key\":\"X\"}");
    ck_assert_str_eq(decide_run_lines(run), "2h call/X hold cap 1w\n");
    decide_run_close(run);
}
END_TEST

START_TEST(a_no_of_either_takes_back_the_task_of_the_other)
{
    struct decide_run *run = decide_run_open(moments);

    decide_run_event_of(run, "c1", "0s", "consent.withdrawn",
                        "{\"purpose\":\"care\",\"channel\":\"phone\"}");
    decide_run_event_of(run, "c2", "1h", "consent.given",
                        "{\"purpose\":\"care\",\"channel\":\"phone\"}");
    decide_run_event_of(run, "c2", "2h", "a.one", "{\"key\":\"V\"}");
    decide_run_lines(run);
    decide_run_event_of(run, "c2", "3h", "customer.merged", MERGE_2_INTO_1);
    ck_assert_str_eq(
        decide_run_lines(run),
        "c2 3h  silent merged\n3h  silent merged\n"
        "c2 3h call/V withdrawn attent.customer_moved.v1\n3h call/V ended no_consent\n");
    decide_run_close(run);
}
END_TEST

START_TEST(a_merge_turns_no_condition_and_time_goes_on_for_what_came_along)
{
    struct decide_run *run = decide_run_open(moments);

    decide_run_event_of(run, "c1", "0s", "b.two", "{\"key\":\"V\",\"n\":6}");
    decide_run_event_of(run, "c2", "0s", "b.two", "{\"key\":\"V\",\"n\":6}");
    decide_run_event_of(run, "c2", "1h", "customer.merged", MERGE_2_INTO_1);
    decide_run_event_of(run, "c2", "2h", "b.two", "{\"key\":\"V\",\"n\":1}");
    ck_assert_str_eq(decide_run_lines(run), "c2 1h  silent merged\n1h  silent merged\n");
    decide_run_close(run);
}
END_TEST

/* --- what goes on, and what does not --------------------------------------------------------------- */

START_TEST(what_cannot_be_says_why)
{
    struct decide_run *run = decide_run_open(moments);

    decide_run_event(run, "0s", "customer.merged", "{\"into\":\"c1\"}");
    decide_run_event(run, "1s", "customer.merged", "{\"from\":\"c1\",\"into\":\"\"}");
    ck_assert_str_eq(decide_run_lines(run), "0s  silent merge_self\n1s  silent merge_nobody\n");
    decide_run_event_of(run, "c2", "2s", "customer.merged", MERGE_2_INTO_1);
    decide_run_lines(run);
    decide_run_event_of(run, "c2", "3s", "customer.merged", MERGE_2_INTO_1);
    decide_run_event_of(run, "c2", "4s", "customer.merged", "{\"into\":\"c3\"}");
    ck_assert_str_eq(decide_run_lines(run),
                     "c2 3s  silent merge_again\nc2 4s  silent merge_again\n");
    decide_run_event(run, "5s", "customer.merged", MERGE_1_INTO_2);
    ck_assert_str_eq(decide_run_lines(run), "5s  silent merge_loop\n");
    decide_run_close(run);
}
END_TEST

START_TEST(it_may_be_said_under_any_of_the_ids)
{
    struct decide_run *run = decide_run_open(moments);

    decide_run_event_of(run, "c2", "0s", "a.one", "{\"key\":\"V\"}");
    decide_run_lines(run);
    decide_run_event_of(run, "c1", "1s", "customer.merged", MERGE_2_INTO_1);
    ck_assert_str_eq(decide_run_lines(run), "c2 1s  silent merged\n1s  silent merged\n");
    decide_run_event_of(run, "c2", "2s", "customer.merged", "{\"from\":\"c3\",\"into\":\"c2\"}");
    ck_assert_str_eq(decide_run_lines(run), "c3 2s  silent merged\n2s  silent merged\n");
    decide_run_close(run);
}
END_TEST

START_TEST(an_event_under_an_old_id_comes_to_the_last_of_them_once)
{
    struct decide_run *run = decide_run_open(moments);

    decide_run_event_of(run, "c3", "0s", "customer.merged", "{\"into\":\"c2\"}");
    decide_run_event_of(run, "c2", "1s", "customer.merged", "{\"into\":\"c1\"}");
    decide_run_lines(run);
    decide_run_event_of(run, "c3", "2s", "a.one", "{\"key\":\"V\"}");
    ck_assert_str_eq(decide_run_lines(run), "2s call/V task phone\n");
    decide_run_close(run);
}
END_TEST

START_TEST(erasing_the_one_forgets_the_other_and_where_it_led)
{
    struct decide_run *run = decide_run_open(moments), *fresh = decide_run_open(moments);
    struct hash128 empty = decide_run_digest(fresh), erased;

    for (int by = 1; by <= 2; by++) { /* under the new id, then under the old one */
        const char *id = by == 1 ? "c1" : "c2";
        char at[16];

        snprintf(at, sizeof at, "%dh", by);
        decide_run_event_of(run, "c2", at, "a.one", "{\"key\":\"V\"}");
        decide_run_event_of(run, "c2", at, "customer.merged", MERGE_2_INTO_1);
        decide_run_lines(run);
        decide_run_event_of(run, id, at, "customer.erased", "{}");
        ck_assert_ptr_nonnull(strstr(decide_run_lines(run), "call/V ended erased"));
        ck_assert_uint_eq(decide_run_permissions(run), 2 * (size_t)by); /* for each of the ids */
        ck_assert_ptr_nonnull(strstr(decide_run_permission(run), "\"customer\":\"c2\""));
        erased = decide_run_digest(run);
        ck_assert(erased.low == empty.low && erased.high == empty.high);
    }
    decide_run_close(run);
    decide_run_close(fresh);
}
END_TEST

START_TEST(two_that_are_merged_into_each_other_at_once_stay_two)
{
    struct decide_run *run = decide_run_open(moments);

    decide_run_event_of(run, "c1", "0s", "a.one", "{\"key\":\"V\"}");
    decide_run_event_of(run, "c2", "0s", "a.one", "{\"key\":\"W\"}");
    decide_run_lines(run);
    decide_run_hold(run, true);
    decide_run_event_of(run, "c1", "1s", "customer.merged", MERGE_1_INTO_2);
    decide_run_event_of(run, "c2", "1s", "customer.merged", MERGE_2_INTO_1);
    decide_run_event_of(run, "c1", "2s", "c.three", "{\"key\":\"V\"}"); /* behind it */
    ck_assert_str_eq(decide_run_lines(run), "1s  silent merged\nc2 1s  silent merged\n");
    decide_run_hold(run, false);
    ck_assert_str_eq(decide_run_lines(run),
                     "2s  silent merge_loop\nc2 2s  silent merge_loop\n"
                     "2s call/V withdrawn c.three\n2s call/V ended withdrawn\n");
    decide_run_event_of(run, "c2", "3s", "c.three", "{\"key\":\"W\"}");
    ck_assert_str_eq(decide_run_lines(run),
                     "c2 3s call/W withdrawn c.three\nc2 3s call/W ended withdrawn\n");
    decide_run_close(run);
}
END_TEST

/* --- consent: never looser than either -------------------------------------------------------------- */

#define ASK(name, purpose, channel, key)                                                           \
    {                                                                                              \
        "moments/" name ".yaml",                                                                   \
            "moment: " name "\ntitle: A\ntier: t\npurpose: " purpose                               \
            "\nabout: event.data.key\nwhen: [{event: a.one, if: "                                  \
            "event.data.key.startsWith(\"" key "\")}]\nact: [{channel: " channel ", wait: 1s}]\n"  \
    }
#define ASKING(consent)                                                                            \
    {                                                                                              \
        EVENT_SCHEMAS, ASK("a", "p1", "x", "1"), ASK("b", "p2", "y", "2"),                         \
            ASK("c", "p2", "x", "3"), ASK("d", "p3", "z", "4"),                                    \
            {"policy.yaml",                                                                        \
             "tiers:\n  t: {consent: " consent "}\nchannels:\n  x: {}\n  y: {}\n  z: {}\n"},       \
        {                                                                                          \
            NULL, NULL                                                                             \
        }                                                                                          \
    }

enum { KEYS = 4, WORDS = 8 };

static const struct rule_file opt_in[] = ASKING("opt_in"), opt_out[] = ASKING("opt_out");

static void say(struct decide_run *run, const char *customer, int number, struct rng *rng)
{
    static const char *const purposes[] = {"", "p1", "p2"}, *const channels[] = {"", "x", "y"};
    const char *purpose = purposes[rng_below(rng, 3)], *channel = channels[rng_below(rng, 3)];
    char at[16], data[64];

    snprintf(at, sizeof at, "%ds", number);
    snprintf(data, sizeof data, "{\"purpose\":\"%s\",\"channel\":\"%s\"}", purpose, channel);
    decide_run_event_of(run, customer, at,
                        rng_below(rng, 2) == 0 ? "consent.given" : "consent.withdrawn", data);
}

enum whose { FIRST, SECOND, MERGED };

/* For each key: may it go out? */
static void ask_all(const struct rule_file *files, uint64_t seed, enum whose whose, bool may[KEYS])
{
    struct decide_run *run = decide_run_open(files);
    struct rng rng = rng_seeded(seed);

    for (int i = 0; i < WORDS; i++) {
        bool second = i % 2 == 1;
        const char *customer = whose == MERGED               ? (second ? "c2" : "c1")
                               : (whose == SECOND) == second ? "c1"
                                                             : "other";
        say(run, customer, i, &rng);
    }
    if (whose == MERGED)
        decide_run_event_of(run, "c2", "10s", "customer.merged", MERGE_2_INTO_1);
    decide_run_lines(run);
    for (int k = 0; k < KEYS; k++) {
        char data[32], at[16];

        snprintf(data, sizeof data, "{\"key\":\"%d\"}", k + 1);
        snprintf(at, sizeof at, "%dh", 1 + k); /* the task before is over */
        decide_run_event(run, at, "a.one", data);
        may[k] = strstr(decide_run_lines(run), "task") != NULL;
    }
    decide_run_close(run);
}

START_TEST(consent_is_no_where_either_said_no_else_yes_where_either_said_yes)
{
    int count[2] = {0, 0};

    for (uint64_t seed = 1; seed <= 60; seed++) {
        bool in[3][KEYS], out[3][KEYS];

        for (int whose = FIRST; whose <= MERGED; whose++) {
            ask_all(opt_in, seed, (enum whose)whose, in[whose]);
            ask_all(opt_out, seed, (enum whose)whose, out[whose]);
        }
        for (int k = 0; k < KEYS; k++) {
            bool no = !out[FIRST][k] || !out[SECOND][k];
            bool yes = !no && (in[FIRST][k] || in[SECOND][k]);

            ck_assert_msg(out[MERGED][k] == !no && in[MERGED][k] == yes, "seed %d, key %d",
                          (int)seed, k + 1);
            count[yes ? 1 : 0]++;
        }
    }
    ck_assert_int_gt(count[0], 50);
    ck_assert_int_gt(count[1], 50);
}
END_TEST

SUITE_MAIN("merge", facts_are_as_if_one_customer_had_lived_both_lives,
           a_task_that_is_out_keeps_its_key_and_its_answer_finds_it,
           an_answer_under_the_old_id_leads_to_the_next_action_of_the_new,
           of_two_about_the_same_the_one_that_is_further_goes_on,
           what_both_have_counted_counts_together, caps_are_added,
           a_no_of_either_takes_back_the_task_of_the_other,
           a_merge_turns_no_condition_and_time_goes_on_for_what_came_along, what_cannot_be_says_why,
           it_may_be_said_under_any_of_the_ids,
           an_event_under_an_old_id_comes_to_the_last_of_them_once,
           two_that_are_merged_into_each_other_at_once_stay_two,
           erasing_the_one_forgets_the_other_and_where_it_led,
           consent_is_no_where_either_said_no_else_yes_where_either_said_yes)
