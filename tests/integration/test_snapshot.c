/* Saving the states while they are worked on, and what can be done with them: Redis is emptied and
 * restored, a state is compared with its log, a step is begun anew.  As an operator does it, with
 * the verbs, on a real Kafka and Redis; what readers take is what an undisturbed run writes. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/mem.h"
#include "core/when.h"
#include "processors/worker/meta.h"
#include "processors/worker/redis_store.h"
#include "tests/support/decided.h"
#include "tests/support/history.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"
#include "tests/support/wait.h"

enum { CUSTOMERS = 100, EVENTS = 1500, WAIT_MS_MAX = 60 * 1000, LEAVE_MS_MAX = 5000 };

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

/* Until most customers have a state. */
static void await_states(struct site *site)
{
    int64_t end_ms = wait_now_ms() + WAIT_MS_MAX;
    char reply[64];

    do {
        ck_assert_msg(wait_now_ms() < end_ms, "no states");
        wait_pause_ms(20);
        field_ask_redis(&site->field, "DBSIZE", reply, sizeof reply);
    } while (atoi(reply + 1) < CUSTOMERS / 2);
}

static int64_t next_of(struct store *store, int partition)
{
    struct arena *arena = arena_new(0);
    struct meta meta = {0};
    struct str bytes;
    int64_t next = -1;

    ck_assert_int_eq(store->class->meta(store, "decide", partition, arena, &bytes, NULL),
                     STORE_DONE);
    if (bytes.len > 0 && meta_decode_any(bytes, &meta, NULL) == ERR_NONE)
        next = meta.next;
    meta_free(&meta);
    arena_free(arena);
    return next;
}

/* Until all that is in the log is in the states. */
static void await_decided(struct site *site, int partitions)
{
    const struct redis_settings settings = {.address = server_address(site->field.redis)};
    int64_t end_ms = wait_now_ms() + WAIT_MS_MAX, first, end;
    struct store *store;

    ck_assert_int_eq(redis_store_open(&settings, &store, NULL), ERR_NONE);
    for (int p = 0; p < partitions; p++) {
        ck_assert_int_eq(kafka_topic_bounds(&site->field.kafka, field_topic(&site->field, "events"),
                                            p, &first, &end, NULL),
                         ERR_NONE);
        while (next_of(store, p) < end) {
            ck_assert_msg(wait_now_ms() < end_ms, "partition %d is not decided:\n%s", p,
                          process_stderr(site->decider));
            wait_pause_ms(20);
        }
    }
    store->class->close(store);
}

static void tick_all(struct site *site, int partitions)
{
    const struct header header = {STR(CONTROL_HEADER), STR(CONTROL_TICK)};

    for (int p = 0; p < partitions; p++) {
        const struct record record = {.topic = str_of(field_topic(&site->field, "events")),
                                      .partition = p,
                                      .timestamp_ms =
                                          start_ms + span_ms + 30 * (int64_t)WHEN_DAY_MS,
                                      .headers = &header,
                                      .header_count = 1};

        field_send_record(&site->field, &record);
    }
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
    await_states(&site);
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
    struct site site;
    const char *snap;
    char command[1024], *out;

    open_site(&site, "damaged");
    snap = in_dir(&site, "one");
    feed(&site, EVENTS / 2);
    await_states(&site);
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
    out = field_run(&site.field, 0, "verify", "--step", "decide", "--partition", "2", NULL);
    has(out, "decide/2: equal at offset ");
    free(out);
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
    await_states(&site);
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
    await_states(&site);
    stop_decider(&site);
    out = field_run(&site.field, 0, "init", "--from", "end", "--yes", NULL);
    has(out, "identify/0: goes on at offset ");
    has(out, "with 1 subjects, generation ");
    free(out);
    empty_redis(&site);
    free(field_run(&site.field, 0, "init", "--from", "end", "--yes", NULL));
    start_decider(&site);
    feed(&site, EVENTS); /* decided: so rules are in force */
    await_states(&site);
    stop_decider(&site);
    free(field_run(&site.field, 2, "init", "--from", "nowhere", NULL));
    out = field_run(&site.field, 0, "init", "--step", "decide", "--from", "2025-02-01T00:00:00Z",
                    NULL);
    has(out, "; in place of the state up to ");
    free(out);
    close_site(&site);
}
END_TEST

/* --- repartition ------------------------------------------------------------------------------------------- */

struct ids {
    struct str *items;
    size_t count, capacity;
};

