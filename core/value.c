#include "core/value.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/check.h"

enum {
    NANOS_PER_MS = 1000000,
    MS_PER_SECOND = 1000,
    DEPTH_MAX = 64, /* nesting of a decoded value; JSON input is limited to less */
};

static const char *const kind_names[VALUE_KIND_COUNT] = {
    [VALUE_ABSENT] = "absent",
    [VALUE_NULL] = "null_type",
    [VALUE_BOOL] = "bool",
    [VALUE_INT] = "int",
    [VALUE_UINT] = "uint",
    [VALUE_DOUBLE] = "double",
    [VALUE_STRING] = "string",
    [VALUE_BYTES] = "bytes",
    [VALUE_LIST] = "list",
    [VALUE_MAP] = "map",
    [VALUE_TYPE] = "type",
    [VALUE_TIMESTAMP] = "google.protobuf.Timestamp",
    [VALUE_DURATION] = "google.protobuf.Duration",
    [VALUE_OPTIONAL] = "optional_type",
    [VALUE_ERROR] = "error",
};

const char *value_kind_name(enum value_kind kind)
{
    CHECK((unsigned)kind < VALUE_KIND_COUNT);
    return kind_names[kind];
}

static struct value of_ms(enum value_kind kind, int64_t ms)
{
    int64_t seconds = ms / MS_PER_SECOND;
    int64_t rest = ms % MS_PER_SECOND;

    if (rest < 0) {
        rest += MS_PER_SECOND;
        seconds--;
    }
    return (struct value){
        .kind = (uint8_t)kind, .n = (uint32_t)(rest * NANOS_PER_MS), .i = seconds};
}

static int64_t to_ms(struct value v)
{
    return v.i * MS_PER_SECOND + v.n / NANOS_PER_MS;
}

struct value value_timestamp_ms(int64_t at_ms)
{
    return of_ms(VALUE_TIMESTAMP, at_ms);
}

int64_t value_timestamp_to_ms(struct value v)
{
    CHECK(v.kind == VALUE_TIMESTAMP);
    return to_ms(v);
}

struct value value_duration_ms(int64_t span_ms)
{
    return of_ms(VALUE_DURATION, span_ms);
}

int64_t value_duration_to_ms(struct value v)
{
    CHECK(v.kind == VALUE_DURATION);
    return to_ms(v);
}

struct value value_error(struct arena *arena, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct str kept = arena_str(arena, str_of(text));
    return (struct value){.kind = VALUE_ERROR, .n = (uint32_t)kept.len, .text = kept.data};
}

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

int value_key_compare(struct value a, struct value b)
{
    if (a.kind != b.kind)
        return a.kind < b.kind ? -1 : 1;
    if (a.kind == VALUE_BOOL)
        return (int)a.boolean - (int)b.boolean;
    if (a.kind == VALUE_INT)
        return (a.i > b.i) - (a.i < b.i);
    if (a.kind == VALUE_UINT)
        return compare_u64(a.u, b.u);
    CHECK(a.kind == VALUE_STRING);
    return str_compare(value_str(a), value_str(b));
}

static int compare_entries(const void *a, const void *b)
{
    return value_key_compare(((const struct value_entry *)a)->key,
                             ((const struct value_entry *)b)->key);
}

bool value_map_sort(struct value_entry *entries, size_t count)
{
    if (count > 1)
        qsort(entries, count, sizeof *entries, compare_entries);
    for (size_t i = 1; i < count; i++)
        if (compare_entries(&entries[i - 1], &entries[i]) == 0)
            return false;
    return true;
}

struct value value_map(const struct value_entry *sorted, size_t count)
{
    return (struct value){.kind = VALUE_MAP, .n = (uint32_t)count, .map = sorted};
}

struct value value_list(const struct value *items, size_t count)
{
    return (struct value){.kind = VALUE_LIST, .n = (uint32_t)count, .list = items};
}

struct value value_map_get(struct value map, struct str key)
{
    struct value_entry wanted = {.key = value_string(key)};
    const struct value_entry *found;

