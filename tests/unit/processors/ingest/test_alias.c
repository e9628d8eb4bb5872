/* Which way an event goes: by its customer, or by an alias; and the bindings beside it. */
#include "processors/ingest/convert.h"
#include "schemas/binding.h"
#include "tests/support/suite.h"

#define NOW_MS 1772442000000 /* 2026-03-02T09:00:00Z */

static struct arena *arena;
static struct ingest_config config;
static struct err err;
static struct converted out;

static struct alias_kind kinds[] = {
    {.name = {"phone", 5}, .form = ALIAS_PHONE},
    {.name = {"vin", 3}, .form = ALIAS_UPPER},
};
static struct alias_field vin = {1, {"/vin", 4}}, phone = {0, {"/owner/phone", 12}};
static struct alias_use uses[] = {
    {.type = {"car.moved", 9}, .looks_up = {&vin, 1}, .binds = {&phone, 1}},
    {.type = {"car.sold", 8}, .unbinds = {&vin, 1}},
    {.type = {"car.taken", 9}, .binds = {&vin, 1}},
};
static const struct identity identity = {kinds, 2, uses, 3};

static void set_up(void)
{
    static const struct event_type_file files[] = {
        {"car.moved.json", STR("{}")},       {"car.sold.json", STR("{}")},
        {"car.taken.json", STR("{}")},       {"order.placed.json", STR("{}")},
        {"customer.erased.json", STR("{}")}, {"customer.merged.json", STR("{}")},
    };
    static struct diags diags;

    arena = arena_new(0);
    config = (struct ingest_config){.events_topic = "attent.events",
                                    .identify_topic = "attent.identify",
                                    .identity = &identity,
                                    .types = event_types_read(files, 6, arena, &diags)};
    ck_assert_ptr_nonnull(config.types);
}

static void tear_down(void)
{
    arena_free(arena);
}

static enum event_fault convert(const char *type, const char *subject, const char *data)
{
    static const struct ingest_source source = {
        .topic = "cars", .dlq_topic = "cars.dlq", .format = &cloudevents_format};
    struct record record = {.topic = STR("cars"),
                            .partition = 3,
                            .offset = 41,
                            .timestamp_ms = NOW_MS - 5000,
                            .key = STR("k")};

    record.value =
        arena_format(arena,
                     "{\"specversion\":\"1.0\",\"id\":\"e1\",\"source\":\"/cars\","
                     "\"type\":\"%s\",\"time\":\"2026-03-02T08:00:00Z\"%s%s%s,\"data\":%s}",
                     type, subject[0] != '\0' ? ",\"subject\":\"" : "", subject,
                     subject[0] != '\0' ? "\"" : "", data);
    err = (struct err){0};
    out = ingest_convert(&config, &source, &record, NOW_MS, arena, &err);
    return out.fault;
}

static bool is(const struct record *record, const char *topic, const char *key, const char *kind)
{
    return str_is(record->topic, topic) && str_is(record->key, key) &&
           str_is(record_header(record, STR(IDENTIFY_HEADER)), kind);
}

START_TEST(an_event_without_a_customer_goes_by_its_alias)
{
    ck_assert_int_eq(convert("car.moved", "", "{\"vin\":\"yv1\"}"), EVENT_FINE);
    ck_assert(is(&out.record, "attent.identify", "vin:YV1", "event"));
    ck_assert(str_is(record_header(&out.record, STR(ORIGIN_HEADER)), "cars/3/41"));
    ck_assert(str_is(record_header(&out.record, STR("ce_id")), "e1"));
    ck_assert_ptr_null(record_header(&out.record, STR("ce_subject")).data);
    ck_assert(str_is(out.record.value, "{\"vin\":\"yv1\"}"));
    ck_assert_uint_eq(out.more_count, 0);
}
END_TEST

START_TEST(an_event_that_binds_goes_to_its_customer_and_tells_of_the_alias)
{
    ck_assert_int_eq(convert("car.taken", "c-1", "{\"vin\":\"yv1\"}"), EVENT_FINE);
    ck_assert(is(&out.record, "attent.events", "c-1", ""));
    ck_assert_uint_eq(out.more_count, 1);
    ck_assert(is(&out.more[0], "attent.identify", "vin:YV1", "bind"));
    ck_assert(str_is(out.more[0].value, "{\"customer\":\"c-1\",\"at\":\"2026-03-02T08:00:00Z\"}"));
    ck_assert_int_eq(out.more[0].timestamp_ms, NOW_MS - 5000);
}
END_TEST

