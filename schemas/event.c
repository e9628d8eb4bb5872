/* Both modes give the same attributes, as texts in one small array; from there on there is one
 * way.
 *
 *     binary       headers ce_id, ce_type ...  --.
 *                                                 +--> texts[ATTRIBUTES] --> struct event
 *     structured   /id, /type ... by projection -'
 *
 * A type that nobody listens to is left after one pass over the headers.
 */
#include "schemas/event.h"

#include <stdlib.h>

#include "core/check.h"
#include "core/json_scan.h"
#include "core/limit.h"
#include "core/mem.h"
#include "core/when.h"

/* --- faults -------------------------------------------------------------------------------------- */

static const struct {
    const char *code, *text;
} faults[EVENT_FAULT_COUNT] = {
#define FAULT(name, code, text) [EVENT_##name] = {code, text},
#include "schemas/event_faults.def"
#undef FAULT
};

const char *event_fault_code(enum event_fault fault)
{
    CHECK((unsigned)fault < EVENT_FAULT_COUNT);
    return faults[fault].code;
}

const char *event_fault_text(enum event_fault fault)
{
    CHECK((unsigned)fault < EVENT_FAULT_COUNT);
    return faults[fault].text;
}

enum event_fault event_fault_of_json(enum json_fault fault)
{
    switch (fault) {
    case JSON_FINE: return EVENT_FINE;
    case JSON_BROKEN: return EVENT_BAD_JSON;
    case JSON_BAD_UTF8: return EVENT_BAD_UTF8;
    case JSON_TOO_DEEP: return EVENT_TOO_DEEP;
    case JSON_BAD_NUMBER: return EVENT_BAD_NUMBER;
    }
    CHECK_NEVER("a fault that JSON does not have");
}

static enum event_fault bad_attribute(struct err *err, const char *name, const char *what)
{
    err_set(err, ERR_PARSE, "attribute %s %s", name, what);
    return EVENT_BAD_ATTRIBUTE;
}

/* --- attributes ---------------------------------------------------------------------------------- */

enum attribute {
    ATTRIBUTE_SPECVERSION,
    ATTRIBUTE_ID,
    ATTRIBUTE_SOURCE,
    ATTRIBUTE_TYPE,
    ATTRIBUTE_SUBJECT,
    ATTRIBUTE_TIME,
    ATTRIBUTE_CONTENT_TYPE,
    ATTRIBUTE_SCHEMA,
    ATTRIBUTE_PARTITION_KEY,
    ATTRIBUTE_TRACEPARENT,
    ATTRIBUTE_GEO, /* the first of GEO_COUNT */
    ATTRIBUTES = ATTRIBUTE_GEO + GEO_COUNT,
};

#define TEXT(literal)                                                                              \
    {                                                                                              \
        ("" literal), sizeof(literal) - 1                                                          \
    }

