/* Guessing and checking: candidates are tried until one passes the schema's own check, so what is
 * given fits whatever rules a schema has.  Patterns are met by chance only.
 */
#include "core/limit.h"
#include "schemas/schema_rules.h"

bool schema_requires(const struct schema *object, struct str property)
{
    const struct schema_rules *rules = object->rules;

    for (size_t i = 0; rules != NULL && i < rules->required_count; i++)
        if (str_equal(rules->required[i], property))
            return true;
    return false;
}

static struct value first_that_fits(const struct schema *schema, const struct value *tries,
                                    size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (tries[i].kind != VALUE_ABSENT && schema_validate(schema, tries[i], NULL))
            return tries[i];
    return VALUE_NONE;
}

#define FIRST_THAT_FITS(schema, ...)                                                               \
    first_that_fits((schema), (const struct value[]){__VA_ARGS__},                                 \
                    sizeof((const struct value[]){__VA_ARGS__}) / sizeof(struct value))

static double bound_or(const struct schema_bound *bound, double otherwise)
{
    return bound->given ? bound->value : otherwise;
}

static struct value sample_number(const struct schema *schema)
{
    const struct schema_rules *rules = schema->rules;
    double low = 0, high = 1000;

    if (rules != NULL) {
        low = bound_or(&rules->minimum, bound_or(&rules->above, low));
        high = bound_or(&rules->maximum, bound_or(&rules->below, low < 1000 ? high : low + 1));
    }
    return FIRST_THAT_FITS(
        schema, value_int(100), value_int(10), value_int(1), value_int((int64_t)low),
        value_int((int64_t)high), value_int((int64_t)(low + (high - low) / 2)),
        value_double(low + (high - low) / 2), value_double(low), value_double(high));
}

/* "x" as often as the schema wants. */
static struct value sample_letters(const struct schema *schema, struct arena *arena)
{
    size_t count = schema->rules != NULL ? schema->rules->length.min : 1;
    char *text;

    if (count > LIMIT_SAMPLE_BYTES)
        return VALUE_NONE;
    text = arena_alloc(arena, count + 1);
    memset(text, 'x', count);
    return value_string((struct str){text, count});
}

static struct value sample_string(const struct schema *schema, struct arena *arena)
{
    struct str name = schema->name.len != 0 ? schema->name : STR("x");
    char first =
        name.data[0] >= 'a' && name.data[0] <= 'z' ? (char)(name.data[0] - 'a' + 'A') : 'X';

    return FIRST_THAT_FITS(
        schema, value_string(arena_format(arena, "%c1", first)), value_string(STR("+31201234567")),
        value_string(STR("2026-03-02T09:00:00Z")), value_string(STR("2026-03-02")),
        value_string(STR("a@example.com")), value_string(STR("https://example.com/")),
        value_string(STR("x")), value_string(STR("EUR")), value_string(STR("NL")),
        value_string(STR("en")), value_string(STR("1")), sample_letters(schema, arena));
}

static struct value sample_list(const struct schema *schema, struct arena *arena)
{
    size_t count = schema->rules != NULL ? schema->rules->items.min : 0;
    struct value item = schema->items != NULL ? schema_sample(schema->items, arena) : value_int(1);
    struct value *items;

    if (count > LIMIT_SAMPLE_BYTES || item.kind == VALUE_ABSENT)
        return VALUE_NONE;
    count = count != 0 ? count : 1;
    items = ARENA_ARRAY(arena, struct value, count);
    for (size_t i = 0; i < count; i++)
        items[i] = item;
    return value_list(items, count);
}

/* Properties are sorted by name, as the keys of a map are. */
static struct value sample_object(const struct schema *schema, struct arena *arena)
{
    struct value_entry *entries = ARENA_ARRAY(arena, struct value_entry, schema->property_count);
    size_t count = 0;

    for (size_t i = 0; i < schema->property_count; i++) {
        struct value v = schema_sample(schema->properties[i], arena);

        if (v.kind != VALUE_ABSENT)
            entries[count++] = (struct value_entry){value_string(schema->properties[i]->name), v};
    }
    return value_map(entries, count);
}

static struct value made_up(const struct schema *schema, struct arena *arena)
{
    switch (schema->type) {
    case SCHEMA_NULL: return (struct value){.kind = VALUE_NULL};
    case SCHEMA_BOOLEAN: return value_bool(true);
    case SCHEMA_INTEGER:
    case SCHEMA_NUMBER: return sample_number(schema);
    case SCHEMA_STRING:
    case SCHEMA_TIME: return sample_string(schema, arena);
    case SCHEMA_ARRAY: return sample_list(schema, arena);
    case SCHEMA_OBJECT: return sample_object(schema, arena);
    case SCHEMA_ANY: break;
    }
    return sample_string(schema, arena);
}

struct value schema_sample(const struct schema *schema, struct arena *arena)
{
    const struct schema_rules *rules = schema->rules;

    if (rules == NULL)
        return FIRST_THAT_FITS(schema, made_up(schema, arena));
    return FIRST_THAT_FITS(schema, rules->example, rules->constant,
                           rules->choices.kind == VALUE_LIST ? rules->choices.list[0] : VALUE_NONE,
                           made_up(schema, arena));
}
