/* Timestamps, durations and the customer's wall clock.
 *
 * A local time is a timestamp shifted by the offset of its zone, marked by CEL_LOCAL_BIT: its
 * fields are those of the shifted time in UTC. */
#include <math.h>

#include "core/when.h"
#include "rules/cel/funcs.h"

#define CEL_FN(name)                                                                               \
    struct value name(const struct cel_call *call);                                                \
    struct value name

static const int64_t first_second = -62135596800; /* 0001-01-01T00:00:00Z */
static const int64_t last_second = 253402300799;  /* 9999-12-31T23:59:59Z */

enum { SECONDS_PER_DAY = 86400, NANOS_PER_SECOND = 1000000000 };

bool cel_timestamp_in_range(int64_t seconds)
{
    return seconds >= first_second && seconds <= last_second;
}

/* As 64-bit nanoseconds, about 292 years either way. */
bool cel_duration_in_range(int64_t seconds, uint32_t nanos)
{
    int64_t total;

    if (seconds == INT64_MIN / NANOS_PER_SECOND - 1) /* the one below the last whole second */
        return nanos >= 145224192;
    return !__builtin_mul_overflow(seconds, NANOS_PER_SECOND, &total) &&
           !__builtin_add_overflow(total, (int64_t)nanos, &total);
}

/* Seconds and nanoseconds that may be out of their place, as a value. */
static struct value make(enum value_kind kind, int64_t seconds, int64_t nanos)
{
    int64_t carry = nanos / NANOS_PER_SECOND - (nanos % NANOS_PER_SECOND < 0);
    bool good = !__builtin_add_overflow(seconds, carry, &seconds);

    nanos -= carry * NANOS_PER_SECOND;
    if (kind == VALUE_TIMESTAMP && (!good || !cel_timestamp_in_range(seconds)))
        return cel_error("range: timestamp overflow");
    if (kind == VALUE_DURATION && (!good || !cel_duration_in_range(seconds, (uint32_t)nanos)))
        return cel_error("range: duration overflow");
    return (struct value){.kind = (uint8_t)kind, .n = (uint32_t)nanos, .i = seconds};
}

CEL_FN(cel_fn_time_add)(const struct cel_call *call)
{
    struct value a = call->args[0], b = call->args[1];
    bool stamps = (a.kind == VALUE_TIMESTAMP) != (b.kind == VALUE_TIMESTAMP);
    enum value_kind kind = stamps ? VALUE_TIMESTAMP : VALUE_DURATION;
    int64_t seconds, nanos = call->detail == '+' ? (int64_t)a.n + b.n : (int64_t)a.n - b.n;
    bool overflow = call->detail == '+' ? __builtin_add_overflow(a.i, b.i, &seconds)
                                        : __builtin_sub_overflow(a.i, b.i, &seconds);

    return overflow ? cel_error("range: overflow") : make(kind, seconds, nanos);
}

/* --- conversions ------------------------------------------------------------------------------- */

CEL_FN(cel_fn_to_timestamp)(const struct cel_call *call)
{
    struct value v = call->args[0];
    struct str s;
    int64_t seconds;
    int32_t nanos;

    if (v.kind == VALUE_INT)
        return make(VALUE_TIMESTAMP, v.i, 0);
    s = value_str(v);
    if (!when_parse_rfc3339(s, &seconds, &nanos))
        return value_error(call->run->arena, "type conversion error from \"%.*s\" to timestamp",
                           s.len > 40 ? 40 : (int)s.len, s.len != 0 ? s.data : "");
    return make(VALUE_TIMESTAMP, seconds, nanos);
}

static const struct {
    const char *unit;
    int64_t nanos;
} span_units[] = {
    {"ns", 1},
    {"us", 1000},
    {"\xc2\xb5s", 1000},
    {"ms", 1000000},
    {"s", NANOS_PER_SECOND},
    {"m", 60 * (int64_t)NANOS_PER_SECOND},
    {"h", 3600 * (int64_t)NANOS_PER_SECOND},
};
enum { SPAN_UNIT_COUNT = sizeof span_units / sizeof span_units[0] };

