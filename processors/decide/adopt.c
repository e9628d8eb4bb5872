#include "processors/decide/adopt.h"

#include "processors/decide/becomes.h"
#include "processors/decide/chain.h"
#include "processors/decide/instances.h"
#include "processors/decide/memory.h"

static bool fits(const struct moment *moment, const struct instance *in)
{
    if (in->phase == PHASE_STEPS)
        return in->step < moment->step_count &&
               (in->counted_count == 0 || moment->steps[in->step].kind == STEP_COUNT);
    return in->act < moment->act_count;
}

/* The moment may be gone: its name is known no more. */
static void retire(struct turn *turn, struct instance *in, const struct moment *moment)
{
    struct explained explained = {
        .verdict = VERDICT_ENDED, .reason = REASON_RETIRED, .about = in->about};

    explained.moment =
        moment != NULL ? moment->name : arena_format(turn->arena, "#%08x", in->moment);
    if (in->phase == PHASE_OUT) {
        explained.task = chain_task_id(turn, in);
        chain_take_back(turn, in, NULL, REASON_RETIRED);
    }
    explain_write(turn, &explained);
    instances_close(turn, in);
}

static void adopt_facts(struct turn *turn)
{
    struct state *state = turn->state;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < state->fact_count; i++) {
        int index = view_fact(turn->view, state->facts[i].id);

        if (index >= 0 && view_fact_form(&turn->set->facts[index]) == state->facts[i].form)
            state->facts[kept++] = state->facts[i];
    }
    turn->changed = turn->changed || kept != state->fact_count;
    state->fact_count = kept;
}

static void adopt_memories(struct turn *turn)
{
    struct state *state = turn->state;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < state->memory_count; i++)
        if (view_moment(turn->view, state->memories[i].moment) >= 0)
            state->memories[kept++] = state->memories[i];
    turn->changed = turn->changed || kept != state->memory_count;
    state->memory_count = kept;
}

/* A mark or window of before may turn a first step of these rules without any further record. */
static void adopt_looks(struct turn *turn)
{
    for (size_t i = 0; i < turn->view->becomes_count; i++) {
        const struct moment *moment = &turn->set->moments[turn->view->becomes[i]];
        int64_t due_ms = becomes_due_ms(turn, &moment->steps[0]);

        if (due_ms == STEP_NO_TIMER || memory_look_ms(turn->state, moment) != STEP_NO_TIMER)
            continue;
        memory_look_at(turn, moment, due_ms);
        turn->changed = true;
    }
}

void adopt_state(struct turn *turn)
{
    struct state *state = turn->state;

    if (state->adopted == turn->view->number)
        return;
    state->adopted = turn->view->number;
    adopt_facts(turn);
    adopt_memories(turn);
    adopt_looks(turn);
    for (uint32_t i = 0; i < state->instance_count; i++) {
        struct instance *in = state->instances[i];
        int index = view_moment(turn->view, in->moment);
        const struct moment *moment = index >= 0 ? &turn->set->moments[index] : NULL;

        in->moment_index = (uint16_t)(index >= 0 ? index : 0);
        if (moment == NULL || !fits(moment, in))
            retire(turn, in, moment);
        else if (in->phase != PHASE_STEPS)
            in->step = (uint8_t)moment->step_count;
    }
    instances_sweep(state);
}
