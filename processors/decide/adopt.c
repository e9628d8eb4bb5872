#include "processors/decide/adopt.h"

#include "core/check.h"
#include "processors/decide/becomes.h"
#include "processors/decide/chain.h"
#include "processors/decide/instances.h"
#include "processors/decide/memory.h"
#include "processors/decide/steps.h"

/* --- what becomes of an instance --------------------------------------------------------------------- */

static const struct {
    bool ends;
    const char *word, *text;
} fates[FATE_COUNT] = {
    [FATE_SAME] = {false, "same", "the steps are the same"},
    [FATE_UP_TO_HERE] = {false, "same_up_to_here", "the steps up to there are the same"},
    [FATE_KEPT] = {false, "keep", "on_change: keep"},
    [FATE_RESTARTED] = {false, "restart", "on_change: restart"},
    [FATE_AFTER_TASK] = {false, "after_task", "a task was sent, nothing begins again"},
    [FATE_DROPPED] = {true, "drop", "on_change: drop"},
    [FATE_STEPS_DIFFER] = {true, "steps_differ", "the steps up to there are others now"},
    [FATE_NO_PLACE] = {true, "no_place", "the step or action where it stands is gone"},
    [FATE_NO_OPENING] = {true, "no_opening",
                         "another event opens it now, so it cannot begin again"},
    [FATE_RETIRED] = {true, "retired", "the moment is gone"},
};

bool fate_ends(enum fate fate)
{
    return fates[fate].ends;
}

const char *fate_word(enum fate fate)
{
    return fates[fate].word;
}

const char *fate_text(enum fate fate)
{
    return fates[fate].text;
}

/* Is there such a place?  The first step is one only where something is counted or watched for. */
static bool has_place(const struct moment *moment, const struct instance *in)
{
    if (in->phase != PHASE_STEPS)
        return in->act < moment->act_count;
    if (in->step == 0)
        return moment->steps[0].kind == (in->counted_count != 0 ? STEP_COUNT : STEP_EVERY);
    return in->step < moment->step_count;
}

static enum fate if_has_place(const struct moment *moment, const struct instance *in,
                              enum fate fate)
{
    return has_place(moment, in) ? fate : FATE_NO_PLACE;
}

/* Only who waits for a later step, or for a first task, begins again: nobody gets anything twice. */
static enum fate restart_fate(const struct moment *moment, const struct instance *in)
{
    if (in->phase != PHASE_STEPS && (in->phase == PHASE_OUT || in->task_ms != 0))
        return if_has_place(moment, in, FATE_AFTER_TASK);
    if (in->went.first != moment->steps[0].upto || moment->step_count == 1)
        return FATE_NO_OPENING;
    return in->phase == PHASE_STEPS && in->step == 0 ? FATE_UP_TO_HERE : FATE_RESTARTED;
}

static bool same_up_to_here(const struct moment *moment, const struct instance *in)
{
    size_t last = moment->step_count - 1;
    size_t here = in->phase == PHASE_STEPS ? in->step : last;

    return here <= last && in->went.here == moment->steps[here].upto;
}

enum fate adopt_fate(const struct moment *moment, const struct instance *in)
{
    if (moment == NULL)
        return FATE_RETIRED;
    if (in->went.all == moment->steps[moment->step_count - 1].upto)
        return if_has_place(moment, in, FATE_SAME);
    switch (moment->on_change) {
    case ON_CHANGE_AUTO:
        return same_up_to_here(moment, in) ? if_has_place(moment, in, FATE_UP_TO_HERE)
                                           : FATE_STEPS_DIFFER;
    case ON_CHANGE_KEEP: return if_has_place(moment, in, FATE_KEPT);
    case ON_CHANGE_RESTART: return restart_fate(moment, in);
    case ON_CHANGE_DROP: return FATE_DROPPED;
    }
    CHECK_NEVER("a change of no kind");
}

bool adopt_visits(const struct ruleset *before, const struct ruleset *after)
{
    for (size_t i = 0; before != NULL && i < before->moment_count; i++) {
        const struct moment *old = &before->moments[i], *now;
        int index = ruleset_find_moment(after, old->name);

        if (index < 0)
            return true;
        now = &after->moments[index];
        if (old->steps[old->step_count - 1].upto != now->steps[now->step_count - 1].upto ||
            old->act_count > now->act_count)
            return true;
    }
    return false;
}

/* --- it happens ----------------------------------------------------------------------------------- */

/* The moment may be gone: its name is known no more. */
static void end(struct turn *turn, struct instance *in, const struct moment *moment, enum fate fate)
{
    enum reason reason = moment == NULL ? REASON_RETIRED : REASON_CHANGED;
    struct trail trail = {.count = 0};
    struct explained explained = {
        .verdict = VERDICT_ENDED, .reason = reason, .about = in->about, .trail = &trail};

    explained.moment =
        moment != NULL ? moment->name : arena_format(turn->arena, "#%08x", in->moment);
    trail_add(&trail, turn->arena, STAGE_PATTERN, false, "other rules are in force: %s",
              fate_text(fate));
    if (in->phase == PHASE_OUT) {
        explained.task = chain_task_id(turn, in);
        chain_take_back(turn, in, NULL, reason);
    }
    explain_write(turn, &explained);
    instances_close(turn, in);
}

static void go_on(struct turn *turn, struct instance *in, const struct moment *moment,
                  enum fate fate)
{
    struct went went = in->went;

    if (in->phase != PHASE_STEPS)
        in->step = (uint8_t)moment->step_count;
    if (fate == FATE_RESTARTED)
        steps_restart(turn, in);
    else if (fate == FATE_KEPT && in->phase == PHASE_STEPS)
        steps_resume(turn, in);
    if (in->phase != PHASE_ENDED)
        steps_stamp(turn, in);
    turn->changed = turn->changed || memcmp(&went, &in->went, sizeof went) != 0;
}

static void adopt_instance(struct turn *turn, struct instance *in)
{
    int index = view_moment(turn->view, in->moment);
    const struct moment *moment = index >= 0 ? &turn->set->moments[index] : NULL;
    enum fate fate = adopt_fate(moment, in);

    in->moment_index = (uint16_t)(index >= 0 ? index : 0);
    if (fate_ends(fate))
        end(turn, in, moment, fate);
    else
        go_on(turn, in, moment, fate);
}

/* --- facts and memories ---------------------------------------------------------------------------- */

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
    for (uint32_t i = 0; i < state->instance_count; i++)
        adopt_instance(turn, state->instances[i]);
    instances_sweep(state);
}