    if (map.kind != VALUE_MAP || map.n == 0)
        return VALUE_NONE;
    found = bsearch(&wanted, map.map, map.n, sizeof *map.map, compare_entries);
    return found != NULL ? found->value : VALUE_NONE;
}

static bool has_text(enum value_kind kind)
{
    return kind == VALUE_STRING || kind == VALUE_BYTES || kind == VALUE_TYPE || kind == VALUE_ERROR;
}

bool value_same(struct value a, struct value b)
{
    if (a.kind != b.kind)
        return false;
    if (has_text(a.kind))
        return str_equal(value_str(a), value_str(b));
    switch ((enum value_kind)a.kind) {
    case VALUE_ABSENT:
    case VALUE_NULL: return true;
    case VALUE_BOOL: return a.boolean == b.boolean;
    case VALUE_LIST:
        for (size_t i = 0; a.n == b.n && i < a.n; i++)
            if (!value_same(a.list[i], b.list[i]))
                return false;
        return a.n == b.n;
    case VALUE_MAP:
        for (size_t i = 0; a.n == b.n && i < a.n; i++)
            if (!value_same(a.map[i].key, b.map[i].key) ||
                !value_same(a.map[i].value, b.map[i].value))
                return false;
        return a.n == b.n;
    case VALUE_OPTIONAL:
        if (a.boxed == NULL || b.boxed == NULL)
            return a.boxed == b.boxed;
        return value_same(*a.boxed, *b.boxed);
    case VALUE_INT:
    case VALUE_UINT:
    case VALUE_DOUBLE: /* bits, so NaN equals itself */
    case VALUE_TIMESTAMP:
    case VALUE_DURATION: return a.n == b.n && a.u == b.u;
    case VALUE_STRING:
    case VALUE_BYTES:
    case VALUE_TYPE:
    case VALUE_ERROR:
    case VALUE_KIND_COUNT: break;
    }
    CHECK_NEVER("a value of no kind");
}

static struct value copy_list(struct arena *arena, struct value v)
{
    struct value *items = ARENA_ARRAY(arena, struct value, v.n);

    for (size_t i = 0; i < v.n; i++)
        items[i] = value_copy(arena, v.list[i]);
    return value_list(items, v.n);
}

static struct value copy_map(struct arena *arena, struct value v)
{
    struct value_entry *entries = ARENA_ARRAY(arena, struct value_entry, v.n);

    for (size_t i = 0; i < v.n; i++)
        entries[i] = (struct value_entry){value_copy(arena, v.map[i].key),
                                          value_copy(arena, v.map[i].value)};
    return value_map(entries, v.n);
}

struct value value_copy(struct arena *arena, struct value v)
{
    if (has_text(v.kind)) {
        v.text = arena_str(arena, value_str(v)).data;
    } else if (v.kind == VALUE_LIST) {
        return copy_list(arena, v);
    } else if (v.kind == VALUE_MAP) {
        return copy_map(arena, v);
    } else if (v.kind == VALUE_OPTIONAL && v.boxed != NULL) {
        struct value *boxed = ARENA_NEW(arena, struct value);
        *boxed = value_copy(arena, *v.boxed);
        v.boxed = boxed;
    }
    return v;
}

