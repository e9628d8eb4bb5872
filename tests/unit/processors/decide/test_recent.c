#include "core/mem.h"
#include "processors/decide/recent.h"
#include "tests/support/decide_run.h"
#include "tests/support/suite.h"

#define MOMENT                                                                                     \
    {                                                                                              \
        "moments/call.yaml",                                                                       \
            "moment: call\ntitle: C\ntier: safety\nabout: event.data.key\n"                        \
            "when: [{event: [a.one, b.two]}]\nact: [{channel: phone, wait: 1s}]\n"                 \
            "deadline: 1s\n"                                                                       \
    }

static const struct rule_file plain[] = {EVENT_SCHEMAS, MOMENT, {NULL, NULL}};
static const struct rule_file told[] = {
    EVENT_SCHEMAS,
    MOMENT,
    {"policy.yaml",
     "tiers:\n  safety: {consent: always}\nchannels:\n  phone: {}\ndedupe:\n  ids: 2\n"
     "  for: 1h\n  same: [{event: [a.one], by: [type, data.key, data.n]}]\n"},
    {NULL, NULL}};

START_TEST(a_double_is_told_once_and_counted)
{
    struct decide_run *run = decide_run_open(plain);

    decide_run_late(run, "0s", "", "a.one", "{\"key\":\"V\"}", "e");
    ck_assert_str_eq(decide_run_lines(run), "0s call/V task phone\n");
    decide_run_late(run, "1h", "", "a.one", "{\"key\":\"V\"}", "e");
    decide_run_late(run, "2h", "", "a.one", "{\"key\":\"V\"}", "e");
    ck_assert_str_eq(decide_run_lines(run), "1s call/V ended chain_over\n1h  silent duplicate\n");
    ck_assert_ptr_nonnull(strstr(decide_run_decision(run), "it was here at 2026-03-02T08:00:00Z"));
    ck_assert_ptr_nonnull(strstr(decide_run_decision(run), "\"event\":\"e\""));
    decide_run_late(run, "23h59m59s", "", "a.one", "{\"key\":\"V\"}", "e");
    ck_assert_str_eq(decide_run_lines(run), "");
    decide_run_late(run, "24h", "", "a.one", "{\"key\":\"V\"}", "e");
    ck_assert_str_eq(decide_run_lines(run), "1d call/V task phone\n");
    decide_run_close(run);
}
END_TEST

START_TEST(what_the_policy_names_tells_an_event_whatever_its_id)
{
    struct decide_run *run = decide_run_open(told);

    decide_run_event(run, "0s", "a.one", "{\"key\":\"V\",\"n\":7}");
    decide_run_event(run, "5s", "a.one", "{\"n\":7.0,\"key\":\"V\"}");
    ck_assert_str_eq(decide_run_lines(run), "0s call/V task phone\n1s call/V ended chain_over\n"
                                            "5s  silent duplicate\n");
    decide_run_event(run, "6s", "a.one", "{\"key\":\"V\",\"n\":8}");
    decide_run_event(run, "8s", "a.one", "{\"key\":\"V\"}"); /* no n: told by its id */
    decide_run_event(run, "10s", "a.one", "{\"key\":\"V\"}");
    ck_assert_str_eq(decide_run_lines(run), "6s call/V task phone\n7s call/V ended chain_over\n"
                                            "8s call/V task phone\n9s call/V ended chain_over\n"
                                            "10s call/V task phone\n");
    decide_run_close(run);
}
END_TEST

START_TEST(only_so_many_are_remembered)
{
    struct decide_run *run = decide_run_open(told);

    decide_run_late(run, "0s", "", "b.two", "{\"key\":\"V\"}", "one");
    decide_run_late(run, "10s", "", "b.two", "{\"key\":\"V\"}", "two");
    decide_run_late(run, "20s", "", "b.two", "{\"key\":\"V\"}", "three");
    decide_run_lines(run);
    decide_run_late(run, "30s", "", "b.two", "{\"key\":\"V\"}", "two");
    ck_assert_str_eq(decide_run_lines(run), "21s call/V ended chain_over\n30s  silent duplicate\n");
    decide_run_late(run, "40s", "", "b.two", "{\"key\":\"V\"}", "one");
    ck_assert_str_eq(decide_run_lines(run), "40s call/V task phone\n");
    decide_run_close(run);
}
END_TEST

/* docs/limits.md says what one costs. */
START_TEST(an_id_takes_seven_to_nine_bytes)
{
    struct arena *arena = arena_new(0);
    const struct policy policy = {.recent_ids = LIMIT_RECENT_IDS, .recent_s = 86400};
    static const int64_t spans_ms[] = {1000, 60 * 60 * 1000, 20 * 60 * 60 * 1000};

    for (size_t s = 0; s < 3; s++) {
        struct state *state = state_new(STR("c"), arena);
        struct buf small = {0}, large = {0};
        int64_t now_ms = 1772438400000;

        ck_assert_ptr_null(recent_take(state, arena, &policy, 1, now_ms));
        state_encode(state, &small);
        ck_assert_ptr_null(recent_take(state, arena, &policy, 2, now_ms + spans_ms[s]));
        state_encode(state, &large);
        ck_assert_uint_eq(large.len - small.len, 7 + s);
        buf_free(&small);
        buf_free(&large);
    }
    arena_free(arena);
}
END_TEST

SUITE_MAIN("recent", a_double_is_told_once_and_counted,
           what_the_policy_names_tells_an_event_whatever_its_id, only_so_many_are_remembered,
           an_id_takes_seven_to_nine_bytes)
