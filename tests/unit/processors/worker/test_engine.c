/* The engine's one promise: however a log is cut into batches, whatever is cached, forgotten,
 * failed and started again, outputs and states are the same to the byte. */
#include "processors/worker/engine.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/check.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/rng.h"
#include "processors/worker/memory_store.h"
#include "processors/worker/offline.h"
#include "tests/support/splits.h"
#include "tests/support/suite.h"
#include "tests/support/toy_step.h"

enum { LOG_RECORDS = 400, STREAM_RECORDS = 100, PARTITIONS = 3 };

struct log { /* a random history of one partition */
    struct arena *arena;
    struct record *records;
    size_t count;
};

static struct record random_record(struct log *log, struct rng *rng, int64_t *now_ms)
{
    size_t bytes = 2 + rng_below(rng, 3);
    char *value = arena_alloc(log->arena, bytes);
    struct record r = {.topic = STR("in"), .partition = 1};

    for (size_t i = 0; i < bytes; i++)
        value[i] = (char)rng_below(rng, 256);
    *now_ms += 10 * (int64_t)rng_below(rng, rng_below(rng, 20) == 0 ? 200 : 6);
    r.timestamp_ms = *now_ms - (rng_below(rng, 4) == 0 ? 10 * (int64_t)rng_below(rng, 50) : 0);
    r.key = arena_format(log->arena, "c%d", (int)rng_below(rng, 12));
    r.value = (struct str){value, bytes};
    if (rng_below(rng, 30) == 0)
        r.key = STR_EMPTY;
    return r;
}

static void set_header(struct log *log, struct record *r, struct str name, struct str value)
{
    struct header *h = ARENA_NEW(log->arena, struct header);

    *h = (struct header){name, value};
    r->headers = h;
    r->header_count = 1;
}

/* What a numbered source writes; it may write it again, and a part may come before another. */
static void fill_stream(struct log *log, struct rng *rng, struct record stream[STREAM_RECORDS])
{
    struct chain chain = {0};
    struct buf scratch = {0};
    int64_t now_ms = 1000000;

    for (int i = 0; i < STREAM_RECORDS; i++) {
        struct header *headers = ARENA_ARRAY(log->arena, struct header, CHAIN_HEADERS);

        stream[i] = random_record(log, rng, &now_ms);
        chain_stamp(&chain, 1, STR("other/0"), &stream[i], &scratch,
                    ARENA_NEW(log->arena, struct chain_stamp), headers);
        stream[i].headers = headers;
        stream[i].header_count = CHAIN_HEADERS;
    }
    buf_free(&scratch);
}

static struct log log_new(uint64_t seed)
{
    struct rng rng = rng_seeded(seed);
    struct log log = {.arena = arena_new(0)};
    struct record stream[STREAM_RECORDS];
    int64_t now_ms = 1000000, offset = 5;
    size_t sent = 0;

    fill_stream(&log, &rng, stream);
    log.records = ARENA_ARRAY(log.arena, struct record, LOG_RECORDS);
    while (log.count < LOG_RECORDS) {
        struct record r = random_record(&log, &rng, &now_ms);
        uint64_t kind = rng_below(&rng, 40);

        if (kind == 0)
            set_header(&log, &r, STR(CONTROL_HEADER), STR(CONTROL_ACTIVATE));
        else if (kind < 4)
            set_header(&log, &r, STR(CONTROL_HEADER), STR(CONTROL_TICK));
        else if (kind < 12 && sent < STREAM_RECORDS) {
            r = stream[sent];
            if (rng_below(&rng, 6) == 0) /* back: repeats, or ahead: a gap */
                sent = rng_below(&rng, STREAM_RECORDS / 4) + sent / 2;
            else
                sent++;
        }
        r.offset = offset;
        offset += 1 + (rng_below(&rng, 10) == 0); /* transaction markers */
        log.records[log.count++] = r;
    }
    return log;
}

static const int32_t partitions[] = {PARTITIONS, 1};

START_TEST(any_split_of_a_log_gives_the_same_outputs_and_states)
{
    const char *only = getenv("SEED");
    uint64_t from = only != NULL ? strtoull(only, NULL, 10) : 1;
    uint64_t to = only != NULL ? from : 25;
    struct splits_met met = {0};
    size_t outputs = 0;

    for (uint64_t seed = from; seed <= to; seed++) {
        struct log log = log_new(seed);
        struct splits splits = {.class = &toy_step_class,
                                .topic_partitions = partitions,
                                .records = log.records,
                                .count = log.count,
                                .met = &met};

        outputs += splits_compare(&splits, seed, 4).output_count;
        arena_free(log.arena);
    }
    ck_assert_uint_gt(outputs, only != NULL ? 0 : 2000); /* it is no empty play */
    ck_assert_uint_gt(met.overlaps, only != NULL ? 0 : 1000);
    ck_assert_uint_gt(met.fell_together, only != NULL ? 0 : 20);
}
END_TEST

/* A snapshot is taken after any record: whoever goes on from it ends where the others end, with states,
 * timers and the numbers of outputs. */
