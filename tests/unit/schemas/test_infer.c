#include "schemas/schema.h"
#include "schemas/schema_infer.h"
#include "tests/support/suite.h"

static struct arena *arena;

static struct value parsed(const char *text)
{
    struct value v;

    arena = arena != NULL ? arena : arena_new(0);
    ck_assert_int_eq(json_parse(str_of(text), arena, &v, NULL), JSON_FINE);
    return v;
}

/* What is written of these events; each of them fits it. */
static const char *inferred(const char *const *events, size_t count, int times)
{
    static struct buf out;
    struct schema_infer *infer = schema_infer_new();
    struct diags diags = {0};
    const struct schema *schema;

    for (int t = 0; t < times; t++)
        for (size_t i = 0; i < count; i++)
            schema_infer_see(infer, parsed(events[i]));
    buf_clear(&out);
    schema_infer_write(infer, STR("order.placed"), &out);
    schema = schema_read(buf_str(&out), "x.json", arena, &diags);
    ck_assert_msg(schema != NULL, "%s\n%s", diags.count > 0 ? diags.items[0].what : "",
                  buf_text(&out));
    for (size_t i = 0; i < count; i++)
        ck_assert(schema_validate(schema, parsed(events[i]), NULL));
    schema_infer_free(infer);
    return buf_text(&out);
}

#define INFERRED(times, ...)                                                                       \
    inferred((const char *const[]){__VA_ARGS__},                                                   \
             sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), times)

START_TEST(it_says_types_values_ranges_and_what_may_be_missing)
{
    ck_assert_str_eq(
        INFERRED(2, "{\"amount\":12.5,\"kind\":\"web\",\"at\":\"2026-03-02T09:00:00Z\"}",
                 "{\"amount\":3,\"kind\":\"shop\",\"at\":\"2026-03-03T09:00:00Z\",\"items\":7}",
                 "{\"amount\":40,\"kind\":\"web\",\"at\":\"2026-03-04T09:00:00+01:00\"}",
                 "{\"amount\":0,\"kind\":\"shop\",\"at\":\"2026-03-02T09:00:00Z\",\"items\":-1}"),
        "{\n"
        "  \"$schema\": \"http://json-schema.org/draft-07/schema#\",\n"
        "  \"title\": \"Order placed\",\n"
        "  \"description\": \"made from 8 events: read it, and change what is not so\",\n"
        "  \"type\": \"object\",\n"
        "  \"required\": [\"amount\", \"kind\", \"at\"],\n"
        "  \"properties\": {\n"
        "    \"amount\": {\n"
        "      \"type\": \"number\",\n"
        "      \"title\": \"Amount\",\n"
        "      \"description\": \"from 0 to 40 (as seen)\",\n"
        "      \"minimum\": 0\n"
        "    },\n"
        "    \"kind\": {\n"
        "      \"type\": \"string\",\n"
        "      \"title\": \"Kind\",\n"
        "      \"enum\": [\"web\", \"shop\"]\n"
        "    },\n"
        "    \"at\": {\n"
        "      \"type\": \"string\",\n"
        "      \"title\": \"At\",\n"
        "      \"format\": \"date-time\"\n"
        "    },\n"
        "    \"items\": {\n"
        "      \"type\": \"integer\",\n"
        "      \"title\": \"Items\",\n"
        "      \"description\": \"in 4 of 8, from -1 to 7 (as seen)\"\n"
        "    }\n"
        "  }\n"
        "}\n");
    arena_free(arena);
}
END_TEST

START_TEST(a_text_of_a_person_is_not_copied)
{
    const char *text = INFERRED(2, "{\"name\":\"Anna\"}", "{\"name\":\"Bert\"}");

    ck_assert_ptr_null(strstr(text, "Anna"));
    text = INFERRED(1, "{\"name\":\"a name of more than forty letters, which nobody has\"}",
                    "{\"name\":\"\"}", "{\"name\":\"\"}", "{\"name\":\"\"}");
    ck_assert_ptr_null(strstr(text, "enum"));
    arena_free(arena);
}
END_TEST

START_TEST(mixed_types_null_lists_and_objects_fit)
{
    const char *text =
        INFERRED(1, "{\"a\":1,\"b\":null,\"c\":[1,\"x\",{\"d\":true}],\"e\":{\"f\":{\"g\":1.5}}}",
                 "{\"a\":\"x\",\"b\":false,\"c\":[],\"e\":{\"f\":{}},\"n\":null}", "{\"a\":[2]}");

    ck_assert_ptr_nonnull(strstr(text, "\"type\": [\"integer\", \"string\", \"array\"]"));
    ck_assert_ptr_nonnull(strstr(text, "\"type\": [\"boolean\", \"null\"]"));
    ck_assert_ptr_nonnull(strstr(text, "\"required\": [\"a\"]"));
    INFERRED(1, "{}");
    INFERRED(4, "{\"day\":\"2026-03-02\",\"not_a_day\":\"2026-02-30\"}");
    INFERRED(1, "{\"\":1,\"a\\\"b/c~d\":2,\"\\u20ac\":9223372036854775807}");
    arena_free(arena);
}
END_TEST

START_TEST(names_that_are_values_are_no_fields)
{
    struct buf event = {0};
    const char *text;

    buf_put_text(&event, "{\"by_id\":{\"x\":1");
    for (int i = 0; i < 300; i++)
        buf_put_format(&event, ",\"c-%d\":%d", i, i);
    buf_put_text(&event, "}}");
    text = INFERRED(1, buf_text(&event));
    ck_assert_ptr_null(strstr(text, "c-1"));
    ck_assert_ptr_nonnull(strstr(text, "more than 256 different names"));
    buf_free(&event);
    arena_free(arena);
}
END_TEST

START_TEST(names_become_titles)
{
    const char *text = INFERRED(1, "{\"amountDue\":1,\"due_at\":1,\"URL\":1,\"customerID\":1}");

    ck_assert_ptr_nonnull(strstr(text, "\"Amount due\""));
    ck_assert_ptr_nonnull(strstr(text, "\"Due at\""));
    ck_assert_ptr_nonnull(strstr(text, "\"URL\""));
    ck_assert_ptr_nonnull(strstr(text, "\"Customer ID\""));
    arena_free(arena);
}
END_TEST

SUITE_MAIN("schema_infer", it_says_types_values_ranges_and_what_may_be_missing,
           a_text_of_a_person_is_not_copied, mixed_types_null_lists_and_objects_fit,
           names_that_are_values_are_no_fields, names_become_titles)
