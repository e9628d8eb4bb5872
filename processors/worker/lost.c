#include "processors/worker/lost.h"

#include <stdlib.h>
#include <string.h>

#include "processors/worker/meta.h"

static bool counts(struct str bytes, const struct gap *gap, size_t topic, int32_t partition)
{
    struct meta meta;
    bool counted = meta_decode_any(bytes, &meta, NULL) == ERR_NONE &&
                   meta.generation == gap->generation && topic < meta.topic_count &&
                   partition < meta.topics[topic].partition_count &&
                   meta.topics[topic].sent[partition].number >= gap->missing;

    meta_free(&meta);
    return counted;
}

bool lost_is_counted(struct store *s, const struct gap *gap, size_t topic, int32_t partition)
{
    struct arena *arena = arena_new(0);
    struct str step, number, bytes;
    bool counted = false;

    if (str_cut(str_of(gap->from), '/', &step, &number) &&
        s->class->meta(s, arena_str(arena, step).data, (int32_t)strtol(number.data, NULL, 10),
                       arena, &bytes, NULL) == STORE_DONE &&
        bytes.len > 0)
        counted = counts(bytes, gap, topic, partition);
    arena_free(arena);
    return counted;
}
