#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "core/rng.h"
#include "processors/decide/decide.h"
#include "processors/worker/offline.h"
#include "schemas/task.h"
#include "tests/support/decide_run.h"
#include "tests/support/suite.h"

/* A crowd: many customers of one partition, all of whom want the same queue.  Times are spans after
 * the start, 2026-03-02T09:00:00+01:00, a Monday. */

#define START_MS 1772438400000
enum { MINUTE_MS = 60000, HOUR_MS = 60 * MINUTE_MS, CROWD_MOST = 3000 };

struct left {      /* a task */
    int64_t at_ms; /* after the start */
    int customer;
    int value;
};

struct crowd {
    struct ruleset *set;
    struct decide_config config;
    struct offline *offline;
    struct arena *arena;
    int64_t asked_ms[CROWD_MOST];
    struct left left[CROWD_MOST];
    size_t left_count, silent_count;
    int number;
    struct buf decision; /* the last one that was paced */
};

#define POLICY(more)                                                                               \
    "channels: {phone: {}, email: {}}\ntime_zones: [Europe/Amsterdam]\n"                           \
    "queues: {team: {hours: {mon-sun: 09-17}, time_zone: Europe/Amsterdam" more "}}\n"

static struct ruleset *rules(const char *policy, const char *moment)
{
    char text[1024];
    struct rule_file files[] = {
        EVENT_SCHEMAS, {"policy.yaml", policy}, {"moments/m.yaml", text}, {NULL, NULL}};

    snprintf(text, sizeof text,
             "moment: m\ntitle: M\nwhen: [{event: a.one}]\nvalue: event.data.n\n"
             "withdraw: [{event: c.three}]\n%s",
             moment);
    return decide_run_compile(files);
}

#define TEAM "tier: care\ndeadline: 30d\nact: [{channel: phone, queue: team, wait: 1h}]\n"

static const struct ruleset *give(void *context, struct str hash_hex, struct err *err)
{
    (void)hash_hex;
    (void)err;
    return context;
}

static void take(void *context, int topic, const struct record *record)
{
    struct crowd *crowd = context;
    struct decision d;
    struct task task;

    if (topic == DECIDE_TOPIC_DECISIONS) {
        ck_assert(decision_read_json(record->value, crowd->arena, &d, NULL));
        crowd->silent_count += str_is(d.outcome, "silent") ? 1 : 0;
        if (str_is(d.reason, "paced")) {
            buf_clear(&crowd->decision);
            buf_put(&crowd->decision, record->value);
        }
    } else if (task_read_json(record->value, crowd->arena, &task, NULL)) {
        struct left *left = &crowd->left[crowd->left_count++];

        ck_assert_uint_lt(crowd->left_count, CROWD_MOST);
        left->at_ms = task.created_ms - START_MS;
        left->customer = atoi(task.customer.data + 1);
    }
}

static void open_offline(struct crowd *crowd, int partition, int partitions)
{
    struct offline_setup setup = {.class = &decide_class,
                                  .config = &crowd->config,
                                  .partition = partition,
                                  .context = crowd,
                                  .output = take};
    const struct header header = {STR(CONTROL_HEADER), STR(CONTROL_ACTIVATE)};

    crowd->config =
        (struct decide_config){.find = give, .context = crowd->set, .partitions = partitions};
    ck_assert_int_eq(offline_open(&setup, &crowd->offline, NULL), ERR_NONE);
    ck_assert_int_eq(offline_record(crowd->offline,
                                    &(struct record){.timestamp_ms = START_MS - 20 * HOUR_MS,
                                                     .value = str_of(crowd->set->hash_hex),
                                                     .headers = &header,
                                                     .header_count = 1},
                                    NULL),
                     ERR_NONE);
}

static struct crowd *crowd_open(const char *policy, const char *moment)
{
    struct crowd *crowd = MEM_NEW(struct crowd);

    crowd->arena = arena_new(0);
    crowd->set = rules(policy, moment);
    open_offline(crowd, 0, 1);
    return crowd;
}

