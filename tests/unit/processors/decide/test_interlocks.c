#include <stdio.h>

#include "core/rng.h"
#include "tests/support/decide_run.h"
#include "tests/support/suite.h"

/* One moment of a tier that two interlocks stop, one of another tier; both about key. */
#define FACTS                                                                                      \
    "sad: {mark: c.three, for: 10s}\n"                                                             \
    "n: {last: event.data.n, of: b.two}\n"
#define POLICY                                                                                        \
    "interlocks:\n"                                                                                   \
    "  - {name: sad, if: customer.sad, stops: [commercial]}\n"                                        \
    "  - {name: many, if: 'has(customer.n) && 10.0 / customer.n < 1.0', stops: [commercial, care]}\n" \
    "tiers: {service: {consent: always}, care: {consent: always}, commercial: {consent: always}}\n"   \
    "caps: [{max: 1, channel: mail, over: 5s}]\n"                                                     \
    "channels: {phone: {}, mail: {}}\n"

static struct decide_run *run;

static void open_with(const char *acts)
{
    static char sell[512], serve[512];
    struct rule_file files[] = {EVENT_SCHEMAS,
                                {"facts.yaml", FACTS},
                                {"policy.yaml", POLICY},
                                {"moments/sell.yaml", sell},
                                {"moments/serve.yaml", serve},
                                {NULL, NULL}};

    snprintf(sell, sizeof sell,
             "moment: sell\ntitle: Sell\ntier: commercial\nabout: event.data.key\n"
             "when: [{event: a.one}]\n%s",
             acts);
    snprintf(serve, sizeof serve,
             "moment: serve\ntitle: Serve\ntier: service\nabout: event.data.key\n"
             "when: [{event: a.one, if: event.data.key == \"both\"}]\n"
             "act: [{channel: phone, wait: 1s}]\n");
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
#define CAME(lines)           ck_assert_str_eq(decide_run_lines(run), lines)
#define PHONE                 "act: [{channel: phone, wait: 1h}]\n"

START_TEST(a_candidate_of_a_stopped_tier_ends_and_says_which_interlock)
{
    open_with(PHONE);
    EVENT("0s", "c.three", "{}");
    EVENT("1s", "a.one", "{\"key\":\"V\"}");
    CAME("1s sell/V silent interlock\n");
    ck_assert_ptr_nonnull(strstr(decide_run_decision(run), "sad: customer.sad = true"));
    EVENT("10s", "a.one", "{\"key\":\"V\"}"); /* the mark has run out */
    CAME("10s sell/V task phone\n");
}
END_TEST

START_TEST(another_tier_goes_out)
{
    open_with(PHONE);
    EVENT("0s", "c.three", "{}");
    EVENT("1s", "a.one", "{\"key\":\"both\"}");
    CAME("1s sell/both silent interlock\n1s serve/both task phone\n");
}
END_TEST

START_TEST(what_is_out_is_taken_back)
{
    open_with(PHONE);
    EVENT("0s", "a.one", "{\"key\":\"V\"}");
    CAME("0s sell/V task phone\n");
    EVENT("1s", "c.three", "{}");
    CAME("1s sell/V withdrawn c.three\n1s sell/V ended interlock\n");
}
END_TEST

START_TEST(what_is_on_hold_ends)
{
    open_with("act: [{channel: mail, wait: 1s}]\n");
    EVENT("0s", "a.one", "{\"key\":\"V\"}");
    EVENT("0s", "a.one", "{\"key\":\"W\"}");
    CAME("0s sell/V task mail\n0s sell/W hold cap 5s\n");
    decide_run_until(run, "2s");
    CAME("1s sell/V ended chain_over\n");
    EVENT("3s", "c.three", "{}");
    CAME("3s sell/W silent interlock\n");
    decide_run_until(run, "1h");
    CAME("");
}
END_TEST

START_TEST(a_condition_that_cannot_be_evaluated_stops)
{
    open_with(PHONE);
    EVENT("0s", "b.two", "{\"key\":\"V\",\"n\":5}");
    EVENT("1s", "a.one", "{\"key\":\"V\"}");
    CAME("1s sell/V task phone\n");
    EVENT("2s", "b.two", "{\"key\":\"V\",\"n\":20}");
    CAME("2s sell/V withdrawn b.two\n2s sell/V ended interlock\n");
}
END_TEST

/* By construction of the funnel: at no time is a task of the tier out while one is set. */
START_TEST(no_history_has_a_commercial_task_out_while_an_interlock_is_set)
{
    struct rng rng = rng_seeded(45);
    int tasks = 0;

    for (int history = 0; history < 200; history++) {
        long until = -1; /* second at which the mark is over */
        bool out = false;

        if (run != NULL)
            decide_run_close(run);
        open_with("act: [{channel: phone, wait: 4s}, {channel: mail, wait: 4s}]\n");
        for (long second = 0; second < 60; second++) {
            char at[32];
            const char *lines;
            bool sad = rng_below(&rng, 8) == 0;

            snprintf(at, sizeof at, "%lds", second);
            if (sad)
                until = second + 10;
            EVENT(at, sad ? "c.three" : "a.one", "{\"key\":\"V\"}");
            lines = decide_run_lines(run);
            for (const char *line = lines; *line != '\0'; line = strchr(line, '\n') + 1) {
                bool task = strncmp(strchr(line, ' '), " sell/V task", 12) == 0;
                bool over = strncmp(strchr(line, ' '), " sell/V ended", 13) == 0;

                out = task || (out && !over);
                tasks += task ? 1 : 0;
            }
            ck_assert_msg(!out || second >= until, "history %d, second %ld: %s", history, second,
                          lines);
        }
    }
    ck_assert_int_gt(tasks, 500); /* it was not silent for another reason */
}
END_TEST

SUITE_MAIN_AROUND("interlocks", set_up, tear_down,
                  a_candidate_of_a_stopped_tier_ends_and_says_which_interlock,
                  another_tier_goes_out, what_is_out_is_taken_back, what_is_on_hold_ends,
                  a_condition_that_cannot_be_evaluated_stops,
                  no_history_has_a_commercial_task_out_while_an_interlock_is_set)
