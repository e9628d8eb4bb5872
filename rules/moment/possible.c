/* Items of a ONE_OF are taken one at a time, a number among them as a range of one; so there is one
 * comparison of ranges and one of texts, and the rest is "some pair does".
 *
 * NaN: a range that may be none says so, and then a comparison may come out false whatever the
 * bounds are.
 */
#include "rules/moment/possible.h"

#include <math.h>

#include "core/check.h"

enum { ITEMS_MAX = 64, ITEMS_SHOWN = 12 };
static const double EXACT_MAX = 9007199254740992.0; /* 2^53 */

/* --- making --------------------------------------------------------------------------------------- */

struct possible possible_anything(bool missing)
{
    return (struct possible){.kind = POSSIBLE_ANYTHING, .missing = missing};
}

struct possible possible_nothing(void)
{
    return (struct possible){.kind = POSSIBLE_ONE_OF};
}

struct possible possible_between(double low, double high, bool whole)
{
    struct possible p = {.kind = POSSIBLE_BETWEEN, .low = low, .high = high, .whole = whole};

    if (isnan(low) || low < -EXACT_MAX)
        p.low = -INFINITY;
    if (isnan(high) || high > EXACT_MAX)
        p.high = INFINITY;
    if (p.low > EXACT_MAX) /* all of it is where nothing is told apart */
        p.low = EXACT_MAX;
    if (p.high < -EXACT_MAX)
        p.high = -EXACT_MAX;
    return p;
}

struct possible possible_one_of(const struct value *items, size_t count)
{
    if (count > ITEMS_MAX)
        return possible_anything(false);
    return (struct possible){.kind = POSSIBLE_ONE_OF, .items = items, .count = count};
}

static bool is_number(struct value v)
{
    return v.kind == VALUE_INT || v.kind == VALUE_UINT || v.kind == VALUE_DOUBLE;
}

static bool is_item(struct value v)
{
    return v.kind == VALUE_BOOL || v.kind == VALUE_STRING || is_number(v);
}

static double number_of(struct value v)
{
    if (v.kind == VALUE_INT)
        return (double)v.i;
    return v.kind == VALUE_UINT ? (double)v.u : v.d;
}

struct possible possible_value(struct arena *arena, struct value v)
{
    if (!is_item(v) || (is_number(v) && !(fabs(number_of(v)) < EXACT_MAX)))
        return possible_anything(false);
    return possible_one_of(arena_copy(arena, &v, sizeof v), 1);
}

static const struct value truths[] = {{.kind = VALUE_BOOL, .boolean = false},
                                      {.kind = VALUE_BOOL, .boolean = true}};

struct possible possible_truth(struct outcomes o)
{
    struct possible p = possible_one_of(truths + !o.no, (size_t)o.yes + o.no);

    p.missing = o.error;
    return p;
}

/* A whole number is never at a bound that is left out, nor at a broken one. */
static struct possible tidy(struct possible p)
{
    if (p.kind != POSSIBLE_BETWEEN || !p.whole)
        return p;
    if (isfinite(p.low)) {
        double low = ceil(p.low);
        p.low = p.low_out && low <= p.low ? low + 1 : low;
        p.low_out = false;
    }
    if (isfinite(p.high)) {
        double high = floor(p.high);
        p.high = p.high_out && high >= p.high ? high - 1 : high;
        p.high_out = false;
    }
    return p;
}

bool possible_none(const struct possible *p)
{
    struct possible q = tidy(*p);

    if (q.kind == POSSIBLE_ONE_OF)
        return q.count == 0;
    return q.kind == POSSIBLE_BETWEEN && !q.nan &&
           (q.low > q.high || (q.low >= q.high && (q.low_out || q.high_out)));
}

/* --- ranges --------------------------------------------------------------------------------------- */

static struct possible range_of(struct value v)
{
    return possible_between(number_of(v), number_of(v), v.kind != VALUE_DOUBLE);
}

/* All items are numbers: the range that has them all. */
static bool as_range(const struct possible *p, struct possible *range)
{
    if (p->kind == POSSIBLE_BETWEEN) {
        *range = tidy(*p);
        return true;
    }
    if (p->kind != POSSIBLE_ONE_OF || p->count == 0)
        return false;
    for (size_t i = 0; i < p->count; i++) {
        struct possible one;
        if (!is_number(p->items[i]))
            return false;
        one = range_of(p->items[i]);
        if (i == 0)
            *range = one;
        range->low = fmin(range->low, one.low);
        range->high = fmax(range->high, one.high);
        range->whole &= one.whole;
    }
    range->missing = p->missing;
    return true;
}

