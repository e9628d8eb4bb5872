#include "tests/unit/sim/hands.h"

#include <stdio.h>

#include "tests/sim/kafka_model.h"
#include "tests/support/suite.h"
#include "tests/unit/sim/alone.h"

static const struct kafka_settings settings = {.brokers = "model", .client_id = "test"};
static char values[4096];

void hands_open(void)
{
    lone_begin(7);
    kafka_model_open();
}

void hands_close(void)
{
    kafka_model_close();
}

struct record hands_record(const char *topic, int32_t partition, const char *value)
{
    return (struct record){.topic = str_of(topic),
                           .partition = partition,
                           .key = STR("key"),
                           .value = str_of(value),
                           .timestamp_ms = 1600000000000};
}

struct kafka_producer *hands_producer(const char *transactional_id)
{
    struct kafka_producer *p;
    struct err err = {0};

    ck_assert_msg(kafka_producer_open(&settings, transactional_id, &p, &err) == ERR_NONE, "%s",
                  err.text);
    return p;
}

void hands_send(struct kafka_producer *p, const char *topic, int32_t partition, const char *value)
{
    struct record r = hands_record(topic, partition, value);
    struct err err = {0};

    ck_assert_msg(kafka_produce(p, &r, &err) == ERR_NONE, "%s", err.text);
}

void hands_flush(struct kafka_producer *p)
{
    struct err err = {0};

    ck_assert_msg(kafka_flush(p, 20000, NULL, NULL, &err) == ERR_NONE, "%s", err.text);
}

struct kafka_consumer *hands_reader(const char *topic, int32_t partition, int64_t offset)
{
    const struct kafka_partition from = {topic, partition, offset};
    struct kafka_consumer *c;
    struct err err = {0};

    ck_assert_msg(kafka_consumer_open_alone(&settings, &from, 1, &c, &err) == ERR_NONE, "%s",
                  err.text);
    return c;
}

/* --- members ----------------------------------------------------------------------------------- */

static void on_assigned(void *context, struct kafka_partition *partitions, size_t count)
{
    struct hands_member *m = context;

    m->first = partitions[0].partition;
    m->assigned += count;
}

static void on_revoked(void *context, const struct kafka_partition *partitions, size_t count,
                       bool lost)
{
    struct hands_member *m = context;

    (void)partitions;
    m->revoked += count;
    m->lost += lost ? count : 0;
}

void hands_join(struct hands_member *m, int process, const char *group, const char *topic)
{
    const struct kafka_listener listener = {m, on_assigned, on_revoked};
    struct err err = {0};

    *m = (struct hands_member){.process = process};
    lone_be(process);
    ck_assert_msg(kafka_consumer_open(&settings, group, &topic, 1, &listener, &m->consumer, &err) ==
                      ERR_NONE,
                  "%s", err.text);
    lone_be(0);
}

void hands_poll(struct hands_member *const *members, size_t count, int64_t span_ms)
{
    int64_t until_us = sim_now_us() + span_ms * 1000;
    struct record records[HANDS_ROOM];
    struct err err = {0};
    size_t got;

    for (size_t i = 0; sim_now_us() < until_us; i++) {
        const struct hands_member *m = members[i % count];

        lone_be(m->process);
        ck_assert_msg(kafka_consumer_poll(m->consumer, 5, records, HANDS_ROOM, &got, &err) ==
                          ERR_NONE,
                      "%s", err.text);
        kafka_consumer_release(m->consumer);
    }
    lone_be(0);
}

/* --- values ------------------------------------------------------------------------------------ */

static void add_values(const struct record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t at = strlen(values);

        snprintf(values + at, sizeof values - at, "%s%.*s", at > 0 ? "," : "",
                 STR_ARG(records[i].value));
    }
}

const char *hands_read(struct kafka_consumer *c, int64_t span_ms)
{
    int64_t until_us = sim_now_us() + span_ms * 1000;
    struct record records[HANDS_ROOM];
    struct err err = {0};
    size_t count;

    values[0] = '\0';
    while (sim_now_us() < until_us) {
        ck_assert_msg(kafka_consumer_poll(c, 10, records, HANDS_ROOM, &count, &err) == ERR_NONE,
                      "%s", err.text);
        add_values(records, count);
        kafka_consumer_release(c);
    }
    return values;
}

const char *hands_log(const char *topic, int32_t partition)
{
    struct record records[HANDS_ROOM];
    int64_t next = 0;
    size_t count;

    values[0] = '\0';
    while ((count = kafka_model_read(topic, partition, next, records, HANDS_ROOM, &next)) > 0)
        add_values(records, count);
    return values;
}
