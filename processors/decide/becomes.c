#include "processors/decide/becomes.h"

#include "processors/decide/facts.h"
#include "processors/decide/scope.h"

/* An absent fact is what many conditions wait for, so an error is none that is counted. */
static bool is_true(struct turn *turn, const struct instance *in, const struct moment_step *step,
                    bool before)
{
    struct scope scope = {.turn = turn, .instance = in, .before = before};
    struct cel_input input = scope_input(&scope);
    struct value v;

    if (step->condition == NULL)
        return false;
    v = cel_eval(step->condition, &input, turn->arena);
    return v.kind == VALUE_BOOL && v.boolean;
}

static bool was_true(struct turn *turn, const struct instance *in, const struct moment_step *step)
{
    struct turn earlier = *turn;

    if (turn->event != NULL)
        return is_true(turn, in, step, true);
    earlier.now_ms--;
    return is_true(&earlier, in, step, false);
}

bool becomes_turned(struct turn *turn, const struct instance *in, const struct moment_step *step)
{
    return is_true(turn, in, step, false) && !was_true(turn, in, step);
}

int64_t becomes_due_ms(const struct turn *turn, const struct moment_step *step)
{
    size_t count = 0;
    const uint32_t *slots =
        step->condition != NULL ? cel_program_slots(step->condition, &count) : NULL;
    int64_t next_ms = STEP_NO_TIMER;

    for (size_t i = 0; i < count; i++) {
        int64_t at_ms = slot_kind(slots[i]) == SLOT_FACT ? facts_run_out_ms(turn, slot_a(slots[i]))
                                                         : STEP_NO_TIMER;

        if (at_ms < next_ms)
            next_ms = at_ms;
    }
    return next_ms;
}
