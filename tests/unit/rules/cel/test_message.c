#include "rules/cel/cel.h"
#include "tests/support/suite.h"

/* The value of an expression in a container, or what is wrong with it, as people see it. */
static void gives_in(const char *container, const char *expression, const char *expected)
{
    struct cel_env env = {.container = str_of(container)};
    struct cel_input input = {0};
    struct diags diags = {0};
    struct arena *arena = arena_new(0);
    struct buf out = {0};
    const struct cel_program *program =
        cel_compile(&env, str_of(expression), (struct place){"test", 1, 1}, NULL, arena, &diags);

    if (program != NULL)
        cel_print(&out, cel_eval(program, &input, arena));
    else
        buf_put_text(&out, diags.items[0].what);
    ck_assert_str_eq(buf_text(&out), expected);
    buf_free(&out);
    diags_free(&diags);
    arena_free(arena);
}

static void gives(const char *expression, const char *expected)
{
    gives_in("", expression, expected);
}

START_TEST(wrappers_are_what_they_wrap)
{
    gives("google.protobuf.Int32Value{value: 3} + 1", "4");
    gives("google.protobuf.StringValue{}", "");
    gives("google.protobuf.BoolValue{} != null", "true");
    gives("google.protobuf.FloatValue{value: 1.333} == 1.333", "false");
    gives("google.protobuf.Int32Value{value: 2147483648}",
          "error: range: the number does not fit into 32 bits");
    gives("google.protobuf.UInt32Value{value: 4294967296u}",
          "error: range: the number does not fit into 32 bits");
}
END_TEST

START_TEST(json_messages_have_doubles_for_numbers)
{
    gives("type(google.protobuf.ListValue{values: [1, [2u]]}[0])", "double");
    gives("google.protobuf.Struct{fields: {'a': [true, null]}}.a", "[true, null]");
    gives("google.protobuf.Struct{fields: {1: 2}}",
          "error: invalid_argument: the keys of a Struct are strings");
    gives("google.protobuf.Value{} == null", "true");
    gives("google.protobuf.Value{number_value: 1.5} > 1", "true");
    gives_in("google.protobuf", "Value{null_value: NullValue.NULL_VALUE}", "null");
}
END_TEST

START_TEST(times_are_made_of_seconds_and_nanos)
{
    gives("google.protobuf.Duration{seconds: -1, nanos: -500000000}", "-1.5s");
    gives("google.protobuf.Timestamp{seconds: 60}", "1970-01-01T00:01:00Z");
    gives("google.protobuf.Timestamp{nanos: -1}", "error: range: nanos");
    gives("google.protobuf.Duration{seconds: 9223372036854775807}", "error: range: seconds");
}
END_TEST

START_TEST(other_messages_and_fields_are_refused)
{
    gives("my.Car{}", "messages are not part of this language");
    gives("google.protobuf.Int32Value{valeu: 3}", "google.protobuf.Int32Value has no such field");
    gives("google.protobuf.Value{bool_value: true, string_value: ''}",
          "a google.protobuf.Value has one field");
    gives("google.protobuf.Value{bool_value: 1}",
          "google.protobuf.Value.bool_value() does not take int");
}
END_TEST

SUITE_MAIN("message", wrappers_are_what_they_wrap, json_messages_have_doubles_for_numbers,
           times_are_made_of_seconds_and_nanos, other_messages_and_fields_are_refused)
