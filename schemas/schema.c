/* Checking stops at the first thing that does not fit: the message names one place, and a record
 * that is wrong in one place is wrong.  The path to it is kept as a chain on the stack, so a value
 * that fits costs no text. */
#include "schemas/schema.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/check.h"
#include "core/limit.h"
#include "core/when.h"
#include "schemas/schema_rules.h"

/* --- where -------------------------------------------------------------------------------------- */

struct step { /* from the value at hand up to the top */
    const struct step *up;
    struct str key;
    size_t index; /* of a list, when key is NULL */
};

static void put_path(struct buf *out, const struct step *at)
{
    if (at == NULL)
        return;
    put_path(out, at->up);
    buf_put_char(out, '/');
    if (at->key.data != NULL)
        buf_put(out, at->key);
    else
        buf_put_format(out, "%zu", at->index);
}

__attribute__((format(printf, 3, 4))) static bool misfit(struct err *err, const struct step *at,
                                                         const char *format, ...)
{
    struct buf path = {0};
    char what[256];
    va_list args;

    if (err == NULL)
        return false;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    put_path(&path, at);
    err_set(err, ERR_PARSE, "%s: %s", at != NULL ? buf_text(&path) : "data", what);
    buf_free(&path);
    return false;
}

/* --- types -------------------------------------------------------------------------------------- */

static const struct {
    unsigned type;
    const char *name;
} type_names[] = {
    {TYPE_NULL, "null"},        {TYPE_BOOLEAN, "a boolean"}, {TYPE_INTEGER, "an integer"},
    {TYPE_NUMBER, "number"},    {TYPE_STRING, "a string"},   {TYPE_ARRAY, "a list"},
    {TYPE_OBJECT, "an object"},
};
enum { TYPE_NAMES = sizeof type_names / sizeof type_names[0] };

static bool is_whole(double d)
{
    return d == floor(d) && d >= -9223372036854775808.0 && d < 9223372036854775808.0;
}

/* The types that a value has: 1 and 1.0 are numbers and integers both. */
static unsigned types_of(struct value v)
{
    switch ((enum value_kind)v.kind) {
    case VALUE_BOOL: return TYPE_BOOLEAN;
    case VALUE_INT:
    case VALUE_UINT: return TYPE_INTEGER | TYPE_NUMBER;
    case VALUE_DOUBLE: return is_whole(v.d) ? TYPE_INTEGER | TYPE_NUMBER : TYPE_NUMBER;
    case VALUE_STRING: return TYPE_STRING;
    case VALUE_LIST: return TYPE_ARRAY;
    case VALUE_MAP: return TYPE_OBJECT;
    case VALUE_ABSENT:
    case VALUE_NULL: return TYPE_NULL;
    case VALUE_BYTES:
    case VALUE_TYPE:
    case VALUE_TIMESTAMP:
    case VALUE_DURATION:
    case VALUE_OPTIONAL:
    case VALUE_ERROR: return 0; /* nothing that JSON has */
    case VALUE_KIND_COUNT: break;
    }
    CHECK_NEVER("a value of no kind");
}

static const char *type_name(unsigned types)
{
    for (size_t i = TYPE_NAMES; i-- > 0;)
        if ((type_names[i].type & types) != 0)
            return type_names[i].type == TYPE_NUMBER ? "a number" : type_names[i].name;
    return "not JSON";
}

static bool type_misfit(struct err *err, const struct step *at, unsigned is, unsigned wanted)
{
    struct buf text = {0};

    for (size_t i = 0; i < TYPE_NAMES; i++)
        if ((type_names[i].type & wanted) != 0)
            buf_put_format(&text, "%s%s", text.len > 0 ? " or " : "", type_names[i].name);
    misfit(err, at, "is %s, wants %s", type_name(is), buf_text(&text));
    buf_free(&text);
    return false;
}

/* --- values ------------------------------------------------------------------------------------- */

static double number_of(struct value v)
{
    return v.kind == VALUE_INT ? (double)v.i : v.kind == VALUE_UINT ? (double)v.u : v.d;
}

static bool is_number(struct value v)
{
    return v.kind == VALUE_INT || v.kind == VALUE_UINT || v.kind == VALUE_DOUBLE;
}

/* As JSON Schema compares: 1 equals 1.0. */
static bool equal(struct value a, struct value b)
{
    if (is_number(a) && is_number(b))
        return a.kind == b.kind ? value_same(a, b) || number_of(a) == number_of(b)
                                : number_of(a) == number_of(b);
    if (a.kind != b.kind || (a.kind != VALUE_LIST && a.kind != VALUE_MAP))
        return value_same(a, b);
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        const struct value *other =
            a.kind == VALUE_MAP ? value_map_find(b, a.map[i].key) : &b.list[i];
        if (other == NULL || !equal(a.kind == VALUE_MAP ? a.map[i].value : a.list[i], *other))
            return false;
    }
    return true;
}

