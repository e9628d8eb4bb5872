/* schemas/schema_rules.h - what a schema demands beside types and properties.
 *
 * Private to schemas/schema_read.c, which fills it, schemas/schema.c, which checks it,
 * schemas/schema_sample.c, which makes a value that fits, and schemas/schema_range.c, which says what
 * can come.
 */
#ifndef ATTENT_SCHEMAS_SCHEMA_RULES_H
#define ATTENT_SCHEMAS_SCHEMA_RULES_H

#include "core/regex.h"
#include "schemas/schema.h"

/* JSON's types as bits. */
enum {
    TYPE_NULL = 1,
    TYPE_BOOLEAN = 2,
    TYPE_INTEGER = 4,
    TYPE_NUMBER = 8, /* covers integers too */
    TYPE_STRING = 16,
    TYPE_ARRAY = 32,
    TYPE_OBJECT = 64,
    TYPE_ALL = 127,
};

enum schema_format { FORMAT_NONE = 0, FORMAT_DATE_TIME, FORMAT_EMAIL, FORMAT_URI, FORMAT_DATE };

struct schema_bound {
    bool given;
    double value;
};

struct schema_count { /* of characters, of items */
    size_t min, max;  /* both inclusive */
};

struct schema_rules {
    unsigned types;       /* TYPE_ bits that are allowed */
    struct value choices; /* enum, a list; VALUE_ABSENT: any */
    struct value example; /* the first of examples, VALUE_ABSENT: none */
    bool constant_given;
    struct value constant; /* const */
    struct schema_bound minimum, maximum, above, below;
    struct schema_count length, items;
    const struct regex *pattern; /* NULL: any */
    struct str pattern_text;
    enum schema_format format;
    struct str *required;
    size_t required_count;
};

#endif
