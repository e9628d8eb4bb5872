#include "schemas/schema_compare.h"

#include "core/check.h"

struct comparing {
    struct arena *arena;
    void (*found)(void *context, const struct schema_difference *d);
    void *context;
};

const char *schema_type_word(enum schema_type type)
{
    switch (type) {
    case SCHEMA_ANY: return "any";
    case SCHEMA_NULL: return "null";
    case SCHEMA_BOOLEAN: return "boolean";
    case SCHEMA_INTEGER: return "integer";
    case SCHEMA_NUMBER: return "number";
    case SCHEMA_STRING: return "string";
    case SCHEMA_TIME: return "time";
    case SCHEMA_ARRAY: return "list";
    case SCHEMA_OBJECT: return "object";
    }
    CHECK_NEVER("a type of no schema");
}

static void say(const struct comparing *c, enum schema_change change, struct str pointer,
                struct str text)
{
    const struct schema_difference d = {change, pointer, text};

    c->found(c->context, &d);
}

static bool holds(struct value list, struct value v)
{
    for (uint32_t i = 0; i < list.n; i++)
        if (value_same(list.list[i], v))
            return true;
    return false;
}

static void compare_values(const struct comparing *c, const struct schema *before,
                           const struct schema *after, struct str pointer)
{
    struct value was, is;

    if (!schema_choices(before, &was) || !schema_choices(after, &is))
        return;
    for (uint32_t i = 0; i < was.n; i++) {
        struct buf text = {0};
        if (holds(is, was.list[i]))
            continue;
        json_put_value(&text, was.list[i]);
        say(c, SCHEMA_VALUE_GONE, pointer, arena_str(c->arena, buf_str(&text)));
        buf_free(&text);
    }
}

static void compare(const struct comparing *c, const struct schema *before,
                    const struct schema *after, struct str pointer);

static const struct schema *find(const struct schema *object, struct str name)
{
    for (size_t i = 0; i < object->property_count; i++)
        if (str_equal(object->properties[i]->name, name))
            return object->properties[i];
    return NULL;
}

static void compare_fields(const struct comparing *c, const struct schema *before,
                           const struct schema *after, struct str pointer)
{
    for (size_t i = 0; i < before->property_count; i++) {
        const struct schema *was = before->properties[i], *is = find(after, was->name);
        struct str at = arena_format(c->arena, "%.*s/%.*s", STR_ARG(pointer), STR_ARG(was->name));
        if (is == NULL) {
            say(c, SCHEMA_REMOVED, at, STR_EMPTY);
            continue;
        }
        if ((schema_requires(before, was->name) && !schema_requires(after, was->name)) ||
            (!was->nullable && is->nullable))
            say(c, SCHEMA_MAY_MISS, at, STR_EMPTY);
        compare(c, was, is, at);
    }
}

static void compare(const struct comparing *c, const struct schema *before,
                    const struct schema *after, struct str pointer)
{
    if (before->type != after->type) {
        say(c, SCHEMA_RETYPED, pointer,
            arena_format(c->arena, "was %s, is %s", schema_type_word(before->type),
                         schema_type_word(after->type)));
        return;
    }
    compare_values(c, before, after, pointer);
    if (before->type == SCHEMA_OBJECT)
        compare_fields(c, before, after, pointer);
    if (before->items != NULL && after->items != NULL)
        compare(c, before->items, after->items, pointer);
}

void schema_compare(const struct schema *before, const struct schema *after, struct arena *arena,
                    void (*found)(void *context, const struct schema_difference *d), void *context)
{
    const struct comparing c = {arena, found, context};

    compare(&c, before, after, STR_EMPTY);
}
