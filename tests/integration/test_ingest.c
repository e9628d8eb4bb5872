/* Ingest against a real Kafka: what is bad ends in the dead-letter topic while everything behind
 * it flows, and a crash at any time doubles and loses nothing for readers of committed records.
 *
 * The process to be killed is this program itself: test_ingest --ingest BROKERS. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/limit.h"
#include "core/mem.h"
#include "processors/ingest/ingest.h"
#include "tests/support/process.h"
#include "tests/support/server.h"
#include "tests/support/suite.h"
#include "tests/support/wait.h"

enum { PARTITIONS = 2, CRASHES = 3, CRASH_EVENTS = 30000, SECONDS_PER_TEST = 180 };

static struct server *kafka;

/* --- the ingest under test -------------------------------------------------------------------- */

static const struct ingest_source sources[] = {
    {.topic = "crm", .dlq_topic = "crm.dlq", .format = &cloudevents_format},
    {.topic = "orders",
     .dlq_topic = "orders.dlq",
     .format = &json_format,
     .tombstone = TOMBSTONE_IGNORE,
     .mapping = {.type = {MAPPING_CONSTANT, {"order.placed", 12}},
                 .subject = {MAPPING_POINTER, {"/customer", 9}}}},
};

static struct kafka_settings settings_of(const char *brokers)
{
    return (struct kafka_settings){.brokers = brokers, .client_id = "test"};
}

static const struct event_types *load_types(void)
{
    static const struct event_types *types; /* for the life of this process */
    static struct arena *arena;
    static struct diags diags;

    if (arena == NULL) {
        arena = arena_new(0);
        types = event_types_load("schemas/events", arena, &diags);
    }
    if (types == NULL)
        fprintf(stderr, "%s\n", diags.items[0].what);
    return types;
}

static struct ingest_config config_of(const char *brokers)
{
    return (struct ingest_config){.kafka = settings_of(brokers),
                                  .group = "attent-ingest",
                                  .transactional_id = "attent-ingest-test",
                                  .sources = sources,
                                  .source_count = 2,
                                  .events_topic = "attent.events",
                                  .types = load_types(),
                                  .wall_ms = clock_wall_ms};
}

/* The process that gets killed. */
static int ingest_main(const char *brokers)
{
    struct ingest_config config = config_of(brokers);
    struct ingest *in;
    struct err err;

    config.round_records_max = CRASH_EVENTS / 8; /* so that there is a middle */
    if (config.types == NULL || ingest_open(&config, &in, &err) != ERR_NONE)
        return 1;
    for (;;)
        ingest_poll(in, 100, NULL, &err);
}

/* --- around it -------------------------------------------------------------------------------- */

static void start(void)
{
    static const struct kafka_property small = {"max.message.bytes", "20000"};
    const struct kafka_topic_config topics[] = {{"crm", PARTITIONS, 1, NULL, 0},
                                                {"crm.dlq", 1, 1, NULL, 0},
                                                {"orders", 1, 1, NULL, 0},
                                                {"orders.dlq", 1, 1, &small, 1},
                                                {"attent.events", PARTITIONS, 1, NULL, 0}};
    struct kafka_settings settings;
    struct err err = {0};

    kafka = kafka_start(1);
    settings = settings_of(server_address(kafka));
    ck_assert_msg(kafka_topics_create(&settings, topics, 5, &err) == ERR_NONE, "%s", err.text);
}

static void stop(void)
{
    server_stop(kafka);
}

static struct kafka_producer *writer(void)
{
    struct kafka_settings settings = settings_of(server_address(kafka));
    struct kafka_producer *p;
    struct err err = {0};

    ck_assert_msg(kafka_producer_open(&settings, NULL, &p, &err) == ERR_NONE, "%s", err.text);
    return p;
}

static void write_one(struct kafka_producer *p, const char *topic, int32_t partition,
                      const char *key, struct str value)
{
    const struct header header = {STR("x"), STR("y")};
    const struct record record = {.topic = str_of(topic),
                                  .partition = partition,
                                  .timestamp_ms = clock_wall_ms(),
                                  .key = str_of(key),
                                  .value = value,
                                  .headers = &header,
                                  .header_count = 1};
    struct err err = {0};

    ck_assert_msg(kafka_produce(p, &record, &err) == ERR_NONE, "%s", err.text);
}

static void written(struct kafka_producer *p)
{
    struct err err = {0};

    ck_assert_msg(kafka_flush(p, 10000, NULL, NULL, &err) == ERR_NONE, "%s", err.text);
    kafka_producer_close(p);
}

static const char *envelope(struct buf *buf, const char *id, const char *customer, const char *data)
{
    buf_clear(buf);
    buf_put_format(buf,
                   "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"/crm\",\"type\":"
                   "\"order.placed\",\"subject\":\"%s\",\"data\":%s}",
                   id, customer, data);
    return buf_text(buf);
}