START_TEST(what_binds_can_be_looked_up_by_when_no_customer_is_named)
{
    ck_assert_int_eq(convert("car.taken", "", "{\"vin\":\"yv1\"}"), EVENT_FINE);
    ck_assert(is(&out.record, "attent.identify", "vin:YV1", "event"));
    ck_assert_int_eq(convert("car.moved", "", "{\"owner\":{\"phone\":\"+31612345678\"}}"),
                     EVENT_FINE);
    ck_assert(is(&out.record, "attent.identify", "phone:+31612345678", "event"));
}
END_TEST

START_TEST(who_gives_a_car_away_is_told_with_and_without_a_name)
{
    ck_assert_int_eq(convert("car.sold", "c-1", "{\"vin\":\"yv1\"}"), EVENT_FINE);
    ck_assert(is(&out.record, "attent.events", "c-1", ""));
    ck_assert_uint_eq(out.more_count, 1);
    ck_assert(is(&out.more[0], "attent.identify", "vin:YV1", "unbind"));
    ck_assert_int_eq(convert("car.sold", "", "{\"vin\":\"yv1\"}"), EVENT_FINE);
    ck_assert(is(&out.record, "attent.identify", "vin:YV1", "last-event"));
}
END_TEST

START_TEST(what_names_nobody_goes_to_the_dead_letters)
{
    ck_assert_int_eq(convert("order.placed", "", "{\"vin\":\"yv1\"}"), EVENT_NO_SUBJECT);
    ck_assert_int_eq(convert("car.moved", "", "{\"vin\":null}"), EVENT_NO_SUBJECT);
    ck_assert(strstr(err.text, "no alias that identity.yaml knows") != NULL);
    ck_assert_int_eq(convert("car.moved", "", "{\"vin\":[1]}"), EVENT_BAD_ALIAS);
    ck_assert_int_eq(
        convert("car.moved", "", "{\"vin\":\"\",\"owner\":{\"phone\":\"+31612345678\"}}"),
        EVENT_FINE); /* the next one that is there */
    config.identity = NULL;
    ck_assert_int_eq(convert("car.moved", "", "{\"vin\":\"yv1\"}"), EVENT_NO_SUBJECT);
}
END_TEST

START_TEST(a_binding_without_an_alias_is_left_out_and_counted)
{
    ck_assert_int_eq(convert("car.taken", "c-1", "{\"vin\":\"\"}"), EVENT_FINE);
    ck_assert(is(&out.record, "attent.events", "c-1", ""));
    ck_assert(out.more_count == 0 && out.bad_aliases == 1);
    ck_assert_int_eq(convert("car.taken", "c-1", "{}"), EVENT_FINE);
    ck_assert(out.more_count == 0 && out.bad_aliases == 0);
}
END_TEST

/* It does not say who. */
static const char *key_of_c1(void)
{
    return binding_customer_key(STR("c-1"), arena).data;
}

START_TEST(who_is_gone_is_told_to_the_aliases)
{
    ck_assert_int_eq(convert("customer.erased", "c-1", "{}"), EVENT_FINE);
    ck_assert(is(&out.record, "attent.events", "c-1", ""));
    ck_assert_uint_eq(out.more_count, 1);
    ck_assert(is(&out.more[0], "attent.identify", key_of_c1(), "erased"));
    ck_assert_int_eq(convert("customer.merged", "c-2", "{\"from\":\"c-1\",\"into\":\"c-2\"}"),
                     EVENT_FINE);
    ck_assert(is(&out.more[0], "attent.identify", key_of_c1(), "merged"));
    ck_assert(str_is(out.more[0].value,
                     "{\"customer\":\"c-1\",\"to\":\"c-2\",\"at\":\"2026-03-02T08:00:00Z\"}"));
}
END_TEST

SUITE_MAIN_AROUND("alias", set_up, tear_down, an_event_without_a_customer_goes_by_its_alias,
                  an_event_that_binds_goes_to_its_customer_and_tells_of_the_alias,
                  what_binds_can_be_looked_up_by_when_no_customer_is_named,
                  who_gives_a_car_away_is_told_with_and_without_a_name,
                  what_names_nobody_goes_to_the_dead_letters,
                  a_binding_without_an_alias_is_left_out_and_counted,
                  who_is_gone_is_told_to_the_aliases)
