#include "schemas/fields.h"

#include "core/check.h"
#include "core/when.h"

/* --- writing ------------------------------------------------------------------------------------- */

static const void *at(const void *base, size_t offset)
{
    return (const char *)base + offset;
}

static bool is_empty(const struct field *f, const void *from)
{
    const void *member = at(from, f->offset);

    switch (f->kind) {
    case FIELD_TEXT: return ((const struct str *)member)->len == 0;
    case FIELD_VALUE: return ((const struct value *)member)->kind == VALUE_ABSENT;
    case FIELD_TIME: return *(const int64_t *)member == 0;
    case FIELD_COUNT: return *(const uint32_t *)member == 0;
    case FIELD_BOOL: return !*(const bool *)member;
    case FIELD_LIST: return *(const size_t *)at(from, f->count_offset) == 0;
    case FIELD_PART: return is_empty(f->items, member);
    case FIELD_END: break;
    }
    CHECK_NEVER("a field of no kind");
}

static void put_list(struct json_writer *w, const struct field *f, const void *from)
{
    const char *items = *(const char *const *)at(from, f->offset);
    size_t count = *(const size_t *)at(from, f->count_offset);

    json_open(w, '[');
    for (size_t i = 0; i < count; i++)
        fields_put(w, f->items, items + i * f->item_bytes);
    json_close(w, ']');
}

static void put_field(struct json_writer *w, const struct field *f, const void *from)
{
    const void *member = at(from, f->offset);

    switch (f->kind) {
    case FIELD_TEXT: json_str(w, *(const struct str *)member); return;
    case FIELD_VALUE: json_value(w, *(const struct value *)member); return;
    case FIELD_TIME: json_time(w, *(const int64_t *)member); return;
    case FIELD_COUNT: json_int(w, *(const uint32_t *)member); return;
    case FIELD_BOOL: json_bool(w, *(const bool *)member); return;
    case FIELD_LIST: put_list(w, f, from); return;
    case FIELD_PART: fields_put(w, f->items, member); return;
    case FIELD_END: break;
    }
    CHECK_NEVER("a field of no kind");
}

void fields_put(struct json_writer *w, const struct field *fields, const void *from)
{
    json_open(w, '{');
    for (const struct field *f = fields; f->kind != FIELD_END; f++) {
        if (f->optional && is_empty(f, from))
            continue;
        json_key(w, f->name);
        put_field(w, f, from);
    }
    json_close(w, '}');
}

/* --- reading -------------------------------------------------------------------------------------- */

static bool wrong(const struct field *f, const char *what, struct err *err)
{
    err_set(err, ERR_PARSE, "%s: %s", f->name, what);
    return false;
}

static bool read_object(struct value v, const struct field *fields, struct arena *arena, void *to,
                        struct err *err);

static bool read_list(struct value v, const struct field *f, struct arena *arena, void *to,
                      struct err *err)
{
    char *items = arena_alloc(arena, arena_array_bytes(v.n, f->item_bytes));

    for (size_t i = 0; i < v.n; i++)
        if (!read_object(v.list[i], f->items, arena, items + i * f->item_bytes, err)) {
            err_prefix(err, "%s", f->name);
            return false;
        }
    *(char **)((char *)to + f->offset) = items;
    *(size_t *)((char *)to + f->count_offset) = v.n;
    return true;
}

static bool read_field(struct value v, const struct field *f, struct arena *arena, void *to,
                       struct err *err)
{
    void *member = (char *)to + f->offset;

    switch (f->kind) {
    case FIELD_TEXT:
        if (v.kind != VALUE_STRING)
            return wrong(f, "is not a text", err);
        *(struct str *)member = value_str(v);
        return true;
    case FIELD_VALUE: *(struct value *)member = v; return true;
    case FIELD_TIME:
        if (v.kind != VALUE_STRING || !when_parse_ms(value_str(v), member) ||
            !when_is_printable(*(int64_t *)member))
            return wrong(f, "is no RFC 3339 time", err);
        return true;
    case FIELD_COUNT:
        if (v.kind != VALUE_INT || v.i < 0 || v.i > UINT32_MAX)
            return wrong(f, "is no whole number of 32 bits", err);
        *(uint32_t *)member = (uint32_t)v.i;
        return true;
    case FIELD_BOOL:
        if (v.kind != VALUE_BOOL)
            return wrong(f, "is neither true nor false", err);
        *(bool *)member = v.boolean;
        return true;
    case FIELD_LIST:
        return v.kind == VALUE_LIST ? read_list(v, f, arena, to, err)
                                    : wrong(f, "is not a list", err);
    case FIELD_PART:
        if (read_object(v, f->items, arena, member, err))
            return true;
        err_prefix(err, "%s", f->name);
        return false;
    case FIELD_END: break;
    }
    CHECK_NEVER("a field of no kind");
}

static bool read_object(struct value v, const struct field *fields, struct arena *arena, void *to,
                        struct err *err)
{
    if (v.kind != VALUE_MAP) {
        err_set(err, ERR_PARSE, "not an object");
        return false;
    }
    for (const struct field *f = fields; f->kind != FIELD_END; f++) {
        struct value member = value_map_get(v, str_of(f->name));
        if (member.kind == VALUE_ABSENT && !f->optional)
            return wrong(f, "is missing", err);
        if (member.kind != VALUE_ABSENT && !read_field(member, f, arena, to, err))
            return false;
    }
    return true;
}

bool fields_read(struct str text, const struct field *fields, struct arena *arena, void *to,
                 struct err *err)
{
    struct value v;

    return json_parse(text, arena, &v, err) == JSON_FINE && read_object(v, fields, arena, to, err);
}
