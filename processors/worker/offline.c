/* A worker without a log: each call is a batch, committed at once to a memory store. */
#include "processors/worker/offline.h"

#include "core/check.h"
#include "core/mem.h"
#include "processors/worker/memory_store.h"
#include "processors/worker/engine.h"

enum { TIMERS_MAX = 4096, TOPICS_MAX = 64 };

struct offline {
    struct offline_setup setup;
    struct engine_setup engine_setup;
    int32_t topic_partitions[TOPICS_MAX];
    char token[STORE_TOKEN_SIZE];
    struct store *store;
    struct engine *engine;
    struct arena *arena; /* what the store gives during one batch */
};

static void prepare(struct offline *o)
{
    const struct step_class *class = o->setup.class;
    size_t topics = 0;

    for (; class->topics != NULL && class->topics[topics] != NULL; topics++) {
        CHECK(topics < TOPICS_MAX);
        o->topic_partitions[topics] =
            o->setup.topic_partitions != NULL ? o->setup.topic_partitions[topics] : 1;
    }
    o->engine_setup = (struct engine_setup){
        .class = class,
        .config = o->setup.config,
        .number = o->setup.partition,
        .topic_partitions = o->topic_partitions,
        .generation = o->setup.generation > 0 ? o->setup.generation : 1,
        .skips = o->setup.skips,
        .start = o->setup.start,
        .cache_bytes_max = o->setup.cache_bytes_max > 0 ? o->setup.cache_bytes_max : SIZE_MAX,
        .timers_max = o->setup.timers_max > 0 ? o->setup.timers_max : TIMERS_MAX};
}

static enum err_code begin_with(struct offline *o, const struct store_copy *from, struct err *err)
{
    struct store_copy copy;

    if (from == NULL)
        return ERR_NONE;
    copy = *from;
    copy.identity = STR("offline");
    if (o->store->class->replace(o->store, o->setup.class->name, o->setup.partition, 0, &copy,
                                 err) != STORE_DONE)
        return ERR_STATE;
    return ERR_NONE;
}

enum err_code offline_open(const struct offline_setup *setup, struct offline **out, struct err *err)
{
    struct offline *o = MEM_NEW(struct offline);
    struct store_claim claim;
    enum err_code code;

    *out = NULL;
    o->setup = *setup;
    prepare(o);
    memset(o->token, '0', sizeof o->token - 1);
    o->arena = arena_new(0);
    o->store = memory_store_open();
    code = begin_with(o, setup->from, err);
    if (code != ERR_NONE) {
        offline_close(o);
        return code;
    }
    CHECK(o->store->class->claim(o->store, setup->class->name, setup->partition, o->token,
                                 STR("offline"), o->arena, &claim, err) == STORE_DONE);
    code = engine_open(&o->engine_setup, claim.meta, claim.own, &o->engine, err);
    if (code != ERR_NONE) {
        offline_close(o);
        return code;
    }
    *out = o;
    return ERR_NONE;
}

void offline_close(struct offline *o)
{
    if (o == NULL)
        return;
    engine_close(o->engine);
    o->store->class->close(o->store);
    arena_free(o->arena);
    mem_free(o);
}

static void commit(struct offline *o, const struct engine_batch *batch)
{
    const struct store_class *class = o->store->class;
    const char *step = o->setup.class->name;

    for (size_t i = 0; i < batch->output_count && o->setup.output != NULL; i++)
        o->setup.output(o->setup.context, batch->outputs[i].topic, &batch->outputs[i].record);
    if (!batch->moved)
        return;
    class->commit_send(o->store, step, o->setup.partition, o->token, engine_commit(o->engine),
                       batch->meta, batch->subjects, batch->subject_count);
    engine_sent(o->engine);
    CHECK(class->commit_wait(o->store, step, o->setup.partition, NULL) == STORE_DONE);
    engine_committed(o->engine);
}

/* What was planned: load, run, commit. */
static enum err_code run(struct offline *o, size_t *done, struct err *err)
{
    struct engine_batch batch;
    enum err_code code;

    arena_reset(o->arena);
    CHECK(store_fill(o->store, o->setup.class->name, o->setup.partition, o->token, o->engine,
                     o->arena, err) == STORE_DONE);
    code = engine_run(o->engine, &batch, err);
    *done = batch.done;
    if (code == ERR_NONE)
        commit(o, &batch);
    return code;
}

enum err_code offline_records(struct offline *o, const struct record *records, size_t count,
                              struct err *err)
{
    enum err_code code = ERR_NONE;
    size_t done;

    for (size_t at = 0; at < count && code == ERR_NONE; at += done) {
        engine_plan(o->engine, records + at, count - at);
        code = run(o, &done, err);
    }
    while (code == ERR_NONE && engine_is_unsettled(o->engine)) {
        engine_plan(o->engine, NULL, 0);
        code = run(o, &done, err);
    }
    return code;
}

enum err_code offline_record(struct offline *o, const struct record *record, struct err *err)
{
    return offline_records(o, record, 1, err);
}

enum err_code offline_advance(struct offline *o, int64_t now_ms, struct err *err)
{
    enum err_code code = ERR_NONE;

    for (size_t done = 0; done == 0 && code == ERR_NONE;) {
        engine_plan_time(o->engine, now_ms);
        code = run(o, &done, err);
    }
    return code;
}

int64_t offline_due_next(const struct offline *o)
{
    return engine_due_ms(o->engine);
}

int64_t offline_next(const struct offline *o)
{
    return engine_next(o->engine);
}

int64_t offline_now_ms(const struct offline *o)
{
    return engine_now_ms(o->engine);
}

struct hash128 offline_digest(struct offline *o)
{
    struct hash128 digest;

    CHECK(store_digest(o->store, o->setup.class->name, o->setup.partition, &digest, NULL) ==
          STORE_DONE);
    return digest;
}

struct store_copy offline_copy(struct offline *o, struct arena *arena)
{
    struct store_copy copy;

    CHECK(o->store->class->copy(o->store, o->setup.class->name, o->setup.partition, arena, &copy,
                                NULL) == STORE_DONE);
    return copy;
}
