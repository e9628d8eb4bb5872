#include "tests/support/mmdb_writer.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "core/check.h"
#include "core/json.h"
#include "core/mem.h"

enum { EMPTY = -1, POINTER_FROM = 4 /* a shorter text is not worth a pointer */ };

/* A side of a node: EMPTY, 2 * n another node, 2 * offset + 1 data. */
struct node {
    int64_t side[2];
};

struct seen {
    struct str text; /* JSON of a record, or a text of one */
    size_t offset;
};

struct seen_list {
    struct seen *items;
    size_t count, capacity;
};

struct mmdb_writer {
    int ip_version, record_bits;
    struct node *nodes;
    size_t node_count, node_capacity;
    struct buf data;
    struct seen_list records, texts;
    struct arena *arena;
};

/* --- data ------------------------------------------------------------------------------------------- */

static const struct seen *find_seen(const struct seen_list *list, struct str text)
{
    for (size_t i = 0; i < list->count; i++)
        if (str_equal(list->items[i].text, text))
            return &list->items[i];
    return NULL;
}

static void add_seen(struct seen_list *list, struct str text, size_t offset)
{
    MEM_RESERVE(list->items, list->count, list->capacity);
    list->items[list->count++] = (struct seen){text, offset};
}

static void put_number(struct buf *out, uint64_t number, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--)
        buf_put_char(out, (char)(number >> (8 * i)));
}

static void put_control(struct buf *out, int type, size_t size)
{
    int first = type <= 7 ? type << 5 : 0;
    size_t low = size < 29 ? size : size < 285 ? 29 : 30;

    CHECK(size < 65821);
    buf_put_char(out, (char)(first | (int)low));
    if (type > 7)
        buf_put_char(out, (char)(type - 7));
    if (low == 29)
        put_number(out, size - 29, 1);
    else if (low == 30)
        put_number(out, size - 285, 2);
}

static void put_pointer(struct buf *out, size_t offset)
{
    if (offset < 2048) {
        buf_put_char(out, (char)(1 << 5 | (int)(offset >> 8)));
        put_number(out, offset & 0xff, 1);
        return;
    }
    CHECK(offset - 2048 < 1 << 19);
    buf_put_char(out, (char)(1 << 5 | 1 << 3 | (int)((offset - 2048) >> 16)));
    put_number(out, (offset - 2048) & 0xffff, 2);
}

/* w NULL: no pointers, as in metadata. */
static void put_text(struct mmdb_writer *w, struct buf *out, struct str text)
{
    const struct seen *seen = w != NULL ? find_seen(&w->texts, text) : NULL;

    if (seen != NULL && text.len >= POINTER_FROM) {
        put_pointer(out, seen->offset);
        return;
    }
    if (w != NULL && seen == NULL)
        add_seen(&w->texts, text, out->len);
    put_control(out, 2, text.len);
    buf_put(out, text);
}

static void put_double(struct buf *out, double d)
{
    uint64_t bits;

    memcpy(&bits, &d, sizeof bits);
    put_control(out, 3, 8);
    put_number(out, bits, 8);
}

static void put_value(struct mmdb_writer *w, struct buf *out, struct value v)
{
    switch ((enum value_kind)v.kind) {
    case VALUE_STRING: put_text(w, out, value_str(v)); return;
    case VALUE_DOUBLE: put_double(out, v.d); return;
    case VALUE_BOOL: put_control(out, 14, v.boolean); return;
    case VALUE_INT:
        put_control(out, 6, 4);
        put_number(out, (uint64_t)v.i, 4);
        return;
    case VALUE_LIST:
        put_control(out, 11, v.n);
        for (uint32_t i = 0; i < v.n; i++)
            put_value(w, out, v.list[i]);
        return;
    case VALUE_MAP:
        put_control(out, 7, v.n);
        for (uint32_t i = 0; i < v.n; i++) {
            put_text(w, out, value_str(v.map[i].key));
            put_value(w, out, v.map[i].value);
        }
        return;
    case VALUE_ABSENT:
    case VALUE_NULL:
    case VALUE_UINT:
    case VALUE_BYTES:
    case VALUE_TYPE:
    case VALUE_TIMESTAMP:
    case VALUE_DURATION:
    case VALUE_OPTIONAL:
    case VALUE_ERROR:
    case VALUE_KIND_COUNT: break;
    }
    CHECK_NEVER("a value that the format does not have");
}

static struct value parsed(struct arena *arena, struct str json)
{
    struct value v;

    CHECK(json_parse(json, arena, &v, NULL) == JSON_FINE);
    return v;
}

static size_t record_at(struct mmdb_writer *w, const char *json)
{
    struct str text = arena_str(w->arena, str_of(json));
    const struct seen *seen = find_seen(&w->records, text);
    size_t offset = w->data.len;

    if (seen != NULL)
        return seen->offset;
    add_seen(&w->records, text, offset);
    put_value(w, &w->data, parsed(w->arena, text));
    return offset;
}

