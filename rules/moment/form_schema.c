/* forms.def as JSON Schema (draft-07).  What a key needs and goes with becomes `dependencies`:
 * "absent" needs ["for"], "for" needs one of the kinds that it goes with.
 */
#include <string.h>

#include "core/check.h"
#include "core/json.h"
#include "rules/moment/form.h"

#define NAME_PATTERN     "^[A-Za-z_][A-Za-z0-9_.-]*$"
#define LANGUAGE_PATTERN "^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$"
#define HOURS_PATTERN    "^[0-9]{1,2}(:00)? *- *[0-9]{1,2}(:00)?$"
#define DAYS_PATTERN     "^(daily|(mon|tue|wed|thu|fri|sat|sun)( *- *(mon|tue|wed|thu|fri|sat|sun))?)$"

static void put_form(struct json_writer *w, enum form_id form);

static void key_text(struct json_writer *w, const char *key, const char *text)
{
    json_key(w, key);
    json_str(w, str_of(text));
}

static void key_int(struct json_writer *w, const char *key, int64_t number)
{
    json_key(w, key);
    json_int(w, number);
}

static void put_type(struct json_writer *w, const char *type, const char *pattern)
{
    key_text(w, "type", type);
    if (pattern != NULL)
        key_text(w, "pattern", pattern);
}

static void put_scalar_types(struct json_writer *w)
{
    json_key(w, "type");
    json_raw(w, STR("[\"string\",\"number\",\"boolean\"]"));
}

static void put_words(struct json_writer *w, const char *key, const char *list)
{
    struct str rest = str_of(list), word;

    json_key(w, key);
    json_open(w, '[');
    while (form_next_word(&rest, &word))
        json_str(w, word);
    json_close(w, ']');
}

static void put_list_of(struct json_writer *w, const char *pattern, int64_t most)
{
    key_text(w, "type", "array");
    key_int(w, "minItems", 1);
    if (most != 0)
        key_int(w, "maxItems", most);
    json_key(w, "items");
    json_open(w, '{');
    put_type(w, "string", pattern);
    json_close(w, '}');
}

/* A text, or a list of such texts. */
static void put_one_or_list(struct json_writer *w, const char *pattern)
{
    json_key(w, "anyOf");
    json_open(w, '[');
    json_open(w, '{');
    put_type(w, "string", pattern);
    json_close(w, '}');
    json_open(w, '{');
    put_list_of(w, pattern, 0);
    json_close(w, '}');
    json_close(w, ']');
}

/* A text, or one for each language. */
static void put_phrase(struct json_writer *w)
{
    json_key(w, "anyOf");
    json_open(w, '[');
    json_open(w, '{');
    put_scalar_types(w);
    json_close(w, '}');
    json_open(w, '{');
    key_text(w, "type", "object");
    key_int(w, "minProperties", 1);
    key_int(w, "maxProperties", LIMIT_LANGUAGES);
    json_key(w, "propertyNames");
    json_open(w, '{');
    key_text(w, "pattern", LANGUAGE_PATTERN);
    json_close(w, '}');
    json_key(w, "additionalProperties");
    json_open(w, '{');
    put_scalar_types(w);
    json_close(w, '}');
    json_close(w, '}');
    json_close(w, ']');
}

static void put_hours(struct json_writer *w)
{
    json_key(w, "anyOf");
    json_open(w, '[');
    json_open(w, '{');
    put_type(w, "string", HOURS_PATTERN);
    json_close(w, '}');
    json_open(w, '{');
    key_text(w, "type", "object");
    json_key(w, "propertyNames");
    json_open(w, '{');
    key_text(w, "pattern", DAYS_PATTERN);
    json_close(w, '}');
    json_key(w, "additionalProperties");
    json_open(w, '{');
    put_one_or_list(w, HOURS_PATTERN);
    json_close(w, '}');
    json_close(w, '}');
    json_close(w, ']');
}

static void put_list(struct json_writer *w, const struct form_field *field)
{
    key_text(w, "type", "array");
    key_int(w, "minItems", 1);
    key_int(w, "maxItems", field->most);
    json_key(w, "items");
    json_open(w, '{');
    put_form(w, field->sub);
    json_close(w, '}');
}

