/* A feed that breaks must not look as if nobody had paid.  Ingest on a real Kafka with a clock of the
 * test's own, and decide on what it has written: billing says nothing for three days.
 *
 *   0d  anna, ben and carl order           1d  billing falls silent
 *   18h anna pays                          2d  due: not paid?   nobody knows
 *                                          4d  billing is back: ben paid at 3d, carl did not
 */
#include <stdio.h>

#include "core/log.h"
#include "processors/decide/decide.h"
#include "processors/ingest/ingest.h"
#include "processors/worker/offline.h"
#include "rules/moment/ruleset.h"
#include "schemas/control.h"
#include "schemas/task.h"
#include "tests/support/decide_run.h"
#include "tests/support/server.h"
#include "tests/support/suite.h"
#include "tests/support/wait.h"

#define START_MS 1772438400000 /* 2026-03-02T08:00:00Z */
#define HOUR_MS  ((int64_t)3600000)

enum { SECONDS_PER_TEST = 180, STEP_POLLS = 12 };

static const struct rule_file rules[] = {
    {"schemas/events/order.placed.json",
     "{\"title\":\"Order\",\"type\":\"object\",\"properties\":{}}"},
    {"schemas/events/payment.received.json",
     "{\"title\":\"Payment\",\"type\":\"object\",\"properties\":{}}"},
    {"schemas/events/hour.struck.json",
     "{\"title\":\"An hour\",\"type\":\"object\",\"properties\":{}}"},
    {"moments/dun.yaml", "moment: dun\ntitle: Not paid\ntier: service\n"
                         "when: [{event: order.placed}, {absent: payment.received, for: 2d}]\n"
                         "act: [{channel: phone}]\n"},
    {"sources.yaml", "billing: {types: payment.received, max_silence: 6h}\n"},
    {NULL, NULL}};

static struct ingest_source sources[] = {
    {.topic = "crm", .dlq_topic = "dlq", .format = &cloudevents_format},
    {.topic = "billing",
     .dlq_topic = "dlq",
     .format = &cloudevents_format,
     .max_silence_ms = 6 * HOUR_MS},
};

static struct server *kafka;
static int64_t wall_ms; /* the story's clock */
static struct arena *arena;
static struct ruleset *set;
static struct buf came; /* what decide has said */

static void start(void)
{
    const struct kafka_topic_config topics[] = {{"crm", 1, 1, NULL, 0},
                                                {"billing", 2, 1, NULL, 0},
                                                {"dlq", 1, 1, NULL, 0},
                                                {"attent.events", 1, 1, NULL, 0}};
    struct kafka_settings settings;
    struct err err = {0};

    log_setup(LOG_ERROR, LOG_LOGFMT, false);
    kafka = kafka_start(1);
    settings = (struct kafka_settings){.brokers = server_address(kafka), .client_id = "test"};
    ck_assert_msg(kafka_topics_create(&settings, topics, 4, &err) == ERR_NONE, "%s", err.text);
}

static void stop(void)
{
    server_stop(kafka);
}

static int64_t story_ms(void)
{
    return wall_ms;
}

/* --- ingest -------------------------------------------------------------------------------------- */

static struct ingest *open_ingest(void)
{
    static struct ingest_config config;
    const struct event_type_file files[] = {
        {rules[0].name, {rules[0].text, strlen(rules[0].text)}},
        {rules[1].name, {rules[1].text, strlen(rules[1].text)}},
        {rules[2].name, {rules[2].text, strlen(rules[2].text)}}};
    struct diags diags = {0};
    struct ingest *in;
    struct err err = {0};

    config =
        (struct ingest_config){.kafka = {.brokers = server_address(kafka), .client_id = "test"},
                               .group = "attent-ingest",
                               .transactional_id = "attent-ingest-test",
                               .sources = sources,
                               .source_count = 2,
                               .events_topic = "attent.events",
                               .types = event_types_read(files, 3, arena, &diags),
                               .watermark_interval_ms = 1,
                               .wall_ms = story_ms};
    ck_assert_ptr_nonnull(config.types);
    ck_assert_msg(ingest_open(&config, &in, &err) == ERR_NONE, "%s", err.text);
    return in;
}