/* --- the search tree ---------------------------------------------------------------------------------- */

static int64_t new_node(struct mmdb_writer *w, int64_t side)
{
    MEM_RESERVE(w->nodes, w->node_count, w->node_capacity);
    w->nodes[w->node_count] = (struct node){{side, side}};
    return 2 * (int64_t)w->node_count++;
}

static int read_block(const struct mmdb_writer *w, const char *block, unsigned char bytes[16])
{
    struct str host, bits;
    struct arena *arena = arena_new(0);
    bool v6 = strchr(block, ':') != NULL, good;
    int first = w->ip_version == 6 && !v6 ? 96 : 0;

    memset(bytes, 0, 16);
    CHECK(str_cut(str_of(block), '/', &host, &bits));
    good = inet_pton(v6 ? AF_INET6 : AF_INET, arena_str(arena, host).data, bytes + first / 8) == 1;
    arena_free(arena);
    CHECK(good && (!v6 || w->ip_version == 6));
    return first + atoi(bits.data);
}

void mmdb_writer_add(struct mmdb_writer *w, const char *block, const char *json)
{
    int64_t record = 2 * (int64_t)record_at(w, json) + 1;
    unsigned char bytes[16];
    int bits = read_block(w, block, bytes);
    size_t at = 0;

    for (int i = 0; i < bits; i++) {
        int side = bytes[i / 8] >> (7 - i % 8) & 1;
        int64_t next = w->nodes[at].side[side];
        if (i == bits - 1) {
            w->nodes[at].side[side] = record;
            return;
        }
        if (next == EMPTY || (next & 1) != 0) {
            next = new_node(w, next);
            w->nodes[at].side[side] = next;
        }
        at = (size_t)(next / 2);
    }
}

static uint64_t record_number(const struct mmdb_writer *w, int64_t side)
{
    if (side == EMPTY)
        return w->node_count;
    return (side & 1) != 0 ? w->node_count + 16 + (uint64_t)side / 2 : (uint64_t)side / 2;
}

static void put_node(const struct mmdb_writer *w, struct buf *out, const struct node *node)
{
    uint64_t left = record_number(w, node->side[0]), right = record_number(w, node->side[1]);

    if (w->record_bits == 28) {
        put_number(out, left & 0xffffff, 3);
        put_number(out, left >> 24 << 4 | right >> 24, 1);
        put_number(out, right & 0xffffff, 3);
    } else {
        put_number(out, left, w->record_bits / 8);
        put_number(out, right, w->record_bits / 8);
    }
}

/* --- the file ------------------------------------------------------------------------------------------ */

static void put_uint(struct buf *out, const char *key, int type, int bytes, uint64_t number)
{
    put_text(NULL, out, str_of(key));
    put_control(out, type, (size_t)bytes);
    put_number(out, number, bytes);
}

static void put_metadata(const struct mmdb_writer *w, struct buf *out)
{
    enum { UINT16 = 5, UINT32 = 6, MAP = 7, UINT64 = 9, ARRAY = 11 };

    buf_put(out, STR("\xab\xcd\xefMaxMind.com"));
    put_control(out, MAP, 9);
    put_uint(out, "binary_format_major_version", UINT16, 2, 2);
    put_uint(out, "binary_format_minor_version", UINT16, 2, 0);
    put_uint(out, "build_epoch", UINT64, 8, MMDB_WRITER_BUILT_S);
    put_uint(out, "ip_version", UINT16, 2, (uint64_t)w->ip_version);
    put_uint(out, "node_count", UINT32, 4, w->node_count);
    put_uint(out, "record_size", UINT16, 2, (uint64_t)w->record_bits);
    put_text(NULL, out, STR("database_type"));
    put_text(NULL, out, STR("Test"));
    put_text(NULL, out, STR("description"));
    put_control(out, MAP, 1);
    put_text(NULL, out, STR("en"));
    put_text(NULL, out, STR("for tests"));
    put_text(NULL, out, STR("languages"));
    put_control(out, ARRAY, 1);
    put_text(NULL, out, STR("en"));
}

void mmdb_writer_put(const struct mmdb_writer *w, struct buf *out)
{
    static const char zeros[16];

    for (size_t i = 0; i < w->node_count; i++)
        put_node(w, out, &w->nodes[i]);
    buf_put(out, (struct str){zeros, sizeof zeros});
    buf_put(out, buf_str(&w->data));
    put_metadata(w, out);
}

struct mmdb_writer *mmdb_writer_new(int ip_version, int record_bits)
{
    struct mmdb_writer *w = MEM_NEW(struct mmdb_writer);

    *w = (struct mmdb_writer){ip_version, record_bits, .arena = arena_new(0)};
    new_node(w, EMPTY);
    return w;
}

void mmdb_writer_free(struct mmdb_writer *w)
{
    mem_free(w->nodes);
    mem_free(w->records.items);
    mem_free(w->texts.items);
    buf_free(&w->data);
    arena_free(w->arena);
    mem_free(w);
}