START_TEST(a_run_from_a_copy_ends_as_one_from_the_beginning)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct log log = log_new(seed);
        struct offline_setup setup = {
            .class = &toy_step_class, .partition = 1, .topic_partitions = partitions};
        size_t cut = seed * LOG_RECORDS / 13;
        struct offline *whole, *rest;
        struct store_copy copy, ends[2];
        struct err err = {0};

        ck_assert_int_eq(offline_open(&setup, &whole, &err), ERR_NONE);
        ck_assert_int_eq(offline_records(whole, log.records, cut, &err), ERR_NONE);
        copy = offline_copy(whole, log.arena);
        setup.from = &copy;
        ck_assert_msg(offline_open(&setup, &rest, &err) == ERR_NONE, "%s", err.text);
        ck_assert_int_eq(offline_next(rest), offline_next(whole));
        ck_assert_int_eq(offline_due_next(rest),
                         STEP_NO_TIMER); /* in the store, not in memory yet */
        for (int i = 0; i < 2; i++) {
            struct offline *o = i == 0 ? whole : rest;

            ck_assert_int_eq(offline_records(o, log.records + cut, log.count - cut, &err),
                             ERR_NONE);
            ends[i] = offline_copy(o, log.arena);
        }
        ck_assert(str_equal(ends[0].meta, ends[1].meta));
        ck_assert_uint_eq(ends[0].count, ends[1].count);
        for (size_t i = 0; i < ends[0].count; i++)
            ck_assert(str_equal(ends[0].subjects[i].subject, ends[1].subjects[i].subject) &&
                      str_equal(ends[0].subjects[i].blob, ends[1].subjects[i].blob));
        offline_close(whole);
        offline_close(rest);
        arena_free(log.arena);
    }
}
END_TEST

/* --- exact cases --------------------------------------------------------------------------- */

struct seen {
    int64_t at_ms[32];
    size_t count;
};

static void note(void *context, int topic, const struct record *r)
{
    struct seen *seen = context;

    (void)topic;
    seen->at_ms[seen->count++] = r->timestamp_ms;
}

/* A step that knows the letters a: set a timer 100 ms from now, p: one 50 ms ago. */
struct simple {
    int64_t due_ms;
};

static enum err_code simple_load(struct step *step, struct str subject, struct str blob,
                                 struct arena *arena, void **state, struct err *err)
{
    struct simple *s = ARENA_NEW(arena, struct simple);
    struct reader r = reader_of(blob);

    (void)step, (void)subject, (void)err;
    s->due_ms = blob.len > 0 ? (int64_t)reader_u64(&r) : STEP_NO_TIMER;
    *state = s;
    return ERR_NONE;
}

static void simple_save(const struct step *step, const void *state, struct buf *out)
{
    (void)step;
    if (((const struct simple *)state)->due_ms != STEP_NO_TIMER)
        buf_put_u64(out, (uint64_t)((const struct simple *)state)->due_ms);
}

static int64_t simple_due(const struct step *step, const void *state)
{
    (void)step;
    return ((const struct simple *)state)->due_ms;
}

static void simple_record(struct step *step, void *state, const struct record *record,
                          int64_t now_ms, struct arena *arena, struct outputs *out, bool *changed)
{
    (void)step, (void)arena, (void)out;
    ((struct simple *)state)->due_ms = record->value.data[0] == 'a' ? now_ms + 100 : now_ms - 50;
    *changed = true;
}

static void simple_timer(struct step *step, void *state, int64_t due_ms, int64_t now_ms,
                         struct arena *arena, struct outputs *out, bool *changed)
{
    (void)step, (void)arena, (void)due_ms;
    ((struct simple *)state)->due_ms = STEP_NO_TIMER;
    outputs_add(out, 0, now_ms, STR("k"), STR("fired"), NULL, 0);
    *changed = true;
}

static struct step_class simple_class(void)
{
    struct step_class class = toy_step_class;

    class.load = simple_load;
    class.save = simple_save;
    class.due_ms = simple_due;
    class.waits = NULL;
    class.lanes = NULL;
    class.record = simple_record;
    class.timer = simple_timer;
    return class;
}

static struct record at(int64_t at_ms, const char *value)
{
    static int64_t offset;

    return (struct record){
        .key = STR("k"), .value = str_of(value), .timestamp_ms = at_ms, .offset = offset++};
}

