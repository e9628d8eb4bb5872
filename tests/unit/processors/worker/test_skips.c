/* A record that is skipped leaves nothing but its offset and its number, and a timer nothing. */
#include <stdio.h>

#include "core/check.h"
#include "core/rng.h"
#include "processors/worker/offline.h"
#include "schemas/chain.h"
#include "schemas/control.h"
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

/* states: of all subjects at the end, in the arena; NULL: nobody asks. */
static struct splits_end run_to(const struct record *records, size_t count,
                                const struct step_class *class, const struct skip_list *skips,
                                uint64_t seed, struct store_copy *states)
{
    static const int32_t partitions[] = {3, 2};
    struct rng rng = rng_seeded(seed);
    struct splits_end end = {0};
    const struct offline_setup setup = {.class = class,
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
    if (states != NULL)
        *states = offline_copy(o, arena);
    offline_close(o);
    return end;
}

static struct splits_end run(const struct record *records, size_t count,
                             const struct skip_list *skips, uint64_t seed)
{
    return run_to(records, count, &toy_step_class, skips, seed, NULL);
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

/* --- timers ----------------------------------------------------------------------------------------- */

enum { FIRED_MAX = 1000 };

static struct {
    char name[8];
    int64_t due_ms;
} fired[FIRED_MAX];
static size_t fired_count;

static void see_timer(struct step *step, void *state, int64_t due_ms, int64_t now_ms,
                      struct arena *a, struct outputs *out, bool *changed)
{
    struct str name = *(const struct str *)state; /* the first thing in a toy's state */

    ck_assert_uint_lt(fired_count, FIRED_MAX);
    snprintf(fired[fired_count].name, sizeof fired[0].name, "%.*s", STR_ARG(name));
    fired[fired_count++].due_ms = due_ms;
    toy_step_class.timer(step, state, due_ms, now_ms, a, out, changed);
}

static void check_others(const struct store_copy *a, const struct store_copy *b, const char *but)
{
    size_t same = 0;

    for (size_t i = 0; i < a->count; i++)
        for (size_t k = 0; k < b->count; k++)
            if (a->subjects[i].subject.len != 0 && !str_is(a->subjects[i].subject, but) &&
                str_equal(a->subjects[i].subject, b->subjects[k].subject)) {
                ck_assert(str_equal(a->subjects[i].blob, b->subjects[k].blob));
                same++;
            }
    ck_assert_uint_ge(same, 3);
}

/* The same however the log is split, timers of lanes too; and nobody else notices. */
START_TEST(a_skipped_timer_never_fires_and_concerns_its_subject_alone)
{
    static const struct header control = {STR(CONTROL_HEADER), STR("toy")};
    struct step_class class = toy_step_class;
    struct record records[RECORDS];
    struct store_copy all, without;
    size_t count;

    class.timer = see_timer;
    invent(records, 5, false);
    for (int i = 9; i < RECORDS; i += 10) {
        records[i].headers = &control;
        records[i].header_count = 1;
    }
    fired_count = 0;
    run_to(records, RECORDS, &class, NULL, 1, &all);
    count = fired_count;
    ck_assert_uint_gt(count, 50);
    for (size_t at = 0; at < count; at += 5) {
        struct skip skip = {.spot = {STR("in"), 1, 0}, .of_timer = true};
        struct skip_list skips = {0};
        struct splits_end right = {0};
        char name[sizeof fired[0].name];

        memcpy(name, fired[at].name, sizeof name);
        skip.timer = skip_timer_of(str_of(name), fired[at].due_ms);
        skip_list_take(&skips, &skip);
        for (uint64_t seed = 1; seed <= SPLITS; seed++) {
            struct splits_end end;

            fired_count = count;
            end = run_to(records, RECORDS, &class, &skips, seed, &without);
            for (size_t i = count; i < fired_count; i++)
                ck_assert(strcmp(fired[i].name, name) != 0 || fired[i].due_ms != skip.timer.due_ms);
            if (seed == 1)
                right = end;
            check_equal(&end, &right, (int)at);
            check_others(&all, &without, name);
        }
        skip_list_free(&skips);
    }
}
END_TEST

SUITE_MAIN_AROUND("skips", set_up, tear_down, a_skip_is_as_if_the_record_had_never_been,
                  a_skipped_record_keeps_its_number,
                  a_skipped_timer_never_fires_and_concerns_its_subject_alone)