static struct kafka_producer *producer;

/* A record of a source, at the story's time. */
static void happens(const char *topic, int32_t partition, const char *type, const char *customer,
                    int64_t at_ms)
{
    static int number;
    struct err err = {0};
    struct buf value = {0};

    buf_put_format(&value,
                   "{\"specversion\":\"1.0\",\"id\":\"e%d\",\"source\":\"/%s\",\"type\":\"%s\","
                   "\"subject\":\"%s\",\"data\":{}}",
                   ++number, topic, type, customer);
    ck_assert_msg(kafka_produce(producer,
                                &(struct record){.topic = str_of(topic),
                                                 .partition = partition,
                                                 .timestamp_ms = at_ms,
                                                 .key = str_of(customer),
                                                 .value = buf_str(&value)},
                                &err) == ERR_NONE,
                  "%s", err.text);
    ck_assert_msg(kafka_flush(producer, 10000, NULL, NULL, &err) == ERR_NONE, "%s", err.text);
    buf_free(&value);
}

/* Let ingest take what is there and say how far it has come. */
static void let_run(struct ingest *in, uint64_t records)
{
    int64_t until_ms = wait_now_ms() + 20000;
    uint64_t wanted = ingest_counts(in)->read + records;
    struct err err = {0};

    while (ingest_counts(in)->read < wanted && wait_now_ms() < until_ms)
        ck_assert_msg(ingest_poll(in, 100, NULL, &err) == ERR_NONE, "%s", err.text);
    ck_assert_uint_eq(ingest_counts(in)->read, wanted);
    for (int i = 0; i < STEP_POLLS; i++)
        ck_assert_msg(ingest_poll(in, 50, NULL, &err) == ERR_NONE, "%s", err.text);
}

/* --- decide -------------------------------------------------------------------------------------- */

static const struct ruleset *give(void *context, struct str hash_hex, struct err *err)
{
    (void)hash_hex;
    (void)err;
    return context;
}

static void note(void *context, int topic, const struct record *record)
{
    struct decision d;

    (void)context;
    if (topic != DECIDE_TOPIC_DECISIONS)
        return;
    ck_assert(decision_read_json(arena_str(arena, record->value), arena, &d, NULL));
    buf_put_format(&came, "%lldh %.*s %.*s\n", (long long)((d.at_ms - START_MS) / HOUR_MS),
                   STR_ARG(d.customer), STR_ARG(d.reason));
}

static struct offline *open_decide(const struct decide_config *config)
{
    const struct header header = {STR(CONTROL_HEADER), STR(CONTROL_ACTIVATE)};
    struct offline_setup setup = {.class = &decide_class, .config = config, .output = note};
    struct offline *o;

    ck_assert_int_eq(offline_open(&setup, &o, NULL), ERR_NONE);
    ck_assert_int_eq(offline_record(o,
                                    &(struct record){.timestamp_ms = START_MS - HOUR_MS,
                                                     .value = STR("any"),
                                                     .headers = &header,
                                                     .header_count = 1},
                                    NULL),
                     ERR_NONE);
    return o;
}

/* What ingest has written since; the log's offsets come behind the activation. */
static void decide(struct offline *o, struct kafka_consumer *events)
{
    struct record records[100];
    struct err err = {0};
    size_t count;

    do {
        ck_assert_msg(kafka_consumer_poll(events, 500, records, 100, &count, &err) == ERR_NONE,
                      "%s", err.text);
        for (size_t i = 0; i < count; i++) {
            records[i].offset++;
            ck_assert_msg(offline_record(o, &records[i], &err) == ERR_NONE, "%s", err.text);
        }
        kafka_consumer_release(events);
    } while (count != 0 || !kafka_consumer_at_end(events, "attent.events", 0));
}

