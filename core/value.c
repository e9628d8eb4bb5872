#include "core/value.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

struct value value_map(const struct value_entry *entries, size_t count)
{
    return (struct value){.kind = VALUE_MAP, .n = (uint32_t)count, .map = entries};
}

struct value value_list(const struct value *items, size_t count)
{
    return (struct value){.kind = VALUE_LIST, .n = (uint32_t)count, .list = items};
}

/* --- maps -------------------------------------------------------------------------------------- */

static bool is_key(enum value_kind kind)
{
    return kind == VALUE_BOOL || kind == VALUE_INT || kind == VALUE_UINT || kind == VALUE_STRING;
}

static const uint32_t *index_of(struct value map)
{
    return (const uint32_t *)(map.map + map.n + map.otherwise);
}

/* Number of the entry that comes at this place in order of keys. */
static uint32_t entry_at(struct value map, size_t place)
{
    return map.indexed != 0 ? index_of(map)[place] : (uint32_t)place;
}

static int compare_indexed(const void *a, const void *b, void *entries)
{
    const struct value_entry *all = entries;

    return value_key_compare(all[*(const uint32_t *)a].key, all[*(const uint32_t *)b].key);
}

static bool in_order(struct value map)
{
    for (size_t i = 1; i < map.n; i++)
        if (value_key_compare(map.map[i - 1].key, map.map[i].key) >= 0)
            return false;
    return true;
}

static size_t entries_bytes(struct value map)
{
    return arena_array_bytes((size_t)map.n + map.otherwise, sizeof *map.map);
}

/* Entries and, behind them, their numbers in order of keys. */
static void add_index(struct arena *arena, struct value *map)
{
    size_t bytes = entries_bytes(*map);
    char *copy = arena_alloc_raw(arena, bytes + arena_array_bytes(map->n, sizeof(uint32_t)));
    uint32_t *numbers = (uint32_t *)(copy + bytes);

    memcpy(copy, map->map, bytes);
    for (uint32_t i = 0; i < map->n; i++)
        numbers[i] = i;
    qsort_r(numbers, map->n, sizeof *numbers, compare_indexed, copy);
    map->map = (const struct value_entry *)copy;
    map->indexed = 1;
}

bool value_map_index(struct arena *arena, struct value *map)
{
    if (in_order(*map))
        return true;
    if (map->n <= VALUE_MAP_SCAN) {
        for (size_t i = 0; i < map->n; i++)
            if (value_map_find(*map, map->map[i].key) != &map->map[i].value)
                return false;
        return true;
    }
    add_index(arena, map);
    for (size_t i = 1; i < map->n; i++)
        if (value_key_compare(map->map[entry_at(*map, i - 1)].key,
                              map->map[entry_at(*map, i)].key) == 0)
            return false;
    return true;
}

static const struct value *find_by_order(struct value map, struct value key)
{
    size_t from = 0, to = map.n;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const struct value_entry *entry = &map.map[entry_at(map, middle)];
        int order = value_key_compare(key, entry->key);
        if (order == 0)
            return &entry->value;
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return NULL;
}

const struct value *value_map_find(struct value map, struct value key)
{
    if (!is_key(key.kind))
        return NULL;
    if (map.n > VALUE_MAP_SCAN)
        return find_by_order(map, key);
    for (size_t i = 0; i < map.n; i++)
        if (value_same(map.map[i].key, key))
            return &map.map[i].value;
    return NULL;
}

struct value value_map_get(struct value map, struct str key)
{
    const struct value *found =
        map.kind == VALUE_MAP ? value_map_find(map, value_string(key)) : NULL;

    return found != NULL ? *found : VALUE_NONE;
}

static bool same_maps(struct value a, struct value b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        const struct value *other = value_map_find(b, a.map[i].key);
        if (other == NULL || !value_same(a.map[i].value, *other))
            return false;
    }
    return true;
}

/* --- comparing and copying ---------------------------------------------------------------------- */

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
    case VALUE_MAP: return same_maps(a, b);
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

/* The index, too: it is the same for the copy. */
static struct value copy_map(struct arena *arena, struct value v)
{
    size_t bytes = entries_bytes((struct value){.n = v.n}),
           index_bytes = v.indexed != 0 ? v.n * sizeof(uint32_t) : 0;
    struct value_entry *entries = arena_alloc_raw(arena, bytes + index_bytes);

    for (size_t i = 0; i < v.n; i++)
        entries[i] = (struct value_entry){value_copy(arena, v.map[i].key),
                                          value_copy(arena, v.map[i].value)};
    if (index_bytes != 0)
        memcpy((char *)entries + bytes, index_of(v), index_bytes);
    v.map = entries;
    v.otherwise = 0;
    return v;
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

static struct value decode_map(struct reader *r, struct arena *arena, int depth)
{
    size_t count = reader_count(r, 2);
    struct value_entry *entries = ARENA_ARRAY(arena, struct value_entry, count);
    struct value map;

    for (size_t i = 0; i < count && !r->failed; i++) {
        entries[i].key = decode_at(r, arena, depth + 1);
        entries[i].value = decode_at(r, arena, depth + 1);
        r->failed |= !is_key(entries[i].key.kind);
    }
    map = value_map(entries, count);
    if (!r->failed && !value_map_index(arena, &map))
        r->failed = true;
    return map;
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