/* Call see() with each committed record of a topic from the beginning to the end. */
static void read_all(const char *topic, int partitions,
                     void (*see)(void *context, const struct record *record), void *context)
{
    struct kafka_settings settings = settings_of(server_address(kafka));
    struct kafka_partition from[PARTITIONS];
    static struct record records[500];
    struct kafka_consumer *c;
    struct err err = {0};
    bool at_end = false;

    for (int i = 0; i < partitions; i++)
        from[i] = (struct kafka_partition){topic, i, KAFKA_OFFSET_BEGIN};
    ck_assert_int_eq(kafka_consumer_open_alone(&settings, from, (size_t)partitions, &c, &err),
                     ERR_NONE);
    while (!at_end) {
        size_t count;
        ck_assert_msg(kafka_consumer_poll(c, 200, records, 500, &count, &err) == ERR_NONE, "%s",
                      err.text);
        for (size_t i = 0; i < count; i++)
            see(context, &records[i]);
        kafka_consumer_release(c);
        at_end = true;
        for (int i = 0; i < partitions; i++)
            at_end &= kafka_consumer_at_end(c, topic, i);
    }
    kafka_consumer_close(c);
}

/* Let an ingest run in this process until it has taken so many records. */
static struct ingest_counts run_until(uint64_t records, int64_t timeout_ms)
{
    static struct ingest_config config;
    int64_t until_ms = wait_now_ms() + timeout_ms;
    struct ingest_counts counts;
    struct ingest *in;
    struct err err = {0};

    config = config_of(server_address(kafka));
    ck_assert_ptr_nonnull(config.types);
    ck_assert_msg(ingest_open(&config, &in, &err) == ERR_NONE, "%s", err.text);
    while (ingest_counts(in)->read < records && wait_now_ms() < until_ms)
        if (ingest_poll(in, 100, NULL, &err) != ERR_NONE)
            fprintf(stderr, "ingest: %s\n", err.text);
    counts = *ingest_counts(in);
    ingest_close(in);
    return counts;
}

/* --- bad records ------------------------------------------------------------------------------ */

struct seen {
    size_t count;
    char ids[64][24];
    char reasons[64][24];
    bool untouched;
};

static void see_event(void *context, const struct record *record)
{
    struct seen *seen = context;

    snprintf(seen->ids[seen->count++], sizeof seen->ids[0], "%.*s",
             STR_ARG(record_header(record, STR("ce_id"))));
}

static void see_letter(void *context, const struct record *record)
{
    struct seen *seen = context;

    seen->untouched &= str_is(record->key, "key") && str_is(record_header(record, STR("x")), "y") &&
                       str_is(record_header(record, STR("__connect.errors.topic")), "crm");
    snprintf(seen->reasons[seen->count++], sizeof seen->reasons[0], "%.*s",
             STR_ARG(record_header(record, STR("attent-reason"))));
}

START_TEST(bad_records_go_aside_while_everything_behind_them_flows)
{
    static char large[LIMIT_EVENT_BYTES + 1];
    const struct {
        struct str value;
        const char *reason;
    } bad[] = {
        {STR("<order/>"), "bad_json"},
        {STR("{\"id\":\"\xc3\"}"), "bad_utf8"},
        {STR("{}"), "missing_attribute"},
        {STR("{\"specversion\":\"1.0\",\"id\":7,\"source\":\"s\",\"type\":\"t\"}"),
         "bad_attribute"},
        {{large, sizeof large}, "too_large"},
        {STR("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["), "too_deep"},
        {STR("{\"specversion\":\"1.0\",\"id\":\"u\",\"source\":\"s\",\"type\":\"never.seen\","
             "\"subject\":\"c\"}"),
         "unknown_type"},
        {STR("{\"specversion\":\"1.0\",\"id\":\"n\",\"source\":\"s\",\"type\":\"order.placed\","
             "\"data\":{\"amount\":1}}"),
         "no_subject"},
        {STR("{\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"s\",\"type\":\"order.placed\","
             "\"subject\":\"c\",\"data\":{\"amount\":\"one\"}}"),
         "invalid_data"},
        {STR_EMPTY, "empty"},
    };
    enum { BAD = sizeof bad / sizeof bad[0] };
    struct kafka_producer *p = writer();
    struct seen events = {0}, letters = {.untouched = true};
    struct ingest_counts counts;
    struct buf buf = {0};
    char id[24];

    memset(large, ' ', sizeof large);
    for (size_t i = 0; i < BAD; i++) { /* one behind each, in the same partition */
        write_one(p, "crm", 0, "key", bad[i].value);
        snprintf(id, sizeof id, "good-%02zu", i);
        write_one(p, "crm", 0, "key", str_of(envelope(&buf, id, "c1", "{\"amount\":12.5}")));
    }
    written(p);
    counts = run_until(2 * BAD, 30000);
    ck_assert_uint_eq(counts.read, 2 * BAD);
    ck_assert_uint_eq(counts.written, BAD);
    ck_assert_uint_eq(counts.dead[EVENT_TOO_DEEP], 1);

    read_all("attent.events", PARTITIONS, see_event, &events);
    read_all("crm.dlq", 1, see_letter, &letters);
    ck_assert_uint_eq(events.count, BAD);
    ck_assert_uint_eq(letters.count, BAD);
    ck_assert(letters.untouched);
    for (size_t i = 0; i < BAD; i++) {
        snprintf(id, sizeof id, "good-%02zu", i);
        ck_assert_str_eq(events.ids[i], id); /* in order */
        ck_assert_str_eq(letters.reasons[i], bad[i].reason);
    }
    buf_free(&buf);
}
END_TEST

