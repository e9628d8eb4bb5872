/* tests/chaos/hashed.h - things by a 64-bit hash of their name: open addressing, nothing is removed. */
#ifndef TESTS_CHAOS_HASHED_H
#define TESTS_CHAOS_HASHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hashed {
    size_t item_bytes, count, capacity;
    uint64_t *hashes; /* 0: free */
    char *items;
};

struct hashed hashed_of(size_t item_bytes);
void hashed_free(struct hashed *items); /* the contents */

/* The item of a hash, zeroed if it is *fresh (NULL allowed); valid until the next fresh one. */
void *hashed_at(struct hashed *items, uint64_t hash, bool *fresh);
void *hashed_slot(const struct hashed *items, size_t at); /* at < capacity; NULL: it is free */

#endif
