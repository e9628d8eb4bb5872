#include <stdio.h>
#include <stdlib.h>

#include "core/file.h"
#include "core/limit.h"
#include "processors/ingest/convert.h"
#include "tests/support/mmdb_writer.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"

#define NOW_MS 1772442000000 /* 2026-03-02T09:00:00Z */
#define TRACE  "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static struct arena *arena;
static struct ingest_config config;
static struct err err;

static const struct ingest_source clouds = {
    .topic = "crm", .dlq_topic = "crm.dlq", .format = &cloudevents_format};
static struct ingest_source mapped = {
    .topic = "orders",
    .dlq_topic = "orders.dlq",
    .format = &json_format,
    .mapping = {.id = {MAPPING_POINTER, {"/no", 3}},
                .type = {MAPPING_CONSTANT, {"order.placed", 12}},
                .time = {MAPPING_POINTER, {"/when", 5}},
                .subject = {MAPPING_POINTER, {"/customer/id", 12}}},
};

static void start(void)
{
    static const struct event_type_file files[] = {
        {"order.placed.json",
         STR("{\"type\":\"object\",\"required\":[\"amount\"],\"properties\":{\"amount\":{\"type\":"
             "\"number\",\"minimum\":0}}}")},
    };
    static struct diags diags;

    arena = arena_new(0);
    config = (struct ingest_config){.events_topic = "attent.events",
                                    .types = event_types_read(files, 1, arena, &diags)};
    ck_assert_ptr_nonnull(config.types);
}

static struct record record_of(const char *value)
{
    if (arena == NULL)
        start();
    return (struct record){.topic = STR("crm"),
                           .partition = 3,
                           .offset = 41,
                           .timestamp_ms = NOW_MS - 5000,
                           .key = STR("k"),
                           .value = str_of(value)};
}

static struct converted convert(const struct ingest_source *source, struct record record)
{
    err = (struct err){0};
    return ingest_convert(&config, source, &record, NOW_MS, arena, &err);
}

static bool header_is(const struct record *record, const char *name, const char *value)
{
    struct str found = record_header(record, str_of(name));

    if (!str_is(found, value))
        fprintf(stderr, "%s: %.*s\n", name, STR_ARG(found));
    return str_is(found, value);
}

#define ENVELOPE(type, rest)                                                                       \
    "{\"specversion\":\"1.0\",\"id\":\"e1\",\"source\":\"/crm\",\"type\":\"" type "\"" rest "}"
#define GOOD ENVELOPE("order.placed", ",\"subject\":\"c1\",\"data\":{\"b\":1,\"amount\":12.50}")

/* A round counts by type, and drops the arena now and then. */
START_TEST(the_type_that_is_counted_outlives_the_record)
{
    char text[] = GOOD;
    struct converted out = convert(&clouds, record_of(text));

    memset(text, 'x', sizeof text - 1);
    ck_assert(str_is(out.type, "order.placed"));
    ck_assert_ptr_eq(out.type.data, event_types_name(config.types, 0).data);
}
END_TEST

START_TEST(an_event_goes_out_in_binary_mode_keyed_by_its_customer)
{
    const struct header trace = {STR("traceparent"), STR(TRACE)};
    struct record in = record_of(GOOD);
    struct converted out;

    in.headers = &trace;
    in.header_count = 1;
    out = convert(&clouds, in);
    ck_assert_int_eq(out.fault, EVENT_FINE);
    ck_assert(str_is(out.record.topic, "attent.events"));
    ck_assert_int_eq(out.record.partition, -1);
    ck_assert(str_is(out.record.key, "c1"));
    ck_assert(str_is(out.record.value, "{\"b\":1,\"amount\":12.5}"));
    ck_assert_int_eq(out.record.timestamp_ms, NOW_MS - 5000);
    ck_assert(header_is(&out.record, "ce_specversion", "1.0"));
    ck_assert(header_is(&out.record, "ce_id", "e1"));
    ck_assert(header_is(&out.record, "ce_source", "/crm"));
    ck_assert(header_is(&out.record, "ce_type", "order.placed"));
    ck_assert(header_is(&out.record, "ce_subject", "c1"));
    ck_assert(header_is(&out.record, "ce_partitionkey", "c1"));
    ck_assert(header_is(&out.record, "ce_time", "2026-03-02T08:59:55Z"));
    ck_assert(header_is(&out.record, "traceparent", TRACE));
    ck_assert(header_is(&out.record, "content-type", "application/json"));
    arena_free(arena);
}
END_TEST

