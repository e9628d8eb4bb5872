/* The table as JSON Schema (draft-07), for editors.  Every value may also be a text with a
 * reference, so a number is a number or a text with ${. */
#include "core/conf_tree.h"
#include "core/json.h"

struct printer { /* JSON on lines of its own */
    struct buf *out;
    int depth;
    bool first;
};

static void next_line(struct printer *p)
{
    if (!p->first)
        buf_put_char(p->out, ',');
    p->first = false;
    buf_put_format(p->out, "\n%*s", 2 * p->depth, "");
}

static void key(struct printer *p, struct str name)
{
    next_line(p);
    json_put_string(p->out, name);
    buf_put_text(p->out, ": ");
}

static void open_object(struct printer *p)
{
    buf_put_char(p->out, '{');
    p->depth++;
    p->first = true;
}

static void close_object(struct printer *p)
{
    p->depth--;
    if (!p->first)
        buf_put_format(p->out, "\n%*s", 2 * p->depth, "");
    buf_put_char(p->out, '}');
    p->first = false;
}

static void put(struct printer *p, const char *name, struct str text)
{
    key(p, str_of(name));
    json_put_string(p->out, text);
}

static void put_raw(struct printer *p, const char *name, const char *json)
{
    key(p, str_of(name));
    buf_put_text(p->out, json);
}

static void put_doc(struct printer *p, const struct conf_field *field)
{
    struct buf text = {0};

    buf_put_format(&text, "%s  Takes ", field->doc);
    conf_put_wanted(&text, field);
    if (field->fallback != NULL && field->fallback[0] != '\0')
        buf_put_format(&text, "; default: %s", field->fallback);
    buf_put_char(&text, '.');
    put(p, "description", buf_str(&text));
    buf_free(&text);
}

static void put_choices(struct printer *p, const char *choices)
{
    struct str rest = str_of(choices), choice;

    for (char before = '['; conf_next_choice(&rest, &choice); before = ',') {
        buf_put_text(p->out, before == '[' ? "[" : ", ");
        json_put_string(p->out, choice);
    }
    buf_put_char(p->out, ']');
}

#define REFERENCE "{\"type\": \"string\", \"pattern\": \"\\\\$\\\\{\"}"

/* A value of its own kind, or a reference to one. */
static void put_or_reference(struct printer *p, const struct conf_field *field)
{
    key(p, STR("anyOf"));
    buf_put_char(p->out, '[');
    if (field->kind == CONF_INT && (field->min != 0 || field->max != 0))
        buf_put_format(p->out, "{\"type\": \"integer\", \"minimum\": %lld, \"maximum\": %lld}",
                       (long long)field->min, (long long)field->max);
    else
        buf_put_format(p->out, "{\"type\": \"%s\"}",
                       field->kind == CONF_INT ? "integer" : "boolean");
    buf_put_text(p->out, ", " REFERENCE "]");
}

static void put_object(struct printer *p, const struct conf_field *table, struct str section);
static void put_required(struct printer *p, const struct conf_field *table, struct str section);
static void put_field(struct printer *p, const struct conf_field *field);

static void put_variant(struct printer *p, const char *by, const struct conf_variant *variant)
{
    open_object(p);
    key(p, STR("if"));
    buf_put_format(p->out, "{\"properties\": {\"%s\": {\"const\": \"%s\"}}}", by, variant->name);
    key(p, STR("then"));
    open_object(p);
    put_object(p, variant->fields, STR_EMPTY);
    close_object(p);
    close_object(p);
}

/* Items that differ: the key that says which one it is, then what it may hold. */
static void put_variants(struct printer *p, const struct conf_field *items)
{
    const struct conf_variants *variants = items->variants;
    const struct conf_field *by = items->fields;

    while (strcmp(by->path, variants->by) != 0)
        by++;
    put_raw(p, "type", "[\"object\", \"null\"]");
    put_required(p, items->fields, STR_EMPTY);
    key(p, STR("properties"));
    open_object(p);
    key(p, str_of(by->path));
    put_field(p, by);
    close_object(p);
    key(p, STR("allOf"));
    buf_put_char(p->out, '[');
    for (size_t i = 0; variants->list[i].name != NULL; i++) {
        buf_put_text(p->out, i == 0 ? "" : ", ");
        put_variant(p, variants->by, &variants->list[i]);
    }
    buf_put_char(p->out, ']');
}

