/* Open addressing: the table has at least twice as many places as items, so a place that is free
 * is soon met and ends a search. */
#include "rules/cel/set.h"

#include "core/hash.h"

enum { ITEMS_MIN = 9 }; /* fewer are compared one by one, which is as fast */

static inline uint64_t place(struct value v)
{
    return v.kind == VALUE_STRING ? hash_bytes(value_str(v), 0)
                                  : v.u * UINT64_C(0x9e3779b97f4a7c15) >> 32;
}

static inline bool same(struct value a, struct value b)
{
    return a.kind == VALUE_STRING ? str_equal(value_str(a), value_str(b)) : a.i == b.i;
}

bool cel_set_fits(struct value list)
{
    if (list.kind != VALUE_LIST || list.n < ITEMS_MIN)
        return false;
    for (size_t i = 0; i < list.n; i++)
        if (list.list[i].kind != list.list[0].kind)
            return false;
    return list.list[0].kind == VALUE_STRING || list.list[0].kind == VALUE_INT;
}

struct cel_set cel_set_make(struct arena *arena, struct value list)
{
    struct cel_set set = {.list = value_copy(arena, list), .mask = 1};
    uint32_t *table;

    while (set.mask < 2 * list.n)
        set.mask = 2 * set.mask + 1;
    table = ARENA_ARRAY(arena, uint32_t, (size_t)set.mask + 1);
    for (uint32_t i = 0; i < list.n; i++) {
        uint64_t at = place(list.list[i]);
        while (table[at & set.mask] != 0)
            at++;
        table[at & set.mask] = i + 1;
    }
    set.table = table;
    return set;
}

const struct cel_set *cel_set_find(const struct cel_set *sets, size_t count, struct value list)
{
    for (size_t i = 0; i < count; i++)
        if (value_same(sets[i].list, list))
            return &sets[i];
    return NULL;
}

bool cel_set_has(const struct cel_set *set, struct value v)
{
    const struct value *items = set->list.list;

    for (uint64_t at = place(v);; at++) {
        uint32_t number = set->table[at & set->mask];
        if (number == 0)
            return false;
        if (same(items[number - 1], v))
            return true;
    }
}
