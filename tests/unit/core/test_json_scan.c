/* The scanner against jansson: the same values in the same order, and nothing that jansson refuses. */
#include "core/json.h"
#include "core/json_scan.h"
#include "core/limit.h"
#include "core/rng.h"
#include "tests/support/suite.h"

static struct arena *arena;

static struct json_scan scan_of(struct str text)
{
    return (struct json_scan){text.data, text.data + text.len, arena, 0};
}

static bool at_end(struct json_scan *s)
{
    return json_scan_peek(s) == '\0' && s->at == s->end;
}

static bool over_all(struct str text)
{
    struct json_scan s = scan_of(text);

    return json_scan_over(&s) && at_end(&s);
}

START_TEST(a_scalar_is_what_the_parser_makes_of_it)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "-0.0",
        "7",
        "-12",
        "999999999999999999",
        "2.9",
        "1900.0",
        "0.1",
        "1e3",
        "1E+3",
        "12e-2",
        "123456789012345.67",
        "9007199254740993.0",
        "1e22",
        "1e23",
        "1.7976931348623157e308",
        "5e-324",
        "1e-400",
        "0.000001",
        "52.3702157",
        "true",
        "false",
        "null",
        "\"\"",
        "\"plain\"",
        "\"a text longer than eight bytes\"",
        "\"h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9a\x97\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\u00e9\\u20AC\\uD83D\\uDE97 end\"",
        " \t\r\n 1 ",
    };

    arena = arena_new(0);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct json_scan s = scan_of(str_of(texts[i]));
        struct value scanned, parsed;
        ck_assert_msg(json_scan_scalar(&s, &scanned) && at_end(&s), "%s", texts[i]);
        ck_assert_int_eq(json_parse_strictly(str_of(texts[i]), arena, &parsed, NULL), JSON_FINE);
        ck_assert_msg(value_same(scanned, parsed), "%s", texts[i]);
    }
    arena_free(arena);
}
END_TEST

START_TEST(what_is_no_json_is_not_taken)
{
    static const char *const texts[] = {
        " ",
        "tru",
        "True",
        "nul",
        "01",
        "-",
        "+1",
        ".5",
        "1.",
        "1e",
        "1e+",
        "0x1",
        "1e400",
        "NaN",
        "Infinity",
        "'a'",
        "\"a",
        "\"\x01\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\u0041\"",
        "\"\\",
        "\"\xff\"",
        "\"\xc0\xaf\"",
        "\"\xed\xa0\x80\"",
        "\"\xf4\x90\x80\x80\"",
        "\"\xe2\x82",
        "[",
        "[1",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1}",
        "{",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,}",
        "{,}",
        "{a:1}",
        "{\"a\" 1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1,\"b\":2,\"a\":3}",
        "{\"a\":{\"\":1,\"\":1}}",
        "1 2",
        "\xef\xbb\xbf{}",
    };

    arena = arena_new(0);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        ck_assert_msg(!over_all(str_of(texts[i])), "%s", texts[i]);
    ck_assert(!over_all((struct str){"1\0", 2}));
    arena_free(arena);
}
END_TEST

START_TEST(nesting_ends_where_the_parser_ends_it)
{
    struct buf text = {0};

    arena = arena_new(0);
    for (int depth = LIMIT_JSON_DEPTH; depth <= LIMIT_JSON_DEPTH + 1; depth++) {
        buf_clear(&text);
        for (int i = 0; i < depth; i++)
            buf_put_text(&text, i % 2 ? "{\"a\":" : "[");
        buf_put_char(&text, '1');
        for (int i = depth - 1; i >= 0; i--)
            buf_put_char(&text, i % 2 ? '}' : ']');
        ck_assert_int_eq(over_all(buf_str(&text)), depth == LIMIT_JSON_DEPTH);
    }
    buf_free(&text);
    arena_free(arena);
}
END_TEST

/* More keys than the scanner remembers, numbers of more digits than it counts, a key with an
 * escape: it is not sure, and the projection is right all the same. */
