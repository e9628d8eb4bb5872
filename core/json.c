/* The scanner reads what is plain.  Of what it is not sure jansson parses it, and what it made is copied
 * into an arena.
 *
 * jansson is recursive, so the depth is counted before it sees the text.  Its codes tell bad
 * UTF-8 and numbers too large from the rest; all else that it refuses is JSON_BROKEN.  Writers know nothing of jansson:
 * the same value gives the same bytes whatever library reads them.
 */
#include "core/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define json_null jansson_null /* our writer has the name */
#include <jansson.h>
#undef json_null

#include "core/base64.h"
#include "core/check.h"
#include "core/json_scan.h"
#include "core/limit.h"
#include "core/mem.h"
#include "core/when.h"

static _Thread_local struct {
    int line, column;
} stopped;

/* --- reading ------------------------------------------------------------------------------------ */

/* Is any bracket nested deeper than the limit?  Counts brackets outside texts; of what is not
 * JSON it may say anything. */
static bool too_deep(struct str text)
{
    int depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (quoted) {
            if (c == '\\')
                i++;
            else if (c == '"')
                quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            if (++depth > LIMIT_JSON_DEPTH)
                return true;
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return false;
}

static enum json_fault fault_of(const json_error_t *error, struct err *err)
{
    enum json_error_code code = json_error_code(error);

    CHECK(code != json_error_out_of_memory);
    stopped.line = error->line > 0 ? error->line : 1;
    stopped.column = error->column > 0 ? error->column : 1;
    /* jansson quotes the bytes nearby: whatever they are, ours is a text */
    err_set(err, ERR_PARSE, "line %d column %d: %s", stopped.line, stopped.column, error->text);
    for (char *c = err != NULL ? err->text : ""; *c != '\0'; c++)
        if ((unsigned char)*c >= 0x80 || (unsigned char)*c < 0x20)
            *c = '?';
    return code == json_error_invalid_utf8       ? JSON_BAD_UTF8
           : code == json_error_numeric_overflow ? JSON_BAD_NUMBER
                                                 : JSON_BROKEN;
}

/* The caller gives *out back with json_decref. */
static enum json_fault load(struct str text, json_t **out, struct err *err)
{
    json_error_t error;

    *out = NULL;
    stopped.line = stopped.column = 1;
    if (text.len > INT32_MAX) {
        err_set(err, ERR_LIMIT, "JSON of more than 2 GiB");
        return JSON_BROKEN;
    }
    if (too_deep(text)) {
        err_set(err, ERR_LIMIT, "JSON nested deeper than %d", LIMIT_JSON_DEPTH);
        return JSON_TOO_DEEP;
    }
    *out = json_loadb(text.data != NULL ? text.data : "", text.len,
                      JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    return *out != NULL ? JSON_FINE : fault_of(&error, err);
}

static struct value convert(const json_t *json, struct arena *arena);

static struct value convert_list(const json_t *json, struct arena *arena)
{
    size_t count = json_array_size(json);
    struct value *items = ARENA_ARRAY(arena, struct value, count);

    for (size_t i = 0; i < count; i++)
        items[i] = convert(json_array_get(json, i), arena);
    return value_list(items, count);
}

static struct value convert_map(const json_t *json, struct arena *arena)
{
    struct value_entry *entries = ARENA_ARRAY(arena, struct value_entry, json_object_size(json));
    json_t *object = (json_t *)json; /* jansson's iterators are not const */
    struct value map;
    size_t count = 0;

    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        struct str key = str_of(json_object_iter_key(at));
        entries[count].key = value_string(arena_str(arena, key));
        entries[count++].value = convert(json_object_iter_value(at), arena);
    }
    map = value_map(entries, count);
    CHECK(value_map_index(arena, &map)); /* keys differ: JSON_REJECT_DUPLICATES */
    return map;
}

static struct value convert(const json_t *json, struct arena *arena)
{
    switch (json_typeof(json)) {
    case JSON_NULL: return (struct value){.kind = VALUE_NULL};
    case JSON_TRUE: return value_bool(true);
    case JSON_FALSE: return value_bool(false);
    case JSON_INTEGER: return value_int(json_integer_value(json));
    case JSON_REAL: return value_double(json_real_value(json));
    case JSON_STRING:
        return value_string(
            arena_str(arena, (struct str){json_string_value(json), json_string_length(json)}));
    case JSON_ARRAY: return convert_list(json, arena);
    case JSON_OBJECT: return convert_map(json, arena);
    }
    CHECK_NEVER("a kind of JSON that there is not");
}

static bool scan_whole(struct str text, struct arena *arena, struct value *out)
{
    struct json_scan scan = {text.data, text.data + text.len, arena, 0};

    return json_scan_value(&scan, out) && json_scan_peek(&scan) == '\0' && scan.at == scan.end;
}

enum json_fault json_parse(struct str text, struct arena *arena, struct value *out, struct err *err)
{
    return text.len != 0 && scan_whole(text, arena, out) /* else jansson says what is wrong */
               ? JSON_FINE
               : json_parse_strictly(text, arena, out, err);
}

enum json_fault json_parse_strictly(struct str text, struct arena *arena, struct value *out,
                                    struct err *err)
{
    json_t *json;
    enum json_fault fault = load(text, &json, err);

    *out = fault == JSON_FINE ? convert(json, arena) : VALUE_NONE;
    json_decref(json);
    return fault;
}

void json_stopped_at(int *line, int *column)
{
    *line = stopped.line;
    *column = stopped.column;
}

/* --- writing -------------------------------------------------------------------------------------- */

static void put_escaped(struct buf *out, char c)
{
    switch (c) {
    case '"': buf_put_text(out, "\\\""); break;
    case '\\': buf_put_text(out, "\\\\"); break;
    case '\n': buf_put_text(out, "\\n"); break;
    case '\r': buf_put_text(out, "\\r"); break;
    case '\t': buf_put_text(out, "\\t"); break;
    case '?': buf_put_char(out, '?'); break;
    default: buf_put_format(out, "\\u%04x", (unsigned)(unsigned char)c); break;
    }
}

static bool needs_escape(char c)
{
    return (unsigned char)c < 0x20 || c == '"' || c == '\\';
}

void json_put_string(struct buf *out, struct str text)
{
    bool utf8 = str_is_utf8(text);
    size_t from = 0, at = 0;

    buf_put_char(out, '"');
    for (; at < text.len; at++) {
        char c = text.data[at];
        bool broken = !utf8 && (unsigned char)c >= 0x80;
        if (!broken && !needs_escape(c))
            continue;
        buf_put(out, str_slice(text, from, at));
        put_escaped(out, broken ? '?' : c);
        from = at + 1;
    }
    buf_put(out, str_slice(text, from, at));
    buf_put_char(out, '"');
}

/* What people write has few digits: number / 10^decimals, which is exact as long as both fit a double,
 * and of at most 15 digits there is only one such text.  False: not such a number. */
static bool put_short(struct buf *out, double d)
{
    enum { DECIMALS_MAX = 6 };
    static const double tens[DECIMALS_MAX + 1] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
    double size = fabs(d), whole;
    int decimals = 0;
    char text[24];
    size_t at = sizeof text;

    if (!(size >= 1e-4 && size < 1e9))
        return false;
    while ((whole = nearbyint(size * tens[decimals])) / tens[decimals] != size)
        if (++decimals > DECIMALS_MAX)
            return false;
    if (decimals == 0) {
        text[--at] = '0';
        text[--at] = '.';
    }
    for (int64_t rest = (int64_t)whole, digits = 0; rest != 0 || digits <= decimals; rest /= 10) {
        text[--at] = (char)('0' + rest % 10);
        if (++digits == decimals)
            text[--at] = '.';
    }
    if (d < 0)
        text[--at] = '-';
    buf_put(out, (struct str){text + at, sizeof text - at});
    return true;
}

void json_put_double(struct buf *out, double d)
{
    char text[40];
    int precision = 15; /* always enough for what a person wrote; 17 for any double */

    if (!isfinite(d)) {
        buf_put_text(out, "null");
        return;
    }
    if (put_short(out, d))
        return;
    do {
        snprintf(text, sizeof text, "%.*g", precision, d);
    } while (strtod(text, NULL) != d && ++precision <= 17);
    buf_put_text(out, text);
    if (strcspn(text, ".e") == strlen(text))
        buf_put_text(out, ".0");
}

static void put_key(struct buf *out, struct value key)
{
    if (key.kind == VALUE_STRING) {
        json_put_string(out, value_str(key));
        return;
    }
    buf_put_char(out, '"');
    json_put_value(out, key);
    buf_put_char(out, '"');
}

static void put_map(struct buf *out, struct value v)
{
    buf_put_char(out, '{');
    for (size_t i = 0; i < v.n; i++) {
        if (i > 0)
            buf_put_char(out, ',');
        put_key(out, v.map[i].key);
        buf_put_char(out, ':');
        json_put_value(out, v.map[i].value);
    }
    buf_put_char(out, '}');
}

static void put_list(struct buf *out, struct value v)
{
    buf_put_char(out, '[');
    for (size_t i = 0; i < v.n; i++) {
        if (i > 0)
            buf_put_char(out, ',');
        json_put_value(out, v.list[i]);
    }
    buf_put_char(out, ']');
}

static void put_quoted_time(struct buf *out, int64_t at_ms)
{
    buf_put_char(out, '"');
    when_put_rfc3339(out, at_ms);
    buf_put_char(out, '"');
}

static void put_quoted_span(struct buf *out, int64_t span_ms)
{
    buf_put_char(out, '"');
    when_put_span(out, span_ms);
    buf_put_char(out, '"');
}

void json_put_value(struct buf *out, struct value v)
{
    switch ((enum value_kind)v.kind) {
    case VALUE_ABSENT:
    case VALUE_NULL:
    case VALUE_ERROR: buf_put_text(out, "null"); return;
    case VALUE_BOOL: buf_put_text(out, v.boolean ? "true" : "false"); return;
    case VALUE_INT: buf_put_format(out, "%" PRId64, v.i); return;
    case VALUE_UINT: buf_put_format(out, "%" PRIu64, v.u); return;
    case VALUE_DOUBLE: json_put_double(out, v.d); return;
    case VALUE_STRING:
    case VALUE_TYPE: json_put_string(out, value_str(v)); return;
    case VALUE_BYTES:
        buf_put_char(out, '"');
        base64_put(out, value_str(v));
        buf_put_char(out, '"');
        return;
    case VALUE_LIST: put_list(out, v); return;
    case VALUE_MAP: put_map(out, v); return;
    case VALUE_TIMESTAMP: put_quoted_time(out, value_timestamp_to_ms(v)); return;
    case VALUE_DURATION: put_quoted_span(out, value_duration_to_ms(v)); return;
    case VALUE_OPTIONAL: json_put_value(out, v.boxed != NULL ? *v.boxed : VALUE_NONE); return;
    case VALUE_KIND_COUNT: break;
    }
    CHECK_NEVER("a value of no kind");
}

/* --- the writer ------------------------------------------------------------------------------------- */

struct json_writer json_writer_to(struct buf *out)
{
    return (struct json_writer){.out = out};
}

static void before_value(struct json_writer *w)
{
    if (w->comma)
        buf_put_char(w->out, ',');
    w->comma = true;
}

void json_open(struct json_writer *w, char bracket)
{
    CHECK(bracket == '{' || bracket == '[');
    before_value(w);
    buf_put_char(w->out, bracket);
    w->depth++;
    w->comma = false;
}

void json_close(struct json_writer *w, char bracket)
{
    CHECK((bracket == '}' || bracket == ']') && w->depth > 0);
    buf_put_char(w->out, bracket);
    w->depth--;
    w->comma = true;
}

void json_key(struct json_writer *w, const char *key)
{
    before_value(w);
    json_put_string(w->out, str_of(key));
    buf_put_char(w->out, ':');
    w->comma = false;
}

void json_str(struct json_writer *w, struct str text)
{
    before_value(w);
    json_put_string(w->out, text);
}

void json_int(struct json_writer *w, int64_t i)
{
    before_value(w);
    buf_put_format(w->out, "%" PRId64, i);
}

void json_bool(struct json_writer *w, bool b)
{
    before_value(w);
    buf_put_text(w->out, b ? "true" : "false");
}

void json_null(struct json_writer *w)
{
    before_value(w);
    buf_put_text(w->out, "null");
}

void json_time(struct json_writer *w, int64_t at_ms)
{
    before_value(w);
    put_quoted_time(w->out, at_ms);
}

void json_value(struct json_writer *w, struct value v)
{
    before_value(w);
    json_put_value(w->out, v);
}

void json_raw(struct json_writer *w, struct str json)
{
    before_value(w);
    buf_put(w->out, json);
}
