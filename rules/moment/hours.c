#include "rules/moment/hours.h"

#include "core/check.h"

static bool read_hour(struct str s, unsigned *hour)
{
    struct str minutes = STR("00");

    str_cut(s, ':', &s, &minutes);
    if (s.len == 0 || s.len > 2 || !str_is(minutes, "00"))
        return false;
    *hour = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9')
            return false;
        *hour = *hour * 10 + (unsigned)(s.data[i] - '0');
    }
    return *hour <= 24;
}

bool hours_span(struct str s, unsigned *from, unsigned *to)
{
    struct str first, last;

    if (!str_cut(s, '-', &first, &last) || !read_hour(str_trim(first), from) ||
        !read_hour(str_trim(last), to) || *from == 24 || *from == *to)
        return false;
    *to += *to < *from ? 24 : 0;
    return true;
}

static bool read_day(struct str s, unsigned *day)
{
    static const char *const days[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

    for (*day = 0; *day < 7; ++*day)
        if (str_is(s, days[*day]))
            return true;
    return false;
}

bool hours_days(struct str s, unsigned *first, unsigned *last)
{
    struct str head, tail;

    if (str_is(s, "daily")) {
        *first = 0;
        *last = 6;
        return true;
    }
    if (!str_cut(s, '-', &head, &tail))
        head = tail = s;
    if (!read_day(str_trim(head), first) || !read_day(str_trim(tail), last))
        return false;
    *last += *last < *first ? 7 : 0;
    return true;
}

void hours_set(uint32_t hours[7], struct str days, struct str span)
{
    unsigned first, last, from, to;

    CHECK(hours_days(days, &first, &last) && hours_span(span, &from, &to));
    for (unsigned day = first; day <= last; day++)
        for (unsigned hour = from; hour < to; hour++)
            hours[(day + hour / 24) % 7] |= 1u << hour % 24;
}

static bool read_part(struct str part, uint32_t hours[7])
{
    struct str days = STR("daily"), span = part, head, tail;
    unsigned a, b;

    if (str_cut(part, ' ', &head, &tail)) {
        days = head;
        span = str_trim(tail);
    }
    if (!hours_days(days, &a, &b) || !hours_span(span, &a, &b))
        return false;
    hours_set(hours, days, span);
    return true;
}

bool hours_read(struct str text, uint32_t hours[7])
{
    uint32_t read[7] = {0};
    struct str part, rest = text;

    for (bool more = true; more;) {
        more = str_cut(rest, ',', &part, &rest);
        if (!read_part(str_trim(more ? part : rest), read))
            return false;
    }
    memcpy(hours, read, sizeof read);
    return true;
}
