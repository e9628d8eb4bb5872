#include "processors/decide/bound.h"

#include "processors/decide/instances.h"
#include "processors/decide/memory.h"

/* So far below LIMIT_STATE_BYTES that no single turn gets from here to there. */
enum { HARD_BYTES = LIMIT_STATE_BYTES / 2 };

bool bound_is_reached(const struct state *state)
{
    return state_bytes_most(state) > LIMIT_CUSTOMER_BYTES;
}

/* --- facts --------------------------------------------------------------------------------------- */

static bool can_halve(const struct fact_state *fact)
{
    return fact->count > 1 || (fact->count == 1 && fact->cells[0].count > 1);
}

/* Keys not updated for longest stand first, and so do the oldest points. */
static uint32_t halve(struct fact_state *fact)
{
    struct fact_cell *cell = &fact->cells[0];
    uint32_t gone;

    if (fact->count > 1) {
        gone = fact->count / 2;
        fact->count -= gone;
        memmove(fact->cells, fact->cells + gone, fact->count * sizeof *fact->cells);
        return gone;
    }
    gone = cell->count / 2;
    cell->count -= gone;
    memmove(cell->points, cell->points + gone, cell->count * sizeof *cell->points);
    return gone;
}

/* The largest; of equals the first.  NULL: none. */
static struct fact_state *largest_fact(const struct state *state, bool to_halve)
{
    struct fact_state *largest = NULL;
    size_t most = 0;

    for (uint32_t i = 0; i < state->fact_count; i++) {
        size_t bytes = state_fact_bytes_most(&state->facts[i]);

        if (bytes <= most || (to_halve && !can_halve(&state->facts[i])))
            continue;
        most = bytes;
        largest = &state->facts[i];
    }
    return largest;
}

static bool forget_half_a_fact(struct turn *turn)
{
    struct fact_state *fact = largest_fact(turn->state, true);

    if (fact == NULL)
        return false;
    turn->counts->forgotten += halve(fact);
    return true;
}

static bool forget_a_fact(struct turn *turn)
{
    struct fact_state *fact = largest_fact(turn->state, false);

    if (fact == NULL)
        return false;
    STATE_REMOVE(turn->state->facts, turn->state->fact_count,
                 (uint32_t)(fact - turn->state->facts));
    turn->counts->forgotten++;
    return true;
}

/* --- memories and instances ------------------------------------------------------------------------ */

/* Half of those that may go, at least one, the oldest first. */
static bool forget_memories(struct turn *turn, bool silence_too)
{
    struct state *state = turn->state;
    uint32_t may_go = 0, gone = 0, kept = 0;

    for (uint32_t i = 0; i < state->memory_count; i++)
        may_go += silence_too || !memory_keeps_silent(turn, &state->memories[i]);
    for (uint32_t i = 0; i < state->memory_count; i++) {
        if (gone < (may_go + 1) / 2 &&
            (silence_too || !memory_keeps_silent(turn, &state->memories[i])))
            gone++;
        else
            state->memories[kept++] = state->memories[i];
    }
    state->memory_count = kept;
    turn->counts->forgotten += gone;
    return gone > 0;
}

static bool end_an_instance(struct turn *turn)
{
    struct instance *largest = NULL;
    size_t most = 0;

    for (uint32_t i = 0; i < turn->state->instance_count; i++) {
        size_t bytes = state_instance_bytes_most(turn->state->instances[i]);

        if (turn->state->instances[i]->phase == PHASE_ENDED || bytes <= most)
            continue;
        most = bytes;
        largest = turn->state->instances[i];
    }
    if (largest == NULL)
        return false;
    instances_end(turn, largest, REASON_LIMIT, NULL);
    instances_sweep(turn->state);
    return true;
}

/* --- all ------------------------------------------------------------------------------------------- */

static bool is_over(const struct turn *turn, size_t bytes)
{
    return state_bytes_most(turn->state) > bytes;
}

void bound_keep(struct turn *turn)
{
    if (!is_over(turn, LIMIT_CUSTOMER_BYTES))
        return;
    turn->changed = true;
    while (is_over(turn, LIMIT_CUSTOMER_BYTES) && forget_half_a_fact(turn))
        ;
    while (is_over(turn, LIMIT_CUSTOMER_BYTES) && forget_memories(turn, false))
        ;
    while (is_over(turn, HARD_BYTES) && end_an_instance(turn))
        ;
    while (is_over(turn, HARD_BYTES) && forget_a_fact(turn))
        ;
    while (is_over(turn, HARD_BYTES) && forget_memories(turn, true))
        ;
}