void value_encode(struct buf *out, struct value v)
{
    buf_put_u8(out, v.kind);
    switch ((enum value_kind)v.kind) {
    case VALUE_ABSENT:
    case VALUE_NULL: return;
    case VALUE_BOOL: buf_put_u8(out, v.boolean); return;
    case VALUE_INT: buf_put_zigzag(out, v.i); return;
    case VALUE_UINT: buf_put_varint(out, v.u); return;
    case VALUE_DOUBLE: buf_put_u64(out, v.u); return;
    case VALUE_STRING:
    case VALUE_BYTES:
    case VALUE_TYPE:
    case VALUE_ERROR: buf_put_bytes(out, value_str(v)); return;
    case VALUE_LIST:
        buf_put_varint(out, v.n);
        for (size_t i = 0; i < v.n; i++)
            value_encode(out, v.list[i]);
        return;
    case VALUE_MAP:
        buf_put_varint(out, v.n);
        for (size_t i = 0; i < v.n; i++) {
            value_encode(out, v.map[i].key);
            value_encode(out, v.map[i].value);
        }
        return;
    case VALUE_TIMESTAMP:
    case VALUE_DURATION:
        buf_put_zigzag(out, v.i);
        buf_put_varint(out, v.n);
        return;
    case VALUE_OPTIONAL:
        buf_put_u8(out, v.boxed != NULL);
        if (v.boxed != NULL)
            value_encode(out, *v.boxed);
        return;
    case VALUE_KIND_COUNT: break;
    }
    CHECK_NEVER("a value of no kind");
}

static struct value decode_at(struct reader *r, struct arena *arena, int depth);

static struct value decode_list(struct reader *r, struct arena *arena, int depth)
{
    size_t count = reader_count(r, 1);
    struct value *items = ARENA_ARRAY(arena, struct value, count);

    for (size_t i = 0; i < count && !r->failed; i++)
        items[i] = decode_at(r, arena, depth + 1);
    return value_list(items, count);
}

static bool is_key(enum value_kind kind)
{
    return kind == VALUE_BOOL || kind == VALUE_INT || kind == VALUE_UINT || kind == VALUE_STRING;
}

static struct value decode_map(struct reader *r, struct arena *arena, int depth)
{
    size_t count = reader_count(r, 2);
    struct value_entry *entries = ARENA_ARRAY(arena, struct value_entry, count);

    for (size_t i = 0; i < count && !r->failed; i++) {
        entries[i].key = decode_at(r, arena, depth + 1);
        entries[i].value = decode_at(r, arena, depth + 1);
        if (!is_key(entries[i].key.kind) ||
            (i > 0 && value_key_compare(entries[i - 1].key, entries[i].key) >= 0))
            r->failed = true;
    }
    return value_map(entries, count);
}

static struct value decode_boxed(struct reader *r, struct arena *arena, int depth)
{
    struct value v = {.kind = VALUE_OPTIONAL};

    if (reader_u8(r) != 0) {
        struct value *boxed = ARENA_NEW(arena, struct value);
        *boxed = decode_at(r, arena, depth + 1);
        v.boxed = boxed;
    }
    return v;
}

static struct value decode_at(struct reader *r, struct arena *arena, int depth)
{
    struct value v = {.kind = reader_u8(r)};
    struct str text;

    if (r->failed || v.kind >= VALUE_KIND_COUNT || depth > DEPTH_MAX) {
        r->failed = true;
        return VALUE_NONE;
    }
    switch ((enum value_kind)v.kind) {
    case VALUE_BOOL: v.boolean = reader_u8(r) != 0; break;
    case VALUE_INT: v.i = reader_zigzag(r); break;
    case VALUE_UINT: v.u = reader_varint(r); break;
    case VALUE_DOUBLE: v.u = reader_u64(r); break;
    case VALUE_STRING:
    case VALUE_BYTES:
    case VALUE_TYPE:
    case VALUE_ERROR:
        text = reader_bytes(r);
        v.text = text.data;
        v.n = (uint32_t)text.len;
        break;
    case VALUE_LIST: v = decode_list(r, arena, depth); break;
    case VALUE_MAP: v = decode_map(r, arena, depth); break;
    case VALUE_TIMESTAMP:
    case VALUE_DURATION:
        v.i = reader_zigzag(r);
        v.n = (uint32_t)reader_varint(r);
        r->failed |= v.n >= 1000000000u;
        break;
    case VALUE_OPTIONAL: v = decode_boxed(r, arena, depth); break;
    case VALUE_ABSENT:
    case VALUE_NULL:
    case VALUE_KIND_COUNT: break;
    }
    return r->failed ? VALUE_NONE : v;
}

struct value value_decode(struct reader *r, struct arena *arena)
{
    return decode_at(r, arena, 0);
}
