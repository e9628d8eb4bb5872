/* A table of keywords drives the reader: each has the types that it speaks of and a function that
 * takes its value.  What is not in the table is refused, and so is a keyword beside a type that
 * it can never apply to: a rule that is never checked is worse than none.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/check.h"
#include "core/limit.h"
#include "core/mem.h"
#include "schemas/schema_rules.h"

struct reading {
    struct str text; /* of the whole file */
    const char *file;
    struct arena *arena;
    struct diags *diags;
    struct buf pointer; /* where we are: "/properties/vin/minimum" */
};

/* --- findings ------------------------------------------------------------------------------- */

__attribute__((format(printf, 4, 5))) static void found(struct reading *r, const char *code,
                                                        const char *help, const char *format, ...)
{
    struct place place = {.file = r->file};
    char what[256];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (!json_locate(r->text, buf_str(&r->pointer), &place.line, &place.column))
        place.line = place.column = 0;
    diag_add(r->diags, DIAG_ERROR, place, code, help, "%s", what);
}

/* Go down into a key, and back up again with the length that this gives. */
static size_t down(struct reading *r, struct str key)
{
    size_t up = r->pointer.len;

    buf_put_char(&r->pointer, '/');
    buf_put(&r->pointer, key);
    return up;
}

/* --- keywords ---------------------------------------------------------------------------------- */

static struct schema *read_schema(struct reading *r, struct value v);

static bool take_text(struct reading *r, struct value v, struct str *out)
{
    if (v.kind != VALUE_STRING) {
        found(r, "wrong-type", "write it in double quotes", "here has to be a text");
        return false;
    }
    *out = value_str(v);
    return true;
}

static void take_nothing(struct reading *r, struct schema *s, struct value v)
{
    (void)r, (void)s, (void)v;
}

static void take_dialect(struct reading *r, struct schema *s, struct value v)
{
    struct str uri;

    (void)s;
    if (take_text(r, v, &uri) && !str_is(uri, "http://json-schema.org/draft-07/schema#") &&
        !str_is(uri, "http://json-schema.org/draft-07/schema"))
        found(r, "dialect", "write http://json-schema.org/draft-07/schema#",
              "only draft-07 is taken");
}

static void take_title(struct reading *r, struct schema *s, struct value v)
{
    take_text(r, v, &s->title);
}

/* {"nl": "Gewicht"}, added to what is there. */
static void take_phrases(struct reading *r, struct value v, struct phrases *out)
{
    struct phrase *items;

    if (v.kind != VALUE_MAP || v.n == 0 || v.n > LIMIT_LANGUAGES) {
        found(r, "wrong-type", "write {\"en\": \"...\", \"nl\": \"...\"}",
              "here has to be a text for each language");
        return;
    }
    items = ARENA_ARRAY(r->arena, struct phrase, out->count + v.n);
    if (out->count != 0)
        memcpy(items, out->items, out->count * sizeof *items);
    out->items = items;
    for (size_t i = 0; i < v.n; i++) {
        struct phrase *phrase = &items[out->count++];
        size_t up;
        phrase->language = value_str(v.map[i].key);
        up = down(r, phrase->language);
        if (!language_is_tag(phrase->language))
            found(r, "language", "write en, nl or nl-BE", "this is no code of a language");
        if (take_text(r, v.map[i].value, &phrase->text) && !phrase_fits(phrase->text))
            found(r, "phrase", "write [a|no] or [not]",
                  "brackets stand in pairs, with at most one bar inside");
        r->pointer.len = up;
    }
}

static void take_x_title(struct reading *r, struct schema *s, struct value v)
{
    take_phrases(r, v, &s->titles);
}

static void take_x_words(struct reading *r, struct schema *s, struct value v)
{
    take_phrases(r, v, &s->words);
}

