/* Saving the states while they are worked on, and what can be done with them: Redis is emptied and
 * restored, a state is compared with its log, a step is begun anew.  As an operator does it, with
 * the verbs, on a real Kafka and Redis; what readers take is what an undisturbed run writes. */
#include <stdio.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/mem.h"
#include "core/when.h"
#include "tests/support/scratch.h"
#include "tests/support/site.h"
#include "tests/support/suite.h"

enum { WAIT_MS_MAX = 60 * 1000 };

static struct server *kafka; /* of the suite's process */

static void start_kafka(void)
{
    kafka = kafka_start(1);
}

static void stop_kafka(void)
{
    server_stop(kafka);
}

/* --- snapshot, restore, verify ------------------------------------------------------------------------ */

START_TEST(what_redis_lost_comes_back_from_a_snapshot_and_the_log)
{
    struct decided live, replay;
    struct site site;
    const char *snap;
    char *out;

    site_open(&site, "lost", kafka);
    snap = site_in_dir(&site, "one");
    site_feed(&site, SITE_EVENTS / 3);
    site_await_states(&site);
    out = field_run(&site.field, 0, "snapshot", snap, NULL); /* in the midst of it */
    site_has(out, "decide/0: next ");
    site_has(out, "4 partitions, ");
    free(out);
    ck_assert_int_eq(scratch_count_files(snap), 4);
    site_feed(&site, SITE_EVENTS / 3);
    out = field_run(&site.field, 0, "verify", "--step", "decide", "--from", snap, NULL);
    site_has(out, "decide/3: equal at offset ");
    free(out);
    out = field_run(&site.field, 1, "restore", snap, NULL);
    site_has(out, "NOT: a state is there; --force replaces it");
    free(out);
    free(field_run(&site.field, 78, "restore", snap, "--force", "--yes", NULL)); /* at work */

    site_empty_redis(&site);
    site_feed(&site, SITE_EVENTS / 6);
    field_check(
        site.decider,
        process_wait_output(site.decider, "`attent restore` puts a snapshot back", WAIT_MS_MAX),
        "decide does not name the way out");
    site_stop_decider(&site);
    out = field_run(&site.field, 0, "restore", snap, NULL);
    site_has(out, "; no state is there");
    free(out);
    free(field_run(&site.field, 78, "snapshot", site_in_dir(&site, "none"), NULL)); /* a dry run */
    out = field_run(&site.field, 0, "restore", snap, "--yes", NULL);
    site_has(out, "4 partitions are done");
    free(out);
    site_start_decider(&site);
    site_feed(&site, SITE_EVENTS);
    site_finish(&site, &live, &replay);
    decided_compare(&live, &replay, false);
    ck_assert_uint_gt(live.repeats, 0); /* derived again, and the same */
    ck_assert_uint_gt(decided_count(&live, DECIDED_TASKS), SITE_CUSTOMERS / 4);
    decided_close(&live);
    decided_close(&replay);
    site_close(&site);
}
END_TEST

/* A subject's state put under another one's key: the checksum knows whose it is. */
static void damage_is_named_and_mended(struct site *site, const char *snap)
{
    char command[1024], *out;

    snprintf(command, sizeof command,
             "redis-cli -p %d --scan --pattern '{decide:2}:s:?*' | head -20 | while read -r k; do "
             "redis-cli -p %d setrange $k 9 zzz; done > /dev/null",
             server_port(site->field.redis, 0), server_port(site->field.redis, 0));
    ck_assert_int_eq(system(command), 0);
    out = field_run(&site->field, 1, "verify", "--step", "decide", "--partition", "2", NULL);
    site_has(out, "decide/2: DIFFERENT at offset ");
    site_has(out, "Redis has another state than the log makes");
    free(out);
    site->decider = field_start(&site->field, "run", "--role", "decide", NULL);
    site_feed(site, SITE_EVENTS / 4);
    field_check(site->decider,
                process_wait_output(site->decider, "with a wrong checksum; `attent restore` puts",
                                    WAIT_MS_MAX),
                "no damage is told");
    site_stop_decider(site);
    free(field_run(&site->field, 0, "restore", snap, "--step", "decide", "--partition", "2",
                   "--force", "--yes", NULL));
    site_start_decider(site);
    out = field_run(&site->field, 0, "verify", "--step", "decide", "--partition", "2", NULL);
    site_has(out, "decide/2: equal at offset ");
    free(out);
    site_stop_decider(site);
}

/* --- init ------------------------------------------------------------------------------------------------ */

