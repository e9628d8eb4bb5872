#include "core/when.h"

enum { DIGITS_OF_NANOS = 9 };

/* Civil calendar arithmetic in 400-year eras that start on 1 March (the method of
 * "chrono-Compatible Low-Level Date Algorithms", H. Hinnant). */
enum { DAYS_PER_ERA = 146097, DAYS_TO_1970 = 719468 };

int64_t when_days_from_civil(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * DAYS_PER_ERA + day_of_era - DAYS_TO_1970;
}

void when_civil_from_days(int64_t days, int64_t *year, int *month, int *day)
{
    int64_t z = days + DAYS_TO_1970;
    int64_t era = (z >= 0 ? z : z - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
    int64_t day_of_era = z - era * DAYS_PER_ERA;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;

    *day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

static bool digits(struct str text, size_t from, size_t count, int *out)
{
    int v = 0;

    if (from + count > text.len)
        return false;
    for (size_t i = from; i < from + count; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        v = 10 * v + (text.data[i] - '0');
    }
    *out = v;
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month == 2 && leap ? 29 : days[month - 1];
}

/* A fraction ".123" at *at; moves *at behind it.  Digits beyond nanoseconds are left out, or refused. */
static bool parse_fraction(struct str text, size_t *at, bool longer, int32_t *nanos)
{
    int count = 0;

    *nanos = 0;
    if (*at >= text.len || text.data[*at] != '.')
        return true;
    for (++*at; *at < text.len && text.data[*at] >= '0' && text.data[*at] <= '9'; ++*at) {
        if (++count <= DIGITS_OF_NANOS)
            *nanos = *nanos * 10 + (text.data[*at] - '0');
        else if (!longer)
            return false;
    }
    if (count == 0)
        return false;
    for (; count < DIGITS_OF_NANOS; count++)
        *nanos *= 10;
    return true;
}

/* "Z" or "+02:00" up to the end of the text. */
static bool parse_offset(struct str text, size_t at, int *seconds)
{
    int hours, minutes;
    struct str rest = str_slice(text, at, text.len);

    *seconds = 0;
    if (rest.len == 1)
        return rest.data[0] == 'Z' || rest.data[0] == 'z';
    if (rest.len != 6 || rest.data[3] != ':' || !digits(rest, 1, 2, &hours) ||
        !digits(rest, 4, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *seconds = (hours * 60 + minutes) * 60;
    if (rest.data[0] == '-')
        *seconds = -*seconds;
    return rest.data[0] == '-' || rest.data[0] == '+';
}

/* What there is beyond the times that we reckon with: RFC 3339 has them, CEL has not. */
struct beyond {
    bool year_0, leap_second, digits;
};

/* The end of a month in UTC, where leap seconds are put in. */
static bool is_month_end(int64_t seconds)
{
    int64_t year;
    int month, day;

    if (seconds % 86400 != 0)
        return false;
    when_civil_from_days(seconds / 86400, &year, &month, &day);
    return day == 1;
}

static bool parse(struct str text, struct beyond taken, int64_t *seconds, int32_t *nanos)
{
    int year, month, day, hour, minute, second, offset;
    int32_t fraction;
    size_t at = 19;

    if (!digits(text, 0, 4, &year) || !digits(text, 5, 2, &month) || !digits(text, 8, 2, &day) ||
        !digits(text, 11, 2, &hour) || !digits(text, 14, 2, &minute) ||
        !digits(text, 17, 2, &second))
        return false;
    if (text.data[4] != '-' || text.data[7] != '-' || (text.data[10] | 0x20) != 't' ||
        text.data[13] != ':' || text.data[16] != ':')
        return false;
    if (year < !taken.year_0 || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(year, month) || hour > 23 || minute > 59 ||
        second > 59 + taken.leap_second)
        return false;
    if (!parse_fraction(text, &at, taken.digits, &fraction) || !parse_offset(text, at, &offset))
        return false;
    *seconds = when_days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second -
               offset;
    if (nanos != NULL)
        *nanos = fraction;
    return second < 60 || is_month_end(*seconds);
}

bool when_parse_rfc3339(struct str text, int64_t *seconds, int32_t *nanos)
{
    return parse(text, (struct beyond){0}, seconds, nanos);
}

bool when_parse_to_the_letter(struct str text, int64_t *at_ms)
{
    int64_t seconds;
    int32_t nanos;

    if (!parse(text, (struct beyond){true, true, true}, &seconds, &nanos))
        return false;
    *at_ms = seconds * WHEN_SECOND_MS + nanos / 1000000;
    return true;
}

bool when_parse_ms(struct str text, int64_t *at_ms)
{
    int64_t seconds;
    int32_t nanos;

    if (!when_parse_rfc3339(text, &seconds, &nanos))
        return false;
    *at_ms = seconds * WHEN_SECOND_MS + nanos / 1000000;
    return true;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static void put_digits(char *to, int64_t number, int count)
{
    while (count-- > 0) {
        to[count] = (char)('0' + number % 10);
        number /= 10;
    }
}

/* Of the years 0 to 9999, without printf: ingest and decide write one for each event. */
static void put_plain(struct buf *out, int64_t year, int month, int day, int64_t rest)
{
    char text[] = "0000-00-00T00:00:00.000Z";
    bool whole = rest % WHEN_SECOND_MS == 0;

    put_digits(text, year, 4);
    put_digits(text + 5, month, 2);
    put_digits(text + 8, day, 2);
    put_digits(text + 11, rest / WHEN_HOUR_MS, 2);
    put_digits(text + 14, rest / WHEN_MINUTE_MS % 60, 2);
    put_digits(text + 17, rest / WHEN_SECOND_MS % 60, 2);
    put_digits(text + 20, rest % WHEN_SECOND_MS, 3);
    if (whole)
        text[19] = 'Z';
    buf_put(out, (struct str){text, whole ? 20 : sizeof text - 1});
}

void when_put_rfc3339(struct buf *out, int64_t at_ms)
{
    int64_t days = floor_div(at_ms, WHEN_DAY_MS);
    int64_t rest = at_ms - days * WHEN_DAY_MS;
    int64_t year;
    int month, day;

    when_civil_from_days(days, &year, &month, &day);
    if (year >= 0 && year <= 9999) {
        put_plain(out, year, month, day, rest);
        return;
    }
    buf_put_format(out, "%04lld-%02d-%02dT%02d:%02d:%02d", (long long)year, month, day,
                   (int)(rest / WHEN_HOUR_MS), (int)(rest / WHEN_MINUTE_MS % 60),
                   (int)(rest / WHEN_SECOND_MS % 60));
    if (rest % WHEN_SECOND_MS != 0)
        buf_put_format(out, ".%03d", (int)(rest % WHEN_SECOND_MS));
    buf_put_char(out, 'Z');
}

static const struct {
    const char *name;
    int64_t ms;
} units[] = {
    {"w", 7 * (int64_t)WHEN_DAY_MS}, {"d", WHEN_DAY_MS},    {"h", WHEN_HOUR_MS},
    {"m", WHEN_MINUTE_MS},           {"s", WHEN_SECOND_MS}, {"ms", 1},
};
enum { UNIT_COUNT = sizeof units / sizeof units[0] };

static const int64_t span_ms_max = 100 * 366 * (int64_t)WHEN_DAY_MS;

bool when_parse_span_ms(struct str text, int64_t *span_ms)
{
    size_t at = 0, unit = 0;
    int64_t total = 0;

    if (text.len == 0)
        return false;
    while (at < text.len) {
        size_t start = at;
        int64_t number = 0;
        for (; at < text.len && text.data[at] >= '0' && text.data[at] <= '9'; at++)
            if ((number = number * 10 + (text.data[at] - '0')) > span_ms_max)
                return false;
        if (at == start)
            return false;
        for (start = at; at < text.len && text.data[at] >= 'a' && text.data[at] <= 'z'; at++)
            continue;
        struct str name = str_slice(text, start, at);
        while (unit < UNIT_COUNT && !str_is(name, units[unit].name))
            unit++;
        if (unit == UNIT_COUNT || number > span_ms_max / units[unit].ms)
            return false;
        total += number * units[unit++].ms;
    }
    *span_ms = total;
    return total <= span_ms_max;
}

void when_put_days(struct buf *out, int64_t span_ms)
{
    bool days = span_ms == 0 || span_ms <= -WHEN_DAY_MS || span_ms >= WHEN_DAY_MS;

    if (days)
        buf_put_format(out, "%lldd", (long long)(span_ms / WHEN_DAY_MS));
    if (span_ms % WHEN_DAY_MS == 0)
        return;
    if (days && span_ms < 0)
        span_ms = -span_ms;
    when_put_span(out, span_ms % WHEN_DAY_MS);
}

void when_put_span(struct buf *out, int64_t span_ms)
{
    if (span_ms < 0) {
        buf_put_char(out, '-');
        span_ms = -span_ms;
    }
    if (span_ms == 0)
        buf_put_text(out, "0s");
    for (size_t i = span_ms % units[0].ms == 0 ? 0 : 1; i < UNIT_COUNT; i++)
        if (span_ms >= units[i].ms) {
            buf_put_format(out, "%lld%s", (long long)(span_ms / units[i].ms), units[i].name);
            span_ms %= units[i].ms;
        }
}
