/* What stands in the store may be damaged: meta and blobs read back, or are refused. */
#include <stddef.h>
#include <stdint.h>

#include "core/check.h"
#include "core/hash.h"
#include "processors/worker/blob.h"
#include "processors/worker/meta.h"

#define SUBJECT "c-anna"

static const int32_t partitions[] = {2, 1};

/* A fuzzer does not guess checksums: put the right one in. */
static void mend_checksum(struct buf *bytes, size_t head)
{
    uint64_t sum, seed = 1;

    if (bytes->len < head)
        return;
    if (head == 5 && bytes->data[0] == 2)
        seed = hash_bytes(STR(SUBJECT), 2);
    sum = hash_bytes(str_slice(buf_str(bytes), head, bytes->len), seed);
    for (size_t i = 1; i < head; i++)
        bytes->data[i] = (char)(sum >> 8 * (i - 1));
}

static void try_meta(struct str bytes)
{
    struct meta meta, back;
    struct buf out = {0};

    if (meta_decode(bytes, partitions, 2, &meta, NULL) == ERR_NONE) {
        meta_encode(&meta, &out);
        CHECK(meta_decode(buf_str(&out), partitions, 2, &back, NULL) == ERR_NONE);
        CHECK(back.next == meta.next && back.taken.count == meta.taken.count);
        meta_free(&back);
    }
    meta_free(&meta);
    buf_free(&out);
}

static void try_blob(struct str bytes)
{
    struct arena *arena = arena_new(0);
    struct blob_timers timers, back;
    struct str inner, inner_back;
    struct buf out = {0};

    if (blob_unwrap(STR(SUBJECT), bytes, arena, &timers, &inner, NULL) == ERR_NONE &&
        bytes.len > 0) {
        blob_wrap(&out, STR(SUBJECT), &timers, inner);
        CHECK(blob_unwrap(STR(SUBJECT), buf_str(&out), arena, &back, &inner_back, NULL) ==
              ERR_NONE);
        CHECK(back.due_ms == timers.due_ms && back.wait_count == timers.wait_count);
        CHECK(str_equal(inner_back, inner));
    }
    buf_free(&out);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct str input = {(const char *)data, bytes};
    struct buf mended = {0};

    try_meta(input);
    try_blob(input);
    buf_put(&mended, input);
    mend_checksum(&mended, 9);
    try_meta(buf_str(&mended));
    buf_clear(&mended);
    buf_put(&mended, input);
    mend_checksum(&mended, 5);
    try_blob(buf_str(&mended));
    buf_free(&mended);
    return 0;
}