static int by_text(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

/* What a reader takes of a topic, from whoever wrote it: the ids, sorted. */
static struct ids read_ids(struct watch *watch, const char *topic)
{
    struct taken taken[FIELD_PARTITIONS] = {{0}};
    struct buf scratch = {0};
    struct ids ids = {0};
    struct taken_source source;
    struct err err = {0};

    for (size_t i = 0; i < watch_count(watch); i++) {
        const struct record *record = watch_at(watch, i);
        enum taken_verdict verdict;

        if (!str_is(record->topic, topic))
            continue;
        verdict = taken_look(&taken[record->partition], record, &scratch, &source, &err);
        ck_assert_msg(verdict == TAKEN_NEXT || verdict == TAKEN_REPEAT || verdict == TAKEN_GAP,
                      "%s", err.text);
        if (verdict != TAKEN_NEXT)
            continue;
        taken_advance(&taken[record->partition], &source);
        MEM_RESERVE(ids.items, ids.count, ids.capacity);
        ids.items[ids.count++] = record_header(record, STR("ce_id"));
    }
    for (int p = 0; p < FIELD_PARTITIONS; p++)
        taken_free(&taken[p]);
    buf_free(&scratch);
    qsort(ids.items, ids.count, sizeof *ids.items, by_text);
    return ids;
}

static struct watch *read_outputs(struct site *site)
{
    const char *const topics[] = {field_topic(&site->field, "tasks"),
                                  field_topic(&site->field, "decisions"), NULL};
    struct watch *watch = watch_open(&site->field.kafka, topics);

    watch_to_end(watch);
    return watch;
}

static void compare_outputs(struct site *site, struct site *undisturbed)
{
    struct watch *mine = read_outputs(site), *other = read_outputs(undisturbed);

    for (int t = 0; t < 2; t++) {
        static const char *const topics[] = {"tasks", "decisions"};
        struct ids a = read_ids(mine, field_topic(&site->field, topics[t]));
        struct ids b = read_ids(other, field_topic(&undisturbed->field, topics[t]));

        printf("  %s: %zu, undisturbed %zu\n", topics[t], a.count, b.count);
        ck_assert_uint_gt(a.count, CUSTOMERS / 4);
        ck_assert_uint_eq(a.count, b.count);
        for (size_t i = 0; i < a.count; i++)
            ck_assert(str_equal(a.items[i], b.items[i]));
        mem_free(a.items);
        mem_free(b.items);
    }
    watch_close(mine);
    watch_close(other);
}

/* The same events with the partitions as they were. */
static void open_undisturbed(struct site *site)
{
    open_site(site, "same");
    feed(site, EVENTS);
    tick_all(site, FIELD_PARTITIONS);
    await_decided(site, FIELD_PARTITIONS);
    stop_decider(site);
}

/* Customers go on where they stood: what is decided of each, before and after, is what one run over
 * its events decides. */
START_TEST(twice_as_many_partitions_lose_and_double_nothing)
{
    struct site site, undisturbed;
    const char *snap;
    char *out;

    open_site(&site, "more");
    snap = in_dir(&site, "all");
    feed(&site, EVENTS / 2);
    await_states(&site);
    free(field_run(&site.field, 0, "snapshot", in_dir(&site, "early"), NULL));
    feed(&site, EVENTS / 10);
    await_decided(&site, FIELD_PARTITIONS);
    stop_decider(&site);
    out =
        field_run(&site.field, 1, "repartition", in_dir(&site, "early"), "--partitions", "8", NULL);
    has(out, "are not in the snapshot: stop ingest, wait until all is decided");
    free(out);
    free(field_run(&site.field, 0, "snapshot", snap, NULL));
    free(field_run(&site.field, 2, "repartition", snap, "--partitions", "3", NULL));
    out = field_run(&site.field, 0, "repartition", snap, "--partitions", "8", NULL);
    has(out, "decide/7: goes on at offset 0 ");
    free(out);
    for (int i = 0; i < 2; i++) { /* may be done again */
        out = field_run(&site.field, 0, "repartition", snap, "--partitions", "8", "--yes", NULL);
        has(out, "set partitions: 8 and task_partitions: 4 first");
        free(out);
    }
    site.decider = field_start(&site.field, "run", "--role", "decide", "-s", "partitions=8", "-s",
                               "task_partitions=4", NULL);
    field_check(site.decider,
                process_wait_output(site.decider, "\"partition claimed\"", WAIT_MS_MAX),
                "decide gets no partition");
    feed(&site, EVENTS);
    tick_all(&site, 8);
    await_decided(&site, 8);
    stop_decider(&site);
    open_undisturbed(&undisturbed);
    compare_outputs(&site, &undisturbed);
    close_site(&undisturbed);
    close_site(&site);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {what_redis_lost_comes_back_from_a_snapshot_and_the_log,
                                  a_damaged_state_is_named_and_the_partition_rebuilt,
                                  without_a_snapshot_a_step_is_begun_anew_from_the_log,
                                  from_the_end_rules_are_in_force_and_nothing_old_is_decided,
                                  twice_as_many_partitions_lose_and_double_nothing};

    setvbuf(stdout, NULL, _IOLBF, 0);
    return suite_run_with("snapshot", tests, sizeof tests / sizeof tests[0], 300, start_kafka,
                          stop_kafka);
}