static bool check_choice(const struct schema_rules *rules, struct value v, const struct step *at,
                         struct err *err)
{
    if (rules->constant_given && !equal(rules->constant, v))
        return misfit(err, at, "is not the one value that is allowed");
    if (rules->choices.kind == VALUE_ABSENT)
        return true;
    for (size_t i = 0; i < rules->choices.n; i++)
        if (equal(rules->choices.list[i], v))
            return true;
    return misfit(err, at, "is none of the %u values that are allowed", rules->choices.n);
}

static bool check_number(const struct schema_rules *rules, struct value v, const struct step *at,
                         struct err *err)
{
    double d = number_of(v);

    if (rules->minimum.given && d < rules->minimum.value)
        return misfit(err, at, "%.15g is less than %.15g", d, rules->minimum.value);
    if (rules->above.given && d <= rules->above.value)
        return misfit(err, at, "%.15g is not greater than %.15g", d, rules->above.value);
    if (rules->maximum.given && d > rules->maximum.value)
        return misfit(err, at, "%.15g is greater than %.15g", d, rules->maximum.value);
    if (rules->below.given && d >= rules->below.value)
        return misfit(err, at, "%.15g is not less than %.15g", d, rules->below.value);
    return true;
}

static bool check_count(struct schema_count wanted, size_t count, const char *what,
                        const struct step *at, struct err *err)
{
    if (count < wanted.min)
        return misfit(err, at, "has %zu %s, wants at least %zu", count, what, wanted.min);
    if (count > wanted.max)
        return misfit(err, at, "has %zu %s, wants at most %zu", count, what, wanted.max);
    return true;
}

static size_t characters(struct str text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return count;
}

/* local@domain without blanks: enough to tell an address from a name. */
static bool is_email(struct str text)
{
    struct str local, domain;

    if (text.len > 254 || !str_cut(text, '@', &local, &domain) || local.len == 0 ||
        local.len > 64 || domain.len == 0 || memchr(domain.data, '@', domain.len) != NULL)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] <= ' ' || text.data[i] == 0x7f)
            return false;
    return domain.data[0] != '.' && domain.data[domain.len - 1] != '.';
}

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* RFC 3986: a scheme, a colon, and only characters that a URI may have. */
static bool is_uri(struct str text)
{
    struct str scheme, rest;

    if (!str_cut(text, ':', &scheme, &rest) || scheme.len == 0 || !is_letter(scheme.data[0]))
        return false;
    for (size_t i = 1; i < scheme.len; i++)
        if (!is_letter(scheme.data[i]) && strchr("0123456789+-.", scheme.data[i]) == NULL)
            return false;
    for (size_t i = 0; i < rest.len; i++)
        if (rest.data[i] <= ' ' || rest.data[i] == 0x7f || strchr("\"<>\\^`{|}", rest.data[i]))
            return false;
    return true;
}

static bool is_date(struct str text)
{
    char buffer[] = "YYYY-MM-DDT00:00:00Z";
    int64_t at_ms;

    if (text.len != 10)
        return false;
    memcpy(buffer, text.data, 10);
    return when_parse_ms(str_of(buffer), &at_ms);
}

static bool check_format(enum schema_format format, struct str text, const struct step *at,
                         struct err *err)
{
    int64_t at_ms;

    switch (format) {
    case FORMAT_NONE: return true;
    case FORMAT_DATE_TIME:
        return when_parse_ms(text, &at_ms) || misfit(err, at, "is no RFC 3339 time");
    case FORMAT_EMAIL: return is_email(text) || misfit(err, at, "is no e-mail address");
    case FORMAT_URI: return is_uri(text) || misfit(err, at, "is no URI");
    case FORMAT_DATE: return is_date(text) || misfit(err, at, "is no date (YYYY-MM-DD)");
    }
    CHECK_NEVER("a format that there is not");
}

static bool check_pattern(const struct schema_rules *rules, struct str text, const struct step *at,
                          struct err *err)
{
    if (rules->pattern == NULL ||
        regex_search(rules->pattern, text, LIMIT_PATTERN_STEPS) == REGEX_YES)
        return true;
    return misfit(err, at, "does not match %.*s", STR_ARG(rules->pattern_text));
}

static bool check_string(const struct schema_rules *rules, struct str text, const struct step *at,
                         struct err *err)
{
    bool counted = rules->length.min > 0 || rules->length.max < SIZE_MAX;

    return (!counted || check_count(rules->length, characters(text), "characters", at, err)) &&
           check_format(rules->format, text, at, err) && check_pattern(rules, text, at, err);
}

static bool check(const struct schema *schema, struct value v, const struct step *at,
                  struct err *err);

