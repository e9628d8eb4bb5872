/* processors/worker/table.h - a hash table of things that carry their own key.
 *
 * The thing embeds a struct table_node as its first member; the table borrows it and never copies.
 * Made for batches: hash many keys, table_prefetch each, then find, so that the memory is there
 * when it is wanted.  One thread.
 */
#ifndef ATTENT_PROCESSORS_WORKER_TABLE_H
#define ATTENT_PROCESSORS_WORKER_TABLE_H

#include <stdint.h>

#include "core/str.h"

struct table_node {
    uint64_t hash; /* table_hash(key) */
    struct str key;
};

struct table_slot {
    uint64_t hash;
    struct table_node *node; /* NULL: free */
};

struct table { /* start with {0} */
    struct table_slot *slots;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
};

uint64_t table_hash(struct str key);
void table_prefetch(const struct table *table, uint64_t hash);
struct table_node *table_find(const struct table *table, uint64_t hash, struct str key);
void table_add(struct table *table, struct table_node *node); /* its key must not be there */
void table_remove(struct table *table, struct table_node *node);
void table_free(struct table *table); /* the slots; not the nodes */

#endif
