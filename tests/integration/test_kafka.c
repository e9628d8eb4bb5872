/* connectors/kafka against a real Kafka: what the mock cannot show. */
#include "connectors/kafka/kafka.h"

#include <signal.h>
#include <stdio.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "tests/support/server.h"
#include "tests/support/suite.h"

enum { WAIT_MS = 30000, ROOM = 128 };

static struct server *kafka;
static struct kafka_settings settings;

static void start(void)
{
    log_setup(LOG_ERROR, LOG_LOGFMT, false);
    kafka = kafka_start(1);
    settings = (struct kafka_settings){.brokers = server_address(kafka), .client_id = "test"};
}

static void stop(void)
{
    server_stop(kafka);
}

static void make_topic(const char *name, int partitions, const char *max_bytes)
{
    const struct kafka_property small = {"max.message.bytes", max_bytes};
    const struct kafka_topic_config topic = {name, partitions, 1, &small, max_bytes != NULL};
    struct err err = {0};

    ck_assert_msg(kafka_topics_create(&settings, &topic, 1, &err) == ERR_NONE, "%s", err.text);
    ck_assert_msg(kafka_topics_create(&settings, &topic, 1, &err) == ERR_NONE, "%s", err.text);
}

static struct record record_of(const char *topic, int32_t partition, const char *value)
{
    return (struct record){.topic = str_of(topic),
                           .partition = partition,
                           .key = STR("key"),
                           .value = str_of(value),
                           .timestamp_ms = 1600000000000};
}

static struct kafka_producer *producer_of(const char *transactional_id)
{
    struct kafka_producer *p;
    struct err err = {0};

    ck_assert_msg(kafka_producer_open(&settings, transactional_id, &p, &err) == ERR_NONE, "%s",
                  err.text);
    return p;
}

static void send_some(const char *topic, int32_t partition, int count)
{
    struct kafka_producer *p = producer_of(NULL);
    struct err err = {0};

    for (int i = 0; i < count; i++) {
        struct record r = record_of(topic, partition, "value");

        ck_assert_int_eq(kafka_produce(p, &r, &err), ERR_NONE);
    }
    ck_assert_msg(kafka_flush(p, 20000, NULL, NULL, &err) == ERR_NONE, "%s", err.text);
    kafka_producer_close(p);
}

/* Poll until `want` records came, or for a while when there should be none.  Of those of several polls
 * only offsets may be looked at. */
static size_t read_some(struct kafka_consumer *c, struct record *out, size_t want)
{
    int64_t until_ms = clock_mono_ms() + (want > 0 ? WAIT_MS : 1500);
    size_t total = 0, count;
    struct err err = {0};

    do {
        kafka_consumer_release(c);
        ck_assert_msg(kafka_consumer_poll(c, 100, out + total, ROOM - total, &count, &err) ==
                          ERR_NONE,
                      "%s", err.text);
        total += count;
    } while ((want == 0 || total < want) && clock_mono_ms() < until_ms);
    return total;
}

static struct kafka_consumer *member_of(const char *group, const char *topic,
                                        const struct kafka_listener *listener)
{
    struct kafka_consumer *c;
    struct err err = {0};

    ck_assert_msg(kafka_consumer_open(&settings, group, &topic, 1, listener, &c, &err) == ERR_NONE,
                  "%s", err.text);
    return c;
}

static int64_t end_of(struct kafka_consumer *c, const char *topic)
{
    struct kafka_partition end = {topic, 0, 0};
    struct err err = {0};

    ck_assert_msg(kafka_consumer_ask_ends(c, &end, 1, WAIT_MS, &err) == ERR_NONE, "%s", err.text);
    return end.offset;
}

