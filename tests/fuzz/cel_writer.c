#include "tests/fuzz/cel_writer.h"

#include "rules/cel/funcs.h"
#include "rules/cel/node.h"

enum { DEPTH_MAX = 7, LOCALS_MAX = 8, BYTES_MAX = 6000, KINDS = CEL_OPTIONAL + 1 };

struct writer {
    struct buf *out;
    struct choices *choices;
    struct writer_manner manner;
    int depth;
    int locals; /* names v0, v1 ... of macros around, and what they hold */
    enum cel_type_kind local_kinds[LOCALS_MAX];
};

static void write_kind(struct writer *w, enum cel_type_kind kind);

unsigned choose(struct choices *choices, unsigned count)
{
    if (choices->size == 0)
        return 0;
    choices->size--;
    return *choices->data++ % count;
}

/* --- variables ---------------------------------------------------------------------------------- */

static const struct cel_type ints = {.kind = CEL_LIST, .item = &cel_int},
                             texts = {.kind = CEL_LIST, .item = &cel_string},
                             lists = {.kind = CEL_LIST, .item = &texts},
                             numbers = {.kind = CEL_MAP, .key = &cel_string, .item = &cel_double},
                             by_int = {.kind = CEL_MAP, .key = &cel_int, .item = &ints},
                             maybe = {.kind = CEL_OPTIONAL, .item = &cel_int},
                             list = {.kind = CEL_LIST}, map = {.kind = CEL_MAP};

static const struct {
    const char *name;
    const struct cel_type *type;
} variables[WRITER_SLOTS] = {
    {"b", &cel_bool},    {"i", &cel_int},   {"u", &cel_uint},      {"d", &cel_double},
    {"s", &cel_string},  {"y", &cel_bytes}, {"t", &cel_timestamp}, {"p", &cel_duration},
    {"ints", &ints},     {"texts", &texts}, {"lists", &lists},     {"numbers", &numbers},
    {"by_int", &by_int}, {"o", &maybe},     {"x", &cel_dyn},       {"list", &list},
    {"map", &map},
};
enum { CERTAIN_VARIABLES = 14 };

const struct cel_type *writer_slot_type(uint32_t slot)
{
    return variables[slot].type;
}

struct cel_found writer_resolve(void *context, const struct str *path, size_t count)
{
    (void)context;
    (void)count;
    for (size_t i = 0; i < WRITER_SLOTS; i++)
        if (str_is(path[0], variables[i].name))
            return (struct cel_found){
                .result = CEL_SLOT, .slot = (uint32_t)i, .type = variables[i].type, .taken = 1};
    return (struct cel_found){0};
}

/* --- leaves ------------------------------------------------------------------------------------- */

static const char *const literals[KINDS][12] = {
    [CEL_DYN] = {"dyn(1)", "dyn('a')", "dyn([1, 'b', 2.5])", "dyn({'a': [1], 2: null})", "x"},
    [CEL_NULL] = {"null"},
    [CEL_BOOL] = {"true", "false"},
    [CEL_INT] = {"0", "1", "-1", "7", "63", "9223372036854775807", "-9223372036854775808", "0x1F",
                 "1767225600"},
    [CEL_UINT] = {"0u", "1u", "5u", "64u", "18446744073709551615u"},
    [CEL_DOUBLE] = {"0.0", "-0.0", "1.5", "-2.5", "1e308", "5e-324", "9223372036854775807.0",
                    "52.1"},
    [CEL_STRING] = {"''", "'a'", "'h\xc3\xa9llo'", "'\xe6\x97\xa5\xe6\x9c\xac'", "'a,b,,c'",
                    "'^(a|b)+[0-9]*$'", "'%s %d %.2f %x'", "'Europe/Amsterdam'",
                    "'2026-03-29T02:30:00.5Z'", "'1h30m0.5s'", "'-12'", "'09:00'"},
    [CEL_BYTES] = {"b''", "b'a'", "b'\\xff\\x00'", "bytes('h\xc3\xa9')"},
    [CEL_LIST] = {"[]", "[1, 2, 3]", "['a', 'b']", "[[1], []]"},
    [CEL_MAP] = {"{}", "{'a': 1.5}", "{1: 'x', 2: 'y'}", "{true: []}"},
    [CEL_TYPE] = {"int", "string", "type([])", "google.protobuf.Timestamp", "null_type"},
    [CEL_TIMESTAMP] = {"timestamp('2026-03-29T00:59:59.999Z')", "timestamp(0)",
                       "timestamp('9999-12-31T23:59:59.999999999Z')",
                       "timestamp('0001-01-01T00:00:00Z')"},
    [CEL_DURATION] = {"duration('1h')", "duration('-0.5s')", "duration('315576000000s')",
                      "duration('1ns')"},
    [CEL_OPTIONAL] = {"optional.none()", "optional.of(1)", "optional.ofNonZeroValue('')"},
};

