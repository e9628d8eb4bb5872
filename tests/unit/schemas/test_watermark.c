#include "schemas/watermark.h"

#include "tests/support/suite.h"

static struct arena *arena;

static void set_up(void)
{
    arena = arena_new(0);
}

static void tear_down(void)
{
    arena_free(arena);
}

START_TEST(a_watermark_reads_back_as_it_was)
{
    struct watermark_part parts[] = {{0, 1772438400000}, {5, 1772438400123}};
    struct watermark w = {STR("billing"), false, 6, parts, 2}, back;
    struct buf json = {0};

    watermark_put_json(&json, &w);
    ck_assert_str_eq(buf_text(&json), "{\"source\":\"billing\",\"partitions\":6,\"read\":["
                                      "{\"partition\":0,\"until\":\"2026-03-02T08:00:00Z\"},"
                                      "{\"partition\":5,\"until\":\"2026-03-02T08:00:00.123Z\"}]}");
    ck_assert(watermark_read_json(buf_str(&json), arena, &back, NULL));
    ck_assert(str_is(back.source, "billing") && !back.follows && back.partitions == 6);
    ck_assert_uint_eq(back.part_count, 2);
    ck_assert(back.parts[1].partition == 5 && back.parts[1].until_ms == 1772438400123);
    buf_clear(&json);
    w.follows = true;
    watermark_put_json(&json, &w);
    ck_assert(watermark_read_json(buf_str(&json), arena, &back, NULL) && back.follows);
    buf_free(&json);
}
END_TEST

START_TEST(what_is_none_is_refused)
{
    static const char *const none[] = {
        "",
        "7",
        "{}",
        "[]",
        "{\"source\":\"\"}",
        "{\"source\":\"s\"}",
        "{\"source\":\"s\",\"partitions\":0,\"read\":[]}",
        "{\"source\":\"s\",\"partitions\":99999,\"read\":[]}",
        "{\"source\":\"s\",\"partitions\":2,\"read\":[7]}",
        "{\"source\":\"s\",\"partitions\":2,\"read\":[{\"partition\":2,\"until\":"
        "\"2026-03-02T08:00:00Z\"}]}",
        "{\"source\":\"s\",\"partitions\":2,\"read\":[{\"partition\":1,\"until\":\"soon\"}]}"};

    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        struct watermark w;
        struct err err = {0};

        ck_assert_msg(!watermark_read_json(str_of(none[i]), arena, &w, &err), "%s", none[i]);
        ck_assert_ptr_nonnull(strstr(err.text, "watermark"));
    }
}
END_TEST

SUITE_MAIN_AROUND("watermark", set_up, tear_down, a_watermark_reads_back_as_it_was,
                  what_is_none_is_refused)
