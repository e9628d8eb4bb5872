#include <stdlib.h>

#include "core/limit.h"
#include "schemas/event.h"
#include "tests/support/suite.h"

#define NOW_MS 1772442000000 /* 2026-03-02T09:00:00Z */
#define TRACE  "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static struct arena *arena;
static struct err err;

static struct record record_of(const struct header *headers, size_t count, struct str value)
{
    arena = arena != NULL ? arena : arena_new(0);
    return (struct record){.topic = STR("crm"),
                           .timestamp_ms = NOW_MS,
                           .value = value,
                           .headers = headers,
                           .header_count = count};
}

static const struct header binary[] = {
    {{"ce_specversion", 14}, {"1.0", 3}},
    {{"ce_id", 5}, {"e1", 2}},
    {{"ce_source", 9}, {"/crm", 4}},
    {{"ce_type", 7}, {"order.placed", 12}},
    {{"ce_subject", 10}, {"c1", 2}},
    {{"ce_time", 7}, {"2026-03-02T08:59:00Z", 20}},
    {{"content-type", 12}, {"application/json; charset=utf-8", 31}},
    {{"traceparent", 11}, {TRACE, sizeof TRACE - 1}},
};
enum { BINARY = sizeof binary / sizeof binary[0] };

#define STRUCTURED                                                                                 \
    "{\"specversion\":\"1.0\",\"id\":\"e1\",\"source\":\"/crm\",\"type\":\"order.placed\","        \
    "\"subject\":\"c1\",\"time\":\"2026-03-02T08:59:00Z\",\"traceparent\":\"" TRACE "\","          \
    "\"data\":{\"amount\":12.5,\"order\":\"o1\"}}"
#define DATA "{\"amount\":12.5,\"order\":\"o1\"}"

static enum event_fault whole(struct record record, struct event *out)
{
    return event_read_whole(&record, arena, out, &err);
}

static void check_event(const struct event *e)
{
    ck_assert(str_is(e->id, "e1"));
    ck_assert(str_is(e->source, "/crm"));
    ck_assert(str_is(e->type, "order.placed"));
    ck_assert(str_is(e->subject, "c1"));
    ck_assert(str_is(e->traceparent, TRACE));
    ck_assert_int_eq(e->time_ms, NOW_MS - 60000);
    ck_assert(!e->time_corrected);
}

START_TEST(both_modes_give_the_same_event)
{
    const struct header cloud = {STR("content-type"),
                                 STR("application/cloudevents+json; charset=UTF-8")};
    struct event e, f, g;

    ck_assert_int_eq(whole(record_of(binary, BINARY, STR(DATA)), &e), EVENT_FINE);
    ck_assert_int_eq(whole(record_of(NULL, 0, STR(STRUCTURED)), &f), EVENT_FINE);
    ck_assert_int_eq(whole(record_of(&cloud, 1, STR(STRUCTURED)), &g), EVENT_FINE);
    check_event(&e);
    check_event(&f);
    check_event(&g);
    ck_assert(value_same(e.data_value, f.data_value));
    ck_assert(str_is(e.data, DATA));
    ck_assert_uint_eq(f.data.len, 0);
    arena_free(arena);
}
END_TEST

START_TEST(what_is_written_in_binary_mode_reads_back)
{
    struct event e = {.id = STR("x"),
                      .source = STR("/a"),
                      .type = STR("t"),
                      .subject = STR("c"),
                      .partition_key = STR("c"),
                      .schema = STR("https://x.example/s"),
                      .traceparent = STR(TRACE),
                      .time_ms = NOW_MS,
                      .time_cut_ms = 90000},
                 back;
    struct header *headers;
    struct record record = record_of(NULL, 0, STR("{}"));

    record.header_count = event_headers(&e, arena, &headers);
    record.headers = headers;
    ck_assert_uint_eq(record.header_count, 10);
    ck_assert(str_is(record_header(&record, STR("ce_time")), "2026-03-02T09:01:30Z"));
    ck_assert_int_eq(whole(record, &back), EVENT_FINE);
    ck_assert(str_equal(e.id, back.id) && str_equal(e.schema, back.schema));
    ck_assert(str_equal(e.partition_key, back.partition_key));
    ck_assert_int_eq(back.time_ms, NOW_MS);
    ck_assert_int_eq(back.time_cut_ms, 90000);
    ck_assert(back.time_corrected);
    arena_free(arena);
}
END_TEST

