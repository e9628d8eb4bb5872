/* A file of `attent snapshot` may be damaged or made up: it reads back as it was, or is refused. */
#include <stddef.h>
#include <stdint.h>

#include "core/check.h"
#include "core/hash.h"
#include "processors/worker/snapshot.h"

enum { CHECK_BYTES = 16 };

static void try_it(struct str bytes)
{
    struct arena *arena = arena_new(0);
    struct snapshot snapshot, back;
    struct buf out = {0};

    if (snapshot_decode(bytes, arena, &snapshot, NULL) == ERR_NONE) {
        snapshot_encode(&snapshot, &out);
        CHECK(snapshot_decode(buf_str(&out), arena, &back, NULL) == ERR_NONE);
        CHECK(back.partition == snapshot.partition && back.taken_ms == snapshot.taken_ms);
        CHECK(back.copy.count == snapshot.copy.count);
        for (size_t i = 0; i < back.copy.count; i++)
            CHECK(str_equal(back.copy.subjects[i].blob, snapshot.copy.subjects[i].blob));
    }
    buf_free(&out);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* Once as it is; once with the right checksum at its end, which a fuzzer does not guess. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct str input = {(const char *)data, bytes};
    struct buf mended = {0};
    struct hash128 check;

    try_it(input);
    if (bytes < CHECK_BYTES)
        return 0;
    input.len -= CHECK_BYTES;
    check = hash128_bytes(input, (struct hash128){1, 0});
    buf_put(&mended, input);
    buf_put_u64(&mended, check.low);
    buf_put_u64(&mended, check.high);
    try_it(buf_str(&mended));
    buf_free(&mended);
    return 0;
}
