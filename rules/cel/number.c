/* Numbers: arithmetic with errors for overflow, comparison over kinds, conversions. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/check.h"
#include "rules/cel/funcs.h"

#define CEL_FN(name)                                                                               \
    struct value name(const struct cel_call *call);                                                \
    struct value name

static const double int_end = 9223372036854775808.0;   /* 2^63, the first that does not fit */
static const double uint_end = 18446744073709551616.0; /* 2^64 */

/* --- arithmetic ------------------------------------------------------------------------------- */

CEL_FN(cel_fn_int)(const struct cel_call *call)
{
    int64_t a = call->args[0].i, b = call->args[1].i, out = 0;
    bool overflow = false;

    if ((call->detail == '/' || call->detail == '%') && b == 0)
        return cel_error(call->detail == '/' ? "divide by zero" : "modulus by zero");
    if (call->detail == '+')
        overflow = __builtin_add_overflow(a, b, &out);
    else if (call->detail == '-')
        overflow = __builtin_sub_overflow(a, b, &out);
    else if (call->detail == '*')
        overflow = __builtin_mul_overflow(a, b, &out);
    else if (a == INT64_MIN && b == -1)
        overflow = true;
    else
        out = call->detail == '/' ? a / b : a % b;
    return overflow ? cel_error("integer overflow") : value_int(out);
}

CEL_FN(cel_fn_uint)(const struct cel_call *call)
{
    uint64_t a = call->args[0].u, b = call->args[1].u, out = 0;
    bool overflow = false;

    if ((call->detail == '/' || call->detail == '%') && b == 0)
        return cel_error(call->detail == '/' ? "divide by zero" : "modulus by zero");
    if (call->detail == '+')
        overflow = __builtin_add_overflow(a, b, &out);
    else if (call->detail == '-')
        overflow = __builtin_sub_overflow(a, b, &out);
    else if (call->detail == '*')
        overflow = __builtin_mul_overflow(a, b, &out);
    else
        out = call->detail == '/' ? a / b : a % b;
    return overflow ? cel_error("unsigned integer overflow") : value_uint(out);
}

CEL_FN(cel_fn_double)(const struct cel_call *call)
{
    double a = call->args[0].d, b = call->args[1].d;

    if (call->detail == '+')
        return value_double(a + b);
    if (call->detail == '-')
        return value_double(a - b);
    if (call->detail == '*')
        return value_double(a * b);
    if (b == 0) /* IEEE 754, without the compiler's undefined case */
        return value_double(a == 0 || isnan(a)         ? NAN
                            : signbit(a) != signbit(b) ? -INFINITY
                                                       : INFINITY);
    return value_double(a / b);
}

CEL_FN(cel_fn_negate)(const struct cel_call *call)
{
    struct value v = call->args[0];

    if (v.kind == VALUE_DOUBLE)
        return value_double(-v.d);
    return v.i == INT64_MIN ? cel_error("integer overflow") : value_int(-v.i);
}

CEL_FN(cel_fn_not)(const struct cel_call *call)
{
    return value_bool(!call->args[0].boolean);
}

/* --- comparison ------------------------------------------------------------------------------- */

static int order_of(bool less, bool more)
{
    return (int)more - (int)less;
}

/* As cel-go and the conformance suite: the int is rounded to a double, unless the double lies
 * outside the ints. */
static int compare_int_double(int64_t i, double d)
{
    if (isnan(d))
        return 2;
    if (d > int_end)
        return -1;
    if (d < -int_end)
        return 1;
    return order_of((double)i<d, (double)i> d);
}

static int compare_uint_double(uint64_t u, double d)
{
    if (isnan(d))
        return 2;
    if (d > uint_end)
        return -1;
    if (d < 0)
        return 1;
    return order_of((double)u<d, (double)u> d);
}

static int turned(int order)
{
    return order == 2 ? 2 : -order;
}

int cel_number_compare(struct value a, struct value b)
{
    if (a.kind == VALUE_INT && b.kind == VALUE_INT)
        return order_of(a.i<b.i, a.i> b.i);
    if (a.kind == VALUE_UINT && b.kind == VALUE_UINT)
        return order_of(a.u<b.u, a.u> b.u);
    if (a.kind == VALUE_DOUBLE && b.kind == VALUE_DOUBLE)
        return isnan(a.d) || isnan(b.d) ? 2 : order_of(a.d<b.d, a.d> b.d);
    if (a.kind == VALUE_INT && b.kind == VALUE_UINT)
        return a.i < 0 ? -1 : order_of((uint64_t)a.i<b.u, (uint64_t)a.i> b.u);
    if (a.kind == VALUE_INT)
        return compare_int_double(a.i, b.d);
    if (a.kind == VALUE_UINT && b.kind == VALUE_DOUBLE)
        return compare_uint_double(a.u, b.d);
    return turned(cel_number_compare(b, a));
}

/* --- conversions ------------------------------------------------------------------------------ */

CEL_FN(cel_fn_same)(const struct cel_call *call)
{
    return call->args[0];
}

