/* CloudEvents 1.0 and its Kafka protocol binding.
 *
 *   binary mode      headers ce_id, ce_type, ...; content-type is datacontenttype; value = data
 *   structured mode  content-type: application/cloudevents+json, or no header that speaks of an event
 *                    (producers of before Kafka had headers); value = the whole envelope
 *
 * What the content type announces counts, never what the value looks like.  Batches, other formats and
 * other versions are refused by name.
 */
#include "core/base64.h"
#include "processors/ingest/formats/format.h"
#include "processors/ingest/formats/media.h"

#define MEDIA "application/cloudevents"

/* --- which mode --------------------------------------------------------------------------------------- */

enum mode { MODE_BINARY, MODE_STRUCTURED };

static enum event_fault check_media(struct str content_type, struct err *err)
{
    struct str essence = media_essence(content_type), shown = str_head(essence, 64);

    if (media_starts(essence, MEDIA "-batch")) {
        err_set(err, ERR_PARSE, "batches of events are not taken: one event a record");
        return EVENT_BATCH;
    }
    if (!media_is(essence, MEDIA "+json")) {
        err_set(err, ERR_PARSE, "the event format %.*s is not read here: " MEDIA "+json is",
                STR_ARG(str_is_utf8(shown) ? shown : STR_EMPTY));
        return EVENT_UNKNOWN_FORMAT;
    }
    if (!media_is_type(content_type)) {
        err_set(err, ERR_PARSE, "content-type is no media type (RFC 2046)");
        return EVENT_BAD_ATTRIBUTE;
    }
    if (!media_is_utf8(content_type)) {
        err_set(err, ERR_PARSE, "events in JSON are UTF-8, content-type says another charset");
        return EVENT_UNKNOWN_FORMAT;
    }
    return EVENT_FINE;
}

static enum event_fault find_mode(const struct record *record, enum mode *mode, struct err *err)
{
    struct str content_type = STR_EMPTY;
    bool attributes = false;

    for (size_t i = 0; i < record->header_count; i++) {
        const struct header *header = &record->headers[i];
        attributes |= str_starts(header->name, STR("ce_"));
        if (!str_is(header->name, "content-type") || header->value.data == NULL)
            continue;
        if (content_type.data != NULL) {
            err_set(err, ERR_PARSE, "the header content-type stands there twice");
            return EVENT_BAD_ATTRIBUTE;
        }
        content_type = header->value;
    }
    *mode = MODE_BINARY;
    if (media_starts(str_trim(content_type), MEDIA)) {
        *mode = MODE_STRUCTURED;
        return check_media(content_type, err);
    }
    if (!attributes && content_type.data == NULL)
        *mode = MODE_STRUCTURED;
    if (*mode == MODE_STRUCTURED || attributes)
        return EVENT_FINE;
    err_set(err, ERR_PARSE, "no ce_ headers, and content-type is not " MEDIA "+json");
    return record->value.data == NULL ? EVENT_EMPTY : EVENT_MISSING_ATTRIBUTE;
}

/* --- binary mode -------------------------------------------------------------------------------------- */

/* The attribute that a header stands for; empty: none. */
static bool attribute_of(const struct header *header, struct str *name)
{
    if (header->value.data == NULL) /* unset */
        return false;
    if (str_is(header->name, "content-type"))
        *name = STR("datacontenttype");
    else if (str_starts(header->name, STR("ce_")))
        *name = str_slice(header->name, 3, header->name.len);
    else
        return false;
    return true;
}

static enum event_fault decode_binary(const struct record *record, struct arena *arena,
                                      struct message *out, struct err *err)
{
    enum event_fault fault =
        message_check_version(record_header(record, STR("ce_specversion")), err);

    for (size_t i = 0; i < record->header_count && fault == EVENT_FINE; i++) {
        struct str name;
        if (!attribute_of(&record->headers[i], &name))
            continue;
        fault = message_add(out, name, record->headers[i].value, err);
        if (fault == EVENT_FINE && str_is(record->headers[i].name, "ce_datacontenttype")) {
            err_set(err, ERR_PARSE,
                    "datacontenttype stands in the header content-type, not in "
                    "ce_datacontenttype");
            fault = EVENT_BAD_ATTRIBUTE;
        }
    }
    if (fault == EVENT_FINE)
        fault = message_check(out, err);
    if (fault != EVENT_FINE)
        return fault;
    return content_read(record->value, message_attribute(out, "datacontenttype"), arena, &out->data,
                        err);
}

/* --- structured mode ---------------------------------------------------------------------------------- */

static enum event_fault not_a(struct str name, const char *what, struct err *err)
{
    err_set(err, ERR_PARSE, "attribute %.*s %s", STR_ARG(str_head(name, 32)), what);
    return EVENT_BAD_ATTRIBUTE;
}

/* All that CloudEvents itself defines are texts. */
static bool is_text_only(struct str name)
{
    static const char *const names[] = {"specversion",     "id",         "source",  "type",
                                        "datacontenttype", "dataschema", "subject", "time"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_is(name, names[i]))
            return true;
    return false;
}

