#include "rules/moment/schema_change.h"
#include "tests/support/suite.h"

#define SCHEMA(fields)                                                                             \
    "{\"title\":\"A bill\",\"type\":\"object\",\"required\":[\"amount\"],\"properties\":{" fields  \
    "}}"
#define PLACE "\"place\":{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}}}"
#define MOMENT                                                                                     \
    "moment: dear\ntitle: x\ntier: care\nwhen:\n"                                                  \
    "  - {event: bill.sent, if: event.data.amount > 100.0 && event.data.place.city != \"\"}\n"     \
    "act:\n  - {channel: email, subject: x, text: y}\n"

/* The findings of rules that were `before` and are `after`, a line each; NULL: the file is gone. */
static const char *found(const char *schema_after, const char *moment_after)
{
    static struct buf out;
    struct bundle_file was[] = {
        {STR("moments/dear.yaml"), STR(MOMENT)},
        {STR("schemas/events/bill.sent.json"),
         STR(SCHEMA("\"amount\":{\"type\":\"number\"}," PLACE))},
    };
    struct bundle_file is[2];
    struct bundle before = {was, 2}, after = {is, 0};
    struct diags diags = {0}, ignored = {0};
    struct ruleset *set;

    if (moment_after != NULL)
        is[after.count++] = (struct bundle_file){was[0].name, str_of(moment_after)};
    if (schema_after != NULL)
        is[after.count++] = (struct bundle_file){was[1].name, str_of(schema_after)};
    set = ruleset_compile(&after, NULL, &ignored);
    ruleset_compare_schemas(&before, &after, set, &diags);
    buf_clear(&out);
    for (size_t i = 0; i < diags.count; i++)
        buf_put_format(&out, "%d %s\n", diags.items[i].place.line, diags.items[i].what);
    ruleset_free(set);
    diags_free(&diags);
    diags_free(&ignored);
    return buf_text(&out);
}

START_TEST(nothing_is_said_of_what_stays_or_is_new)
{
    ck_assert_str_eq(found(SCHEMA("\"amount\":{\"type\":\"number\"}," PLACE), MOMENT), "");
    ck_assert_str_eq(
        found(SCHEMA("\"amount\":{\"type\":\"number\"}," PLACE ",\"x\":{\"type\":\"string\"}"),
              MOMENT),
        "");
}
END_TEST

START_TEST(a_field_inside_another_is_named_with_its_reader)
{
    ck_assert_str_eq(
        found(SCHEMA("\"amount\":{\"type\":\"number\"},\n\"place\":{\"type\":\"object\"}"), MOMENT),
        "2 bill.sent.place.city is not there any more; it is read by dear\n");
    ck_assert_str_eq(found(SCHEMA("\"amount\":{\"type\":\"number\"}"), MOMENT),
                     "1 bill.sent.place is not there any more; it is read by dear\n");
    ck_assert_str_eq(found(SCHEMA("\"amount\":{\"type\":[\"number\",\"null\"]}," PLACE), MOMENT),
                     "1 bill.sent.amount had to be there, and need not be any more; it is read by "
                     "dear\n");
}
END_TEST

START_TEST(a_type_that_is_gone_names_who_listened)
{
    ck_assert_str_eq(found(NULL, MOMENT),
                     "0 bill.sent is not there any more; it is read by dear\n");
}
END_TEST

START_TEST(a_moment_that_is_gone_too_is_not_broken)
{
    ck_assert_str_eq(found(NULL, NULL), "");
}
END_TEST

SUITE_MAIN("schema_change", nothing_is_said_of_what_stays_or_is_new,
           a_field_inside_another_is_named_with_its_reader, a_type_that_is_gone_names_who_listened,
           a_moment_that_is_gone_too_is_not_broken)
