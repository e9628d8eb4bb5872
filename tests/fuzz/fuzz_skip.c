/* What comes back from logs and stores about records that are passed over: a skip, a place, a note.  What
 * can be read is written and read again, and is the same.  The first line is the key, the rest the value. */
#include "core/check.h"
#include "schemas/letter.h"
#include "schemas/skip.h"
#include "schemas/suspect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_spot(struct str text)
{
    struct buf again = {0};
    struct spot spot;

    if (spot_read(text, &spot)) {
        spot_put(&again, &spot);
        CHECK(str_equal(buf_str(&again), text));
    }
    buf_free(&again);
}

static void try_suspect(struct str text)
{
    struct buf again = {0};
    struct suspect s;

    if (suspect_read(text, &s)) {
        suspect_put(&again, &s);
        CHECK(str_equal(buf_str(&again), text));
        CHECK(suspect_died(&s, s.from));
    }
    buf_free(&again);
}

static void try_skip(struct str key, struct str value)
{
    const struct record record = {.key = key, .value = value};
    struct arena *arena = arena_new(0);
    struct buf again = {0};
    struct skip skip;

    if (skip_read(&record, arena, &skip)) {
        skip_put_key(&again, &skip);
        CHECK(str_equal(buf_str(&again), key));
    }
    buf_free(&again);
    arena_free(arena);
}

/* Each of the headers that letter_read looks at may hold anything. */
static void try_letter(struct str key, struct str value)
{
    const struct header headers[] = {{STR("own"), value},
                                     {STR("__connect.errors.topic"), key},
                                     {STR("__connect.errors.partition"), value},
                                     {STR("__connect.errors.offset"), key},
                                     {STR("attent-timestamp"), value},
                                     {STR("attent-reason"), key}};
    const struct record record = {.headers = headers, .header_count = 6};
    struct letter letter;

    CHECK(letter_read(&record, &letter) == (key.len != 0));
    CHECK(key.len == 0 || letter.header_count == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str input = {(const char *)data, size}, key = input, value = STR_EMPTY;

    str_cut(input, '\n', &key, &value);
    try_spot(key);
    try_suspect(key);
    try_skip(key, value);
    try_letter(key, value);
    return 0;
}
