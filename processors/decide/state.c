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