static void see_cut(void *context, const struct record *record)
{
    struct seen *seen = context;

    if (str_is(record_header(record, STR("attent-cut")), "value") && record->value.len == 0)
        seen->count++;
}

START_TEST(a_dead_letter_that_its_topic_refuses_is_cut_until_it_fits)
{
    static char large[50000];
    struct kafka_producer *p = writer();
    struct seen cut = {0};
    struct ingest_counts counts;

    memset(large, '[', sizeof large);
    write_one(p, "orders", 0, "key", (struct str){large, sizeof large});
    write_one(p, "orders", 0, "key", STR("{\"customer\":5,\"amount\":1}"));
    written(p);
    counts = run_until(2, 60000);
    ck_assert_uint_eq(counts.written, 1);
    ck_assert_uint_gt(counts.aborted, 0);
    read_all("orders.dlq", 1, see_cut, &cut);
    ck_assert_uint_eq(cut.count, 1);
}
END_TEST

START_TEST(a_tombstone_is_none_of_its_sources_dead_letters)
{
    struct kafka_producer *p = writer();
    struct ingest_counts counts;

    write_one(p, "orders", 0, "key", STR_EMPTY);
    write_one(p, "orders", 0, "key", STR("")); /* a value of no bytes: that is no tombstone */
    written(p);
    counts = run_until(2, 60000);
    ck_assert_uint_eq(counts.read, 2);
    ck_assert_uint_eq(counts.ignored, 1);
    ck_assert_uint_eq(counts.dead[EVENT_EMPTY], 1);
    ck_assert_uint_eq(counts.written, 0);
}
END_TEST

START_TEST(a_topic_that_is_not_there_is_said_at_once)
{
    struct ingest_config config = config_of(server_address(kafka));
    struct ingest_source source = {
        .topic = "crm", .dlq_topic = "nowhere.dlq", .format = &cloudevents_format};
    struct ingest *in;
    struct err err;

    config.sources = &source;
    config.source_count = 1;
    ck_assert_int_eq(ingest_open(&config, &in, &err), ERR_CONFIG);
    ck_assert_ptr_null(in);
    ck_assert_str_eq(err.text, "ingest: the topic nowhere.dlq is not there");
}
END_TEST

/* --- crashes ---------------------------------------------------------------------------------- */

struct crashed {
    uint32_t times[CRASH_EVENTS]; /* each event came so often */
    long last[PARTITIONS];        /* per source partition, to see the order */
    bool ordered;
};

/* ce_id is "crash-<source partition>-<number>". */
static void see_crash(void *context, const struct record *record)
{
    struct crashed *crashed = context;
    struct str id = record_header(record, STR("ce_id"));
    char text[32];
    int partition;
    long number;

    snprintf(text, sizeof text, "%.*s", STR_ARG(id));
    if (sscanf(text, "crash-%d-%ld", &partition, &number) != 2)
        return; /* of another test */
    crashed->times[number]++;
    crashed->ordered &= number > crashed->last[partition];
    crashed->last[partition] = number;
}

/* Kill it somewhere in the middle: as soon as more has been committed than before. */
static void run_and_kill(struct kafka_consumer *watch, int64_t *high)
{
    const char *const argv[] = {"/proc/self/exe", "--ingest", server_address(kafka), NULL};
    struct process *process = process_start(argv, NULL);
    int64_t until_ms = wait_now_ms() + 40000, first, next = 0;

    do {
        ck_assert_int_eq(kafka_consumer_bounds(watch, "attent.events", 0, &first, &next, NULL),
                         ERR_NONE);
    } while (next <= *high && wait_now_ms() < until_ms);
    process_kill(process, SIGKILL);
    process_wait(process, 5000);
    process_free(process);
    ck_assert_int_gt(next, *high);
    *high = next;
}