START_TEST(data_in_binary_mode_stays_as_it_was_written)
{
    const struct header headers[] = {{STR("ce_specversion"), STR("1.0")},
                                     {STR("ce_id"), STR("e1")},
                                     {STR("ce_source"), STR("/crm")},
                                     {STR("ce_type"), STR("order.placed")},
                                     {STR("ce_subject"), STR("c1")}};
    struct record in = record_of("{ \"b\":1, \"amount\":12.50 }");
    struct converted out;

    in.headers = headers;
    in.header_count = 5;
    out = convert(&clouds, in);
    ck_assert_int_eq(out.fault, EVENT_FINE);
    ck_assert(str_equal(out.record.value, in.value));
    arena_free(arena);
}
END_TEST

START_TEST(a_timestamp_is_never_more_than_a_minute_ahead)
{
    struct record in = record_of(GOOD);

    in.timestamp_ms = NOW_MS + 3600000;
    ck_assert_int_eq(convert(&clouds, in).record.timestamp_ms, NOW_MS + 60000);
    in.timestamp_ms = INT64_MAX;
    ck_assert_int_eq(convert(&clouds, in).record.timestamp_ms, NOW_MS + 60000);
    in.timestamp_ms = NOW_MS + 59999;
    ck_assert_int_eq(convert(&clouds, in).record.timestamp_ms, NOW_MS + 59999);
    in.timestamp_ms = -1; /* it has none */
    ck_assert_int_eq(convert(&clouds, in).record.timestamp_ms, NOW_MS);
    arena_free(arena);
}
END_TEST

START_TEST(a_time_in_the_future_is_passed_on_and_counted)
{
    struct converted out = convert(
        &clouds, record_of(ENVELOPE("order.placed", ",\"subject\":\"c1\",\"time\":\"2026-03-02T"
                                                    "12:00:00Z\",\"data\":{\"amount\":1}")));

    ck_assert(out.time_corrected);
    ck_assert(header_is(&out.record, "ce_time", "2026-03-02T12:00:00Z"));
    arena_free(arena);
}
END_TEST

