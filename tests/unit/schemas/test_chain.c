#include "schemas/chain.h"

#include "core/rng.h"
#include "tests/support/suite.h"

enum { STREAM = 60 };

struct written { /* a stamped record that keeps its own texts */
    struct record record;
    struct header headers[2 + CHAIN_HEADERS];
    struct chain_stamp stamp;
    char value[8];
};

static struct buf scratch;

static void write_next(struct chain *chain, uint64_t generation, const char *value,
                       struct written *w)
{
    *w = (struct written){.headers = {{STR("ce_id"), STR("1")}, {STR("traceparent"), STR("t")}}};
    strncpy(w->value, value, sizeof w->value - 1);
    w->record = (struct record){.topic = STR("in"),
                                .timestamp_ms = 5,
                                .key = STR("k"),
                                .value = str_of(w->value),
                                .headers = w->headers,
                                .header_count = 2};
    chain_stamp(chain, generation, STR("decide/3"), &w->record, &scratch, &w->stamp,
                w->headers + 2);
    w->record.header_count = 2 + CHAIN_HEADERS;
}

static enum taken_verdict give(struct taken *taken, const struct written *w)
{
    struct taken_source source;
    enum taken_verdict verdict = taken_look(taken, &w->record, &scratch, &source, NULL);

    if (verdict == TAKEN_NEXT)
        taken_advance(taken, &source);
    return verdict;
}

START_TEST(a_reader_takes_each_number_once_and_in_order)
{
    struct chain chain = {0};
    struct taken taken = {0};
    struct written w[4];

    for (int i = 0; i < 4; i++)
        write_next(&chain, 1, (const char *[]){"a", "b", "c", "d"}[i], &w[i]);
    ck_assert(str_is(record_header(&w[1].record, STR(CHAIN_SEQ_HEADER)), "1.2"));
    ck_assert_int_eq(give(&taken, &w[1]), TAKEN_GAP);
    ck_assert_int_eq(give(&taken, &w[0]), TAKEN_NEXT);
    ck_assert_int_eq(give(&taken, &w[0]), TAKEN_REPEAT);
    ck_assert_int_eq(give(&taken, &w[1]), TAKEN_NEXT);
    ck_assert_int_eq(give(&taken, &w[3]), TAKEN_GAP);
    ck_assert_int_eq(give(&taken, &w[0]), TAKEN_REPEAT);
    ck_assert_int_eq(give(&taken, &w[2]), TAKEN_NEXT);
    ck_assert_int_eq(give(&taken, &w[3]), TAKEN_NEXT);
    ck_assert_uint_eq(taken_find(&taken, STR("decide/3"))->number, 4);
    taken_free(&taken);
}
END_TEST

START_TEST(numbers_may_be_as_long_as_they_get)
{
    struct chain chain = {.number = UINT64_MAX - 1};
    struct written w;

    write_next(&chain, UINT64_MAX, "a", &w);
    ck_assert(str_is(record_header(&w.record, STR(CHAIN_SEQ_HEADER)),
                     "18446744073709551615.18446744073709551615"));
}
END_TEST

START_TEST(other_content_under_a_number_is_a_broken_chain)
{
    struct chain chain = {0}, other;
    struct taken taken = {0};
    struct written first, second, changed, next;

    write_next(&chain, 1, "a", &first);
    other = chain;
    write_next(&chain, 1, "b", &second);
    write_next(&other, 1, "x", &changed);
    write_next(&other, 1, "c", &next);
    ck_assert_int_eq(give(&taken, &first), TAKEN_NEXT);
    ck_assert_int_eq(give(&taken, &second), TAKEN_NEXT);
    ck_assert_int_eq(give(&taken, &changed), TAKEN_BROKEN); /* the last one, but not the same */
    ck_assert_int_eq(give(&taken, &next), TAKEN_BROKEN);    /* follows from what I do not have */
    taken_free(&taken);
}
END_TEST

/* Each part of what a record is. */
START_TEST(the_chain_covers_key_time_ce_headers_and_body)
{
    struct chain chain = {0};
    struct taken taken = {0};
    struct written w, v;

    write_next(&chain, 1, "a", &w);
    v = w;
    v.record.headers = v.headers;
    v.record.key = STR("K");
    ck_assert_int_eq(give(&taken, &v), TAKEN_BROKEN);
    v.record.key = w.record.key;
    v.record.timestamp_ms++;
    ck_assert_int_eq(give(&taken, &v), TAKEN_BROKEN);
    v.record.timestamp_ms--;
    v.record.value = STR("A");
    ck_assert_int_eq(give(&taken, &v), TAKEN_BROKEN);
    v.record.value = w.record.value;
    v.headers[0].value = STR("2");
    ck_assert_int_eq(give(&taken, &v), TAKEN_BROKEN);
    v.headers[0].value = STR("1");
    v.headers[1].value = STR("another trace");
    ck_assert_int_eq(give(&taken, &v), TAKEN_NEXT);
    taken_free(&taken);
}
END_TEST

START_TEST(a_new_generation_starts_at_one_and_ends_the_old)
{
    struct chain old = {0}, fresh = {0};
    struct taken taken = {0};
    struct written a, b, c, d;

    write_next(&old, 1, "a", &a);
    write_next(&old, 1, "b", &b);
    write_next(&fresh, 2, "c", &c);
    write_next(&fresh, 2, "d", &d);
    ck_assert_int_eq(give(&taken, &a), TAKEN_NEXT);
    ck_assert_int_eq(give(&taken, &d), TAKEN_GAP);
    ck_assert_int_eq(give(&taken, &c), TAKEN_NEXT);
    ck_assert_int_eq(give(&taken, &b), TAKEN_OLD);
    ck_assert_int_eq(give(&taken, &d), TAKEN_NEXT);
    taken_free(&taken);
}
END_TEST

