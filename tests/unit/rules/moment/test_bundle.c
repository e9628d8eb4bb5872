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

static const char *const some[][2] = {
    {"facts.yaml", "n: {count: [b.two, a.one], over: 7d}\n"
                   "k: {last: event.data.key, of: a.one}\n"},
    {"moments/m.yaml",
     "moment: m\ntitle: M\ntier: care\nabout: event.data.key\n"
     "when: [{event: a.one, as: a}, {absent: b.two, for: 3d}]\n"
     "relevant: customer.n > 2 && a.data.key != customer.k\nact: [{channel: phone}]\n"},
    {"moments/x.yaml", "moment: x\ntitle: X\ntier: care\n"
                       "when: [{becomes: customer.n > 2}]\nact: [{channel: phone}]\n"},
    {"schemas/events/a.one.json",
     "{\"type\":\"object\",\"properties\":{\"key\":{\"type\":\"string\"}}}"},
    {"schemas/events/b.two.json",
     "{\"type\":\"object\",\"properties\":{\"key\":{\"type\":\"string\"}}}"},
};
enum { SOME = sizeof some / sizeof some[0] };

/* Every expression, in the order of its words: where they lie in memory differs. */
static void put_code(struct buf *out, const struct ruleset *set)
{
    for (size_t i = 0; i < set->moment_count; i++) {
        const struct moment *m = &set->moments[i];

        for (size_t s = 0; s < m->step_count; s++)
            if (m->steps[s].condition != NULL)
                cel_disassemble(out, m->steps[s].condition);
        if (m->about != NULL)
            cel_disassemble(out, m->about);
        if (m->relevant != NULL)
            cel_disassemble(out, m->relevant);
        buf_put_format(out, "%.*s %u %s\n", STR_ARG(m->name), m->id, m->version);
    }
    for (size_t i = 0; i < set->fact_count; i++)
        if (set->facts[i].value != NULL)
            cel_disassemble(out, set->facts[i].value);
    for (size_t i = 0; i < set->path_count; i++)
        buf_put_format(out, "%zu %.*s\n", i, STR_ARG(set->paths[i].pointer));
}

static void load_from(size_t first, struct buf *code)
{
    struct bundle_file in[SOME];
    struct bundle bundle = {in, SOME};
    struct diags diags = {0};
    struct ruleset *set;

    for (size_t i = 0; i < SOME; i++) {
        size_t from = first % 2 == 0 ? (i + first) % SOME : (2 * SOME - i - first) % SOME;

        in[i] = (struct bundle_file){str_of(some[from][0]), str_of(some[from][1])};
    }
    bundle_sort(&bundle);
    set = ruleset_compile(&bundle, NULL, &diags);
    ck_assert_msg(set != NULL, "%s", diags.count != 0 ? diags.items[0].what : "");
    buf_put_format(code, "%s\n", set->hash_hex);
    put_code(code, set);
    ruleset_free(set);
    diags_free(&diags);
}

START_TEST(files_found_in_another_order_give_the_same_hash_and_the_same_code)
{
    struct buf a = {0}, b = {0};

    load_from(0, &a);
    ck_assert_uint_gt(a.len, 400);
    for (size_t first = 1; first < SOME; first++) {
        buf_clear(&b);
        load_from(first, &b);
        ck_assert(str_equal(buf_str(&a), buf_str(&b)));
    }
    buf_free(&a);
    buf_free(&b);
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

static enum err_code speaks(const char *semantics, struct err *err)
{
    struct bundle_file file = {STR(BUNDLE_SEMANTICS), str_of(semantics)};
    struct bundle bundle = {&file, 1};

    return bundle_check_semantics(&bundle, err);
}

START_TEST(what_a_newer_attent_put_in_force_is_refused_with_a_sentence)
{
    struct bundle silent = {files, 2};
    struct err err = {0};

    ck_assert_int_eq(bundle_check_semantics(&silent, &err), ERR_NONE);
    ck_assert_int_eq(speaks(RULES_SEMANTICS, &err), ERR_NONE);
    ck_assert_int_eq(speaks("0", &err), ERR_STATE);
    ck_assert_int_eq(speaks("x", &err), ERR_STATE);
    ck_assert_int_eq(speaks("99", &err), ERR_STATE);
    ck_assert_str_eq(err.text, "a newer attent put these rules in force: they need semantics 99, "
                               "this one speaks " RULES_SEMANTICS "; update it");
}
END_TEST

SUITE_MAIN("bundle", a_bundle_reads_back_and_keeps_its_hash,
           files_found_in_another_order_give_the_same_hash_and_the_same_code,
           another_text_or_name_is_another_hash, what_is_no_bundle_is_refused_with_a_sentence,
           what_a_newer_attent_put_in_force_is_refused_with_a_sentence)