START_TEST(each_thing_that_is_wrong_has_its_reason)
{
    static const struct {
        const char *value;
        enum event_fault fault;
    } cases[] = {
        {"", EVENT_EMPTY},
        {"<order/>", EVENT_BAD_JSON},
        {"{\"id\":\"\xc3\"}", EVENT_BAD_UTF8},
        {"{\"data\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", EVENT_TOO_DEEP},
        {"{\"type\":\"order.placed\"}", EVENT_MISSING_ATTRIBUTE},
        {"{\"specversion\":\"1.0\",\"id\":7,\"source\":\"s\",\"type\":\"t\"}", EVENT_BAD_ATTRIBUTE},
        {ENVELOPE("order.lost", ",\"subject\":\"c1\",\"data\":{}"), EVENT_UNKNOWN_TYPE},
        {ENVELOPE("order.placed", ",\"data\":{\"amount\":1}"), EVENT_NO_SUBJECT},
        {ENVELOPE("order.placed", ",\"subject\":\"\",\"data\":{\"amount\":1}"),
         EVENT_BAD_ATTRIBUTE},
        {ENVELOPE("order.placed", ",\"subject\":\"c1\",\"data\":{\"amount\":\"1\"}"),
         EVENT_INVALID_DATA},
        {ENVELOPE("order.placed", ",\"subject\":\"c1\",\"data\":{\"amount\":-1}"),
         EVENT_INVALID_DATA},
        {ENVELOPE("order.placed", ",\"subject\":\"c1\",\"data\":\"text\""), EVENT_NOT_AN_OBJECT},
        {ENVELOPE("order.placed", ",\"subject\":\"c1\",\"data\":null"), EVENT_NOT_AN_OBJECT},
        {ENVELOPE("order.placed",
                  ",\"subject\":\"c1\",\"datacontenttype\":\"text/xml\",\"data\":\"<a/>\""),
         EVENT_NOT_AN_OBJECT},
        {ENVELOPE("order.placed", ",\"subject\":\"c1\",\"data_base64\":\"AAAA\""),
         EVENT_NOT_AN_OBJECT},
        {ENVELOPE("order.placed", ",\"subject\":\"c1\",\"time\":\"0000-01-01T00:00:00Z\""),
         EVENT_BAD_ATTRIBUTE},
        {ENVELOPE("order.placed", ",\"subject\":\"c1\""), EVENT_INVALID_DATA},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct converted out = convert(&clouds, record_of(cases[i].value));
        ck_assert_msg(out.fault == cases[i].fault, "%s: %s", cases[i].value,
                      event_fault_code(out.fault));
        ck_assert_str_ne(err.text, "");
    }
    arena_free(arena);
}
END_TEST

START_TEST(an_event_beyond_the_limit_is_too_large_before_and_after)
{
    struct buf text = {0};

    buf_put_text(&text, "{\"specversion\":\"1.0\",\"id\":\"e1\",\"source\":\"s\",\"type\":"
                        "\"order.placed\",\"subject\":\"c1\",\"data\":{\"amount\":1,\"x\":[1");
    for (int i = 0; i < 40000; i++)
        buf_put_text(&text, ",1e14"); /* 17 characters when written out */
    buf_put_text(&text, "]}}");
    ck_assert_uint_lt(text.len, LIMIT_EVENT_BYTES);
    ck_assert_int_eq(convert(&clouds, record_of(buf_text(&text))).fault, EVENT_TOO_LARGE);
    for (int i = 0; i < 40000; i++)
        buf_put_text(&text, "     ");
    ck_assert_int_eq(convert(&clouds, record_of(buf_text(&text))).fault, EVENT_TOO_LARGE);
    buf_free(&text);
    arena_free(arena);
}
END_TEST

#define ORDER                                                                                      \
    "{\"no\":17,\"when\":\"2026-03-02T08:00:00Z\",\"customer\":{\"id\":\"c1\"},\"amount\":1}"

START_TEST(plain_json_becomes_an_event_by_its_mapping)
{
    struct converted out = convert(&mapped, record_of(ORDER));

    ck_assert_int_eq(out.fault, EVENT_FINE);
    ck_assert(str_is(out.record.key, "c1"));
    ck_assert(header_is(&out.record, "ce_id", "17"));
    ck_assert(header_is(&out.record, "ce_type", "order.placed"));
    ck_assert(header_is(&out.record, "ce_source", "crm")); /* the record's topic */
    ck_assert(header_is(&out.record, "ce_time", "2026-03-02T08:00:00Z"));
    ck_assert(str_is(out.record.value, ORDER));
    arena_free(arena);
}
END_TEST

START_TEST(a_mapping_does_without_id_time_and_subject)
{
    struct ingest_source source = mapped;
    struct converted out;

    source.mapping.id = source.mapping.time = source.mapping.subject = mapping_origin_of(STR(""));
    source.mapping.data = mapping_origin_of(STR("/order"));
    source.mapping.source = STR("/shop");
    out = convert(&source, record_of("{\"order\":{\"amount\":2}}"));
    ck_assert_int_eq(out.fault, EVENT_FINE);
    ck_assert(str_is(out.record.key, "k"));
    ck_assert(header_is(&out.record, "ce_id", "crm/3/41"));
    ck_assert(header_is(&out.record, "ce_source", "/shop"));
    ck_assert(header_is(&out.record, "ce_time", "2026-03-02T08:59:55Z"));
    ck_assert(str_is(out.record.value, "{\"amount\":2}"));
    arena_free(arena);
}
END_TEST

