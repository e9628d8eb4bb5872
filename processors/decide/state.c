#include "processors/decide/state.h"

#include "core/hash.h"

uint32_t name_id(struct str name)
{
    return (uint32_t)hash_bytes(name, 0);
}

struct state *state_new(struct str customer, struct arena *arena)
{
    struct state *state = ARENA_NEW(arena, struct state);

    state->customer = arena_str(arena, customer);
    return state;
}

void *state_grow(struct arena *arena, const void *items, size_t item_bytes, uint32_t *capacity)
{
    uint32_t old = *capacity;
    void *grown;

    *capacity = old == 0 ? 4 : 2 * old;
    grown = arena_alloc(arena, arena_array_bytes(*capacity, item_bytes));
    if (old != 0)
        memcpy(grown, items, old * item_bytes);
    return grown;
}

/* 48 bits tell one event of 32 from any other with a chance of error of 1 in 10^13. */
bool state_saw(struct state *state, struct str source, struct str id)
{
    uint64_t mark = hash_bytes(id, hash_bytes(source, 0)) >> 16;

    for (uint32_t i = state->recent_count; i-- > 0;)
        if (state->recent[i] == mark)
            return true;
    if (state->recent_count == LIMIT_RECENT_IDS)
        STATE_REMOVE(state->recent, state->recent_count, 0);
    state->recent[state->recent_count++] = mark;
    return false;
}
