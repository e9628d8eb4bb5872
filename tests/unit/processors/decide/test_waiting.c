/* What stays out is known when its sources have been read so far. */
#include <stdio.h>

#include "tests/support/decide_run.h"
#include "tests/support/suite.h"

static struct decide_run *run;

#define SOURCES                                                                                    \
    "billing: {types: [b.two, customer.updated], max_silence: 6h}\n"                               \
    "web: {types: [b.two, c.three], max_silence: 1d}\n"

/* A moment `m` with one action on the phone. */
static struct ruleset *compile(const char *when, const char *sources)
{
    static char moment[2048];
    struct rule_file files[] = {
        EVENT_SCHEMAS, {"sources.yaml", sources}, {"moments/m.yaml", moment}, {NULL, NULL}};

    snprintf(moment, sizeof moment,
             "moment: m\ntitle: M\ntier: service\ndeadline: 1d\nabout: event.data.key\n"
             "act: [{channel: phone, outcomes: {done: end}}]\n%s",
             when);
    return decide_run_compile(files);
}

static struct ruleset *sets[2];

static void open_with(const char *when, const char *sources)
{
    sets[0] = compile(when, sources);
    run = decide_run_open_sets(sets, 1);
}

static void tear_down(void)
{
    decide_run_close(run);
    ruleset_free(sets[0]);
    ruleset_free(sets[1]);
    sets[0] = sets[1] = NULL;
}

#define ABSENT                     "when: [{event: a.one}, {absent: b.two, for: 2d}]\n"

#define EVENT(at, type, data)      decide_run_event(run, at, type, data)
#define LATE(at, time, type, data) decide_run_late(run, at, time, type, data, "")
#define KEY(k)                     "{\"key\":\"" k "\",\"n\":2}"
#define CAME(lines)                ck_assert_str_eq(decide_run_lines(run), lines)
#define READ(source, until)        decide_run_watermark(run, source, 0, 1, until)

START_TEST(nothing_is_absent_before_all_its_sources_have_been_read_so_far)
{
    open_with(ABSENT, SOURCES);
    READ("web", "1d23h");
    READ("billing", "1d23h");
    EVENT("0s", "a.one", KEY("V"));
    decide_run_until(run, "2d30m");
    CAME("");
    READ("billing", "2d");
    CAME("");
    READ("web", "2d");
    CAME("2d30m m/V task phone\n"); /* now, and the step is done at 2d */
}
END_TEST

/* By way of three partitions of attent.identify, and then no more: its numbers mean something else. */
START_TEST(a_source_that_is_numbered_otherwise_is_known_only_when_it_says_so_again)
{
    open_with(ABSENT, "billing: {types: [b.two], max_silence: 4d}\n");
    for (int way = 0; way < 3; way++)
        decide_run_watermark(run, "billing", way, 3, "1d");
    EVENT("0s", "a.one", KEY("V"));
    decide_run_watermark(run, "billing", 0, 3, "10d");
    decide_run_watermark(run, "billing", 1, 2, "10d");
    decide_run_until(run, "2d");
    CAME("2d m/V silent source_behind\n");
    decide_run_watermark(run, "billing", 0, 2, "10d");
    CAME("2d m/V task phone\n");
}
END_TEST

START_TEST(the_smallest_partition_counts_and_an_unknown_one_has_been_read_nowhere)
{
    open_with(ABSENT, "billing: {types: [b.two], max_silence: 4d}\n");
    decide_run_watermark(run, "billing", 1, 3, "10d");
    decide_run_watermark(run, "billing", 0, 3, "10d");
    EVENT("0s", "a.one", KEY("V"));
    decide_run_until(run, "2d");
    CAME("2d m/V silent source_behind\n"); /* of partition 2 nothing was ever heard */
    decide_run_watermark(run, "billing", 2, 3, "1d23h");
    CAME("");
    decide_run_watermark(run, "billing", 2, 3, "1d"); /* never back */
    decide_run_watermark(run, "billing", 2, 3, "2d");
    CAME("2d m/V task phone\n");
}
END_TEST

