#include "rules/cel/funcs.h"

#include <string.h>

#define FUNC(name, style, result, args, call, detail, flags, text)                                 \
    extern struct value call(const struct cel_call *);
#include "rules/cel/funcs.def"
#undef FUNC

#define A(...)        __VA_ARGS__
#define COUNT_OF(...) (sizeof((uint8_t[]){0, __VA_ARGS__}) - 1)
static const struct cel_func funcs[] = {
#define FUNC(name, style, result, args, call, detail, flags, text)                                 \
    {name, style, result, COUNT_OF(args), {args}, call, detail, flags, text},
#include "rules/cel/funcs.def"
#undef FUNC
};
enum { FUNC_COUNT = sizeof funcs / sizeof funcs[0] };

const struct cel_func *cel_func_at(size_t index)
{
    return index < FUNC_COUNT ? &funcs[index] : NULL;
}

size_t cel_func_find(struct str name)
{
    for (size_t i = 0; i < FUNC_COUNT; i++)
        if (str_is(name, funcs[i].name))
            return i;
    return SIZE_MAX;
}

bool cel_func_named(const struct cel_func *func, struct str name)
{
    return str_is(name, func->name);
}

/* --- text form -------------------------------------------------------------------------------- */

static void print_kind(struct buf *out, uint8_t kind)
{
    static const char *const plain[] = {
        "any",  "null", "bool", "int",       "uint",     "double",   "string",    "bytes",
        "list", "map",  "type", "timestamp", "duration", "optional", "local time"};
    static const char *const special[] = {"the same",     "item",      "optional",
                                          "list(string)", "list(int)", "the same"};

    buf_put_text(out, kind >= CEL_RESULT_SAME ? special[kind - CEL_RESULT_SAME] : plain[kind]);
}

/* "int + int", "-int" */
static void print_operator(struct buf *out, const struct cel_func *func)
{
    char sign = func->name[func->arg_count == 2 ? 1 : 0];

    if (func->arg_count == 2) {
        print_kind(out, func->args[0]);
        buf_put_format(out, " %c ", sign);
        print_kind(out, func->args[1]);
    } else {
        buf_put_char(out, sign);
        print_kind(out, func->args[0]);
    }
}

static void print_call(struct buf *out, const struct cel_func *func)
{
    bool method = func->style == CEL_METHOD || func->style == CEL_EITHER;

    if (method) {
        print_kind(out, func->args[0]);
        buf_put_char(out, '.');
    }
    buf_put_text(out, func->name);
    buf_put_char(out, '(');
    for (size_t i = method; i < func->arg_count; i++) {
        buf_put_text(out, i > method ? ", " : "");
        if (func->style == CEL_VARIADIC)
            buf_put_text(out, "number, ...");
        else
            print_kind(out, func->args[i]);
    }
    buf_put_char(out, ')');
}

void cel_func_print(struct buf *out, const struct cel_func *func)
{
    if (func->style == CEL_OPERATOR)
        print_operator(out, func);
    else
        print_call(out, func);
    buf_put_text(out, " -> ");
    print_kind(out, func->result);
}

/* --- dispatch --------------------------------------------------------------------------------- */

enum cel_type_kind cel_kind_of(struct value v)
{
    static const uint8_t kinds[VALUE_KIND_COUNT] = {
        [VALUE_ABSENT] = CEL_DYN,        [VALUE_NULL] = CEL_NULL,
        [VALUE_BOOL] = CEL_BOOL,         [VALUE_INT] = CEL_INT,
        [VALUE_UINT] = CEL_UINT,         [VALUE_DOUBLE] = CEL_DOUBLE,
        [VALUE_STRING] = CEL_STRING,     [VALUE_BYTES] = CEL_BYTES,
        [VALUE_LIST] = CEL_LIST,         [VALUE_MAP] = CEL_MAP,
        [VALUE_TYPE] = CEL_TYPE,         [VALUE_TIMESTAMP] = CEL_TIMESTAMP,
        [VALUE_DURATION] = CEL_DURATION, [VALUE_OPTIONAL] = CEL_OPTIONAL,
        [VALUE_ERROR] = CEL_DYN,
    };

    if (v.kind == VALUE_TIMESTAMP && (v.n & CEL_LOCAL_BIT) != 0)
        return CEL_LOCAL;
    return v.kind < VALUE_KIND_COUNT ? (enum cel_type_kind)kinds[v.kind] : CEL_DYN;
}

static bool fits(const struct cel_func *func, const struct value *args, size_t count)
{
    bool variadic = func->style == CEL_VARIADIC;

    if (variadic ? count == 0 : func->arg_count != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        uint8_t wanted = func->args[variadic ? 0 : i];
        if (wanted != CEL_DYN && cel_kind_of(args[i]) != wanted)
            return false;
    }
    return true;
}

static struct value call_row(struct cel_run *run, const struct cel_func *func,
                             const struct value *args, size_t count)
{
    struct cel_call call = {run, args, count, func->detail};

    return func->call(&call);
}

struct value cel_func_call(struct cel_run *run, size_t hint, const struct value *args, size_t count)
{
    const char *name = funcs[hint].name;

    if (fits(&funcs[hint], args, count))
        for (size_t i = 0; i <= count; i++) {
            if (i == count)
                return call_row(run, &funcs[hint], args, count);
            if (args[i].kind >= VALUE_ERROR)
                break;
        }
    for (size_t i = 0; i < count; i++)
        if (args[i].kind == VALUE_ERROR)
            return args[i];
    for (size_t i = cel_func_find(str_of(name)); i < FUNC_COUNT && strcmp(funcs[i].name, name) == 0;
         i++)
        if (fits(&funcs[i], args, count))
            return call_row(run, &funcs[i], args, count);
    return cel_no_overload(run, name, args, count);
}

/* --- errors and the budget --------------------------------------------------------------------- */

struct value cel_error(const char *text)
{
    return (struct value){.kind = VALUE_ERROR, .n = (uint32_t)strlen(text), .text = text};
}

static const char *kind_text(struct value v)
{
    if (cel_kind_of(v) == CEL_LOCAL)
        return "local time";
    return value_kind_name(v.kind < VALUE_KIND_COUNT ? (enum value_kind)v.kind : VALUE_ABSENT);
}

struct value cel_no_overload(struct cel_run *run, const char *name, const struct value *args,
                             size_t count)
{
    return value_error(run->arena, "no such overload: %s(%s%s%s%s)", name,
                       count > 0 ? kind_text(args[0]) : "", count > 1 ? ", " : "",
                       count > 1 ? kind_text(args[1]) : "", count > 2 ? ", ..." : "");
}

bool cel_charge(struct cel_run *run, size_t steps)
{
    run->budget -= (int64_t)(steps < (1u << 30) ? steps : (1u << 30));
    return run->budget >= 0;
}