static void put_map(struct json_writer *w, const struct form_field *field)
{
    key_text(w, "type", "object");
    key_int(w, "maxProperties", field->most);
    json_key(w, "additionalProperties");
    json_open(w, '{');
    put_form(w, field->sub);
    json_close(w, '}');
}

static void put_choices(struct json_writer *w, const struct form_field *field)
{
    key_text(w, "type", "object");
    json_key(w, "additionalProperties");
    json_open(w, '{');
    put_words(w, "enum", field->choices);
    json_close(w, '}');
}

static void put_fields(struct json_writer *w, const struct form_field *field)
{
    key_text(w, "type", "object");
    key_int(w, "minProperties", 1);
    key_int(w, "maxProperties", field->most);
    json_key(w, "additionalProperties");
    json_open(w, '{');
    put_type(w, "string", "^event\\.data\\..+$");
    json_close(w, '}');
}

static void put_count(struct json_writer *w, const struct form_field *field)
{
    key_text(w, "type", "integer");
    key_int(w, "minimum", 1);
    key_int(w, "maximum", field->most);
}

static void put_kind(struct json_writer *w, const struct form_field *field)
{
    switch (field->kind) {
    case FORM_NAME: put_type(w, "string", NAME_PATTERN); break;
    case FORM_WORD: put_type(w, "string", "^[A-Za-z_][A-Za-z0-9_]*$"); break;
    case FORM_PHRASE:
    case FORM_TEMPLATE: put_phrase(w); break;
    case FORM_TEXT:
    case FORM_CEL:
    case FORM_SCALAR: put_scalar_types(w); break;
    case FORM_SPAN: put_type(w, "string", "^([0-9]+(w|d|h|m|s|ms))+$"); break;
    case FORM_COUNT: put_count(w, field); break;
    case FORM_NUMBER: put_type(w, "number", NULL); break;
    case FORM_BOOL: put_type(w, "boolean", NULL); break;
    case FORM_BOUND:
        put_type(w, "string", "^(below|above) +[-+]?[0-9.]+([eE][-+]?[0-9]+)?$");
        break;
    case FORM_TYPES: put_one_or_list(w, NULL); break;
    case FORM_NAMES: put_list_of(w, NAME_PATTERN, field->most); break;
    case FORM_TEXTS: put_list_of(w, NULL, field->most); break;
    case FORM_TAGS: put_list_of(w, LANGUAGE_PATTERN, field->most); break;
    case FORM_DATES: put_list_of(w, "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", field->most); break;
    case FORM_HOURS: put_hours(w); break;
    case FORM_CHOICE: put_words(w, "enum", field->choices); break;
    case FORM_CHOICES: put_choices(w, field); break;
    case FORM_FIELDS: put_fields(w, field); break;
    case FORM_LIST: put_list(w, field); break;
    case FORM_MAP: put_map(w, field); break;
    case FORM_PART: put_form(w, field->sub); break;
    case FORM_LATER: CHECK_NEVER("not in a schema");
    }
}

/* --- mappings ----------------------------------------------------------------------------------- */

static bool is_in(size_t field, enum form_id form)
{
    return form_fields[field].form == form && form_fields[field].kind != FORM_LATER;
}

static void put_properties(struct json_writer *w, enum form_id form)
{
    json_key(w, "properties");
    json_open(w, '{');
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (!is_in(i, form))
            continue;
        json_key(w, form_fields[i].key);
        json_open(w, '{');
        key_text(w, "description", form_fields[i].text);
        put_kind(w, &form_fields[i]);
        json_close(w, '}');
    }
    json_close(w, '}');
}

static bool has_kinds(enum form_id form)
{
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (is_in(i, form) && form_fields[i].needed[0] == '|')
            return true;
    return false;
}

static void put_required(struct json_writer *w, enum form_id form)
{
    bool any = false;

    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (!is_in(i, form) || form_fields[i].needed[0] != '*')
            continue;
        if (!any) {
            json_key(w, "required");
            json_open(w, '[');
        }
        json_str(w, str_of(form_fields[i].key));
        any = true;
    }
    if (any)
        json_close(w, ']');
}

