#include "schemas/suspect.h"

#include <inttypes.h>

#include "schemas/spot.h"

#define TIMERS "timers"

void suspect_put(struct buf *out, const struct suspect *s)
{
    if (s->from < 0)
        buf_put_text(out, TIMERS);
    else
        buf_put_format(out, "%" PRId64 " %" PRId64 " %" PRId64, s->from, s->to, s->deaths);
}

bool suspect_read(struct str text, struct suspect *out)
{
    struct str from, to, deaths;

    *out = (struct suspect){-1, -1, 0};
    if (str_is(text, TIMERS))
        return true;
    return str_cut(text, ' ', &from, &text) && str_cut(text, ' ', &to, &deaths) &&
           spot_read_number(from, INT64_MAX - 1, &out->from) &&
           spot_read_number(to, INT64_MAX, &out->to) &&
           spot_read_number(deaths, INT32_MAX, &out->deaths) && out->to > out->from;
}

bool suspect_is_alive(const struct suspect *s, int64_t next, int64_t *deaths)
{
    *deaths = s->from >= 0 && s->to == s->from + 1 ? s->deaths + 1 : 0;
    return s->from >= next;
}
