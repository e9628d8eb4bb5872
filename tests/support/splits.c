#include "tests/support/splits.h"

#include <check.h>
#include <stdio.h>

#include "core/rng.h"
#include "processors/worker/blob.h"
#include "processors/worker/memory_store.h"
#include "processors/worker/offline.h"
#include "processors/worker/engine.h"

enum { PARTITION = 1 };

static const char token[] = "0123456789abcdef0123456789abcdef";

/* --- what comes out ------------------------------------------------------------------------------ */

void splits_add(void *context, int topic, const struct record *r)
{
    struct splits_end *end = context;
    char head[64];
    int len =
        snprintf(head, sizeof head, "%d %d %lld", topic, r->partition, (long long)r->timestamp_ms);

    end->outputs = hash128_bytes((struct str){head, (size_t)len}, end->outputs);
    end->outputs = hash128_bytes(r->key, end->outputs);
    end->outputs = hash128_bytes(r->value, end->outputs);
    for (size_t i = 0; i < r->header_count; i++) {
        end->outputs = hash128_bytes(r->headers[i].name, end->outputs);
        end->outputs = hash128_bytes(r->headers[i].value, end->outputs);
    }
    end->output_count++;
}

struct splits_end splits_plain(const struct splits *splits)
{
    struct splits_end end = {0};
    struct offline_setup setup = {.class = splits->class,
                                  .config = splits->config,
                                  .partition = PARTITION,
                                  .topic_partitions = splits->topic_partitions,
                                  .context = &end,
                                  .output = splits_add};
    struct offline *o;
    struct err err = {0};

    ck_assert_msg(offline_open(&setup, &o, &err) == ERR_NONE, "%s", err.text);
    for (size_t i = 0; i < splits->count; i++)
        ck_assert_msg(offline_record(o, &splits->records[i], &err) == ERR_NONE, "%s", err.text);
    end.state = offline_digest(o);
    end.now_ms = offline_now_ms(o);
    end.next = offline_next(o);
    offline_close(o);
    return end;
}

/* --- timers of a store ------------------------------------------------------------------------------ */

struct look {
    struct store *store;
    const char *step;
    int32_t partition;
    uint64_t commit;
    struct arena *arena;
};

static size_t count_due(const struct look *l, struct store_lane lane)
{
    struct store_subject *found;
    int64_t due_ms = INT64_MIN;
    struct str after = STR_EMPTY;
    size_t count, all = 0;
    bool more = true;

    for (; more; all += count) {
        ck_assert_int_eq(l->store->class->due(l->store, l->step, l->partition, token, l->commit,
                                              lane, due_ms, after, 100, l->arena, &found, &count,
                                              &more, NULL),
                         STORE_DONE);
        due_ms = count > 0 ? found[count - 1].due_ms : due_ms;
        after = count > 0 ? found[count - 1].subject : after;
    }
    return all;
}

static size_t count_in_lanes(const struct look *l, const struct step_class *class,
                             const void *config, struct str own)
{
    struct step_lane lanes[STEP_LANES_MAX];
    struct blob_timers none;
    struct str inner;
    struct step *step;
    size_t count, kept = 0;

    if (class->lanes == NULL)
        return 0;
    ck_assert_int_eq(blob_unwrap(own, l->arena, &none, &inner, NULL), ERR_NONE);
    ck_assert_int_eq(class->open(config, l->partition, inner, &step, NULL), ERR_NONE);
    count = class->lanes(step, lanes);
    for (size_t i = 0; i < count; i++)
        kept += count_due(l, (struct store_lane){true, lanes[i].id});
    class->close(step);
    return kept;
}

void splits_check_timers(struct store *store, const struct step_class *class, const void *config,
                         int32_t partition, struct str identity)
{
    struct look l = {store, class->name, partition, 0, arena_new(0)};
    struct store_subject *list;
    struct store_claim claim;
    struct blob_timers timers;
    struct str inner;
    size_t count, due = 0, waits = 0;

    ck_assert_int_eq(
        store->class->claim(store, class->name, partition, token, identity, l.arena, &claim, NULL),
        STORE_DONE);
    l.commit = claim.commit;
    ck_assert_int_eq(
        store->class->list(store, class->name, partition, l.arena, &list, &count, NULL),
        STORE_DONE);
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(blob_unwrap(list[i].blob, l.arena, &timers, &inner, NULL), ERR_NONE);
        due += timers.due_ms != STEP_NO_TIMER;
        waits += timers.wait_count;
    }
    ck_assert_uint_eq(count_due(&l, (struct store_lane){0}), due);
    ck_assert_uint_eq(count_in_lanes(&l, class, config, claim.own), waits);
    arena_free(l.arena);
}

