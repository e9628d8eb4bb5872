/* schemas/schema_compare.h - what a schema no longer promises that its predecessor did. */
#ifndef ATTENT_SCHEMAS_SCHEMA_COMPARE_H
#define ATTENT_SCHEMAS_SCHEMA_COMPARE_H

#include "schemas/schema.h"

enum schema_change {
    SCHEMA_REMOVED,    /* the field is not declared any more */
    SCHEMA_RETYPED,    /* it is something else */
    SCHEMA_VALUE_GONE, /* one of the values that it could have */
    SCHEMA_MAY_MISS,   /* it had to be there, and need not be, or may be null */
};

struct schema_difference {
    enum schema_change change;
    struct str pointer; /* below data: "/place/city"; empty: data itself */
    struct str text;    /* "was number, is string"; the value as JSON; or empty */
};

/* Each difference, from the outside in and by name; what is new or wider is none.  Texts live in arena. */
void schema_compare(const struct schema *before, const struct schema *after, struct arena *arena,
                    void (*found)(void *context, const struct schema_difference *d), void *context);

/* For people: "number", "time", "list". */
const char *schema_type_word(enum schema_type type);

#endif
