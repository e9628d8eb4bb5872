/* The mock cluster of librdkafka: what `attent dev` runs on must carry records, groups and
 * transactions.  Guarantees are tested with a real Kafka (test_kafka.c). */
#include "connectors/kafka/kafka.h"

#include <check.h>

#include "core/clock.h"
#include "processors/worker/memory_store.h"
#include "processors/worker/worker.h"
#include "tests/support/suite.h"
#include "tests/support/toy_step.h"

static struct kafka_mock *mock;
static struct kafka_settings settings;

static void start(void)
{
    static const struct kafka_topic_config topics[] = {{"in", 3, -1, NULL, 0},
                                                       {"out", 2, -1, NULL, 0}};
    struct err err = {0};

    ck_assert_msg(kafka_mock_open(topics, 2, &mock, &err) == ERR_NONE, "%s", err.text);
    settings = (struct kafka_settings){.brokers = kafka_mock_brokers(mock), .client_id = "test"};
}

static struct record record_of(const char *topic, int32_t partition, const char *key,
                               const char *value, int64_t at_ms)
{
    return (struct record){.topic = str_of(topic),
                           .partition = partition,
                           .key = str_of(key),
                           .value = str_of(value),
                           .timestamp_ms = at_ms};
}

static void send_some(const char *topic, int32_t partition, int count)
{
    static const struct header headers[] = {{{"ce_id", 5}, {"1", 1}}, {{"empty", 5}, {NULL, 0}}};
    struct kafka_producer *p;
    struct err err = {0};
    bool fatal, lost;

    ck_assert_msg(kafka_producer_open(&settings, NULL, &p, &err) == ERR_NONE, "%s", err.text);
    for (int i = 0; i < count; i++) {
        struct record r = record_of(topic, partition, "k", "value", 1000 + i);

        r.headers = headers;
        r.header_count = 2;
        ck_assert_int_eq(kafka_produce(p, &r, &err), ERR_NONE);
    }
    ck_assert_msg(kafka_flush(p, 10000, &fatal, &lost, &err) == ERR_NONE, "%s", err.text);
    kafka_producer_close(p);
}

/* Read until `want` records came; those of the last poll stay borrowed. */
static size_t read_some(struct kafka_consumer *c, struct record *out, size_t want)
{
    int64_t until_ms = clock_mono_ms() + 15000;
    size_t total = 0, count;
    struct err err;

    while (total < want && clock_mono_ms() < until_ms) {
        kafka_consumer_release(c);
        ck_assert_msg(kafka_consumer_poll(c, 100, out, 64, &count, &err) == ERR_NONE, "%s",
                      err.text);
        total += count;
    }
    return total;
}

START_TEST(records_come_back_with_all_their_parts)
{
    struct kafka_partition from = {"in", 1, KAFKA_OFFSET_BEGIN};
    struct kafka_consumer *c;
    struct record r[64];
    struct err err;

    start();
    send_some("in", 1, 3);
    ck_assert_int_eq(kafka_consumer_open_alone(&settings, &from, 1, &c, &err), ERR_NONE);
    ck_assert_uint_eq(read_some(c, r, 3), 3);
    ck_assert(str_is(r[0].topic, "in") && str_is(r[0].key, "k") && str_is(r[0].value, "value"));
    ck_assert_int_eq(r[0].partition, 1);
    ck_assert(str_is(record_header(&r[0], STR("ce_id")), "1"));
    ck_assert_uint_eq(r[0].header_count, 2);
    ck_assert_uint_eq(r[0].headers[1].value.len, 0);
    while (!kafka_consumer_at_end(c, "in", 1)) {
        size_t count;

        kafka_consumer_release(c);
        ck_assert_int_eq(kafka_consumer_poll(c, 100, r, 64, &count, &err), ERR_NONE);
    }
    ck_assert_int_eq(kafka_consumer_seek(c, "in", 1, 2, &err), ERR_NONE);
    ck_assert(!kafka_consumer_at_end(c, "in", 1));
    ck_assert_uint_eq(read_some(c, r, 1), 1);
    ck_assert_int_eq(r[0].offset, 2);
    ck_assert_int_eq(r[0].timestamp_ms, 1002);
    kafka_consumer_close(c);
    kafka_mock_close(mock);
}
END_TEST

