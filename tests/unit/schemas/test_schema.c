#include <stdio.h>

#include "schemas/schema.h"
#include "tests/support/suite.h"

static struct arena *arena;
static struct diags diags;

static void start(void)
{
    arena = arena_new(0);
}

static void stop(void)
{
    diags_free(&diags);
    arena_free(arena);
}

static const struct schema *read_schema(const char *text)
{
    if (arena == NULL)
        start();
    const struct schema *schema = schema_read(str_of(text), "x.json", arena, &diags);
    for (size_t i = 0; schema == NULL && i < diags.count; i++)
        fprintf(stderr, "%s\n", diags.items[i].what);
    return schema;
}

static struct value json(const char *text)
{
    struct value v;

    ck_assert_int_eq(json_parse(str_of(text), arena, &v, NULL), JSON_FINE);
    return v;
}

static const char *validated(const char *schema_text, const char *text)
{
    static struct err err;
    const struct schema *schema = read_schema(schema_text);

    ck_assert_ptr_nonnull(schema);
    err.text[0] = '\0';
    return schema_validate(schema, json(text), &err) ? "fits" : err.text;
}

START_TEST(each_rule_is_checked_and_says_what_is_wrong)
{
    static const struct {
        const char *schema, *value, *answer;
    } cases[] = {
        {"{}", "[1]", "fits"},
        {"{\"type\":\"number\"}", "1", "fits"},
        {"{\"type\":\"integer\"}", "1.0", "fits"},
        {"{\"type\":\"integer\"}", "1.5", "data: is a number, wants an integer"},
        {"{\"type\":\"integer\"}", "1e300", "data: is a number, wants an integer"},
        {"{\"type\":\"number\"}", "\"1\"", "data: is a string, wants number"},
        {"{\"type\":\"string\"}", "null", "data: is null, wants a string"},
        {"{\"type\":[\"string\",\"null\"]}", "null", "fits"},
        {"{\"type\":[\"string\",\"null\"]}", "[]", "data: is a list, wants null or a string"},
        {"{\"type\":[\"integer\",\"number\"]}", "1.5", "fits"},
        {"{\"enum\":[1,\"a\",{\"x\":1}]}", "1.0", "fits"},
        {"{\"enum\":[1,\"a\",{\"x\":1}]}", "{\"x\":1.0}", "fits"},
        {"{\"enum\":[1,\"a\"]}", "2", "data: is none of the 2 values that are allowed"},
        {"{\"const\":null}", "0", "data: is not the one value that is allowed"},
        {"{\"minimum\":3}", "3", "fits"},
        {"{\"minimum\":3}", "2.5", "data: 2.5 is less than 3"},
        {"{\"exclusiveMinimum\":3}", "3", "data: 3 is not greater than 3"},
        {"{\"maximum\":3}", "4", "data: 4 is greater than 3"},
        {"{\"exclusiveMaximum\":3}", "3.0", "data: 3 is not less than 3"},
        {"{\"minimum\":3}", "\"a\"", "fits"},
        {"{\"minLength\":2}", "\"\xc3\xa9\"", "data: has 1 characters, wants at least 2"},
        {"{\"maxLength\":1}", "\"\xc3\xa9\"", "fits"},
        {"{\"maxItems\":1}", "[1,2]", "data: has 2 items, wants at most 1"},
        {"{\"minItems\":1}", "[]", "data: has 0 items, wants at least 1"},
        {"{\"items\":{\"type\":\"string\"}}", "[\"a\",1]", "/1: is a number, wants a string"},
        {"{\"pattern\":\"^[A-Z]{2}$\"}", "\"NL\"", "fits"},
        {"{\"pattern\":\"^[A-Z]{2}$\"}", "\"nl\"", "data: does not match ^[A-Z]{2}$"},
        {"{\"format\":\"date-time\"}", "\"2026-03-02T09:00:00+01:00\"", "fits"},
        {"{\"format\":\"date-time\"}", "\"2026-03-02\"", "data: is no RFC 3339 time"},
        {"{\"format\":\"date\"}", "\"2024-02-29\"", "fits"},
        {"{\"format\":\"date\"}", "\"2026-02-29\"", "data: is no date (YYYY-MM-DD)"},
        {"{\"format\":\"email\"}", "\"a@b.example\"", "fits"},
        {"{\"format\":\"email\"}", "\"a b@b.example\"", "data: is no e-mail address"},
        {"{\"format\":\"email\"}", "\"a@b@c\"", "data: is no e-mail address"},
        {"{\"format\":\"email\"}", "\"a@\"", "data: is no e-mail address"},
        {"{\"format\":\"uri\"}", "\"https://x.example/a?b#c\"", "fits"},
        {"{\"format\":\"uri\"}", "\"urn:x:1\"", "fits"},
        {"{\"format\":\"uri\"}", "\"/a\"", "data: is no URI"},
        {"{\"format\":\"uri\"}", "\"a:b c\"", "data: is no URI"},
        {"{\"required\":[\"a\"]}", "{\"b\":1}", "data: \"a\" is missing"},
        {"{\"required\":[\"a\"]}", "{\"a\":null}", "fits"},
        {"{\"properties\":{\"a\":{\"properties\":{\"b\":{\"type\":\"null\"}}}}}",
         "{\"a\":{\"b\":1}}", "/a/b: is a number, wants null"},
        {"{\"properties\":{\"a\":{}},\"additionalProperties\":false}", "{\"b\":1}",
         "/b: may not be there"},
        {"{\"properties\":{\"a\":{}}}", "{\"b\":1}", "fits"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_str_eq(validated(cases[i].schema, cases[i].value), cases[i].answer);
    stop();
}
END_TEST

START_TEST(words_for_people_come_in_several_languages)
{
    const struct schema *schema =
        read_schema("{\"x-title\":{\"nl\":\"Land\"},\"title\":\"Country\",\"type\":\"string\","
                    "\"x-words\":{\"en\":\"the country\",\"nl\":\"het land\"},"
                    "\"x-values\":{\"NL\":{\"nl\":\"Nederland\"}}}");

    ck_assert(str_is(phrases_text(&schema->titles, STR("nl"), STR("en")), "Land"));
    ck_assert(str_is(phrases_text(&schema->titles, STR("fr"), STR("en")), "Country"));
    ck_assert(str_is(phrases_text(&schema->words, STR("nl-BE"), STR("en")), "het land"));
    ck_assert_uint_eq(schema->value_count, 1);
    ck_assert(str_is(schema->values[0].value, "NL"));
    ck_assert(str_is(phrases_text(&schema->values[0].words, STR("nl"), STR("en")), "Nederland"));
    stop();
}
END_TEST

static const char *refused(const char *text)
{
    static char line[512];

    start();
    ck_assert_ptr_null(schema_read(str_of(text), "x.json", arena, &diags));
    ck_assert_uint_gt(diags.count, 0);
    snprintf(line, sizeof line, "%d:%d %s: %s", diags.items[0].place.line,
             diags.items[0].place.column, diags.items[0].code, diags.items[0].what);
    stop();
    diags = (struct diags){0};
    return line;
}

START_TEST(what_would_not_be_checked_is_refused)
{
    static const struct {
        const char *schema, *finding;
    } cases[] = {
        {"{\"oneOf\":[]}", "1:2 unknown-keyword: \"oneOf\" is no word that is checked here"},
        {"{\"properties\":{\n\"a\":{\"minimun\":1}}}",
         "2:6 unknown-keyword: \"minimun\" is no word that is checked here"},
        {"{\"type\":\"float\"}", "1:2 wrong-type: there is no such type of field"},
        {"{\"type\":\"string\",\"minimum\":1}",
         "1:1 never-checked: \"minimum\" says nothing about a field of this type"},
        {"{\"items\":[{}]}", "1:2 wrong-type: \"items\" is taken as one schema for all items only"},
        {"{\"format\":\"ipv4\"}", "1:2 format: this format is not checked here"},
        {"{\"minimum\":\"1\"}", "1:2 wrong-type: a bound has to be a number"},
        {"{\"minLength\":-1}", "1:2 wrong-type: a length has to be a whole number"},
        {"{\"minimum\":2,\"maximum\":1}", "1:1 bounds: no number lies between these bounds"},
        {"{\"minItems\":2,\"maxItems\":1}",
         "1:1 bounds: the least length is greater than the greatest"},
        {"{\"additionalProperties\":{}}",
         "1:2 wrong-type: \"additionalProperties\" is taken as true or false only"},
        {"{\"required\":[\"a\"],\"additionalProperties\":false}",
         "1:1 required: \"a\" is required, but no field of this name may be there"},
        {"{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\"}",
         "1:2 dialect: only draft-07 is taken"},
        {"{\"properties\":{\"a\":true}}", "1:16 wrong-type: a schema has to be keys with values"},
        {"[]", "1:1 wrong-type: a schema has to be keys with values"},
        {"{\"title\":1}", "1:2 wrong-type: here has to be a text"},
        {"{\"x-title\":\"Gewicht\"}", "1:2 wrong-type: here has to be a text for each language"},
        {"{\"x-title\":{\"in Dutch\":\"Gewicht\"}}",
         "1:13 language: this is no code of a language"},
        {"{\"x-words\":{\"en\":\"[a|no car\"}}",
         "1:13 phrase: brackets stand in pairs, with at most one bar inside"},
        {"{\"type\":\"string\",\"x-values\":{\"NL\":\"Dutch\"}}",
         "1:30 wrong-type: here has to be a text for each language"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_str_eq(refused(cases[i].schema), cases[i].finding);
    ck_assert_ptr_nonnull(strstr(refused("{\n\"a\""), "json:"));
    ck_assert_ptr_nonnull(strstr(refused("{\"pattern\":\"(a)\\\\1\"}"), "pattern:"));
}
END_TEST

START_TEST(all_findings_come_at_once)
{
    start();
    ck_assert_ptr_null(
        schema_read(STR("{\"oneOf\":1,\"anyOf\":2,\"not\":3}"), "x.json", arena, &diags));
    ck_assert_uint_eq(diags.error_count, 3);
    stop();
}
END_TEST

static const char vehicle[] =
    "{\"title\":\"Vehicle\",\"type\":\"object\",\"required\":[\"vin\"],\"properties\":{"
    "\"vin\":{\"type\":\"string\",\"title\":\"VIN\"},"
    "\"weight_kg\":{\"type\":\"number\",\"unit\":\"kg\"},"
    "\"seats\":{\"type\":[\"integer\",\"null\"]},"
    "\"built\":{\"type\":\"string\",\"format\":\"date-time\"},"
    "\"any\":{\"type\":[\"string\",\"number\"]},"
    "\"owner\":{\"properties\":{\"since\":{\"type\":\"string\",\"format\":\"date-time\"}}},"
    "\"loads\":{\"type\":\"array\",\"items\":{\"type\":\"number\"}}}}";

START_TEST(a_schema_shows_types_titles_and_units)
{
    const struct schema *s = read_schema(vehicle);

    ck_assert_int_eq(s->type, SCHEMA_OBJECT);
    ck_assert(str_is(s->title, "Vehicle"));
    ck_assert_uint_eq(s->property_count, 7);
    ck_assert(str_is(s->properties[0]->name, "any"));
    ck_assert_int_eq(s->properties[0]->type, SCHEMA_ANY);
    ck_assert_int_eq(schema_at(s, STR("/weight_kg"))->type, SCHEMA_NUMBER);
    ck_assert(str_is(schema_at(s, STR("/weight_kg"))->unit, "kg"));
    ck_assert_int_eq(schema_at(s, STR("/seats"))->type, SCHEMA_INTEGER);
    ck_assert(schema_at(s, STR("/seats"))->nullable);
    ck_assert(!schema_at(s, STR("/vin"))->nullable);
    ck_assert_int_eq(schema_at(s, STR("/owner/since"))->type, SCHEMA_TIME);
    ck_assert_ptr_eq(schema_at(s, STR("")), s);
    ck_assert_ptr_null(schema_at(s, STR("/vim")));
    ck_assert_ptr_null(schema_at(s, STR("/vin/x")));
    stop();
}
END_TEST

START_TEST(values_are_coerced_to_what_the_schema_says)
{
    const struct schema *s = read_schema(vehicle);
    struct value v = schema_coerce(
        s,
        json("{\"vin\":\"V\",\"weight_kg\":1900,\"seats\":5.0,\"any\":1,\"built\":"
             "\"2026-03-02T09:00:00.25Z\",\"owner\":{\"since\":\"1970-01-01T00:00:01Z\","
             "\"x\":null},\"loads\":[1,2.5,null],\"more\":7}"),
        arena);

    ck_assert(value_same(value_map_get(v, STR("weight_kg")), value_double(1900)));
    ck_assert(value_same(value_map_get(v, STR("seats")), value_int(5)));
    ck_assert(value_same(value_map_get(v, STR("any")), value_int(1)));
    ck_assert(value_same(value_map_get(v, STR("more")), value_int(7)));
    ck_assert(value_same(value_map_get(v, STR("built")), value_timestamp_ms(1772442000250)));
    v = value_map_get(v, STR("owner"));
    ck_assert_uint_eq(v.n, 1); /* a null is not there */
    ck_assert(value_same(v.map[0].value, value_timestamp_ms(1000)));
    v = schema_coerce(schema_at(s, STR("/loads")), json("[1,2.5,null]"), arena);
    ck_assert(value_same(v.list[0], value_double(1)));
    ck_assert_int_eq(v.list[2].kind, VALUE_NULL);
    ck_assert_int_eq(schema_coerce(s, json("null"), arena).kind, VALUE_ABSENT);
    ck_assert(value_same(schema_coerce(NULL, json("1"), arena), value_int(1)));
    stop();
}
END_TEST

SUITE_MAIN("schema", words_for_people_come_in_several_languages,
           each_rule_is_checked_and_says_what_is_wrong, what_would_not_be_checked_is_refused,
           all_findings_come_at_once, a_schema_shows_types_titles_and_units,
           values_are_coerced_to_what_the_schema_says)
