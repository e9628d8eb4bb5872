/* Very many timers due within one second: worked off in bounded batches, in order of (due time, subject),
 * before the record that moved the time is looked at.
 *
 *   TIMERS=1000000 build/release/bin/tests/unit/processors/worker/test_many_timers      so many
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "processors/worker/engine.h"
#include "processors/worker/memory_store.h"
#include "tests/support/suite.h"
#include "tests/support/toy_step.h"

enum { TIMERS = 30000, TIMERS_MAX = 4096, NAME_BYTES = 16, SPAN_MS = 1000 };

#define SET_MS INT64_C(1600000000000)
#define DUE_MS (SET_MS + 3600 * INT64_C(1000))

static const char token[] = "0123456789abcdef0123456789abcdef";

/* --- a step with a timer for each subject ---------------------------------------------------------- */

struct sleeper {
    struct str name;
    int64_t due_ms;
};

static enum err_code sleeper_load(struct step *step, struct str subject, struct str blob,
                                  struct arena *arena, void **state, struct err *err)
{
    struct sleeper *s = ARENA_NEW(arena, struct sleeper);
    struct reader r = reader_of(blob);

    (void)step, (void)err;
    s->name = arena_str(arena, subject);
    s->due_ms = blob.len > 0 ? (int64_t)reader_u64(&r) : STEP_NO_TIMER;
    *state = s;
    return ERR_NONE;
}

static void sleeper_save(const struct step *step, const void *state, struct buf *out)
{
    (void)step;
    if (((const struct sleeper *)state)->due_ms != STEP_NO_TIMER)
        buf_put_u64(out, (uint64_t)((const struct sleeper *)state)->due_ms);
}

static int64_t sleeper_due(const struct step *step, const void *state)
{
    (void)step;
    return ((const struct sleeper *)state)->due_ms;
}

/* At some time of the second; the last record only says that it was looked at. */
static void sleeper_record(struct step *step, void *state, const struct record *record,
                           int64_t now_ms, struct arena *arena, struct outputs *out, bool *changed)
{
    struct sleeper *s = state;

    (void)step, (void)arena;
    if (record->value.len == 0)
        s->due_ms = DUE_MS + (int64_t)(hash_bytes(s->name, 1) % SPAN_MS);
    else
        outputs_add(out, 0, now_ms, s->name, record->value, NULL, 0);
    *changed = record->value.len == 0;
}

static void sleeper_timer(struct step *step, void *state, int64_t due_ms, int64_t now_ms,
                          struct arena *arena, struct outputs *out, bool *changed)
{
    struct sleeper *s = state;

    (void)step, (void)arena, (void)due_ms;
    s->due_ms = STEP_NO_TIMER;
    outputs_add(out, 0, now_ms, s->name, STR("fired"), NULL, 0);
    *changed = true;
}

/* --- a partition ------------------------------------------------------------------------------------ */

struct partition {
    struct step_class class;
    struct engine_setup setup;
    struct store *store;
    struct engine *engine;
    struct arena *arena, *names;
    size_t batches, most, outputs;
    int64_t last_ms; /* of the last output */
    char last_name[NAME_BYTES];
    size_t last_bytes;
    bool looked; /* at the last record */
};

static void open_engine(struct partition *p)
{
    struct store_claim claim;

    engine_close(p->engine);
    ck_assert_int_eq(
        p->store->class->claim(p->store, "toy", 0, token, STR("id"), p->arena, &claim, NULL),
        STORE_DONE);
    ck_assert_int_eq(engine_open(&p->setup, claim.meta, claim.own, &p->engine, NULL), ERR_NONE);
}

static void open_partition(struct partition *p)
{
    static const int32_t partitions[] = {1, 1};

    *p = (struct partition){.class = toy_step_class,
                            .store = memory_store_open(),
                            .arena = arena_new(0),
                            .names = arena_new(0)};
    p->class.load = sleeper_load;
    p->class.save = sleeper_save;
    p->class.due_ms = sleeper_due;
    p->class.waits = NULL;
    p->class.lanes = NULL;
    p->class.record = sleeper_record;
    p->class.timer = sleeper_timer;
    p->setup = (struct engine_setup){.class = &p->class,
                                     .topic_partitions = partitions,
                                     .generation = 1,
                                     .cache_bytes_max = 1024 * 1024,
                                     .timers_max = TIMERS_MAX};
    open_engine(p);
}