START_TEST(a_crash_in_the_middle_doubles_nothing_and_loses_nothing)
{
    struct kafka_settings settings = settings_of(server_address(kafka));
    const struct kafka_partition from = {"attent.events", 0, KAFKA_OFFSET_END};
    struct crashed *crashed = mem_alloc(sizeof *crashed);
    struct kafka_consumer *watch;
    struct kafka_producer *p = writer();
    struct buf buf = {0};
    int64_t first, high;
    char id[32], customer[16];

    *crashed = (struct crashed){.last = {-1, -1}, .ordered = true};
    for (int i = 0; i < CRASH_EVENTS; i++) {
        int partition = i % PARTITIONS;
        snprintf(id, sizeof id, "crash-%d-%d", partition, i);
        snprintf(customer, sizeof customer, "c%d", partition); /* order holds per customer */
        write_one(p, "crm", partition, "key",
                  str_of(envelope(&buf, id, customer, "{\"amount\":1}")));
    }
    written(p);
    ck_assert_int_eq(kafka_consumer_open_alone(&settings, &from, 1, &watch, NULL), ERR_NONE);
    ck_assert_int_eq(kafka_consumer_bounds(watch, "attent.events", 0, &first, &high, NULL),
                     ERR_NONE);
    for (int i = 0; i < CRASHES; i++)
        run_and_kill(watch, &high);
    kafka_consumer_close(watch);
    run_until(UINT64_MAX, 15000); /* longer than a dead member's session and transaction */
    read_all("attent.events", PARTITIONS, see_crash, crashed);
    for (int i = 0; i < CRASH_EVENTS; i++)
        ck_assert_msg(crashed->times[i] == 1, "event %d came %u times", i, crashed->times[i]);
    ck_assert(crashed->ordered);
    mem_free(crashed);
    buf_free(&buf);
}
END_TEST

/* --- a log that is not the one it was --------------------------------------------------------- */

static void committed(void *context, bool ok)
{
    *(int *)context = ok ? 1 : -1;
}

/* Say that the group has read partition 0 of crm far beyond its end, and nothing of 1. */
static void commit_beyond(const char *group)
{
    struct kafka_settings settings = settings_of(server_address(kafka));
    const struct kafka_partition offsets[] = {{"crm", 0, 999999}, {"crm", 1, 0}};
    const char *const topics[] = {"crm"};
    int64_t until_ms = wait_now_ms() + 30000;
    struct kafka_consumer *c;
    struct record records[1];
    size_t count = 0;
    int done = 0;

    ck_assert_int_eq(kafka_consumer_open(&settings, group, topics, 1, NULL, &c, NULL), ERR_NONE);
    for (; done == 0 && wait_now_ms() < until_ms; kafka_consumer_release(c)) {
        ck_assert_int_eq(kafka_consumer_poll(c, 100, records, 1, &count, NULL), ERR_NONE);
        if (count > 0) /* so it is a member */
            kafka_consumer_commit_async(c, offsets, 2, committed, &done);
    }
    ck_assert_int_eq(done, 1);
    kafka_consumer_close(c);
}

START_TEST(a_partition_read_beyond_its_end_stands_still_while_others_flow)
{
    struct ingest_config config = config_of(server_address(kafka));
    int64_t until_ms = wait_now_ms() + 60000;
    struct ingest *in;
    struct err err = {0};
    int stood = 0;

    commit_beyond("beyond");
    config.group = "beyond";
    config.transactional_id = "beyond";
    config.source_count = 1;
    ck_assert_int_eq(ingest_open(&config, &in, &err), ERR_NONE);
    while (ingest_counts(in)->read < CRASH_EVENTS / PARTITIONS && wait_now_ms() < until_ms)
        if (ingest_poll(in, 100, NULL, &err) == ERR_STATE)
            stood++;
    ck_assert_int_eq(stood, 1);
    ck_assert_ptr_nonnull(strstr(err.text, "crm/0 ends at"));
    ck_assert_uint_eq(ingest_counts(in)->read, CRASH_EVENTS / PARTITIONS);
    ingest_close(in);
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const tests[] = {
        bad_records_go_aside_while_everything_behind_them_flows,
        a_dead_letter_that_its_topic_refuses_is_cut_until_it_fits,
        a_tombstone_is_none_of_its_sources_dead_letters,
        a_topic_that_is_not_there_is_said_at_once,
        a_crash_in_the_middle_doubles_nothing_and_loses_nothing,
        a_partition_read_beyond_its_end_stands_still_while_others_flow,
    };

    if (argc == 3 && str_is(str_of(argv[1]), "--ingest"))
        return ingest_main(argv[2]);
    return suite_run_with("ingest", tests, sizeof tests / sizeof tests[0], SECONDS_PER_TEST, start,
                          stop);
}
