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
    site_feed_cars(&site, false); /* they wait for an owner */
    site_await_identified(&site, FIELD_PARTITIONS);
    site_feed(&site, SITE_EVENTS / 3);
    site_await_states(&site);
    out = field_run(&site.field, 0, "snapshot", snap, NULL); /* in the midst of it */
    site_has(out, "identify/0: next ");
    site_has(out, "decide/0: next ");
    site_has(out, "8 partitions, ");
    free(out);
    ck_assert_int_eq(scratch_count_files(snap), 8);
    site_feed(&site, SITE_EVENTS / 3);
    site_feed_cars(&site, true);
    out = field_run(&site.field, 0, "verify", "--from", snap, NULL);
    site_has(out, "identify/3: equal at offset ");
    site_has(out, "decide/3: equal at offset ");
    free(out);
    out = field_run(&site.field, 1, "restore", snap, NULL);
    site_has(out, "NOT: a state is there; --force replaces it");
    free(out);
    free(field_run(&site.field, 78, "restore", snap, "--force", "--yes", NULL)); /* at work */

    site_empty_redis(&site);
    site_feed(&site, SITE_EVENTS / 6);
    site_feed_cars(&site, false);
    field_check(
        site.decider,
        process_wait_output(site.decider, "`attent restore` puts a snapshot back", WAIT_MS_MAX),
        "decide does not name the way out");
    site_stop_decider(&site);
    out = field_run(&site.field, 0, "restore", snap, NULL);
    site_has(out, "identify/0: goes on at offset ");
    site_has(out, "; no state is there");
    free(out);
    free(field_run(&site.field, 78, "snapshot", site_in_dir(&site, "none"), NULL)); /* a dry run */
    out = field_run(&site.field, 0, "restore", snap, "--yes", NULL);
    site_has(out, "8 partitions are done");
    free(out);
    site_start_decider(&site);
    site_feed(&site, SITE_EVENTS);
    site_feed_cars(&site, false);
    site_await_identified(&site, FIELD_PARTITIONS);
    site_finish(&site, &live, &replay);
    site_expect_cars(&site);
    out = field_run(&site.field, 0, "verify", "--step", "identify", NULL);
    site_has(out, "identify/3: equal at offset ");
    free(out);
    decided_compare(&live, &replay, false);
    ck_assert_uint_gt(live.repeats, 0); /* derived again, and the same */
    ck_assert_uint_gt(decided_count(&live, DECIDED_TASKS), SITE_CUSTOMERS / 4);
    decided_close(&live);
    decided_close(&replay);
    site_close(&site);
}
END_TEST

/* --- init ------------------------------------------------------------------------------------------------ */

/* The last generation that was written to a partition of tasks and decisions is what a reader takes. */
START_TEST(without_a_snapshot_a_step_is_begun_anew_from_the_log)
{
    struct decided live, replay;
    struct site site;
    char *out;

    site_open(&site, "anew", kafka);
    site_feed(&site, SITE_EVENTS / 2);
    site_feed_cars(&site, true);
    site_await_states(&site);
    site_empty_redis(&site);
    site_stop_decider(&site);
    out = field_run(&site.field, 0, "init", "--step", "decide", "--from", "beginning", NULL);
    site_has(out, "decide/0: goes on at offset 0 (the log has 0 to ");
    free(out);
    free(field_run(&site.field, 2, "init", "--from", "end", "--log", "end", NULL));
    out = field_run(&site.field, 0, "init", "--from", "beginning", "--yes", NULL);
    site_has(out, "8 partitions are done");
    free(out);
    site_start_decider(&site);
    site_feed(&site, SITE_EVENTS);
    site_feed_cars(&site, false);
    site_await_identified(&site, FIELD_PARTITIONS);
    site_finish(&site, &live, &replay);
    decided_compare_content(&live, &replay);
    decided_close(&live);
    decided_close(&replay);
    free(field_run(&site.field, 0, "snapshot", site_in_dir(&site, "after"), NULL));
    ck_assert_uint_eq(site_taken_all(&site), 2 * CARS_CLAIMED);
    free(field_run(&site.field, 0, "verify", "--from", site_in_dir(&site, "after"), NULL));
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

/* Records come in order of their times; a tick puts all partitions to one time.  Reports of cars wait. */
static void feed_the_first_part(struct site *site)
{
    site_feed(site, SITE_EVENTS / 10);
    site_feed_cars(site, false);
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
    site_await_identified(&site, FIELD_PARTITIONS);
    site_await_decided(&site, FIELD_PARTITIONS);
    site_stop_decider(&site);
    out = field_run(&site.field, 1, "repartition", site_in_dir(&site, "early"), "--partitions", "8",
                    NULL);
    site_has(out, "are not in the snapshot: stop ingest, wait until all is decided");
    free(out);
    ck_assert_int_eq(/* somebody was too early */
                     kafka_topic_grow(&site.field.kafka, field_topic(&site.field, "events"), 8,
                                      NULL),
                     ERR_NONE);
    site_refuses_to_start(&site,
                          "has 8 partitions and the configuration says 4: set partitions to");
    free(field_run(&site.field, 0, "snapshot", snap, NULL));
    free(field_run(&site.field, 2, "repartition", snap, "--partitions", "3", NULL));
    out = field_run(&site.field, 0, "repartition", snap, "--partitions", "8", NULL);
    site_has(out, "identify/7: goes on at offset 0 ");
    site_has(out, "decide/7: goes on at offset 0 ");
    free(out);
    for (int i = 0; i < 2; i++) { /* may be done again */
        out = field_run(&site.field, 0, "repartition", snap, "--partitions", "8", "--yes", NULL);
        site_has(out, "set partitions: 8 and task_partitions: 4 first");
        free(out);
    }
    site_new_producer(&site); /* as ingest is started anew, it learns of the partitions */
    site.settings[0] = "partitions=8";
    site.settings[1] = "task_partitions=4";
    site_start_decider(&site);
    site_feed(&site, SITE_EVENTS);
    site_feed_cars(&site, true);
    site_await_identified(&site, 8);
    site_tick_all(&site, 8, 0);
    site_await_decided(&site, 8);
    site_stop_decider(&site);
    site_expect_cars(&site);
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
                                  twice_as_many_partitions_lose_and_double_nothing};

    setvbuf(stdout, NULL, _IOLBF, 0);
    return suite_run_with("snapshot", tests, sizeof tests / sizeof tests[0], 300, start_kafka,
                          stop_kafka);
}
