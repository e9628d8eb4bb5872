#include "processors/ingest/mapping.h"

#include <inttypes.h>

#include "core/limit.h"
#include "core/when.h"

struct mapping_origin mapping_origin_of(struct str text)
{
    if (text.len == 0)
        return (struct mapping_origin){MAPPING_NOTHING, STR_EMPTY};
    return (struct mapping_origin){text.data[0] == '/' ? MAPPING_POINTER : MAPPING_CONSTANT, text};
}

static struct value look_up(const struct mapping_origin *origin, struct value document)
{
    switch (origin->from) {
    case MAPPING_CONSTANT: return value_string(origin->text);
    case MAPPING_POINTER: return json_at(document, origin->text);
    case MAPPING_NOTHING: break;
    }
    return VALUE_NONE;
}

static enum event_fault not_mapped(const char *name, const struct mapping_origin *origin,
                                   struct err *err)
{
    err_set(err, ERR_PARSE, "no %s at %.*s", name, STR_ARG(origin->text));
    return EVENT_NOT_MAPPED;
}

/* A text; ids are often numbers. */
static enum event_fault read_text(const char *name, const struct mapping_origin *origin,
                                  struct value document, size_t bytes_max, struct arena *arena,
                                  struct str *out, struct err *err)
{
    struct value v = look_up(origin, document);

    if (v.kind == VALUE_INT) {
        *out = arena_format(arena, "%" PRId64, v.i);
        return EVENT_FINE;
    }
    if (v.kind == VALUE_ABSENT || v.kind == VALUE_NULL || (v.kind == VALUE_STRING && v.n == 0))
        return not_mapped(name, origin, err);
    if (v.kind != VALUE_STRING) {
        err_set(err, ERR_PARSE, "%s at %.*s is neither a text nor a whole number", name,
                STR_ARG(origin->text));
        return EVENT_BAD_ATTRIBUTE;
    }
    *out = value_str(v);
    return event_check_text(name, *out, bytes_max, err);
}

static enum event_fault read_id(const struct mapping *mapping, const struct record *record,
                                struct value document, struct arena *arena, struct event *out,
                                struct err *err)
{
    if (mapping->id.from != MAPPING_NOTHING)
        return read_text("id", &mapping->id, document, LIMIT_ID_BYTES, arena, &out->id, err);
    out->id = arena_format(arena, "%.*s/%" PRId32 "/%" PRId64, STR_ARG(record->topic),
                           record->partition, record->offset);
    return EVENT_FINE;
}

static enum event_fault read_subject(const struct mapping *mapping, const struct record *record,
                                     struct value document, struct arena *arena, struct event *out,
                                     struct err *err)
{
    if (mapping->subject.from != MAPPING_NOTHING)
        return read_text("subject", &mapping->subject, document, LIMIT_SUBJECT_BYTES, arena,
                         &out->subject, err);
    out->subject = record->key;
    return event_check_text("subject", record->key, LIMIT_SUBJECT_BYTES, err);
}

static enum event_fault read_time(const struct mapping *mapping, const struct record *record,
                                  struct value document, struct event *out, struct err *err)
{
    struct value v = look_up(&mapping->time, document);
    int64_t written_ms = record->timestamp_ms;
    bool good = true;

    if (mapping->time.from != MAPPING_NOTHING && (v.kind == VALUE_ABSENT || v.kind == VALUE_NULL))
        return not_mapped("time", &mapping->time, err);
    if (v.kind == VALUE_INT)
        written_ms = v.i;
    else if (v.kind != VALUE_ABSENT)
        good = v.kind == VALUE_STRING && when_parse_ms(value_str(v), &written_ms);
    if (!good || !when_is_printable(written_ms)) {
        err_set(err, ERR_PARSE, "time at %.*s is neither an RFC 3339 time nor milliseconds",
                STR_ARG(mapping->time.text));
        return EVENT_BAD_ATTRIBUTE;
    }
    event_set_time(out, written_ms, record->timestamp_ms);
    return EVENT_FINE;
}

static enum event_fault read_attributes(const struct mapping *mapping, const struct record *record,
                                        struct value document, struct arena *arena,
                                        struct event *out, struct err *err)
{
    enum event_fault fault =
        read_text("type", &mapping->type, document, LIMIT_ID_BYTES, arena, &out->type, err);

    out->source = mapping->source.len > 0 ? mapping->source : record->topic;
    if (fault == EVENT_FINE)
        fault = read_id(mapping, record, document, arena, out, err);
    if (fault == EVENT_FINE)
        fault = read_time(mapping, record, document, out, err);
    if (fault == EVENT_FINE)
        fault = read_subject(mapping, record, document, arena, out, err);
    return fault;
}

enum event_fault mapping_read(const struct mapping *mapping, const struct record *record,
                              struct arena *arena, struct event *out, struct err *err)
{
    struct value document;
    enum event_fault fault = event_check_size(record, err);

    *out = (struct event){0};
    if (fault == EVENT_FINE && record->value.len == 0) {
        err_set(err, ERR_PARSE, "the record has no value");
        return EVENT_EMPTY;
    }
    if (fault == EVENT_FINE)
        fault = event_fault_of_json(json_parse(record->value, arena, &document, err));
    if (fault == EVENT_FINE)
        fault = read_attributes(mapping, record, document, arena, out, err);
    if (fault != EVENT_FINE)
        return fault;
    out->traceparent = event_traceparent(record);
    out->data_value =
        mapping->data.from == MAPPING_NOTHING ? document : look_up(&mapping->data, document);
    if (out->data_value.kind == VALUE_ABSENT)
        return not_mapped("data", &mapping->data, err);
    return EVENT_FINE;
}
