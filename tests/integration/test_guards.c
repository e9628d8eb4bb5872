/* Partitions that stand still: the state is damaged, of a newer version, or of another log than is there.
 * Each says why, and what docs/operations.md says to do leads out of it; on a real Kafka and Redis, for both
 * steps, with the verbs as an operator types them. */
#include <stdio.h>
#include <stdlib.h>

#include "core/hash.h"
#include "core/log.h"
#include "tests/support/kafka_hands.h"
#include "tests/support/site.h"
#include "tests/support/suite.h"

static struct server *kafka; /* of the suite's process */

static void start_kafka(void)
{
    kafka = kafka_start(1);
}

static void stop_kafka(void)
{
    server_stop(kafka);
}

static void run_to_the_end(struct site *site)
{
    site_start_decider(site);
    site_feed(site, 100);
    site_feed_cars(site, false);
    site_await_identified(site, FIELD_PARTITIONS);
    site_await_decided(site, FIELD_PARTITIONS);
    site_stop_decider(site);
}

/* --- damage ------------------------------------------------------------------------------------------- */

static void break_states(struct site *site, const char *pattern)
{
    char command[1024];

    snprintf(command, sizeof command,
             "redis-cli -p %d --scan --pattern '%s' | head -20 | while read -r k; do "
             "redis-cli -p %d setrange $k 9 zzz; done > /dev/null",
             server_port(site->field.redis, 0), pattern, server_port(site->field.redis, 0));
    ck_assert_int_eq(system(command), 0);
}

/* Of the cars whose states are in partition 2, one. */
static const char *car_of_partition_2(char alias[32])
{
    for (int car = 0; car < CARS; car++) {
        snprintf(alias, 32, "vin:V%d", car);
        if (hash_kafka_partition(str_of(alias), FIELD_PARTITIONS) == 2)
            return alias;
    }
    ck_abort_msg("no car is in partition 2");
}

/* While the process works: verify says whose states they are, by the hash that logs use. */
static void damage_is_told(struct site *site)
{
    char alias[32], pattern[64], name[LOG_CUSTOMER_SIZE], line[128], *out;
    const char *car = car_of_partition_2(alias);
    struct str hash;

    log_setup(LOG_ERROR, LOG_AUTO, false); /* as attent says it */
    hash = log_customer(str_of(car), name);
    break_states(site, "{decide:2}:s:?*");
    snprintf(pattern, sizeof pattern, "{identify:2}:s:%s", car);
    break_states(site, pattern);
    out = field_run(&site->field, 1, "verify", "--partition", "2", NULL);
    site_has(out, "decide/2: DIFFERENT at offset ");
    site_has(out, ": 1 of ");
    site_has(out, "identify/2: DIFFERENT at offset ");
    snprintf(line, sizeof line, "  %.*s: Redis has another state than the log makes",
             STR_ARG(hash));
    site_has(out, line);
    free(out);
}

static void damage_is_named_and_mended(struct site *site, const char *snap)
{
    char *out;

    damage_is_told(site);
    site_stop_decider(site);
    site_start_decider(site);
    site_feed(site, SITE_EVENTS / 4);
    site_feed_cars(site, false);
    site_await_word(site, "decide/2: the state of ");
    site_await_word(site, "identify/2: the state of ");
    site_await_word(site, "wrong checksum; `attent restore` puts");
    site_stop_decider(site);
    free(field_run(&site->field, 0, "restore", snap, "--partition", "2", "--force", "--yes", NULL));
    site_start_decider(site);
    out = field_run(&site->field, 0, "verify", "--partition", "2", NULL);
    site_has(out, "identify/2: equal at offset ");
    site_has(out, "decide/2: equal at offset ");
    free(out);
    site_await_identified(site, FIELD_PARTITIONS);
    site_await_decided(site, FIELD_PARTITIONS);
    site_stop_decider(site);
    site_expect_cars(site);
}

/* --- the log ------------------------------------------------------------------------------------------- */

/* A bound of the log as Kafka has it. */
static int64_t log_end(struct site *site, const char *topic, int partition)
{
    int64_t first, end;

    ck_assert_int_eq(kafka_topic_bounds(&site->field.kafka, field_topic(&site->field, topic),
                                        partition, &first, &end, NULL),
                     ERR_NONE);
    return end;
}

/* Nobody was there to read them in time. */
static void lose_two(struct site *site, const char *step, const char *topic, char words[128])
{
    int64_t next = site_next(site, step, 1);

    ck_assert_int_gt(log_end(site, topic, 1), next + 2);
    kafka_hands_trim(&site->field.kafka, field_topic(&site->field, topic), 1, next + 2);
    snprintf(words, 128, "records %lld to %lld were thrown away unread", (long long)next,
             (long long)next + 1);
}

/* The states stay, and go on behind the hole. */
static void go_on_without_them(struct site *site, const char *step, const char *snap)
{
    char *out;

    free(field_run(&site->field, 0, "snapshot", snap, "--step", step, "--partition", "1", NULL));
    out = field_run(&site->field, 1, "restore", snap, "--step", step, "--partition", "1", "--force",
                    NULL);
    site_has(out, " are gone (`attent init --from DIR --log beginning` goes on without them)");
    free(out);
    free(field_run(&site->field, 0, "init", "--from", snap, "--log", "beginning", "--step", step,
                   "--partition", "1", "--yes", NULL));
}