static void write_literal(struct writer *w, enum cel_type_kind kind)
{
    unsigned count = 0;

    if (kind == CEL_DYN && w->manner.certain)
        kind = CEL_INT;
    while (count < 12 && literals[kind][count] != NULL)
        count++;
    buf_put_text(w->out, literals[kind][choose(w->choices, count)]);
}

static void write_variable(struct writer *w, enum cel_type_kind kind)
{
    unsigned count = w->manner.certain ? CERTAIN_VARIABLES : WRITER_SLOTS;
    unsigned from = choose(w->choices, count);

    for (unsigned i = 0; i < count; i++)
        if (variables[(from + i) % count].type->kind == kind) {
            buf_put_text(w->out, variables[(from + i) % count].name);
            return;
        }
    write_literal(w, kind);
}

static bool write_local(struct writer *w, enum cel_type_kind kind)
{
    for (int i = w->locals - 1; i >= 0; i--)
        if (w->local_kinds[i] == kind || (w->local_kinds[i] == CEL_DYN && !w->manner.certain)) {
            buf_put_format(w->out, "v%d", i);
            return true;
        }
    return false;
}

static void write_leaf(struct writer *w, enum cel_type_kind kind)
{
    unsigned way = choose(w->choices, 4);

    if (way >= 2 && write_local(w, kind))
        return;
    if (way > 0)
        write_variable(w, kind);
    else
        write_literal(w, kind);
}

static void write_in_brackets(struct writer *w, enum cel_type_kind kind)
{
    buf_put_char(w->out, '(');
    write_kind(w, kind);
    buf_put_char(w->out, ')');
}

/* --- functions ---------------------------------------------------------------------------------- */

/* May a row give a value of a kind?  Then its first argument is of kind *first. */
static bool may_give(const struct writer *w, const struct cel_func *func, enum cel_type_kind kind,
                     enum cel_type_kind *first)
{
    *first = func->arg_count > 0 ? (enum cel_type_kind)func->args[0] : CEL_DYN;
    if (func->name[0] == '@' || strncmp(func->name, "google.", 7) == 0 ||
        (((func->flags & CEL_OWN) != 0 || *first == CEL_LOCAL) && !w->manner.own) ||
        (w->manner.certain && strcmp(func->name, "dyn") == 0))
        return false;
    if (func->result == CEL_RESULT_OPTIONAL)
        return kind == CEL_OPTIONAL;
    if (func->result == CEL_RESULT_STRING_LIST || func->result == CEL_RESULT_INT_LIST)
        return kind == CEL_LIST;
    if (func->result == CEL_RESULT_ITEM)
        return kind == CEL_INT;
    if (func->style == CEL_VARIADIC && kind != CEL_INT && kind != CEL_UINT && kind != CEL_DOUBLE)
        return false;
    if (func->result == CEL_RESULT_SAME || func->result == CEL_RESULT_FIRST) {
        if (*first == CEL_DYN)
            *first = kind;
        return *first == kind;
    }
    return func->result == kind;
}

static enum cel_type_kind argument(struct writer *w, const struct cel_func *func, size_t i,
                                   enum cel_type_kind first)
{
    uint8_t kind = func->args[func->style == CEL_VARIADIC ? 0 : i];

