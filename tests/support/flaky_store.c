#include "tests/support/flaky_store.h"

static bool fails(struct store *s, uint64_t one_in)
{
    struct flaky_store *f = (struct flaky_store *)s;

    if (f->rival == NULL || rng_below(&f->rng, one_in) != 0)
        return false;
    f->faults++;
    return true;
}

static struct store *behind(struct store *s)
{
    return ((struct flaky_store *)s)->behind;
}

static enum store_result flaky_claim(struct store *s, const char *step, int32_t partition,
                                     const char *token, struct str identity, struct arena *arena,
                                     struct store_claim *out, struct err *err)
{
    enum store_result result =
        behind(s)->class->claim(behind(s), step, partition, token, identity, arena, out, err);

    if (!fails(s, 4))
        return result;
    err_set(err, ERR_DOWN, "claim: no answer");
    return STORE_DOWN;
}

static enum store_result flaky_load(struct store *s, const char *step, int32_t partition,
                                    const char *token, uint64_t commit, struct arena *arena,
                                    struct store_subject *subjects, size_t count, struct err *err)
{
    if (fails(s, 30)) {
        err_set(err, ERR_DOWN, "load: no answer");
        return STORE_DOWN;
    }
    return behind(s)->class->load(behind(s), step, partition, token, commit, arena, subjects, count,
                                  err);
}

static enum store_result flaky_due(struct store *s, const char *step, int32_t partition,
                                   const char *token, uint64_t commit, struct store_lane lane,
                                   int64_t due_ms, struct str after, size_t max,
                                   struct arena *arena, struct store_subject **out, size_t *count,
                                   bool *more, struct err *err)
{
    return behind(s)->class->due(behind(s), step, partition, token, commit, lane, due_ms, after,
                                 max, arena, out, count, more, err);
}

static void flaky_commit_send(struct store *s, const char *step, int32_t partition,
                              const char *token, uint64_t commit, struct str meta,
                              const struct store_subject *subjects, size_t count)
{
    struct flaky_store *f = (struct flaky_store *)s;
    struct arena *arena = arena_new(0);
    struct store_claim claim;

    f->swallowed[partition] = fails(s, 12);
    if (fails(s, 12)) /* somebody else was faster */
        f->rival->class->claim(f->rival, step, partition, "ffffffffffffffffffffffffffffffff",
                               STR("group flaky, topic flaky.in of 2 partitions"), arena, &claim,
                               NULL);
    if (!f->swallowed[partition])
        f->behind->class->commit_send(f->behind, step, partition, token, commit, meta, subjects,
                                      count);
    arena_free(arena);
}

static enum store_result flaky_commit_wait(struct store *s, const char *step, int32_t partition,
                                           struct err *err)
{
    struct flaky_store *f = (struct flaky_store *)s;
    enum store_result result = STORE_DOWN;

    if (!f->swallowed[partition])
        result = f->behind->class->commit_wait(f->behind, step, partition, err);
    if (!f->swallowed[partition] && !fails(s, 12))
        return result;
    err_set(err, ERR_DOWN, "commit: no answer");
    return STORE_DOWN;
}

static bool flaky_commit_ready(struct store *s, const char *step, int32_t partition)
{
    struct flaky_store *f = (struct flaky_store *)s;

    return f->swallowed[partition] || f->behind->class->commit_ready(f->behind, step, partition);
}

static void flaky_commit_drop(struct store *s, const char *step, int32_t partition)
{
    behind(s)->class->commit_drop(behind(s), step, partition);
}

static int flaky_fd(const struct store *s)
{
    const struct store *b = ((const struct flaky_store *)s)->behind;

    return b->class->fd(b);
}

const struct store_class flaky_store_class = {.claim = flaky_claim,
                                              .load = flaky_load,
                                              .due = flaky_due,
                                              .commit_send = flaky_commit_send,
                                              .commit_ready = flaky_commit_ready,
                                              .commit_wait = flaky_commit_wait,
                                              .commit_drop = flaky_commit_drop,
                                              .fd = flaky_fd};