static void a_hole_and_a_newer_version_are_noticed(struct site *site, const char *snap)
{
    char decided[128], identified[128];

    site_feed(site, 100);
    for (int i = 0; i < 3; i++)
        site_feed_cars(site, false);
    lose_two(site, "decide", "events", decided);
    lose_two(site, "identify", "identify", identified);
    site_write_version(site, "decide", 0, 9);
    site_write_version(site, "identify", 3, 9);
    site_start_decider(site);
    site_await_word(site, decided);
    site_await_word(site, identified);
    site_await_word(site, "decide/0: state of version 9: this program knows version 2 and older; "
                          "start the newer attent that wrote it");
    site_await_word(site, "identify/3: state of version 9");
    site_stop_decider(site);
    free(field_run(&site->field, 0, "restore", snap, "--step", "decide", "--partition", "0",
                   "--force", "--yes", NULL));
    free(field_run(&site->field, 0, "restore", snap, "--step", "identify", "--partition", "3",
                   "--force", "--yes", NULL));
    go_on_without_them(site, "decide", site_in_dir(site, "hole-decide"));
    go_on_without_them(site, "identify", site_in_dir(site, "hole-identify"));
    run_to_the_end(site);
}

/* More of it than was read of the old one, in one partition. */
static void fill_another_log(struct site *site, int partition, int64_t records)
{
    for (int64_t i = 0; i < records; i++)
        field_put_record(&site->field,
                         &(struct record){.topic = str_of(field_topic(&site->field, "events")),
                                          .partition = partition,
                                          .timestamp_ms = 1735689600000,
                                          .key = STR("c-1"),
                                          .value = STR("{}")});
    field_flush(&site->field);
}

static void another_log_is_noticed(struct site *site, const char *snap, const char *one)
{
    int64_t next = site_next(site, "decide", 2), short_next = site_next(site, "decide", 3);
    uint64_t taken = site_taken_all(site);
    char words[160], *out;

    kafka_hands_remake(&site->field.kafka, field_topic(&site->field, "events"), FIELD_PARTITIONS);
    site_new_producer(site);
    fill_another_log(site, 2, next + 3);
    fill_another_log(site, 3, 2);
    site_start_decider(site);
    snprintf(words, sizeof words, "records 2 to %lld are not in it", (long long)short_next - 1);
    site_await_word(site, words);
    snprintf(words, sizeof words, "is another log than the state is of: at offset %lld another",
             (long long)next - 1);
    site_await_word(site, words);
    site_stop_decider(site);
    out = field_run(&site->field, 1, "restore", one, "--step", "decide", "--force", NULL);
    site_has(out, "NOT: another record stands at ");
    site_has(out, "NOT: the log ends at 2: ");
    free(out);
    free(field_run(&site->field, 0, "snapshot", snap, "--step", "decide", NULL));
    free(field_run(&site->field, 0, "init", "--from", snap, "--log", "beginning", "--step",
                   "decide", "--yes", NULL));
    run_to_the_end(site);
    ck_assert_uint_eq(site_taken_all(site), taken + CARS_CLAIMED); /* identify went on numbering */
}

/* What is said of tasks by partition has to grow with them. */
static void more_partitions_of_tasks_are_noticed(struct site *site, const char *snap)
{
    static const char *const topics[] = {"tasks", "decisions", "outcomes", "ledger"};

    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++) {
        ck_assert_int_eq(
            kafka_topic_grow(&site->field.kafka, field_topic(&site->field, topics[i]), 5, NULL),
            ERR_NONE);
        if (i == 0)
            site_refuses_to_start(site, "has 5 partitions and the configuration says 4: set "
                                        "task_partitions to what was chosen");
    }
    site->settings[0] = "task_partitions=5";
    site_start_decider(site);
    site_await_word(site, "had 4 partitions and has 5");
    site_stop_decider(site);
    free(field_run(&site->field, 0, "snapshot", snap, "-s", site->settings[0], NULL));
    free(field_run(&site->field, 0, "init", "--step", "decide", "--from", snap, "--yes", "-s",
                   site->settings[0], NULL));
    run_to_the_end(site);
}

/* What nobody else than a run that has decided differently would write. */
static void send_broken(struct site *site, int partition)
{
    char seq[32];
    const struct header headers[] = {
        {STR(CHAIN_FROM_HEADER), STR("identify/0")},
        {STR(CHAIN_SEQ_HEADER),
         {seq,
          (size_t)snprintf(seq, sizeof seq, "1.%llu",
                           (unsigned long long)site_taken(site, partition, "identify/0") + 1)}},
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
    site_feed_cars(&site, true);
    site_await_states(&site);
    site_await_identified(&site, FIELD_PARTITIONS);
    site_await_decided(&site, FIELD_PARTITIONS);
    free(field_run(&site.field, 0, "snapshot", snap, NULL));
    damage_is_named_and_mended(&site, snap);
    a_hole_and_a_newer_version_are_noticed(&site, snap);
    another_log_is_noticed(&site, site_in_dir(&site, "another"), snap);
    a_broken_chain_is_given_up(&site, site_in_dir(&site, "two"));
    more_partitions_of_tasks_are_noticed(&site, site_in_dir(&site, "tasks"));
    site_close(&site);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_partition_that_stands_still_says_why_and_the_way_out_leads_out};

    setvbuf(stdout, NULL, _IOLBF, 0);
    return suite_run_with("guards", tests, sizeof tests / sizeof tests[0], 300, start_kafka,
                          stop_kafka);
}
