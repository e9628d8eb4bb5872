/* A chain of blocks, filled from the front.  Reset keeps the blocks and starts over, so a batch
 * loop allocates nothing once it is warm.  An object larger than a block gets a block of its own
 * size. */
#include "core/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/check.h"
#include "core/mem.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ONE_MALLOC_EACH 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ONE_MALLOC_EACH 1
#endif
#endif

enum { ALIGNMENT = 16, DEFAULT_BLOCK_BYTES = 64 * 1024 };

struct block {
    struct block *next;
    size_t bytes; /* usable */
    size_t used;
    size_t pad; /* keeps the bytes behind it aligned to 16 */
};

struct arena {
    struct block *first;
    struct block *current;
    size_t block_bytes;
    size_t handed_out;
};

struct arena *arena_new(size_t block_bytes)
{
    struct arena *arena = MEM_NEW(struct arena);

    arena->block_bytes = block_bytes != 0 ? block_bytes : DEFAULT_BLOCK_BYTES;
    return arena;
}

static void blocks_free(struct block *block)
{
    while (block != NULL) {
        struct block *next = block->next;
        mem_free(block);
        block = next;
    }
}

void arena_free(struct arena *arena)
{
    if (arena == NULL)
        return;
    blocks_free(arena->first);
    mem_free(arena);
}

void arena_reset(struct arena *arena)
{
#ifdef ARENA_ONE_MALLOC_EACH
    blocks_free(arena->first);
    arena->first = NULL;
#else
    for (struct block *b = arena->first; b != NULL; b = b->next)
        b->used = 0;
#endif
    arena->current = arena->first;
    arena->handed_out = 0;
}

size_t arena_bytes(const struct arena *arena)
{
    return arena->handed_out;
}

static struct block *block_new(size_t bytes)
{
    struct block *block = mem_resize(NULL, 1, sizeof *block + bytes);

    *block = (struct block){.bytes = bytes};
    return block;
}

/* Link a new block behind the current one and make it current. */
static void block_append(struct arena *arena, size_t bytes)
{
    struct block *block = block_new(bytes);

    if (arena->current == NULL) {
        block->next = arena->first;
        arena->first = block;
    } else {
        block->next = arena->current->next;
        arena->current->next = block;
    }
    arena->current = block;
}

static void *take(struct arena *arena, size_t bytes)
{
#ifdef ARENA_ONE_MALLOC_EACH
    block_append(arena, bytes);
#else
    bytes = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    while (arena->current != NULL && arena->current->bytes - arena->current->used < bytes &&
           arena->current->next != NULL)
        arena->current = arena->current->next;
    if (arena->current == NULL || arena->current->bytes - arena->current->used < bytes)
        block_append(arena, bytes > arena->block_bytes ? bytes : arena->block_bytes);
#endif
    void *p = (char *)(arena->current + 1) + arena->current->used;
    arena->current->used += bytes;
    arena->handed_out += bytes;
    return p;
}

void *arena_alloc_raw(struct arena *arena, size_t bytes)
{
    CHECK(bytes < SIZE_MAX / 2);
    return take(arena, bytes);
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    return memset(arena_alloc_raw(arena, bytes), 0, bytes);
}

void *arena_copy(struct arena *arena, const void *from, size_t bytes)
{
    void *p = arena_alloc_raw(arena, bytes);

    if (bytes != 0)
        memcpy(p, from, bytes);
    return p;
}

struct str arena_str(struct arena *arena, struct str from)
{
    char *p = arena_alloc_raw(arena, from.len + 1);

    if (from.len != 0)
        memcpy(p, from.data, from.len);
    p[from.len] = '\0';
    return (struct str){p, from.len};
}

struct str arena_replace(struct arena *arena, struct str text, struct str mark, struct str by)
{
    const char *at = text.len != 0 ? memmem(text.data, text.len, mark.data, mark.len) : NULL;
    size_t before;

    if (at == NULL)
        return arena_str(arena, text);
    before = (size_t)(at - text.data);
    return arena_format(arena, "%.*s%.*s%.*s", STR_ARG(str_slice(text, 0, before)), STR_ARG(by),
                        STR_ARG(str_slice(text, before + mark.len, text.len)));
}

struct str arena_format(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    int bytes;
    char *p;

    va_start(args, format);
    va_copy(again, args);
    bytes = vsnprintf(NULL, 0, format, args);
    CHECK(bytes >= 0);
    p = arena_alloc_raw(arena, (size_t)bytes + 1);
    vsnprintf(p, (size_t)bytes + 1, format, again);
    va_end(again);
    va_end(args);
    return (struct str){p, (size_t)bytes};
}

size_t arena_array_bytes(size_t count, size_t size)
{
    size_t bytes;

    CHECK(!__builtin_mul_overflow(count, size, &bytes));
    return bytes;
}
