/* Asked at two places: when a candidate asks (also when a hold is released, because the whole funnel
 * runs again), and at the beginning of each turn of the funnel for what is on hold or out.  So
 * whatever leaves the funnel was asked in the same turn, after the facts of that turn.
 */
#include "processors/decide/interlocks.h"

#include "processors/decide/explain.h"
#include "processors/decide/instances.h"
#include "processors/decide/needed.h"
#include "processors/decide/scope.h"

bool interlocks_stop(struct turn *turn, const struct instance *in, struct trail *trail)
{
    const struct policy *policy = &turn->set->policy;
    uint32_t tier = 1u << instance_moment(turn, in)->tier;
    struct scope scope = {.turn = turn, .instance = in, .kept = true};
    struct buf heeded = {0};

    for (size_t i = 0; i < policy->interlock_count; i++) {
        const struct interlock *lock = &policy->interlocks[i];
        enum truth truth;
        struct str words;

        if ((lock->tiers & tier) == 0)
            continue;
        buf_put_format(&heeded, "%s%.*s", heeded.len != 0 ? ", " : "", STR_ARG(lock->name));
        truth = scope_ask(&scope, in->moment_index, lock->condition);
        if (truth == TRUTH_NO)
            continue;
        words = explain_reads(&scope, lock->condition, true);
        trail_add(trail, turn->arena, STAGE_INTERLOCK, false, "%.*s%s%.*s", STR_ARG(lock->name),
                  truth == TRUTH_FAILED ? " could not be evaluated: " : ": ", STR_ARG(words));
        trail->needed = needed_of(&scope, lock->condition, false);
        buf_free(&heeded);
        return true;
    }
    if (heeded.len != 0)
        trail_add(trail, turn->arena, STAGE_INTERLOCK, true, "none holds: %s", buf_text(&heeded));
    buf_free(&heeded);
    return false;
}

void interlocks_sweep(struct turn *turn)
{
    if (turn->set->policy.interlock_count == 0)
        return;
    for (uint32_t i = 0; i < turn->state->instance_count; i++) {
        struct instance *in = turn->state->instances[i];
        struct trail *trail;

        if (in->phase != PHASE_HOLD && in->phase != PHASE_OUT)
            continue;
        trail = ARENA_NEW(turn->arena, struct trail);
        if (interlocks_stop(turn, in, trail))
            instances_end(turn, in, REASON_INTERLOCK, trail);
    }
}