static void close_partition(struct partition *p)
{
    engine_close(p->engine);
    p->store->class->close(p->store);
    arena_free(p->arena);
    arena_free(p->names);
}

/* Each output comes behind the one before. */
static void look_at(struct partition *p, const struct record *r)
{
    struct str last = {p->last_name, p->last_bytes};

    p->looked = !str_is(r->value, "fired");
    ck_assert(p->looked || r->timestamp_ms > p->last_ms ||
              (r->timestamp_ms == p->last_ms && str_compare(r->key, last) > 0));
    p->last_ms = r->timestamp_ms;
    p->last_bytes = r->key.len;
    memcpy(p->last_name, r->key.data, r->key.len);
    p->outputs++;
}

static size_t run_batch(struct partition *p, const struct record *records, size_t count)
{
    struct engine_batch batch;
    struct err err = {0};

    arena_reset(p->arena);
    engine_plan(p->engine, records, count);
    ck_assert_int_eq(store_fill(p->store, "toy", 0, token, p->engine, p->arena, &err), STORE_DONE);
    ck_assert_msg(engine_run(p->engine, &batch, &err) == ERR_NONE, "%s", err.text);
    for (size_t i = 0; i < batch.output_count; i++)
        look_at(p, &batch.outputs[i].record);
    p->store->class->commit_send(p->store, "toy", 0, token, engine_commit(p->engine), batch.meta,
                                 batch.subjects, batch.subject_count);
    engine_sent(p->engine);
    ck_assert_int_eq(p->store->class->commit_wait(p->store, "toy", 0, &err), STORE_DONE);
    engine_committed(p->engine);
    p->batches++;
    p->most = batch.output_count > p->most ? batch.output_count : p->most;
    return batch.done;
}

static void set_timers(struct partition *p, int64_t count)
{
    struct record records[TIMERS_MAX];

    for (int64_t at = 0; at < count;) {
        size_t n = 0;

        arena_reset(p->names);
        for (; n < TIMERS_MAX && at < count; at++)
            records[n++] = (struct record){.offset = at,
                                           .timestamp_ms = SET_MS,
                                           .key = arena_format(p->names, "s%lld", (long long)at)};
        for (size_t done = 0; done < n;)
            done += run_batch(p, records + done, n - done);
    }
}

START_TEST(very_many_timers_fire_in_bounded_batches_in_order_before_the_record_that_moved_the_time)
{
    const char *wanted = getenv("TIMERS");
    int64_t count = wanted != NULL ? strtoll(wanted, NULL, 10) : TIMERS, from_ms;
    struct record mover = {.offset = count,
                           .timestamp_ms = DUE_MS + SPAN_MS,
                           .key = STR("mover"),
                           .value = STR("looked at")};
    struct partition p;

    open_partition(&p);
    set_timers(&p, count);
    ck_assert_uint_eq(p.outputs, 0);
    p.batches = 0;
    from_ms = clock_mono_ms();
    while (run_batch(&p, &mover, 1) == 0) {
        ck_assert(!p.looked);
        ck_assert_int_eq(engine_next(p.engine), count);
        if (p.batches == 3) /* and somebody else goes on from there */
            open_engine(&p);
    }
    if (wanted != NULL)
        printf("%lld timers: %zu batches, %lld ms\n", (long long)count, p.batches,
               (long long)(clock_mono_ms() - from_ms));
    ck_assert(p.looked);
    ck_assert_int_eq(p.last_ms, mover.timestamp_ms);
    ck_assert_uint_eq(p.outputs, (size_t)count + 1);
    ck_assert_uint_le(p.most, TIMERS_MAX + 1);
    ck_assert_uint_le(p.batches, (size_t)count / TIMERS_MAX + 2);
    ck_assert_int_eq(engine_next(p.engine), count + 1);
    close_partition(&p);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        very_many_timers_fire_in_bounded_batches_in_order_before_the_record_that_moved_the_time};

    return suite_run_with("many_timers", tests, 1, 3600, NULL, NULL);
}
