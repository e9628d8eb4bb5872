/* JSON from any bytes: what is taken prints to JSON that reads back the same, a projection agrees
 * with the whole document in every field, also when it stops half-way, the scanner takes nothing that
 * the parser (jansson) refuses and reads the same scalars, integers are exact, and a pointer into
 * the text finds what is there. */
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

/* --- fields ---------------------------------------------------------------------------------------- */

enum { FIELDS = 32 };

struct wanted { /* fields that are there, and what the parser says they are */
    struct projection *projection;
    struct value values[FIELDS];
    uint32_t count;
    struct buf path;
};

static void put_key(struct buf *path, struct str key)
{
    buf_put_char(path, '/');
    for (size_t i = 0; i < key.len; i++)
        if (key.data[i] == '~' || key.data[i] == '/')
            buf_put_text(path, key.data[i] == '~' ? "~0" : "~1");
        else
            buf_put_char(path, key.data[i]);
}

/* Each member of the document, objects before what is in them. */
static void want_members(struct wanted *w, struct value v, uint32_t base)
{
    size_t bytes = w->path.len;

    for (uint32_t i = 0; v.kind == VALUE_MAP && i < v.n && w->count < FIELDS; i++) {
        struct value member = v.map[i].value;

        put_key(&w->path, value_str(v.map[i].key));
        projection_add(w->projection, buf_str(&w->path), base + w->count);
        w->values[w->count++] = member.kind == VALUE_NULL ? VALUE_NONE : member;
        want_members(w, member, base);
        w->path.len = bytes;
    }
}

struct few { /* how many fields are enough */
    uint32_t left;
};

static bool one_less(const void *context, uint32_t slot, struct value v)
{
    (void)slot, (void)v;
    return --((struct few *)(uintptr_t)context)->left > 0;
}

/* A reader that has seen enough after some fields has seen those rightly. */
static void check_enough(struct str text, struct value whole, struct arena *arena)
{
    struct wanted w = {.projection = projection_new()};
    struct value values[FIELDS], unset = value_error(arena, "not read");
    struct few few = {1 + (uint32_t)(text.len % FIELDS)};
    struct projection_own own = {values, one_less, &few};
    uint32_t read = 0, enough = few.left;

    want_members(&w, whole, PROJECTION_OWN);
    for (uint32_t i = 0; i < FIELDS; i++)
        values[i] = unset;
    CHECK(projection_read_both(w.projection, text, arena, NULL, &own, NULL) == JSON_FINE);
    for (uint32_t i = 0; i < w.count; i++) {
        read += values[i].kind != VALUE_ERROR;
        CHECK(values[i].kind == VALUE_ERROR || value_same(values[i], w.values[i]));
    }
    CHECK(read >= (enough < w.count ? enough : w.count));
    projection_free(w.projection);
    buf_free(&w.path);
}

static void check_projection(struct str text, bool is_json, struct value whole, struct arena *arena)
{
    struct wanted w = {.projection = projection_new()};
    struct value fields[FIELDS] = {VALUE_NONE};

    want_members(&w, whole, 0);
    CHECK((projection_read(w.projection, text, arena, fields, NULL) == JSON_FINE) == is_json);
    for (uint32_t i = 0; i < w.count; i++)
        CHECK(value_same(fields[i], w.values[i]));
    projection_free(w.projection);
    buf_free(&w.path);
    if (is_json)
        check_enough(text, whole, arena);
}

/* --- integers --------------------------------------------------------------------------------------- */

/* Counted by hand, so that neither parser can be wrong unseen: 64 bits exactly, and none beyond. */
static void check_integer(struct str text, bool is_json, struct value v)
{
    bool minus = text.len > 0 && text.data[0] == '-';
    struct str digits = str_slice(text, minus, text.len);
    __int128 number = 0;

    if (digits.len == 0 || digits.len > 30 || (digits.len > 1 && digits.data[0] == '0'))
        return;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return;
        number = number * 10 + (digits.data[i] - '0');
    }
    if (minus)
        number = -number;
    CHECK(is_json == (number >= INT64_MIN && number <= INT64_MAX));
    CHECK(!is_json || (v.kind == VALUE_INT && v.i == (int64_t)number));
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
    check_integer(text, is_json, v);
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