/* [{"required": ["event"]}, {"required": ["absent"]}]: of the kinds that are there. */
static void put_kinds(struct json_writer *w, enum form_id form, const char *key, const char *only)
{
    json_key(w, key);
    json_open(w, '[');
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (!is_in(i, form) || form_fields[i].needed[0] != '|' ||
            (only[0] != '\0' && !form_list_has(only, str_of(form_fields[i].key))))
            continue;
        json_open(w, '{');
        put_words(w, "required", form_fields[i].key);
        json_close(w, '}');
    }
    json_close(w, ']');
}

/* What a kind needs. */
static void put_needs(struct json_writer *w, enum form_id form, const char *kind)
{
    bool any = false;

    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (!is_in(i, form) || !form_list_has(form_fields[i].needed, str_of(kind)))
            continue;
        if (!any) {
            json_key(w, kind);
            json_open(w, '[');
        }
        json_str(w, str_of(form_fields[i].key));
        any = true;
    }
    if (any)
        json_close(w, ']');
}

static void put_dependencies(struct json_writer *w, enum form_id form)
{
    json_key(w, "dependencies");
    json_open(w, '{');
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (!is_in(i, form))
            continue;
        if (form_fields[i].needed[0] == '|')
            put_needs(w, form, form_fields[i].key);
        if (form_fields[i].with[0] == '\0')
            continue;
        json_key(w, form_fields[i].key);
        json_open(w, '{');
        put_kinds(w, form, "anyOf", form_fields[i].with);
        json_close(w, '}');
    }
    json_close(w, '}');
}

static void put_form(struct json_writer *w, enum form_id form)
{
    key_text(w, "title", form_what(form));
    json_key(w, "type");
    if (form == FORM_OF_CHANNEL || form == FORM_OF_POLICY ||
        form == FORM_OF_ALIAS_KIND) /* may stand there without anything */
        json_raw(w, STR("[\"object\",\"null\"]"));
    else
        json_str(w, STR("object"));
    json_key(w, "additionalProperties");
    json_bool(w, false);
    put_required(w, form);
    if (has_kinds(form)) {
        put_kinds(w, form, "oneOf", "");
        put_dependencies(w, form);
    }
    put_properties(w, form);
}

/* --- the document ------------------------------------------------------------------------------- */

static void new_line(struct buf *out, int depth)
{
    buf_put_format(out, "\n%*s", 2 * depth, "");
}

void form_schema_indent(struct buf *out, struct str json)
{
    bool in_text = false, in_list = false;
    int depth = 0;

    for (size_t i = 0; i < json.len; i++) {
        char c = json.data[i], after = i + 1 < json.len ? json.data[i + 1] : '\0';
        if (in_text || c == '"') {
            in_text = in_text ? c != '"' : true;
            buf_put_char(out, c);
            if (in_text && c == '\\')
                buf_put_char(out, json.data[++i]);
            continue;
        }
        in_list = c == '[' ? after != '{' : (c == '{' || c == ']' ? false : in_list);
        if ((c == '}' || (c == ']' && json.data[i - 1] == '}')) && json.data[i - 1] != '{')
            new_line(out, depth - 1);
        buf_put_char(out, c);
        depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        if (c == ':' || (c == ',' && in_list))
            buf_put_char(out, ' ');
        else if (c == ',' || (c == '{' && after != '}') || (c == '[' && after == '{'))
            new_line(out, depth);
    }
    buf_put_char(out, '\n');
}

bool form_schema_write(struct buf *out, struct str kind)
{
    struct buf json = {0};
    struct json_writer w = json_writer_to(&json);

    bool map = str_is(kind, "facts") || str_is(kind, "sources");
    enum form_id form = str_is(kind, "moment")     ? FORM_OF_MOMENT
                        : str_is(kind, "policy")   ? FORM_OF_POLICY
                        : str_is(kind, "identity") ? FORM_OF_IDENTITY
                                                   : FORM_OF_NONE;

    if (!map && form == FORM_OF_NONE)
        return false;
    json_open(&w, '{');
    key_text(&w, "$schema", "http://json-schema.org/draft-07/schema#");
    if (map)
        put_map(&w, &form_fields[str_is(kind, "facts") ? FIELD_FACTS_ANY : FIELD_SOURCES_ANY]);
    else
        put_form(&w, form);
    json_close(&w, '}');
    form_schema_indent(out, buf_str(&json));
    buf_free(&json);
    return true;
}
