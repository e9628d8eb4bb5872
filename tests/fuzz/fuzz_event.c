/* A source record of any bytes: an event that decide can read, or a dead letter; nothing else.
 *
 * The first byte chooses the mode.  In binary mode the bytes up to each newline are the attributes
 * in order; the rest is the value. */
#include "core/check.h"
#include "core/limit.h"
#include "processors/ingest/convert.h"

static const int64_t now_ms = 1772442000000;

static struct ingest_config *config_once(void)
{
    static const struct event_type_file files[] = {
        {"t.json", STR("{\"properties\":{\"a\":{\"type\":\"number\"},\"b\":{\"format\":"
                       "\"date-time\"},\"c\":{\"pattern\":\"^(a|b)*c$\"}}}")}};
    static struct ingest_config config = {.events_topic = "attent.events"};
    static struct diags diags;

    if (config.types == NULL)
        config.types = event_types_read(files, 1, arena_new(0), &diags);
    CHECK(config.types != NULL);
    return &config;
}

static const struct event_reader *reader_once(void)
{
    static struct event_reader *reader;

    if (reader == NULL) {
        reader = event_reader_new();
        event_reader_add(reader, STR("t"), STR("/a"), 0);
        event_reader_add(reader, STR("t"), STR("/b"), 1);
    }
    return reader;
}

static size_t cut_headers(struct str *rest, struct header headers[9])
{
    static const char *const names[] = {"ce_specversion", "ce_id",       "ce_source",
                                        "ce_type",        "ce_subject",  "ce_time",
                                        "content-type",   "traceparent", "ce_partitionkey"};
    size_t count = 0;
    struct str line;

    while (count < 9 && str_cut(*rest, '\n', &line, rest)) {
        headers[count] = (struct header){str_of(names[count]), line};
        count++;
    }
    return count;
}

/* What ingest wrote, decide can read; and reading whole and in part agree. */
static void check_event(const struct record *record, struct arena *arena)
{
    struct value fields[2] = {VALUE_NONE, VALUE_NONE}, a;
    struct event event, whole;
    struct err err;
    bool listened;

    CHECK(record->key.len > 0 && record->key.len <= LIMIT_SUBJECT_BYTES);
    CHECK(record->timestamp_ms <= now_ms + 60000);
    CHECK(event_read(reader_once(), record, arena, &event, fields, &listened, &err) == EVENT_FINE);
    CHECK(event_read_whole(record, arena, &whole, &err) == EVENT_FINE);
    CHECK(listened && str_is(event.type, "t") && str_equal(event.id, whole.id));
    CHECK(event.time_ms == whole.time_ms && event.time_ms <= record->timestamp_ms);
    a = value_map_get(whole.data_value, STR("a"));
    CHECK(a.kind == VALUE_NULL || value_same(a, fields[0]));
}

static void check_letter(const struct ingest_source *source, const struct record *record,
                         enum event_fault fault, const struct err *err, struct arena *arena)
{
    struct record letter =
        ingest_dead_letter(source, record, fault, err, now_ms, LIMIT_DEAD_LETTER_BYTES, arena);

    CHECK(str_equal(letter.value, record->value) && str_equal(letter.key, record->key));
    CHECK(str_is(record_header(&letter, STR("attent-reason")), event_fault_code(fault)));
    CHECK(str_is_utf8(record_header(&letter, STR("__connect.errors.exception.message"))));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct ingest_source source = {
        .topic = "s", .dlq_topic = "s.dlq", .format = &cloudevents_format};
    struct arena *arena = arena_new(0);
    struct header headers[9];
    struct record record = {.topic = STR("s"), .timestamp_ms = now_ms + 1000, .key = STR("k")};
    struct str rest = {(const char *)data, bytes};
    struct converted out;
    struct err err = {0};

    if (bytes > 0 && data[0] == 'b') {
        rest = str_slice(rest, 1, bytes);
        record.headers = headers;
        record.header_count = cut_headers(&rest, headers);
    } else if (bytes > 0 && data[0] == 'm') {
        rest = str_slice(rest, 1, bytes);
        source.format = &json_format;
        source.mapping.id = mapping_origin_of(STR("/id"));
        source.mapping.type = mapping_origin_of(STR("t"));
        source.mapping.time = mapping_origin_of(STR("/time"));
        source.mapping.subject = mapping_origin_of(STR("/who/0"));
    }
    record.value = rest;
    out = ingest_convert(config_once(), &source, &record, now_ms, arena, &err);
    if (out.fault == EVENT_FINE)
        check_event(&out.record, arena);
    else
        check_letter(&source, &record, out.fault, &err, arena);
    arena_free(arena);
    return 0;
}