    if (i == 0 || func->style == CEL_VARIADIC)
        return first;
    if (kind == CEL_LOCAL)
        return CEL_TIMESTAMP;
    return kind == CEL_DYN ? (enum cel_type_kind)choose(w->choices, KINDS)
                           : (enum cel_type_kind)kind;
}

static void write_row(struct writer *w, const struct cel_func *func, enum cel_type_kind first)
{
    bool sign = func->style == CEL_OPERATOR;
    bool method = func->style == CEL_METHOD || (func->style == CEL_EITHER && choose(w->choices, 2));
    size_t count = func->arg_count;

    if (func->style == CEL_VARIADIC)
        count = 1 + choose(w->choices, 3);
    if (first == CEL_LOCAL) {
        buf_put_text(w->out, "local(");
        write_kind(w, CEL_TIMESTAMP);
        buf_put_format(w->out, ").%s()", func->name);
        return;
    }
    if (sign && count == 1)
        buf_put_char(w->out, func->name[0]);
    else if (!sign && !method)
        buf_put_text(w->out, func->name);
    else if (method)
        write_in_brackets(w, argument(w, func, 0, first));
    if (method)
        buf_put_format(w->out, ".%s", func->name);
    buf_put_char(w->out, '(');
    for (size_t i = method ? 1 : 0; i < count; i++) {
        if (i > (method ? 1u : 0u) && sign)
            buf_put_format(w->out, " %c ", func->name[1]);
        else if (i > (method ? 1u : 0u))
            buf_put_text(w->out, ", ");
        write_kind(w, argument(w, func, i, first));
    }
    buf_put_char(w->out, ')');
}

static void write_function(struct writer *w, enum cel_type_kind kind)
{
    enum cel_type_kind first;
    size_t count = 0, wanted, row;

    for (row = 0; cel_func_at(row) != NULL; row++)
        count += may_give(w, cel_func_at(row), kind, &first);
    if (count == 0) {
        write_leaf(w, kind);
        return;
    }
    wanted = choose(w->choices, (unsigned)count);
    for (row = 0;; row++)
        if (may_give(w, cel_func_at(row), kind, &first) && wanted-- == 0)
            break;
    write_row(w, cel_func_at(row), first);
}

/* --- macros ------------------------------------------------------------------------------------- */

static const struct macro {
    const char *name;
    int vars, args;
    enum cel_collect collect;
    bool filtered;
} macros[] = {
#define MACRO(name, vars, args, collect, filtered, usage, text)                                    \
    {name, vars, args, collect, filtered},
#include "rules/cel/macros.def"
#undef MACRO
};
enum { MACROS = sizeof macros / sizeof macros[0] };

static enum cel_type_kind body_of(struct writer *w, const struct macro *macro)
{
    switch (macro->collect) {
    case COLLECT_ALL:
    case COLLECT_ANY:
    case COLLECT_ONE:
    case COLLECT_FILTER: return CEL_BOOL;
    case COLLECT_ENTRY: return CEL_MAP;
    case COLLECT_OPT_FLAT: return CEL_OPTIONAL;
    case COLLECT_LIST:
    case COLLECT_MAP:
    case COLLECT_BIND:
    case COLLECT_OPT: break;
    }
    return (enum cel_type_kind)(1 + choose(w->choices, KINDS - 1));
}

static bool gives(const struct macro *macro, enum cel_type_kind kind)
{
    switch (macro->collect) {
    case COLLECT_ALL:
    case COLLECT_ANY:
    case COLLECT_ONE: return kind == CEL_BOOL;
    case COLLECT_FILTER:
    case COLLECT_LIST: return kind == CEL_LIST;
    case COLLECT_MAP:
    case COLLECT_ENTRY: return kind == CEL_MAP;
    case COLLECT_BIND: return true;
    case COLLECT_OPT:
    case COLLECT_OPT_FLAT: return kind == CEL_OPTIONAL;
    }
    return false;
}