CEL_FN(cel_fn_type)(const struct cel_call *call)
{
    struct value v = call->args[0];
    const char *name = cel_kind_of(v) == CEL_LOCAL ? "local_time"
                       : v.kind < VALUE_ERROR      ? value_kind_name((enum value_kind)v.kind)
                                                   : "error";

    return (struct value){.kind = VALUE_TYPE, .n = (uint32_t)strlen(name), .text = name};
}

/* Decimal digits; false if something else is in the text or it does not fit. */
static bool parse_digits(struct str s, uint64_t *out)
{
    uint64_t v = 0;

    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] < '0' || s.data[i] > '9' || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(s.data[i] - '0'), &v))
            return false;
    *out = v;
    return s.len != 0;
}

static struct value int_of_text(struct cel_run *run, struct str s)
{
    bool negative = s.len > 1 && s.data[0] == '-';
    struct str digits = str_slice(s, s.len > 1 && (negative || s.data[0] == '+'), s.len);
    uint64_t v;

    if (!parse_digits(digits, &v) || v > (uint64_t)INT64_MAX + negative)
        return value_error(run->arena, "type conversion error from \"%.*s\" to int",
                           s.len > 40 ? 40 : (int)s.len, s.len != 0 ? s.data : "");
    return value_int(negative ? (int64_t)(0 - v) : (int64_t)v);
}

CEL_FN(cel_fn_to_int)(const struct cel_call *call)
{
    struct value v = call->args[0];

    if (v.kind == VALUE_TIMESTAMP)
        return value_int(v.i);
    if (v.kind == VALUE_STRING)
        return int_of_text(call->run, value_str(v));
    if (v.kind == VALUE_UINT)
        return v.u > INT64_MAX ? cel_error("range: integer overflow") : value_int((int64_t)v.u);
    if (!(v.d > -int_end && v.d < int_end)) /* both ends excluded, NaN too */
        return cel_error("range: integer overflow");
    return value_int((int64_t)v.d);
}

CEL_FN(cel_fn_to_uint)(const struct cel_call *call)
{
    struct value v = call->args[0];
    uint64_t u;

    if (v.kind == VALUE_STRING) {
        struct str s = value_str(v);
        if (!parse_digits(s, &u))
            return value_error(call->run->arena, "type conversion error from \"%.*s\" to uint",
                               s.len > 40 ? 40 : (int)s.len, s.len != 0 ? s.data : "");
        return value_uint(u);
    }
    if (v.kind == VALUE_INT)
        return v.i < 0 ? cel_error("range: unsigned integer overflow") : value_uint((uint64_t)v.i);
    if (!(v.d > -1 && v.d < uint_end) || (v.d < 0))
        return cel_error("range: unsigned integer overflow");
    return value_uint((uint64_t)v.d);
}

/* A decimal number, nothing else: strtod alone would take hexadecimal and blanks. */
static bool parse_double(struct str s, double *out)
{
    char text[512];
    char *end;
    size_t letters = 0;

    if (s.len == 0 || s.len >= sizeof text)
        return false;
    memcpy(text, s.data, s.len);
    text[s.len] = '\0';
    for (size_t i = 0; i < s.len; i++) {
        if (strchr("0123456789+-.eE", text[i]) == NULL)
            letters++;
        if (text[i] == 'x' || text[i] == 'X' || text[i] == '(' || text[i] <= ' ')
            return false;
    }
    *out = strtod(text, &end);
    return end == text + s.len && (letters == 0 || isnan(*out) || isinf(*out));
}

CEL_FN(cel_fn_to_double)(const struct cel_call *call)
{
    struct value v = call->args[0];
    struct str s;
    double d;

    if (v.kind == VALUE_INT)
        return value_double((double)v.i);
    if (v.kind == VALUE_UINT)
        return value_double((double)v.u);
    s = value_str(v);
    if (!parse_double(s, &d))
        return value_error(call->run->arena, "type conversion error from \"%.*s\" to double",
                           s.len > 40 ? 40 : (int)s.len, s.len != 0 ? s.data : "");
    return value_double(d);
}

CEL_FN(cel_fn_to_bool)(const struct cel_call *call)
{
    static const char *const words[2][5] = {{"0", "f", "false", "FALSE", "False"},
                                            {"1", "t", "true", "TRUE", "True"}};
    struct str s = value_str(call->args[0]);

    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 5; j++)
            if (str_is(s, words[i][j]))
                return value_bool(i == 1);
    return value_error(call->run->arena, "type conversion error from \"%.*s\" to bool",
                       s.len > 40 ? 40 : (int)s.len, s.len != 0 ? s.data : "");
}

/* --- text of a double -------------------------------------------------------------------------- */