static void start_at_two(void *context, struct kafka_partition *partitions, size_t count)
{
    *(size_t *)context += count;
    for (size_t i = 0; i < count; i++)
        partitions[i].offset = partitions[i].partition == 0 ? 2 : KAFKA_OFFSET_HOLD;
}

START_TEST(the_listener_says_where_to_start_and_what_to_hold)
{
    size_t assigned = 0;
    struct kafka_listener listener = {.context = &assigned, .assigned = start_at_two};
    const char *topics[] = {"in"};
    struct kafka_consumer *c;
    struct record r[64];
    struct err err;
    size_t count;

    start();
    send_some("in", 0, 5);
    send_some("in", 2, 5);
    ck_assert_int_eq(kafka_consumer_open(&settings, "g", topics, 1, &listener, &c, &err), ERR_NONE);
    ck_assert_uint_eq(read_some(c, r, 3), 3);
    ck_assert_uint_eq(assigned, 3);
    kafka_consumer_release(c);
    ck_assert_int_eq(kafka_consumer_poll(c, 300, r, 64, &count, &err), ERR_NONE);
    ck_assert_uint_eq(count, 0);
    ck_assert_int_eq(kafka_consumer_seek(c, "in", 2, 1, &err), ERR_NONE);
    ck_assert_uint_eq(read_some(c, r, 4), 4);
    ck_assert_int_eq(r[0].partition, 2);
    kafka_consumer_close(c);
    kafka_mock_close(mock);
}
END_TEST

/* The question where the log of a held partition ends is under way when it is sought, and answered
 * while records come. */
START_TEST(nothing_is_left_out_behind_a_seek_that_follows_at_once)
{
    enum { RECORDS = 100, EACH_MS = 15, ANSWER_MS = 300 };
    const struct kafka_partition from[] = {{"in", 0, KAFKA_OFFSET_BEGIN},
                                           {"in", 1, KAFKA_OFFSET_HOLD}};
    struct kafka_producer *p;
    struct kafka_consumer *c;
    struct record r[64];
    struct err err;
    int64_t expected = 0, until_ms;
    size_t count;

    start();
    ck_assert_int_eq(kafka_producer_open(&settings, NULL, &p, &err), ERR_NONE);
    kafka_mock_silence(mock, 1, ANSWER_MS);
    ck_assert_int_eq(kafka_consumer_open_alone(&settings, from, 2, &c, &err), ERR_NONE);
    clock_sleep_ms(ANSWER_MS / 3);
    ck_assert_int_eq(kafka_consumer_seek(c, "in", 1, 0, &err), ERR_NONE);
    until_ms = clock_mono_ms() + 20000;
    for (int sent = 0; expected < RECORDS && clock_mono_ms() < until_ms;) {
        const struct record record = record_of("in", 1, "k", "value", 1000);

        if (sent < RECORDS) {
            ck_assert_int_eq(kafka_produce(p, &record, &err), ERR_NONE);
            sent++;
        }
        kafka_consumer_release(c);
        ck_assert_int_eq(kafka_consumer_poll(c, EACH_MS, r, 64, &count, &err), ERR_NONE);
        for (size_t i = 0; i < count; i++)
            ck_assert_int_eq(r[i].offset, expected++);
    }
    ck_assert_int_eq(expected, RECORDS);
    kafka_consumer_close(c);
    kafka_producer_close(p);
    kafka_mock_close(mock);
}
END_TEST