START_TEST(what_a_transaction_wrote_is_seen_when_it_is_committed)
{
    struct kafka_partition from = {"tx.out", 0, KAFKA_OFFSET_BEGIN}, next = {"tx.in", 0, 3};
    struct kafka_producer *p;
    struct kafka_consumer *member, *reader;
    struct record r[ROOM], out = record_of("tx.out", 0, "x");
    struct err err = {0};
    bool fatal;
    int64_t committed;

    make_topic("tx.in", 1, NULL);
    make_topic("tx.out", 1, NULL);
    send_some("tx.in", 0, 5);
    p = producer_of("tx-1");
    member = member_of("tx", "tx.in", NULL);
    ck_assert_uint_eq(read_some(member, r, 5), 5);
    ck_assert_int_eq(kafka_consumer_open_alone(&settings, &from, 1, &reader, &err), ERR_NONE);
    ck_assert_int_eq(kafka_begin(p, &err), ERR_NONE);
    ck_assert_int_eq(kafka_produce(p, &out, &err), ERR_NONE);
    ck_assert_int_eq(kafka_flush(p, 10000, NULL, NULL, &err), ERR_NONE);
    ck_assert_uint_eq(read_some(reader, r, 0), 0);
    ck_assert_int_eq(end_of(reader, "tx.out"), 0); /* nothing that a reader could get to */
    ck_assert_msg(kafka_commit(p, member, &next, 1, &fatal, &err) == ERR_NONE, "%s", err.text);
    ck_assert_uint_eq(read_some(reader, r, 1), 1);
    ck_assert_int_eq(kafka_begin(p, &err), ERR_NONE);
    ck_assert_int_eq(kafka_produce(p, &out, &err), ERR_NONE);
    ck_assert_int_eq(kafka_flush(p, 10000, NULL, NULL, &err), ERR_NONE);
    ck_assert_msg(kafka_abort(p, &fatal, &err) == ERR_NONE, "%s", err.text);
    ck_assert_uint_eq(read_some(reader, r, 0), 0);
    ck_assert(kafka_consumer_at_end(reader, "tx.out", 0)); /* markers count as delivered */
    ck_assert_int_eq(kafka_consumer_read_to(reader, "tx.out", 0), 4);
    ck_assert_int_eq(end_of(reader, "tx.out"), 4);
    ck_assert_int_eq(kafka_consumer_ask_ends(reader, &(struct kafka_partition){"nowhere", 0, 0}, 1,
                                             WAIT_MS, NULL),
                     ERR_KAFKA);
    ck_assert_int_eq(kafka_consumer_committed(member, "tx.in", 0, &committed, &err), ERR_NONE);
    ck_assert_int_eq(committed, 3);
    ck_assert_int_eq(kafka_consumer_seek(member, "tx.in", 0, KAFKA_OFFSET_GROUP, &err), ERR_NONE);
    ck_assert_uint_eq(read_some(member, r, 2), 2);
    ck_assert_int_eq(r[0].offset, 3);
    kafka_consumer_close(reader);
    kafka_consumer_close(member);
    kafka_producer_close(p);
}
END_TEST

START_TEST(a_commit_takes_milliseconds_not_hundreds)
{
    struct kafka_producer *p;
    struct record out = record_of("fast", 0, "x");
    struct err err = {0};
    bool fatal;
    int64_t took_ms;

    make_topic("fast", 1, NULL);
    p = producer_of("fast-1");
    took_ms = -clock_mono_ms();
    for (int i = 0; i < 30; i++) {
        ck_assert_int_eq(kafka_begin(p, &err), ERR_NONE);
        ck_assert_int_eq(kafka_produce(p, &out, &err), ERR_NONE);
        ck_assert_msg(kafka_commit(p, NULL, NULL, 0, &fatal, &err) == ERR_NONE, "%s", err.text);
    }
    took_ms += clock_mono_ms();
    printf("a transaction takes %.1f ms\n", (double)took_ms / 30);
    ck_assert_int_lt(took_ms, 30 * 100);
    kafka_producer_close(p);
}
END_TEST

START_TEST(an_older_producer_of_the_same_id_is_fenced)
{
    struct kafka_producer *old, *young;
    struct record out = record_of("fence", 0, "x");
    struct err err = {0};
    bool fatal;

    make_topic("fence", 1, NULL);
    old = producer_of("fence-1");
    ck_assert_int_eq(kafka_begin(old, &err), ERR_NONE);
    ck_assert_int_eq(kafka_produce(old, &out, &err), ERR_NONE);
    ck_assert_int_eq(kafka_flush(old, 10000, NULL, NULL, &err), ERR_NONE);
    young = producer_of("fence-1");
    ck_assert_int_ne(kafka_commit(old, NULL, NULL, 0, &fatal, &err), ERR_NONE);
    ck_assert(fatal);
    kafka_producer_close(old);
    kafka_producer_close(young);
}
END_TEST

struct owner {
    const char *name;
    size_t assigned, revoked;
    int32_t partition; /* the first of the last assignment */
};