static void take_x_values(struct reading *r, struct schema *s, struct value v)
{
    if (v.kind != VALUE_MAP) {
        found(r, "wrong-type", "write {\"value\": {\"en\": \"...\"}}",
              "here have to be values and their words");
        return;
    }
    s->values = ARENA_ARRAY(r->arena, struct schema_value, v.n);
    for (size_t i = 0; i < v.n; i++) {
        struct str value = value_str(v.map[i].key);
        size_t up = down(r, value);
        s->values[i].value = value;
        take_phrases(r, v.map[i].value, &s->values[i].words);
        r->pointer.len = up;
    }
    s->value_count = v.n;
}

/* The title goes first: it is the one of no stated language. */
static void settle_titles(struct reading *r, struct schema *s)
{
    struct phrase *items = ARENA_ARRAY(r->arena, struct phrase, s->titles.count + 1);

    if (s->title.len == 0)
        return;
    items[0].text = s->title;
    if (s->titles.count != 0)
        memcpy(items + 1, s->titles.items, s->titles.count * sizeof *items);
    s->titles = (struct phrases){items, s->titles.count + 1};
}

static void take_unit(struct reading *r, struct schema *s, struct value v)
{
    take_text(r, v, &s->unit);
}

static const struct {
    const char *word;
    unsigned type;
    enum schema_type schema;
} type_words[] = {
    {"null", TYPE_NULL, SCHEMA_NULL},          {"boolean", TYPE_BOOLEAN, SCHEMA_BOOLEAN},
    {"integer", TYPE_INTEGER, SCHEMA_INTEGER}, {"number", TYPE_NUMBER, SCHEMA_NUMBER},
    {"string", TYPE_STRING, SCHEMA_STRING},    {"array", TYPE_ARRAY, SCHEMA_ARRAY},
    {"object", TYPE_OBJECT, SCHEMA_OBJECT},
};
enum { TYPE_WORDS = sizeof type_words / sizeof type_words[0] };

static unsigned type_bit(struct reading *r, struct value v)
{
    for (size_t i = 0; v.kind == VALUE_STRING && i < TYPE_WORDS; i++)
        if (str_is(value_str(v), type_words[i].word))
            return type_words[i].type;
    found(r, "wrong-type", "write null, boolean, integer, number, string, array or object",
          "there is no such type of field");
    return 0;
}

static void take_type(struct reading *r, struct schema *s, struct value v)
{
    unsigned types = 0;

    if (v.kind != VALUE_LIST)
        types = type_bit(r, v);
    for (size_t i = 0; v.kind == VALUE_LIST && i < v.n; i++)
        types |= type_bit(r, v.list[i]);
    if (v.kind == VALUE_LIST && v.n == 0)
        found(r, "wrong-type", "write string, number, integer, boolean, array or object",
              "a list of types that is empty allows nothing");
    s->rules->types = types & TYPE_NUMBER ? types & ~(unsigned)TYPE_INTEGER : types;
}

static int compare_names(const void *a, const void *b)
{
    return str_compare((*(struct schema *const *)a)->name, (*(struct schema *const *)b)->name);
}

static void take_properties(struct reading *r, struct schema *s, struct value v)
{
    if (v.kind != VALUE_MAP) {
        found(r, "wrong-type", "write {\"field\": {\"type\": \"string\"}}",
              "\"properties\" needs fields, each with its schema");
        return;
    }
    s->properties = ARENA_ARRAY(r->arena, struct schema *, v.n);
    for (size_t i = 0; i < v.n; i++) {
        size_t up = down(r, value_str(v.map[i].key));
        struct schema *property = read_schema(r, v.map[i].value);
        r->pointer.len = up;
        property->name = value_str(v.map[i].key);
        s->properties[s->property_count++] = property;
    }
    if (s->property_count > 1)
        qsort(s->properties, s->property_count, sizeof *s->properties, compare_names);
}

static void take_required(struct reading *r, struct schema *s, struct value v)
{
    if (v.kind != VALUE_LIST) {
        found(r, "wrong-type", "write [\"field\", \"other\"]",
              "\"required\" needs a list of names of fields");
        return;
    }
    s->rules->required = ARENA_ARRAY(r->arena, struct str, v.n);
    for (size_t i = 0; i < v.n; i++)
        if (take_text(r, v.list[i], &s->rules->required[s->rules->required_count]))
            s->rules->required_count++;
}

