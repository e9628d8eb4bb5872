/* core/value.h - one value: of an event's field, a fact, a CEL expression.
 *
 *   +------+-----+------------+--------------------+
 *   | kind |     | n (32 bit) | 8 bytes by kind    |   16 bytes, passed by value
 *   +------+-----+------------+--------------------+
 *
 * Texts, lists and maps point to memory that somebody else owns: an arena, as a rule.  Values
 * are immutable once made.  A map's entries stand in the order in which they were written: so they
 * print and are gone over.  The order plays no part when maps are compared.  A large map that was
 * not written in order of its keys has an index behind its entries:
 *
 *   map -> | entry 0 | ... | entry n-1 | (otherwise) | n numbers of entries, in order of keys |
 */
#ifndef ATTENT_CORE_VALUE_H
#define ATTENT_CORE_VALUE_H

#include <stdint.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/str.h"

enum value_kind {
    VALUE_ABSENT = 0, /* there is none: a field that is not there, a fact never set   */
    VALUE_NULL,
    VALUE_BOOL,
    VALUE_INT,       /* i                                                             */
    VALUE_UINT,      /* u                                                             */
    VALUE_DOUBLE,    /* d                                                             */
    VALUE_STRING,    /* text, n bytes, UTF-8                                          */
    VALUE_BYTES,     /* text, n bytes                                                 */
    VALUE_LIST,      /* list, n items                                                 */
    VALUE_MAP,       /* map, n entries                                                */
    VALUE_TYPE,      /* text, n bytes: the type's name, e.g. "int"                    */
    VALUE_TIMESTAMP, /* i = seconds since 1970-01-01T00:00:00Z, n = nanoseconds 0..1e9 */
    VALUE_DURATION,  /* i = seconds, n = nanoseconds 0..1e9 (so -0.5 s is -1, 5e8)    */
    VALUE_OPTIONAL,  /* boxed, NULL = optional.none()                                 */
    VALUE_ERROR,     /* text, n bytes: what went wrong, e.g. "no such key: vin"       */
    VALUE_KIND_COUNT
};

struct value_entry;

struct value {
    uint8_t kind;      /* enum value_kind */
    uint8_t otherwise; /* of a MAP, 1: map[n].value is what indexing gives for any other key; not
                          seen by `in`, size, equality, and gone in a copy */
    uint8_t indexed;   /* of a MAP, 1: an index stands behind the entries */
    uint32_t n;
    union {
        bool boolean;
        int64_t i;
        uint64_t u;
        double d;
        const char *text;
        const struct value *list;
        const struct value_entry *map;
        const struct value *boxed;
    };
};

struct value_entry {
    struct value key; /* bool, int, uint or string */
    struct value value;
};

#define VALUE_NONE ((struct value){.kind = VALUE_ABSENT})

static inline struct value value_bool(bool b)
{
    return (struct value){.kind = VALUE_BOOL, .boolean = b};
}
static inline struct value value_int(int64_t i)
{
    return (struct value){.kind = VALUE_INT, .i = i};
}
static inline struct value value_uint(uint64_t u)
{
    return (struct value){.kind = VALUE_UINT, .u = u};
}
static inline struct value value_double(double d)
{
    return (struct value){.kind = VALUE_DOUBLE, .d = d};
}
static inline struct value value_string(struct str s) /* borrowed */
{
    return (struct value){.kind = VALUE_STRING, .n = (uint32_t)s.len, .text = s.data};
}
static inline struct str value_str(struct value v) /* of STRING, BYTES, TYPE, ERROR */
{
    return (struct str){v.text, v.n};
}

struct value value_timestamp_ms(int64_t at_ms);
int64_t value_timestamp_to_ms(struct value v); /* of TIMESTAMP; rounds down */
struct value value_duration_ms(int64_t span_ms);
int64_t value_duration_to_ms(struct value v); /* of DURATION; rounds down */
struct value value_error(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A list, a map: items and entries are borrowed. */
struct value value_list(const struct value *items, size_t count);
struct value value_map(const struct value_entry *entries, size_t count);

/* Make *map ready for look-ups, once, after value_map: without it only one of VALUE_MAP_SCAN
 * entries at most, or with its keys in order, may be looked into.  Its entries are copied to arena
 * if they need an index.  False when a key stands twice; then *map must not be used. */
enum { VALUE_MAP_SCAN = 8 };
bool value_map_index(struct arena *arena, struct value *map);

/* The value of a key of any kind, NULL if none; 1 and 1u are different keys. */
const struct value *value_map_find(struct value map, struct value key);
struct value value_map_get(struct value map, struct str key); /* VALUE_ABSENT if none */

/* Order of map keys: by kind, then by value.  Not CEL's numeric order. */
int value_key_compare(struct value a, struct value b);

/* The same kind and content all the way down, whatever the order of a map.  1 and 1.0 differ
 * (CEL's equality is in rules/cel); NaN equals itself, so that a state can be compared with its
 * copy. */
bool value_same(struct value a, struct value b);

struct value value_copy(struct arena *arena, struct value v); /* deep */

/* A compact binary form for state blobs.  Reads back bit for bit, a map in its order.  value_decode allocates in
 * arena, borrows texts from the reader's input, limits nesting, and sets r->failed on rubbish. */
void value_encode(struct buf *out, struct value v);
struct value value_decode(struct reader *r, struct arena *arena);

const char *value_kind_name(enum value_kind kind); /* CEL's word, e.g. "int" */

#endif
