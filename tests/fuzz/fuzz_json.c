/* JSON from any bytes: what is taken prints to JSON that reads back the same, a projection agrees
 * with the whole document, the scanner takes nothing that the parser refuses and reads the same
 * scalars, and a pointer into the text finds what is there. */
#include "core/check.h"
#include "core/json.h"
#include "core/json_scan.h"

static void check_scan(struct str text, bool is_json, struct value whole, struct arena *arena)
{
    struct json_scan over = {text.data, text.data + text.len, arena, 0}, scalar = over;
    struct value v;

    if (text.len == 0)
        return;
    if (json_scan_over(&over) && json_scan_peek(&over) == '\0' && over.at == over.end)
        CHECK(is_json);
    if (json_scan_scalar(&scalar, &v) && json_scan_peek(&scalar) == '\0' && scalar.at == scalar.end)
        CHECK(is_json && value_same(v, whole));
}

/* What json_parse takes, jansson takes too, and reads the same in the same order. */
static void check_parser(struct str text, bool is_json, struct value whole, struct arena *arena)
{
    struct buf one = {0}, other = {0};
    struct value v;

    CHECK((json_parse_strictly(text, arena, &v, NULL) == JSON_FINE) == is_json);
    if (is_json) {
        CHECK(value_same(v, whole));
        json_put_value(&one, v);
        json_put_value(&other, whole);
        CHECK(str_equal(buf_str(&one), buf_str(&other)));
    }
    buf_free(&one);
    buf_free(&other);
}

static void check_projection(struct str text, bool is_json, struct value whole, struct arena *arena)
{
    struct projection *p = projection_new();
    struct value fields[2] = {VALUE_NONE, VALUE_NONE}, a = VALUE_NONE;

    projection_add(p, STR("/a"), 0);
    projection_add(p, STR("/a/b"), 1);
    CHECK((projection_read(p, text, arena, fields, NULL) == JSON_FINE) == is_json);
    if (is_json && whole.kind == VALUE_MAP)
        a = value_map_get(whole, STR("a"));
    if (is_json && a.kind != VALUE_NULL) {
        CHECK(value_same(fields[0], a));
        a = value_map_get(a, STR("b"));
        CHECK(a.kind == VALUE_NULL || value_same(fields[1], a));
    }
    projection_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct arena *arena = arena_new(0);
    struct str text = {(const char *)data, bytes};
    struct buf out = {0}, again = {0};
    struct value v, back;
    struct err err;
    bool is_json = json_parse(text, arena, &v, &err) == JSON_FINE;
    int line, column;

    check_parser(text, is_json, v, arena);
    check_scan(text, is_json, v, arena);
    check_projection(text, is_json, v, arena);
    if (is_json) {
        json_put_value(&out, v);
        CHECK(json_parse(buf_str(&out), arena, &back, &err) == JSON_FINE);
        CHECK(value_same(v, back));
        json_put_value(&again, back);
        CHECK(str_equal(buf_str(&out), buf_str(&again)));
        if (json_locate(text, STR("/a/1"), &line, &column))
            CHECK(line >= 1 && column >= 1);
    } else {
        CHECK(str_is_utf8(str_of(err.text)));
    }
    buf_clear(&out);
    json_put_string(&out, text);
    CHECK(json_parse(buf_str(&out), arena, &v, &err) == JSON_FINE && v.kind == VALUE_STRING);
    buf_free(&out);
    buf_free(&again);
    arena_free(arena);
    return 0;
}
