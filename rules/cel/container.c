/* Equality, order, lists, maps and optional values. */
#include <math.h>
#include <stdlib.h>

#include "core/limit.h"
#include "rules/cel/funcs.h"

#define CEL_FN(name)                                                                               \
    struct value name(const struct cel_call *call);                                                \
    struct value name

enum { DEPTH_MAX = 128 }; /* nesting of values that are compared; deeper ones are unequal */

static bool is_number(struct value v)
{
    return v.kind == VALUE_INT || v.kind == VALUE_UINT || v.kind == VALUE_DOUBLE;
}

/* --- equality ---------------------------------------------------------------------------------- */

static bool equal_at(struct cel_run *run, struct value a, struct value b, int depth);

static bool lists_equal(struct cel_run *run, struct value a, struct value b, int depth)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (!equal_at(run, a.list[i], b.list[i], depth + 1))
            return false;
    return true;
}

static bool maps_equal(struct cel_run *run, struct value a, struct value b, int depth)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        struct value other = cel_map_find(b, a.map[i].key);
        if (other.kind == VALUE_ABSENT || other.kind == VALUE_ERROR ||
            !equal_at(run, a.map[i].value, other, depth + 1))
            return false;
    }
    return true;
}

static bool equal_at(struct cel_run *run, struct value a, struct value b, int depth)
{
    if (depth > DEPTH_MAX || (run != NULL && !cel_charge(run, depth > 0)))
        return false;
    if (is_number(a) && is_number(b))
        return cel_number_compare(a, b) == 0;
    if (a.kind != b.kind)
        return false;
    switch ((enum value_kind)a.kind) {
    case VALUE_NULL: return true;
    case VALUE_BOOL: return a.boolean == b.boolean;
    case VALUE_STRING:
    case VALUE_BYTES:
    case VALUE_TYPE:
        return (run == NULL || cel_charge(run, a.n / 64)) && str_equal(value_str(a), value_str(b));
    case VALUE_LIST: return lists_equal(run, a, b, depth);
    case VALUE_MAP: return maps_equal(run, a, b, depth);
    case VALUE_TIMESTAMP:
    case VALUE_DURATION: return a.i == b.i && a.n == b.n;
    case VALUE_OPTIONAL:
        if (a.boxed == NULL || b.boxed == NULL)
            return a.boxed == b.boxed;
        return equal_at(run, *a.boxed, *b.boxed, depth + 1);
    case VALUE_ABSENT:
    case VALUE_ERROR:
    case VALUE_INT:
    case VALUE_UINT:
    case VALUE_DOUBLE:
    case VALUE_KIND_COUNT: break;
    }
    return false;
}

bool cel_equal(struct value a, struct value b)
{
    return equal_at(NULL, a, b, 0);
}

bool cel_run_equal(struct cel_run *run, struct value a, struct value b)
{
    return equal_at(run, a, b, 0);
}

/* --- order ------------------------------------------------------------------------------------- */

bool cel_compare(struct value a, struct value b, int *order)
{
    if (is_number(a) && is_number(b)) {
        *order = cel_number_compare(a, b);
        return true;
    }
    if (cel_kind_of(a) != cel_kind_of(b))
        return false;
    if (a.kind == VALUE_STRING || a.kind == VALUE_BYTES) {
        *order = str_compare(value_str(a), value_str(b));
        *order = (*order > 0) - (*order < 0);
    } else if (a.kind == VALUE_BOOL) {
        *order = (int)a.boolean - (int)b.boolean;
    } else if (cel_kind_of(a) == CEL_TIMESTAMP || a.kind == VALUE_DURATION) {
        *order = a.i != b.i ? (a.i > b.i) - (a.i < b.i) : (a.n > b.n) - (a.n < b.n);
    } else {
        return false;
    }
    return true;
}

/* --- maps -------------------------------------------------------------------------------------- */

/* The same number as an int, if it is one. */
static bool as_int(struct value v, int64_t *i)
{
    if (v.kind == VALUE_UINT && v.u <= INT64_MAX)
        *i = (int64_t)v.u;
    else if (v.kind == VALUE_DOUBLE && v.d >= -9223372036854775808.0 &&
             v.d < 9223372036854775808.0 && v.d == trunc(v.d))
        *i = (int64_t)v.d;
    else if (v.kind == VALUE_INT)
        *i = v.i;
    else
        return false;
    return true;
}

struct value cel_map_find(struct value map, struct value key)
{
    const struct value *found = value_map_find(map, key);
    int64_t i = 0;

    if (found == NULL && is_number(key)) {
        if (as_int(key, &i) && (found = value_map_find(map, value_int(i))) == NULL && i >= 0)
            found = value_map_find(map, value_uint((uint64_t)i));
        else if (key.kind == VALUE_DOUBLE && key.d >= 9223372036854775808.0 &&
                 key.d < 18446744073709551616.0 && key.d == trunc(key.d))
            found = value_map_find(map, value_uint((uint64_t)key.d));
    }
    return found != NULL ? *found : VALUE_NONE;
}

struct value cel_no_such_key(struct cel_run *run, struct value key)
{
    struct buf text = {0};
    struct value error;

    if (key.kind == VALUE_STRING)
        buf_put(&text, str_slice(value_str(key), 0, 100));
    else
        cel_print(&text, key);
    error = value_error(run->arena, "no such key: %s", buf_text(&text));
    buf_free(&text);
    return error;
}

