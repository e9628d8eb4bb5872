#include "core/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/limit.h"
#include "core/rng.h"
#include "tests/support/suite.h"

static struct arena *arena;

static enum json_fault parse(const char *text, struct value *out)
{
    if (arena == NULL)
        arena = arena_new(0);
    return json_parse(str_of(text), arena, out, NULL);
}

static const char *printed(struct value v)
{
    static struct buf buf;

    buf_clear(&buf);
    json_put_value(&buf, v);
    return buf_text(&buf);
}

START_TEST(a_document_prints_as_it_was_in_its_order)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"null", "null"},
        {" [ true , false ] ", "[true,false]"},
        {" {\"b\":1, \"a\":{\"z\":[],\"y\":{}}}", "{\"b\":1,\"a\":{\"z\":[],\"y\":{}}}"},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"1900.0", "1900.0"},
        {"1e3", "1000.0"},
        {"-0.0", "-0.0"},
        {"1e300", "1e+300"},
        {"\"a\\u00e9\\n\\\"\\\\\\/\"", "\"a\xc3\xa9\\n\\\"\\\\/\""},
        {"\"\\ud83d\\ude97\"", "\"\xf0\x9f\x9a\x97\""},
        {"\"\\u0001\"", "\"\\u0001\""},
        {"\"a\\u0000b\"", "\"a\\u0000b\""},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct value v;
        ck_assert_msg(parse(cases[i].in, &v) == JSON_FINE, "%s", cases[i].in);
        ck_assert_str_eq(printed(v), cases[i].out);
    }
    arena_free(arena);
}
END_TEST

START_TEST(what_is_not_json_is_refused_with_its_fault)
{
    static const struct {
        const char *in;
        enum json_fault fault;
    } cases[] = {
        {"", JSON_BROKEN},
        {"{", JSON_BROKEN},
        {"{} x", JSON_BROKEN},
        {"[1,]", JSON_BROKEN},
        {"{\"a\":1,\"a\":2}", JSON_BROKEN},
        {"NaN", JSON_BROKEN},
        {"01", JSON_BROKEN},
        {"[1,2", JSON_BROKEN},
        {"[1 2]", JSON_BROKEN},
        {"{\"a\":1,}", JSON_BROKEN},
        {"{a:1}", JSON_BROKEN},
        {"{'a':1}", JSON_BROKEN},
        {"// 1", JSON_BROKEN},
        {"+1", JSON_BROKEN},
        {"-", JSON_BROKEN},
        {".5", JSON_BROKEN},
        {"1.", JSON_BROKEN},
        {"0x10", JSON_BROKEN},
        {"1e", JSON_BROKEN},
        {"-Infinity", JSON_BROKEN},
        {"nan", JSON_BROKEN},
        {"True", JSON_BROKEN},
        {"\f1", JSON_BROKEN},
        {"\xef\xbb\xbf{}", JSON_BROKEN}, /* a byte order mark */
        {"\"\\x41\"", JSON_BROKEN},
        {"\"\\u12\"", JSON_BROKEN},
        {"\"a\nb\"", JSON_BROKEN},
        {"9223372036854775808", JSON_BAD_NUMBER},
        {"-9223372036854775809", JSON_BAD_NUMBER},
        {"123456789012345678901234567890", JSON_BAD_NUMBER},
        {"1e400", JSON_BAD_NUMBER},
        {"[-1e999]", JSON_BAD_NUMBER},
        {"{\"\\u0000\":1}", JSON_BROKEN},
        {"\"\\ud800\"", JSON_BROKEN},
        {"\"\t\"", JSON_BROKEN},
        {"\"\xff\"", JSON_BAD_UTF8},
        {"\"\xc3(\"", JSON_BAD_UTF8},
        {"\"\xed\xa0\x80\"", JSON_BAD_UTF8},
    };
    struct value v;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_msg(parse(cases[i].in, &v) == cases[i].fault, "%s", cases[i].in);
        ck_assert_int_eq(v.kind, VALUE_ABSENT);
    }
    ck_assert_int_ne(json_parse((struct str){0}, arena, &v, NULL), JSON_FINE);
    arena_free(arena);
}
END_TEST