/* What a macro goes over, and so what its names hold. */
static const struct range {
    const char *text; /* NULL: any list, of which nothing is known */
    enum cel_type_kind key, item;
} ranges[] = {
    {"ints", CEL_INT, CEL_INT},
    {"texts", CEL_INT, CEL_STRING},
    {"lists", CEL_INT, CEL_LIST},
    {"numbers", CEL_STRING, CEL_DOUBLE},
    {"by_int", CEL_INT, CEL_LIST},
    {"['b', 'a', 'b']", CEL_INT, CEL_STRING},
    {"{'k': duration('1s')}", CEL_STRING, CEL_DURATION},
    {NULL, CEL_INT, CEL_DYN},
};
enum { RANGES = sizeof ranges / sizeof ranges[0] };

static void write_range(struct writer *w, const struct macro *macro)
{
    unsigned at = choose(w->choices, RANGES);
    const struct range *range = &ranges[at];
    bool is_map = range->text != NULL && range->key != CEL_INT;
    enum cel_type_kind *kinds = &w->local_kinds[w->locals];

    if (macro->collect == COLLECT_OPT || macro->collect == COLLECT_OPT_FLAT) {
        buf_put_text(w->out, "(o)");
        kinds[0] = CEL_INT;
        return;
    }
    if (range->text != NULL)
        buf_put_text(w->out, range->text);
    else
        write_in_brackets(w, CEL_LIST);
    is_map |= range->text != NULL && strcmp(range->text, "by_int") == 0;
    kinds[0] = macro->vars == 2 || is_map ? range->key : range->item;
    kinds[1] = range->item;
}

static void write_bind(struct writer *w, enum cel_type_kind kind)
{
    enum cel_type_kind held = (enum cel_type_kind)choose(w->choices, KINDS);
    int local = w->locals;

    buf_put_format(w->out, "cel.bind(v%d, ", local);
    write_kind(w, held);
    buf_put_text(w->out, ", ");
    w->local_kinds[local] = held;
    w->locals++;
    write_kind(w, kind);
    w->locals--;
    buf_put_char(w->out, ')');
}

static void write_macro(struct writer *w, enum cel_type_kind kind)
{
    unsigned at = choose(w->choices, MACROS);
    const struct macro *macro = &macros[at];

    while (!gives(macro, kind))
        macro = &macros[++at % MACROS]; /* cel.bind gives any */
    if (w->locals + 2 > LOCALS_MAX) {
        write_leaf(w, kind);
        return;
    }
    if (macro->collect == COLLECT_BIND) {
        write_bind(w, kind);
        return;
    }
    write_range(w, macro);
    buf_put_format(w->out, ".%s(v%d, ", macro->name, w->locals);
    if (macro->vars == 2)
        buf_put_format(w->out, "v%d, ", w->locals + 1);
    w->locals += macro->vars;
    if (macro->filtered) {
        write_kind(w, CEL_BOOL);
        buf_put_text(w->out, ", ");
    }
    write_kind(w, body_of(w, macro));
    w->locals -= macro->vars;
    buf_put_char(w->out, ')');
}

/* --- operators that are no functions ------------------------------------------------------------- */

static void write_truth(struct writer *w)
{
    static const char *const signs[] = {"==", "!=", "<", "<=", ">", ">=", "in", "&&", "||"};
    enum cel_type_kind kind = (enum cel_type_kind)choose(w->choices, KINDS);
    unsigned sign = choose(w->choices, 11);

    if (sign >= 9) {
        buf_put_text(w->out, sign == 9 ? "has(numbers.a)" : "!has(numbers.b)");
        return;
    }
    write_in_brackets(w, sign >= 7 ? CEL_BOOL : kind);
    buf_put_format(w->out, " %s ", signs[sign]);
    if (sign == 6 && choose(w->choices, 2) == 0) { /* a constant list, long or short */
        buf_put_text(w->out, choose(w->choices, 2) == 0 ? "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]"
                                                        : "['a', 'b', 'h\xc3\xa9llo']");
        return;
    }
    write_in_brackets(w, sign == 6 ? CEL_LIST : sign >= 7 ? CEL_BOOL : kind);
}

