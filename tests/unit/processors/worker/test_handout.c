/* States of three partitions, handed out to seven: each subject goes on as if nothing had happened. */
#include "processors/worker/handout.h"

#include <stdio.h>

#include "core/rng.h"
#include "processors/worker/meta.h"
#include "processors/worker/offline.h"
#include "tests/support/suite.h"
#include "tests/support/toy_step.h"

enum { BEFORE = 3, AFTER = 7, SUBJECTS = 40, RECORDS = 600, CUT = 300 };

static const int32_t outputs[] = {2, 1};

struct log { /* of all partitions, in order of time */
    struct arena *arena;
    struct record records[RECORDS];
};

static void fill(struct log *log, uint64_t seed)
{
    struct rng rng = rng_seeded(seed);
    int64_t now_ms = 1000000;

    for (int i = 0; i < RECORDS; i++) {
        char *value = arena_alloc(log->arena, 3);

        for (int k = 0; k < 3; k++)
            value[k] = (char)rng_below(&rng, 256);
        now_ms += 1 + (int64_t)rng_below(&rng, 50);
        log->records[i] =
            (struct record){.key = arena_format(log->arena, "c%d", (int)rng_below(&rng, SUBJECTS)),
                            .value = {value, 3},
                            .timestamp_ms = now_ms};
    }
}

/* Records [from, to) in their partitions, and then all of them to one time. */
static void run(struct offline **partitions, int32_t count, struct log *log, int from, int to)
{
    int64_t end_ms = log->records[to - 1].timestamp_ms;
    struct err err = {0};

    for (int i = from; i < to; i++) {
        struct record record = log->records[i];
        struct offline *o = partitions[hash_kafka_partition(record.key, count)];

        record.offset = offline_next(o);
        ck_assert_msg(offline_record(o, &record, &err) == ERR_NONE, "%s", err.text);
    }
    for (int32_t p = 0; p < count; p++)
        ck_assert_int_eq(offline_advance(partitions[p], end_ms, &err), ERR_NONE);
}

static struct offline *open_one(int32_t partition, const struct store_copy *from)
{
    const struct offline_setup setup = {.class = &toy_step_class,
                                        .partition = partition,
                                        .topic_partitions = outputs,
                                        .from = from};
    struct offline *o;
    struct err err = {0};

    ck_assert_msg(offline_open(&setup, &o, &err) == ERR_NONE, "%s", err.text);
    return o;
}

/* With the meta that `attent repartition` makes: a new generation, all at the latest time. */
static struct store_copy share_of(const struct store_copy *old, int32_t to, int64_t now_ms,
                                  struct arena *arena)
{
    struct store_copy copy = {.commit = 1};
    struct buf bytes = {0};
    struct meta meta;

    handout(old, BEFORE, AFTER, to, arena, &copy);
    meta_init(&meta, 0, 2, outputs, 2);
    meta.commit = 1;
    meta.now_ms = now_ms;
    meta_encode(&meta, &bytes);
    copy.meta = arena_str(arena, buf_str(&bytes));
    meta_free(&meta);
    buf_free(&bytes);
    return copy;
}

static struct str find(const struct store_copy *copies, int32_t count, struct str subject)
{
    struct str blob = STR_EMPTY;

    for (int32_t p = 0; p < count; p++)
        for (size_t i = 0; i < copies[p].count; i++)
            if (str_equal(copies[p].subjects[i].subject, subject)) {
                ck_assert_msg(blob.len == 0, "%.*s is in two partitions", STR_ARG(subject));
                ck_assert_int_eq(hash_kafka_partition(subject, count), p);
                blob = copies[p].subjects[i].blob;
            }
    return blob;
}

static void copy_all(struct offline **partitions, int32_t count, struct arena *arena,
                     struct store_copy *out)
{
    for (int32_t p = 0; p < count; p++)
        out[p] = offline_copy(partitions[p], arena);
}

START_TEST(subjects_that_move_to_more_partitions_go_on_as_if_nothing_had_happened)
{
    size_t kept = 0;

    for (uint64_t seed = 1; seed <= 8; seed++) {
        static struct log log;
        struct offline *before[BEFORE], *after[AFTER];
        struct store_copy middle[BEFORE], stayed[BEFORE], moved[AFTER], shares[AFTER];

        log.arena = arena_new(0);
        fill(&log, seed);
        for (int32_t p = 0; p < BEFORE; p++)
            before[p] = open_one(p, NULL);
        run(before, BEFORE, &log, 0, CUT);
        copy_all(before, BEFORE, log.arena, middle);
        for (int32_t p = 0; p < AFTER; p++) {
            shares[p] = share_of(middle, p, offline_now_ms(before[0]), log.arena);
            after[p] = open_one(p, &shares[p]);
        }
        run(before, BEFORE, &log, CUT, RECORDS);
        run(after, AFTER, &log, CUT, RECORDS);
        copy_all(before, BEFORE, log.arena, stayed);
        copy_all(after, AFTER, log.arena, moved);
        for (int i = 0; i < SUBJECTS; i++) {
            struct str subject = arena_format(log.arena, "c%d", i);
            struct str blob = find(stayed, BEFORE, subject);

            ck_assert_msg(str_equal(blob, find(moved, AFTER, subject)), "seed %d, %.*s", (int)seed,
                          STR_ARG(subject));
            kept += blob.len > 0;
        }
        for (int32_t p = 0; p < BEFORE; p++)
            offline_close(before[p]);
        for (int32_t p = 0; p < AFTER; p++)
            offline_close(after[p]);
        arena_free(log.arena);
    }
    ck_assert_uint_gt(kept, 4 * SUBJECTS); /* it is no empty play */
}
END_TEST

SUITE_MAIN("handout", subjects_that_move_to_more_partitions_go_on_as_if_nothing_had_happened)
