/* Open addressing, linear probing, at most two thirds full.  The hash stands in the slot, so a
 * search touches a node only when it is the right one.  Removal moves the followers of a run
 * back, so there are no tombstones.
 */
#include "processors/worker/table.h"

#include "core/check.h"
#include "core/hash.h"
#include "core/mem.h"

uint64_t table_hash(struct str key)
{
    return hash_bytes(key, 0);
}

void table_prefetch(const struct table *table, uint64_t hash)
{
    if (table->capacity > 0)
        __builtin_prefetch(&table->slots[hash & (table->capacity - 1)]);
}

struct table_node *table_find(const struct table *table, uint64_t hash, struct str key)
{
    size_t mask = table->capacity - 1;

    if (table->capacity == 0)
        return NULL;
    for (size_t i = hash & mask; table->slots[i].node != NULL; i = (i + 1) & mask)
        if (table->slots[i].hash == hash && str_equal(table->slots[i].node->key, key))
            return table->slots[i].node;
    return NULL;
}

static void place(struct table *table, struct table_slot slot)
{
    size_t mask = table->capacity - 1, i = slot.hash & mask;

    while (table->slots[i].node != NULL)
        i = (i + 1) & mask;
    table->slots[i] = slot;
}

static void grow(struct table *table)
{
    struct table old = *table;

    table->capacity = old.capacity > 0 ? 2 * old.capacity : 64;
    table->slots = mem_alloc(table->capacity * sizeof *table->slots);
    for (size_t i = 0; i < old.capacity; i++)
        if (old.slots[i].node != NULL)
            place(table, old.slots[i]);
    mem_free(old.slots);
}

void table_add(struct table *table, struct table_node *node)
{
    if (3 * (table->count + 1) > 2 * table->capacity)
        grow(table);
    place(table, (struct table_slot){node->hash, node});
    table->count++;
}

void table_remove(struct table *table, struct table_node *node)
{
    size_t mask = table->capacity - 1, hole = node->hash & mask;

    while (table->slots[hole].node != node) {
        CHECK(table->slots[hole].node != NULL);
        hole = (hole + 1) & mask;
    }
    for (size_t i = (hole + 1) & mask; table->slots[i].node != NULL; i = (i + 1) & mask) {
        size_t home = table->slots[i].hash & mask;

        /* may it stand in the hole: is its home not behind the hole on the way to i? */
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            table->slots[hole] = table->slots[i];
            hole = i;
        }
    }
    table->slots[hole].node = NULL;
    table->count--;
}

void table_free(struct table *table)
{
    mem_free(table->slots);
    *table = (struct table){0};
}
