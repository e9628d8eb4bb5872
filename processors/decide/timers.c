#include "processors/decide/timers.h"

#include <stdlib.h>

#include "core/check.h"
#include "processors/decide/chain.h"
#include "processors/decide/funnel.h"
#include "processors/decide/instances.h"
#include "processors/decide/steps.h"
#include "processors/decide/waiting.h"

/* By the partition's time. */
static int64_t timer_of(const struct instance *in)
{
    return in->waits != 0 ? in->notice_ms : in->due_ms;
}

/* By that, or by the time of the lane in which it waits. */
static bool is_due(const struct turn *turn, const struct instance *in, int64_t due_ms)
{
    return timer_of(in) <= due_ms ||
           (in->waits != 0 && in->due_ms <= due_ms && waiting_is_over(turn, in));
}

int64_t timers_next(const struct state *state)
{
    int64_t next = STEP_NO_TIMER;

    for (uint32_t i = 0; i < state->instance_count; i++)
        if (timer_of(state->instances[i]) < next)
            next = timer_of(state->instances[i]);
    for (uint32_t i = 0; i < state->memory_count; i++)
        if (state->memories[i].due_ms < next)
            next = state->memories[i].due_ms;
    return next;
}

static void fire(struct turn *turn, struct instance *in)
{
    if (in->waits != 0 && !waiting_is_over(turn, in)) {
        waiting_notice(turn, in);
        return;
    }
    switch ((enum phase)in->phase) {
    case PHASE_STEPS: steps_time_out(turn, in); return;
    case PHASE_HOLD: funnel_time_out(turn, in); return;
    case PHASE_OUT: chain_time_out(turn, in); return;
    case PHASE_ASKING:
    case PHASE_ENDED: return; /* by a timer before it */
    }
    CHECK_NEVER("an instance in no phase");
}

static int compare_indexes(const void *a, const void *b)
{
    uint16_t x = *(const uint16_t *)a, y = *(const uint16_t *)b;

    return x < y ? -1 : x > y;
}

/* Moments whose first step time may turn now, in order. */
static uint16_t *looks_due(const struct turn *turn, int64_t due_ms, uint32_t *count)
{
    const struct state *state = turn->state;
    uint16_t *looks = ARENA_ARRAY(turn->arena, uint16_t, state->memory_count);

    *count = 0;
    for (uint32_t i = 0; i < state->memory_count; i++)
        if (state->memories[i].due_ms <= due_ms)
            looks[(*count)++] = (uint16_t)view_moment(turn->view, state->memories[i].moment);
    if (*count > 1)
        qsort(looks, *count, sizeof *looks, compare_indexes);
    return looks;
}

/* Which are due is settled first: a timer that another one sets is not of this round.  Of one moment
 * the instances come before its first step, as with a record. */
void timers_fire(struct turn *turn, int64_t due_ms)
{
    struct state *state = turn->state;
    struct instance **due = ARENA_ARRAY(turn->arena, struct instance *, state->instance_count);
    uint32_t count = 0, look = 0, look_count;
    const uint16_t *looks = looks_due(turn, due_ms, &look_count);

    for (uint32_t i = 0; i < state->instance_count; i++)
        if (is_due(turn, state->instances[i], due_ms))
            due[count++] = state->instances[i];
    for (uint32_t i = 0; i < count; i++) {
        for (; look < look_count && looks[look] < due[i]->moment_index; look++)
            instances_look(turn, looks[look], due_ms);
        if (is_due(turn, due[i], due_ms))
            fire(turn, due[i]);
    }
    for (; look < look_count; look++)
        instances_look(turn, looks[look], due_ms);
}