static void crowd_close(struct crowd *crowd)
{
    offline_close(crowd->offline);
    ruleset_free(crowd->set);
    arena_free(crowd->arena);
    buf_free(&crowd->decision);
    mem_free(crowd);
}

static void event(struct crowd *crowd, int64_t at_ms, const char *type, int customer, int value)
{
    struct event event = {.id = arena_format(crowd->arena, "e%d", crowd->number++),
                          .source = STR("/test"),
                          .type = str_of(type),
                          .time_ms = START_MS + at_ms};
    struct record record = {.offset = offline_next(crowd->offline),
                            .timestamp_ms = START_MS + at_ms,
                            .key = arena_format(crowd->arena, "c%d", customer),
                            .value = arena_format(crowd->arena, "{\"n\":%d}", value)};
    struct header *headers;
    struct err err = {0};

    event.subject = event.partition_key = record.key;
    record.header_count = event_headers(&event, crowd->arena, &headers);
    record.headers = headers;
    if (str_is(event.type, "a.one"))
        crowd->asked_ms[customer] = at_ms;
    ck_assert_msg(offline_record(crowd->offline, &record, &err) == ERR_NONE, "%s", err.text);
}

static void until(struct crowd *crowd, int64_t at_ms)
{
    ck_assert_int_eq(offline_advance(crowd->offline, START_MS + at_ms, NULL), ERR_NONE);
}

/* --- evenly --------------------------------------------------------------------------------------- */

START_TEST(what_waited_for_the_morning_leaves_evenly_the_most_urgent_first)
{
    struct crowd *crowd = crowd_open(POLICY(", pace: {tasks: 30, per: 1h}"), TEAM);

    for (int i = 0; i < 40; i++)
        event(crowd, -10 * HOUR_MS + i, "a.one", i, i * 7 % 40);
    until(crowd, 4 * HOUR_MS);
    ck_assert_uint_eq(crowd->left_count, 40);
    for (int i = 0; i < 40; i++)
        ck_assert_int_eq(crowd->left[i].at_ms, i * 2 * MINUTE_MS);
    /* who is first in the morning takes the first place; behind it the order is that of value */
    for (int i = 2; i < 40; i++)
        ck_assert_int_gt(crowd->left[i - 1].customer * 7 % 40, crowd->left[i].customer * 7 % 40);
    ck_assert_ptr_nonnull(
        strstr(buf_text(&crowd->decision),
               "30 in 1h for team: others go first, at the earliest at 2026-03-02"));
    crowd_close(crowd);
}
END_TEST

START_TEST(without_a_pace_all_leave_at_once)
{
    struct crowd *crowd = crowd_open(POLICY(""), TEAM);

    for (int i = 0; i < 40; i++)
        event(crowd, -10 * HOUR_MS + i, "a.one", i, i);
    until(crowd, 0);
    ck_assert_uint_eq(crowd->left_count, 40);
    crowd_close(crowd);
}
END_TEST

START_TEST(who_comes_alone_does_not_wait_and_the_closing_of_the_queue_is_kept)
{
    struct crowd *crowd = crowd_open(POLICY(", pace: {tasks: 2, per: 1h}"), TEAM);

    event(crowd, 10 * MINUTE_MS, "a.one", 0, 1);
    event(crowd, 7 * HOUR_MS + 40 * MINUTE_MS, "a.one", 1, 1);
    event(crowd, 7 * HOUR_MS + 41 * MINUTE_MS, "a.one", 2, 1);
    until(crowd, 40 * HOUR_MS);
    ck_assert_uint_eq(crowd->left_count, 3);
    ck_assert_int_eq(crowd->left[0].at_ms, 10 * MINUTE_MS);
    ck_assert_int_eq(crowd->left[1].at_ms, 7 * HOUR_MS + 40 * MINUTE_MS);
    ck_assert_int_eq(crowd->left[2].at_ms, 24 * HOUR_MS); /* the place at 17:00 is of no use */
    crowd_close(crowd);
}
END_TEST

/* --- who, and who not ------------------------------------------------------------------------------ */