START_TEST(where_an_address_is_travels_with_the_event)
{
    static const char *const places[GEO_COUNT] = {"NL", "Den Haag", "Europe/Amsterdam",
                                                  "203.0.113.0/24"};
    struct header *headers;
    struct record record = record_of(binary, BINARY, STR("{}"));
    struct value fields[1] = {VALUE_NONE};
    struct event_reader *reader = event_reader_new();
    struct event e, back;
    bool listened;

    ck_assert_int_eq(whole(record, &e), EVENT_FINE);
    for (size_t i = 0; i < GEO_COUNT; i++) {
        ck_assert_uint_eq(e.geo[i].len, 0);
        e.geo[i] = str_of(places[i]);
    }
    record.header_count = event_headers(&e, arena, &headers);
    record.headers = headers;
    ck_assert(str_is(record_header(&record, STR("ce_geocountry")), "NL"));
    event_reader_listen(reader, STR("order.placed"));
    ck_assert_int_eq(event_read(reader, &record, arena, &back, fields, &listened, &err),
                     EVENT_FINE);
    for (size_t i = 0; i < GEO_COUNT; i++)
        ck_assert(str_is(back.geo[i], places[i]));
    record = record_of(NULL, 0,
                       STR("{\"specversion\":\"1.0\",\"id\":\"e\",\"source\":\"s\",\"type\":\"t\","
                           "\"geocountry\":\"BE\",\"geonetwork\":\"2001:db8::/32\"}"));
    ck_assert_int_eq(whole(record, &back), EVENT_FINE);
    ck_assert(str_is(back.geo[GEO_COUNTRY], "BE"));
    ck_assert(str_is(back.geo[GEO_NETWORK], "2001:db8::/32"));
    event_reader_free(reader);
}
END_TEST

START_TEST(a_time_later_than_its_record_is_cut)
{
    struct event e = {0};

    event_set_time(&e, NOW_MS + 60000, NOW_MS);
    ck_assert_int_eq(e.time_ms, NOW_MS);
    ck_assert(!e.time_corrected); /* not more than 60 s */
    event_set_time(&e, NOW_MS + 60001, NOW_MS);
    ck_assert_int_eq(e.time_ms, NOW_MS);
    ck_assert(e.time_corrected);
    event_set_time(&e, NOW_MS - 1, NOW_MS);
    ck_assert_int_eq(e.time_ms, NOW_MS - 1);
    ck_assert(!e.time_corrected);
}
END_TEST

START_TEST(an_event_without_time_has_its_records)
{
    struct event e;

    ck_assert_int_eq(whole(record_of(binary, 5, STR(DATA)), &e), EVENT_FINE);
    ck_assert_int_eq(e.time_ms, NOW_MS);
    arena_free(arena);
}
END_TEST

START_TEST(an_event_without_data_has_empty_data)
{
    struct event e;

    ck_assert_int_eq(whole(record_of(binary, BINARY, STR_EMPTY), &e), EVENT_FINE);
    ck_assert_int_eq(e.data_value.kind, VALUE_MAP);
    ck_assert_int_eq(whole(record_of(NULL, 0,
                                     STR("{\"specversion\":\"1.0\",\"id\":\"e\","
                                         "\"source\":\"s\",\"type\":\"t\"}")),
                           &e),
                     EVENT_FINE);
    ck_assert_int_eq(e.data_value.kind, VALUE_MAP);
    arena_free(arena);
}
END_TEST

