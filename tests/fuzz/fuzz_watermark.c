/* A watermark as JSON, and what a partition keeps of all of them.  What can be read is written and read
 * again, and is the same. */
#include "core/check.h"
#include "processors/decide/watermarks.h"
#include "schemas/watermark.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_json(struct str input)
{
    struct arena *arena = arena_new(0);
    struct buf first = {0}, second = {0};
    struct watermark w, again;

    if (watermark_read_json(input, arena, &w, NULL)) {
        watermark_put_json(&first, &w);
        CHECK(watermark_read_json(buf_str(&first), arena, &again, NULL));
        watermark_put_json(&second, &again);
        CHECK(str_equal(buf_str(&first), buf_str(&second)));
    }
    buf_free(&first);
    buf_free(&second);
    arena_free(arena);
}

static void check_bytes(struct str input)
{
    struct watermarks w = {0}, again = {0};
    struct buf first = {0}, second = {0};

    if (watermarks_decode(&w, input, NULL) == ERR_NONE) {
        watermarks_encode(&w, &first);
        CHECK(watermarks_decode(&again, buf_str(&first), NULL) == ERR_NONE);
        watermarks_encode(&again, &second);
        CHECK(str_equal(buf_str(&first), buf_str(&second)));
    }
    watermarks_free(&w);
    watermarks_free(&again);
    buf_free(&first);
    buf_free(&second);
}

static void check_take(struct str input)
{
    struct watermarks w = {0};
    struct buf bytes = {0};

    if (watermarks_take(&w, input, NULL)) {
        watermarks_encode(&w, &bytes);
        CHECK(w.count == 1 && bytes.len != 0);
        check_bytes(buf_str(&bytes));
    }
    watermarks_free(&w);
    buf_free(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str input = {(const char *)data, size};

    try_json(input);
    check_take(input);
    check_bytes(input);
    return 0;
}