/* Digits as 0.00012, 1900 or 1.5e+30: exponents only where the plain form would be long. */
static size_t lay_out(char *out, const char *digits, size_t count, int exponent, bool negative)
{
    char *p = out;

    if (negative)
        *p++ = '-';
    if (exponent < -5 || exponent >= 21) {
        p += sprintf(p, "%c%s%.*se%+03d", digits[0], count > 1 ? "." : "", (int)count - 1,
                     digits + 1, exponent);
        return (size_t)(p - out);
    }
    if (exponent < 0) {
        p += sprintf(p, "0.%0*d", -exponent - 1, 0);
        p -= exponent == -1; /* %0*d prints at least one digit */
        memcpy(p, digits, count);
        return (size_t)(p - out) + count;
    }
    for (size_t i = 0; i < count || i <= (size_t)exponent; i++) {
        if (i == (size_t)exponent + 1)
            *p++ = '.';
        *p++ = i < count ? digits[i] : '0';
    }
    return (size_t)(p - out);
}

size_t cel_double_text(double d, char out[CEL_DOUBLE_SIZE])
{
    char text[40], digits[24];
    size_t count = 0;

    if (isnan(d) || isinf(d))
        return (size_t)sprintf(out, "%s", isnan(d) ? "NaN" : d > 0 ? "Infinity" : "-Infinity");
    if (d == 0)
        return (size_t)sprintf(out, "%s", signbit(d) ? "-0" : "0");
    for (int precision = 0; precision <= 16; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, fabs(d));
        if (strtod(text, NULL) == fabs(d))
            break;
    }
    const char *e = strchr(text, 'e');
    CHECK(e != NULL);
    for (const char *p = text; p < e; p++)
        if (*p != '.')
            digits[count++] = *p;
    while (count > 1 && digits[count - 1] == '0')
        count--;
    digits[count] = '\0';
    return lay_out(out, digits, count, atoi(e + 1), d < 0);
}

/* --- math.* ------------------------------------------------------------------------------------ */

static bool is_number(struct value v)
{
    return v.kind == VALUE_INT || v.kind == VALUE_UINT || v.kind == VALUE_DOUBLE;
}

/* math.greatest and math.least, of arguments or of one list. */
CEL_FN(cel_fn_extreme)(const struct cel_call *call)
{
    const struct value *items = call->args;
    size_t count = call->count;
    struct value best;

    if (count == 1 && items[0].kind == VALUE_LIST) {
        count = items[0].n;
        items = items[0].list;
    }
    if (count == 0)
        return cel_error("math.greatest() and math.least() need a number");
    if (!cel_charge(call->run, count))
        return cel_error("the expression needs too many steps");
    best = items[0];
    for (size_t i = 0; i < count; i++) {
        if (!is_number(items[i]))
            return cel_no_overload(call->run, call->detail > 0 ? "math.greatest" : "math.least",
                                   &items[i], 1);
        int order = cel_number_compare(items[i], best);
        if (order != 2 && order == call->detail)
            best = items[i];
    }
    return best;
}

CEL_FN(cel_fn_abs)(const struct cel_call *call)
{
    struct value v = call->args[0];

    if (v.kind == VALUE_UINT)
        return v;
    if (v.kind == VALUE_DOUBLE)
        return value_double(fabs(v.d));
    return v.i == INT64_MIN ? cel_error("integer overflow") : value_int(v.i < 0 ? -v.i : v.i);
}

CEL_FN(cel_fn_sign)(const struct cel_call *call)
{
    struct value v = call->args[0];

    if (v.kind == VALUE_UINT)
        return value_uint(v.u != 0);
    if (v.kind == VALUE_INT)
        return value_int(order_of(v.i<0, v.i> 0));
    return isnan(v.d) ? v : value_double(order_of(v.d<0, v.d> 0));
}

CEL_FN(cel_fn_round)(const struct cel_call *call)
{
    double d = call->args[0].d;

    return value_double(call->detail == 'c'   ? ceil(d)
                        : call->detail == 'f' ? floor(d)
                        : call->detail == 'r' ? round(d)
                                              : trunc(d));
}

CEL_FN(cel_fn_sqrt)(const struct cel_call *call)
{
    struct value v = call->args[0];

    return value_double(sqrt(v.kind == VALUE_INT    ? (double)v.i
                             : v.kind == VALUE_UINT ? (double)v.u
                                                    : v.d));
}

CEL_FN(cel_fn_class)(const struct cel_call *call)
{
    double d = call->args[0].d;

    return value_bool(call->detail == 'n'   ? isnan(d)
                      : call->detail == 'i' ? isinf(d)
                                            : isfinite(d));
}

static uint64_t bits_of(int operation, uint64_t a, uint64_t b)
{
    if (operation == '&')
        return a & b;
    if (operation == '|')
        return a | b;
    if (operation == '^')
        return a ^ b;
    if (operation == '~')
        return ~a;
    if (b >= 64)
        return 0;
    return operation == '<' ? a << b : a >> b;
}

CEL_FN(cel_fn_bits)(const struct cel_call *call)
{
    struct value v = call->args[0];

    if ((call->detail == '<' || call->detail == '>') && call->args[1].i < 0)
        return cel_error("negative offset");
    v.u = bits_of(call->detail, v.u, call->count > 1 ? call->args[1].u : 0);
    return v;
}