START_TEST(a_timer_sees_its_due_time_before_the_record_that_passes_it)
{
    struct step_class class = simple_class();
    struct seen seen = {0};
    struct offline_setup setup = {.class = &class, .context = &seen, .output = note};
    struct record first = at(1000, "a"), second = at(5000, "p"), third = at(4000, "a");
    struct offline *o;
    struct err err;

    ck_assert_int_eq(offline_open(&setup, &o, &err), ERR_NONE);
    ck_assert_int_eq(offline_due_next(o), STEP_NO_TIMER);
    ck_assert_int_eq(offline_record(o, &first, &err), ERR_NONE);
    ck_assert_int_eq(offline_due_next(o), 1100);
    ck_assert_int_eq(offline_record(o, &second, &err), ERR_NONE);
    ck_assert_uint_eq(seen.count, 2);
    ck_assert_int_eq(seen.at_ms[0], 1100);
    ck_assert_int_eq(seen.at_ms[1], 5000); /* set in the past: fires at once, at the present */
    ck_assert_int_eq(offline_record(o, &third, &err), ERR_NONE);
    ck_assert_int_eq(offline_now_ms(o), 5000); /* never goes back */
    ck_assert_int_eq(offline_due_next(o), 5100);
    ck_assert_int_eq(offline_advance(o, 5099, &err), ERR_NONE);
    ck_assert_uint_eq(seen.count, 2);
    ck_assert_int_eq(offline_advance(o, 9000, &err), ERR_NONE);
    ck_assert_uint_eq(seen.count, 3);
    ck_assert_int_eq(seen.at_ms[2], 5100);
    ck_assert_int_eq(offline_now_ms(o), 9000);
    ck_assert_int_eq(offline_next(o), third.offset + 1);
    offline_close(o);
}
END_TEST

START_TEST(a_changed_chain_stops_the_partition)
{
    struct chain chain = {0};
    struct buf scratch = {0};
    struct chain_stamp stamp;
    struct header headers[CHAIN_HEADERS];
    struct offline_setup setup = {.class = &toy_step_class};
    struct record r = at(1000, "ab");
    struct offline *o;
    struct err err;

    chain_stamp(&chain, 1, STR("other/0"), &r, &scratch, &stamp, headers);
    r.headers = headers;
    r.header_count = CHAIN_HEADERS;
    r.value = STR("ac");
    ck_assert_int_eq(offline_open(&setup, &o, &err), ERR_NONE);
    ck_assert_int_eq(offline_record(o, &r, &err), ERR_STATE);
    ck_assert_ptr_nonnull(strstr(err.text, "other/0"));
    offline_close(o);
    buf_free(&scratch);
}
END_TEST

static const char token[] = "0123456789abcdef0123456789abcdef";

static struct engine *reopen(struct store *store, const struct engine_setup *setup)
{
    struct arena *arena = arena_new(0);
    struct store_claim claim;
    struct engine *p;
    struct err err = {0};

    ck_assert_int_eq(store->class->claim(store, "toy", 1, token, STR("id"), arena, &claim, &err),
                     STORE_DONE);
    ck_assert_msg(engine_open(setup, claim.meta, claim.own, &p, &err) == ERR_NONE, "%s", err.text);
    arena_free(arena);
    return p;
}

START_TEST(a_damaged_state_stops_the_partition)
{
    struct store *store = memory_store_open();
    struct engine_setup setup = {.class = &toy_step_class,
                                 .number = 1,
                                 .generation = 1,
                                 .topic_partitions = partitions,
                                 .timers_max = 8};
    struct store_subject bad = {.subject = STR("k"), .blob = STR("rubbish bytes")};
    struct engine *p = reopen(store, &setup);
    struct arena *arena = arena_new(0);
    struct record r = at(1000, "ab");
    struct engine_batch batch;
    struct err err;

    r.offset = 0;
    store->class->commit_send(store, "toy", 1, token, 0, STR_EMPTY, &bad, 1);
    engine_close(p);
    p = reopen(store, &setup);
    engine_plan(p, &r, 1);
    ck_assert_int_eq(store_fill(store, "toy", 1, token, p, arena, &err), STORE_GAP);
    engine_close(p);
    store->class->close(store);
    store = memory_store_open();
    p = reopen(store, &setup);
    engine_plan(p, &r, 1);
    size_t count;
    struct store_subject *missing;
    int64_t due_ms;
    size_t max;
    struct store_lane lane;
    struct str after, whose;
    char name[LOG_CUSTOMER_SIZE];

    while (engine_wants_timers(p, &lane, &due_ms, &after, &max))
        engine_add_timers(p, lane, NULL, 0, false);
    missing = engine_missing(p, &count);
    ck_assert_uint_eq(count, 1);
    missing[0].blob = bad.blob;
    engine_fill(p, missing, count);
    ck_assert_int_eq(engine_run(p, &batch, &err), ERR_STATE);
    whose = log_customer(STR("k"), name);
    ck_assert_msg(str_contains(str_of(err.text),
                               arena_format(arena, "the state of %.*s cannot be read: version 114",
                                            STR_ARG(whose))),
                  "%s", err.text);
    ck_assert_ptr_nonnull(strstr(err.text, "`attent restore` puts the partition back"));
    ck_assert_ptr_nonnull(strstr(err.text, "attent init --step toy --partition 1 --from"));
    engine_close(p);
    store->class->close(store);
    arena_free(arena);
}
END_TEST

SUITE_MAIN("engine", a_run_from_a_copy_ends_as_one_from_the_beginning,
           any_split_of_a_log_gives_the_same_outputs_and_states,
           a_timer_sees_its_due_time_before_the_record_that_passes_it,
           a_changed_chain_stops_the_partition, a_damaged_state_stops_the_partition)