static void put_field(struct printer *p, const struct conf_field *field)
{
    open_object(p);
    put_doc(p, field);
    switch (field->kind) {
    case CONF_TEXT: put_raw(p, "type", "[\"string\", \"number\", \"boolean\"]"); break;
    case CONF_INT:
    case CONF_BOOL: put_or_reference(p, field); break;
    case CONF_SPAN:
        put(p, "type", STR("string"));
        put(p, "pattern", STR("^([0-9]+(w|d|h|m|s|ms))+$|\\$\\{"));
        break;
    case CONF_BYTES:
        put(p, "type", STR("string"));
        put(p, "pattern", STR("^[0-9]+ *(B|kB|MB|GB|KiB|MiB|GiB)$|\\$\\{"));
        break;
    case CONF_CHOICE:
        key(p, STR("anyOf"));
        buf_put_text(p->out, "[{\"enum\": ");
        put_choices(p, field->choices);
        buf_put_text(p->out, "}, " REFERENCE "]");
        break;
    case CONF_LIST:
        put(p, "type", STR("array"));
        key(p, STR("items"));
        open_object(p);
        if (field->choices != NULL) {
            key(p, STR("enum"));
            put_choices(p, field->choices);
        } else {
            put_raw(p, "type", "[\"string\", \"number\", \"boolean\"]");
        }
        close_object(p);
        break;
    case CONF_ITEMS:
        put_raw(p, "type", "[\"object\", \"null\"]");
        key(p, STR("additionalProperties"));
        open_object(p);
        if (field->variants != NULL)
            put_variants(p, field);
        else
            put_object(p, field->fields, STR_EMPTY);
        close_object(p);
        break;
    case CONF_FREE:
        put_raw(p, "type", "[\"object\", \"null\"]");
        put_raw(p, "additionalProperties", "{\"type\": [\"string\", \"number\", \"boolean\"]}");
        break;
    }
    close_object(p);
}

/* Is there a field before this one in the same section, so that it has been printed? */
static bool seen(const struct conf_field *table, const struct conf_field *field, size_t bytes)
{
    for (; table != field; table++)
        if (strncmp(table->path, field->path, bytes) == 0)
            return true;
    return false;
}

/* The keys below `section` ("kafka."), sections among them by recursion. */
static void put_properties(struct printer *p, const struct conf_field *table, struct str section)
{
    for (const struct conf_field *f = table; f->path != NULL; f++) {
        const char *name;
        size_t bytes;
        if (!str_starts(str_of(f->path), section))
            continue;
        name = f->path + section.len;
        bytes = strcspn(name, ".");
        if (name[bytes] == '\0') {
            key(p, str_of(name));
            put_field(p, f);
        } else if (!seen(table, f, section.len + bytes + 1)) {
            key(p, (struct str){name, bytes});
            open_object(p);
            put_object(p, table, (struct str){f->path, section.len + bytes + 1});
            close_object(p);
        }
    }
}

static void put_required(struct printer *p, const struct conf_field *table, struct str section)
{
    bool any = false;

    for (; table->path != NULL; table++) {
        const char *name;
        if (table->fallback != NULL || !str_starts(str_of(table->path), section))
            continue;
        name = table->path + section.len;
        if (strchr(name, '.') != NULL)
            continue;
        if (!any)
            key(p, STR("required"));
        buf_put_text(p->out, any ? ", " : "[");
        json_put_string(p->out, str_of(name));
        any = true;
    }
    if (any)
        buf_put_char(p->out, ']');
}

static void put_object(struct printer *p, const struct conf_field *table, struct str section)
{
    put_raw(p, "type", "[\"object\", \"null\"]");
    put_raw(p, "additionalProperties", "false");
    put_required(p, table, section);
    key(p, STR("properties"));
    open_object(p);
    put_properties(p, table, section);
    close_object(p);
}

void conf_print_schema(struct buf *out, const struct conf_field *table)
{
    struct printer p = {.out = out};

    open_object(&p);
    put(&p, "$schema", STR("http://json-schema.org/draft-07/schema#"));
    put(&p, "title", STR("Configuration of attent"));
    put_object(&p, table, STR_EMPTY);
    close_object(&p);
    buf_put_char(out, '\n');
}
