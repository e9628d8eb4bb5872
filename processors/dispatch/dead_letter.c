#include "processors/dispatch/dead_letter.h"

struct record dead_letter_record(const struct dead_letter *letter, struct arena *arena)
{
    const struct header headers[] = {
        {STR("__connect.errors.connector.name"), str_of(letter->part)},
        {STR("__connect.errors.stage"), STR("TRANSFORMATION")},
        {STR("__connect.errors.exception.class.name"),
         arena_format(arena, "attent.%s", letter->reason)},
        {STR("__connect.errors.exception.message"), str_of(letter->why)},
        {STR("attent-reason"), str_of(letter->reason)},
        {STR("attent-channel"), arena_str(arena, letter->channel)},
    };
    size_t count = sizeof headers / sizeof headers[0];

    return (struct record){.topic = str_of(letter->topic),
                           .partition = -1,
                           .timestamp_ms = letter->at_ms,
                           .key = letter->key.len != 0 ? arena_str(arena, letter->key) : STR_EMPTY,
                           .value = arena_str(arena, letter->value),
                           .headers = arena_copy(arena, headers, sizeof headers),
                           .header_count = letter->channel.len != 0 ? count : count - 1};
}
