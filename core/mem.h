/* core/mem.h - heap memory that never fails.
 *
 * Out of memory aborts: the process restarts from its committed offsets, and every outside
 * input has a byte limit, so no single event can cause it.
 */
#ifndef ATTENT_CORE_MEM_H
#define ATTENT_CORE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t bytes);                            /* zeroed; never NULL           */
void *mem_resize(void *old, size_t count, size_t size);   /* realloc, overflow checked    */
void *mem_copy(const void *from, size_t bytes);           /* a heap copy; caller frees    */
char *mem_copy_text(const char *text, size_t text_bytes); /* copy + NUL; caller frees     */
void mem_free(void *p);                                   /* NULL allowed                 */

#define MEM_NEW(type)              ((type *)mem_alloc(sizeof(type)))
#define MEM_NEW_ARRAY(type, count) ((type *)mem_resize(NULL, (count), sizeof(type)))

/* Grow array `items` of `*capacity` so that index `count` fits.  Doubles. */
#define MEM_RESERVE(items, count, capacity)                                                        \
    ((count) < (capacity)                                                                          \
         ? (void)0                                                                                 \
         : (void)((items) = mem_resize((items), (capacity) = (capacity) ? 2 * (capacity) : 8,      \
                                       sizeof *(items))))

#endif
