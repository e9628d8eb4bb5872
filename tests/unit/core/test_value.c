#include "core/value.h"
#include "tests/support/suite.h"

static struct arena *arena;

static struct value text(const char *s)
{
    return value_string(str_of(s));
}

/* {"list": [1, -0.0, null, bytes, now], "none": optional.none(), true: duration} */
static struct value sample(void)
{
    struct value *items = ARENA_ARRAY(arena, struct value, 5);
    struct value_entry *entries = ARENA_ARRAY(arena, struct value_entry, 3);

    items[0] = value_int(INT64_MIN);
    items[1] = value_double(-0.0);
    items[2] = (struct value){.kind = VALUE_NULL};
    items[3] = (struct value){.kind = VALUE_BYTES, .n = 2, .text = "\0\xff"};
    items[4] = value_timestamp_ms(-1);
    entries[0] = (struct value_entry){text("none"), {.kind = VALUE_OPTIONAL}};
    entries[1] = (struct value_entry){text("list"), value_list(items, 5)};
    entries[2] = (struct value_entry){value_bool(true), value_duration_ms(-1500)};
    return value_map(entries, 3);
}

START_TEST(what_is_encoded_reads_back_the_same)
{
    struct buf buf = {0};
    struct reader r;
    struct value back;

    arena = arena_new(0);
    value_encode(&buf, sample());
    r = reader_of(buf_str(&buf));
    back = value_decode(&r, arena);
    ck_assert(!r.failed);
    ck_assert(value_same(back, sample()));
    ck_assert(value_same(value_copy(arena, back), sample()));
    buf_free(&buf);
    arena_free(arena);
}
END_TEST

START_TEST(every_cut_of_an_encoding_is_refused)
{
    struct buf buf = {0};

    arena = arena_new(0);
    value_encode(&buf, sample());
    for (size_t cut = 0; cut < buf.len; cut++) {
        struct reader r = reader_of((struct str){buf.data, cut});
        value_decode(&r, arena);
        ck_assert_msg(r.failed, "cut at %zu of %zu", cut, buf.len);
    }
    buf_free(&buf);
    arena_free(arena);
}
END_TEST

START_TEST(nesting_of_an_encoding_is_limited)
{
    struct buf buf = {0};
    struct reader r;

    arena = arena_new(0);
    for (int i = 0; i < 1000; i++) {
        buf_put_u8(&buf, VALUE_LIST);
        buf_put_varint(&buf, 1);
    }
    buf_put_u8(&buf, VALUE_NULL);
    r = reader_of(buf_str(&buf));
    value_decode(&r, arena);
    ck_assert(r.failed);
    buf_free(&buf);
    arena_free(arena);
}
END_TEST

START_TEST(times_before_1970_keep_their_milliseconds)
{
    ck_assert_int_eq(value_timestamp_to_ms(value_timestamp_ms(-1)), -1);
    ck_assert_int_eq(value_timestamp_ms(-1).i, -1);
    ck_assert_uint_eq(value_timestamp_ms(-1).n, 999000000);
    ck_assert_int_eq(value_duration_to_ms(value_duration_ms(-1500)), -1500);
}
END_TEST

/* Keys count down from `count`, so that none is in its place; `twice` stands once more. */
static struct value falling(size_t count, int64_t twice, bool *unique)
{
    struct value_entry *entries = ARENA_ARRAY(arena, struct value_entry, count);
    struct value map = value_map(entries, count);

    for (size_t i = 0; i < count; i++)
        entries[i] = (struct value_entry){value_int((int64_t)(count - i)), value_uint(i)};
    if (twice != 0)
        entries[0].key = value_int(twice);
    *unique = value_map_index(arena, &map);
    return map;
}

static const size_t map_sizes[] = {1, 2, VALUE_MAP_SCAN, VALUE_MAP_SCAN + 1, 100};

START_TEST(a_map_keeps_its_order_and_finds_its_keys)
{
    bool unique;

    arena = arena_new(0);
    for (size_t i = 0; i < sizeof map_sizes / sizeof map_sizes[0]; i++) {
        size_t count = map_sizes[i];
        struct value map = falling(count, 0, &unique);
        ck_assert(unique);
        for (size_t at = 0; at < count; at++) {
            ck_assert_uint_eq((uint64_t)map.map[at].key.i, count - at);
            ck_assert_uint_eq(value_map_find(map, map.map[at].key)->u, at);
        }
        ck_assert_ptr_null(value_map_find(map, value_int(0)));
        ck_assert_ptr_null(value_map_find(map, value_uint(1)));
        ck_assert_ptr_null(value_map_find(map, value_double(1)));
        ck_assert_int_eq(value_map_get(map, STR("1")).kind, VALUE_ABSENT);
    }
    arena_free(arena);
}
END_TEST

START_TEST(a_key_that_stands_twice_makes_no_map)
{
    bool unique;

    arena = arena_new(0);
    for (size_t i = 1; i < sizeof map_sizes / sizeof map_sizes[0]; i++) {
        falling(map_sizes[i], 1, &unique);
        ck_assert(!unique);
    }
    arena_free(arena);
}
END_TEST

START_TEST(maps_of_another_order_are_the_same_and_stay_as_they_are)
{
    bool unique;

    arena = arena_new(0);
    for (size_t i = 0; i < sizeof map_sizes / sizeof map_sizes[0]; i++) {
        size_t count = map_sizes[i];
        struct value_entry *entries = ARENA_ARRAY(arena, struct value_entry, count);
        struct value map = falling(count, 0, &unique), back;
        struct buf coded = {0};
        struct reader r;
        for (size_t at = 0; at < count; at++)
            entries[at] = map.map[count - 1 - at];
        ck_assert(value_same(map, value_map(entries, count)));
        ck_assert(value_same(value_map(entries, count), map));
        value_encode(&coded, map);
        r = reader_of(buf_str(&coded));
        back = value_copy(arena, value_decode(&r, arena));
        ck_assert(!r.failed && value_same(map, back));
        for (size_t at = 0; at < count; at++)
            ck_assert(value_same(back.map[at].key, map.map[at].key));
        entries[0].value = value_uint(1000);
        ck_assert(!value_same(map, value_map(entries, count)));
        buf_free(&coded);
    }
    arena_free(arena);
}
END_TEST

SUITE_MAIN("value", what_is_encoded_reads_back_the_same, every_cut_of_an_encoding_is_refused,
           nesting_of_an_encoding_is_limited, times_before_1970_keep_their_milliseconds,
           a_map_keeps_its_order_and_finds_its_keys, a_key_that_stands_twice_makes_no_map,
           maps_of_another_order_are_the_same_and_stay_as_they_are)