static void on_assigned(void *context, struct kafka_partition *partitions, size_t count)
{
    ((struct owner *)context)->partition = partitions[0].partition;
    ((struct owner *)context)->assigned += count;
}

static void on_revoked(void *context, const struct kafka_partition *partitions, size_t count,
                       bool lost)
{
    (void)partitions;
    (void)lost;
    ((struct owner *)context)->revoked += count;
}

START_TEST(a_member_that_lost_a_partition_commits_nothing)
{
    struct owner first = {"first", 0, 0, 0}, second = {"second", 0, 0, 0};
    struct kafka_listener listen_first = {&first, on_assigned, on_revoked};
    struct kafka_listener listen_second = {&second, on_assigned, on_revoked};
    struct kafka_consumer *a, *b;
    struct kafka_producer *p;
    struct record r[ROOM], out = record_of("move.out", 0, "x");
    struct kafka_partition next[2] = {{"move.in", 0, 1}, {"move.in", 1, 1}};
    struct err err = {0};
    int64_t until_ms = clock_mono_ms() + WAIT_MS;
    bool fatal = true;

    make_topic("move.in", 2, NULL);
    make_topic("move.out", 1, NULL);
    send_some("move.in", 0, 1);
    send_some("move.in", 1, 1);
    a = member_of("move", "move.in", &listen_first);
    ck_assert_uint_eq(read_some(a, r, 2), 2);
    b = member_of("move", "move.in", &listen_second);
    while (second.assigned == 0 || first.assigned < 3) { /* one each */
        size_t count;

        kafka_consumer_release(a);
        kafka_consumer_release(b);
        ck_assert_int_eq(kafka_consumer_poll(a, 50, r, ROOM, &count, &err), ERR_NONE);
        kafka_consumer_release(a);
        ck_assert_int_eq(kafka_consumer_poll(b, 50, r, ROOM, &count, &err), ERR_NONE);
        ck_assert(clock_mono_ms() < until_ms);
    }
    ck_assert_uint_eq(first.revoked, 2);
    p = producer_of("move-1");
    ck_assert_int_eq(kafka_begin(p, &err), ERR_NONE);
    ck_assert_int_eq(kafka_produce(p, &out, &err), ERR_NONE);
    ck_assert_int_eq(kafka_commit(p, a, next, 2, &fatal, &err), ERR_FENCED);
    ck_assert(!fatal);
    ck_assert_int_eq(kafka_begin(p, &err), ERR_NONE); /* and goes on */
    ck_assert_int_eq(kafka_produce(p, &out, &err), ERR_NONE);
    next[0].partition = first.partition; /* what it still has */
    ck_assert_msg(kafka_commit(p, a, next, 1, &fatal, &err) == ERR_NONE, "%s", err.text);
    ck_assert_int_eq(kafka_consumer_seek(a, "move.in", 1 - first.partition, 0, &err), ERR_FENCED);
    kafka_consumer_close(a);
    kafka_consumer_close(b);
    kafka_producer_close(p);
}
END_TEST

START_TEST(a_refused_record_fails_the_flush_and_a_new_producer_goes_on)
{
    static char large[5000];
    struct kafka_producer *p;
    struct record out = record_of("small", 0, "x");
    struct err err = {0};
    bool fatal = false, lost = true;

    make_topic("small", 1, "1000");
    memset(large, 'x', sizeof large);
    p = producer_of(NULL);
    out.value = (struct str){large, sizeof large};
    ck_assert_int_eq(kafka_produce(p, &out, &err), ERR_NONE);
    ck_assert_int_eq(kafka_flush(p, 20000, &fatal, &lost, &err), ERR_LIMIT);
    ck_assert(fatal && !lost);
    ck_assert(strstr(err.text, "small/0") != NULL);
    kafka_producer_close(p);
    send_some("small", 0, 3);
}
END_TEST

