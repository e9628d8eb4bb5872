/* The blob of a customer's state.  The checksum would stop nearly every mutation at the door, so
 * the input is the body, and each version with its checksum is put around it. */
#include <stdint.h>

#include "core/check.h"
#include "core/hash.h"
#include "processors/decide/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What can be read is written in the newest version, which reads back to the same bytes. */
static void try_version(int version, struct str body)
{
    struct arena *arena = arena_new(0);
    struct buf blob = {0}, first = {0}, second = {0};
    struct state *state, *again;

    buf_put_u8(&blob, (uint8_t)version);
    buf_put(&blob, body);
    buf_put_u32(&blob, (uint32_t)hash_bytes(buf_str(&blob), (uint64_t)version));
    if (state_decode(STR("c1"), buf_str(&blob), arena, &state, NULL) == ERR_NONE) {
        state_encode(state, &first);
        CHECK(state_decode(STR("c1"), buf_str(&first), arena, &again, NULL) == ERR_NONE);
        state_encode(again, &second);
        CHECK(str_equal(buf_str(&first), buf_str(&second)));
    }
    buf_free(&second);
    buf_free(&first);
    buf_free(&blob);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int version = 1; version <= STATE_VERSION; version++)
        try_version(version, (struct str){(const char *)data, size});
    return 0;
}
