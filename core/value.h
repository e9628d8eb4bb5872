/* core/value.h - one value: of an event's field, a fact, a CEL expression.
 *
 *   +------+-----+------------+--------------------+
 *   | kind |     | n (32 bit) | 8 bytes by kind    |   16 bytes, passed by value
 *   +------+-----+------------+--------------------+
 *
 * Texts, lists and maps point to memory that somebody else owns: an arena, as a rule.  Values
 * are immutable once made.  A map's entries are sorted by key, so that the same map always
 * prints and hashes the same, and a look-up is a binary search.
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

/* Sort entries by key in place, as a map needs them.  False when a key stands twice. */
bool value_map_sort(struct value_entry *entries, size_t count);
struct value value_map(const struct value_entry *sorted, size_t count);
struct value value_list(const struct value *items, size_t count);
struct value value_map_get(struct value map, struct str key); /* VALUE_ABSENT if none */

/* Order of map keys: by kind, then by value.  Not CEL's numeric order. */
int value_key_compare(struct value a, struct value b);

/* The same kind and content all the way down.  1 and 1.0 differ (CEL's equality is in
 * rules/cel); NaN equals itself, so that a state can be compared with its copy. */
bool value_same(struct value a, struct value b);

struct value value_copy(struct arena *arena, struct value v); /* deep */

/* A compact binary form for state blobs.  Reads back bit for bit.  value_decode allocates in
 * arena, borrows texts from the reader's input, limits nesting, and sets r->failed on rubbish. */
void value_encode(struct buf *out, struct value v);
struct value value_decode(struct reader *r, struct arena *arena);

const char *value_kind_name(enum value_kind kind); /* CEL's word, e.g. "int" */

#endif