START_TEST(records_of_strangers_are_plain_or_junk)
{
    static const char *const bad[] = {
        "", "1", "1.", ".1", "0.1", "1.0", "1.1x", "-1.1", "1.99999999999999999999"};
    struct taken taken = {0};
    struct taken_source source;
    struct chain chain = {0};
    struct written w;
    struct record plain = {.value = STR("x")};

    ck_assert_int_eq(taken_look(&taken, &plain, &scratch, &source, NULL), TAKEN_PLAIN);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        chain = (struct chain){0};
        write_next(&chain, 1, "a", &w);
        w.headers[3].value = str_of(bad[i]);
        ck_assert_int_eq(give(&taken, &w), TAKEN_JUNK);
    }
    chain = (struct chain){0};
    write_next(&chain, 1, "a", &w);
    w.headers[4].value = STR("0123");
    ck_assert_int_eq(give(&taken, &w), TAKEN_JUNK);
    w.headers[4].value = STR("0123456789abcdef0123456789abcdeg");
    ck_assert_int_eq(give(&taken, &w), TAKEN_JUNK);
    ck_assert_uint_eq(taken.count, 0);
}
END_TEST

/* A writer that dies and starts again somewhere before its last record, over and over. */
START_TEST(whatever_order_they_come_in_all_are_taken_once)
{
    static struct written w[STREAM];

    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct rng rng = rng_seeded(seed);
        struct chain chain = {0};
        struct taken taken = {0};
        uint64_t count = 0;

        for (size_t i = 0; i < STREAM; i++)
            write_next(&chain, 1, (const char[]){(char)('a' + i % 26), 0}, &w[i]);
        while (count < STREAM) {
            uint64_t from = rng_below(&rng, STREAM), to = from + rng_below(&rng, STREAM);

            for (uint64_t i = from; i < to && i < STREAM; i++) {
                enum taken_verdict verdict = give(&taken, &w[i]);

                ck_assert_int_ne(verdict, TAKEN_BROKEN);
                if (verdict == TAKEN_NEXT)
                    ck_assert_uint_eq(++count, i + 1);
            }
        }
        taken_free(&taken);
    }
}
END_TEST

START_TEST(sources_are_kept_sorted_by_name)
{
    struct taken taken = {0};
    struct taken_source s = {.generation = 1, .number = 1};
    const char *names[] = {"b/1", "a/2", "c/1", "a/1", "b/1"};

    for (size_t i = 0; i < 5; i++) {
        s.from = str_of(names[i]);
        s.number = i;
        taken_advance(&taken, &s);
    }
    ck_assert_uint_eq(taken.count, 4);
    for (size_t i = 1; i < taken.count; i++)
        ck_assert(str_compare(taken.sources[i - 1].from, taken.sources[i].from) < 0);
    ck_assert_uint_eq(taken_find(&taken, STR("b/1"))->number, 4);
    ck_assert_ptr_null(taken_find(&taken, STR("d/1")));
    taken_free(&taken);
}
END_TEST

/* Whoever begins in the middle knows which number comes next, and not what was before it. */
START_TEST(an_unknown_chain_is_taken_at_its_word_once)
{
    struct chain chain = {0}, other;
    struct taken taken = {0};
    struct written w[4], wrong;

    for (int i = 0; i < 4; i++)
        write_next(&chain, 3, "abcd", &w[i]);
    other = chain;
    other.number = 2;
    write_next(&other, 3, "zzzz", &wrong); /* number 3 from another chain */
    taken_advance(&taken, &(struct taken_source){STR("decide/3"), 3, 1, CHAIN_UNKNOWN});
    ck_assert_int_eq(give(&taken, &w[0]), TAKEN_REPEAT);
    ck_assert_int_eq(give(&taken, &w[2]), TAKEN_GAP);
    ck_assert_int_eq(give(&taken, &w[1]), TAKEN_NEXT);
    ck_assert_int_eq(give(&taken, &wrong), TAKEN_BROKEN);
    ck_assert_int_eq(give(&taken, &w[2]), TAKEN_NEXT);
    taken_free(&taken);
}
END_TEST

/* A new state that knows only that a generation has begun: the older are over, the first one is
 * checked from its origin. */
START_TEST(a_generation_that_has_begun_ends_the_older_ones)
{
    struct chain old = {0}, fresh = {0}, other = {.number = 0};
    struct taken taken = {0};
    struct written a, b, wrong;

    write_next(&old, 1, "a", &a);
    write_next(&fresh, 9, "b", &b);
    write_next(&other, 8, "c", &wrong);
    memcpy(b.value, "x", 1);
    taken_advance(&taken, &(struct taken_source){.from = STR("decide/3"), .generation = 9});
    ck_assert_int_eq(give(&taken, &a), TAKEN_OLD);
    ck_assert_int_eq(give(&taken, &wrong), TAKEN_OLD);
    ck_assert_int_eq(give(&taken, &b), TAKEN_BROKEN);
    memcpy(b.value, "b", 1);
    ck_assert_int_eq(give(&taken, &b), TAKEN_NEXT);
    taken_free(&taken);
}
END_TEST

SUITE_MAIN("chain", an_unknown_chain_is_taken_at_its_word_once,
           a_generation_that_has_begun_ends_the_older_ones,
           a_reader_takes_each_number_once_and_in_order, numbers_may_be_as_long_as_they_get,
           other_content_under_a_number_is_a_broken_chain,
           the_chain_covers_key_time_ce_headers_and_body,
           a_new_generation_starts_at_one_and_ends_the_old, records_of_strangers_are_plain_or_junk,
           whatever_order_they_come_in_all_are_taken_once, sources_are_kept_sorted_by_name)