START_TEST(a_mapping_takes_milliseconds_and_a_type_from_the_record)
{
    struct ingest_source source = mapped;
    struct converted out;

    source.mapping.type = mapping_origin_of(STR("/kind"));
    out = convert(&source, record_of("{\"no\":\"n\",\"kind\":\"order.placed\",\"customer\":{\"id\":"
                                     "8},\"when\":1772438400000,\"amount\":1}"));
    ck_assert_int_eq(out.fault, EVENT_FINE);
    ck_assert(str_is(out.record.key, "8"));
    ck_assert(header_is(&out.record, "ce_time", "2026-03-02T08:00:00Z"));
    arena_free(arena);
}
END_TEST

START_TEST(plain_json_that_lacks_something_has_its_reason)
{
    static const struct {
        const char *value;
        enum event_fault fault;
    } cases[] = {
        {"", EVENT_EMPTY},
        {"{", EVENT_BAD_JSON},
        {"7", EVENT_NOT_MAPPED},
        {"{\"when\":0,\"customer\":{\"id\":\"c1\"}}", EVENT_NOT_MAPPED},
        {"{\"no\":1,\"customer\":{\"id\":\"c1\"}}", EVENT_NOT_MAPPED},
        {"{\"no\":1,\"when\":0,\"amount\":1}", EVENT_NO_SUBJECT},
        {"{\"no\":1,\"when\":0,\"customer\":{\"id\":\"\"},\"amount\":1}", EVENT_NO_SUBJECT},
        {"{\"no\":true,\"when\":0,\"customer\":{\"id\":\"c1\"}}", EVENT_BAD_ATTRIBUTE},
        {"{\"no\":1,\"when\":1.5,\"customer\":{\"id\":\"c1\"}}", EVENT_BAD_ATTRIBUTE},
        {"{\"no\":1,\"when\":9223372036854775807,\"customer\":{\"id\":\"c1\"}}",
         EVENT_BAD_ATTRIBUTE},
        {"{\"no\":1,\"when\":\"soon\",\"customer\":{\"id\":\"c1\"}}", EVENT_BAD_ATTRIBUTE},
        {"{\"no\":1,\"when\":0,\"customer\":{\"id\":\"a\\tb\"}}", EVENT_BAD_ATTRIBUTE},
        {"{\"no\":1,\"when\":0,\"customer\":{\"id\":\"c1\"}}", EVENT_INVALID_DATA},
    };
    struct ingest_source source = mapped;
    struct record keyless = record_of(ORDER);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct converted out = convert(&mapped, record_of(cases[i].value));
        ck_assert_msg(out.fault == cases[i].fault, "%s: %s", cases[i].value,
                      event_fault_code(out.fault));
    }
    source.mapping.subject = mapping_origin_of(STR_EMPTY);
    keyless.key = STR_EMPTY;
    ck_assert_int_eq(convert(&source, keyless).fault, EVENT_NO_SUBJECT);
    keyless.key = STR("\xff");
    ck_assert_int_eq(convert(&source, keyless).fault, EVENT_BAD_UTF8);
    arena_free(arena);
}
END_TEST

