#include <stdio.h>

#include "core/check.h"
#include "core/when.h"
#include "rules/cel/graph.h"
#include "rules/cel/program.h"

enum { DEPTH_MAX = 64, PRINT_BYTES_MAX = 1 << 20 };

/* --- values ------------------------------------------------------------------------------------ */

static void print_fraction(struct buf *out, uint32_t nanos)
{
    char digits[16];
    int count = snprintf(digits, sizeof digits, "%09u", nanos % 1000000000u);

    while (count > 0 && digits[count - 1] == '0')
        count--;
    if (count > 0)
        buf_put_format(out, ".%.*s", count, digits);
}

static void print_timestamp(struct buf *out, struct value v)
{
    struct zone_local at;
    bool local = (v.n & CEL_LOCAL_BIT) != 0;

    if (!cel_timestamp_in_range(v.i)) {
        buf_put_text(out, "a timestamp out of range");
        return;
    }
    at = zone_to_local(zone_find(STR("UTC")), v.i);
    buf_put_format(out, "%04lld-%02d-%02dT%02d:%02d:%02d", (long long)at.year, at.month, at.day,
                   at.hour, at.minute, at.second);
    print_fraction(out, v.n & ~CEL_LOCAL_BIT);
    if (!local)
        buf_put_char(out, 'Z');
}

static void print_duration(struct buf *out, struct value v)
{
    int64_t seconds = v.i;
    uint32_t nanos = v.n % 1000000000u;
    bool negative = seconds < 0;

    if (negative && nanos > 0) {
        seconds++;
        nanos = 1000000000u - nanos;
    }
    buf_put_format(out, "%s%llu", negative ? "-" : "",
                   negative ? (unsigned long long)(0 - (uint64_t)seconds)
                            : (unsigned long long)seconds);
    print_fraction(out, nanos);
    buf_put_char(out, 's');
}

static void print_quoted(struct buf *out, struct str s)
{
    buf_put_char(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if (c == '"' || c == '\\')
            buf_put_format(out, "\\%c", c);
        else if (c == '\n')
            buf_put_text(out, "\\n");
        else if (c < ' ')
            buf_put_format(out, "\\x%02x", c);
        else
            buf_put_char(out, (char)c);
    }
    buf_put_char(out, '"');
}

static void print_bytes(struct buf *out, struct str s)
{
    buf_put_text(out, "b\"");
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if (c < ' ' || c > '~' || c == '"' || c == '\\')
            buf_put_format(out, "\\x%02x", c);
        else
            buf_put_char(out, (char)c);
    }
    buf_put_char(out, '"');
}

static void print_at(struct buf *out, struct value v, int depth);

static void print_items(struct buf *out, struct value v, int depth)
{
    buf_put_char(out, v.kind == VALUE_LIST ? '[' : '{');
    for (size_t i = 0; i < v.n && out->len < PRINT_BYTES_MAX; i++) {
        buf_put_text(out, i != 0 ? ", " : "");
        if (v.kind == VALUE_LIST) {
            print_at(out, v.list[i], depth + 1);
        } else {
            print_at(out, v.map[i].key, depth + 1);
            buf_put_text(out, ": ");
            print_at(out, v.map[i].value, depth + 1);
        }
    }
    buf_put_char(out, v.kind == VALUE_LIST ? ']' : '}');
}

static void print_boxed(struct buf *out, struct value v, int depth)
{
    if (v.boxed == NULL) {
        buf_put_text(out, "optional.none()");
        return;
    }
    buf_put_text(out, "optional.of(");
    print_at(out, *v.boxed, depth + 1);
    buf_put_char(out, ')');
}

/* A text is plain at the top, quoted inside a list or map. */
static void print_at(struct buf *out, struct value v, int depth)
{
    char number[CEL_DOUBLE_SIZE];

    if (depth > DEPTH_MAX) {
        buf_put_text(out, "...");
        return;
    }
    switch ((enum value_kind)v.kind) {
    case VALUE_NULL: buf_put_text(out, "null"); return;
    case VALUE_BOOL: buf_put_text(out, v.boolean ? "true" : "false"); return;
    case VALUE_INT: buf_put_format(out, "%lld", (long long)v.i); return;
    case VALUE_UINT:
        buf_put_format(out, "%llu%s", (unsigned long long)v.u, depth > 0 ? "u" : "");
        return;
    case VALUE_DOUBLE: buf_put(out, (struct str){number, cel_double_text(v.d, number)}); return;
    case VALUE_STRING:
        if (depth == 0)
            buf_put(out, value_str(v));
        else
            print_quoted(out, value_str(v));
        return;
    case VALUE_BYTES: print_bytes(out, value_str(v)); return;
    case VALUE_LIST:
    case VALUE_MAP: print_items(out, v, depth); return;
    case VALUE_TIMESTAMP: print_timestamp(out, v); return;
    case VALUE_DURATION: print_duration(out, v); return;
    case VALUE_OPTIONAL: print_boxed(out, v, depth); return;
    case VALUE_TYPE: buf_put(out, value_str(v)); return;
    case VALUE_ERROR:
        buf_put_text(out, "error: ");
        buf_put(out, value_str(v));
        return;
    case VALUE_ABSENT:
    case VALUE_KIND_COUNT: return;
    }
}

void cel_print(struct buf *out, struct value v)
{
    print_at(out, v, 0);
}

void cel_print_literal(struct buf *out, struct value v)
{
    print_at(out, v, 1);
}

/* --- bytecode ---------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    char operands;
} ops[OP_COUNT] = {
#define OP(name, operands, text) [OP_##name] = {#name, operands},
#include "rules/cel/ops.def"
#undef OP
};

static void print_instr(struct buf *out, const struct cel_program *p, const struct cel_instr *in)
{
    enum cel_op op = (enum cel_op)in->op;

    if (op == OP_CALL)
        buf_put_format(out, " %s %d", cel_func_at(in->b)->name, in->a);
    else if (op == OP_MATCH)
        buf_put_format(out, " regex %u", in->c);
    else if (op == OP_IN_SET)
        buf_put_char(out, ' '), print_at(out, p->sets[in->c].list, 1);
    else if (op == OP_TEST) {
        buf_put_format(out, " %s %.*s #%u ", ops[in->a].name, STR_ARG(p->slots[in->b].path),
                       p->slots[in->b].slot);
        print_at(out, p->constants[in->c], 1);
    } else if (ops[op].operands == 'c')
        buf_put_char(out, ' '), print_at(out, p->constants[in->c], 1);
    else if (ops[op].operands == 's')
        buf_put_format(out, " %.*s #%u", STR_ARG(p->slots[in->c].path), p->slots[in->c].slot);
    else if (ops[op].operands == 'l')
        buf_put_format(out, " %u", in->b);
    else if (ops[op].operands == 'n')
        buf_put_format(out, " %u", in->a);
    else if (op == OP_CHOOSE)
        buf_put_format(out, " -> %u, error -> %u", in->c, in->b);
    else if (ops[op].operands == 'j' && in->b != 0)
        buf_put_format(out, " %u -> %u", in->b, in->c);
    else if (ops[op].operands == 'j')
        buf_put_format(out, " -> %u", in->c);
}

void cel_disassemble(struct buf *out, const struct cel_program *program)
{
    for (size_t i = 0; i < program->code_count; i++) {
        buf_put_format(out, "%4zu %s", i, ops[program->code[i].op].name);
        print_instr(out, program, &program->code[i]);
        buf_put_char(out, '\n');
    }
    cel_graph_print(out, program);
}