START_TEST(a_message_says_line_and_column)
{
    struct err err;
    struct value v;
    int line, column;

    arena = arena_new(0);
    ck_assert_int_eq(json_parse(STR("{\n \"a\": x}"), arena, &v, &err), JSON_BROKEN);
    ck_assert_ptr_eq(strstr(err.text, "line 2 column"), err.text);
    json_stopped_at(&line, &column);
    ck_assert_int_eq(line, 2);
    arena_free(arena);
}
END_TEST

START_TEST(nesting_has_a_limit_and_brackets_in_texts_do_not_count)
{
    struct buf deep = {0};
    struct value v;

    for (int i = 0; i < LIMIT_JSON_DEPTH; i++)
        buf_put_char(&deep, '[');
    buf_put_text(&deep, "\"[[[[[[[\\\"[[\"");
    for (int i = 0; i < LIMIT_JSON_DEPTH; i++)
        buf_put_char(&deep, ']');
    ck_assert_int_eq(parse(buf_text(&deep), &v), JSON_FINE);
    buf_clear(&deep);
    for (int i = 0; i < 100000; i++)
        buf_put_text(&deep, "{\"a\":");
    ck_assert_int_eq(parse(buf_text(&deep), &v), JSON_TOO_DEEP);
    buf_free(&deep);
    arena_free(arena);
}
END_TEST