START_TEST(who_paid_while_the_feed_was_down_is_left_alone)
{
    open_with(ABSENT, SOURCES);
    READ("web", "9d");
    READ("billing", "1d");
    EVENT("0s", "a.one", KEY("V"));
    EVENT("0s", "a.one", KEY("W"));
    decide_run_until(run, "4d");
    CAME("2d m/V silent source_behind\n2d m/W silent source_behind\n");
    EVENT("4d", "b.two", KEY("V")); /* after the two days, before anybody could know */
    CAME("4d m/V ended broken\n");
    READ("billing", "4d");
    CAME("4d m/W task phone\n");
}
END_TEST

START_TEST(a_source_that_is_behind_is_told_of_once)
{
    open_with(ABSENT, SOURCES);
    READ("web", "9d");
    READ("billing", "1d22h");
    EVENT("0s", "a.one", KEY("V"));
    decide_run_until(run, "2d3h59m");
    CAME("");
    READ("billing", "1d23h"); /* it moves, so there is more time */
    decide_run_until(run, "2d4h59m");
    CAME("");
    decide_run_until(run, "3d");
    CAME("2d5h m/V silent source_behind\n");
    ck_assert_ptr_nonnull(
        strstr(decide_run_decision(run), "billing has been read up to 2026-03-04T07:00:00Z"));
    READ("billing", "1d23h30m");
    decide_run_until(run, "9d");
    CAME("");
}
END_TEST

START_TEST(a_heartbeat_that_arrives_late_goes_on)
{
    open_with("when: [{every: 10h, of: c.three}]\n", SOURCES);
    READ("web", "0s");
    EVENT("0s", "c.three", KEY("V"));
    decide_run_until(run, "15h");
    CAME("");
    LATE("15h", "9h", "c.three", KEY("V"));
    READ("web", "18h");
    decide_run_until(run, "19h");
    CAME(""); /* due at 19h now, read up to 18h */
    READ("web", "20h");
    CAME("19h m/V task phone\n");
}
END_TEST

START_TEST(a_type_that_no_source_feeds_follows_the_log)
{
    open_with("when: [{event: a.one}, {absent: a.one, for: 2d}]\n", SOURCES);
    EVENT("0s", "a.one", KEY("V"));
    decide_run_until(run, "2d");
    CAME("2d m/V task phone\n");
}
END_TEST

START_TEST(what_waits_may_be_withdrawn)
{
    open_with(ABSENT "withdraw: [{event: c.three}]\n", SOURCES);
    READ("billing", "9d");
    EVENT("0s", "a.one", KEY("V"));
    decide_run_until(run, "3d");
    CAME("2d m/V silent source_behind\n");
    EVENT("3d", "c.three", KEY("V"));
    CAME("3d m/V ended withdrawn\n");
    READ("web", "9d");
    decide_run_until(run, "9d");
    CAME("");
}
END_TEST

START_TEST(other_rules_let_go_what_waits_for_a_source_that_they_do_not_have)
{
    sets[0] = compile(ABSENT, SOURCES);
    sets[1] = compile(ABSENT, "web: {types: [c.three]}\n");
    run = decide_run_open_sets(sets, 2);
    EVENT("0s", "a.one", KEY("V"));
    decide_run_until(run, "3d");
    CAME("2d m/V silent source_behind\n");
    decide_run_activate(run, "3d", sets[1]);
    CAME("3d m/V task phone\n");
}
END_TEST

START_TEST(a_record_that_is_no_watermark_is_counted_and_moves_nothing)
{
    open_with(ABSENT, SOURCES);
    READ("", "1d");
    EVENT("0s", "a.one", KEY("V"));
    decide_run_until(run, "2d");
    CAME("2d m/V silent source_behind\n");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        nothing_is_absent_before_all_its_sources_have_been_read_so_far,
        the_smallest_partition_counts_and_an_unknown_one_has_been_read_nowhere,
        a_source_that_is_numbered_otherwise_is_known_only_when_it_says_so_again,
        who_paid_while_the_feed_was_down_is_left_alone,
        a_source_that_is_behind_is_told_of_once,
        a_heartbeat_that_arrives_late_goes_on,
        a_type_that_no_source_feeds_follows_the_log,
        what_waits_may_be_withdrawn,
        other_rules_let_go_what_waits_for_a_source_that_they_do_not_have,
        a_record_that_is_no_watermark_is_counted_and_moves_nothing,
    };

    return suite_run_with("waiting", tests, sizeof tests / sizeof tests[0], 60, NULL, tear_down);
}
