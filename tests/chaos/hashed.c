#include "tests/chaos/hashed.h"

#include <string.h>

#include "core/mem.h"

enum { CAPACITY_MIN = 1024 };

struct hashed hashed_of(size_t item_bytes)
{
    return (struct hashed){.item_bytes = item_bytes,
                           .capacity = CAPACITY_MIN,
                           .hashes = mem_alloc(CAPACITY_MIN * sizeof(uint64_t)),
                           .items = mem_alloc(CAPACITY_MIN * item_bytes)};
}

void hashed_free(struct hashed *t)
{
    mem_free(t->hashes);
    mem_free(t->items);
}

static size_t find(const struct hashed *t, uint64_t hash)
{
    size_t at = (size_t)hash & (t->capacity - 1);

    while (t->hashes[at] != 0 && t->hashes[at] != hash)
        at = (at + 1) & (t->capacity - 1);
    return at;
}

static void grow(struct hashed *t)
{
    struct hashed old = *t;

    t->capacity = 2 * old.capacity;
    t->hashes = mem_alloc(t->capacity * sizeof *t->hashes);
    t->items = mem_alloc(t->capacity * t->item_bytes);
    for (size_t i = 0; i < old.capacity; i++) {
        size_t at = find(t, old.hashes[i]);

        if (old.hashes[i] == 0)
            continue;
        t->hashes[at] = old.hashes[i];
        memcpy(t->items + at * t->item_bytes, old.items + i * t->item_bytes, t->item_bytes);
    }
    hashed_free(&old);
}

void *hashed_at(struct hashed *t, uint64_t hash, bool *fresh)
{
    size_t at;

    hash = hash != 0 ? hash : 1;
    if (2 * (t->count + 1) > t->capacity)
        grow(t);
    at = find(t, hash);
    if (fresh != NULL)
        *fresh = t->hashes[at] == 0;
    t->count += t->hashes[at] == 0;
    t->hashes[at] = hash;
    return t->items + at * t->item_bytes;
}

void *hashed_slot(const struct hashed *t, size_t at)
{
    return t->hashes[at] != 0 ? t->items + at * t->item_bytes : NULL;
}
