#include "tests/support/decide_run.h"
#include "tests/support/suite.h"

static const struct rule_file rules[] = {
    EVENT_SCHEMAS,
    {"facts.yaml", "n: {last: event.data.n, of: a.one}\n"
                   "often: {count: a.one, over: 2d}\n"},
    {"moments/call.yaml", "moment: call\ntitle: C\ntier: safety\nabout: event.data.key\nagain: 9d\n"
                          "when: [{event: a.one}]\nact: [{channel: phone, wait: 3d}]\n"},
    {"moments/wait.yaml", "moment: wait\ntitle: W\ntier: care\nabout: event.data.key\n"
                          "when: [{event: a.one}, {absent: b.two, for: 1d}]\n"
                          "relevant: customer.often == 2\nact: [{channel: phone}]\n"},
    {"sources.yaml", "shop: {types: b.two}\n"},
    {NULL, NULL}};

START_TEST(everything_ends_nothing_stays_and_what_comes_later_begins_anew)
{
    struct decide_run *run = decide_run_open(rules), *fresh = decide_run_open(rules);
    struct hash128 empty = decide_run_digest(fresh), erased;

    decide_run_event(run, "0s", "a.one", "{\"key\":\"V\",\"n\":7}");
    decide_run_until(run, "2d");
    ck_assert_str_eq(decide_run_lines(run),
                     "0s call/V task phone\n1d wait/V silent source_behind\n");
    decide_run_event(run, "2d", "customer.erased", "{}");
    ck_assert_str_eq(decide_run_lines(run), "2d call/V withdrawn customer.erased\n"
                                            "2d call/V ended erased\n2d wait/V ended erased\n");
    ck_assert_ptr_nonnull(strstr(decide_run_permission(run), "\"erased\":true"));
    ck_assert_ptr_nonnull(strstr(decide_run_permission(run), "customer.erased"));
    erased = decide_run_digest(run);
    ck_assert(erased.low == empty.low && erased.high == empty.high);
    decide_run_event(run, "2d", "task.outcome", "{\"task\":\"of before\",\"code\":\"read\"}");
    erased = decide_run_digest(run); /* an answer that comes late leaves nothing */
    ck_assert(erased.low == empty.low && erased.high == empty.high);
    decide_run_event(run, "2d", "a.one", "{\"key\":\"V\"}"); /* `again` is forgotten, too */
    ck_assert_str_eq(decide_run_lines(run), "2d call/V task phone\n");
    decide_run_close(run);
    decide_run_close(fresh);
}
END_TEST

SUITE_MAIN("erase", everything_ends_nothing_stays_and_what_comes_later_begins_anew)
