#include "processors/ingest/formats/json/mapping.h"

#include <inttypes.h>

#include "core/when.h"
#include "processors/ingest/formats/format.h"

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
static enum event_fault add_text(const char *name, const struct mapping_origin *origin,
                                 struct value document, struct arena *arena, struct message *out,
                                 struct err *err)
{
    struct value v = look_up(origin, document);

    if (v.kind == VALUE_INT)
        return message_add(out, str_of(name), arena_format(arena, "%" PRId64, v.i), err);
    if (v.kind == VALUE_ABSENT || v.kind == VALUE_NULL || (v.kind == VALUE_STRING && v.n == 0))
        return not_mapped(name, origin, err);
    if (v.kind == VALUE_STRING)
        return message_add(out, str_of(name), value_str(v), err);
    err_set(err, ERR_PARSE, "%s at %.*s is neither a text nor a whole number", name,
            STR_ARG(origin->text));
    return EVENT_BAD_ATTRIBUTE;
}

static enum event_fault add_id(const struct mapping *mapping, const struct record *record,
                               struct value document, struct arena *arena, struct message *out,
                               struct err *err)
{
    if (mapping->id.from != MAPPING_NOTHING)
        return add_text("id", &mapping->id, document, arena, out, err);
    return message_add(out, STR("id"),
                       arena_format(arena, "%.*s/%" PRId32 "/%" PRId64, STR_ARG(record->topic),
                                    record->partition, record->offset),
                       err);
}

static enum event_fault add_subject(const struct mapping *mapping, const struct record *record,
                                    struct value document, struct arena *arena, struct message *out,
                                    struct err *err)
{
    if (mapping->subject.from != MAPPING_NOTHING) {
        enum event_fault fault = add_text("subject", &mapping->subject, document, arena, out, err);
        return fault == EVENT_NOT_MAPPED ? EVENT_FINE
                                         : fault; /* perhaps an alias says whose it is */
    }
    return record->key.len > 0 ? message_add(out, STR("subject"), record->key, err) : EVENT_FINE;
}

static struct str time_text(int64_t at_ms, struct arena *arena)
{
    struct buf text = {0};
    struct str kept;

    when_put_rfc3339(&text, at_ms);
    kept = arena_str(arena, buf_str(&text));
    buf_free(&text);
    return kept;
}

static enum event_fault add_time(const struct mapping *mapping, struct value document,
                                 struct arena *arena, struct message *out, struct err *err)
{
    struct value v = look_up(&mapping->time, document);
    int64_t at_ms;

    if (mapping->time.from == MAPPING_NOTHING)
        return EVENT_FINE;
    if (v.kind == VALUE_ABSENT || v.kind == VALUE_NULL)
        return not_mapped("time", &mapping->time, err);
    if (v.kind == VALUE_INT && when_is_printable(v.i))
        return message_add(out, STR("time"), time_text(v.i, arena), err);
    if (v.kind == VALUE_STRING && when_parse_to_the_letter(value_str(v), &at_ms))
        return message_add(out, STR("time"), value_str(v), err);
    err_set(err, ERR_PARSE, "time at %.*s is neither an RFC 3339 time nor milliseconds",
            STR_ARG(mapping->time.text));
    return EVENT_BAD_ATTRIBUTE;
}

static enum event_fault add_attributes(const struct mapping *mapping, const struct record *record,
                                       struct value document, struct arena *arena,
                                       struct message *out, struct err *err)
{
    struct str source = mapping->source.len > 0 ? mapping->source : record->topic;
    enum event_fault fault = message_add(out, STR("specversion"), STR("1.0"), err);

    if (fault == EVENT_FINE)
        fault = add_text("type", &mapping->type, document, arena, out, err);
    if (fault == EVENT_FINE)
        fault = message_add(out, STR("source"), source, err);
    if (fault == EVENT_FINE)
        fault = add_id(mapping, record, document, arena, out, err);
    if (fault == EVENT_FINE)
        fault = add_time(mapping, document, arena, out, err);
    if (fault == EVENT_FINE)
        fault = add_subject(mapping, record, document, arena, out, err);
    return fault;
}

static enum event_fault decode(const void *options, const struct record *record,
                               struct arena *arena, struct message *out, struct err *err)
{
    const struct mapping *mapping = options;
    struct value document;
    enum event_fault fault = event_check_size(record, err);

    out->attribute_count = 0;
    out->data = (struct content){.kind = CONTENT_JSON, .declared = true};
    if (fault == EVENT_FINE && record->value.len == 0) {
        err_set(err, ERR_PARSE, "the record has no value");
        return EVENT_EMPTY;
    }
    if (fault == EVENT_FINE)
        fault = content_parse(record->value, arena, &document, err);
    if (fault == EVENT_FINE)
        fault = add_attributes(mapping, record, document, arena, out, err);
    if (fault != EVENT_FINE)
        return fault;
    out->data.json =
        mapping->data.from == MAPPING_NOTHING ? document : look_up(&mapping->data, document);
    return out->data.json.kind != VALUE_ABSENT ? EVENT_FINE
                                               : not_mapped("data", &mapping->data, err);
}

const struct format json_format = {.name = "json", .decode = decode};