START_TEST(nobody_who_is_more_urgent_is_overtaken_and_no_place_stays_empty)
{
    struct rng rng = rng_seeded(7);
    struct crowd *crowd = crowd_open(POLICY(", pace: {tasks: 60, per: 1h}"), TEAM);
    int values[400];
    int64_t at_ms = 0;

    for (int i = 0; i < 400; i++) {
        at_ms += (int64_t)rng_below(&rng, 60000);
        values[i] = (int)rng_below(&rng, 50);
        event(crowd, at_ms, "a.one", i, values[i]);
    }
    ck_assert_int_lt(at_ms, 8 * HOUR_MS);
    until(crowd, 8 * HOUR_MS - 1);
    ck_assert_uint_gt(crowd->left_count, 190);
    for (size_t i = 1; i < crowd->left_count; i++) {
        const struct left *now = &crowd->left[i];

        ck_assert_int_ge(now->at_ms / MINUTE_MS, crowd->left[i - 1].at_ms / MINUTE_MS + 1);
        for (size_t k = i + 1; k < crowd->left_count; k++)
            ck_assert_msg(crowd->asked_ms[crowd->left[k].customer] >= now->at_ms ||
                              values[crowd->left[k].customer] <= values[now->customer],
                          "place %zu", i);
    }
    crowd_close(crowd);
}
END_TEST

START_TEST(safety_waits_for_nobody)
{
    struct crowd *crowd =
        crowd_open(POLICY(", pace: {tasks: 1, per: 1h}"),
                   "tier: safety\nact: [{channel: phone, queue: team, wait: 1h}]\n");

    for (int i = 0; i < 5; i++)
        event(crowd, HOUR_MS + i, "a.one", i, i);
    ck_assert_uint_eq(crowd->left_count, 5);
    crowd_close(crowd);
}
END_TEST

START_TEST(a_place_that_is_not_needed_any_more_goes_to_who_asks_next)
{
    struct crowd *crowd = crowd_open(POLICY(", pace: {tasks: 1, per: 1h}"), TEAM);

    event(crowd, 0, "a.one", 0, 1);
    event(crowd, 1, "a.one", 1, 1);
    event(crowd, 2, "a.one", 2, 1);
    event(crowd, 3, "c.three", 1, 0); /* withdrawn */
    event(crowd, 4, "a.one", 3, 1);
    until(crowd, 7 * HOUR_MS);
    ck_assert_uint_eq(crowd->left_count, 3);
    ck_assert_int_eq(crowd->left[1].customer, 3);
    ck_assert_int_eq(crowd->left[1].at_ms, HOUR_MS);
    ck_assert_int_eq(crowd->left[2].customer, 2);
    ck_assert_int_eq(crowd->left[2].at_ms, 2 * HOUR_MS);
    crowd_close(crowd);
}
END_TEST

START_TEST(who_would_come_too_late_goes_on_to_the_next_action)
{
    struct crowd *crowd = crowd_open(
        POLICY(", pace: {tasks: 1, per: 1h}"),
        "tier: care\ndeadline: 2h\n"
        "act: [{channel: phone, queue: team, wait: 1h}, {channel: email, text: x, wait: 1h}]\n");

    for (int i = 0; i < 4; i++)
        event(crowd, i, "a.one", i, 1);
    ck_assert_uint_eq(crowd->silent_count, 1); /* at 12:00 it would be too late */
    ck_assert_uint_eq(crowd->left_count, 2);
    ck_assert_int_eq(crowd->left[1].at_ms, 3);
    ck_assert_ptr_nonnull(strstr(buf_text(&crowd->decision), "not its turn before its deadline"));
    crowd_close(crowd);
}
END_TEST

START_TEST(a_channel_is_paced_where_the_queue_is_not)
{
    struct crowd *crowd =
        crowd_open("channels: {phone: {pace: {tasks: 1, per: 10m}}}\ntime_zones: [UTC]\n",
                   "tier: care\nact: [{channel: phone, wait: 1h}]\n");

    for (int i = 0; i < 3; i++)
        event(crowd, i, "a.one", i, 1);
    until(crowd, HOUR_MS);
    ck_assert_uint_eq(crowd->left_count, 3);
    ck_assert_int_eq(crowd->left[2].at_ms, 20 * MINUTE_MS);
    crowd_close(crowd);
}
END_TEST