#define SAID(lines)                                                                                \
    do {                                                                                           \
        ck_assert_str_eq(buf_text(&came), lines);                                                  \
        buf_clear(&came);                                                                          \
    } while (0)

START_TEST(who_paid_while_the_feed_was_down_is_left_alone_and_who_did_not_is_contacted)
{
    const struct kafka_settings settings = {.brokers = server_address(kafka), .client_id = "test"};
    const struct kafka_partition from = {"attent.events", 0, KAFKA_OFFSET_BEGIN};
    struct decide_config config = {.find = give};
    struct kafka_consumer *events;
    struct buf silence = {0};
    struct offline *o;
    struct ingest *in;

    arena = arena_new(0);
    config.context = set = decide_run_compile(rules);
    ck_assert_int_eq(kafka_producer_open(&settings, NULL, &producer, NULL), ERR_NONE);
    ck_assert_int_eq(kafka_consumer_open_alone(&settings, &from, 1, &events, NULL), ERR_NONE);
    o = open_decide(&config);
    wall_ms = START_MS;
    in = open_ingest();

    happens("crm", 0, "order.placed", "anna", wall_ms);
    happens("crm", 0, "order.placed", "ben", wall_ms);
    happens("crm", 0, "order.placed", "carl", wall_ms);
    happens("billing", 0, "payment.received", "zoe", wall_ms); /* of two partitions one is used */
    let_run(in, 4);
    wall_ms = START_MS + 18 * HOUR_MS;
    happens("billing", 0, "payment.received", "anna", wall_ms);
    let_run(in, 1);
    wall_ms = START_MS + 24 * HOUR_MS;
    happens("billing", 0, "payment.received", "zoe", wall_ms);
    let_run(in, 1);
    ingest_report_silence(in, &silence);
    ck_assert_str_eq(buf_text(&silence), "");
    decide(o, events);
    SAID("18h anna broken\n");

    for (int64_t hour = 36; hour < 96; hour += 12) { /* time goes on, billing does not */
        wall_ms = START_MS + hour * HOUR_MS;
        happens("crm", 0, "hour.struck", "time", wall_ms);
        let_run(in, 1);
        if (hour == 72) { /* another process takes over: it knows no more than the topic */
            ingest_close(in);
            in = open_ingest();
            let_run(in, 0);
        }
    }
    ingest_report_silence(in, &silence);
    ck_assert_str_eq(buf_text(&silence),
                     "billing has been read up to 2026-03-03T14:00:00Z only: what it brings is not "
                     "taken to have stayed out");
    decide(o, events);
    SAID("48h ben source_behind\n48h carl source_behind\n");

    wall_ms = START_MS + 96 * HOUR_MS; /* it is back, and brings what has happened meanwhile */
    happens("billing", 1, "payment.received", "ben", wall_ms - 24 * HOUR_MS);
    happens("billing", 0, "payment.received", "zoe", wall_ms);
    happens("crm", 0, "hour.struck", "time", wall_ms);
    let_run(in, 3);
    buf_clear(&silence);
    ingest_report_silence(in, &silence);
    ck_assert_str_eq(buf_text(&silence), "");
    decide(o, events);
    printf("%s", buf_text(&came));
    ck_assert_ptr_nonnull(strstr(buf_text(&came), "ben broken\n"));
    ck_assert_ptr_nonnull(strstr(buf_text(&came), "carl task\n"));
    ck_assert_ptr_null(strstr(buf_text(&came), "ben task"));
    ck_assert_ptr_null(strstr(buf_text(&came), "anna"));

    ingest_close(in);
    offline_close(o);
    kafka_consumer_close(events);
    kafka_producer_close(producer);
    ruleset_free(set);
    buf_free(&silence);
    buf_free(&came);
    arena_free(arena);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        who_paid_while_the_feed_was_down_is_left_alone_and_who_did_not_is_contacted};

    return suite_run_with("sources", tests, 1, SECONDS_PER_TEST, start, stop);
}
