/* schemas/schema.h - JSON Schema, the draft-07 subset that event types are declared in.
 *
 * Taken: type (also a list), properties, required, additionalProperties (bool), items (one schema), enum,
 * const, minimum, maximum, exclusiveMinimum, exclusiveMaximum, minLength, maxLength, minItems,
 * maxItems, pattern, format (date-time, email, uri, date), title, description, $id, $schema,
 * examples, default, and of our own unit, x-title, x-words, x-values.  Anything else is refused when the schema is read, so that no
 * rule of it is silently not checked.
 */
#ifndef ATTENT_SCHEMAS_SCHEMA_H
#define ATTENT_SCHEMAS_SCHEMA_H

#include "core/diag.h"
#include "core/json.h"
#include "core/phrase.h"

enum schema_type {
    SCHEMA_ANY = 0,
    SCHEMA_NULL,
    SCHEMA_BOOLEAN,
    SCHEMA_INTEGER, /* always int */
    SCHEMA_NUMBER,  /* always double, also when the text has no point */
    SCHEMA_STRING,
    SCHEMA_TIME, /* string with format: date-time: a timestamp */
    SCHEMA_ARRAY,
    SCHEMA_OBJECT,
};

struct schema_value {
    struct str value; /* as in the event: "NL" */
    struct phrases words;
};

struct schema {
    enum schema_type type; /* the one type beside null; SCHEMA_ANY if there are several */
    bool nullable;
    struct str name;             /* of the property; empty at the top */
    struct str title;            /* for people; empty: none */
    struct phrases titles;       /* title (of no stated language) and x-title; or none */
    struct phrases words;        /* x-words: in a sentence (core/phrase.h); or none */
    struct schema_value *values; /* x-values: what people call a value */
    size_t value_count;
    struct str unit;            /* "kg", "EUR"; empty: none */
    struct schema **properties; /* of an object, sorted by name */
    size_t property_count;
    const struct schema *items; /* of an array, NULL = any */
    bool closed;                /* additionalProperties: false */
    struct schema_rules *rules; /* the rest; NULL = none */
};

/* Read a schema from JSON text.  Everything lives in arena.  NULL when diags got errors. */
struct schema *schema_read(struct str text, const char *file, struct arena *arena,
                           struct diags *diags);

/* The property at a JSON Pointer below schema ("/vin"), NULL if it is not declared. */
const struct schema *schema_at(const struct schema *schema, struct str path);

/* Does the value fit?  If not, err says where and why: "/weight_kg: is a string, wants number". */
bool schema_validate(const struct schema *schema, struct value v, struct err *err);

/* A value that fits, for people to look at: the schema's own example, else made up, always the same.
 * Of an object all properties that a value can be made for.  VALUE_ABSENT: none was found. */
struct value schema_sample(const struct schema *schema, struct arena *arena);

bool schema_requires(const struct schema *object, struct str property);

/* What a field can be, for those who reckon with it (schemas/schema_range.c).  Numbers: false where
 * the schema is none of numbers.  Choices: the values of enum, or const, as a list; false: any. */
struct schema_span {
    double low, high; /* infinite: no bound */
    bool low_out, high_out;
};
bool schema_numbers(const struct schema *schema, struct schema_span *span);
bool schema_choices(const struct schema *schema, struct value *list);
/* Every object has what the JSON Pointer leads to, and none has null there. */
bool schema_always_has(const struct schema *object, struct str pointer);

/* The value as rules see it: number always double, date-time a timestamp, null absent. */
struct value schema_coerce(const struct schema *schema, struct value v, struct arena *arena);

#endif