struct possible possible_join(struct arena *arena, const struct possible *a,
                              const struct possible *b)
{
    bool missing = a->missing || b->missing;
    struct possible x, y, joined;

    if (possible_none(a) || possible_none(b)) {
        joined = possible_none(a) ? *b : *a;
    } else if (a->kind == POSSIBLE_ONE_OF && b->kind == POSSIBLE_ONE_OF) {
        struct value *items = ARENA_ARRAY(arena, struct value, a->count + b->count);
        memcpy(items, a->items, a->count * sizeof *items);
        memcpy(items + a->count, b->items, b->count * sizeof *items);
        joined = possible_one_of(items, a->count + b->count);
    } else if (as_range(a, &x) && as_range(b, &y)) {
        joined = (struct possible){.kind = POSSIBLE_BETWEEN,
                                   .low = fmin(x.low, y.low),
                                   .high = fmax(x.high, y.high),
                                   .whole = x.whole && y.whole,
                                   .nan = x.nan || y.nan};
        joined.low_out = (x.low > joined.low || x.low_out) && (y.low > joined.low || y.low_out);
        joined.high_out =
            (x.high < joined.high || x.high_out) && (y.high < joined.high || y.high_out);
    } else {
        joined = possible_anything(false);
    }
    joined.missing = missing;
    return joined;
}

/* --- comparing ------------------------------------------------------------------------------------ */

enum comparison comparison_opposite(enum comparison c)
{
    static const enum comparison opposite[] = {
        [IS_EQUAL] = IS_UNEQUAL,      [IS_UNEQUAL] = IS_EQUAL,      [IS_LESS] = IS_MORE_OR_EQUAL,
        [IS_LESS_OR_EQUAL] = IS_MORE, [IS_MORE] = IS_LESS_OR_EQUAL, [IS_MORE_OR_EQUAL] = IS_LESS,
    };

    return opposite[c];
}

enum comparison comparison_turned(enum comparison c)
{
    static const enum comparison turned[] = {
        [IS_EQUAL] = IS_EQUAL, [IS_UNEQUAL] = IS_UNEQUAL,
        [IS_LESS] = IS_MORE,   [IS_LESS_OR_EQUAL] = IS_MORE_OR_EQUAL,
        [IS_MORE] = IS_LESS,   [IS_MORE_OR_EQUAL] = IS_LESS_OR_EQUAL,
    };

    return turned[c];
}

/* Is there an x of a and a y of b, x < y (or x <= y)? */
static bool some_less(const struct possible *a, const struct possible *b, bool or_equal)
{
    if (a->low < b->high)
        return true;
    return or_equal && a->low <= b->high && !a->low_out && !b->high_out;
}

static bool same_point(const struct possible *a, const struct possible *b)
{
    return a->low >= a->high && b->low >= b->high && a->low >= b->low && a->low <= b->low &&
           isfinite(a->low);
}

static struct outcomes compare_ranges(enum comparison c, const struct possible *a,
                                      const struct possible *b)
{
    bool nan = a->nan || b->nan;

    switch (c) {
    case IS_LESS: return (struct outcomes){some_less(a, b, false), some_less(b, a, true) || nan, 0};
    case IS_LESS_OR_EQUAL:
        return (struct outcomes){some_less(a, b, true), some_less(b, a, false) || nan, 0};
    case IS_EQUAL:
        return (struct outcomes){some_less(a, b, true) && some_less(b, a, true),
                                 !same_point(a, b) || nan, 0};
    case IS_UNEQUAL:
    case IS_MORE:
    case IS_MORE_OR_EQUAL: break;
    }
    CHECK_NEVER("a comparison that was turned");
}

static struct outcomes compare_texts(enum comparison c, struct str a, struct str b)
{
    int order = str_compare(a, b);
    bool yes = c == IS_EQUAL ? order == 0 : c == IS_LESS ? order < 0 : order <= 0;

    return (struct outcomes){.yes = yes, .no = !yes};
}

static struct outcomes compare_items(enum comparison c, struct value a, struct value b)
{
    if (is_number(a) && is_number(b)) {
        struct possible x = range_of(a), y = range_of(b);
        return compare_ranges(c, &x, &y);
    }
    if (a.kind == VALUE_STRING && b.kind == VALUE_STRING)
        return compare_texts(c, value_str(a), value_str(b));
    if (a.kind == VALUE_BOOL && b.kind == VALUE_BOOL) {
        bool yes = c == IS_EQUAL  ? a.boolean == b.boolean
                   : c == IS_LESS ? !a.boolean && b.boolean
                                  : !a.boolean || b.boolean;
        return (struct outcomes){.yes = yes, .no = !yes};
    }
    return c == IS_EQUAL ? (struct outcomes){.no = true} : (struct outcomes){.error = true};
}

static void add(struct outcomes *all, struct outcomes o)
{
    all->yes |= o.yes;
    all->no |= o.no;
    all->error |= o.error;
}