START_TEST(an_envelope_that_is_no_event_has_a_fault)
{
#define ATTRIBUTES "\"specversion\":\"1.0\",\"id\":\"e\",\"source\":\"s\",\"type\":\"t\""
    static const struct {
        const char *value;
        enum event_fault fault;
    } cases[] = {
        {"", EVENT_EMPTY},
        {"{", EVENT_BAD_JSON},
        {"{\"id\":\"\xff\"}", EVENT_BAD_UTF8},
        {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", EVENT_TOO_DEEP},
        {"{}", EVENT_MISSING_ATTRIBUTE},
        {"7", EVENT_MISSING_ATTRIBUTE},
        {"{\"specversion\":\"1.0\",\"id\":\"\",\"source\":\"s\",\"type\":\"t\"}",
         EVENT_MISSING_ATTRIBUTE},
        {"{\"specversion\":\"0.3\",\"id\":\"e\",\"source\":\"s\",\"type\":\"t\"}",
         EVENT_BAD_ATTRIBUTE},
        {"{\"specversion\":1.0,\"id\":\"e\",\"source\":\"s\",\"type\":\"t\"}", EVENT_BAD_ATTRIBUTE},
        {"{" ATTRIBUTES ",\"time\":\"yesterday\"}", EVENT_BAD_ATTRIBUTE},
        {"{" ATTRIBUTES ",\"time\":\"9999-12-31T23:59:59-01:00\"}", EVENT_BAD_ATTRIBUTE},
        {"{" ATTRIBUTES ",\"time\":12}", EVENT_BAD_ATTRIBUTE},
        {"{" ATTRIBUTES ",\"subject\":\"a\\u0007b\"}", EVENT_BAD_ATTRIBUTE},
        {"{" ATTRIBUTES ",\"datacontenttype\":\"text/xml\"}", EVENT_BAD_ATTRIBUTE},
        {"{" ATTRIBUTES ",\"data_base64\":\"AAAA\"}", EVENT_BAD_ATTRIBUTE},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct event e;
        enum event_fault fault = whole(record_of(NULL, 0, str_of(cases[i].value)), &e);
        ck_assert_msg(fault == cases[i].fault, "%s: %s", cases[i].value, event_fault_code(fault));
        ck_assert_str_ne(err.text, "");
    }
    arena_free(arena);
}
END_TEST

static enum event_fault with_header(size_t at, const char *value, size_t bytes)
{
    struct header headers[BINARY];
    struct event e;

    memcpy(headers, binary, sizeof headers);
    headers[at].value = (struct str){value, bytes};
    return whole(record_of(headers, BINARY, STR(DATA)), &e);
}

START_TEST(headers_that_are_no_event_have_a_fault)
{
    static char longer[LIMIT_ID_BYTES + 1];
    struct event e;
    struct header avro = {STR("content-type"), STR("application/cloudevents+avro")};

    memset(longer, 'a', sizeof longer);
    ck_assert_int_eq(with_header(1, longer, LIMIT_ID_BYTES), EVENT_FINE);
    ck_assert_int_eq(with_header(1, longer, LIMIT_ID_BYTES + 1), EVENT_BAD_ATTRIBUTE);
    ck_assert_int_eq(with_header(1, NULL, 0), EVENT_MISSING_ATTRIBUTE);
    ck_assert_int_eq(with_header(3, "a\xff", 2), EVENT_BAD_UTF8);
    ck_assert_int_eq(with_header(4, "a\nb", 3), EVENT_BAD_ATTRIBUTE);
    ck_assert_int_eq(with_header(5, "now", 3), EVENT_BAD_ATTRIBUTE);
    ck_assert_int_eq(with_header(6, "text/plain", 10), EVENT_BAD_ATTRIBUTE);
    ck_assert_int_eq(whole(record_of(&avro, 1, STR(STRUCTURED)), &e), EVENT_BAD_ATTRIBUTE);
    ck_assert_int_eq(whole(record_of(binary, BINARY, STR("{\"a\":")), &e), EVENT_BAD_JSON);
    arena_free(arena);
}
END_TEST

START_TEST(a_trace_context_of_another_form_is_read_over)
{
    struct header headers[BINARY];
    struct event e;

    memcpy(headers, binary, sizeof headers);
    headers[7].value = STR("00-XYZ");
    ck_assert_int_eq(whole(record_of(headers, BINARY, STR(DATA)), &e), EVENT_FINE);
    ck_assert_uint_eq(e.traceparent.len, 0);
    arena_free(arena);
}
END_TEST

START_TEST(a_value_beyond_the_limit_is_not_looked_at)
{
    char *value = malloc(LIMIT_EVENT_BYTES + 1);
    struct event e;

    memset(value, ' ', LIMIT_EVENT_BYTES + 1);
    ck_assert_int_eq(whole(record_of(NULL, 0, (struct str){value, LIMIT_EVENT_BYTES + 1}), &e),
                     EVENT_TOO_LARGE);
    ck_assert_int_eq(whole(record_of(NULL, 0, (struct str){value, LIMIT_EVENT_BYTES}), &e),
                     EVENT_BAD_JSON);
    free(value);
    arena_free(arena);
}
END_TEST

static enum event_fault wanted(struct record record, struct event *out, struct value *fields,
                               bool *listened)
{
    struct event_reader *reader = event_reader_new();
    enum event_fault fault;

    event_reader_add(reader, STR("order.placed"), STR("/amount"), 0);
    event_reader_add(reader, STR("payment.missed"), STR("/amount"), 0);
    event_reader_add(reader, STR("order.placed"), STR("/missing"), 1);
    event_reader_listen(reader, STR("family.deceased"));
    fault = event_read(reader, &record, arena, out, fields, listened, &err);
    event_reader_free(reader);
    return fault;
}

START_TEST(only_the_wanted_fields_are_read_in_both_modes)
{
    struct event e;
    bool listened;

    for (int structured = 0; structured < 2; structured++) {
        struct value fields[2] = {VALUE_NONE, value_int(7)};
        struct record record =
            structured ? record_of(NULL, 0, STR(STRUCTURED)) : record_of(binary, BINARY, STR(DATA));
        ck_assert_int_eq(wanted(record, &e, fields, &listened), EVENT_FINE);
        ck_assert(listened);
        check_event(&e);
        ck_assert(value_same(fields[0], value_double(12.5)));
        ck_assert(value_same(fields[1], value_int(7))); /* untouched */
        ck_assert_int_eq(e.data_value.kind, VALUE_ABSENT);
    }
    arena_free(arena);
}
END_TEST

START_TEST(of_an_unknown_type_the_value_is_not_even_parsed)
{
    struct header headers[BINARY];
    struct value fields[2];
    struct event e;
    bool listened = true;

    memcpy(headers, binary, sizeof headers);
    headers[3].value = STR("web.page_viewed");
    ck_assert_int_eq(wanted(record_of(headers, BINARY, STR("not JSON")), &e, fields, &listened),
                     EVENT_FINE);
    ck_assert(!listened);
    ck_assert(str_is(e.type, "web.page_viewed"));
    headers[3].value = STR("family.deceased");
    ck_assert_int_eq(wanted(record_of(headers, BINARY, STR_EMPTY), &e, fields, &listened),
                     EVENT_FINE);
    ck_assert(listened);
    arena_free(arena);
}
END_TEST

START_TEST(a_wanted_event_that_is_broken_has_a_fault)
{
    struct value fields[2];
    struct event e;
    bool listened;

    ck_assert_int_eq(wanted(record_of(binary, BINARY, STR("{")), &e, fields, &listened),
                     EVENT_BAD_JSON);
    ck_assert_int_eq(wanted(record_of(NULL, 0, STR("{}")), &e, fields, &listened),
                     EVENT_MISSING_ATTRIBUTE);
    ck_assert_int_eq(wanted(record_of(NULL, 0, STR_EMPTY), &e, fields, &listened), EVENT_EMPTY);
    arena_free(arena);
}
END_TEST

static bool peeks(struct record record, const char *type)
{
    return str_is(event_peek_type(&record), type);
}

START_TEST(a_type_is_seen_at_a_glance_or_not_at_all)
{
    struct header other[] = {{STR("content-type"), STR("application/cloudevents+avro")}};

    ck_assert(peeks(record_of(binary, BINARY, STR("not JSON")), "order.placed"));
    ck_assert(peeks(record_of(NULL, 0, STR(STRUCTURED)), "order.placed"));
    ck_assert(peeks(record_of(NULL, 0, STR("{\"data\":{\"type\":1},\"type\":\"t\" and")), "t"));
    ck_assert(peeks(record_of(NULL, 0, STR("{\"type\":\"\\u0074\"}")), ""));
    ck_assert(peeks(record_of(NULL, 0, STR("{\"type\":7}")), ""));
    ck_assert(peeks(record_of(NULL, 0, STR("{\"id\":}")), ""));
    ck_assert(peeks(record_of(NULL, 0, STR("[]")), ""));
    ck_assert(peeks(record_of(NULL, 0, STR_EMPTY), ""));
    ck_assert(peeks(record_of(other, 1, STR("{\"type\":\"t\"}")), ""));
}
END_TEST

START_TEST(each_fault_has_a_code_and_a_sentence)
{
    ck_assert_str_eq(event_fault_code(EVENT_TOO_DEEP), "too_deep");
    for (unsigned i = 0; i < EVENT_FAULT_COUNT; i++)
        ck_assert_str_ne(event_fault_text((enum event_fault)i), "");
}
END_TEST

SUITE_MAIN("event", both_modes_give_the_same_event, what_is_written_in_binary_mode_reads_back,
           where_an_address_is_travels_with_the_event, a_time_later_than_its_record_is_cut,
           an_event_without_time_has_its_records, an_event_without_data_has_empty_data,
           an_envelope_that_is_no_event_has_a_fault, headers_that_are_no_event_have_a_fault,
           a_trace_context_of_another_form_is_read_over, a_value_beyond_the_limit_is_not_looked_at,
           only_the_wanted_fields_are_read_in_both_modes,
           of_an_unknown_type_the_value_is_not_even_parsed,
           a_wanted_event_that_is_broken_has_a_fault, a_type_is_seen_at_a_glance_or_not_at_all,
           each_fault_has_a_code_and_a_sentence)
