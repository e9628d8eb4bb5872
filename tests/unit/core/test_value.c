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
    ck_assert(value_map_sort(entries, 3));
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

START_TEST(a_map_finds_its_keys_and_refuses_a_double_one)
{
    struct value_entry entries[] = {{text("b"), value_int(2)}, {text("a"), value_int(1)}};
    struct value_entry doubled[] = {{text("a"), value_int(2)}, {text("a"), value_int(1)}};

    ck_assert(value_map_sort(entries, 2));
    ck_assert_int_eq(value_map_get(value_map(entries, 2), STR("a")).i, 1);
    ck_assert_int_eq(value_map_get(value_map(entries, 2), STR("c")).kind, VALUE_ABSENT);
    ck_assert(!value_map_sort(doubled, 2));
}
END_TEST

SUITE_MAIN("value", what_is_encoded_reads_back_the_same, every_cut_of_an_encoding_is_refused,
           nesting_of_an_encoding_is_limited, times_before_1970_keep_their_milliseconds,
           a_map_finds_its_keys_and_refuses_a_double_one)