/* The last generation that was written to a partition of tasks and decisions is what a reader takes. */
START_TEST(without_a_snapshot_a_step_is_begun_anew_from_the_log)
{
    struct decided live, replay;
    struct site site;
    char *out;

    site_open(&site, "anew", kafka);
    site_feed(&site, SITE_EVENTS / 2);
    site_await_states(&site);
    site_empty_redis(&site);
    site_stop_decider(&site);
    out = field_run(&site.field, 0, "init", "--step", "decide", "--from", "beginning", NULL);
    site_has(out, "decide/0: goes on at offset 0 (the log has 0 to ");
    free(out);
    free(field_run(&site.field, 0, "init", "--step", "decide", "--from", "beginning", "--yes",
                   NULL));
    site_start_decider(&site);
    site_feed(&site, SITE_EVENTS);
    site_finish(&site, &live, &replay);
    decided_compare_content(&live, &replay);
    decided_close(&live);
    decided_close(&replay);
    free(field_run(&site.field, 0, "snapshot", site_in_dir(&site, "after"), NULL));
    free(field_run(&site.field, 0, "verify", "--step", "decide", "--from",
                   site_in_dir(&site, "after"), NULL));
    free(field_run(&site.field, 78, "verify", "--step", "decide", NULL)); /* another generation */
    site_close(&site);
}
END_TEST

/* Numbered records of identify, ten, one a minute. */
static void send_numbered(struct site *site, int partition, int64_t begin_ms)
{
    struct buf scratch = {0};
    struct chain chain = {0};

    for (int i = 0; i < 10; i++) {
        struct header headers[CHAIN_HEADERS];
        struct chain_stamp stamp;
        struct record record = {.topic = str_of(field_topic(&site->field, "events")),
                                .partition = partition,
                                .timestamp_ms = begin_ms + i * WHEN_MINUTE_MS,
                                .key = STR("c-numbered"),
                                .value = STR("{}")};

        chain_stamp(&chain, 1, STR("identify/0"), &record, &scratch, &stamp, headers);
        record.headers = headers;
        record.header_count = CHAIN_HEADERS;
        field_send_record(&site->field, &record);
    }
    buf_free(&scratch);
}

START_TEST(a_step_begun_in_the_middle_takes_the_numbers_that_follow)
{
    struct site site;
    char *out;

    site_open(&site, "middle", kafka);
    send_numbered(&site, 0, 1798761600000); /* 2027-01-01T00:00:00Z, behind the activation */
    site_tick_all(&site, FIELD_PARTITIONS, 0);
    site_await_decided(&site, FIELD_PARTITIONS);
    ck_assert_uint_eq(site_taken(&site, 0, "identify/0"), 10);
    site_stop_decider(&site);
    free(field_run(&site.field, 2, "init", "--from", "nowhere", NULL));
    out = field_run(&site.field, 0, "init", "--step", "decide", "--partition", "0", "--from",
                    "2027-01-01T00:06:00Z", "--yes", NULL);
    site_has(out, "; in place of the state up to ");
    free(out);
    ck_assert_uint_eq(site_taken(&site, 0, "identify/0"), 6);
    site_start_decider(&site);
    site_await_decided(&site, FIELD_PARTITIONS);
    ck_assert_uint_eq(site_taken(&site, 0, "identify/0"), 10);
    site_stop_decider(&site);
    out = field_run(&site.field, 0, "init", "--from", "end", "--yes", NULL);
    site_has(out, "identify/0: goes on at offset ");
    site_has(out, "with 1 subjects, generation "); /* the rules in force */
    free(out);
    site_start_decider(&site);
    site_feed(&site, SITE_EVENTS / 3);
    site_await_states(&site);
    site_close(&site);
}
END_TEST

/* --- partitions that stand still, and the way out -------------------------------------------------------- */

/* As docs/operations.md says it. */
static void run_to_the_end(struct site *site)
{
    site_start_decider(site);
    site_feed(site, 100);
    site_await_decided(site, FIELD_PARTITIONS);
    site_stop_decider(site);
}

static void another_log_is_noticed(struct site *site, const char *snap)
{
    site_move_next(site, 1, 1000);
    site_move_next(site, 2, -1000);
    site->decider = field_start(&site->field, "run", "--role", "decide", NULL);
    site_await_word(site, "and the state goes up to -");
    site_await_word(site, "the topic was made again, or Kafka has lost records; `attent restore`");
    site_stop_decider(site);
    free(field_run(&site->field, 0, "restore", snap, "--partition", "1", "--force", "--yes", NULL));
    free(field_run(&site->field, 0, "init", "--step", "decide", "--partition", "2", "--from",
                   "beginning", "--yes", NULL));
    run_to_the_end(site);
}

/* What nobody else than a run that has decided differently would write. */
static void send_broken(struct site *site, int partition)
{
    const struct header headers[] = {
        {STR(CHAIN_FROM_HEADER), STR("identify/0")},
        {STR(CHAIN_SEQ_HEADER), STR("1.1")},
        {STR(CHAIN_HASH_HEADER), STR("00112233445566778899aabbccddeeff")}};
    const struct record record = {.topic = str_of(field_topic(&site->field, "events")),
                                  .partition = partition,
                                  .timestamp_ms = 1735689600000,
                                  .key = STR("c-1"),
                                  .value = STR("{}"),
                                  .headers = headers,
                                  .header_count = 3};

    field_send_record(&site->field, &record);
}

