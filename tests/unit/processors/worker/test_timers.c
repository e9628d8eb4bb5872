/* Table, timers and cache against the plainest thing that does the same. */
#include "processors/worker/timers.h"

#include <stdio.h>

#include "core/mem.h"
#include "core/rng.h"
#include "processors/worker/cache.h"
#include "tests/support/suite.h"

enum { NAMES = 200 };

static char name_text[NAMES][8];

static struct str name_of(size_t i)
{
    return (struct str){name_text[i], (size_t)snprintf(name_text[i], 8, "n%zu", i)};
}

START_TEST(a_table_finds_what_is_in_it_and_nothing_else)
{
    static struct table_node nodes[NAMES];
    bool there[NAMES] = {false};
    struct rng rng = rng_seeded(3);
    struct table table = {0};

    for (int step = 0; step < 20000; step++) {
        size_t i = rng_below(&rng, NAMES);
        /* few hashes, so that runs are long and wrap around */
        uint64_t hash = table_hash(name_of(i)) % 5 + (i % 2 ? UINT64_MAX - 8 : 0);

        ck_assert((table_find(&table, hash, name_of(i)) != NULL) == there[i]);
        nodes[i] = (struct table_node){hash, name_of(i)};
        if (there[i])
            table_remove(&table, &nodes[i]);
        else
            table_add(&table, &nodes[i]);
        there[i] = !there[i];
        ck_assert((table_find(&table, hash, name_of(i)) != NULL) == there[i]);
    }
    table_free(&table);
}
END_TEST

static size_t plain_first(const int64_t due_ms[NAMES])
{
    size_t first = 0;

    for (size_t i = 1; i < NAMES; i++)
        if (due_ms[i] < due_ms[first] ||
            (due_ms[i] == due_ms[first] && str_compare(name_of(i), name_of(first)) < 0))
            first = i;
    return first;
}

START_TEST(the_first_timer_is_the_earliest_by_time_and_name)
{
    struct rng rng = rng_seeded(5);
    struct timers timers;
    int64_t due_ms[NAMES];

    timers_init(&timers);
    timers_extend(&timers, 0, STR_EMPTY, true);
    for (size_t i = 0; i < NAMES; i++)
        due_ms[i] = INT64_MAX;
    for (int step = 0; step < 20000; step++) {
        size_t i = rng_below(&rng, NAMES), first;

        due_ms[i] = rng_below(&rng, 4) == 0 ? INT64_MAX : (int64_t)rng_below(&rng, 50);
        timers_set(&timers, table_hash(name_of(i)), name_of(i), due_ms[i]);
        first = plain_first(due_ms);
        if (due_ms[first] == INT64_MAX) {
            ck_assert_ptr_null(timers_first(&timers));
            continue;
        }
        ck_assert_int_eq(timers_first(&timers)->due_ms, due_ms[first]);
        ck_assert(str_equal(timers_first(&timers)->node.key, name_of(first)));
    }
    timers_free(&timers);
}
END_TEST

START_TEST(what_lies_behind_the_edge_is_left_to_the_store)
{
    struct timers timers;
    const struct timer *due[8];

    timers_init(&timers);
    timers_set(&timers, table_hash(STR("a")), STR("a"), 10);
    ck_assert_ptr_null(timers_first(&timers)); /* nothing has been read yet */
    timers_add(&timers, STR("b"), 10);
    timers_add(&timers, STR("c"), 20);
    timers_extend(&timers, 20, STR("c"), false);
    ck_assert(timers_reach(&timers, 19));
    ck_assert(!timers_reach(&timers, 20)); /* d may be due at 20 as well */
    timers_set(&timers, table_hash(STR("d")), STR("d"), 20);
    timers_set(&timers, table_hash(STR("a")), STR("a"), 20);
    ck_assert_uint_eq(timers.count, 3);
    ck_assert_uint_eq(timers_due(&timers, 20, due, 8), 3);
    ck_assert(str_is(due[1]->node.key, "a") && str_is(due[2]->node.key, "c"));
    ck_assert_uint_eq(timers.count, 3);
    timers_set(&timers, table_hash(STR("b")), STR("b"), 30); /* moves behind it */
    ck_assert(str_is(timers_first(&timers)->node.key, "a"));
    timers_free(&timers);
}
END_TEST

START_TEST(too_many_timers_are_trimmed_to_the_first)
{
    struct timers timers;
    struct str edge;
    int64_t due_ms;

    timers_init(&timers);
    timers_extend(&timers, 0, STR_EMPTY, true);
    for (size_t i = 0; i < 100; i++)
        timers_set(&timers, table_hash(name_of(i)), name_of(i), 1000 - (int64_t)i);
    timers_trim(&timers, 50);
    ck_assert_uint_eq(timers.count, 100);
    timers_trim(&timers, 20);
    ck_assert_uint_eq(timers.count, 20);
    ck_assert_int_eq(timers_first(&timers)->due_ms, 901);
    timers_edge(&timers, &due_ms, &edge);
    ck_assert_int_eq(due_ms, 920);
    ck_assert(!timers_reach(&timers, 920) && timers_reach(&timers, 919));
    timers_free(&timers);
}
END_TEST

static struct subject *get(struct cache *cache, size_t i)
{
    struct subject *s = cache_find(cache, table_hash(name_of(i)), name_of(i));

    if (s == NULL)
        s = cache_add(cache, table_hash(name_of(i)), name_of(i));
    return s;
}

START_TEST(a_cache_keeps_to_its_bytes_and_spares_what_is_used)
{
    struct cache cache = {.bytes_max = 20000};
    char blob[500] = {1};

    for (int round = 0; round < 5; round++) {
        for (size_t i = 0; i < NAMES; i++) {
            cache_put(&cache, get(&cache, i), (struct str){blob, 100 + i});
            cache_put(&cache, get(&cache, 7), (struct str){blob, sizeof blob});
            cache_evict(&cache);
            ck_assert_uint_le(cache.bytes, cache.bytes_max);
        }
    }
    ck_assert_uint_gt(cache.table.count, 10);
    ck_assert_ptr_nonnull(cache_find(&cache, table_hash(name_of(7)), name_of(7)));
    ck_assert_uint_eq(get(&cache, 7)->blob_bytes, sizeof blob);
    cache_put(&cache, get(&cache, 7), STR_EMPTY);
    ck_assert(get(&cache, 7)->loaded && get(&cache, 7)->blob_bytes == 0);
    cache.bytes_max = 0;
    cache_evict(&cache);
    ck_assert_uint_eq(cache.table.count, 0);
    ck_assert_uint_eq(cache.bytes, 0);
    cache_free(&cache);
}
END_TEST

SUITE_MAIN("timers", a_table_finds_what_is_in_it_and_nothing_else,
           the_first_timer_is_the_earliest_by_time_and_name,
           what_lies_behind_the_edge_is_left_to_the_store, too_many_timers_are_trimmed_to_the_first,
           a_cache_keeps_to_its_bytes_and_spares_what_is_used)