static void take_additional(struct reading *r, struct schema *s, struct value v)
{
    if (v.kind != VALUE_BOOL)
        found(r, "wrong-type", "write true or false",
              "\"additionalProperties\" is taken as true or false only");
    else
        s->closed = !v.boolean;
}

static void take_items(struct reading *r, struct schema *s, struct value v)
{
    if (v.kind == VALUE_LIST)
        found(r, "wrong-type", "write {\"type\": \"string\"}",
              "\"items\" is taken as one schema for all items only");
    else
        s->items = read_schema(r, v);
}

static void take_enum(struct reading *r, struct schema *s, struct value v)
{
    if (v.kind != VALUE_LIST || v.n == 0)
        found(r, "wrong-type", "write [\"one\", \"other\"]",
              "\"enum\" needs a list of at least one value");
    else
        s->rules->choices = v;
}

static void take_examples(struct reading *r, struct schema *s, struct value v)
{
    if (v.kind != VALUE_LIST)
        found(r, "wrong-type", "write [\"one\", \"other\"]", "\"examples\" needs a list of values");
    else if (v.n != 0)
        s->rules->example = v.list[0];
}

static void take_const(struct reading *r, struct schema *s, struct value v)
{
    (void)r;
    s->rules->constant_given = true;
    s->rules->constant = v;
}

static void take_bound(struct reading *r, struct schema_bound *bound, struct value v)
{
    if (v.kind != VALUE_INT && v.kind != VALUE_DOUBLE)
        found(r, "wrong-type", "write it without quotes", "a bound has to be a number");
    else
        *bound = (struct schema_bound){true, v.kind == VALUE_INT ? (double)v.i : v.d};
}

static void take_minimum(struct reading *r, struct schema *s, struct value v)
{
    take_bound(r, &s->rules->minimum, v);
}

static void take_maximum(struct reading *r, struct schema *s, struct value v)
{
    take_bound(r, &s->rules->maximum, v);
}

static void take_above(struct reading *r, struct schema *s, struct value v)
{
    take_bound(r, &s->rules->above, v);
}

static void take_below(struct reading *r, struct schema *s, struct value v)
{
    take_bound(r, &s->rules->below, v);
}

static void take_count(struct reading *r, size_t *count, struct value v)
{
    if (v.kind != VALUE_INT || v.i < 0)
        found(r, "wrong-type", "write 0 or more, without quotes",
              "a length has to be a whole number");
    else
        *count = (size_t)v.i;
}

static void take_min_length(struct reading *r, struct schema *s, struct value v)
{
    take_count(r, &s->rules->length.min, v);
}

static void take_max_length(struct reading *r, struct schema *s, struct value v)
{
    take_count(r, &s->rules->length.max, v);
}

static void take_min_items(struct reading *r, struct schema *s, struct value v)
{
    take_count(r, &s->rules->items.min, v);
}

static void take_max_items(struct reading *r, struct schema *s, struct value v)
{
    take_count(r, &s->rules->items.max, v);
}

static void take_pattern(struct reading *r, struct schema *s, struct value v)
{
    struct regex *pattern;
    struct err err = {0};

    if (!take_text(r, v, &s->rules->pattern_text))
        return;
    if (regex_compile(s->rules->pattern_text, r->arena, &pattern, &err) == ERR_NONE)
        s->rules->pattern = pattern;
    else
        found(r, "pattern", "a sign that is meant as it is needs two backslashes in front: \\\\[",
              "this pattern cannot be read: %s", err.text);
}

static void take_format(struct reading *r, struct schema *s, struct value v)
{
    static const char *const words[] = {[FORMAT_DATE_TIME] = "date-time",
                                        [FORMAT_EMAIL] = "email",
                                        [FORMAT_URI] = "uri",
                                        [FORMAT_DATE] = "date"};
    struct str text;

    if (!take_text(r, v, &text))
        return;
    for (size_t i = FORMAT_NONE + 1; i < sizeof words / sizeof words[0]; i++)
        if (str_is(text, words[i]))
            s->rules->format = (enum schema_format)i;
    if (s->rules->format == FORMAT_NONE)
        found(r, "format", "write date-time, date, email or uri, or a pattern",
              "this format is not checked here");
}

