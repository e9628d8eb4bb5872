/* Anybody may write to a topic: headers of numbered records are read, whatever they say.  The
 * input is a list of records: seq, NUL, chain, NUL, body, NUL, ... */
#include <stddef.h>
#include <stdint.h>

#include "core/check.h"
#include "schemas/chain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct str rest = {(const char *)data, bytes}, parts[3];
    struct taken taken = {0};
    struct buf scratch = {0};

    while (rest.len > 0) {
        struct taken_source source;
        struct err err;

        for (int i = 0; i < 3; i++) {
            parts[i] = rest;
            if (!str_cut(rest, '\0', &parts[i], &rest))
                rest = STR_EMPTY;
        }
        const struct header headers[] = {{STR(CHAIN_FROM_HEADER), STR("decide/1")},
                                         {STR(CHAIN_SEQ_HEADER), parts[0]},
                                         {STR(CHAIN_HASH_HEADER), parts[1]}};
        const struct record record = {.value = parts[2], .headers = headers, .header_count = 3};

        if (taken_look(&taken, &record, &scratch, &source, &err) == TAKEN_NEXT) {
            const struct taken_source *last = taken_find(&taken, source.from);

            CHECK(source.number ==
                  (last != NULL && last->generation == source.generation ? last->number + 1 : 1));
            taken_advance(&taken, &source);
        }
    }
    taken_free(&taken);
    buf_free(&scratch);
    return 0;
}
