/* Who leaves is found by a clock: a hand goes round the table, spares a subject that was used
 * since it last came by, and takes the others.  That is nearly least-recently-used and touches
 * nothing at a hit, where a list would touch two neighbours that are cold.
 */
#include "processors/worker/cache.h"

#include "core/check.h"
#include "core/mem.h"

/* What a subject costs beside its name and its blob: itself, its slot, the heap's own. */
enum { SUBJECT_BYTES = sizeof(struct subject) + 2 * sizeof(struct table_slot) + 32 };

static size_t cost(const struct subject *s)
{
    return SUBJECT_BYTES + s->node.key.len + s->blob_capacity;
}

struct subject *cache_find(struct cache *cache, uint64_t hash, struct str name)
{
    struct subject *s = (struct subject *)table_find(&cache->table, hash, name);

    if (s != NULL)
        s->used = true;
    return s;
}

struct subject *cache_add(struct cache *cache, uint64_t hash, struct str name)
{
    struct subject *s = mem_alloc(sizeof *s + name.len);
    char *text = (char *)(s + 1);

    memcpy(text, name.data, name.len);
    s->node = (struct table_node){hash, {text, name.len}};
    s->used = true;
    table_add(&cache->table, &s->node);
    cache->bytes += cost(s);
    return s;
}

void cache_put(struct cache *cache, struct subject *s, struct str blob)
{
    cache->bytes -= cost(s);
    if (blob.len > s->blob_capacity || s->blob_capacity > 2 * blob.len + 64) {
        mem_free(s->blob);
        s->blob = blob.len > 0 ? mem_copy(blob.data, blob.len) : NULL;
        s->blob_capacity = (uint32_t)blob.len;
    } else if (blob.len > 0) {
        memcpy(s->blob, blob.data, blob.len);
    }
    s->blob_bytes = (uint32_t)blob.len;
    s->loaded = true;
    cache->bytes += cost(s);
}

static void drop(struct cache *cache, struct subject *s)
{
    CHECK(!s->changed && s->state == NULL);
    cache->bytes -= cost(s);
    table_remove(&cache->table, &s->node);
    mem_free(s->blob);
    mem_free(s);
}

void cache_evict(struct cache *cache)
{
    while (cache->bytes > cache->bytes_max && cache->table.count > 0) {
        struct subject *s;

        cache->hand &= cache->table.capacity - 1;
        s = (struct subject *)cache->table.slots[cache->hand].node;
        if (s == NULL || s->used)
            cache->hand++;
        if (s != NULL && !s->used)
            drop(cache, s); /* another may have moved into its slot: the hand stays */
        else if (s != NULL)
            s->used = false;
    }
}

void cache_free(struct cache *cache)
{
    for (size_t i = 0; i < cache->table.capacity; i++) {
        struct subject *s = (struct subject *)cache->table.slots[i].node;

        if (s == NULL)
            continue;
        mem_free(s->blob);
        mem_free(s);
    }
    table_free(&cache->table);
    cache->bytes = 0;
}