static const struct keyword {
    const char *name;
    unsigned types; /* that it speaks of */
    void (*take)(struct reading *r, struct schema *s, struct value v);
} keywords[] = {
    {"$id", TYPE_ALL, take_nothing},
    {"$schema", TYPE_ALL, take_dialect},
    {"additionalProperties", TYPE_OBJECT, take_additional},
    {"const", TYPE_ALL, take_const},
    {"default", TYPE_ALL, take_nothing},
    {"description", TYPE_ALL, take_nothing},
    {"enum", TYPE_ALL, take_enum},
    {"examples", TYPE_ALL, take_examples},
    {"exclusiveMaximum", TYPE_INTEGER | TYPE_NUMBER, take_below},
    {"exclusiveMinimum", TYPE_INTEGER | TYPE_NUMBER, take_above},
    {"format", TYPE_STRING, take_format},
    {"items", TYPE_ARRAY, take_items},
    {"maxItems", TYPE_ARRAY, take_max_items},
    {"maxLength", TYPE_STRING, take_max_length},
    {"maximum", TYPE_INTEGER | TYPE_NUMBER, take_maximum},
    {"minItems", TYPE_ARRAY, take_min_items},
    {"minLength", TYPE_STRING, take_min_length},
    {"minimum", TYPE_INTEGER | TYPE_NUMBER, take_minimum},
    {"pattern", TYPE_STRING, take_pattern},
    {"properties", TYPE_OBJECT, take_properties},
    {"required", TYPE_OBJECT, take_required},
    {"title", TYPE_ALL, take_title},
    {"type", TYPE_ALL, take_type},
    {"unit", TYPE_ALL, take_unit},
    {"x-title", TYPE_ALL, take_x_title},
    {"x-values", TYPE_STRING, take_x_values},
    {"x-words", TYPE_ALL, take_x_words},
};
enum { KEYWORDS = sizeof keywords / sizeof keywords[0] };

static const struct keyword *find_keyword(struct str name)
{
    for (size_t i = 0; i < KEYWORDS; i++)
        if (str_is(name, keywords[i].name))
            return &keywords[i];
    return NULL;
}

static void refuse_keyword(struct reading *r, struct str name)
{
    struct str names[KEYWORDS], near;
    char help[64];

    for (size_t i = 0; i < KEYWORDS; i++)
        names[i] = str_of(keywords[i].name);
    near = str_nearest(name, names, KEYWORDS);
    snprintf(help, sizeof help, "write %.*s", STR_ARG(near));
    found(r, "unknown-keyword",
          near.len > 0 ? help : "leave it out, or say it with enum, pattern, minimum, maximum",
          "\"%.*s\" is no word that is checked here", STR_ARG(str_slice(name, 0, 64)));
}

/* --- one schema ---------------------------------------------------------------------------------- */

/* The one type beside null, or SCHEMA_ANY. */
static void settle_type(struct schema *s)
{
    unsigned types = s->rules->types & ~(unsigned)TYPE_NULL;

    s->nullable = (s->rules->types & TYPE_NULL) != 0;
    s->type = SCHEMA_ANY;
    for (size_t i = 1; i < TYPE_WORDS; i++)
        if (types == type_words[i].type)
            s->type = type_words[i].schema;
    if (s->rules->types == TYPE_NULL)
        s->type = SCHEMA_NULL;
    if (s->type == SCHEMA_STRING && s->rules->format == FORMAT_DATE_TIME)
        s->type = SCHEMA_TIME;
}

/* Whatever no value can pass is a mistake. */
static void check_bounds(struct reading *r, const struct schema_rules *rules)
{
    double least = rules->minimum.given ? rules->minimum.value : -INFINITY;
    double most = rules->maximum.given ? rules->maximum.value : INFINITY;

    if (least > most || (rules->above.given && rules->above.value >= most) ||
        (rules->below.given && rules->below.value <= least) ||
        (rules->above.given && rules->below.given && rules->above.value >= rules->below.value))
        found(r, "bounds", "write the smaller number as minimum",
              "no number lies between these bounds");
    if (rules->length.min > rules->length.max || rules->items.min > rules->items.max)
        found(r, "bounds", "write the smaller number as the least",
              "the least length is greater than the greatest");
}