static enum event_fault add_member(struct message *out, struct str name, struct value v,
                                   struct arena *arena, struct err *err)
{
    if (v.kind == VALUE_NULL)
        return EVENT_FINE; /* unset */
    if (v.kind == VALUE_STRING)
        return message_add(out, name, value_str(v), err);
    if (is_text_only(name))
        return not_a(name, "is not a text", err);
    if (v.kind == VALUE_BOOL)
        return message_add(out, name, v.boolean ? STR("true") : STR("false"), err);
    if (v.kind != VALUE_INT)
        return not_a(name, "is neither a text nor a whole number nor true or false", err);
    if (v.i < INT32_MIN || v.i > INT32_MAX)
        return not_a(name, "is a number beyond 32 bits", err);
    return message_add(out, name, arena_format(arena, "%d", (int)v.i), err);
}

static enum event_fault bad_data(const char *what, struct err *err)
{
    err_set(err, ERR_PARSE, "%s", what);
    return EVENT_BAD_DATA;
}

/* RFC 4648 to the letter: its first alphabet, padded. */
static bool read_base64(struct str text, struct arena *arena, struct str *out)
{
    struct buf bytes = {0};
    bool good = text.len % 4 == 0 && (text.len == 0 || (memchr(text.data, '-', text.len) == NULL &&
                                                        memchr(text.data, '_', text.len) == NULL));

    good = good && base64_read(&bytes, text);
    if (good)
        *out = arena_str(arena, buf_str(&bytes));
    buf_free(&bytes);
    return good;
}

static enum event_fault read_bytes(struct value v, struct str content_type, struct arena *arena,
                                   struct content *out, struct err *err)
{
    struct str bytes;
    enum event_fault fault;

    if (v.kind != VALUE_STRING || !read_base64(value_str(v), arena, &bytes))
        return bad_data("data_base64 is not base64 (RFC 4648)", err);
    fault = content_read(bytes, content_type, arena, out, err);
    if (fault == EVENT_FINE && out->kind == CONTENT_TEXT)
        out->kind = CONTENT_BYTES; /* its producer says that it is no text */
    out->declared = true;
    return fault;
}

static enum event_fault read_data(struct value envelope, struct str content_type,
                                  struct arena *arena, struct content *out, struct err *err)
{
    struct value data = value_map_get(envelope, STR("data"));
    struct value bytes = value_map_get(envelope, STR("data_base64"));

    if (bytes.kind != VALUE_ABSENT && bytes.kind != VALUE_NULL)
        return data.kind != VALUE_ABSENT ? bad_data("data and data_base64 exclude each other", err)
                                         : read_bytes(bytes, content_type, arena, out, err);
    if (data.kind == VALUE_ABSENT)
        return EVENT_FINE;
    *out = (struct content){.kind = CONTENT_JSON, .declared = true, .json = data};
    if (content_type.len == 0 || media_is_json(content_type))
        return content_check_json(data, err);
    if (data.kind != VALUE_STRING)
        return bad_data("data is not a text, as a content type that is not JSON asks for", err);
    out->kind = CONTENT_TEXT;
    out->bytes = value_str(data);
    return EVENT_FINE;
}

/* A list of envelopes without a content type is a batch all the same. */
static enum event_fault no_envelope(struct value v, struct err *err)
{
    bool batch = v.kind == VALUE_LIST && v.n > 0 && v.list[0].kind == VALUE_MAP &&
                 value_map_get(v.list[0], STR("specversion")).kind != VALUE_ABSENT;

    err_set(err, ERR_PARSE,
            batch ? "batches of events are not taken: one event a record"
                  : "the value is JSON, but not the object of an event");
    return batch ? EVENT_BATCH : EVENT_MISSING_ATTRIBUTE;
}

/* The version of an envelope; before 0.2 it had another name. */
static struct str version_of(struct value envelope)
{
    struct value v = value_map_get(envelope, STR("specversion"));

    if (v.kind == VALUE_ABSENT)
        v = value_map_get(envelope, STR("cloudEventsVersion"));
    return v.kind == VALUE_STRING ? value_str(v) : STR_EMPTY;
}

static enum event_fault decode_structured(const struct record *record, struct arena *arena,
                                          struct message *out, struct err *err)
{
    struct value envelope;
    enum event_fault fault;

    if (record->value.len == 0) {
        err_set(err, ERR_PARSE, "the record has no value");
        return EVENT_EMPTY;
    }
    fault = event_fault_of_json(json_parse(record->value, arena, &envelope, err));
    if (fault != EVENT_FINE)
        return fault;
    if (envelope.kind != VALUE_MAP)
        return no_envelope(envelope, err);
    fault = message_check_version(version_of(envelope), err);
    for (uint32_t i = 0; i < envelope.n && fault == EVENT_FINE; i++) {
        struct str name = value_str(envelope.map[i].key);
        if (!str_is(name, "data") && !str_is(name, "data_base64"))
            fault = add_member(out, name, envelope.map[i].value, arena, err);
    }
    if (fault == EVENT_FINE)
        fault = message_check(out, err);
    if (fault != EVENT_FINE)
        return fault;
    return read_data(envelope, message_attribute(out, "datacontenttype"), arena, &out->data, err);
}

/* --- the format --------------------------------------------------------------------------------------- */

static enum event_fault decode(const void *options, const struct record *record,
                               struct arena *arena, struct message *out, struct err *err)
{
    enum event_fault fault = event_check_size(record, err);
    enum mode mode;

    (void)options;
    out->attribute_count = 0;
    out->data = (struct content){0};
    if (fault == EVENT_FINE)
        fault = find_mode(record, &mode, err);
    if (fault != EVENT_FINE)
        return fault;
    return mode == MODE_BINARY ? decode_binary(record, arena, out, err)
                               : decode_structured(record, arena, out, err);
}

const struct format cloudevents_format = {.name = "cloudevents", .decode = decode};
