/* Capacity of what grows follows from its count, so a list or map needs no field for it: 8, then the
 * next power of two. */
#include "rules/cel/vm.h"

static bool grows_at(size_t count)
{
    return count == 0 || (count >= 8 && (count & (count - 1)) == 0);
}

void cel_list_add(struct cel_run *run, struct value *list, struct value v)
{
    struct value *items = (struct value *)(uintptr_t)list->list;

    if (list->kind == VALUE_ERROR)
        return;
    if (v.kind == VALUE_ERROR) {
        *list = v;
        return;
    }
    if (grows_at(list->n)) {
        size_t capacity = list->n == 0 ? 8 : 2 * (size_t)list->n;
        if (!cel_charge(run, list->n))
            return;
        items = arena_alloc_raw(run->arena, arena_array_bytes(capacity, sizeof *items));
        if (list->n != 0)
            memcpy(items, list->list, list->n * sizeof *items);
        list->list = items;
    }
    items[list->n++] = v;
}

static bool is_key(struct value key)
{
    return key.kind == VALUE_STRING || key.kind == VALUE_INT || key.kind == VALUE_UINT ||
           key.kind == VALUE_BOOL;
}

void cel_map_add(struct cel_run *run, struct value *map, struct value key, struct value v)
{
    struct value_entry *entries = (struct value_entry *)(uintptr_t)map->map;

    if (map->kind == VALUE_ERROR)
        return;
    if (key.kind == VALUE_ERROR || v.kind == VALUE_ERROR || !is_key(key)) {
        *map = key.kind == VALUE_ERROR ? key
               : v.kind == VALUE_ERROR ? v
                                       : cel_error("unsupported key type");
        return;
    }
    if (grows_at(map->n)) {
        size_t capacity = map->n == 0 ? 8 : 2 * (size_t)map->n;
        if (!cel_charge(run, map->n))
            return;
        entries = arena_alloc_raw(run->arena, arena_array_bytes(capacity, sizeof *entries));
        if (map->n != 0)
            memcpy(entries, map->map, map->n * sizeof *entries);
        map->map = entries;
    }
    entries[map->n++] = (struct value_entry){key, v};
}

void cel_map_end(struct cel_run *run, struct value *map)
{
    if (map->kind == VALUE_ERROR)
        return;
    if (!cel_charge(run, map->n))
        return;
    if (!value_map_index(run->arena, map)) {
        *map = cel_error("Failed with repeated key");
        return;
    }
    for (size_t i = 0; i < map->n; i++)
        if (map->map[i].key.kind == VALUE_UINT && map->map[i].key.u <= INT64_MAX &&
            value_map_find(*map, value_int((int64_t)map->map[i].key.u)) != NULL) {
            *map = cel_error("Failed with repeated key");
            return;
        }
}

struct value cel_entry_value(struct cel_run *run, struct value v, bool *there)
{
    *there = v.kind != VALUE_OPTIONAL || v.boxed != NULL;
    if (v.kind == VALUE_OPTIONAL)
        return v.boxed != NULL ? *v.boxed : VALUE_NONE;
    return v.kind == VALUE_ERROR ? v : cel_no_overload(run, "?entry", &v, 1);
}
