/* What values a schema lets through, as far as its rules say it in numbers and lists. */
#include <math.h>

#include "schemas/schema_rules.h"

bool schema_numbers(const struct schema *schema, struct schema_span *span)
{
    const struct schema_rules *rules = schema->rules;

    *span = (struct schema_span){.low = -INFINITY, .high = INFINITY};
    if (schema->type != SCHEMA_INTEGER && schema->type != SCHEMA_NUMBER)
        return false;
    if (rules == NULL)
        return true;
    if (rules->minimum.given)
        span->low = rules->minimum.value;
    if (rules->maximum.given)
        span->high = rules->maximum.value;
    if (rules->above.given && rules->above.value >= span->low) {
        span->low = rules->above.value;
        span->low_out = true;
    }
    if (rules->below.given && rules->below.value <= span->high) {
        span->high = rules->below.value;
        span->high_out = true;
    }
    return true;
}

bool schema_choices(const struct schema *schema, struct value *list)
{
    const struct schema_rules *rules = schema->rules;

    if (rules != NULL && rules->constant_given)
        *list = value_list(&rules->constant, 1);
    else if (rules != NULL && rules->choices.kind == VALUE_LIST)
        *list = rules->choices;
    else
        return false;
    return true;
}

/* "~1" is a slash, "~0" a tilde; a pointer of ours is as long as its names. */
static struct str unescape(struct str name, char *out, size_t size)
{
    size_t bytes = 0;

    for (size_t i = 0; i < name.len && bytes < size; i++) {
        char c = name.data[i];
        if (c == '~' && i + 1 < name.len)
            c = name.data[++i] == '1' ? '/' : '~';
        out[bytes++] = c;
    }
    return (struct str){out, bytes};
}

bool schema_always_has(const struct schema *object, struct str pointer)
{
    char buffer[256];

    while (pointer.len != 0) {
        struct str name, rest, segment = str_slice(pointer, 1, pointer.len);
        if (!str_cut(segment, '/', &name, &rest)) {
            name = segment;
            rest = STR_EMPTY;
        }
        if (name.len > sizeof buffer || object->type != SCHEMA_OBJECT || object->nullable)
            return false;
        if (!schema_requires(object, unescape(name, buffer, sizeof buffer)))
            return false;
        object = schema_at(object, str_slice(pointer, 0, 1 + name.len));
        if (object == NULL)
            return false;
        pointer = rest.len != 0 ? str_slice(pointer, 1 + name.len, pointer.len) : STR_EMPTY;
    }
    return !object->nullable;
}
