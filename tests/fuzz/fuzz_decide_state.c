/* The blob of a customer's state.  The checksum would stop nearly every mutation at the door, so
 * the input is the body and the right version and checksum are put around it. */
#include <stdint.h>

#include "core/check.h"
#include "core/hash.h"
#include "processors/decide/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(0);
    struct buf blob = {0}, first = {0}, second = {0};
    struct state *state, *again;

    buf_put_u8(&blob, STATE_VERSION);
    buf_put(&blob, (struct str){(const char *)data, size});
    buf_put_u32(&blob, (uint32_t)hash_bytes(buf_str(&blob), STATE_VERSION));
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
    return 0;
}