START_TEST(transactions_commit_and_abort)
{
    const char *topics[] = {"in"};
    struct kafka_consumer *c;
    struct kafka_producer *p;
    struct record r[64];
    struct err err = {0};
    bool fatal;
    struct kafka_partition next = {"in", 0, 3};
    struct record out = record_of("out", -1, "customer", "x", 5000);
    int64_t first, end, other;

    start();
    send_some("in", 0, 5);
    ck_assert_int_eq(kafka_consumer_open(&settings, "t", topics, 1, NULL, &c, &err), ERR_NONE);
    ck_assert_msg(kafka_producer_open(&settings, "tx-1", &p, &err) == ERR_NONE, "%s", err.text);
    ck_assert_uint_eq(read_some(c, r, 5), 5);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(kafka_begin(p, &err), ERR_NONE);
        ck_assert_int_eq(kafka_produce(p, &out, &err), ERR_NONE);
        ck_assert_msg(kafka_commit(p, c, &next, 1, &fatal, &err) == ERR_NONE, "%s", err.text);
    }
    ck_assert_int_eq(kafka_begin(p, &err), ERR_NONE);
    ck_assert_int_eq(kafka_produce(p, &out, &err), ERR_NONE);
    ck_assert_msg(kafka_abort(p, &fatal, &err) == ERR_NONE, "%s", err.text);
    kafka_consumer_close(c);
    kafka_producer_close(p);
    ck_assert_int_eq(kafka_topic_bounds(&settings, "out", 0, &first, &end, &err), ERR_NONE);
    ck_assert_int_eq(kafka_topic_bounds(&settings, "out", 1, &first, &other, &err), ERR_NONE);
    ck_assert_int_ge(end + other, 3);
    kafka_mock_close(mock);
}
END_TEST

static void proven(void *context, bool ok)
{
    *(int *)context = ok ? 1 : 2;
}

START_TEST(questions_about_topics_are_answered)
{
    const char *topics[] = {"in"};
    struct kafka_consumer *c;
    struct record r[64];
    struct err err;
    size_t count;
    int partitions, proof = 0;
    int64_t offset;
    struct kafka_partition at = {"in", 0, 2};

    start();
    ck_assert_int_eq(kafka_topic_partitions(&settings, "in", &partitions, &err), ERR_NONE);
    ck_assert_int_eq(partitions, 3);
    send_some("in", 0, 5);
    ck_assert_int_eq(kafka_consumer_open(&settings, "q", topics, 1, NULL, &c, &err), ERR_NONE);
    ck_assert_uint_eq(read_some(c, r, 5), 5);
    ck_assert(kafka_consumer_commit_async(c, &at, 1, proven, &proof));
    ck_assert(!kafka_consumer_commit_async(c, &at, 1, NULL, NULL));
    while (proof == 0) {
        kafka_consumer_release(c);
        ck_assert_int_eq(kafka_consumer_poll(c, 10, r, 64, &count, &err), ERR_NONE);
    }
    ck_assert_int_eq(proof, 1);
    ck_assert_int_eq(kafka_consumer_committed(c, "in", 0, &offset, &err), ERR_NONE);
    ck_assert_int_eq(offset, 2);
    ck_assert_int_eq(kafka_consumer_committed(c, "in", 1, &offset, &err), ERR_NONE);
    ck_assert_int_eq(offset, -1);
    kafka_consumer_close(c);
    kafka_mock_close(mock);
}
END_TEST

/* Of a topic that this consumer does not read.  Leaders move when a broker dies. */
START_TEST(a_topic_whose_leader_has_moved_is_asked_at_the_new_one)
{
    static const struct kafka_topic_config topics[] = {{"in", 1, 2, NULL, 0},
                                                       {"other", 1, 2, NULL, 0}};
    const struct kafka_partition from = {"in", 0, KAFKA_OFFSET_BEGIN};
    struct kafka_consumer *c;
    struct err err = {0};
    int64_t first, next;

    ck_assert_msg(kafka_mock_open(topics, 2, &mock, &err) == ERR_NONE, "%s", err.text);
    settings = (struct kafka_settings){.brokers = kafka_mock_brokers(mock), .client_id = "test"};
    send_some("other", 0, 3);
    ck_assert_int_eq(kafka_consumer_open_alone(&settings, &from, 1, &c, &err), ERR_NONE);
    for (int32_t leader = 1; leader <= 4; leader++) {
        kafka_mock_set_leader(mock, "other", 0, leader % 2 + 1);
        ck_assert_msg(kafka_consumer_bounds(c, "other", 0, &first, &next, &err) == ERR_NONE, "%s",
                      err.text);
        ck_assert_int_eq(next, 3);
    }
    kafka_consumer_close(c);
    kafka_mock_close(mock);
}
END_TEST