START_TEST(a_record_without_value_goes_the_way_of_its_source)
{
    struct ingest_source source = clouds;
    struct record in = record_of(NULL);
    struct converted out;

    ck_assert_int_eq(convert(&source, in).fault, EVENT_EMPTY);
    source.tombstone = TOMBSTONE_IGNORE;
    out = convert(&source, in);
    ck_assert(out.fault == EVENT_FINE && out.ignored);
    in.value = STR(""); /* a value without bytes is none to leave out */
    ck_assert_int_eq(convert(&source, in).fault, EVENT_EMPTY);
    in.value = STR_EMPTY;
    source.tombstone = TOMBSTONE_ERASE;
    ck_assert_int_eq(convert(&source, in).fault, EVENT_UNKNOWN_TYPE); /* of these types */
    in.key = STR_EMPTY;
    ck_assert_int_eq(convert(&source, in).fault, EVENT_NO_SUBJECT);
    arena_free(arena);
}
END_TEST

START_TEST(a_tombstone_erases_the_customer_of_its_key)
{
    static const struct event_type_file files[] = {{"customer.erased.json", STR("{}")}};
    static struct diags diags;
    struct ingest_source source = mapped;
    struct record in = record_of(NULL);
    struct converted out;

    config.types = event_types_read(files, 1, arena, &diags);
    source.tombstone = TOMBSTONE_ERASE;
    out = convert(&source, in);
    ck_assert_int_eq(out.fault, EVENT_FINE);
    ck_assert(str_is(out.type, "customer.erased"));
    ck_assert(str_is(out.record.key, "k"));
    ck_assert(str_is(out.record.value, "{}"));
    ck_assert(header_is(&out.record, "ce_type", "customer.erased"));
    ck_assert(header_is(&out.record, "ce_subject", "k"));
    ck_assert(header_is(&out.record, "ce_id", "crm/3/41"));
    arena_free(arena);
}
END_TEST

static struct record letter_of(const struct record *record, size_t bytes_max)
{
    err_set(&err, ERR_PARSE, "line 1 column 2: something");
    return ingest_dead_letter(&clouds, record, EVENT_BAD_JSON, &err, NOW_MS, bytes_max, arena);
}

START_TEST(a_dead_letter_is_untouched_and_says_why)
{
    const struct header own = {STR("x"), STR("y")};
    struct record in = record_of("{"), letter;

    in.headers = &own;
    in.header_count = 1;
    letter = letter_of(&in, LIMIT_DEAD_LETTER_BYTES);
    ck_assert(str_is(letter.topic, "crm.dlq"));
    ck_assert(str_is(letter.key, "k") && str_is(letter.value, "{"));
    ck_assert_int_eq(letter.timestamp_ms, in.timestamp_ms);
    ck_assert_uint_eq(letter.header_count, 11);
    ck_assert(str_is(letter.headers[0].name, "x"));
    ck_assert(header_is(&letter, "__connect.errors.topic", "crm"));
    ck_assert(header_is(&letter, "__connect.errors.partition", "3"));
    ck_assert(header_is(&letter, "__connect.errors.offset", "41"));
    ck_assert(header_is(&letter, "__connect.errors.connector.name", "attent-ingest"));
    ck_assert(header_is(&letter, "__connect.errors.stage", "VALUE_CONVERTER"));
    ck_assert(header_is(&letter, "__connect.errors.exception.class.name", "attent.bad_json"));
    ck_assert(
        header_is(&letter, "__connect.errors.exception.message", "line 1 column 2: something"));
    ck_assert(header_is(&letter, "attent-reason", "bad_json"));
    arena_free(arena);
}
END_TEST

START_TEST(a_dead_letter_too_large_loses_its_value_and_then_all)
{
    struct header own = {STR("x"), STR("y")};
    struct record in = record_of(""), letter;
    char *large = malloc(2000);

    memset(large, 'a', 2000);
    in.headers = &own;
    in.header_count = 1;
    in.value = (struct str){large, 2000};
    letter = letter_of(&in, 1500);
    ck_assert_ptr_null(letter.value.data);
    ck_assert(str_is(letter.key, "k"));
    ck_assert(header_is(&letter, "attent-cut", "value"));
    ck_assert(header_is(&letter, "x", "y"));
    own.value = in.value;
    letter = letter_of(&in, 1500);
    ck_assert_uint_eq(letter.key.len + letter.value.len, 0);
    ck_assert(header_is(&letter, "attent-cut", "all"));
    ck_assert(header_is(&letter, "__connect.errors.offset", "41"));
    ck_assert(header_is(&letter, "x", ""));
    free(large);
    arena_free(arena);
}
END_TEST