static bool check_list(const struct schema *schema, struct value v, const struct step *at,
                       struct err *err)
{
    if (!check_count(schema->rules->items, v.n, "items", at, err))
        return false;
    for (size_t i = 0; schema->items != NULL && i < v.n; i++) {
        const struct step down = {.up = at, .index = i};
        if (!check(schema->items, v.list[i], &down, err))
            return false;
    }
    return true;
}

static const struct schema *property(const struct schema *schema, struct str name)
{
    size_t low = 0, high = schema->property_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_compare(schema->properties[middle]->name, name);
        if (order == 0)
            return schema->properties[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool check_map(const struct schema *schema, struct value v, const struct step *at,
                      struct err *err)
{
    const struct schema_rules *rules = schema->rules;

    for (size_t i = 0; i < rules->required_count; i++)
        if (value_map_get(v, rules->required[i]).kind == VALUE_ABSENT)
            return misfit(err, at, "\"%.*s\" is missing", STR_ARG(rules->required[i]));
    for (size_t i = 0; i < v.n; i++) {
        struct str name = value_str(v.map[i].key);
        const struct step down = {.up = at, .key = name};
        const struct schema *declared = property(schema, name);
        if (declared == NULL && schema->closed)
            return misfit(err, &down, "may not be there");
        if (declared != NULL && !check(declared, v.map[i].value, &down, err))
            return false;
    }
    return true;
}

static bool check(const struct schema *schema, struct value v, const struct step *at,
                  struct err *err)
{
    const struct schema_rules *rules = schema->rules;
    unsigned types = types_of(v);

    if (types == 0 || (types & rules->types) == 0)
        return type_misfit(err, at, types, rules->types);
    if (!check_choice(rules, v, at, err))
        return false;
    if ((types & TYPE_NUMBER) != 0)
        return check_number(rules, v, at, err);
    if (types == TYPE_STRING)
        return check_string(rules, value_str(v), at, err);
    if (types == TYPE_ARRAY)
        return check_list(schema, v, at, err);
    return types != TYPE_OBJECT || check_map(schema, v, at, err);
}

bool schema_validate(const struct schema *schema, struct value v, struct err *err)
{
    return check(schema, v, NULL, err);
}

/* --- what rules see ----------------------------------------------------------------------------- */

const struct schema *schema_at(const struct schema *schema, struct str path)
{
    while (schema != NULL && path.len > 0) {
        size_t end = 1;
        if (path.data[0] != '/')
            return NULL;
        while (end < path.len && path.data[end] != '/')
            end++;
        schema = property(schema, str_slice(path, 1, end));
        path = str_slice(path, end, path.len);
    }
    return schema;
}

static struct value coerce_list(const struct schema *schema, struct value v, struct arena *arena)
{
    struct value *items;

    if (schema->items == NULL)
        return v;
    items = ARENA_ARRAY(arena, struct value, v.n);
    for (size_t i = 0; i < v.n; i++) {
        items[i] = schema_coerce(schema->items, v.list[i], arena);
        if (items[i].kind == VALUE_ABSENT) /* a list has no gaps */
            items[i].kind = VALUE_NULL;
    }
    return value_list(items, v.n);
}

static struct value coerce_map(const struct schema *schema, struct value v, struct arena *arena)
{
    struct value_entry *entries = ARENA_ARRAY(arena, struct value_entry, v.n);
    struct value map;
    size_t count = 0;

    for (size_t i = 0; i < v.n; i++) {
        const struct schema *declared = property(schema, value_str(v.map[i].key));
        struct value item = schema_coerce(declared, v.map[i].value, arena);
        if (item.kind != VALUE_ABSENT)
            entries[count++] = (struct value_entry){v.map[i].key, item};
    }
    map = value_map(entries, count);
    CHECK(value_map_index(arena, &map)); /* keys of a map */
    return map;
}

static struct value coerce_time(struct value v)
{
    int64_t seconds;
    int32_t nanos;

    if (!when_parse_rfc3339(value_str(v), &seconds, &nanos))
        return v;
    return (struct value){.kind = VALUE_TIMESTAMP, .n = (uint32_t)nanos, .i = seconds};
}

struct value schema_coerce(const struct schema *schema, struct value v, struct arena *arena)
{
    if (v.kind == VALUE_NULL)
        return VALUE_NONE;
    if (schema == NULL)
        return v;
    if (schema->type == SCHEMA_NUMBER && (v.kind == VALUE_INT || v.kind == VALUE_UINT))
        return value_double(number_of(v));
    if (schema->type == SCHEMA_INTEGER && v.kind == VALUE_DOUBLE && is_whole(v.d))
        return value_int((int64_t)v.d);
    if (schema->type == SCHEMA_TIME && v.kind == VALUE_STRING)
        return coerce_time(v);
    if (v.kind == VALUE_LIST)
        return coerce_list(schema, v, arena);
    if (v.kind == VALUE_MAP)
        return coerce_map(schema, v, arena);
    return v;
}
