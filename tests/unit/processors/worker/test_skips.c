/* A record that is skipped leaves nothing but its offset and its number. */
#include "core/check.h"
#include "core/rng.h"
#include "processors/worker/offline.h"
#include "schemas/chain.h"
#include "tests/support/splits.h"
#include "tests/support/suite.h"
#include "tests/support/toy_step.h"

enum { RECORDS = 120, SPLITS = 4 };

static struct arena *arena;

static void set_up(void)
{
    arena = arena_new(0);
}

static void tear_down(void)
{
    arena_free(arena);
}

static void invent(struct record records[RECORDS], uint64_t seed, bool numbered)
{
    struct rng rng = rng_seeded(seed);
    struct chain chain = {0};
    struct buf scratch = {0};
    int64_t now_ms = 1000000;

    for (int i = 0; i < RECORDS; i++) {
        struct header *headers = ARENA_ARRAY(arena, struct header, CHAIN_HEADERS);
        char *value = arena_alloc(arena, 3);

        for (int k = 0; k < 3; k++)
            value[k] = (char)rng_below(&rng, 256);
        now_ms += 10 * (int64_t)rng_below(&rng, 40);
        records[i] = (struct record){.topic = STR("in"),
                                     .partition = 1,
                                     .offset = i,
                                     .timestamp_ms = now_ms,
                                     .key = arena_format(arena, "c%d", (int)rng_below(&rng, 6)),
                                     .value = {value, 3}};
        if (!numbered)
            continue;
        chain_stamp(&chain, 1, STR("other/0"), &records[i], &scratch,
                    ARENA_NEW(arena, struct chain_stamp), headers);
        records[i].headers = headers;
        records[i].header_count = CHAIN_HEADERS;
    }
    buf_free(&scratch);
}

static struct splits_end run(const struct record *records, size_t count,
                             const struct skip_list *skips, uint64_t seed)
{
    static const int32_t partitions[] = {3, 2};
    struct rng rng = rng_seeded(seed);
    struct splits_end end = {0};
    const struct offline_setup setup = {.class = &toy_step_class,
                                        .partition = 1,
                                        .topic_partitions = partitions,
                                        .skips = skips,
                                        .context = &end,
                                        .output = splits_add};
    struct offline *o;

    ck_assert_int_eq(offline_open(&setup, &o, NULL), ERR_NONE);
    for (size_t at = 0, n; at < count; at += n) {
        n = 1 + rng_below(&rng, 9);
        n = n < count - at ? n : count - at;
        ck_assert_int_eq(offline_records(o, records + at, n, NULL), ERR_NONE);
    }
    end.state = offline_digest(o);
    end.now_ms = offline_now_ms(o);
    end.next = offline_next(o);
    offline_close(o);
    return end;
}

static void check_equal(const struct splits_end *a, const struct splits_end *b, int skipped)
{
    ck_assert_msg(memcmp(&a->outputs, &b->outputs, sizeof a->outputs) == 0 &&
                      a->output_count == b->output_count,
                  "outputs differ: %d", skipped);
    ck_assert_msg(memcmp(&a->state, &b->state, sizeof a->state) == 0, "states differ: %d", skipped);
    ck_assert_int_eq(a->now_ms, b->now_ms);
}

START_TEST(a_skip_is_as_if_the_record_had_never_been)
{
    struct record records[RECORDS], without[RECORDS];

    for (int skipped = 0; skipped < RECORDS - 1; skipped += 7) {
        struct skip_list skips = {0};
        struct splits_end right;

        invent(records, (uint64_t)skipped, false);
        memcpy(without, records, (size_t)skipped * sizeof *records);
        memcpy(without + skipped, records + skipped + 1,
               (size_t)(RECORDS - skipped - 1) * sizeof *records);
        right = run(without, RECORDS - 1, NULL, 1);
        skip_list_add(&skips, 1, skipped);
        skip_list_add(&skips, 0, skipped + 1); /* of another partition */
        for (uint64_t seed = 1; seed <= SPLITS; seed++) {
            struct splits_end end = run(records, RECORDS, &skips, seed);

            check_equal(&end, &right, skipped);
            ck_assert_int_eq(end.next, right.next);
        }
        skip_list_free(&skips);
    }
}
END_TEST

/* So what has a number behind it is taken, and comes to the same as where nothing is numbered. */
START_TEST(a_skipped_record_keeps_its_number)
{
    struct record records[RECORDS], plain[RECORDS];

    for (int skipped = 3; skipped < RECORDS - 1; skipped += 11) {
        struct skip_list skips = {0};
        struct splits_end end, right;

        invent(records, (uint64_t)skipped, true);
        invent(plain, (uint64_t)skipped, false);
        memmove(plain + skipped, plain + skipped + 1,
                (size_t)(RECORDS - skipped - 1) * sizeof *plain);
        skip_list_add(&skips, 1, skipped);
        end = run(records, RECORDS, &skips, 2);
        right = run(plain, RECORDS - 1, NULL, 1);
        check_equal(&end, &right, skipped);
        skip_list_free(&skips);
    }
}
END_TEST

SUITE_MAIN_AROUND("skips", set_up, tear_down, a_skip_is_as_if_the_record_had_never_been,
                  a_skipped_record_keeps_its_number)