static void check_required(struct reading *r, const struct schema *s)
{
    for (size_t i = 0; i < s->rules->required_count; i++) {
        struct str name = s->rules->required[i];
        bool declared = !s->closed;
        for (size_t j = 0; j < s->property_count; j++)
            declared |= str_equal(s->properties[j]->name, name);
        if (!declared)
            found(r, "required", "declare it under properties, or take it out of \"required\"",
                  "\"%.*s\" is required, but no field of this name may be there", STR_ARG(name));
    }
}

static struct schema *read_schema(struct reading *r, struct value v)
{
    struct schema *s = ARENA_NEW(r->arena, struct schema);

    s->rules = ARENA_NEW(r->arena, struct schema_rules);
    *s->rules =
        (struct schema_rules){.types = TYPE_ALL, .length = {0, SIZE_MAX}, .items = {0, SIZE_MAX}};
    if (v.kind != VALUE_MAP) {
        found(r, "wrong-type", "write {\"type\": \"string\"}",
              "a schema has to be keys with values");
        return s;
    }
    for (size_t i = 0; i < v.n; i++) {
        struct str name = value_str(v.map[i].key);
        const struct keyword *keyword = find_keyword(name);
        size_t up = down(r, name);
        if (keyword != NULL)
            keyword->take(r, s, v.map[i].value);
        else
            refuse_keyword(r, name);
        r->pointer.len = up;
    }
    for (size_t i = 0; i < v.n; i++) { /* now that the type is known */
        const struct keyword *keyword = find_keyword(value_str(v.map[i].key));
        if (keyword != NULL && s->rules->types != 0 && (keyword->types & s->rules->types) == 0)
            found(r, "never-checked", "leave it out, or change the type",
                  "\"%s\" says nothing about a field of this type", keyword->name);
    }
    settle_type(s);
    settle_titles(r, s);
    check_bounds(r, s->rules);
    check_required(r, s);
    return s;
}

/* What the parser calls it, and what is said to people. */
static void say_broken(struct reading *r, struct place place, const char *problem)
{
    static const struct {
        const char *theirs, *what, *help;
    } table[] = {
        {"premature end", "the file ends too early", "close the bracket, or the quote"},
        {"end of file expected", "the file goes on behind its end",
         "delete what stands behind the last bracket"},
        {"duplicate", "a key stands twice", "delete one of the two"},
        {"control character", "a text does not end in its line",
         "close the quote; a line break in a text is \\n"},
        {"escape", "a backslash means something else here", "write two backslashes"},
        {"decode", "this character cannot be read", "save the file as UTF-8"},
        {"deeper", "brackets stand in brackets too deep", "put what belongs together on one level"},
        {"", "this is not JSON: something is missing before this, or is too much",
         "texts and keys in double quotes; a comma between entries, none behind the last"},
    };
    size_t row = 0;

    while (strstr(problem, table[row].theirs) == NULL) /* the last is in every text */
        row++;
    diag_add(r->diags, DIAG_ERROR, place, "json", table[row].help, "%s", table[row].what);
}

struct schema *schema_read(struct str text, const char *file, struct arena *arena,
                           struct diags *diags)
{
    struct reading r = {.text = text, .file = file, .arena = arena, .diags = diags};
    size_t errors = diags->error_count;
    struct schema *schema = NULL;
    struct place place = {.file = file};
    struct err err = {0};
    struct value root;

    if (json_parse(text, arena, &root, &err) == JSON_FINE) {
        schema = read_schema(&r, root);
    } else {
        json_stopped_at(&place.line, &place.column);
        say_broken(&r, place, err.text);
    }
    buf_free(&r.pointer);
    return diags->error_count == errors ? schema : NULL;
}
