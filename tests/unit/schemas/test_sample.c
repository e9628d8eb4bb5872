#include "schemas/schema.h"
#include "tests/support/suite.h"

static struct arena *arena;

static void set_up(void)
{
    arena = arena_new(0);
}

static void tear_down(void)
{
    arena_free(arena);
}

/* The sample of a schema as JSON; "" if there is none.  It always fits. */
static const char *sample(const char *schema)
{
    struct diags diags = {0};
    const struct schema *s = schema_read(str_of(schema), "x.json", arena, &diags);
    struct buf out = {0};
    struct value v;

    ck_assert_ptr_nonnull(s);
    v = schema_sample(s, arena);
    if (v.kind == VALUE_ABSENT)
        return "";
    ck_assert(schema_validate(s, v, NULL));
    json_put_value(&out, v);
    schema = arena_str(arena, buf_str(&out)).data;
    buf_free(&out);
    return schema;
}

START_TEST(the_schemas_own_words_go_first)
{
    ck_assert_str_eq(sample("{\"type\":\"string\",\"examples\":[\"A\",\"B\"]}"), "\"A\"");
    ck_assert_str_eq(sample("{\"type\":\"string\",\"examples\":[7],\"enum\":[\"C\"]}"), "\"C\"");
    ck_assert_str_eq(sample("{\"const\":\"D\"}"), "\"D\"");
}
END_TEST

START_TEST(what_is_made_up_keeps_the_rules)
{
    ck_assert_str_eq(sample("{\"type\":\"integer\",\"minimum\":200,\"maximum\":210}"), "200");
    ck_assert_str_eq(sample("{\"type\":\"number\",\"exclusiveMinimum\":0.2,\"maximum\":0.4}"),
                     "0.30000000000000004");
    ck_assert_str_eq(sample("{\"type\":\"string\",\"format\":\"date-time\"}"),
                     "\"2026-03-02T09:00:00Z\"");
    ck_assert_str_eq(sample("{\"type\":\"string\",\"pattern\":\"^[+][0-9]+$\"}"),
                     "\"+31201234567\"");
    ck_assert_str_eq(sample("{\"type\":\"string\",\"minLength\":25}"),
                     "\"xxxxxxxxxxxxxxxxxxxxxxxxx\"");
    ck_assert_str_eq(sample("{\"type\":\"array\",\"items\":{\"type\":\"boolean\"},\"minItems\":2}"),
                     "[true,true]");
    ck_assert_str_eq(sample("{\"type\":\"object\",\"required\":[\"b\"],\"properties\":{"
                            "\"b\":{\"type\":\"integer\"},\"a\":{\"type\":\"string\"}}}"),
                     "{\"a\":\"A1\",\"b\":100}");
}
END_TEST

START_TEST(what_nothing_is_known_for_is_absent)
{
    ck_assert_str_eq(sample("{\"type\":\"string\",\"pattern\":\"^Q{7}-Z$\"}"), "");
    ck_assert_str_eq(sample("{\"type\":\"string\",\"minLength\":100000}"), "");
    ck_assert_str_eq(sample("{\"type\":\"object\",\"required\":[\"b\"],\"properties\":{"
                            "\"b\":{\"type\":\"string\",\"pattern\":\"^Q{7}-Z$\"}}}"),
                     "");
}
END_TEST

SUITE_MAIN_AROUND("sample", set_up, tear_down, the_schemas_own_words_go_first,
                  what_is_made_up_keeps_the_rules, what_nothing_is_known_for_is_absent)