/* --- partitions, crowds, rules --------------------------------------------------------------------- */

START_TEST(the_places_of_all_partitions_together_keep_the_pace)
{
    int in_minute[24 * 60] = {0};

    for (int partition = 0; partition < 3; partition++) {
        struct crowd *crowd = crowd_open(POLICY(", pace: {tasks: 60, per: 1h}"), TEAM);

        offline_close(crowd->offline);
        open_offline(crowd, partition, 3);
        for (int i = 0; i < 20; i++)
            event(crowd, -HOUR_MS + i, "a.one", i, i);
        until(crowd, 2 * HOUR_MS);
        ck_assert_uint_eq(crowd->left_count, 20);
        for (int i = 1; i < 20; i++) /* the first may take a place that has begun before */
            in_minute[crowd->left[i].at_ms / MINUTE_MS]++;
        crowd_close(crowd);
    }
    for (int m = 0; m < 24 * 60; m++)
        ck_assert_int_le(in_minute[m], 1);
}
END_TEST

START_TEST(a_crowd_longer_than_the_line_leaves_evenly_too)
{
    enum { MANY = LIMIT_PACE_PLACES + 500 };
    struct crowd *crowd = crowd_open(POLICY(", pace: {tasks: 3600, per: 1h}"), TEAM "again: 30d\n");

    for (int i = 0; i < MANY; i++)
        event(crowd, -10 * HOUR_MS + i, "a.one", i, i * 37 % MANY);
    until(crowd, HOUR_MS);
    ck_assert_uint_eq(crowd->left_count, MANY);
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(crowd->left[i].at_ms, i * 1000);
    for (int i = 2; i < MANY; i++)
        ck_assert_int_gt(crowd->left[i - 1].customer * 37 % MANY,
                         crowd->left[i].customer * 37 % MANY);
    crowd_close(crowd);
}
END_TEST

START_TEST(under_other_rules_who_waits_asks_again)
{
    struct crowd *crowd = crowd_open(POLICY(", pace: {tasks: 1, per: 1h}"), TEAM);
    struct ruleset *before = crowd->set;
    const struct header header = {STR(CONTROL_HEADER), STR(CONTROL_ACTIVATE)};
    struct err err = {0};

    for (int i = 0; i < 4; i++)
        event(crowd, i, "a.one", i, 1);
    crowd->set = rules(POLICY(", pace: {tasks: 2, per: 1h}"), TEAM);
    crowd->config.context = crowd->set;
    ck_assert_msg(offline_record(crowd->offline,
                                 &(struct record){.offset = offline_next(crowd->offline),
                                                  .timestamp_ms = START_MS + 5,
                                                  .value = str_of(crowd->set->hash_hex),
                                                  .headers = &header,
                                                  .header_count = 1},
                                 &err) == ERR_NONE,
                  "%s", err.text);
    ruleset_free(before);
    until(crowd, 5 * HOUR_MS);
    ck_assert_uint_eq(crowd->left_count, 4);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(crowd->left[i].at_ms, i * HOUR_MS);
    crowd_close(crowd);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        what_waited_for_the_morning_leaves_evenly_the_most_urgent_first,
        without_a_pace_all_leave_at_once,
        who_comes_alone_does_not_wait_and_the_closing_of_the_queue_is_kept,
        nobody_who_is_more_urgent_is_overtaken_and_no_place_stays_empty,
        safety_waits_for_nobody,
        a_place_that_is_not_needed_any_more_goes_to_who_asks_next,
        who_would_come_too_late_goes_on_to_the_next_action,
        a_channel_is_paced_where_the_queue_is_not,
        the_places_of_all_partitions_together_keep_the_pace,
        a_crowd_longer_than_the_line_leaves_evenly_too,
        under_other_rules_who_waits_asks_again};
    return suite_run_with("pace", tests, sizeof tests / sizeof tests[0], 60, NULL, NULL);
}