static bool is_digit(struct str s, size_t at)
{
    return at < s.len && s.data[at] >= '0' && s.data[at] <= '9';
}

static int64_t unit_nanos(struct str s)
{
    for (size_t i = 0; i < SPAN_UNIT_COUNT; i++)
        if (str_is(s, span_units[i].unit))
            return span_units[i].nanos;
    return 0;
}

/* One "1.5h" at *at, added to *total; false: not that or too large. */
static bool span_part(struct str s, size_t *at, int64_t *total)
{
    size_t digits = 0, start;
    int64_t whole = 0, unit, part;
    double fraction = 0, scale = 1;

    for (; is_digit(s, *at); ++*at, digits++)
        if (__builtin_mul_overflow(whole, 10, &whole) ||
            __builtin_add_overflow(whole, s.data[*at] - '0', &whole))
            return false;
    if (*at < s.len && s.data[*at] == '.')
        for (++*at; is_digit(s, *at); ++*at, digits++) {
            scale *= 10;
            fraction = fraction * 10 + (s.data[*at] - '0');
        }
    if (digits == 0)
        return false;
    for (start = *at; *at < s.len && !is_digit(s, *at) && s.data[*at] != '.';)
        ++*at;
    unit = unit_nanos(str_slice(s, start, *at));
    if (unit == 0 || __builtin_mul_overflow(whole, unit, &part))
        return false;
    return !__builtin_add_overflow(part, (int64_t)trunc(fraction / scale * (double)unit + 1e-6),
                                   &part) &&
           !__builtin_add_overflow(*total, part, total);
}

/* "1h30m", "-2.5s", "0": nanoseconds. */
static bool parse_span(struct str s, int64_t *nanos)
{
    bool negative = s.len != 0 && s.data[0] == '-';
    size_t at = s.len != 0 && (negative || s.data[0] == '+');

    *nanos = 0;
    if (str_is(str_slice(s, at, s.len), "0"))
        return true;
    if (at == s.len || s.len > 128)
        return false;
    while (at < s.len)
        if (!span_part(s, &at, nanos))
            return false;
    if (negative)
        *nanos = -*nanos;
    return true;
}

CEL_FN(cel_fn_to_duration)(const struct cel_call *call)
{
    struct value v = call->args[0];
    struct str s;
    int64_t nanos;

    if (v.kind == VALUE_INT)
        return make(VALUE_DURATION, v.i, 0);
    s = value_str(v);
    if (!parse_span(s, &nanos))
        return value_error(call->run->arena, "type conversion error from \"%.*s\" to duration",
                           s.len > 40 ? 40 : (int)s.len, s.len != 0 ? s.data : "");
    return make(VALUE_DURATION, nanos / NANOS_PER_SECOND, nanos % NANOS_PER_SECOND);
}

/* --- fields ------------------------------------------------------------------------------------ */

static int64_t field_of(struct zone_local at, uint32_t nanos, int field)
{
    switch (field) {
    case 'Y': return at.year;
    case 'm': return at.month - 1;
    case 'd': return at.day;
    case '0': return at.day - 1;
    case 'w': return at.weekday;
    case 'j': return at.yearday;
    case 'H': return at.hour;
    case 'M': return at.minute;
    case 'S': return at.second;
    default: return nanos / 1000000;
    }
}

static const struct zone *utc(void)
{
    return zone_find(STR("UTC"));
}

/* A zone by its name; "02:00" counts as "+02:00". */
static const struct zone *find_zone(struct str name)
{
    char sign[8] = "+";

    if (name.len != 5 || name.data[2] != ':')
        return zone_find(name);
    memcpy(sign + 1, name.data, name.len);
    return zone_find((struct str){sign, name.len + 1});
}

