#include "processors/dispatch/sources.h"
#include "tests/support/sample.h"
#include "tests/support/suite.h"

/* Numbered records of one source, each with its number as its value. */
struct stream {
    struct arena *arena;
    struct chain last;
    const char *from;
    uint64_t generation;
};

static struct stream stream_of(const char *from)
{
    return (struct stream){.arena = arena_new(0), .from = from, .generation = 1};
}

static struct record next_of(struct stream *s)
{
    struct record record = {.key = STR("C-1"),
                            .value = arena_format(s->arena, "%d", (int)s->last.number)};

    return sample_numbered(record, &s->last, s->from, s->generation, s->arena);
}

static enum taken_verdict take(struct sources *sources, struct record record)
{
    return sources_take(sources, &record, NULL);
}

START_TEST(each_number_is_taken_once_and_in_order)
{
    struct stream s = stream_of("decide/0");
    struct sources *sources = sources_new();
    struct record first = next_of(&s), second = next_of(&s), third = next_of(&s);

    ck_assert_int_eq(take(sources, first), TAKEN_NEXT);
    ck_assert_int_eq(take(sources, first), TAKEN_REPEAT);
    ck_assert_int_eq(take(sources, third), TAKEN_GAP);
    ck_assert_uint_eq(sources_gaps(sources)->items[0].missing, 2);
    ck_assert_int_eq(take(sources, second), TAKEN_NEXT);
    ck_assert_uint_eq(sources_gaps(sources)->count, 0);
    ck_assert_int_eq(take(sources, third), TAKEN_NEXT);
    sources_free(sources);
    arena_free(s.arena);
}
END_TEST

START_TEST(what_was_taken_is_taken_back_by_a_rollback)
{
    struct stream s = stream_of("decide/0"), t = stream_of("decide/1");
    struct sources *sources = sources_new();
    struct record first = next_of(&s), second = next_of(&s), other = next_of(&t);
    size_t at = 0;

    take(sources, first);
    sources_commit(sources);
    ck_assert_ptr_null(sources_next_change(sources, &at));
    take(sources, second);
    take(sources, other);
    ck_assert_uint_eq(sources_next_change(sources, &at)->number, 2);
    ck_assert(str_is(sources_next_change(sources, &at)->from, "decide/1"));
    ck_assert_ptr_null(sources_next_change(sources, &at));
    sources_rollback(sources);
    ck_assert_int_eq(take(sources, first), TAKEN_REPEAT);
    ck_assert_int_eq(take(sources, second), TAKEN_NEXT);
    ck_assert_int_eq(take(sources, other), TAKEN_NEXT);
    sources_free(sources);
    arena_free(s.arena);
    arena_free(t.arena);
}
END_TEST

START_TEST(a_broken_chain_stops_its_source_and_no_other)
{
    struct stream s = stream_of("decide/0"), t = stream_of("decide/1");
    struct sources *sources = sources_new();
    struct record second, third;
    struct err err = {0};

    take(sources, next_of(&s));
    second = next_of(&s);
    third = next_of(&s);
    second.value = STR("something else");
    ck_assert_int_eq(sources_take(sources, &second, &err), TAKEN_BROKEN);
    ck_assert_int_eq(err.code, ERR_STATE);
    err = (struct err){0};
    ck_assert_int_eq(sources_take(sources, &third, &err), TAKEN_BROKEN);
    ck_assert_int_eq(err.code, ERR_NONE); /* said once */
    ck_assert_uint_eq(sources_stopped(sources), 1);
    ck_assert_int_eq(take(sources, next_of(&t)), TAKEN_NEXT);
    sources_free(sources);
    arena_free(s.arena);
    arena_free(t.arena);
}
END_TEST

START_TEST(it_goes_on_where_the_ledger_says)
{
    struct stream s = stream_of("decide/0");
    struct sources *sources = sources_new();
    struct record first = next_of(&s), second;
    const struct taken_source known = {STR("decide/0"), 1, s.last.number, s.last.hash};

    second = next_of(&s);
    sources_restore(sources, &known);
    ck_assert_int_eq(take(sources, first), TAKEN_REPEAT);
    ck_assert_int_eq(take(sources, second), TAKEN_NEXT);
    sources_free(sources);
    arena_free(s.arena);
}
END_TEST

START_TEST(a_generation_that_json_cannot_hold_is_junk)
{
    struct stream s = stream_of("decide/0");
    struct sources *sources = sources_new();

    s.generation = UINT64_C(9999999999999999999);
    ck_assert_int_eq(take(sources, next_of(&s)), TAKEN_JUNK);
    sources_free(sources);
    arena_free(s.arena);
}
END_TEST

SUITE_MAIN("sources", each_number_is_taken_once_and_in_order,
           what_was_taken_is_taken_back_by_a_rollback, a_broken_chain_stops_its_source_and_no_other,
           it_goes_on_where_the_ledger_says, a_generation_that_json_cannot_hold_is_junk)
