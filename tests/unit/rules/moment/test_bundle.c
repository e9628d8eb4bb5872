#include "rules/moment/ruleset.h"
#include "tests/support/suite.h"

static struct bundle_file files[] = {
    {{"facts.yaml", 10}, {"a: \"\xc3\xa9\"\n", 8}},
    {{"moments/x.yaml", 14}, {"", 0}},
};

START_TEST(a_bundle_reads_back_and_keeps_its_hash)
{
    struct bundle bundle = {files, 2}, back;
    struct arena *arena = arena_new(0);
    struct buf text = {0}, again = {0};
    struct hash128 a = bundle_hash(&bundle), b;
    struct err err = {0};

    bundle_write(&bundle, &text);
    ck_assert_msg(bundle_read(buf_str(&text), arena, &back, &err), "%s", err.text);
    ck_assert_uint_eq(back.count, 2);
    ck_assert(str_equal(back.files[0].name, files[0].name));
    ck_assert(str_equal(back.files[0].text, files[0].text));
    ck_assert(str_equal(back.files[1].text, STR_EMPTY));
    b = bundle_hash(&back);
    ck_assert(a.low == b.low && a.high == b.high);
    bundle_write(&back, &again);
    ck_assert(str_equal(buf_str(&text), buf_str(&again)));
    buf_free(&text);
    buf_free(&again);
    arena_free(arena);
}
END_TEST

START_TEST(another_text_or_name_is_another_hash)
{
    struct bundle_file other[] = {files[0], files[1]};
    struct bundle a = {files, 2}, b = {other, 2};

    other[1].text = STR("x");
    ck_assert(bundle_hash(&a).low != bundle_hash(&b).low);
    other[1] = files[1];
    other[1].name = STR("moments/y.yaml");
    ck_assert(bundle_hash(&a).low != bundle_hash(&b).low);
    b.count = 1;
    ck_assert(bundle_hash(&a).low != bundle_hash(&b).low);
}
END_TEST

START_TEST(what_is_no_bundle_is_refused_with_a_sentence)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{}",
        "{\"format\":\"attent-rules/2\",\"files\":[]}",
        "{\"format\":\"attent-rules/1\",\"files\":{}}",
        "{\"format\":\"attent-rules/1\",\"files\":[1]}",
        "{\"format\":\"attent-rules/1\",\"files\":[{\"name\":\"a\"}]}",
        "{\"format\":\"attent-rules/1\",\"files\":[{\"name\":\"\",\"text\":\"\"}]}",
        "{\"format\":\"attent-rules/1\",\"files\":[{\"name\":\"b\",\"text\":\"\"},"
        "{\"name\":\"a\",\"text\":\"\"}]}",
        "{\"format\":\"attent-rules/1\",\"files\":[{\"name\":\"a\",\"text\":\"\"},"
        "{\"name\":\"a\",\"text\":\"\"}]}",
    };
    struct arena *arena = arena_new(0);

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct bundle bundle;
        struct err err = {0};
        ck_assert_msg(!bundle_read(str_of(texts[i]), arena, &bundle, &err), "%s", texts[i]);
        ck_assert(err.text[0] != '\0');
    }
    arena_free(arena);
}
END_TEST

SUITE_MAIN("bundle", a_bundle_reads_back_and_keeps_its_hash, another_text_or_name_is_another_hash,
           what_is_no_bundle_is_refused_with_a_sentence)