START_TEST(in_doubt_the_parser_decides)
{
    struct projection *p = projection_new();
    struct buf text = {0};
    struct value fields[3] = {VALUE_NONE, VALUE_NONE, VALUE_NONE};

    arena = arena_new(0);
    projection_add(p, STR("/v"), 0);
    projection_add(p, STR("/k99"), 1);
    projection_add(p, STR("/n"), 2);
    buf_put_text(&text, "{\"\\u0076\":\"x\",\"n\":9223372036854775807");
    for (int i = 0; i < 100; i++)
        buf_put_format(&text, ",\"k%d\":%d", i, i);
    buf_put_char(&text, '}');
    ck_assert(!over_all(buf_str(&text)));
    ck_assert_int_eq(projection_read(p, buf_str(&text), arena, fields, NULL), JSON_FINE);
    ck_assert(str_is(value_str(fields[0]), "x"));
    ck_assert_int_eq(fields[1].i, 99);
    ck_assert(fields[2].i == INT64_MAX);
    buf_free(&text);
    projection_free(p);
    arena_free(arena);
}
END_TEST

/* Whole: the same value, written in the same order. */
static void hold_whole(struct str text, bool is_json, struct value expected)
{
    struct buf one = {0}, other = {0};
    struct value v;

    ck_assert_msg((json_parse(text, arena, &v, NULL) == JSON_FINE) == is_json, "%.*s",
                  STR_ARG(text));
    if (is_json) {
        json_put_value(&one, v);
        json_put_value(&other, expected);
        ck_assert_msg(value_same(v, expected), "%.*s", STR_ARG(text));
        ck_assert_str_eq(buf_text(&one), buf_text(&other));
    }
    buf_free(&one);
    buf_free(&other);
}

static void hold_against_parser(struct str text, const struct projection *p)
{
    struct value fields[3] = {VALUE_NONE, VALUE_NONE, VALUE_NONE}, whole;
    bool is_json = json_parse_strictly(text, arena, &whole, NULL) == JSON_FINE;
    static const char *const paths[] = {"/data/vin", "/data/pad_mm", "/data"};

    hold_whole(text, is_json, whole);
    if (over_all(text))
        ck_assert_msg(is_json, "taken: %.*s", STR_ARG(text));
    ck_assert_msg(is_json == (projection_read(p, text, arena, fields, NULL) == JSON_FINE), "%.*s",
                  STR_ARG(text));
    if (!is_json || whole.kind != VALUE_MAP)
        return;
    for (size_t i = 0; i < 3; i++) {
        struct value expected = json_at(whole, str_of(paths[i]));
        if (expected.kind == VALUE_NULL ||
            (i < 2 && json_at(whole, STR("/data")).kind != VALUE_MAP))
            expected = VALUE_NONE;
        ck_assert_msg(value_same(expected, fields[i]), "%s of %.*s", paths[i], STR_ARG(text));
    }
}

START_TEST(a_document_with_a_few_bytes_changed_is_judged_alike)
{
    static const char seed[] = "{\"id\":\"e-1\",\"type\":\"vehicle.telemetry\",\"more\":[1,-2.5e1,"
                               "{\"b\":null}],\"data\":{\"vin\":\"V\\u00e9 1\",\"pad_mm\":2.9,"
                               "\"x\":{\"y\":[true,false]}}}";
    static const char bytes[] = "\"\\{}[]:,0123456789.eE+-tfnu \n\x01\x80\xc3\xa9\xff";
    struct projection *p = projection_new();
    struct rng rng = rng_seeded(42);
    char text[sizeof seed];

    arena = arena_new(0);
    projection_add(p, STR("/data/vin"), 0);
    projection_add(p, STR("/data/pad_mm"), 1);
    projection_add(p, STR("/data"), 2);
    for (int round = 0; round < 20000; round++) {
        memcpy(text, seed, sizeof seed);
        for (uint64_t changes = rng_below(&rng, 4); changes > 0; changes--)
            text[rng_below(&rng, sizeof seed - 1)] = bytes[rng_below(&rng, sizeof bytes - 1)];
        hold_against_parser((struct str){text, rng_below(&rng, 20) == 0
                                                   ? rng_below(&rng, sizeof seed)
                                                   : sizeof seed - 1},
                            p);
        arena_reset(arena);
    }
    projection_free(p);
    arena_free(arena);
}
END_TEST

SUITE_MAIN("json_scan", a_scalar_is_what_the_parser_makes_of_it, what_is_no_json_is_not_taken,
           nesting_ends_where_the_parser_ends_it, in_doubt_the_parser_decides,
           a_document_with_a_few_bytes_changed_is_judged_alike)