START_TEST(a_timestamp_that_kafka_would_refuse_is_kept_in_a_header)
{
    struct record in = record_of("{"), letter;

    in.timestamp_ms = NOW_MS + 1800001;
    letter = letter_of(&in, LIMIT_DEAD_LETTER_BYTES);
    ck_assert_int_eq(letter.timestamp_ms, NOW_MS);
    ck_assert(header_is(&letter, "attent-timestamp", "1772443800001"));
    in.timestamp_ms = NOW_MS + 1800000;
    ck_assert_int_eq(letter_of(&in, LIMIT_DEAD_LETTER_BYTES).timestamp_ms, NOW_MS + 1800000);
    in.timestamp_ms = -1;
    ck_assert_int_eq(letter_of(&in, LIMIT_DEAD_LETTER_BYTES).timestamp_ms, NOW_MS);
    arena_free(arena);
}
END_TEST

START_TEST(a_mapping_without_a_type_is_a_mistake_of_the_configuration)
{
    struct ingest_source source = mapped;

    config.sources = &source;
    config.source_count = 1;
    ck_assert_int_eq(ingest_check_sources(&config, &err), ERR_NONE);
    source.mapping.type = (struct mapping_origin){MAPPING_NOTHING, STR_EMPTY};
    ck_assert_int_eq(ingest_check_sources(&config, &err), ERR_CONFIG);
    ck_assert_ptr_nonnull(strstr(err.text, "orders"));
    config.source_count = 0;
    ck_assert_int_eq(ingest_check_sources(&config, &err), ERR_CONFIG);
}
END_TEST

/* --- where an address is ------------------------------------------------------------------------- */

static void open_geo(void)
{
    struct mmdb_writer *w = mmdb_writer_new(6, 24);
    struct buf file = {0};
    const char *path = scratch_path(scratch_dir(), "geo.mmdb");

    mmdb_writer_add(w, "81.2.69.0/24",
                    "{\"country\":{\"iso_code\":\"NL\"},\"city\":{\"names\":{\"en\":\"Utrecht\"}},"
                    "\"location\":{\"time_zone\":\"Europe/Amsterdam\"}}");
    mmdb_writer_put(w, &file);
    mmdb_writer_free(w);
    start();
    ck_assert_int_eq(file_write(path, buf_str(&file), NULL), ERR_NONE);
    ck_assert_int_eq(geoip_open(path, &config.geo, NULL), ERR_NONE);
    buf_free(&file);
}

#define FROM(ip)                                                                                   \
    ENVELOPE("order.placed", GEO_ANYHOW ",\"data\":{\"amount\":1,\"web\":{\"ip\":" ip "}}")
#define GEO_ANYHOW ",\"subject\":\"c1\",\"geocountry\":\"XX\",\"geoplace\":\"said so\""

START_TEST(an_address_is_looked_up_and_goes_out_beside_the_data)
{
    struct ingest_source with_ip = clouds;
    struct converted out;

    open_geo();
    with_ip.ip = STR("/web/ip");
    out = convert(&with_ip, record_of(FROM("\"81.2.69.7\"")));
    ck_assert_int_eq(out.fault, EVENT_FINE);
    ck_assert(out.geo_asked);
    ck_assert_int_eq(out.geo, GEOIP_FOUND);
    ck_assert(header_is(&out.record, "ce_geocountry", "NL"));
    ck_assert(header_is(&out.record, "ce_geoplace", "Utrecht"));
    ck_assert(header_is(&out.record, "ce_geotimezone", "Europe/Amsterdam"));
    ck_assert(header_is(&out.record, "ce_geonetwork", "81.2.69.0/24"));
    ck_assert(str_is(out.record.value, "{\"amount\":1,\"web\":{\"ip\":\"81.2.69.7\"}}"));
    geoip_close(config.geo);
}
END_TEST