/* getHours() and its like, of a timestamp (in UTC or a zone) or a local time. */
CEL_FN(cel_fn_field)(const struct cel_call *call)
{
    struct value v = call->args[0];
    const struct zone *zone = utc();

    if (!cel_timestamp_in_range(v.i - (v.i > 0 ? SECONDS_PER_DAY : -SECONDS_PER_DAY)))
        return cel_error("range: timestamp overflow"); /* a local time may be a day beyond */
    if (call->count > 1) {
        struct str name = value_str(call->args[1]);
        zone = find_zone(name);
        if (zone == NULL)
            return value_error(call->run->arena, "unknown time zone %.*s",
                               name.len > 40 ? 40 : (int)name.len, name.len != 0 ? name.data : "");
    }
    return value_int(field_of(zone_to_local(zone, v.i), v.n & ~CEL_LOCAL_BIT, call->detail));
}

/* getHours() and its like, of a duration: whole units, towards zero. */
CEL_FN(cel_fn_span)(const struct cel_call *call)
{
    struct value v = call->args[0];
    int64_t seconds = v.i, nanos = v.n;

    if (seconds < 0 && nanos > 0) { /* -0.5 s is kept as -1 s + 0.5 s */
        seconds++;
        nanos -= NANOS_PER_SECOND;
    }
    if (call->detail == 'L')
        return value_int(nanos / 1000000);
    return value_int(seconds / (call->detail == 'H' ? 3600 : call->detail == 'M' ? 60 : 1));
}

/* --- our own ----------------------------------------------------------------------------------- */

/* days(n), hours(n); detail: seconds of the unit */
CEL_FN(cel_fn_days)(const struct cel_call *call)
{
    int64_t seconds;

    if (__builtin_mul_overflow(call->args[0].i, (int64_t)call->detail, &seconds))
        return cel_error("range: duration overflow");
    return make(VALUE_DURATION, seconds, 0);
}

static const struct zone *input_zone(const struct cel_run *run)
{
    return run->input != NULL && run->input->zone != NULL ? run->input->zone : utc();
}

CEL_FN(cel_fn_local)(const struct cel_call *call)
{
    struct value v = call->args[0];

    if (!cel_timestamp_in_range(v.i))
        return cel_error("range: timestamp overflow");
    v.i += zone_offset_s(input_zone(call->run), v.i);
    v.n |= CEL_LOCAL_BIT;
    return v;
}

/* "09:00" or "9:00:30". */
static bool parse_clock(struct str s, int out[3])
{
    size_t at = 0;

    out[2] = 0;
    for (int part = 0; part < 3; part++) {
        size_t digits = 0;
        for (out[part] = 0; is_digit(s, at) && digits < 2; at++, digits++)
            out[part] = out[part] * 10 + (s.data[at] - '0');
        if (digits == 0 || (digits == 1 && part > 0))
            return false;
        if (at == s.len)
            return part > 0 && out[0] < 24 && out[1] < 60 && out[2] < 60;
        if (s.data[at++] != ':')
            return false;
    }
    return false;
}

CEL_FN(cel_fn_local_at)(const struct cel_call *call)
{
    struct value v = call->args[0];
    const struct zone *zone = input_zone(call->run);
    struct zone_local day;
    int clock[3];

    if (!cel_timestamp_in_range(v.i))
        return cel_error("range: timestamp overflow");
    if (!parse_clock(value_str(call->args[1]), clock))
        return cel_error("a time of day is needed, such as \"09:00\"");
    day = zone_to_local(zone, v.i);
    return make(VALUE_TIMESTAMP,
                zone_to_utc_s(zone, day.year, day.month, day.day, clock[0], clock[1], clock[2]), 0);
}

/* Great circle on a sphere of the Earth's mean radius (haversine): wrong by 0.5 % at most.  In
 * whole millimetres, because the last bits of sin() differ from one processor to another. */
CEL_FN(cel_fn_distance)(const struct cel_call *call)
{
    static const double radius_km = 6371.0088, degree = 0.017453292519943295;
    double lat1 = call->args[0].d * degree, lat2 = call->args[2].d * degree;
    double sin_lat = sin((lat2 - lat1) / 2);
    double sin_lon = sin((call->args[3].d - call->args[1].d) * degree / 2);
    double h = sin_lat * sin_lat + cos(lat1) * cos(lat2) * sin_lon * sin_lon;

    return value_double(round(2 * radius_km * asin(sqrt(h < 1 ? h : 1)) * 1e6) / 1e6);
}
