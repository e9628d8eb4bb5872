/* Saving the states while they are worked on, and what can be done with them: Redis is emptied and
 * restored, a state is compared with its log, a step is begun anew.  As an operator does it, with
 * the verbs, on a real Kafka and Redis; what readers take is what an undisturbed run writes. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/when.h"
#include "tests/support/decided.h"
#include "tests/support/history.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"
#include "tests/support/wait.h"

enum { CUSTOMERS = 100, EVENTS = 3000, WAIT_MS_MAX = 60 * 1000, LEAVE_MS_MAX = 5000 };

static const int64_t start_ms = 1735689600000; /* 2025-01-01T00:00:00Z */
static const int64_t span_ms = 60 * (int64_t)WHEN_DAY_MS;

static const char yaml[] = "time: log\n"
                           "worker: {batch_records: 50}\n"
                           "console: {address: \"\"}\n";

static struct server *kafka; /* of the suite's process */

static void start_kafka(void)
{
    kafka = kafka_start(1);
}

static void stop_kafka(void)
{
    server_stop(kafka);
}

/* --- an installation with one decider ------------------------------------------------------------ */

struct site {
    struct field field;
    struct history history;
    struct process *decider;
    const char *dir; /* snapshots */
};

static void start_decider(struct site *site)
{
    site->decider = field_start(&site->field, "run", "--role", "decide", NULL);
    field_check(site->decider,
                process_wait_output(site->decider, "\"partition claimed\"", WAIT_MS_MAX),
                "decide gets no partition");
}

static void stop_decider(struct site *site)
{
    process_kill(site->decider, SIGTERM);
    field_check(site->decider, process_wait(site->decider, LEAVE_MS_MAX) == 0, "SIGTERM");
    process_free(site->decider);
    site->decider = NULL;
}

static void open_site(struct site *site, const char *name)
{
    *site = (struct site){.dir = scratch_dir()};
    field_open(&site->field, name, kafka, yaml);
    history_open(&site->history, 1, CUSTOMERS, EVENTS, start_ms, span_ms);
    start_decider(site);
}

static void close_site(struct site *site)
{
    process_free(site->decider);
    history_close(&site->history);
    field_close(&site->field);
    scratch_remove(site->dir);
}

static void feed(struct site *site, size_t count)
{
    const struct field_event *event;

    for (size_t i = 0; i < count && (event = history_next(&site->history)) != NULL; i++)
        field_put(&site->field, "events", FIELD_BINARY, event);
    field_flush(&site->field);
}

static const char *in_dir(struct site *site, const char *name)
{
    return scratch_path(site->dir, name);
}

static void has(char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "%s\nis not in\n%s", part, text);
}

/* Until Redis holds what the whole log makes: the digests of `attent replay`. */
static void await_replay(struct site *site, const struct decided *replay)
{
    int64_t end_ms = wait_now_ms() + WAIT_MS_MAX;

    for (int p = 0; p < FIELD_PARTITIONS; p++)
        while (strcmp(decided_state_digest(&site->field, p), replay->digests[p]) != 0) {
            ck_assert_msg(wait_now_ms() < end_ms, "partition %d is not where replay is:\n%s", p,
                          process_stderr(site->decider));
            wait_pause_ms(100);
        }
}

/* The log is whole: decide to its end, and give what readers have taken. */
static void finish(struct site *site, struct decided *live, struct decided *replay)
{
    field_tick(&site->field, start_ms + span_ms + 30 * (int64_t)WHEN_DAY_MS);
    decided_open(replay, &site->field);
    decided_replay(replay, &site->field);
    await_replay(site, replay);
    stop_decider(site);
    decided_open(live, &site->field);
    decided_read(live, &site->field);
}

static void empty_redis(struct site *site)
{
    char reply[64];

    field_ask_redis(&site->field, "FLUSHALL", reply, sizeof reply);
    ck_assert_str_eq(reply, "+OK\r\n");
}

/* --- snapshot, restore, verify ------------------------------------------------------------------------ */

START_TEST(what_redis_lost_comes_back_from_a_snapshot_and_the_log)
{
    struct decided live, replay;
    struct site site;
    const char *snap;
    char *out;

    open_site(&site, "lost");
    snap = in_dir(&site, "one");
    feed(&site, EVENTS / 3);
    wait_pause_ms(300);
    out = field_run(&site.field, 0, "snapshot", snap, NULL); /* in the midst of it */
    has(out, "decide/0: next ");
    has(out, "4 partitions, ");
    free(out);
    ck_assert_int_eq(scratch_count_files(snap), 4);
    feed(&site, EVENTS / 3);
    out = field_run(&site.field, 0, "verify", "--step", "decide", "--from", snap, NULL);
    has(out, "decide/3: equal at offset ");
    free(out);
    out = field_run(&site.field, 1, "restore", snap, NULL);
    has(out, "NOT: a state is there; --force replaces it");
    free(out);
    free(field_run(&site.field, 78, "restore", snap, "--force", "--yes", NULL)); /* at work */

    empty_redis(&site);
    feed(&site, EVENTS / 6);
    field_check(
        site.decider,
        process_wait_output(site.decider, "`attent restore` puts a snapshot back", WAIT_MS_MAX),
        "decide does not name the way out");
    stop_decider(&site);
    out = field_run(&site.field, 0, "restore", snap, NULL);
    has(out, "; no state is there");
    free(out);
    free(field_run(&site.field, 78, "snapshot", in_dir(&site, "none"), NULL)); /* a dry run */
    out = field_run(&site.field, 0, "restore", snap, "--yes", NULL);
    has(out, "4 partitions are done");
    free(out);
    start_decider(&site);
    feed(&site, EVENTS);
    finish(&site, &live, &replay);
    decided_compare(&live, &replay, false);
    ck_assert_uint_gt(live.repeats, 0); /* derived again, and the same */
    ck_assert_uint_gt(decided_count(&live, DECIDED_TASKS), CUSTOMERS / 4);
    free(field_run(&site.field, 0, "verify", "--step", "decide", NULL)); /* from the beginning */
    decided_close(&live);
    decided_close(&replay);
    close_site(&site);
}
END_TEST

