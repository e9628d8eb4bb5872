#include "rules/moment/interlock_gap.h"

#include <math.h>

#include "rules/moment/inspect.h"

static bool pass(struct sight *sight, const struct cel_program *gate, struct knowledge *known)
{
    const struct cel_tree *tree = gate != NULL ? cel_program_tree(gate) : NULL;

    return tree == NULL || foresee_assume(&sight->foresight, tree, true, known);
}

/* A value that it can have, as one writes it; false: anything, which says nothing. */
static bool put_value(struct buf *out, const struct possible *p)
{
    struct possible one = possible_between(0, 0, p->whole);

    if (possible_none(p))
        return false;
    if (p->kind == POSSIBLE_ONE_OF) {
        one = possible_one_of(p->items, 1);
        return possible_print(out, &one);
    }
    if (p->kind != POSSIBLE_BETWEEN)
        return false;
    if (isfinite(p->low) && !p->low_out)
        buf_put_format(out, "%.15g", p->low);
    else if (isfinite(p->high) && !p->high_out)
        buf_put_format(out, "%.15g", p->high);
    else if (isfinite(p->low) && isfinite(p->high))
        buf_put_format(out, "%.15g", p->low + (p->high - p->low) / 2);
    else if (isfinite(p->low))
        buf_put_format(out, "%.15g", p->low + 1);
    else if (isfinite(p->high))
        buf_put_format(out, "%.15g", p->high - 1);
    return isfinite(p->low) || isfinite(p->high);
}

static void put_state(struct buf *out, const struct ruleset *set, const struct knowledge *known)
{
    bool any = false;

    for (size_t i = 0; i < known->count; i++) {
        uint32_t slot = known->items[i].slot;
        struct buf value = {0};
        if (slot_kind(slot) == SLOT_FACT && put_value(&value, &known->items[i].possible)) {
            buf_put_format(out, "%scustomer.%.*s = %s", any ? ", " : "",
                           STR_ARG(set->facts[slot_a(slot)].name), buf_text(&value));
            any = true;
        }
        buf_free(&value);
    }
}

bool interlock_gap(const struct ruleset *set, const struct moment *moment,
                   const struct interlock *lock, struct buf *state)
{
    struct inspector in = {.set = set, .arena = arena_new(0), .facts_known = true};
    struct knowledge known = {0};
    struct sight sight;
    bool gap;

    sight_facts(&in);
    sight_open(&sight, &in, moment, NULL, 0);
    gap = (lock->tiers & 1u << moment->tier) == 0 && pass(&sight, lock->condition, &known) &&
          pass(&sight, moment->eligible, &known) && pass(&sight, moment->relevant, &known) &&
          pass(&sight, moment->suitable, &known);
    if (gap)
        put_state(state, set, &known);
    arena_free(in.arena);
    return gap;
}
