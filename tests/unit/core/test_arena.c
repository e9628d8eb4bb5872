#include "core/arena.h"
#include "core/err.h"
#include "core/rng.h"
#include "tests/support/suite.h"

START_TEST(objects_are_zeroed_aligned_and_apart)
{
    struct arena *arena = arena_new(256);
    unsigned char *before = NULL;

    for (size_t i = 1; i < 200; i++) {
        unsigned char *p = arena_alloc(arena, i * 7);
        ck_assert_uint_eq((size_t)p % 16, 0);
        for (size_t j = 0; j < i * 7; j++)
            ck_assert_uint_eq(p[j], 0);
        memset(p, 0xaa, i * 7);
        if (before != NULL)
            ck_assert_uint_eq(before[0], 0xaa);
        before = p;
    }
    arena_free(arena);
}
END_TEST

START_TEST(a_reset_arena_is_empty_and_usable)
{
    struct arena *arena = arena_new(64);

    arena_format(arena, "%d words", 1000);
    ck_assert_uint_gt(arena_bytes(arena), 0);
    arena_reset(arena);
    ck_assert_uint_eq(arena_bytes(arena), 0);
    ck_assert(str_is(arena_str(arena, STR("again")), "again"));
    arena_free(arena);
}
END_TEST

START_TEST(a_mark_in_a_text_is_replaced_once)
{
    struct arena *arena = arena_new(0);
    struct str mark = STR("{x}");

    ck_assert(str_is(arena_replace(arena, STR("a.{x}.{x}"), mark, STR("b")), "a.b.{x}"));
    ck_assert(str_is(arena_replace(arena, STR("{x}"), mark, STR_EMPTY), ""));
    ck_assert(str_is(arena_replace(arena, STR("plain"), mark, STR("b")), "plain"));
    ck_assert_str_eq(arena_replace(arena, STR_EMPTY, mark, STR("b")).data, "");
    arena_free(arena);
}
END_TEST

START_TEST(an_error_gets_its_context_in_front)
{
    struct err err;

    ck_assert_int_eq(err_set(&err, ERR_KAFKA, "topic %s", "x"), ERR_KAFKA);
    ck_assert_int_eq(err_prefix(&err, "run"), ERR_KAFKA);
    ck_assert_str_eq(err.text, "run: topic x");
    ck_assert_str_eq(err_code_text(ERR_KAFKA), "Kafka");
    ck_assert_int_eq(err_set(NULL, ERR_IO, "nobody listens"), ERR_IO);
}
END_TEST

START_TEST(one_seed_gives_one_sequence)
{
    struct rng a = rng_seeded(42), b = rng_seeded(42);

    for (int i = 0; i < 1000; i++) {
        ck_assert_uint_eq(rng_next(&a), rng_next(&b));
        ck_assert_uint_lt(rng_below(&a, 10), 10);
        double unit = rng_unit(&b);
        ck_assert(unit >= 0 && unit < 1);
    }
}
END_TEST

SUITE_MAIN("arena", objects_are_zeroed_aligned_and_apart, a_reset_arena_is_empty_and_usable,
           a_mark_in_a_text_is_replaced_once, an_error_gets_its_context_in_front,
           one_seed_gives_one_sequence)