/* --- rough runs ---------------------------------------------------------------------------------- */

struct rough {
    const struct splits *splits;
    struct rng rng;
    struct engine_setup setup;
    struct store *store;
    struct engine *engine;
    struct arena *arena;
    size_t at, longest;
    struct splits_end end;
};

static void reopen(struct rough *r)
{
    struct store_claim claim;
    struct err err = {0};

    engine_close(r->engine);
    arena_reset(r->arena);
    ck_assert_int_eq(r->store->class->claim(r->store, r->setup.class->name, PARTITION, token,
                                            STR("id"), r->arena, &claim, &err),
                     STORE_DONE);
    ck_assert_msg(engine_open(&r->setup, claim.meta, claim.own, &r->engine, &err) == ERR_NONE, "%s",
                  err.text);
}

static void commit(struct rough *r, const struct engine_batch *batch)
{
    const struct store_class *store = r->store->class;
    const char *step = r->setup.class->name;

    for (size_t i = 0; i < batch->output_count; i++)
        splits_add(&r->end, batch->outputs[i].topic, &batch->outputs[i].record);
    r->at += batch->done;
    if (!batch->moved) {
        engine_unmoved(r->engine);
        return;
    }
    store->commit_send(r->store, step, PARTITION, token, engine_commit(r->engine), batch->meta,
                       batch->subjects, batch->subject_count);
    ck_assert_int_eq(store->commit_wait(r->store, step, PARTITION, NULL), STORE_DONE);
    engine_committed(r->engine);
}

static void run_batch(struct rough *r)
{
    size_t left = r->splits->count - r->at, count = 1 + rng_below(&r->rng, r->longest);
    struct engine_batch batch;
    struct err err = {0};

    engine_plan(r->engine, r->splits->records + r->at, count < left ? count : left);
    arena_reset(r->arena);
    ck_assert_int_eq(
        store_fill(r->store, r->setup.class->name, PARTITION, token, r->engine, r->arena, &err),
        STORE_DONE);
    ck_assert_msg(engine_run(r->engine, &batch, &err) == ERR_NONE, "%s", err.text);
    if (rng_below(&r->rng, 6) == 0) { /* could not be published */
        reopen(r);
        return;
    }
    commit(r, &batch);
    if (rng_below(&r->rng, 15) == 0) {
        int64_t next = engine_next(r->engine);

        reopen(r);
        ck_assert_int_eq(engine_next(r->engine), next);
    }
}

struct splits_end splits_rough(const struct splits *splits, uint64_t seed)
{
    struct rough r = {.splits = splits, .rng = rng_seeded(seed), .arena = arena_new(0)};

    r.setup = (struct engine_setup){.class = splits->class,
                                    .config = splits->config,
                                    .number = PARTITION,
                                    .topic_partitions = splits->topic_partitions,
                                    .generation = 1,
                                    .cache_bytes_max = rng_below(&r.rng, 4000)};
    if (rng_below(&r.rng, 3) == 0)
        r.setup.cache_bytes_max *= 100;
    r.setup.timers_max = 1 + rng_below(&r.rng, 6);
    r.longest = 1 + rng_below(&r.rng, 60);
    r.store = memory_store_open();
    reopen(&r);
    while (r.at < splits->count || engine_is_unsettled(r.engine))
        run_batch(&r);
    ck_assert_int_eq(store_digest(r.store, splits->class->name, PARTITION, &r.end.state, NULL),
                     STORE_DONE);
    splits_check_timers(r.store, splits->class, splits->config, PARTITION, STR("id"));
    r.end.now_ms = engine_now_ms(r.engine);
    r.end.next = engine_next(r.engine);
    engine_close(r.engine);
    r.store->class->close(r.store);
    arena_free(r.arena);
    return r.end;
}

struct splits_end splits_compare(const struct splits *splits, uint64_t seed, int runs)
{
    struct splits_end plain = splits_plain(splits);

    for (int i = 0; i < runs; i++) {
        struct splits_end rough = splits_rough(splits, seed * 100 + (uint64_t)i);

        ck_assert_msg(memcmp(&rough, &plain, sizeof plain) == 0,
                      "run %d: %zu outputs, should be %zu, states %s; replay: SEED=%llu", i,
                      rough.output_count, plain.output_count,
                      memcmp(&rough.state, &plain.state, sizeof plain.state) == 0 ? "equal"
                                                                                  : "differ",
                      (unsigned long long)seed);
    }
    return plain;
}
