/* core/when.h - points in time and spans as text: RFC 3339 and durations such as 1d12h. */
#ifndef ATTENT_CORE_WHEN_H
#define ATTENT_CORE_WHEN_H

#include <stdint.h>

#include "core/buf.h"
#include "core/str.h"

enum {
    WHEN_SECOND_MS = 1000,
    WHEN_MINUTE_MS = 60 * WHEN_SECOND_MS,
    WHEN_HOUR_MS = 60 * WHEN_MINUTE_MS,
    WHEN_DAY_MS = 24 * WHEN_HOUR_MS, /* a day is always 24 hours; local days are in core/zone.h */
};

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar, and back. */
int64_t when_days_from_civil(int64_t year, int month, int day);
void when_civil_from_days(int64_t days, int64_t *year, int *month, int *day);

/* RFC 3339 with any offset, years 0001 to 9999; digits beyond nanoseconds are refused.  False:
 * not such a time.  `nanos` NULL allowed. */
bool when_parse_rfc3339(struct str text, int64_t *seconds, int32_t *nanos);
bool when_parse_ms(struct str text, int64_t *at_ms);
/* All that RFC 3339 has: the year 0000, any number of digits (cut to ms), and a leap second at the end
 * of a month in UTC, which is the first second of the next one. */
bool when_parse_to_the_letter(struct str text, int64_t *at_ms);
/* Years 0001 to 9999, so that what is printed can be read again: an offset can move a time out. */
static inline bool when_is_printable(int64_t at_ms)
{
    return at_ms >= -62135596800000 && at_ms < 253402300800000;
}
void when_put_rfc3339(struct buf *out, int64_t at_ms); /* 2026-03-02T08:00:00Z, .123 if not 0 */

/* "90s", "10m", "1d12h", "2w", "0s", with "ms" too; largest unit first, each at most once.  False: not such a span
 * or more than 100 years. */
bool when_parse_span_ms(struct str text, int64_t *span_ms);
void when_put_span(struct buf *out, int64_t span_ms); /* as a person would write it: 1d12h */
void when_put_days(struct buf *out, int64_t span_ms); /* the same without weeks: 14d2h, 0d */

#endif
