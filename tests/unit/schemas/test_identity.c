#include "schemas/identity.h"

#include "core/arena.h"
#include "schemas/binding.h"
#include "tests/support/suite.h"

/* What the text becomes; "" when it is no such alias. */
static const char *spelt_value(struct alias_kind kind, struct value v)
{
    static struct buf out;

    buf_clear(&out);
    if (kind.name.len == 0)
        kind.name = STR("k");
    return alias_put(&out, &kind, v) ? buf_text(&out) : "";
}

static const char *spelt(struct alias_kind kind, const char *text)
{
    return spelt_value(kind, value_string(str_of(text)));
}

START_TEST(an_alias_has_one_spelling)
{
    const struct alias_kind vin = {.name = STR("vin"), .form = ALIAS_UPPER, .strip = STR(" -")};
    const struct alias_kind low = {.form = ALIAS_LOWER}, plain = {0};

    ck_assert_str_eq(spelt(vin, " yv1-xz16 t5l2 "), "vin:YV1XZ16T5L2");
    ck_assert_str_eq(spelt(low, "ABC"), "k:abc");
    ck_assert_str_eq(spelt(plain, "a:B c"), "k:a:B c");
    ck_assert_str_eq(spelt_value(plain, value_int(-17)), "k:-17");
    ck_assert_str_eq(spelt(vin, " - "), "");
    ck_assert_str_eq(spelt(plain, "a\nb"), "");
    ck_assert_str_eq(spelt_value(plain, value_double(1.5)), "");
    ck_assert_str_eq(spelt_value(plain, VALUE_NONE), "");
}
END_TEST

START_TEST(an_alias_is_a_key_and_so_not_too_long)
{
    char text[300];

    memset(text, 'a', sizeof text);
    text[254] = '\0';
    ck_assert_uint_eq(strlen(spelt((struct alias_kind){0}, text)), 256);
    text[254] = 'a';
    text[255] = '\0';
    ck_assert_str_eq(spelt((struct alias_kind){0}, text), "");
}
END_TEST

START_TEST(a_phone_number_becomes_that_of_the_world)
{
    const struct alias_kind nl = {.form = ALIAS_PHONE, .country = calling_code_find(STR("NL"))};
    const struct alias_kind us = {.form = ALIAS_PHONE, .country = calling_code_find(STR("US"))};
    const struct alias_kind it = {.form = ALIAS_PHONE, .country = calling_code_find(STR("IT"))};
    const struct alias_kind hu = {.form = ALIAS_PHONE, .country = calling_code_find(STR("HU"))};
    const struct alias_kind nowhere = {.form = ALIAS_PHONE};

    ck_assert_str_eq(spelt(nl, "06 12 34 56 78"), "k:+31612345678");
    ck_assert_str_eq(spelt(nl, "+31 (0)6-1234.5678"), "k:+31612345678");
    ck_assert_str_eq(spelt(nl, "0031612345678"), "k:+31612345678");
    ck_assert_str_eq(spelt(nl, "+49 30 123456"), "k:+4930123456");
    ck_assert_str_eq(spelt(us, "(212) 555-0100"), "k:+12125550100");
    ck_assert_str_eq(spelt(us, "1 212 555 0100"), "k:+12125550100");
    ck_assert_str_eq(spelt(us, "011 31 612345678"), "k:+31612345678");
    ck_assert_str_eq(spelt(it, "06 1234567"), "k:+39061234567"); /* Italy keeps its 0 */
    ck_assert_str_eq(spelt(hu, "06 30 123 4567"), "k:+36301234567");
    ck_assert_str_eq(spelt(nowhere, "0031612345678"), "k:+31612345678");
    ck_assert_str_eq(spelt(nowhere, "0612345678"), "");
    ck_assert_str_eq(spelt(nl, "06 call me"), "");
    ck_assert_str_eq(spelt(nl, "06"), "");
    ck_assert_str_eq(spelt(nl, "+0612345678"), "");
    ck_assert_str_eq(spelt(nl, "+1234567890123456"), "");
}
END_TEST

START_TEST(an_address_of_mail_as_configured)
{
    const struct alias_kind strict = {.form = ALIAS_EMAIL};
    const struct alias_kind loose = {.form = ALIAS_EMAIL, .ignore_case = true, .ignore_dots = true};

    ck_assert_str_eq(spelt(strict, "An.Na@Example.COM"), "k:An.Na@example.com");
    ck_assert_str_eq(spelt(loose, "An.Na@Example.COM"), "k:anna@example.com");
    ck_assert_str_eq(spelt(strict, "\"a@b\"@example.com"), "k:\"a@b\"@example.com");
    ck_assert_str_eq(spelt(strict, "anna"), "");
    ck_assert_str_eq(spelt(strict, "@example.com"), "");
    ck_assert_str_eq(spelt(strict, "anna@"), "");
    ck_assert_str_eq(spelt(loose, ".@example.com"), "");
}
END_TEST

START_TEST(kinds_and_uses_are_found_by_name)
{
    struct alias_kind kinds[] = {{.name = STR("device")}, {.name = STR("vin"), .owners = 9}};
    struct alias_use uses[] = {
        {.type = STR("a.one")}, {.type = STR("b.two")}, {.type = STR("c.x")}};
    const struct identity identity = {kinds, 2, uses, 3};

    ck_assert_ptr_eq(identity_use(&identity, STR("a.one")), &uses[0]);
    ck_assert_ptr_eq(identity_use(&identity, STR("c.x")), &uses[2]);
    ck_assert_ptr_null(identity_use(&identity, STR("b.tw")));
    ck_assert_ptr_eq(identity_kind(&identity, STR("vin:A:B")), &kinds[1]);
    ck_assert_uint_eq(identity_kind(&identity, STR("tag:A"))->owners, 5);
}
END_TEST

START_TEST(a_binding_reads_back_as_it_was)
{
    struct arena *arena = arena_new(0);
    struct binding b = {.customer = STR("c-1"), .at_ms = 1772438400000}, back;
    struct buf json = {0};

    binding_put_json(&json, &b);
    ck_assert_str_eq(buf_text(&json), "{\"customer\":\"c-1\",\"at\":\"2026-03-02T08:00:00Z\"}");
    ck_assert(binding_read_json(buf_str(&json), arena, &back));
    ck_assert(str_is(back.customer, "c-1") && back.to.len == 0 && back.at_ms == b.at_ms);
    ck_assert(!binding_read_json(STR("{\"customer\":\"c-1\"}"), arena, &back));
    ck_assert(
        !binding_read_json(STR("{\"customer\":1,\"at\":\"2026-03-02T08:00:00Z\"}"), arena, &back));
    ck_assert(!binding_read_json(STR("[]"), arena, &back));
    buf_free(&json);
    arena_free(arena);
}
END_TEST

SUITE_MAIN("identity", an_alias_has_one_spelling, an_alias_is_a_key_and_so_not_too_long,
           a_phone_number_becomes_that_of_the_world, an_address_of_mail_as_configured,
           kinds_and_uses_are_found_by_name, a_binding_reads_back_as_it_was)
