/* The JSON Schema of rule tests is that of the table, and the one in the repository. */
#include "processors/cli/test_schema.h"

#include "core/file.h"
#include "core/json.h"
#include "tests/support/suite.h"

START_TEST(the_schema_in_the_repository_is_that_of_the_table)
{
    struct arena *arena = arena_new(0);
    struct buf made = {0};
    struct str kept;
    struct value v;

    test_schema_write(&made);
    ck_assert_int_eq(json_parse(buf_str(&made), arena, &v, NULL), JSON_FINE);
    ck_assert_int_eq(file_read("schemas/test.schema.json", arena, &kept, NULL), ERR_NONE);
    ck_assert_msg(str_equal(kept, buf_str(&made)),
                  "schemas/test.schema.json is stale: run `make docs`");
    buf_free(&made);
    arena_free(arena);
}
END_TEST

static struct value property(struct value object, const char *key)
{
    return value_map_get(value_map_get(object, STR("properties")), str_of(key));
}

START_TEST(every_key_of_the_table_is_a_property)
{
    static const struct {
        char where; /* of TOP, CASE, EVENT, GEO, EXPECT: the second letter */
        const char *key;
    } rows[] = {
#define TEST_KEY(where, key, kind, needed, text) {#where[1], key},
#include "processors/cli/test_file.def"
#undef TEST_KEY
    };
    struct arena *arena = arena_new(0);
    struct buf made = {0};
    struct value top, one, event, geo, expect;

    test_schema_write(&made);
    ck_assert_int_eq(json_parse(buf_str(&made), arena, &top, NULL), JSON_FINE);
    one = value_map_get(property(top, "cases"), STR("items"));
    event = value_map_get(property(one, "events"), STR("items"));
    geo = property(event, "geo");
    expect = value_map_get(property(one, "expect"), STR("items"));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct value object = rows[i].where == 'O'   ? top
                              : rows[i].where == 'A' ? one
                              : rows[i].where == 'V' ? event
                              : rows[i].where == 'E' ? geo
                                                     : expect;
        struct value p = property(object, rows[i].key);
        ck_assert_msg(p.kind == VALUE_MAP, "%s is no property", rows[i].key);
        ck_assert_int_eq(value_map_get(p, STR("description")).kind, VALUE_STRING);
    }
    buf_free(&made);
    arena_free(arena);
}
END_TEST

SUITE_MAIN("test schema", the_schema_in_the_repository_is_that_of_the_table,
           every_key_of_the_table_is_a_property)