/* Each item of a list with a range, or with each of another list. */
static struct outcomes compare_lists(enum comparison c, const struct possible *a,
                                     const struct possible *b)
{
    struct outcomes all = {0};

    for (size_t i = 0; i < a->count; i++) {
        struct possible one = {0}, range;
        if (b->kind == POSSIBLE_ONE_OF) {
            for (size_t k = 0; k < b->count; k++)
                add(&all, compare_items(c, a->items[i], b->items[k]));
        } else if (!is_number(a->items[i])) {
            add(&all,
                c == IS_EQUAL ? (struct outcomes){.no = true} : (struct outcomes){.error = true});
        } else {
            one = range_of(a->items[i]);
            range = tidy(*b);
            add(&all, compare_ranges(c, &one, &range));
        }
    }
    return all;
}

struct outcomes possible_compare(enum comparison c, const struct possible *a,
                                 const struct possible *b)
{
    struct outcomes all = {0};

    if (c == IS_MORE || c == IS_MORE_OR_EQUAL)
        return possible_compare(comparison_turned(c), b, a);
    if (c == IS_UNEQUAL) {
        all = possible_compare(IS_EQUAL, a, b);
        return (struct outcomes){.yes = all.no, .no = all.yes, .error = all.error};
    }
    if (a->kind == POSSIBLE_ANYTHING || b->kind == POSSIBLE_ANYTHING) {
        all = (struct outcomes){.yes = !possible_none(a) && !possible_none(b), .no = true};
    } else if (a->kind == POSSIBLE_ONE_OF) {
        all = compare_lists(c, a, b);
    } else if (b->kind == POSSIBLE_ONE_OF) { /* a is a range: the list's turn, with sides kept */
        for (size_t i = 0; i < b->count; i++) {
            struct possible one, range = tidy(*a);
            if (!is_number(b->items[i])) {
                add(&all, c == IS_EQUAL ? (struct outcomes){.no = true}
                                        : (struct outcomes){.error = true});
                continue;
            }
            one = range_of(b->items[i]);
            add(&all, compare_ranges(c, &range, &one));
        }
    } else {
        struct possible x = tidy(*a), y = tidy(*b);
        if (!possible_none(&x) && !possible_none(&y))
            all = compare_ranges(c, &x, &y);
    }
    all.error |= a->missing || b->missing;
    return all;
}

struct outcomes possible_as_truth(const struct possible *p)
{
    struct outcomes o = {.error = p->missing};

    if (p->kind != POSSIBLE_ONE_OF)
        return (struct outcomes){true, true, true};
    for (size_t i = 0; i < p->count; i++) {
        bool is_truth = p->items[i].kind == VALUE_BOOL;
        o.error |= !is_truth;
        o.yes |= is_truth && p->items[i].boolean;
        o.no |= is_truth && !p->items[i].boolean;
    }
    return o;
}

/* --- what is left --------------------------------------------------------------------------------- */

static struct possible filter(struct arena *arena, const struct possible *p, enum comparison c,
                              const struct possible *other)
{
    struct value *kept = ARENA_ARRAY(arena, struct value, p->count);
    size_t count = 0;

    for (size_t i = 0; i < p->count; i++) {
        struct possible one = possible_one_of(&p->items[i], 1);
        if (possible_compare(c, &one, other).yes)
            kept[count++] = p->items[i];
    }
    return possible_one_of(kept, count);
}

static void cut_above(struct possible *p, double high, bool out)
{
    if (high < p->high || (high <= p->high && out && !p->high_out)) {
        p->high = high;
        p->high_out = out;
    }
}

static void cut_below(struct possible *p, double low, bool out)
{
    if (low > p->low || (low >= p->low && out && !p->low_out)) {
        p->low = low;
        p->low_out = out;
    }
}

static struct possible cut(const struct possible *p, enum comparison c,
                           const struct possible *range)
{
    struct possible left =
        p->kind == POSSIBLE_BETWEEN
            ? *p
            : (struct possible){.kind = POSSIBLE_BETWEEN, .low = -INFINITY, .high = INFINITY};

    left.nan = left.nan && c == IS_UNEQUAL;
    if (c == IS_LESS || c == IS_LESS_OR_EQUAL || c == IS_EQUAL)
        cut_above(&left, range->high, range->high_out || c == IS_LESS);
    if (c == IS_MORE || c == IS_MORE_OR_EQUAL || c == IS_EQUAL)
        cut_below(&left, range->low, range->low_out || c == IS_MORE);
    if (c == IS_UNEQUAL && range->low >= range->high) { /* at an end it cuts, inside it cannot */
        if (left.high <= range->low)
            cut_above(&left, range->low, true);
        if (left.low >= range->low)
            cut_below(&left, range->low, true);
    }
    return tidy(left);
}

