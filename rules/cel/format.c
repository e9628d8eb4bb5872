/* text.format(list): the clauses %s %d %f %e %b %o %x %X, %% and a precision such as %.2f. */
#include <math.h>

#include <stdlib.h>

#include "core/limit.h"
#include "core/mem.h"
#include "rules/cel/funcs.h"

enum { PRECISION_DEFAULT = 6, PRECISION_MAX = 100, DEPTH_MAX = 64 };

struct value cel_fn_format(const struct cel_call *call);

/* --- %s ---------------------------------------------------------------------------------------- */

static bool put_plain(struct buf *out, struct value v, int depth);

struct pair {
    struct buf key;
    struct value value;
};

static int compare_pairs(const void *a, const void *b)
{
    return str_compare(buf_str(&((const struct pair *)a)->key),
                       buf_str(&((const struct pair *)b)->key));
}

/* Entries by the text of their key, as the conformance suite has them. */
static bool put_map(struct buf *out, struct value map, int depth)
{
    struct pair *pairs = MEM_NEW_ARRAY(struct pair, map.n);
    bool good = true;

    for (size_t i = 0; i < map.n; i++) {
        pairs[i] = (struct pair){.value = map.map[i].value};
        good = put_plain(&pairs[i].key, map.map[i].key, depth + 1) && good;
    }
    if (map.n > 1)
        qsort(pairs, map.n, sizeof *pairs, compare_pairs);
    buf_put_char(out, '{');
    for (size_t i = 0; i < map.n; i++) {
        buf_put_text(out, i != 0 ? ", " : "");
        buf_put(out, buf_str(&pairs[i].key));
        buf_put_text(out, ": ");
        good = put_plain(out, pairs[i].value, depth + 1) && good;
        buf_free(&pairs[i].key);
    }
    buf_put_char(out, '}');
    mem_free(pairs);
    return good;
}

static bool put_list(struct buf *out, struct value list, int depth)
{
    bool good = true;

    buf_put_char(out, '[');
    for (size_t i = 0; i < list.n && good; i++) {
        buf_put_text(out, i != 0 ? ", " : "");
        good = put_plain(out, list.list[i], depth + 1);
    }
    buf_put_char(out, ']');
    return good;
}

/* Texts without quotes at every depth; false for what has no text. */
static bool put_plain(struct buf *out, struct value v, int depth)
{
    if (depth > DEPTH_MAX || out->len > LIMIT_CEL_TEXT_BYTES || v.kind >= VALUE_ERROR ||
        v.kind == VALUE_ABSENT || v.kind == VALUE_OPTIONAL)
        return false;
    if (v.kind == VALUE_LIST)
        return put_list(out, v, depth);
    if (v.kind == VALUE_MAP)
        return put_map(out, v, depth);
    if (v.kind == VALUE_BYTES)
        buf_put(out, value_str(v));
    else
        cel_print(out, v);
    return true;
}

/* --- numbers ------------------------------------------------------------------------------------ */

static bool as_double(struct value v, double *d)
{
    if (v.kind == VALUE_INT)
        *d = (double)v.i;
    else if (v.kind == VALUE_UINT)
        *d = (double)v.u;
    else if (v.kind == VALUE_DOUBLE)
        *d = v.d;
    else
        return false;
    return true;
}

static bool put_fixed(struct buf *out, struct value v, char clause, int precision)
{
    double d = 0;

    if (!as_double(v, &d))
        return false;
    if (!isfinite(d))
        cel_print(out, value_double(d));
    else if (clause == 'f')
        buf_put_format(out, "%.*f", precision, d);
    else
        buf_put_format(out, "%.*e", precision, d);
    return true;
}

static bool put_decimal(struct buf *out, struct value v)
{
    if (v.kind != VALUE_INT && v.kind != VALUE_UINT && v.kind != VALUE_DOUBLE)
        return false;
    cel_print(out, v);
    return true;
}

/* A number to the base 2, 8 or 16, its sign before it. */
static void put_digits(struct buf *out, uint64_t u, unsigned base, const char *digits)
{
    char text[64];
    size_t at = sizeof text;

    do
        text[--at] = digits[u % base];
    while ((u /= base) != 0);
    buf_put(out, (struct str){text + at, sizeof text - at});
}

static bool put_based(struct buf *out, struct value v, char clause)
{
    const char *digits = clause == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    unsigned base = clause == 'b' ? 2 : clause == 'o' ? 8 : 16;

    if (v.kind == VALUE_BOOL && clause == 'b') {
        buf_put_char(out, v.boolean ? '1' : '0');
    } else if (v.kind == VALUE_UINT) {
        put_digits(out, v.u, base, digits);
    } else if (v.kind == VALUE_INT) {
        if (v.i < 0)
            buf_put_char(out, '-');
        put_digits(out, v.i < 0 ? 0 - (uint64_t)v.i : (uint64_t)v.i, base, digits);
    } else if (base == 16 && (v.kind == VALUE_STRING || v.kind == VALUE_BYTES)) {
        for (size_t i = 0; i < v.n; i++) {
            buf_put_char(out, digits[(unsigned char)v.text[i] >> 4]);
            buf_put_char(out, digits[(unsigned char)v.text[i] & 15]);
        }
    } else {
        return false;
    }
    return true;
}

/* --- clauses ------------------------------------------------------------------------------------ */

static bool put_clause(struct buf *out, struct value v, char clause, int precision)
{
    switch (clause) {
    case 's': return put_plain(out, v, 0);
    case 'd': return put_decimal(out, v);
    case 'f':
    case 'e': return put_fixed(out, v, clause, precision);
    default: return put_based(out, v, clause);
    }
}

/* ".3" at *at; false: not a precision. */
static bool read_precision(struct str s, size_t *at, int *precision)
{
    size_t start;

    *precision = PRECISION_DEFAULT;
    if (*at >= s.len || s.data[*at] != '.')
        return true;
    *precision = 0;
    for (start = ++*at; *at < s.len && s.data[*at] >= '0' && s.data[*at] <= '9'; ++*at)
        if ((*precision = *precision * 10 + (s.data[*at] - '0')) > PRECISION_MAX)
            return false;
    return *at > start;
}

/* NULL when all went well, else what is wrong. */
static const char *format(struct buf *out, struct str s, struct value items)
{
    size_t next = 0;

    for (size_t at = 0; at < s.len; at++) {
        int precision;
        if (out->len > LIMIT_CEL_TEXT_BYTES)
            return "the text is too long";
        if (s.data[at] != '%') {
            buf_put_char(out, s.data[at]);
            continue;
        }
        at++;
        if (at < s.len && s.data[at] == '%') {
            buf_put_char(out, '%');
            continue;
        }
        if (!read_precision(s, &at, &precision))
            return "format: a precision is 0 to 100";
        if (at >= s.len || s.data[at] == '\0' || strchr("sdfeboxX", s.data[at]) == NULL)
            return "format: could not parse formatting clause: unrecognized formatting clause";
        if (next >= items.n)
            return "format: index out of range: more clauses than items";
        if (!put_clause(out, items.list[next++], s.data[at], precision))
            return "format: no such overload: an item does not fit its clause";
    }
    return NULL;
}

struct value cel_fn_format(const struct cel_call *call)
{
    struct buf out = {0};
    const char *wrong = format(&out, value_str(call->args[0]), call->args[1]);
    struct value v = wrong != NULL ? cel_error(wrong) : cel_text_copy(call->run, buf_str(&out));

    buf_free(&out);
    return v;
}