/* --- index and in ------------------------------------------------------------------------------ */

static struct value index_list(struct cel_run *run, struct value list, struct value key)
{
    int64_t i = 0;

    if (!is_number(key))
        return cel_no_overload(run, "_[_]", (struct value[]){list, key}, 2);
    if (!as_int(key, &i) && key.kind == VALUE_DOUBLE)
        return cel_error("invalid_argument: the index is not a whole number");
    if (!as_int(key, &i) || i < 0 || i >= list.n)
        return value_error(run->arena, "index out of bounds: %lld", (long long)i);
    return list.list[i].kind == VALUE_ABSENT ? cel_error("no such item") : list.list[i];
}

struct value cel_index(struct cel_run *run, struct value container, struct value key)
{
    struct value found;

    if (container.kind == VALUE_ERROR || key.kind == VALUE_ERROR)
        return container.kind == VALUE_ERROR ? container : key;
    if (container.kind == VALUE_OPTIONAL) {
        if (container.boxed == NULL)
            return container;
        found = cel_index(run, *container.boxed, key);
        return cel_optional(run, found.kind == VALUE_ERROR ? VALUE_NONE : found);
    }
    if (container.kind == VALUE_LIST)
        return index_list(run, container, key);
    if (container.kind != VALUE_MAP)
        return cel_no_overload(run, "_[_]", (struct value[]){container, key}, 2);
    if (!is_number(key) && key.kind != VALUE_STRING && key.kind != VALUE_BOOL)
        return cel_no_overload(run, "_[_]", (struct value[]){container, key}, 2);
    found = cel_map_find(container, key);
    if (found.kind == VALUE_ABSENT && container.otherwise != 0)
        return container.map[container.n].value;
    return found.kind == VALUE_ABSENT ? cel_no_such_key(run, key) : found;
}

struct value cel_in(struct cel_run *run, struct value item, struct value container)
{
    if (item.kind == VALUE_ERROR || container.kind == VALUE_ERROR)
        return item.kind == VALUE_ERROR ? item : container;
    if (container.kind == VALUE_MAP)
        return value_bool(cel_map_find(container, item).kind != VALUE_ABSENT);
    if (container.kind != VALUE_LIST)
        return cel_no_overload(run, "@in", (struct value[]){item, container}, 2);
    for (size_t i = 0; i < container.n && cel_charge(run, 1); i++)
        if (cel_run_equal(run, item, container.list[i]))
            return value_bool(true);
    return value_bool(false);
}

CEL_FN(cel_fn_join_list)(const struct cel_call *call)
{
    struct value a = call->args[0], b = call->args[1];
    size_t count = (size_t)a.n + b.n;
    struct value *items;

    if (count * sizeof *items > LIMIT_CEL_TEXT_BYTES || !cel_charge(call->run, count))
        return cel_error("the list is too long");
    if (b.n == 0)
        return a;
    if (a.n == 0)
        return b;
    items = arena_alloc_raw(call->run->arena, count * sizeof *items);
    memcpy(items, a.list, a.n * sizeof *items);
    memcpy(items + a.n, b.list, b.n * sizeof *items);
    return value_list(items, count);
}

/* --- optional values --------------------------------------------------------------------------- */

struct value cel_optional(struct cel_run *run, struct value v)
{
    struct value optional = {.kind = VALUE_OPTIONAL};

    if (v.kind == VALUE_ERROR)
        return v;
    if (v.kind != VALUE_ABSENT)
        optional.boxed = arena_copy(run->arena, &v, sizeof v);
    return optional;
}

static bool is_zero(struct value v)
{
    switch ((enum value_kind)v.kind) {
    case VALUE_NULL:
    case VALUE_ABSENT: return true;
    case VALUE_BOOL: return !v.boolean;
    case VALUE_INT:
    case VALUE_UINT: return v.u == 0;
    case VALUE_DOUBLE: return v.d == 0;
    case VALUE_STRING:
    case VALUE_BYTES:
    case VALUE_LIST:
    case VALUE_MAP: return v.n == 0;
    case VALUE_DURATION:
    case VALUE_TIMESTAMP: return v.i == 0 && v.n == 0;
    case VALUE_OPTIONAL: return v.boxed == NULL;
    case VALUE_TYPE:
    case VALUE_ERROR:
    case VALUE_KIND_COUNT: break;
    }
    return false;
}

/* detail 1: ofNonZeroValue */
CEL_FN(cel_fn_optional_of)(const struct cel_call *call)
{
    bool none = call->detail == 1 && is_zero(call->args[0]);

    return cel_optional(call->run, none ? VALUE_NONE : call->args[0]);
}

CEL_FN(cel_fn_optional_none)(const struct cel_call *call)
{
    return cel_optional(call->run, VALUE_NONE);
}

/* detail 'h': hasValue, 'v': value */
CEL_FN(cel_fn_optional_get)(const struct cel_call *call)
{
    const struct value *boxed = call->args[0].boxed;

    if (call->detail == 'h')
        return value_bool(boxed != NULL);
    return boxed != NULL ? *boxed : cel_error("optional.none() dereference");
}

/* detail 0: or, 1: orValue.  The compiler turns both into jumps; this is the meaning. */
CEL_FN(cel_fn_optional_or)(const struct cel_call *call)
{
    if (call->args[0].boxed == NULL)
        return call->args[1];
    return call->detail == 1 ? *call->args[0].boxed : call->args[0];
}
