#include "processors/worker/store.h"

#include <stdlib.h>

#include "core/check.h"
#include "processors/worker/blob.h"
#include "processors/worker/engine.h"

static int by_subject(const void *a, const void *b)
{
    return str_compare(((const struct store_subject *)a)->subject,
                       ((const struct store_subject *)b)->subject);
}

enum store_result store_digest(struct store *s, const char *step, int32_t partition,
                               struct hash128 *out, struct err *err)
{
    struct arena *arena = arena_new(0);
    struct store_subject *list = NULL;
    size_t count = 0;
    enum store_result result = s->class->list(s, step, partition, arena, &list, &count, err);

    *out = (struct hash128){0, 0};
    if (result == STORE_DONE && count > 0)
        qsort(list, count, sizeof *list, by_subject);
    for (size_t i = 0; i < count && result == STORE_DONE; i++) {
        *out = hash128_bytes(list[i].subject, *out);
        *out = hash128_bytes(blob_renewed(list[i].subject, list[i].blob, arena), *out);
    }
    arena_free(arena);
    return result;
}

struct str store_identity(struct arena *arena, const char *group, const char *topic, int partitions)
{
    return arena_format(arena, "group %s, topic %s of %d partitions", group, topic, partitions);
}

const char *store_result_text(enum store_result result)
{
    switch (result) {
    case STORE_DONE: return "done";
    case STORE_FENCED: return "another process owns the partition";
    case STORE_GAP: return "the state has another commit number";
    case STORE_REFUSED: return "the state belongs to another group or topic";
    case STORE_DOWN: return "the store does not answer";
    }
    CHECK_NEVER("store_result");
}

enum store_result store_timers(struct store_subject *subject, struct arena *arena, struct err *err)
{
    struct blob_timers timers;
    struct str inner;

    if (blob_unwrap(subject->subject, subject->blob, arena, &timers, &inner, err) != ERR_NONE) {
        err_prefix(err, "the state of a subject of the copy");
        return STORE_REFUSED;
    }
    subject->due_ms = timers.due_ms;
    subject->due_changed = timers.due_ms != STEP_NO_TIMER;
    subject->waits = timers.waits;
    subject->wait_count = timers.wait_count;
    return STORE_DONE;
}

static enum store_result fill_timers(struct store *s, const char *step, int32_t number,
                                     const char *token, struct engine *p, struct arena *arena,
                                     struct err *err)
{
    enum store_result result = STORE_DONE;
    struct store_subject *timers;
    struct store_lane lane;
    struct str after;
    int64_t due_ms;
    size_t count, max;
    bool more;

    while (result == STORE_DONE && engine_wants_timers(p, &lane, &due_ms, &after, &max)) {
        result = s->class->due(s, step, number, token, engine_commit(p), lane, due_ms, after, max,
                               arena, &timers, &count, &more, err);
        if (result == STORE_DONE)
            engine_add_timers(p, lane, timers, count, more);
    }
    return result;
}

enum store_result store_fill(struct store *s, const char *step, int32_t number, const char *token,
                             struct engine *p, struct arena *arena, struct err *err)
{
    enum store_result result = fill_timers(s, step, number, token, p, arena, err);
    struct store_subject *missing;
    size_t count;

    if (result != STORE_DONE)
        return result;
    missing = engine_missing(p, &count);
    if (count > 0)
        result =
            s->class->load(s, step, number, token, engine_commit(p), arena, missing, count, err);
    if (result == STORE_DONE)
        engine_fill(p, missing, count);
    return result;
}
