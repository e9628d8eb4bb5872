#include "core/buf.h"
#include "tests/support/suite.h"

START_TEST(integers_read_back_at_their_edges)
{
    const uint64_t unsigned_edges[] = {0, 1, 127, 128, 16383, 16384, UINT32_MAX, UINT64_MAX};
    const int64_t signed_edges[] = {0, -1, 1, -64, 64, INT64_MIN, INT64_MAX};
    struct buf buf = {0};
    struct reader r;

    for (size_t i = 0; i < 8; i++)
        buf_put_varint(&buf, unsigned_edges[i]);
    for (size_t i = 0; i < 7; i++)
        buf_put_zigzag(&buf, signed_edges[i]);
    buf_put_u32(&buf, 0x01020304);
    buf_put_u64(&buf, UINT64_MAX - 1);
    r = reader_of(buf_str(&buf));
    for (size_t i = 0; i < 8; i++)
        ck_assert_uint_eq(reader_varint(&r), unsigned_edges[i]);
    for (size_t i = 0; i < 7; i++)
        ck_assert_int_eq(reader_zigzag(&r), signed_edges[i]);
    ck_assert_uint_eq(reader_u32(&r), 0x01020304);
    ck_assert_uint_eq(reader_u64(&r), UINT64_MAX - 1);
    ck_assert(!r.failed);
    ck_assert(r.at == r.end);
    buf_free(&buf);
}
END_TEST

START_TEST(reading_past_the_end_fails_and_stays_failed)
{
    struct reader r = reader_of(STR("\x05"
                                    "ab"));

    ck_assert(str_is(reader_bytes(&r), ""));
    ck_assert(r.failed);
    ck_assert_uint_eq(reader_u8(&r), 0);
    r = reader_of(STR_EMPTY);
    reader_u8(&r);
    ck_assert(r.failed);
}
END_TEST

START_TEST(a_varint_longer_than_64_bits_fails)
{
    struct reader r = reader_of(STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"));

    reader_varint(&r);
    ck_assert(r.failed);
}
END_TEST

START_TEST(a_count_that_the_rest_cannot_hold_fails)
{
    struct reader r = reader_of(STR("\x7f"
                                    "abc"));

    ck_assert_uint_eq(reader_count(&r, 1), 0);
    ck_assert(r.failed);
}
END_TEST

START_TEST(texts_grow_over_many_puts)
{
    struct buf buf = {0};

    for (int i = 0; i < 1000; i++)
        buf_put_format(&buf, "%d,", i);
    ck_assert_uint_eq(buf.len, 10 * 2 + 90 * 3 + 900 * 4);
    ck_assert_str_eq(buf_text(&buf) + buf.len - 4, "999,");
    buf_free(&buf);
}
END_TEST

SUITE_MAIN("buf", integers_read_back_at_their_edges, reading_past_the_end_fails_and_stays_failed,
           a_varint_longer_than_64_bits_fails, a_count_that_the_rest_cannot_hold_fails,
           texts_grow_over_many_puts)