static const struct {
    const char *name;  /* in an envelope */
    struct str header; /* in binary mode */
    bool required;
    size_t bytes_max;
} attributes[ATTRIBUTES] = {
    [ATTRIBUTE_SPECVERSION] = {"specversion", TEXT("ce_specversion"), true, 8},
    [ATTRIBUTE_ID] = {"id", TEXT("ce_id"), true, LIMIT_ID_BYTES},
    [ATTRIBUTE_SOURCE] = {"source", TEXT("ce_source"), true, LIMIT_ID_BYTES},
    [ATTRIBUTE_TYPE] = {"type", TEXT("ce_type"), true, LIMIT_ID_BYTES},
    [ATTRIBUTE_SUBJECT] = {"subject", TEXT("ce_subject"), false, LIMIT_SUBJECT_BYTES},
    [ATTRIBUTE_TIME] = {"time", TEXT("ce_time"), false, 64},
    [ATTRIBUTE_CONTENT_TYPE] = {"datacontenttype", TEXT("content-type"), false, LIMIT_ID_BYTES},
    [ATTRIBUTE_SCHEMA] = {"dataschema", TEXT("ce_dataschema"), false, LIMIT_URI_BYTES},
    [ATTRIBUTE_PARTITION_KEY] = {"partitionkey", TEXT("ce_partitionkey"), false,
                                 LIMIT_SUBJECT_BYTES},
    [ATTRIBUTE_TRACEPARENT] = {"traceparent", TEXT("ce_traceparent"), false, LIMIT_ID_BYTES},
#define GEO(name_, word, attribute_, bytes_max_, text)                                             \
    [ATTRIBUTE_GEO + GEO_##name_] = {attribute_, TEXT("ce_" attribute_), false, bytes_max_},
#include "schemas/geo.def"
#undef GEO
};

enum event_fault event_check_text(const char *name, struct str text, size_t bytes_max,
                                  struct err *err)
{
    if (text.len > bytes_max) {
        err_set(err, ERR_LIMIT, "attribute %s has %zu bytes, at most %zu are taken", name, text.len,
                bytes_max);
        return EVENT_BAD_ATTRIBUTE;
    }
    if (!str_is_utf8(text)) {
        err_set(err, ERR_PARSE, "attribute %s is not UTF-8", name);
        return EVENT_BAD_UTF8;
    }
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return bad_attribute(err, name, "holds a control character");
    return EVENT_FINE;
}

/* "application/json; charset=utf-8", "text/json", "application/vnd.x+json" */
static bool is_json(struct str content_type)
{
    struct str media, parameters;

    if (!str_cut(content_type, ';', &media, &parameters))
        media = content_type;
    media = str_trim(media);
    return str_ends(media, STR("/json")) || str_ends(media, STR("+json"));
}

/* W3C trace context: 00-<32 hex>-<16 hex>-<2 hex>.  Another form is read over, as it asks. */
static bool is_traceparent(struct str text)
{
    if (text.len < 55)
        return false;
    for (size_t i = 0; i < 55; i++) {
        char c = text.data[i];
        bool dash = i == 2 || i == 35 || i == 52;
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        if (dash ? c != '-' : !hex)
            return false;
    }
    return text.len == 55 || text.data[55] == '-';
}

struct str event_traceparent(const struct record *record, struct str attribute)
{
    struct str text = record_header(record, STR("traceparent"));

    if (is_traceparent(text))
        return text;
    return is_traceparent(attribute) ? attribute : STR_EMPTY;
}

enum event_fault event_check_size(const struct record *record, struct err *err)
{
    if (record->value.len <= LIMIT_EVENT_BYTES)
        return EVENT_FINE;
    err_set(err, ERR_LIMIT, "the value has %zu bytes, at most %d are taken", record->value.len,
            LIMIT_EVENT_BYTES);
    return EVENT_TOO_LARGE;
}

void event_set_time(struct event *event, int64_t written_ms, int64_t record_ms)
{
    event->time_ms = written_ms < record_ms ? written_ms : record_ms;
    event->time_cut_ms = written_ms - event->time_ms;
    event->time_corrected = event->time_cut_ms > WHEN_MINUTE_MS;
}

static enum event_fault check_texts(const struct str texts[ATTRIBUTES], struct err *err)
{
    for (size_t i = 0; i < ATTRIBUTES; i++) {
        enum event_fault fault;
        if (attributes[i].required && texts[i].len == 0) {
            err_set(err, ERR_PARSE, "attribute %s is missing", attributes[i].name);
            return EVENT_MISSING_ATTRIBUTE;
        }
        fault = event_check_text(attributes[i].name, texts[i], attributes[i].bytes_max, err);
        if (fault != EVENT_FINE)
            return fault;
    }
    if (!str_is(texts[ATTRIBUTE_SPECVERSION], "1.0"))
        return bad_attribute(err, "specversion", "is not 1.0");
    if (texts[ATTRIBUTE_CONTENT_TYPE].len > 0 && !is_json(texts[ATTRIBUTE_CONTENT_TYPE]))
        return bad_attribute(err, "datacontenttype", "is not JSON");
    return EVENT_FINE;
}

/* From the texts to the event; data is the caller's. */
static enum event_fault settle(const struct str texts[ATTRIBUTES], const struct record *record,
                               struct event *out, struct err *err)
{
    enum event_fault fault = check_texts(texts, err);
    int64_t written_ms = record->timestamp_ms;

    if (fault != EVENT_FINE)
        return fault;
    if (texts[ATTRIBUTE_TIME].len > 0 &&
        (!when_parse_ms(texts[ATTRIBUTE_TIME], &written_ms) || !when_is_printable(written_ms)))
        return bad_attribute(err, "time", "is no RFC 3339 time");
    out->id = texts[ATTRIBUTE_ID];
    out->source = texts[ATTRIBUTE_SOURCE];
    out->type = texts[ATTRIBUTE_TYPE];
    out->subject = texts[ATTRIBUTE_SUBJECT];
    out->schema = texts[ATTRIBUTE_SCHEMA];
    out->partition_key = texts[ATTRIBUTE_PARTITION_KEY];
    out->traceparent = event_traceparent(record, texts[ATTRIBUTE_TRACEPARENT]);
    memcpy(out->geo, texts + ATTRIBUTE_GEO, sizeof out->geo);
    event_set_time(out, written_ms, record->timestamp_ms);
    return EVENT_FINE;
}

/* --- which mode ---------------------------------------------------------------------------------- */

enum mode { MODE_BINARY, MODE_STRUCTURED, MODE_REFUSED };

/* As the Kafka binding tells them apart: by content-type; then by what is there. */
static enum mode mode_of(const struct record *record, struct err *err)
{
    struct str type = record_header(record, STR("content-type"));
    struct str cloud = STR("application/cloudevents");

    if (str_starts(type, cloud)) {
        if (str_starts(str_slice(type, cloud.len, type.len), STR("+json")))
            return MODE_STRUCTURED;
        err_set(err, ERR_PARSE, "content-type %.*s is not taken", STR_ARG(str_slice(type, 0, 64)));
        return MODE_REFUSED;
    }
    for (size_t i = 0; i < record->header_count; i++)
        if (str_starts(record->headers[i].name, STR("ce_")))
            return MODE_BINARY;
    return MODE_STRUCTURED;
}

static void texts_of_headers(const struct record *record, struct str texts[ATTRIBUTES])
{
    for (size_t i = 0; i < record->header_count; i++)
        for (size_t a = 0; a < ATTRIBUTES; a++)
            if (str_equal(record->headers[i].name, attributes[a].header))
                texts[a] = record->headers[i].value;
}

/* What an envelope gave for each attribute; a number is no text. */
static enum event_fault texts_of_values(const struct value values[ATTRIBUTES],
                                        struct str texts[ATTRIBUTES], struct err *err)
{
    for (size_t i = 0; i < ATTRIBUTES; i++) {
        if (values[i].kind == VALUE_STRING)
            texts[i] = value_str(values[i]);
        else if (values[i].kind != VALUE_ABSENT && values[i].kind != VALUE_NULL)
            return bad_attribute(err, attributes[i].name, "is not a text");
    }
    return EVENT_FINE;
}

/* --- reading whole --------------------------------------------------------------------------------- */

static enum event_fault read_binary_whole(const struct record *record, struct arena *arena,
                                          struct event *out, struct err *err)
{
    struct str texts[ATTRIBUTES] = {{0}};
    enum event_fault fault;

    texts_of_headers(record, texts);
    fault = settle(texts, record, out, err);
    if (fault != EVENT_FINE)
        return fault;
    out->data = record->value.len > 0 ? record->value : STR("{}");
    return event_fault_of_json(json_parse(out->data, arena, &out->data_value, err));
}

static enum event_fault read_structured_whole(const struct record *record, struct arena *arena,
                                              struct event *out, struct err *err)
{
    struct value envelope, values[ATTRIBUTES];
    struct str texts[ATTRIBUTES] = {{0}};
    enum event_fault fault;

    if (record->value.len == 0) {
        err_set(err, ERR_PARSE, "the record has no value");
        return EVENT_EMPTY;
    }
    fault = event_fault_of_json(json_parse(record->value, arena, &envelope, err));
    if (fault != EVENT_FINE)
        return fault;
    for (size_t i = 0; i < ATTRIBUTES; i++)
        values[i] = value_map_get(envelope, str_of(attributes[i].name));
    fault = texts_of_values(values, texts, err);
    if (fault == EVENT_FINE)
        fault = settle(texts, record, out, err);
    if (fault != EVENT_FINE)
        return fault;
    if (value_map_get(envelope, STR("data_base64")).kind != VALUE_ABSENT)
        return bad_attribute(err, "data_base64", "is not taken: data is JSON");
    out->data_value = value_map_get(envelope, STR("data"));
    if (out->data_value.kind == VALUE_ABSENT)
        out->data_value = value_map(NULL, 0);
    return EVENT_FINE;
}

enum event_fault event_read_whole(const struct record *record, struct arena *arena,
                                  struct event *out, struct err *err)
{
    enum event_fault fault = event_check_size(record, err);

    *out = (struct event){0};
    if (fault != EVENT_FINE)
        return fault;
    switch (mode_of(record, err)) {
    case MODE_BINARY: return read_binary_whole(record, arena, out, err);
    case MODE_STRUCTURED: return read_structured_whole(record, arena, out, err);
    case MODE_REFUSED: return EVENT_BAD_ATTRIBUTE;
    }
    CHECK_NEVER("a mode that there is not");
}

/* --- reading what is wanted ------------------------------------------------------------------------ */

struct wanted { /* of one type */
    struct str type;
    struct projection *data;
};

struct event_reader {
    struct wanted *types; /* sorted by type */
    size_t count, capacity;
    struct projection *envelope; /* attributes, and below /data all that any type wants */
};

struct event_reader *event_reader_new(void)
{
    struct event_reader *reader = MEM_NEW(struct event_reader);
    struct buf path = {0};

    reader->envelope = projection_new();
    for (uint32_t i = 0; i < ATTRIBUTES; i++) {
        buf_clear(&path);
        buf_put_char(&path, '/');
        buf_put_text(&path, attributes[i].name);
        projection_add(reader->envelope, buf_str(&path), PROJECTION_OWN + i);
    }
    buf_free(&path);
    return reader;
}

void event_reader_free(struct event_reader *reader)
{
    if (reader == NULL)
        return;
    for (size_t i = 0; i < reader->count; i++) {
        projection_free(reader->types[i].data);
        mem_free((void *)(uintptr_t)reader->types[i].type.data);
    }
    mem_free(reader->types);
    projection_free(reader->envelope);
    mem_free(reader);
}

/* The first type that is not before `type`. */
static size_t place_of(const struct event_reader *reader, struct str type)
{
    size_t low = 0, high = reader->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_compare(reader->types[middle].type, type) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const struct wanted *find_wanted(const struct event_reader *reader, struct str type)
{
    size_t at = place_of(reader, type);

    return at < reader->count && str_equal(reader->types[at].type, type) ? &reader->types[at]
                                                                         : NULL;
}

void event_reader_listen(struct event_reader *reader, struct str type)
{
    size_t at = place_of(reader, type);

    if (at < reader->count && str_equal(reader->types[at].type, type))
        return;
    MEM_RESERVE(reader->types, reader->count, reader->capacity);
    memmove(&reader->types[at + 1], &reader->types[at],
            (reader->count - at) * sizeof *reader->types);
    reader->types[at] = (struct wanted){.type = {mem_copy_text(type.data, type.len), type.len},
                                        .data = projection_new()};
    reader->count++;
}

void event_reader_add(struct event_reader *reader, struct str type, struct str path, uint32_t slot)
{
    struct buf below = {0};

    CHECK(slot < PROJECTION_OWN);
    event_reader_listen(reader, type);
    projection_add(reader->types[place_of(reader, type)].data, path, slot);
    buf_put_text(&below, "/data");
    buf_put(&below, path);
    projection_add(reader->envelope, buf_str(&below), slot);
    buf_free(&below);
}

static enum event_fault read_binary(const struct event_reader *reader, const struct record *record,
                                    struct arena *arena, struct event *out, struct value *fields,
                                    bool *listened, struct err *err)
{
    const struct wanted *wanted;
    struct str texts[ATTRIBUTES] = {{0}};
    enum event_fault fault;

    out->type = record_header(record, STR("ce_type"));
    wanted = find_wanted(reader, out->type);
    *listened = wanted != NULL;
    if (wanted == NULL)
        return EVENT_FINE;
    texts_of_headers(record, texts);
    fault = settle(texts, record, out, err);
    if (fault != EVENT_FINE || record->value.len == 0)
        return fault;
    out->data = record->value;
    return event_fault_of_json(projection_read(wanted->data, out->data, arena, fields, err));
}

/* An envelope whose type nobody listens to need not be read to its end. */
static bool is_listened(const void *reader, uint32_t slot, struct value v)
{
    return slot != PROJECTION_OWN + ATTRIBUTE_TYPE || v.kind != VALUE_STRING ||
           find_wanted(reader, value_str(v)) != NULL;
}

static enum event_fault read_structured(const struct event_reader *reader,
                                        const struct record *record, struct arena *arena,
                                        struct event *out, struct value *fields, bool *listened,
                                        struct err *err)
{
    struct value values[ATTRIBUTES] = {{0}};
    const struct projection_own own = {values, is_listened, reader};
    struct str texts[ATTRIBUTES] = {{0}};
    enum event_fault fault;

    if (record->value.len == 0) {
        err_set(err, ERR_PARSE, "the record has no value");
        return EVENT_EMPTY;
    }
    fault = event_fault_of_json(
        projection_read_both(reader->envelope, record->value, arena, fields, &own, err));
    if (fault == EVENT_FINE)
        fault = texts_of_values(values, texts, err);
    if (fault != EVENT_FINE)
        return fault;
    out->type = texts[ATTRIBUTE_TYPE];
    *listened = find_wanted(reader, out->type) != NULL;
    return *listened || out->type.len == 0 ? settle(texts, record, out, err) : EVENT_FINE;
}

/* The type in an envelope, if it is plainly there. */
static struct str peek_envelope(struct str text)
{
    struct json_scan scan = {.at = text.data, .end = text.data + text.len};
    struct json_scan_keys keys;
    struct str key, type;
    bool more = true, escaped;

    if (text.len == 0 || json_scan_peek(&scan) != '{' || !json_scan_enter(&scan, &keys))
        return STR_EMPTY;
    while (json_scan_key(&scan, &keys, &key, &more) && more) {
        if (str_is(key, "type"))
            return json_scan_text(&scan, &type, &escaped) && !escaped ? type : STR_EMPTY;
        if (!json_scan_over(&scan))
            break;
    }
    return STR_EMPTY;
}

struct str event_peek_type(const struct record *record)
{
    switch (mode_of(record, NULL)) {
    case MODE_BINARY: return record_header(record, STR("ce_type"));
    case MODE_STRUCTURED: return peek_envelope(record->value);
    case MODE_REFUSED: return STR_EMPTY;
    }
    CHECK_NEVER("a mode that there is not");
}

enum event_fault event_read(const struct event_reader *reader, const struct record *record,
                            struct arena *arena, struct event *out, struct value *fields,
                            bool *listened, struct err *err)
{
    enum event_fault fault = event_check_size(record, err);

    *out = (struct event){0};
    *listened = false;
    if (fault != EVENT_FINE)
        return fault;
    switch (mode_of(record, err)) {
    case MODE_BINARY: return read_binary(reader, record, arena, out, fields, listened, err);
    case MODE_STRUCTURED: return read_structured(reader, record, arena, out, fields, listened, err);
    case MODE_REFUSED: return EVENT_BAD_ATTRIBUTE;
    }
    CHECK_NEVER("a mode that there is not");
}

/* --- writing --------------------------------------------------------------------------------------- */

static void add_header(struct header *headers, size_t *count, const char *name, struct str value)
{
    if (value.len > 0)
        headers[(*count)++] = (struct header){str_of(name), value};
}

size_t event_headers(const struct event *event, struct arena *arena, struct header **out)
{
    struct header *headers = ARENA_ARRAY(arena, struct header, ATTRIBUTES);
    struct buf time = {0};
    size_t count = 0;

    when_put_rfc3339(&time, event->time_ms + event->time_cut_ms);
    add_header(headers, &count, "ce_specversion", STR("1.0"));
    add_header(headers, &count, "ce_id", event->id);
    add_header(headers, &count, "ce_source", event->source);
    add_header(headers, &count, "ce_type", event->type);
    add_header(headers, &count, "ce_subject", event->subject);
    add_header(headers, &count, "ce_time", arena_str(arena, buf_str(&time)));
    add_header(headers, &count, "ce_dataschema", event->schema);
    add_header(headers, &count, "ce_partitionkey", event->partition_key);
    for (size_t i = 0; i < GEO_COUNT; i++)
        add_header(headers, &count, attributes[ATTRIBUTE_GEO + i].header.data, event->geo[i]);
    add_header(headers, &count, "traceparent", event->traceparent);
    add_header(headers, &count, "content-type", STR("application/json"));
    buf_free(&time);
    *out = headers;
    return count;
}
