/* A schema of any bytes, up to the first newline; the rest is a value for it.  A misfit has a
 * sentence, and coercing twice is coercing once. */
#include "core/check.h"
#include "schemas/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct arena *arena = arena_new(0);
    struct diags diags = {0};
    struct str text = {(const char *)data, bytes}, rest = STR_EMPTY, first = text;
    const struct schema *schema;
    struct value v;
    struct err err = {0};

    if (!str_cut(text, '\n', &first, &rest))
        first = text;
    schema = schema_read(first, "fuzz.json", arena, &diags);
    CHECK((schema == NULL) == (diags.error_count > 0));
    if (schema != NULL && json_parse(rest, arena, &v, &err) == JSON_FINE) {
        bool fits = schema_validate(schema, v, &err);
        struct value coerced = schema_coerce(schema, v, arena);
        CHECK(fits || err.text[0] != '\0');
        CHECK(v.kind != VALUE_NULL || coerced.kind == VALUE_ABSENT);
        CHECK(value_same(schema_coerce(schema, coerced, arena), coerced));
        schema_at(schema, STR("/a/b"));
    }
    diags_free(&diags);
    arena_free(arena);
    return 0;
}
