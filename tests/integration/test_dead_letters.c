/* What is no event goes to the dead-letter topic of its source, untouched and with its reason, and
 * what is behind it flows: against a real Kafka, one record of each kind.
 */
#include <check.h>
#include <stdio.h>

#include "core/arena.h"
#include "core/hash.h"
#include "tests/support/company.h"
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

struct bad {
    const char *topic, *reason, *value; /* value NULL: none */
    size_t bytes;                       /* of a value made up to be large; 0: all of value */
};

static const struct bad bad_records[] = {
    {"crm", "bad_json", "{\"specversion\":\"1.0\",\"id\":", 0},
    {"crm", "bad_utf8",
     "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"customer.updated\","
     "\"subject\":\"zoe\",\"data\":{\"country\":\"\xff\xfe\"}}",
     0},
    {"crm", "missing_attribute",
     "{\"specversion\":\"1.0\",\"source\":\"/s\",\"type\":\"customer.updated\",\"subject\":\"zoe\","
     "\"data\":{}}",
     0},
    {"crm", "bad_attribute",
     "{\"specversion\":\"1.0\",\"id\":5,\"source\":\"/s\",\"type\":\"customer.updated\","
     "\"subject\":\"zoe\",\"data\":{}}",
     0},
    {"crm", "bad_attribute",
     "{\"specversion\":\"1.0\",\"id\":\"5\",\"source\":\"/s\",\"type\":\"customer.updated\","
     "\"subject\":\"zoe\",\"time\":\"yesterday\",\"data\":{}}",
     0},
    {"crm", "invalid_data",
     "{\"specversion\":\"1.0\",\"id\":\"6\",\"source\":\"/s\",\"type\":\"policy.updated\","
     "\"subject\":\"zoe\",\"data\":{\"vin\":\"V\",\"weight_kg\":\"heavy\"}}",
     0},
    {"crm", "too_large", "{\"specversion\":\"1.0\",\"id\":\"7\"}", 300 * 1024},
    {"crm", "too_deep",
     "{\"specversion\":\"1.0\",\"id\":\"8\",\"source\":\"/s\",\"type\":\"customer.updated\","
     "\"subject\":\"zoe\",\"data\":{\"x\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
     "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}}",
     0},
    {"crm", "unknown_type",
     "{\"specversion\":\"1.0\",\"id\":\"9\",\"source\":\"/s\",\"type\":\"no.such.type\","
     "\"subject\":\"zoe\",\"data\":{}}",
     0},
    {"crm", "no_subject",
     "{\"specversion\":\"1.0\",\"id\":\"10\",\"source\":\"/s\",\"type\":\"customer.updated\","
     "\"data\":{}}",
     0},
    {"crm", "empty", NULL, 0},
    {"billing", "not_mapped", "{\"no\":\"11\",\"payer\":{\"id\":\"zoe\"}}", 0},
    {"billing", "bad_json", "hello", 0},
};
enum { BAD_COUNT = sizeof bad_records / sizeof bad_records[0] };

/* The value as it goes to Kafka: filled up with blanks to its size. */
static struct str bad_value(struct company *c, const struct bad *bad)
{
    struct str text = str_of(bad->value);
    char *value;

    if (bad->bytes == 0)
        return text;
    value = arena_alloc(c->arena, bad->bytes);
    memset(value, ' ', bad->bytes);
    memcpy(value, text.data, text.len);
    return (struct str){value, bad->bytes};
}

/* That of the good record behind it. */
static int32_t bad_partition(const struct bad *bad)
{
    return hash_kafka_partition(str_of(strcmp(bad->topic, "crm") == 0 ? "zoe" : "1"),
                                COMPANY_SOURCE_PARTITIONS);
}

static void send_bad(struct company *c, const struct bad *bad, int number)
{
    const struct header own = {STR("x-number"), arena_format(c->arena, "%d", number)};

    field_send_record(&c->field,
                      &(struct record){.topic = str_of(field_topic(&c->field, bad->topic)),
                                       .partition = bad_partition(bad),
                                       .timestamp_ms = company_at("2025-01-07T09:00:00+01:00"),
                                       .key = STR("bad"),
                                       .value = bad_value(c, bad),
                                       .headers = &own,
                                       .header_count = 1});
}

static void check_header(const struct record *record, const char *name, const char *value)
{
    struct str got = record_header(record, str_of(name));

    ck_assert_msg(str_is(got, value), "%s is \"%.*s\", not \"%s\" (record %.*s)", name,
                  STR_ARG(got), value, STR_ARG(record_header(record, STR("x-number"))));
}

/* Number n of the dead letters of a source is this record, untouched, with its reason. */
static void check_dead_letter(struct company *c, const struct bad *bad, int number, size_t n)
{
    const struct record *record =
        company_await(c, arena_format(c->arena, "%s.dlq", bad->topic).data, "bad", n);

    check_header(record, "x-number", arena_format(c->arena, "%d", number).data);
    check_header(record, "attent-reason", bad->reason);
    check_header(record, "__connect.errors.topic", field_topic(&c->field, bad->topic));
    check_header(record, "__connect.errors.partition",
                 arena_format(c->arena, "%d", (int)bad_partition(bad)).data);
    ck_assert(record_header(record, STR("__connect.errors.offset")).len != 0);
    ck_assert(record_header(record, STR("__connect.errors.exception.message")).len != 0);
    ck_assert(str_equal(record->value, bad_value(c, bad)));
    ck_assert_int_eq(record->timestamp_ms, company_at("2025-01-07T09:00:00+01:00"));
}

START_TEST(bad_records_go_to_the_dead_letters_and_what_is_behind_them_flows)
{
    struct company c;
    size_t in_crm = 0, in_billing = 0;

    company_open(&c, "bad", kafka, "time: log\n");
    for (int i = 0; i < BAD_COUNT; i++) {
        send_bad(&c, &bad_records[i], i);
        if (strcmp(bad_records[i].topic, "crm") == 0) /* waits: nothing is held up */
            company_tell(&c, "crm", FIELD_STRUCTURED, "zoe", "2025-01-07T09:00:00+01:00",
                         "customer.updated", "{\"country\":\"NL\"}");
        else
            company_bill(&c, "zoe", "2025-01-07T09:00:00+01:00", "payment.missed", "1");
    }
    for (int i = 0; i < BAD_COUNT; i++)
        check_dead_letter(&c, &bad_records[i], i,
                          strcmp(bad_records[i].topic, "crm") == 0 ? in_crm++ : in_billing++);
    company_end(&c);
    ck_assert_uint_eq(company_count(&c, "crm.dlq"), in_crm);
    ck_assert_uint_eq(company_count(&c, "billing.dlq"), in_billing);
    company_close(&c);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {bad_records_go_to_the_dead_letters_and_what_is_behind_them_flows};

    return suite_run_with("dead_letters", tests, sizeof tests / sizeof tests[0], 180, start_kafka,
                          stop_kafka);
}
