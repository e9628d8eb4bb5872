#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

#include "core/check.h"

void *mem_alloc(size_t bytes)
{
    void *p = calloc(1, bytes != 0 ? bytes : 1);

    CHECK(p != NULL);
    return p;
}

void *mem_resize(void *old, size_t count, size_t size)
{
    size_t bytes;
    void *p;

    CHECK(!__builtin_mul_overflow(count, size, &bytes));
    p = realloc(old, bytes != 0 ? bytes : 1);
    CHECK(p != NULL);
    return p;
}

void *mem_copy(const void *from, size_t bytes)
{
    void *p = mem_alloc(bytes);

    if (bytes != 0)
        memcpy(p, from, bytes);
    return p;
}

char *mem_copy_text(const char *text, size_t text_bytes)
{
    char *p = mem_alloc(text_bytes + 1);

    if (text_bytes != 0)
        memcpy(p, text, text_bytes);
    return p;
}

void mem_free(void *p)
{
    free(p);
}
