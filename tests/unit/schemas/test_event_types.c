#include "schemas/event_types.h"
#include "tests/support/suite.h"

START_TEST(every_schema_that_is_shipped_can_be_read)
{
    struct arena *arena = arena_new(0);
    struct diags diags = {0};
    struct event_types *types = event_types_load("schemas/events", arena, &diags);
    const struct schema *vehicle;

    ck_assert_msg(types != NULL, "%s: %s", diags.items[0].place.file, diags.items[0].what);
    ck_assert_uint_ge(event_types_count(types), 16);
    vehicle = event_types_find(types, STR("vehicle.registered"));
    ck_assert_ptr_nonnull(vehicle);
    ck_assert(str_is(schema_at(vehicle, STR("/weight_kg"))->unit, "kg"));
    ck_assert_ptr_null(event_types_find(types, STR("vehicle.lost")));
    ck_assert(event_types_declared(types, STR("vehicle.lost")).data == NULL);
    for (size_t i = 0; i < event_types_count(types); i++) {
        const struct schema *schema = event_types_find(types, event_types_name(types, i));
        ck_assert(schema->type == SCHEMA_OBJECT && schema->title.len > 0);
        for (size_t j = 0; j < schema->property_count; j++)
            ck_assert(schema->properties[j]->title.len > 0);
    }
    arena_free(arena);
}
END_TEST

START_TEST(a_type_declared_twice_is_an_error)
{
    const struct event_type_file files[] = {{"a/x.json", STR("{}")}, {"b/x.json", STR("{}")}};
    struct arena *arena = arena_new(0);
    struct diags diags = {0};

    ck_assert_ptr_null(event_types_read(files, 2, arena, &diags));
    ck_assert_str_eq(diags.items[0].code, "duplicate");
    diags_free(&diags);
    arena_free(arena);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_an_error)
{
    struct arena *arena = arena_new(0);
    struct diags diags = {0};

    ck_assert_ptr_null(event_types_load("schemas/nowhere", arena, &diags));
    ck_assert_uint_eq(diags.error_count, 1);
    diags_free(&diags);
    arena_free(arena);
}
END_TEST

START_TEST(no_types_at_all_is_a_set_too)
{
    struct arena *arena = arena_new(0);
    struct diags diags = {0};
    struct event_types *types = event_types_read(NULL, 0, arena, &diags);

    ck_assert_ptr_nonnull(types);
    ck_assert_ptr_null(event_types_find(types, STR("x")));
    arena_free(arena);
}
END_TEST

SUITE_MAIN("event_types", every_schema_that_is_shipped_can_be_read,
           a_type_declared_twice_is_an_error, a_folder_that_is_not_there_is_an_error,
           no_types_at_all_is_a_set_too)
