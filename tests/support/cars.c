#include "tests/support/cars.h"

#include <check.h>
#include <stdio.h>

#include "schemas/binding.h"

static void put(struct field *field, const char *alias, int64_t at_ms, struct str value,
                const struct header *headers, size_t count)
{
    field_put_record(field, &(struct record){.topic = str_of(field_topic(field, "identify")),
                                             .partition = -1,
                                             .timestamp_ms = at_ms,
                                             .key = str_of(alias),
                                             .value = value,
                                             .headers = headers,
                                             .header_count = count});
}

static void put_report(struct field *field, const char *alias, const char *id, int64_t at_ms)
{
    const struct header headers[] = {
        {STR("ce_specversion"), STR("1.0")},   {STR("ce_id"), str_of(id)},
        {STR("ce_source"), STR("/test/cars")}, {STR("ce_type"), STR("car.moved")},
        {STR(IDENTIFY_HEADER), STR("event")},  {STR(ORIGIN_HEADER), STR("cars/0/0")}};

    put(field, alias, at_ms, STR("{}"), headers, sizeof headers / sizeof headers[0]);
}

static void put_claim(struct field *field, const char *alias, const char *owner, int64_t at_ms)
{
    const struct header header = {STR(IDENTIFY_HEADER), STR("bind")};
    struct buf json = {0};

    binding_put_json(&json, &(struct binding){.customer = str_of(owner), .at_ms = at_ms});
    put(field, alias, at_ms, buf_str(&json), &header, 1);
    buf_free(&json);
}

void cars_put_round(struct field *field, int round, bool claim, int64_t at_ms)
{
    char id[32], alias[32], owner[16];

    for (int car = 0; car < CARS; car++) {
        snprintf(id, sizeof id, "%d-%d", car, round);
        snprintf(alias, sizeof alias, "vin:V%d", car);
        snprintf(owner, sizeof owner, "c-%d", car);
        put_report(field, alias, id, at_ms + car);
        if (claim && car < CARS_CLAIMED)
            put_claim(field, alias, owner, at_ms + car);
    }
    field_flush(field);
}

/* --- reading ----------------------------------------------------------------------------------------- */

void cars_open(struct cars_reading *r, struct field *field)
{
    const char *const topics[] = {field_topic(field, "events"), NULL};

    *r = (struct cars_reading){.watch = watch_open(&field->kafka, topics)};
}

void cars_close(struct cars_reading *r)
{
    watch_close(r->watch);
    for (int i = 0; i < CARS_PARTITIONS_MAX; i++)
        taken_free(&r->taken[i]);
    buf_free(&r->scratch);
}

static void take_report(struct cars_reading *r, const struct record *record)
{
    struct str id = record_header(record, STR("ce_id"));
    char text[32], owner[16];
    int car, round;

    snprintf(text, sizeof text, "%.*s", STR_ARG(id));
    ck_assert_int_eq(sscanf(text, "%d-%d", &car, &round), 2);
    snprintf(owner, sizeof owner, "c-%d", car);
    ck_assert_msg(str_is(record->key, owner), "%s went to %.*s", text, STR_ARG(record->key));
    ck_assert(str_equal(record_header(record, STR("ce_subject")), record->key));
    ck_assert_msg((r->told[car] & UINT32_C(1) << round) == 0, "%s came twice", text);
    ck_assert_msg(round >= r->last[record->partition][car], "%s came behind a later one", text);
    r->told[car] |= UINT32_C(1) << round;
    r->last[record->partition][car] = round + 1;
    r->reports++;
}

static void take(struct cars_reading *r)
{
    while (r->looked < watch_count(r->watch)) {
        const struct record *record = watch_at(r->watch, r->looked++);
        struct taken *taken = &r->taken[record->partition];
        struct taken_source source;
        struct err err = {0};

        switch (taken_look(taken, record, &r->scratch, &source, &err)) {
        case TAKEN_NEXT:
            taken_advance(taken, &source);
            take_report(r, record);
            break;
        case TAKEN_PLAIN: /* of ingest, and the activation */
        case TAKEN_REPEAT:
        case TAKEN_GAP: break;
        case TAKEN_OLD:
        case TAKEN_JUNK:
        case TAKEN_BROKEN: ck_abort_msg("%s", err.text);
        }
    }
}

void cars_look(struct cars_reading *r)
{
    watch_poll(r->watch, 100);
    take(r);
}

void cars_look_to_end(struct cars_reading *r)
{
    watch_to_end(r->watch);
    take(r);
}
