#include "processors/decide/timers.h"

#include "core/check.h"
#include "processors/decide/chain.h"
#include "processors/decide/funnel.h"
#include "processors/decide/instances.h"

int64_t timers_next(const struct state *state)
{
    int64_t next = STEP_NO_TIMER;

    for (uint32_t i = 0; i < state->instance_count; i++)
        if (state->instances[i]->due_ms < next)
            next = state->instances[i]->due_ms;
    return next;
}

static void fire(struct turn *turn, struct instance *in)
{
    switch ((enum phase)in->phase) {
    case PHASE_STEPS: instances_time_out(turn, in); return;
    case PHASE_HOLD: funnel_time_out(turn, in); return;
    case PHASE_OUT: chain_time_out(turn, in); return;
    case PHASE_ASKING:
    case PHASE_ENDED: return; /* by a timer before it */
    }
    CHECK_NEVER("an instance in no phase");
}

/* Which are due is settled first: a timer that another one sets is not of this round. */
void timers_fire(struct turn *turn, int64_t due_ms)
{
    struct state *state = turn->state;
    struct instance **due = ARENA_ARRAY(turn->arena, struct instance *, state->instance_count);
    uint32_t count = 0;

    for (uint32_t i = 0; i < state->instance_count; i++)
        if (state->instances[i]->due_ms <= due_ms)
            due[count++] = state->instances[i];
    for (uint32_t i = 0; i < count; i++)
        if (due[i]->due_ms <= due_ms)
            fire(turn, due[i]);
}