struct possible possible_where(struct arena *arena, const struct possible *p, enum comparison c,
                               const struct possible *other)
{
    struct possible left = *p, range;

    if (other->kind == POSSIBLE_ANYTHING)
        left = *p;
    else if (p->kind == POSSIBLE_ONE_OF)
        left = filter(arena, p, c, other);
    else if (other->kind == POSSIBLE_ONE_OF && c == IS_EQUAL)
        left = p->kind == POSSIBLE_ANYTHING ? *other : filter(arena, other, c, p);
    else if (as_range(other, &range) && (p->kind == POSSIBLE_BETWEEN || c != IS_UNEQUAL))
        left = cut(p, c, &range);
    left.missing = false;
    return left;
}

/* --- arithmetic ----------------------------------------------------------------------------------- */

static bool infinite(const struct possible *p)
{
    return !isfinite(p->low) || !isfinite(p->high);
}

static struct possible bounded(double low, double high, bool whole, bool nan, bool missing)
{
    struct possible p = possible_between(low, high, whole);

    p.nan = nan;
    p.missing = missing || (whole && infinite(&p)); /* a whole number may overflow, which fails */
    return p;
}

struct possible possible_sum(const struct possible *a, const struct possible *b)
{
    struct possible x, y;
    bool missing = a->missing || b->missing;

    if (!as_range(a, &x) || !as_range(b, &y))
        return possible_anything(true);
    return bounded(x.low + y.low, x.high + y.high, x.whole && y.whole,
                   x.nan || y.nan || (infinite(&x) && infinite(&y)), missing);
}

struct possible possible_product(const struct possible *a, const struct possible *b)
{
    struct possible x, y;
    bool missing = a->missing || b->missing;
    double ends[4];

    if (!as_range(a, &x) || !as_range(b, &y))
        return possible_anything(true);
    if (infinite(&x) || infinite(&y)) {
        bool positive = x.low >= 0 && y.low >= 0;
        return bounded(positive ? 0 : -INFINITY, INFINITY, x.whole && y.whole, true, missing);
    }
    ends[0] = x.low * y.low;
    ends[1] = x.low * y.high;
    ends[2] = x.high * y.low;
    ends[3] = x.high * y.high;
    return bounded(fmin(fmin(ends[0], ends[1]), fmin(ends[2], ends[3])),
                   fmax(fmax(ends[0], ends[1]), fmax(ends[2], ends[3])), x.whole && y.whole,
                   x.nan || y.nan, missing);
}

struct possible possible_negative(const struct possible *a)
{
    struct possible x;

    if (!as_range(a, &x))
        return possible_anything(true);
    return bounded(-x.high, -x.low, x.whole, x.nan, a->missing);
}

struct possible possible_not_whole(struct possible p)
{
    struct possible range;

    if (!as_range(&p, &range))
        return possible_anything(true);
    range.whole = false;
    return range;
}

/* --- words ---------------------------------------------------------------------------------------- */

static void put_item(struct buf *out, struct value v)
{
    if (v.kind == VALUE_STRING)
        buf_put_format(out, "\"%.*s\"", STR_ARG(value_str(v)));
    else if (v.kind == VALUE_BOOL)
        buf_put_text(out, v.boolean ? "true" : "false");
    else
        buf_put_format(out, "%.15g", number_of(v));
}

static bool put_range(struct buf *out, const struct possible *p)
{
    const char *low = p->low_out ? "more than" : "at least";

    if (isfinite(p->low) && isfinite(p->high) && !p->low_out && !p->high_out)
        buf_put_format(out, "from %.15g to %.15g", p->low, p->high);
    else if (isfinite(p->low) && isfinite(p->high))
        buf_put_format(out, "%s %.15g and %s %.15g", low, p->low,
                       p->high_out ? "less than" : "at most", p->high);
    else if (isfinite(p->low))
        buf_put_format(out, "%s %.15g", low, p->low);
    else if (isfinite(p->high))
        buf_put_format(out, "%s %.15g", p->high_out ? "less than" : "at most", p->high);
    else
        return false;
    return true;
}

bool possible_print(struct buf *out, const struct possible *p)
{
    struct possible q = tidy(*p);

    if (q.kind == POSSIBLE_BETWEEN)
        return put_range(out, &q);
    if (q.kind != POSSIBLE_ONE_OF || q.count == 0)
        return false;
    for (size_t i = 0; i < q.count && i < ITEMS_SHOWN; i++) {
        buf_put_text(out, i == 0 ? "" : i + 1 == q.count ? " or " : ", ");
        put_item(out, q.items[i]);
    }
    buf_put_text(out, q.count > ITEMS_SHOWN ? " ..." : "");
    return true;
}
