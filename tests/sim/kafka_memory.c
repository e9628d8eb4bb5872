/* Memory of the model: blocks that are freed all at once, so that nothing of it goes with a process.
 */
#include <stdlib.h>

#include "tests/sim/kafka_parts.h"

enum { BLOCK_BYTES = 256 * 1024, ALIGNMENT = 16 };

struct block {
    struct block *older;
    size_t used, bytes;
    _Alignas(ALIGNMENT) unsigned char data[];
};

static struct block *blocks;

static void add_block(size_t bytes)
{
    struct block *b = malloc(sizeof *b + bytes);

    CHECK(b != NULL);
    b->older = blocks;
    b->used = 0;
    b->bytes = bytes;
    blocks = b;
}

void *model_alloc(size_t bytes)
{
    size_t rounded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    void *p;

    if (blocks == NULL || blocks->bytes - blocks->used < rounded)
        add_block(rounded > BLOCK_BYTES ? rounded : BLOCK_BYTES);
    p = blocks->data + blocks->used;
    blocks->used += rounded;
    return memset(p, 0, rounded);
}

void *model_grow(void *old, size_t used_bytes, size_t bytes)
{
    void *p = model_alloc(bytes);

    if (used_bytes > 0)
        memcpy(p, old, used_bytes);
    return p;
}

struct str model_copy(struct str from)
{
    char *p;

    if (from.data == NULL)
        return from;
    p = model_alloc(from.len + 1);
    memcpy(p, from.data, from.len);
    return (struct str){p, from.len};
}

/* One block with the record's bytes behind each other: headers, names, values. */
static struct str put(char **at, struct str from)
{
    struct str copy = {*at, from.len};

    if (from.data == NULL)
        return STR_EMPTY;
    memcpy(*at, from.data, from.len);
    *at += from.len;
    return copy;
}

struct record model_copy_record(const struct record *from)
{
    struct record r = *from;
    size_t bytes = from->header_count * sizeof(struct header) + from->key.len + from->value.len + 1;
    struct header *headers;
    char *at;

    for (size_t i = 0; i < from->header_count; i++)
        bytes += from->headers[i].name.len + from->headers[i].value.len;
    headers = model_alloc(bytes);
    at = (char *)(headers + from->header_count);
    r.key = put(&at, from->key);
    r.value = put(&at, from->value);
    for (size_t i = 0; i < from->header_count; i++)
        headers[i] =
            (struct header){put(&at, from->headers[i].name), put(&at, from->headers[i].value)};
    r.headers = from->header_count > 0 ? headers : NULL;
    return r;
}

void model_free_all(void)
{
    while (blocks != NULL) {
        struct block *older = blocks->older;

        free(blocks);
        blocks = older;
    }
}