/* A subject's state put under another one's key: the checksum knows whose it is. */
START_TEST(a_damaged_state_is_named_and_the_partition_rebuilt)
{
    struct decided live, replay;
    struct site site;
    const char *snap;
    char command[1024], *out;

    open_site(&site, "damaged");
    snap = in_dir(&site, "one");
    feed(&site, EVENTS / 2);
    wait_pause_ms(500);
    free(field_run(&site.field, 0, "snapshot", snap, NULL));
    stop_decider(&site);
    snprintf(command, sizeof command,
             "redis-cli -p %d --scan --pattern '{decide:2}:s:?*' | head -20 | while read -r k; do "
             "redis-cli -p %d setrange $k 9 zzz; done > /dev/null",
             server_port(site.field.redis, 0), server_port(site.field.redis, 0));
    ck_assert_int_eq(system(command), 0);
    out = field_run(&site.field, 1, "verify", "--step", "decide", "--partition", "2", NULL);
    has(out, "decide/2: DIFFERENT at offset ");
    has(out, "Redis has another state than the log makes");
    free(out);
    site.decider = field_start(&site.field, "run", "--role", "decide", NULL);
    feed(&site, EVENTS / 4);
    field_check(site.decider,
                process_wait_output(site.decider, "with a wrong checksum; `attent restore` puts",
                                    WAIT_MS_MAX),
                "no damage is told");
    stop_decider(&site);
    free(field_run(&site.field, 0, "restore", snap, "--step", "decide", "--partition", "2",
                   "--force", "--yes", NULL));
    start_decider(&site);
    feed(&site, EVENTS);
    finish(&site, &live, &replay);
    decided_compare(&live, &replay, false);
    decided_close(&live);
    decided_close(&replay);
    close_site(&site);
}
END_TEST

/* --- init ------------------------------------------------------------------------------------------------ */

/* The last generation that was written to a partition of tasks and decisions is what a reader takes. */
START_TEST(without_a_snapshot_a_step_is_begun_anew_from_the_log)
{
    struct decided live, replay;
    struct site site;
    char *out;

    open_site(&site, "anew");
    feed(&site, EVENTS / 2);
    wait_pause_ms(500);
    empty_redis(&site);
    stop_decider(&site);
    out = field_run(&site.field, 0, "init", "--step", "decide", "--from", "beginning", NULL);
    has(out, "decide/0: goes on at offset 0 (the log has 0 to ");
    free(out);
    free(field_run(&site.field, 0, "init", "--step", "decide", "--from", "beginning", "--yes",
                   NULL));
    start_decider(&site);
    feed(&site, EVENTS);
    finish(&site, &live, &replay);
    decided_compare_content(&live, &replay);
    decided_close(&live);
    decided_close(&replay);
    free(field_run(&site.field, 0, "snapshot", in_dir(&site, "after"), NULL));
    free(field_run(&site.field, 0, "verify", "--step", "decide", "--from", in_dir(&site, "after"),
                   NULL));
    free(field_run(&site.field, 78, "verify", "--step", "decide", NULL)); /* another generation */
    close_site(&site);
}
END_TEST

START_TEST(from_the_end_rules_are_in_force_and_nothing_old_is_decided)
{
    struct site site;
    char *out;

    open_site(&site, "end");
    feed(&site, EVENTS / 3);
    wait_pause_ms(500);
    stop_decider(&site);
    out = field_run(&site.field, 0, "init", "--from", "end", "--yes", NULL);
    has(out, "identify/0: goes on at offset ");
    has(out, "with 1 subjects, generation ");
    free(out);
    start_decider(&site);
    feed(&site, EVENTS);
    field_tick(&site.field, start_ms + span_ms + 30 * (int64_t)WHEN_DAY_MS);
    wait_pause_ms(2000);
    stop_decider(&site);
    out = field_run(&site.field, 0, "tap", "--decisions", "--from-beginning", "-n", "1", NULL);
    ck_assert_uint_gt(strlen(out), 0);
    free(out);
    free(field_run(&site.field, 2, "init", "--from", "nowhere", NULL));
    out = field_run(&site.field, 0, "init", "--step", "decide", "--from", "2025-02-01T00:00:00Z",
                    NULL);
    has(out, "; in place of the state up to ");
    free(out);
    close_site(&site);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {what_redis_lost_comes_back_from_a_snapshot_and_the_log,
                                  a_damaged_state_is_named_and_the_partition_rebuilt,
                                  without_a_snapshot_a_step_is_begun_anew_from_the_log,
                                  from_the_end_rules_are_in_force_and_nothing_old_is_decided};

    setvbuf(stdout, NULL, _IOLBF, 0);
    return suite_run_with("snapshot", tests, sizeof tests / sizeof tests[0], 300, start_kafka,
                          stop_kafka);
}
