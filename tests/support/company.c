#include "tests/support/company.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>

#include "core/arena.h"
#include "core/when.h"
#include "tests/support/wait.h"

enum { END_MS_MAX = 5 * 1000 };

static const char company_yaml[] =
    "console: {address: \"\"}\n"
    "sources:\n"
    "  {name}.crm: {}\n"
    "  {name}.vehicles: {}\n"
    "  {name}.billing: {mode: json, id: /no, type: /kind, time: /at, subject: /payer/id}\n"
    "channels:\n"
    "  phone: {connector: contact_centre, topic: \"{name}.queue.{queue}\"}\n"
    "  email: {connector: contact_centre, topic: \"{name}.queue.{queue}\"}\n"
    "  garage: {connector: contact_centre, topic: \"{name}.queue.{queue}\"}\n";

static void make_topics(struct company *c)
{
    static const char *const theirs[] = {"crm",           "vehicles",     "billing",
                                         "queue.billing", "queue.garage", "queue.insurance"};
    enum { COUNT = sizeof theirs / sizeof theirs[0] };
    struct kafka_topic_config topics[COUNT];
    struct err err = {0};

    for (size_t i = 0; i < COUNT; i++)
        topics[i] = (struct kafka_topic_config){.name = field_topic(&c->field, theirs[i]),
                                                .partitions = COMPANY_SOURCE_PARTITIONS,
                                                .replication = -1};
    ck_assert_msg(kafka_topics_create(&c->field.kafka, topics, COUNT, &err) == ERR_NONE, "%s",
                  err.text);
}

void company_open(struct company *c, const char *name, struct server *kafka, const char *yaml)
{
    static const char *const watched[] = {"events",       "decisions",       "queue.billing",
                                          "queue.garage", "queue.insurance", "crm.dlq",
                                          "vehicles.dlq", "billing.dlq"};
    enum { COUNT = sizeof watched / sizeof watched[0] };
    const char *topics[COUNT + 1] = {NULL};

    *c = (struct company){.arena = arena_new(0)};
    field_open(&c->field, name, kafka, arena_format(c->arena, "%s%s", yaml, company_yaml).data);
    make_topics(c);
    for (size_t i = 0; i < COUNT; i++)
        topics[i] = field_topic(&c->field, watched[i]);
    c->watch = watch_open(&c->field.kafka, topics);
    c->attent = field_start(&c->field, "run", NULL);
}

void company_end(struct company *c)
{
    int64_t begin_ms = wait_now_ms();

    process_kill(c->attent, SIGTERM);
    field_check(c->attent, process_wait(c->attent, END_MS_MAX) == 0,
                "attent does not end by SIGTERM in time");
    printf("  ended %d ms after SIGTERM\n", (int)(wait_now_ms() - begin_ms));
}

void company_close(struct company *c)
{
    process_free(c->attent);
    watch_close(c->watch);
    field_close(&c->field);
    arena_free(c->arena);
}

const struct record *company_await(struct company *c, const char *topic, const char *key, size_t n)
{
    const struct record *record =
        watch_nth(c->watch, field_topic(&c->field, topic), key, n, COMPANY_WAIT_MS_MAX);
    char what[256];

    snprintf(what, sizeof what, "record %zu of %s does not come in %s", n, key, topic);
    field_check(c->attent, record != NULL, what);
    return record;
}

int64_t company_at(const char *text)
{
    int64_t at_ms = 0;

    ck_assert(when_parse_ms(str_of(text), &at_ms));
    return at_ms;
}

void company_await_ingest(struct company *c)
{
    int64_t end_ms = wait_now_ms() + COMPANY_WAIT_MS_MAX;
    int arrived;

    do {
        arrived = 0;
        for (size_t i = 0; i < watch_count(c->watch); i++) {
            const struct record *record = watch_at(c->watch, i);
            arrived += str_is(record->topic, field_topic(&c->field, "events")) &&
                       record_header(record, STR("attent-control")).data == NULL;
        }
        field_check(c->attent, arrived == c->events || wait_now_ms() < end_ms,
                    "an event does not come through ingest");
        if (arrived < c->events)
            watch_poll(c->watch, 50);
    } while (arrived < c->events);
}

void company_tell(struct company *c, const char *topic, enum field_mode mode, const char *customer,
                  const char *at, const char *type, const char *data)
{
    const struct field_event event = {
        .id = arena_format(c->arena, "%s-%d", topic, c->events++).data,
        .customer = customer,
        .type = type,
        .data = data,
        .at_ms = company_at(at),
    };

    field_send(&c->field, topic, mode, &event);
    company_await_ingest(c);
}

void company_bill(struct company *c, const char *customer, const char *at, const char *kind,
                  const char *invoice)
{
    struct str value =
        arena_format(c->arena,
                     "{\"no\":\"bill-%d\",\"kind\":\"%s\",\"at\":\"%s\",\"payer\":{\"id\":\"%s\"},"
                     "\"amount\":64.5,\"invoice\":\"%s\"}",
                     c->events++, kind, at, customer, invoice);

    field_send_record(&c->field,
                      &(struct record){.topic = str_of(field_topic(&c->field, "billing")),
                                       .partition = -1,
                                       .timestamp_ms = company_at(at),
                                       .key = str_of(invoice),
                                       .value = value});
    company_await_ingest(c);
}

void company_time_passes(struct company *c, const char *until)
{
    company_await_ingest(c);
    field_tick(&c->field, company_at(until));
}

size_t company_count(struct company *c, const char *topic)
{
    const char *const topics[] = {field_topic(&c->field, topic), NULL};
    struct watch *watch = watch_open(&c->field.kafka, topics);
    size_t count;

    watch_to_end(watch);
    count = watch_count(watch);
    watch_close(watch);
    return count;
}
