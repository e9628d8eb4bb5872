/* core/arena.h - memory that is dropped in one call.
 *
 * What lives as long as one event or one batch lives in an arena.  Under AddressSanitizer
 * every object gets a malloc of its own, so that an overrun by one byte is seen.
 * An arena is used by one thread at a time.
 */
#ifndef ATTENT_CORE_ARENA_H
#define ATTENT_CORE_ARENA_H

#include <stddef.h>

#include "core/str.h"

struct arena;

struct arena *arena_new(size_t block_bytes);   /* block_bytes 0: a sensible default */
void arena_free(struct arena *arena);          /* NULL allowed */
void arena_reset(struct arena *arena);         /* drop all objects, keep the memory */
size_t arena_bytes(const struct arena *arena); /* bytes handed out since the last reset */

void *arena_alloc(struct arena *arena, size_t bytes);     /* zeroed, aligned to 16 */
void *arena_alloc_raw(struct arena *arena, size_t bytes); /* not zeroed, aligned to 16 */
void *arena_copy(struct arena *arena, const void *from, size_t bytes);
/* `text` with `by` in place of the first `mark`; a copy where there is none.  NUL follows data. */
struct str arena_replace(struct arena *arena, struct str text, struct str mark, struct str by);
struct str arena_str(struct arena *arena, struct str from);           /* NUL follows data */
struct str arena_format(struct arena *arena, const char *format, ...) /* NUL follows data */
    __attribute__((format(printf, 2, 3)));

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count)                                                            \
    ((type *)arena_alloc((arena), arena_array_bytes((count), sizeof(type))))
size_t arena_array_bytes(size_t count, size_t size); /* count * size; CHECKs overflow */

#endif
