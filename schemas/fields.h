/* schemas/fields.h - a C struct as a JSON object, by one table for both directions.
 *
 * Written in the order of the table; empty optional fields are left out.  What was read and is
 * written again gives the same bytes.  Keys that the table does not have are read over: a newer
 * writer may add some.
 */
#ifndef ATTENT_SCHEMAS_FIELDS_H
#define ATTENT_SCHEMAS_FIELDS_H

#include "core/json.h"

enum field_kind {
    FIELD_END = 0, /* of a table */
    FIELD_TEXT,    /* struct str */
    FIELD_VALUE,   /* struct value, anything */
    FIELD_TIME,    /* int64_t, milliseconds; RFC 3339 */
    FIELD_COUNT,   /* uint32_t */
    FIELD_BOOL,    /* bool */
    FIELD_LIST,    /* T *, with a size_t count; objects of `items` */
    FIELD_PART,    /* T, in place: an object of `items`; empty when its first field is */
};

struct field {
    const char *name;
    enum field_kind kind;
    bool optional; /* left out when empty or 0, and read as that */
    size_t offset; /* in the struct */
    const struct field *items;
    size_t item_bytes;
    size_t count_offset;
};

/* A row of a table for member m of struct type. */
#define FIELD(type, m, kind_)                                                                      \
    {                                                                                              \
        .name = #m, .kind = (kind_), .offset = offsetof(struct type, m)                            \
    }
#define FIELD_AS(type, m, name_, kind_)                                                            \
    {                                                                                              \
        .name = (name_), .kind = (kind_), .offset = offsetof(struct type, m)                       \
    }
#define FIELD_OPTIONAL(type, m, kind_)                                                             \
    {                                                                                              \
        .name = #m, .kind = (kind_), .optional = true, .offset = offsetof(struct type, m)          \
    }

void fields_put(struct json_writer *w, const struct field *fields, const void *from);

/* Fill a struct; texts live in arena.  False: err says which field is missing or wrong. */
bool fields_read(struct str text, const struct field *fields, struct arena *arena, void *to,
                 struct err *err);

#endif