START_TEST(nothing_is_lost_or_doubled_by_seeks)
{
    struct kafka_consumer *c;
    struct record r[ROOM];
    struct err err = {0};
    struct kafka_partition from = {"seek", 0, 0};

    make_topic("seek", 1, NULL);
    send_some("seek", 0, 3000);
    ck_assert_int_eq(kafka_consumer_open_alone(&settings, &from, 1, &c, &err), ERR_NONE);
    for (int round = 0; round < 20; round++) {
        int64_t at = (round * 137) % 2000, next = at;
        size_t count;

        kafka_consumer_release(c);
        ck_assert_msg(kafka_consumer_seek(c, "seek", 0, at, &err) == ERR_NONE, "%s", err.text);
        while (next < at + 500) {
            kafka_consumer_release(c);
            ck_assert_int_eq(kafka_consumer_poll(c, 1000, r, ROOM, &count, &err), ERR_NONE);
            for (size_t i = 0; i < count; i++)
                ck_assert_int_eq(r[i].offset, next++);
        }
        kafka_consumer_pause(c, "seek", 0, true);
        kafka_consumer_pause(c, "seek", 0, false);
        for (int64_t more = next + 200; next < more;) {
            kafka_consumer_release(c);
            ck_assert_int_eq(kafka_consumer_poll(c, 1000, r, ROOM, &count, &err), ERR_NONE);
            for (size_t i = 0; i < count; i++)
                ck_assert_int_eq(r[i].offset, next++);
        }
    }
    kafka_consumer_close(c);
}
END_TEST

START_TEST(a_reader_comes_back_from_where_there_is_no_log)
{
    struct kafka_partition from[2] = {{"off", 0, 0}, {"off", 1, 0}};
    struct kafka_consumer *c;
    struct record r[ROOM];
    struct err err = {0};
    enum err_code code = ERR_NONE;
    size_t count;

    make_topic("off", 2, NULL);
    send_some("off", 0, 5);
    send_some("off", 1, 5);
    ck_assert_int_eq(kafka_consumer_open_alone(&settings, from, 2, &c, &err), ERR_NONE);
    ck_assert_uint_eq(read_some(c, r, 10), 10);
    ck_assert_int_eq(kafka_consumer_seek(c, "off", 0, 99, &err), ERR_NONE);
    while (code == ERR_NONE)
        code = kafka_consumer_poll(c, 100, r, ROOM, &count, &err);
    ck_assert_int_eq(code, ERR_STATE);
    ck_assert_msg(kafka_consumer_seek(c, "off", 0, 3, &err) == ERR_NONE, "%s", err.text);
    ck_assert_uint_eq(read_some(c, r, 2), 2);
    ck_assert_int_eq(r[0].offset, 3);
    send_some("off", 1, 1);
    ck_assert_uint_eq(read_some(c, r, 1), 1); /* the other one: nothing twice, nothing left out */
    ck_assert_int_eq(r[0].offset, 5);
    kafka_consumer_close(c);
}
END_TEST

START_TEST(a_broker_that_comes_back_is_used_again)
{
    struct kafka_consumer *c;
    struct kafka_partition from = {"back", 0, 0};
    struct record r[ROOM];
    struct err err = {0};

    make_topic("back", 1, NULL);
    send_some("back", 0, 2);
    ck_assert_int_eq(kafka_consumer_open_alone(&settings, &from, 1, &c, &err), ERR_NONE);
    ck_assert_uint_eq(read_some(c, r, 2), 2);
    server_kill(kafka, 0, SIGKILL);
    ck_assert_uint_eq(read_some(c, r, 0), 0);
    server_restart(kafka, 0);
    send_some("back", 0, 2);
    ck_assert_uint_eq(read_some(c, r, 2), 2);
    ck_assert_int_eq(r[0].offset, 2);
    kafka_consumer_close(c);
}
END_TEST

START_TEST(a_topic_that_is_not_there_has_no_partitions)
{
    int partitions = 7;
    struct err err = {0};

    ck_assert_msg(kafka_topic_partitions(&settings, "nowhere", &partitions, &err) == ERR_NONE, "%s",
                  err.text);
    ck_assert_int_eq(partitions, 0);
    ck_assert_int_eq(kafka_topic_partitions(&settings, "nowhere", &partitions, &err), ERR_NONE);
    ck_assert_int_eq(partitions, 0); /* and asking did not make it */
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        what_a_transaction_wrote_is_seen_when_it_is_committed,
        a_commit_takes_milliseconds_not_hundreds,
        an_older_producer_of_the_same_id_is_fenced,
        a_member_that_lost_a_partition_commits_nothing,
        a_refused_record_fails_the_flush_and_a_new_producer_goes_on,
        nothing_is_lost_or_doubled_by_seeks,
        a_reader_comes_back_from_where_there_is_no_log,
        a_broker_that_comes_back_is_used_again,
        a_topic_that_is_not_there_has_no_partitions,
    };

    return suite_run_with("kafka", tests, sizeof tests / sizeof tests[0], 60, start, stop);
}
