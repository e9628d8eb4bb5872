#include "processors/ingest/formats/media.h"
#include "processors/ingest/formats/message.h"

/* --- JSON and its limits ---------------------------------------------------------------------------- */

static enum event_fault too_large(struct err *err, const char *what, size_t count, size_t most)
{
    err_set(err, ERR_LIMIT, "%s %zu, at most %zu are taken", what, count, most);
    return EVENT_TOO_LARGE;
}

static enum event_fault check_text(struct str text, struct err *err)
{
    if (text.len <= LIMIT_EVENT_TEXT_BYTES)
        return EVENT_FINE;
    return too_large(err, "bytes of a text in data:", text.len, LIMIT_EVENT_TEXT_BYTES);
}

/* *keys: seen so far.  As deep as JSON may be nested. */
static enum event_fault check(struct value v, size_t *keys, struct err *err)
{
    enum event_fault fault = EVENT_FINE;

    if (v.kind == VALUE_STRING)
        return check_text(value_str(v), err);
    if (v.kind == VALUE_MAP && (*keys += v.n) > LIMIT_EVENT_KEYS)
        return too_large(err, "keys in data:", *keys, LIMIT_EVENT_KEYS);
    for (uint32_t i = 0; v.kind == VALUE_LIST && i < v.n && fault == EVENT_FINE; i++)
        fault = check(v.list[i], keys, err);
    for (uint32_t i = 0; v.kind == VALUE_MAP && i < v.n && fault == EVENT_FINE; i++) {
        fault = check_text(value_str(v.map[i].key), err);
        if (fault == EVENT_FINE)
            fault = check(v.map[i].value, keys, err);
    }
    return fault;
}

enum event_fault content_check_json(struct value v, struct err *err)
{
    size_t keys = 0;

    return check(v, &keys, err);
}

enum event_fault content_parse(struct str text, struct arena *arena, struct value *out,
                               struct err *err)
{
    enum event_fault fault = event_fault_of_json(json_parse(text, arena, out, err));

    return fault == EVENT_FINE ? content_check_json(*out, err) : fault;
}

/* --- by content type -------------------------------------------------------------------------------- */

enum event_fault content_read(struct str bytes, struct str content_type, struct arena *arena,
                              struct content *out, struct err *err)
{
    *out = (struct content){.declared = content_type.len > 0, .bytes = bytes};
    if (bytes.data == NULL)
        return EVENT_FINE;
    if (media_is_json(content_type)) {
        out->kind = CONTENT_JSON;
        return content_parse(bytes, arena, &out->json, err);
    }
    out->kind = media_is_binary(content_type) || !media_is_utf8(content_type) || !str_is_utf8(bytes)
                    ? CONTENT_BYTES
                    : CONTENT_TEXT;
    return EVENT_FINE;
}

/* --- what conditions read ------------------------------------------------------------------------------- */

static enum event_fault not_an_object(const char *what, struct err *err)
{
    err_set(err, ERR_PARSE, "data is %s, and conditions read JSON objects", what);
    return EVENT_NOT_AN_OBJECT;
}

enum event_fault content_object(struct content *data, struct arena *arena, struct value *out,
                                struct err *err)
{
    if (data->kind == CONTENT_TEXT && !data->declared) {
        struct value v;
        if (content_parse(data->bytes, arena, &v, NULL) != EVENT_FINE)
            return not_an_object("a text without a content type that is not JSON", err);
        data->kind = CONTENT_JSON;
        data->json = v;
    }
    *out = data->kind == CONTENT_NONE ? value_map(NULL, 0) : data->json;
    switch (data->kind) {
    case CONTENT_NONE: return EVENT_FINE;
    case CONTENT_TEXT: return not_an_object("a text", err);
    case CONTENT_BYTES: return not_an_object("bytes", err);
    case CONTENT_JSON: break;
    }
    return out->kind == VALUE_MAP ? EVENT_FINE : not_an_object("JSON of another kind", err);
}