static void a_broken_chain_is_given_up(struct site *site, const char *snap)
{
    send_broken(site, 3);
    site_start_decider(site);
    site_await_word(site, "two runs have decided differently");
    site_stop_decider(site);
    free(field_run(&site->field, 0, "snapshot", snap, NULL));
    free(field_run(&site->field, 0, "init", "--from", snap, "--yes", NULL));
    run_to_the_end(site);
}

START_TEST(a_partition_that_stands_still_says_why_and_the_way_out_leads_out)
{
    struct site site;
    const char *snap;

    site_open(&site, "still", kafka);
    snap = site_in_dir(&site, "one");
    site_feed(&site, SITE_EVENTS / 2);
    site_await_states(&site);
    free(field_run(&site.field, 0, "snapshot", snap, NULL));
    site_stop_decider(&site);
    damage_is_named_and_mended(&site, snap);
    another_log_is_noticed(&site, snap);
    a_broken_chain_is_given_up(&site, site_in_dir(&site, "two"));
    site_close(&site);
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
        ck_assert_uint_gt(a.count, SITE_CUSTOMERS / 4);
        ck_assert_uint_eq(a.count, b.count);
        for (size_t i = 0; i < a.count; i++)
            ck_assert_msg(str_equal(a.items[i], b.items[i]), "%s: %.*s, undisturbed %.*s",
                          topics[t], STR_ARG(a.items[i]), STR_ARG(b.items[i]));
        mem_free(a.items);
        mem_free(b.items);
    }
    watch_close(mine);
    watch_close(other);
}

/* Records come in order of their times; a tick puts all partitions to one time. */
static void feed_the_first_part(struct site *site)
{
    site_feed(site, SITE_EVENTS / 10);
    site_tick_all(site, FIELD_PARTITIONS, history_now_ms(&site->history));
}

/* The same events with the partitions as they were. */
static void open_undisturbed(struct site *site)
{
    site_open(site, "same", kafka);
    site_feed(site, SITE_EVENTS / 2);
    feed_the_first_part(site);
    site_feed(site, SITE_EVENTS);
    site_tick_all(site, FIELD_PARTITIONS, 0);
    site_await_decided(site, FIELD_PARTITIONS);
    site_stop_decider(site);
}

/* Customers go on where they stood: what is decided of each, before and after, is what one run over
 * its events decides. */
START_TEST(twice_as_many_partitions_lose_and_double_nothing)
{
    struct site site, undisturbed;
    const char *snap;
    char *out;

    site_open(&site, "more", kafka);
    snap = site_in_dir(&site, "all");
    site_feed(&site, SITE_EVENTS / 2);
    site_await_states(&site);
    free(field_run(&site.field, 0, "snapshot", site_in_dir(&site, "early"), NULL));
    feed_the_first_part(&site);
    site_await_decided(&site, FIELD_PARTITIONS);
    site_stop_decider(&site);
    out = field_run(&site.field, 1, "repartition", site_in_dir(&site, "early"), "--partitions", "8",
                    NULL);
    site_has(out, "are not in the snapshot: stop ingest, wait until all is decided");
    free(out);
    free(field_run(&site.field, 0, "snapshot", snap, NULL));
    free(field_run(&site.field, 2, "repartition", snap, "--partitions", "3", NULL));
    out = field_run(&site.field, 0, "repartition", snap, "--partitions", "8", NULL);
    site_has(out, "decide/7: goes on at offset 0 ");
    free(out);
    for (int i = 0; i < 2; i++) { /* may be done again */
        out = field_run(&site.field, 0, "repartition", snap, "--partitions", "8", "--yes", NULL);
        site_has(out, "set partitions: 8 and task_partitions: 4 first");
        free(out);
    }
    site_new_producer(&site); /* as ingest is started anew, it learns of the partitions */
    site.decider = field_start(&site.field, "run", "--role", "decide", "-s", "partitions=8", "-s",
                               "task_partitions=4", NULL);
    field_check(site.decider,
                process_wait_output(site.decider, "\"partition claimed\"", WAIT_MS_MAX),
                "decide gets no partition");
    site_feed(&site, SITE_EVENTS);
    site_tick_all(&site, 8, 0);
    site_await_decided(&site, 8);
    site_stop_decider(&site);
    open_undisturbed(&undisturbed);
    compare_outputs(&site, &undisturbed);
    site_close(&undisturbed);
    site_close(&site);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {what_redis_lost_comes_back_from_a_snapshot_and_the_log,
                                  without_a_snapshot_a_step_is_begun_anew_from_the_log,
                                  a_step_begun_in_the_middle_takes_the_numbers_that_follow,
                                  a_partition_that_stands_still_says_why_and_the_way_out_leads_out,
                                  twice_as_many_partitions_lose_and_double_nothing};

    setvbuf(stdout, NULL, _IOLBF, 0);
    return suite_run_with("snapshot", tests, sizeof tests / sizeof tests[0], 300, start_kafka,
                          stop_kafka);
}
