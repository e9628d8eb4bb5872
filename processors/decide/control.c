#include "processors/decide/control.h"

#include <inttypes.h>

#include "core/hash.h"
#include "core/when.h"
#include "processors/decide/explain.h"
#include "processors/decide/instances.h"

enum { HUNDRED_PERCENT = 100 };

static struct str month_of(int64_t at_ms, struct arena *arena)
{
    int64_t days = at_ms / WHEN_DAY_MS - (at_ms % WHEN_DAY_MS < 0), year;
    int month, day;

    when_civil_from_days(days, &year, &month, &day);
    return arena_format(arena, "%04" PRId64 "-%02d", year, month);
}

bool control_drawn(const struct control *control, struct str customer, int64_t at_ms,
                   struct arena *arena)
{
    /* names have no blanks, so no two groups and customers make the same text */
    struct str text = arena_format(arena, "%.*s %.*s %.*s", STR_ARG(control->name),
                                   STR_ARG(month_of(at_ms, arena)), STR_ARG(customer));

    return hash_bytes(text, 0) % HUNDRED_PERCENT < control->percent;
}

static bool is_in(const struct turn *turn, const struct control *control, const struct instance *in)
{
    switch (turn->control) {
    case DECIDE_CONTROL_NOBODY: return false;
    case DECIDE_CONTROL_EVERYBODY: return true;
    case DECIDE_CONTROL_DRAWN: break;
    }
    return control_drawn(control, turn->state->customer, in->step_ms, turn->arena);
}

bool control_holds(struct turn *turn, const struct instance *in, struct trail *trail)
{
    const struct policy *policy = &turn->set->policy;
    uint32_t tier = 1u << instance_moment(turn, in)->tier;
    struct buf asked = {0};

    for (size_t i = 0; i < policy->control_count; i++) {
        const struct control *control = &policy->controls[i];

        if ((control->tiers & tier) == 0)
            continue;
        buf_put_format(&asked, "%s%.*s", asked.len != 0 ? ", " : "", STR_ARG(control->name));
        if (!is_in(turn, control, in))
            continue;
        trail_add(trail, turn->arena, STAGE_CONTROL, false, "%.*s: one of %u in a hundred, in %.*s",
                  STR_ARG(control->name), control->percent,
                  STR_ARG(month_of(in->step_ms, turn->arena)));
        trail_need(trail, turn->arena,
                   "if the customer were not in the control group %.*s, drawn anew each month",
                   STR_ARG(control->name));
        buf_free(&asked);
        return true;
    }
    if (asked.len != 0)
        trail_add(trail, turn->arena, STAGE_CONTROL, true, "not in %s", buf_text(&asked));
    buf_free(&asked);
    return false;
}