START_TEST(doubles_print_shortest_and_read_back)
{
    static const struct {
        double d;
        const char *text;
    } cases[] = {
        {1900, "1900.0"},
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1e21, "1e+21"},
        {5e-324, "4.94065645841247e-324"},
        {-2.5, "-2.5"},
        {1.0 / 3, "0.3333333333333333"},
        {NAN, "null"},
        {-INFINITY, "null"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_str_eq(printed(value_double(cases[i].d)), cases[i].text);
}
END_TEST

START_TEST(what_json_lacks_prints_as_text)
{
    struct value half = value_duration_ms(129600000);
    struct value_entry number = {value_int(7), value_bool(true)};

    ck_assert_str_eq(printed(value_timestamp_ms(1772442000250)), "\"2026-03-02T09:00:00.250Z\"");
    ck_assert_str_eq(printed(half), "\"1d12h\"");
    ck_assert_str_eq(printed(value_map(&number, 1)), "{\"7\":true}");
    ck_assert_str_eq(printed(VALUE_NONE), "null");
    ck_assert_str_eq(printed((struct value){.kind = VALUE_BYTES, .n = 4, .text = "\0\1\xff!"}),
                     "\"AAH/IQ==\"");
    ck_assert_str_eq(printed((struct value){.kind = VALUE_BYTES, .n = 3, .text = "abc"}),
                     "\"YWJj\"");
    ck_assert_str_eq(printed((struct value){.kind = VALUE_OPTIONAL, .boxed = &half}), "\"1d12h\"");
}
END_TEST

START_TEST(whatever_text_is_written_can_be_read)
{
    struct buf out = {0};
    struct value v;

    json_put_string(&out, (struct str){"a\0b\xff\x1f", 5});
    ck_assert_str_eq(buf_text(&out), "\"a\\u0000b?\\u001f\"");
    ck_assert_int_eq(parse(buf_text(&out), &v), JSON_FINE);
    buf_free(&out);
    arena_free(arena);
}
END_TEST

START_TEST(a_projection_reads_only_what_is_wanted)
{
    struct projection *p = projection_new();
    struct value fields[5], type = VALUE_NONE;
    const struct projection_own own = {.values = &type};

    arena = arena_new(0);
    for (size_t i = 0; i < 5; i++)
        fields[i] = value_int(-1);
    projection_add(p, STR("/data/vin"), 0);
    projection_add(p, STR("/data/wheel"), 1);
    projection_add(p, STR("/data/gone"), 2);
    projection_add(p, STR("/data/null"), 3);
    projection_add(p, STR("/data/a~1b~0c/d"), 4);
    projection_add(p, STR("/type"), PROJECTION_OWN);
    ck_assert_int_eq(
        projection_read_both(p,
                             STR("{\"type\":\"t\",\"data\":{\"vin\":\"V1\",\"wheel\":{\"b\":[1],"
                                 "\"a\":2},\"null\":null,\"a/b~c\":{\"d\":4}},\"more\":1}"),
                             arena, fields, &own, NULL),
        JSON_FINE);
    ck_assert(str_is(value_str(fields[0]), "V1"));
    ck_assert_str_eq(printed(fields[1]), "{\"b\":[1],\"a\":2}");
    ck_assert_int_eq(fields[2].i, -1); /* untouched */
    ck_assert_int_eq(fields[3].kind, VALUE_ABSENT);
    ck_assert_int_eq(fields[4].i, 4);
    ck_assert(str_is(value_str(type), "t"));
    ck_assert_int_eq(projection_read(p, STR("{\"data\":"), arena, fields, NULL), JSON_BROKEN);
    ck_assert_int_eq(projection_read(p, STR("[{}]"), arena, fields, NULL), JSON_FINE);
    projection_free(p);
    arena_free(arena);
}
END_TEST

START_TEST(a_projection_may_want_the_document_and_a_part_of_it)
{
    struct projection *p = projection_new();
    struct value fields[2] = {VALUE_NONE, VALUE_NONE};

    arena = arena_new(0);
    projection_add(p, STR(""), 1);
    projection_add(p, STR("/a"), 0);
    ck_assert_int_eq(projection_read(p, STR("{\"a\":1}"), arena, fields, NULL), JSON_FINE);
    ck_assert_int_eq(fields[0].i, 1);
    ck_assert_str_eq(printed(fields[1]), "{\"a\":1}");
    projection_free(p);
    arena_free(arena);
}
END_TEST

static bool is_car(const void *context, uint32_t slot, struct value v)
{
    ck_assert_uint_eq(slot, PROJECTION_OWN);
    ck_assert_ptr_null(context);
    return str_is(value_str(v), "car");
}

START_TEST(a_projection_stops_where_its_reader_has_enough)
{
    struct projection *p = projection_new();
    struct value field = VALUE_NONE, type;
    const struct projection_own own = {&type, is_car, NULL};

    arena = arena_new(0);
    projection_add(p, STR("/data/vin"), 0);
    projection_add(p, STR("/type"), PROJECTION_OWN);
    ck_assert_int_eq(projection_read_both(p, STR("{\"type\":\"van\",\"data\":{\"vin\":1} rubbish"),
                                          arena, &field, &own, NULL),
                     JSON_FINE);
    ck_assert_int_eq(field.kind, VALUE_ABSENT);
    ck_assert(str_is(value_str(type), "van"));
    ck_assert_int_eq(projection_read_both(p, STR("{\"type\":\"car\",\"data\":{\"vin\":1}}"), arena,
                                          &field, &own, NULL),
                     JSON_FINE);
    ck_assert_int_eq(field.i, 1);
    projection_free(p);
    arena_free(arena);
}
END_TEST

START_TEST(the_writer_places_the_commas)
{
    struct buf out = {0};
    struct json_writer w = json_writer_to(&out);

    json_open(&w, '{');
    json_key(&w, "list");
    json_open(&w, '[');
    json_int(&w, 1);
    json_str(&w, STR("two"));
    json_open(&w, '{');
    json_close(&w, '}');
    json_close(&w, ']');
    json_key(&w, "yes");
    json_bool(&w, true);
    json_key(&w, "at");
    json_time(&w, 0);
    json_key(&w, "none");
    json_null(&w);
    json_key(&w, "v");
    json_value(&w, value_double(3));
    json_key(&w, "raw");
    json_raw(&w, STR("{\"x\":1}"));
    json_close(&w, '}');
    ck_assert_str_eq(buf_text(&out),
                     "{\"list\":[1,\"two\",{}],\"yes\":true,\"at\":\"1970-01-01T00:00:"
                     "00Z\",\"none\":null,\"v\":3.0,\"raw\":{\"x\":1}}");
    ck_assert_int_eq(w.depth, 0);
    buf_free(&out);
}
END_TEST

START_TEST(a_place_in_a_document_is_found_by_its_pointer)
{
    const struct str text = STR("{\n  \"a\": {\"x\": [1, {\"y\": \"}\"}]},\n  \"b\": 2\n}");
    int line, column;

    ck_assert(json_locate(text, STR("/b"), &line, &column));
    ck_assert_int_eq(line, 3);
    ck_assert_int_eq(column, 3);
    ck_assert(json_locate(text, STR("/a/x/1/y"), &line, &column));
    ck_assert_int_eq(line, 2);
    ck_assert_int_eq(column, 19);
    ck_assert(json_locate(text, STR(""), &line, &column));
    ck_assert_int_eq(line, 1);
    ck_assert(!json_locate(text, STR("/a/x/2"), &line, &column));
    ck_assert(!json_locate(text, STR("/b/c"), &line, &column));
}
END_TEST

START_TEST(a_pointer_names_a_value)
{
    struct value v;

    ck_assert_int_eq(parse("{\"a\":{\"x/~\":[1,{\"y\":2}]},\"\":3}", &v), JSON_FINE);
    ck_assert_int_eq(json_at(v, STR("/a/x~1~0/1/y")).i, 2);
    ck_assert_int_eq(json_at(v, STR("/")).i, 3);
    ck_assert(value_same(json_at(v, STR("")), v));
    ck_assert_int_eq(json_at(v, STR("/a/x~1~0/2")).kind, VALUE_ABSENT);
    ck_assert_int_eq(json_at(v, STR("/a/x~1~0/-1")).kind, VALUE_ABSENT);
    ck_assert_int_eq(json_at(v, STR("/a/b/c")).kind, VALUE_ABSENT);
    ck_assert_int_eq(json_at(v, STR("//a")).kind, VALUE_ABSENT);
    arena_free(arena);
}
END_TEST

/* The shortest text that reads back, by the long way. */
static const char *longhand(double d)
{
    static char text[48];
    int precision = 15;

    do {
        snprintf(text, sizeof text, "%.*g", precision, d);
    } while (strtod(text, NULL) != d && ++precision <= 17);
    if (strcspn(text, ".e") == strlen(text))
        strcat(text, ".0");
    return text;
}

START_TEST(a_number_is_written_as_short_as_it_reads_back)
{
    static const double plain[] = {0.0,    -0.0,   1.0,  -1.0,     0.1,        12.5,
                                   1900.0, 0.0001, 1e-5, 0.000123, 999999999., 1e9,
                                   1e15,   1e16,   2.9,  -0.75,    123456.789, 0.30000000000000004,
                                   1e-300, 1.0 / 3};
    struct rng rng = rng_seeded(7);
    struct buf out = {0};

    for (int i = 0; i < 200000; i++) {
        double d = i < (int)(sizeof plain / sizeof plain[0])
                       ? plain[i]
                       : (double)(int64_t)rng_below(&rng, UINT64_C(1) << (1 + i % 50)) /
                             pow(10, i % 9) * (i % 2 ? 1 : -1);
        if (i % 11 == 0)
            d = nextafter(d, 1e300);
        buf_clear(&out);
        json_put_double(&out, d);
        ck_assert_str_eq(buf_text(&out), longhand(d));
    }
    buf_free(&out);
}
END_TEST

SUITE_MAIN("json", a_pointer_names_a_value, a_document_prints_as_it_was_in_its_order,
           what_is_not_json_is_refused_with_its_fault, a_message_says_line_and_column,
           nesting_has_a_limit_and_brackets_in_texts_do_not_count,
           doubles_print_shortest_and_read_back, what_json_lacks_prints_as_text,
           whatever_text_is_written_can_be_read, a_projection_reads_only_what_is_wanted,
           a_projection_may_want_the_document_and_a_part_of_it,
           a_projection_stops_where_its_reader_has_enough, the_writer_places_the_commas,
           a_place_in_a_document_is_found_by_its_pointer,
           a_number_is_written_as_short_as_it_reads_back)
