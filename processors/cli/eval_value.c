#include "processors/cli/eval_value.h"

#include <math.h>

#include "core/json.h"
#include "core/limit.h"
#include "rules/cel/funcs.h"

enum { DEPTH_MAX = 64 };

/* CEL's own conversions read and write the texts. */
static struct value convert(const char *function, struct value v, struct arena *arena)
{
    struct cel_run run = {.arena = arena, .budget = LIMIT_CEL_STEPS};

    return cel_func_call(&run, cel_func_find(str_of(function)), &v, 1);
}

/* --- out ---------------------------------------------------------------------------------------- */

static void put_at(struct buf *out, struct value v, struct arena *arena, int depth);

static void put_items(struct buf *out, struct value v, struct arena *arena, int depth)
{
    buf_put_char(out, '[');
    for (size_t i = 0; i < v.n; i++) {
        buf_put_text(out, i != 0 ? "," : "");
        if (v.kind == VALUE_LIST) {
            put_at(out, v.list[i], arena, depth + 1);
            continue;
        }
        buf_put_char(out, '[');
        put_at(out, v.map[i].key, arena, depth + 1);
        buf_put_char(out, ',');
        put_at(out, v.map[i].value, arena, depth + 1);
        buf_put_char(out, ']');
    }
    buf_put_char(out, ']');
}

/* json_put_string would change a NUL, which an expression may make. */
static void put_string(struct buf *out, struct str text)
{
    struct buf piece = {0};
    struct str head, rest;
    bool more;

    buf_put_char(out, '"');
    do {
        more = str_cut(text, '\0', &head, &rest);
        buf_clear(&piece);
        json_put_string(&piece, more ? head : text);
        buf_put(out, str_slice(buf_str(&piece), 1, piece.len - 1));
        buf_put_text(out, more ? "\\u0000" : "\"");
        text = rest;
    } while (more);
    buf_free(&piece);
}

static void put_double(struct buf *out, double d)
{
    if (isfinite(d))
        json_put_double(out, d);
    else
        buf_put_text(out, isnan(d) ? "\"NaN\"" : d > 0 ? "\"Infinity\"" : "\"-Infinity\"");
}

static void put_printed(struct buf *out, struct value v)
{
    struct buf text = {0};

    cel_print(&text, v);
    json_put_string(out, buf_str(&text));
    buf_free(&text);
}

static const char *key_of(enum value_kind kind)
{
    switch (kind) {
    case VALUE_TIMESTAMP: return "timestamp";
    case VALUE_DURATION: return "duration";
    case VALUE_OPTIONAL: return "optional";
    case VALUE_NULL: return "null";
    case VALUE_ABSENT:
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_UINT:
    case VALUE_DOUBLE:
    case VALUE_STRING:
    case VALUE_BYTES:
    case VALUE_LIST:
    case VALUE_MAP:
    case VALUE_TYPE:
    case VALUE_ERROR:
    case VALUE_KIND_COUNT: break;
    }
    return value_kind_name(kind);
}

static void put_at(struct buf *out, struct value v, struct arena *arena, int depth)
{
    if (depth > DEPTH_MAX)
        v = value_string(STR("nested too deeply"));
    buf_put_format(out, "{\"%s\":", key_of((enum value_kind)v.kind));
    switch ((enum value_kind)v.kind) {
    case VALUE_BOOL: buf_put_text(out, v.boolean ? "true" : "false"); break;
    case VALUE_INT: buf_put_format(out, "\"%lld\"", (long long)v.i); break;
    case VALUE_UINT: buf_put_format(out, "\"%llu\"", (unsigned long long)v.u); break;
    case VALUE_DOUBLE: put_double(out, v.d); break;
    case VALUE_STRING:
    case VALUE_TYPE:
    case VALUE_ERROR: put_string(out, value_str(v)); break;
    case VALUE_BYTES: json_put_string(out, value_str(convert("base64.encode", v, arena))); break;
    case VALUE_LIST:
    case VALUE_MAP: put_items(out, v, arena, depth); break;
    case VALUE_TIMESTAMP:
    case VALUE_DURATION: put_printed(out, v); break;
    case VALUE_OPTIONAL:
        if (v.boxed != NULL) {
            put_at(out, *v.boxed, arena, depth + 1);
            break;
        }
        buf_put_text(out, "null");
        break;
    case VALUE_NULL:
    case VALUE_ABSENT:
    case VALUE_KIND_COUNT: buf_put_text(out, "null"); break;
    }
    buf_put_char(out, '}');
}

void eval_value_put(struct buf *out, struct value v, struct arena *arena)
{
    put_at(out, v, arena, 0);
}

/* --- in ----------------------------------------------------------------------------------------- */

static struct value list_of(struct value json, struct arena *arena)
{
    struct value *items;

    if (json.kind != VALUE_LIST)
        return value_error(arena, "a list is an array of VALUE");
    items = ARENA_ARRAY(arena, struct value, json.n);
    for (size_t i = 0; i < json.n; i++) {
        items[i] = eval_value_of(json.list[i], arena);
        if (items[i].kind == VALUE_ERROR)
            return items[i];
    }
    return value_list(items, json.n);
}

static struct value map_of(struct value json, struct arena *arena)
{
    struct value_entry *entries;
    struct value map;