START_TEST(an_offset_that_is_not_in_the_log_is_told_with_its_partition)
{
    struct kafka_partition from = {"in", 1, 77};
    struct kafka_consumer *c;
    struct record r[64];
    struct err err = {0};
    const char *topic;
    int32_t partition;
    size_t count;
    enum err_code code = ERR_NONE;

    start();
    ck_assert_int_eq(kafka_consumer_open_alone(&settings, &from, 1, &c, &err), ERR_NONE);
    for (int i = 0; i < 100 && code == ERR_NONE; i++)
        code = kafka_consumer_poll(c, 100, r, 64, &count, &err);
    ck_assert_msg(code == ERR_STATE, "%d %s", code, err.text);
    ck_assert(kafka_consumer_fault(c, &topic, &partition));
    ck_assert_str_eq(topic, "in");
    ck_assert_int_eq(partition, 1);
    kafka_consumer_close(c);
    kafka_mock_close(mock);
}
END_TEST

START_TEST(a_worker_runs_on_it)
{
    static const struct kafka_topic_config topics[] = {
        {"in", 2, -1, NULL, 0}, {"toy.a", 2, -1, NULL, 0}, {"toy.b", 1, -1, NULL, 0}};
    struct worker_partition_status status[2] = {{0}};
    struct worker_config config = {.group = "w", .input = "in", .time = WORKER_TIME_LOG};
    struct worker *w;
    struct err err = {0};

    ck_assert_msg(kafka_mock_open(topics, 3, &mock, &err) == ERR_NONE, "%s", err.text);
    settings = (struct kafka_settings){.brokers = kafka_mock_brokers(mock), .client_id = "test"};
    send_some("in", 0, 300);
    send_some("in", 1, 200);
    config.kafka = settings;
    config.store = memory_store_open();
    ck_assert_msg(worker_open(&config, &toy_step_class, NULL, &w, &err) == ERR_NONE, "%s",
                  err.text);
    for (int i = 0; i < 200 && status[0].next + status[1].next < 500; i++) {
        ck_assert_msg(worker_poll(w, 100, &err) == ERR_NONE, "%s", err.text);
        worker_status(w, status, 2);
    }
    ck_assert_int_eq(status[0].next + status[1].next, 500);
    ck_assert_uint_gt(status[0].counts.outputs, 0);
    worker_close(w);
    config.store->class->close(config.store);
    kafka_mock_close(mock);
}
END_TEST

START_TEST(a_property_that_is_a_guarantee_cannot_be_set)
{
    static const struct kafka_property bad[] = {{"acks", "1"}}, unknown[] = {{"no.such", "1"}};
    struct kafka_producer *p;
    struct err err;

    settings = (struct kafka_settings){"127.0.0.1:1", NULL, bad, 1};
    ck_assert_int_eq(kafka_producer_open(&settings, NULL, &p, &err), ERR_CONFIG);
    ck_assert_ptr_null(p);
    settings.properties = unknown;
    ck_assert_int_eq(kafka_producer_open(&settings, NULL, &p, &err), ERR_CONFIG);
    ck_assert(strstr(err.text, "no.such") != NULL);
}
END_TEST

SUITE_MAIN("kafka_mock", records_come_back_with_all_their_parts,
           the_listener_says_where_to_start_and_what_to_hold,
           nothing_is_left_out_behind_a_seek_that_follows_at_once, transactions_commit_and_abort,
           questions_about_topics_are_answered,
           a_topic_whose_leader_has_moved_is_asked_at_the_new_one,
           an_offset_that_is_not_in_the_log_is_told_with_its_partition, a_worker_runs_on_it,
           a_property_that_is_a_guarantee_cannot_be_set)
