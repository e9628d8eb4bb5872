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
    ck_assert_int_eq(blob_unwrap(STR_EMPTY, own, l->arena, &none, &inner, NULL), ERR_NONE);
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
        ck_assert_int_eq(blob_unwrap(list[i].subject, list[i].blob, l.arena, &timers, &inner, NULL),
                         ERR_NONE);
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
    size_t longest;
    size_t at, open_at, sent_at, durable_at; /* records of the log */
    struct engine_batch open, sent;
    bool has_open, has_sent;
    bool lost; /* the commit that was sent never arrives */
    struct splits_end end;
    struct splits_met met;
};

static void begin_again(struct rough *r)
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
    r->at = r->durable_at;
    r->has_open = r->has_sent = false;
}

/* What is not durable was published as well, and will be again: a reader takes it once. */
static void hear_answer(struct rough *r)
{
    if (r->lost) {
        r->met.fell_together += r->has_open;
        begin_again(r);
        return;
    }
    ck_assert_int_eq(r->store->class->commit_wait(r->store, r->setup.class->name, PARTITION, NULL),
                     STORE_DONE);
    for (size_t i = 0; i < r->sent.output_count; i++)
        splits_add(&r->end, r->sent.outputs[i].topic, &r->sent.outputs[i].record);
    engine_committed(r->engine);
    r->durable_at = r->sent_at;
    r->has_sent = false;
}

static void send_commit(struct rough *r)
{
    r->lost = rng_below(&r->rng, 10) == 0;
    if (!r->lost)
        r->store->class->commit_send(r->store, r->setup.class->name, PARTITION, token,
                                     engine_commit(r->engine), r->open.meta, r->open.subjects,
                                     r->open.subject_count);
    engine_sent(r->engine);
    r->sent = r->open;
    r->sent_at = r->open_at;
    r->has_sent = true;
    r->has_open = false;
}

static void could_not_publish(struct rough *r)
{
    if (r->has_sent)
        hear_answer(r);
    begin_again(r);
}

static void decide(struct rough *r)
{
    size_t count = 1 + rng_below(&r->rng, r->longest), left = r->splits->count - r->at;
    struct err err = {0};
    enum store_result result;

    engine_plan(r->engine, r->splits->records + r->at, count < left ? count : left);
    arena_reset(r->arena);
    result =
        store_fill(r->store, r->setup.class->name, PARTITION, token, r->engine, r->arena, &err);
    if (result != STORE_DONE) {
        ck_assert(r->has_sent && r->lost && result == STORE_GAP);
        begin_again(r);
        return;
    }
    ck_assert_msg(engine_run(r->engine, &r->open, &err) == ERR_NONE, "%s", err.text);
    if (rng_below(&r->rng, 8) == 0) {
        could_not_publish(r);
        return;
    }
    r->at += r->open.done;
    r->open_at = r->at;
    r->has_open = r->open.moved;
    r->met.overlaps += r->has_open && r->has_sent;
}

static bool is_done(struct rough *r)
{
    return r->at == r->splits->count && !r->has_open && !r->has_sent &&
           !engine_is_unsettled(r->engine);
}

struct splits_end splits_rough(const struct splits *splits, uint64_t seed)
{
    struct rough r = {.splits = splits,
                      .rng = rng_seeded(seed),
                      .store = memory_store_open(),
                      .arena = arena_new(0)};

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
    begin_again(&r);
    while (!is_done(&r)) {
        if (r.has_sent && (r.has_open || r.at == splits->count || rng_below(&r.rng, 2) == 0))
            hear_answer(&r);
        else if (r.has_open)
            send_commit(&r);
        else if (!r.has_sent && rng_below(&r.rng, 15) == 0)
            begin_again(&r);
        else
            decide(&r);
    }
    ck_assert_int_eq(store_digest(r.store, splits->class->name, PARTITION, &r.end.state, NULL),
                     STORE_DONE);
    splits_check_timers(r.store, splits->class, splits->config, PARTITION, STR("id"));
    r.end.now_ms = engine_now_ms(r.engine);
    r.end.next = engine_next(r.engine);
    engine_close(r.engine);
    r.store->class->close(r.store);
    arena_free(r.arena);
    if (splits->met != NULL) {
        splits->met->overlaps += r.met.overlaps;
        splits->met->fell_together += r.met.fell_together;
    }
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