    if (json.kind != VALUE_LIST)
        return value_error(arena, "a map is an array of [VALUE, VALUE]");
    entries = ARENA_ARRAY(arena, struct value_entry, json.n);
    for (size_t i = 0; i < json.n; i++) {
        struct value pair = list_of(json.list[i], arena);
        if (pair.kind != VALUE_LIST || pair.n != 2)
            return value_error(arena, "a map is an array of [VALUE, VALUE]");
        entries[i] = (struct value_entry){pair.list[0], pair.list[1]};
        if (entries[i].key.kind < VALUE_BOOL || entries[i].key.kind > VALUE_STRING ||
            entries[i].key.kind == VALUE_DOUBLE)
            return value_error(arena, "a key is a bool, int, uint or string");
    }
    map = value_map(entries, json.n);
    return value_map_index(arena, &map) ? map : value_error(arena, "a key stands twice in a map");
}

static struct value double_of(struct value json, struct arena *arena)
{
    if (json.kind == VALUE_DOUBLE)
        return json;
    if (json.kind == VALUE_STRING && str_is(value_str(json), "NaN"))
        return value_double((double)NAN);
    if (json.kind == VALUE_STRING && str_is(value_str(json), "Infinity"))
        return value_double((double)INFINITY);
    if (json.kind == VALUE_STRING && str_is(value_str(json), "-Infinity"))
        return value_double(-(double)INFINITY);
    return convert("double", json, arena);
}

static struct value boxed_of(struct value json, struct arena *arena)
{
    struct value inner, v = {.kind = VALUE_OPTIONAL};

    if (json.kind == VALUE_NULL)
        return v;
    inner = eval_value_of(json, arena);
    v.boxed = arena_copy(arena, &inner, sizeof inner);
    return inner.kind == VALUE_ERROR ? inner : v;
}

static struct value text_of(struct str kind, struct value json, struct arena *arena)
{
    static const char *const converted[] = {"int", "uint", "timestamp", "duration"};

    if (str_is(kind, "int") && json.kind == VALUE_INT)
        return json;
    if (json.kind != VALUE_STRING)
        return value_error(arena, "\"%.*s\" wants a text", STR_ARG(kind));
    if (str_is(kind, "string"))
        return json;
    if (str_is(kind, "bytes"))
        return convert("base64.decode", json, arena);
    for (size_t i = 0; i < sizeof converted / sizeof converted[0]; i++)
        if (str_is(kind, converted[i]))
            return convert(converted[i], json, arena);
    if (str_is(kind, "type"))
        return (struct value){.kind = VALUE_TYPE, .n = json.n, .text = json.text};
    return value_error(arena, "there is no kind \"%.*s\"", STR_ARG(kind));
}

struct value eval_value_of(struct value json, struct arena *arena)
{
    struct str kind;
    struct value content;

    if (json.kind != VALUE_MAP || json.n != 1)
        return value_error(arena, "a VALUE is an object of one key");
    kind = value_str(json.map[0].key);
    content = json.map[0].value;
    if (str_is(kind, "null"))
        return (struct value){.kind = VALUE_NULL};
    if (str_is(kind, "bool") && content.kind == VALUE_BOOL)
        return content;
    if (str_is(kind, "double"))
        return double_of(content, arena);
    if (str_is(kind, "list"))
        return list_of(content, arena);
    if (str_is(kind, "map"))
        return map_of(content, arena);
    if (str_is(kind, "optional"))
        return boxed_of(content, arena);
    return text_of(kind, content, arena);
}

/* --- types -------------------------------------------------------------------------------------- */

static const struct cel_type *parse_type(struct str *rest, struct arena *arena, int depth);

/* "(a, b)" behind list, map and optional. */
static void parse_params(struct cel_type *type, struct str *rest, struct arena *arena, int depth)
{
    while (rest->len != 0 && (rest->data[0] == '(' || rest->data[0] == ',')) {
        *rest = str_trim(str_slice(*rest, 1, rest->len));
        type->key = type->item;
        type->item = parse_type(rest, arena, depth + 1);
    }
    if (rest->len != 0 && rest->data[0] == ')')
        *rest = str_trim(str_slice(*rest, 1, rest->len));
}

static const struct cel_type *parse_type(struct str *rest, struct arena *arena, int depth)
{
    static const char *const names[] = {
        [CEL_DYN] = "dyn",           [CEL_NULL] = "null",         [CEL_BOOL] = "bool",
        [CEL_INT] = "int",           [CEL_UINT] = "uint",         [CEL_DOUBLE] = "double",
        [CEL_STRING] = "string",     [CEL_BYTES] = "bytes",       [CEL_LIST] = "list",
        [CEL_MAP] = "map",           [CEL_TYPE] = "type",         [CEL_TIMESTAMP] = "timestamp",
        [CEL_DURATION] = "duration", [CEL_OPTIONAL] = "optional",
    };
    struct cel_type *type = ARENA_NEW(arena, struct cel_type);
    struct str word;
    size_t end = 0;

    if (depth > DEPTH_MAX)
        return &cel_dyn;
    while (end < rest->len && strchr("(),", rest->data[end]) == NULL)
        end++;
    word = str_trim(str_slice(*rest, 0, end));
    *rest = str_slice(*rest, end, rest->len);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_is(word, names[i]))
            type->kind = (enum cel_type_kind)i;
    if (rest->len != 0 && rest->data[0] == '(')
        parse_params(type, rest, arena, depth);
    if (type->kind != CEL_LIST && type->kind != CEL_MAP && type->kind != CEL_OPTIONAL)
        type->key = type->item = NULL;
    return type;
}

const struct cel_type *eval_type_of(struct str text, struct arena *arena)
{
    return parse_type(&text, arena, 0);
}
