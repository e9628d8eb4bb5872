/* Tasks, withdrawals, decisions and permissions of any bytes: what is read and written again reads and writes
 * the same. */
#include "core/check.h"
#include "schemas/task.h"

#define CHECK_ROUND(noun, bytes_)                                                                  \
    do {                                                                                           \
        struct noun first, second;                                                                 \
        if (noun##_read_json((bytes_), arena, &first, &err)) {                                     \
            buf_clear(&once);                                                                      \
            buf_clear(&twice);                                                                     \
            noun##_put_json(&once, &first);                                                        \
            CHECK(noun##_read_json(buf_str(&once), arena, &second, &err));                         \
            noun##_put_json(&twice, &second);                                                      \
            CHECK(str_equal(buf_str(&once), buf_str(&twice)));                                     \
        }                                                                                          \
    } while (false)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct arena *arena = arena_new(0);
    struct str text = {(const char *)data, bytes};
    struct buf once = {0}, twice = {0};
    struct err err;

    CHECK_ROUND(task, text);
    CHECK_ROUND(withdrawal, text);
    CHECK_ROUND(decision, text);
    CHECK_ROUND(permission, text);
    buf_free(&once);
    buf_free(&twice);
    arena_free(arena);
    return 0;
}