static void write_container(struct writer *w, bool is_map)
{
    unsigned count = choose(w->choices, 4);
    enum cel_type_kind kind = (enum cel_type_kind)(1 + choose(w->choices, KINDS - 1));
    enum cel_type_kind key = choose(w->choices, 2) == 0 ? CEL_STRING : CEL_INT;

    buf_put_char(w->out, is_map ? '{' : '[');
    for (unsigned i = 0; i < count; i++) {
        bool optional = choose(w->choices, 6) == 5;
        buf_put_text(w->out, i > 0 ? ", " : "");
        buf_put_text(w->out, optional ? "?" : "");
        if (is_map) {
            write_kind(w, key);
            buf_put_text(w->out, ": ");
        }
        write_kind(w, optional ? CEL_OPTIONAL : kind);
    }
    buf_put_char(w->out, is_map ? '}' : ']');
}

/* A part of a list or map, and the messages of google.protobuf. */
static void write_part(struct writer *w, enum cel_type_kind kind)
{
    static const char *const parts[KINDS][4] = {
        [CEL_DYN] = {"google.protobuf.Int32Value{value: i}",
                     "google.protobuf.Value{number_value: d}"},
        [CEL_INT] = {"ints[1]", "by_int[7][0]", "o.value()", "ints[?9].orValue(3)"},
        [CEL_DOUBLE] = {"numbers.a", "numbers['a']", "numbers.b"},
        [CEL_STRING] = {"texts[0]", "lists[0][0]", "lists[1][0]"},
        [CEL_LIST] = {"lists[0]", "by_int[7]", "by_int[0]",
                      "google.protobuf.ListValue{values: [i, s]}"},
        [CEL_MAP] = {"google.protobuf.Struct{fields: {s: i}}"},
        [CEL_TIMESTAMP] = {"google.protobuf.Timestamp{seconds: i, nanos: 5}"},
        [CEL_DURATION] = {"google.protobuf.Duration{seconds: i, nanos: i}"},
        [CEL_OPTIONAL] = {"numbers.?a", "ints[?5]", "o.?b", "by_int[?i]"},
    };
    unsigned count = 0;

    while (count < 4 && parts[kind][count] != NULL)
        count++;
    if (kind == CEL_STRING || kind == CEL_DOUBLE || kind == CEL_INT) {
        if (choose(w->choices, 2) == 0) {
            buf_put_text(w->out, kind == CEL_INT      ? "ints["
                                 : kind == CEL_STRING ? "texts["
                                                      : "numbers[");
            write_kind(w, kind == CEL_DOUBLE ? CEL_STRING : CEL_INT);
            buf_put_char(w->out, ']');
            return;
        }
    }
    if (count == 0)
        write_leaf(w, kind);
    else
        buf_put_text(w->out, parts[kind][choose(w->choices, count)]);
}

/* --- all ----------------------------------------------------------------------------------------- */

static void write_kind(struct writer *w, enum cel_type_kind kind)
{
    unsigned way = choose(w->choices, 12);

    if (way == 11 && !w->manner.certain)
        kind = (enum cel_type_kind)choose(w->choices, KINDS); /* a mistake, perhaps */
    if (w->depth >= DEPTH_MAX || w->out->len > BYTES_MAX || way == 0) {
        write_leaf(w, kind);
        return;
    }
    w->depth++;
    if (way <= 4)
        write_function(w, kind);
    else if (way <= 6)
        write_macro(w, kind);
    else if (way == 7 || way == 8) {
        if (kind == CEL_BOOL)
            write_truth(w);
        else if (kind == CEL_LIST || kind == CEL_MAP)
            write_container(w, kind == CEL_MAP);
        else
            write_function(w, kind);
    } else if (way == 9) {
        write_in_brackets(w, CEL_BOOL);
        buf_put_text(w->out, " ? ");
        write_in_brackets(w, kind);
        buf_put_text(w->out, " : ");
        write_in_brackets(w, kind);
    } else if (way == 10) {
        write_part(w, kind);
    } else {
        write_leaf(w, kind);
    }
    w->depth--;
}

void write_expression(struct buf *out, struct choices *choices, enum cel_type_kind kind,
                      struct writer_manner manner)
{
    struct writer w = {.out = out, .choices = choices, .manner = manner};

    write_kind(&w, kind);
}
