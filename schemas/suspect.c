#include "schemas/suspect.h"

#include <inttypes.h>

#include "core/limit.h"
#include "schemas/spot.h"

#define TIMER STR("timer ")
#define AMONG STR("among ")

void suspect_put(struct buf *out, const struct suspect *s)
{
    if (s->from < 0)
        return;
    if (s->among)
        buf_put(out, AMONG);
    else if (s->timer.len != 0)
        buf_put(out, TIMER);
    buf_put_format(out, "%" PRId64 " %" PRId64 " %" PRId64, s->from, s->to, s->deaths);
    if (s->among || s->timer.len == 0)
        return;
    buf_put_format(out, " %" PRId64 " ", s->due_ms);
    buf_put(out, s->timer);
}

static bool read_timer(struct str text, struct suspect *out)
{
    struct str due;

    return str_cut(text, ' ', &due, &out->timer) && spot_read_time(due, &out->due_ms) &&
           out->timer.len != 0;
}

bool suspect_read(struct str text, struct suspect *out)
{
    bool timer = str_starts(text, TIMER);
    struct str from, to, deaths, rest;

    *out = SUSPECT_NOBODY;
    out->among = str_starts(text, AMONG);
    if (timer || out->among)
        text = str_slice(text, (timer ? TIMER : AMONG).len, text.len);
    if (!str_cut(text, ' ', &from, &text) || !str_cut(text, ' ', &to, &deaths))
        return false;
    if (timer && (!str_cut(deaths, ' ', &deaths, &rest) || !read_timer(rest, out)))
        return false;
    return spot_read_number(from, INT64_MAX - 1, &out->from) &&
           spot_read_number(to, INT64_MAX, &out->to) &&
           spot_read_number(deaths, INT32_MAX, &out->deaths) && out->to > out->from;
}

bool suspect_is_one(const struct suspect *s)
{
    return s->timer.len != 0 || s->to == s->from + 1;
}

bool suspect_died(struct suspect *s, int64_t next)
{
    if ((s->among ? s->to - 1 : s->from) < next)
        return false;
    s->deaths += !s->among;
    return true;
}

bool suspect_is_poison(const struct suspect *s)
{
    return suspect_is_one(s) && s->deaths >= LIMIT_POISON_DEATHS;
}
