#include "connectors/net/retry_after.h"

#include "core/when.h"

static const struct str months[] = {STR("Jan"), STR("Feb"), STR("Mar"), STR("Apr"),
                                    STR("May"), STR("Jun"), STR("Jul"), STR("Aug"),
                                    STR("Sep"), STR("Oct"), STR("Nov"), STR("Dec")};
static const struct str days[] = {STR("Monday"), STR("Tuesday"),  STR("Wednesday"), STR("Thursday"),
                                  STR("Friday"), STR("Saturday"), STR("Sunday")};
enum { MONTHS = 12, DAYS = 7, DAY_LETTERS = 3 };

struct date {
    int64_t year;
    int month, day, hour, minute, second;
};

/* --- pieces: each takes what it reads from the front of *rest ----------------------------------- */

static bool take(struct str *rest, struct str what)
{
    if (!str_starts(*rest, what))
        return false;
    *rest = str_slice(*rest, what.len, rest->len);
    return true;
}

static bool take_digits(struct str *rest, size_t digits, int *out)
{
    if (rest->len < digits)
        return false;
    *out = 0;
    for (size_t i = 0; i < digits; i++) {
        if (rest->data[i] < '0' || rest->data[i] > '9')
            return false;
        *out = 10 * *out + (rest->data[i] - '0');
    }
    *rest = str_slice(*rest, digits, rest->len);
    return true;
}

static bool take_month(struct str *rest, struct date *d)
{
    for (d->month = 1; d->month <= MONTHS; d->month++)
        if (take(rest, months[d->month - 1]))
            return true;
    return false;
}

static bool take_day_name(struct str *rest, bool whole)
{
    for (size_t i = 0; i < DAYS; i++)
        if (take(rest, whole ? days[i] : str_slice(days[i], 0, DAY_LETTERS)))
            return true;
    return false;
}

static bool take_time(struct str *rest, struct date *d)
{
    return take_digits(rest, 2, &d->hour) && take(rest, STR(":")) &&
           take_digits(rest, 2, &d->minute) && take(rest, STR(":")) &&
           take_digits(rest, 2, &d->second);
}

/* --- the three forms ---------------------------------------------------------------------------- */

/* Sun, 06 Nov 1994 08:49:37 GMT */
static bool read_fixed(struct str text, struct date *d)
{
    int year;

    if (!take_day_name(&text, false) || !take(&text, STR(", ")) ||
        !take_digits(&text, 2, &d->day) || !take(&text, STR(" ")) || !take_month(&text, d) ||
        !take(&text, STR(" ")) || !take_digits(&text, 4, &year) || !take(&text, STR(" ")) ||
        !take_time(&text, d))
        return false;
    d->year = year;
    return str_is(text, " GMT");
}

/* Sunday, 06-Nov-94 08:49:37 GMT */
static bool read_rfc850(struct str text, int64_t now_ms, struct date *d)
{
    int64_t this_year;
    int year, month, day;

    if (!take_day_name(&text, true) || !take(&text, STR(", ")) || !take_digits(&text, 2, &d->day) ||
        !take(&text, STR("-")) || !take_month(&text, d) || !take(&text, STR("-")) ||
        !take_digits(&text, 2, &year) || !take(&text, STR(" ")) || !take_time(&text, d) ||
        !str_is(text, " GMT"))
        return false;
    when_civil_from_days(now_ms / WHEN_DAY_MS, &this_year, &month, &day);
    d->year = this_year - this_year % 100 + year;
    if (d->year > this_year + 50)
        d->year -= 100;
    else if (d->year + 100 <= this_year + 50)
        d->year += 100;
    return true;
}

/* Sun Nov  6 08:49:37 1994 */
static bool read_asctime(struct str text, struct date *d)
{
    int year;

    if (!take_day_name(&text, false) || !take(&text, STR(" ")) || !take_month(&text, d) ||
        !take(&text, STR(" ")) || !take_digits(&text, take(&text, STR(" ")) ? 1 : 2, &d->day) ||
        !take(&text, STR(" ")) || !take_time(&text, d) || !take(&text, STR(" ")) ||
        !take_digits(&text, 4, &year))
        return false;
    d->year = year;
    return text.len == 0;
}

static bool exists(const struct date *d)
{
    int64_t year;
    int month, day;

    if (d->year < 1 || d->hour > 23 || d->minute > 59 || d->second > 60) /* 60: a leap second */
        return false;
    when_civil_from_days(when_days_from_civil(d->year, d->month, d->day), &year, &month, &day);
    return month == d->month && day == d->day;
}

bool http_date_parse(struct str text, int64_t now_ms, int64_t *at_ms)
{
    struct date d;

    if (!read_fixed(text, &d) && !read_rfc850(text, now_ms, &d) && !read_asctime(text, &d))
        return false;
    if (!exists(&d))
        return false;
    *at_ms = when_days_from_civil(d.year, d.month, d.day) * WHEN_DAY_MS +
             (int64_t)d.hour * WHEN_HOUR_MS + (int64_t)d.minute * WHEN_MINUTE_MS +
             (int64_t)d.second * WHEN_SECOND_MS;
    return true;
}

static int64_t clamp(int64_t span_ms)
{
    if (span_ms < 0)
        return 0;
    return span_ms < RETRY_AFTER_MS_MAX ? span_ms : RETRY_AFTER_MS_MAX;
}

int64_t retry_after_ms(struct str value, int64_t now_ms)
{
    int64_t seconds = 0, at_ms;

    value = str_trim(value);
    if (http_date_parse(value, now_ms, &at_ms))
        return clamp(at_ms - now_ms);
    if (value.len == 0)
        return RETRY_AFTER_NONE;
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return RETRY_AFTER_NONE;
        if (seconds < RETRY_AFTER_MS_MAX)
            seconds = 10 * seconds + (value.data[i] - '0');
    }
    return seconds < RETRY_AFTER_MS_MAX / 1000 ? seconds * 1000 : RETRY_AFTER_MS_MAX;
}
