/* The order of additions is the order of the calls, so the last bit is the callers' to keep. */
#include "processors/decide/amount.h"

#include <math.h>

#include "core/check.h"
#include "core/when.h"

enum { TREND_POINTS_MIN = 3 }; /* through two points any line fits */

bool amount_is_number(struct value v)
{
    return v.kind == VALUE_INT || v.kind == VALUE_UINT || v.kind == VALUE_DOUBLE;
}

static double number_of(struct value v)
{
    if (v.kind == VALUE_INT)
        return (double)v.i;
    return v.kind == VALUE_UINT ? (double)v.u : v.d;
}

struct value amount_of(const struct fact *fact, struct value v)
{
    return fact->one->kind == CEL_INT ? v : value_double(number_of(v));
}

static struct value zero_of(const struct fact *fact)
{
    return fact->one->kind == CEL_INT ? value_int(0) : value_double(0);
}

/* Ints stay ints until they overflow. */
static struct value add(struct value a, struct value b)
{
    int64_t sum;

    if (a.kind == VALUE_INT && b.kind == VALUE_INT && !__builtin_add_overflow(a.i, b.i, &sum))
        return value_int(sum);
    return value_double(number_of(a) + number_of(b));
}

static bool less(struct value a, struct value b)
{
    if (a.kind == VALUE_INT && b.kind == VALUE_INT)
        return a.i < b.i;
    return number_of(a) < number_of(b);
}

void amount_add(const struct fact *fact, struct value *value, uint64_t *events, struct value added,
                uint64_t added_events)
{
    bool none = value->kind == VALUE_ABSENT;

    *events += added_events;
    switch (fact->kind) {
    case FACT_COUNT:
    case FACT_SUM:
    case FACT_MEAN: *value = add(none ? zero_of(fact) : *value, added); return;
    case FACT_MIN: *value = none || less(added, *value) ? added : *value; return;
    case FACT_MAX: *value = none || less(*value, added) ? added : *value; return;
    case FACT_DISTINCT: return; /* one event stands for each value */
    case FACT_LAST:
    case FACT_FIRST:
    case FACT_TREND:
    case FACT_MARK:
    case FACT_SINCE:
    case FACT_KIND_COUNT: break;
    }
    CHECK_NEVER("a fact that amounts to nothing");
}

struct value amount_read(const struct fact *fact, struct value value, uint64_t events)
{
    switch (fact->kind) {
    case FACT_COUNT:
    case FACT_SUM: return value.kind != VALUE_ABSENT ? value : zero_of(fact);
    case FACT_DISTINCT: return value_int((int64_t)events);
    case FACT_MEAN:
        return events != 0 ? value_double(number_of(value) / (double)events) : VALUE_NONE;
    case FACT_MIN:
    case FACT_MAX:
    case FACT_TREND:
    case FACT_LAST:
    case FACT_FIRST:
    case FACT_MARK:
    case FACT_SINCE:
    case FACT_KIND_COUNT: break;
    }
    return value;
}

/* Times count from the first point: seen from 1970 the squares would eat the digits. */
struct value amount_trend(const struct fact_point *points, size_t count)
{
    double days = 0, mean = 0, above = 0, below = 0;

    if (count < TREND_POINTS_MIN || points[0].time_ms == points[count - 1].time_ms)
        return VALUE_NONE;
    for (size_t i = 0; i < count; i++) {
        days += (double)(points[i].time_ms - points[0].time_ms) / WHEN_DAY_MS;
        mean += number_of(points[i].value);
    }
    days /= (double)count;
    mean /= (double)count;
    for (size_t i = 0; i < count; i++) {
        double x = (double)(points[i].time_ms - points[0].time_ms) / WHEN_DAY_MS - days;

        above += x * (number_of(points[i].value) - mean);
        below += x * x;
    }
    return isfinite(above / below) ? value_double(above / below) : VALUE_NONE;
}

int64_t amount_step(int64_t step_ms, int64_t time_ms)
{
    int64_t into = time_ms % step_ms;

    return time_ms - (into < 0 ? into + step_ms : into);
}