START_TEST(what_the_producer_says_of_it_counts_only_where_nothing_is_looked_up)
{
    static const struct {
        const char *envelope;
        bool asked;
        enum geoip_answer answer;
    } cases[] = {
        {FROM("\"10.0.0.1\""), true, GEOIP_PRIVATE},
        {FROM("\"81.2.70.1\""), true, GEOIP_UNKNOWN},
        {FROM("\"home\""), true, GEOIP_NO_ADDRESS},
        {FROM("7"), true, GEOIP_NO_ADDRESS},
        {FROM("[\"81.2.69.7\"]"), true, GEOIP_NO_ADDRESS},
        {FROM("null"), false, GEOIP_FOUND},
    };
    struct ingest_source with_ip = clouds;
    struct converted out;

    open_geo();
    with_ip.ip = STR("/web/ip");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        out = convert(&with_ip, record_of(cases[i].envelope));
        ck_assert_int_eq(out.fault, EVENT_FINE);
        ck_assert_int_eq(out.geo_asked, cases[i].asked);
        ck_assert_int_eq(out.geo, cases[i].answer);
        ck_assert(header_is(&out.record, "ce_geocountry", ""));
        ck_assert(header_is(&out.record, "ce_geoplace", ""));
    }
    out = convert(&clouds, record_of(cases[0].envelope));
    ck_assert(!out.geo_asked);
    ck_assert(header_is(&out.record, "ce_geocountry", "XX"));
    ck_assert(header_is(&out.record, "ce_geoplace", "said so"));
    geoip_close(config.geo);
}
END_TEST

START_TEST(an_address_without_a_database_is_an_error_of_the_configuration)
{
    struct ingest_source with_ip = clouds;

    start();
    with_ip.ip = STR("/web/ip");
    config.sources = &with_ip;
    config.source_count = 1;
    ck_assert_int_eq(ingest_check_sources(&config, &err), ERR_CONFIG);
    ck_assert_str_eq(err.text,
                     "ingest: crm has an `ip`, but there is no database to look it up in: "
                     "say geo.database");
    with_ip.ip = STR("web.ip");
    ck_assert_int_eq(ingest_check_sources(&config, &err), ERR_CONFIG);
    ck_assert_str_eq(err.text,
                     "ingest: `ip` of crm is \"web.ip\", but a JSON Pointer begins with /: "
                     "/web.ip");
}
END_TEST

SUITE_MAIN("convert", a_record_without_value_goes_the_way_of_its_source,
           a_tombstone_erases_the_customer_of_its_key,
           a_mapping_without_a_type_is_a_mistake_of_the_configuration,
           the_type_that_is_counted_outlives_the_record,
           an_event_goes_out_in_binary_mode_keyed_by_its_customer,
           data_in_binary_mode_stays_as_it_was_written,
           a_timestamp_is_never_more_than_a_minute_ahead,
           a_time_in_the_future_is_passed_on_and_counted, each_thing_that_is_wrong_has_its_reason,
           an_event_beyond_the_limit_is_too_large_before_and_after,
           plain_json_becomes_an_event_by_its_mapping, a_mapping_does_without_id_time_and_subject,
           a_mapping_takes_milliseconds_and_a_type_from_the_record,
           plain_json_that_lacks_something_has_its_reason, a_dead_letter_is_untouched_and_says_why,
           a_dead_letter_too_large_loses_its_value_and_then_all,
           a_timestamp_that_kafka_would_refuse_is_kept_in_a_header,
           an_address_is_looked_up_and_goes_out_beside_the_data,
           what_the_producer_says_of_it_counts_only_where_nothing_is_looked_up,
           an_address_without_a_database_is_an_error_of_the_configuration)
