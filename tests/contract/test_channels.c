/* tests/contract/test_channels.c - what every channel promises (connectors/channel.h).
 *
 * A new channel gets one line in `least`: the options without which it cannot be opened.
 */
#include <stdio.h>

#include "connectors/channel.h"
#include "tests/support/sample.h"
#include "tests/support/service_account.h"
#include "tests/support/suite.h"

static const struct {
    const char *name;
    const char *yaml;
} least[] = {
    {"contact_centre", ""},
    {"webhook", "url: \"${NONE:https://example.org/}\"\n"
                "secrets: \"${NONE:whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}\"\n"},
    {"smtp", "host: mail.example.org\nfrom: service@example.org\n"},
    {"sms", "account: AC1\ntoken: \"${NONE:swordfish}\"\nfrom: Example\n"},
    {"whatsapp", "phone_number_id: \"1\"\ntoken: \"${NONE:swordfish}\"\ntemplate: notice\n"},
    {"amazon_connect", "region: eu-west-2\ninstance: a\ncontact_flow: b\naccess_key_id: A\n"
                       "secret_access_key: \"${NONE:swordfish}\"\n"},
    {"genesys",
     "region: eu-west-1\nclient_id: a\nclient_secret: \"${NONE:swordfish}\"\nqueue: b\n"},
    {"push", "service_account: \"${file:ACCOUNT}\"\n"},
};
enum { LEAST_COUNT = sizeof least / sizeof least[0] };

/* ACCOUNT stands for a file that is made here. */
static struct str least_of(const struct connector_class *class, struct arena *arena)
{
    for (size_t i = 0; i < LEAST_COUNT; i++)
        if (strcmp(least[i].name, class->name) == 0)
            return arena_replace(
                arena, str_of(least[i].yaml), STR("ACCOUNT"),
                str_contains(str_of(least[i].yaml), STR("ACCOUNT"))
                    ? str_of(service_account_make("https://example.org/token").file)
                    : STR_EMPTY);
    ck_abort_msg("channel %s has no line in tests/contract/test_channels.c", class->name);
    return STR_EMPTY;
}

static struct connector *open_class(const struct connector_class *class, struct arena *arena)
{
    struct diags diags = {0};
    const struct conf *conf =
        conf_read(class->fields, least_of(class, arena), "least.yaml", NULL, 0, arena, &diags);
    struct connector *connector = NULL;
    struct err err = {0};

    ck_assert_msg(conf != NULL, "%s: its least options are not enough", class->name);
    diags_free(&diags);
    ck_assert_msg(class->open(conf, &connector, &err) == ERR_NONE, "%s: %s", class->name, err.text);
    ck_assert_ptr_nonnull(connector);
    return connector;
}

START_TEST(each_class_is_found_by_its_name_and_no_other)
{
    const struct connector_class *class;

    for (size_t i = 0; (class = channel_at(i)) != NULL; i++)
        ck_assert_ptr_eq(channel_find(str_of(class->name)), class);
    ck_assert_ptr_null(channel_find(STR("pigeon")));
    ck_assert_ptr_null(channel_find(STR("")));
}
END_TEST

START_TEST(each_option_is_documented_and_named_once)
{
    const struct connector_class *class;

    for (size_t i = 0; (class = channel_at(i)) != NULL; i++)
        for (const struct conf_field *f = class->fields; f->path != NULL; f++) {
            ck_assert_msg(f->doc != NULL && f->doc[0] != '\0', "%s: %s", class->name, f->path);
            for (const struct conf_field *g = class->fields; g != f; g++)
                ck_assert_msg(strcmp(f->path, g->path) != 0, "%s: %s", class->name, f->path);
        }
}
END_TEST

START_TEST(each_class_has_exactly_one_way_out)
{
    const struct connector_class *class;

    for (size_t i = 0; (class = channel_at(i)) != NULL; i++) {
        ck_assert_msg((class->task_record != NULL) != (class->deliver != NULL), "%s", class->name);
        ck_assert_msg(class->withdrawal_record == NULL || class->task_record != NULL, "%s",
                      class->name);
        ck_assert_msg((class->ask == NULL && class->withdraw == NULL) || class->deliver != NULL,
                      "%s", class->name);
        ck_assert_msg(class->open != NULL && class->close != NULL, "%s", class->name);
    }
}
END_TEST

START_TEST(opening_and_closing_leaves_nothing_behind)
{
    const struct connector_class *class;

    for (size_t i = 0; (class = channel_at(i)) != NULL; i++) {
        struct arena *arena = arena_new(0);
        class->close(open_class(class, arena));
        class->close(NULL);
        arena_free(arena);
    }
}
END_TEST

/* Two records say the same to their receiver. */
static void expect_same(const char *name, const struct record *a, const struct record *b)
{
    ck_assert_msg(str_equal(a->topic, b->topic) && a->partition == b->partition &&
                      str_equal(a->key, b->key) && str_equal(a->value, b->value) &&
                      str_equal(record_header(a, STR("ce_id")), record_header(b, STR("ce_id"))),
                  "%s gives another record for the same task", name);
}

START_TEST(the_same_task_twice_is_the_same_record)
{
    const struct connector_class *class;
    struct arena *arena = arena_new(0);
    struct task task = sample_task("00112233445566778899aabbccddeeff");
    struct record first, second;

    for (size_t i = 0; (class = channel_at(i)) != NULL; i++) {
        struct connector *c;
        if (class->task_record == NULL)
            continue;
        c = open_class(class, arena);
        ck_assert_int_eq(class->task_record(c, &task, arena, &first, NULL), DELIVERY_ACCEPTED);
        ck_assert_int_eq(class->task_record(c, &task, arena, &second, NULL), DELIVERY_ACCEPTED);
        expect_same(class->name, &first, &second);
        ck_assert(str_equal(record_header(&first, STR("ce_id")), task.id));
        class->close(c);
    }
    arena_free(arena);
}
END_TEST

START_TEST(a_withdrawal_reaches_the_reader_of_its_task)
{
    const struct connector_class *class;
    struct arena *arena = arena_new(0);
    struct task task = sample_task("00112233445566778899aabbccddeeff");
    struct withdrawal w = sample_withdrawal("00112233445566778899aabbccddeeff");
    struct record out, back;

    for (size_t i = 0; (class = channel_at(i)) != NULL; i++) {
        struct connector *c;
        if (class->withdrawal_record == NULL)
            continue;
        c = open_class(class, arena);
        ck_assert_int_eq(class->task_record(c, &task, arena, &out, NULL), DELIVERY_ACCEPTED);
        ck_assert_int_eq(class->withdrawal_record(c, &w, arena, &back, NULL), DELIVERY_ACCEPTED);
        ck_assert(str_equal(out.topic, back.topic));
        ck_assert(str_equal(out.key, back.key)); /* one partition: in order */
        ck_assert(
            !str_equal(record_header(&out, STR("ce_id")), record_header(&back, STR("ce_id"))));
        class->close(c);
    }
    arena_free(arena);
}
END_TEST

START_TEST(a_task_without_customer_or_id_is_refused_with_a_reason)
{
    const struct connector_class *class;
    struct arena *arena = arena_new(0);
    struct record out;

    for (size_t i = 0; (class = channel_at(i)) != NULL; i++) {
        struct task nobody = sample_task("0011aa"), nameless = sample_task("");
        struct err err = {0};
        struct connector *c;
        if (class->task_record == NULL)
            continue;
        c = open_class(class, arena);
        nobody.customer = STR_EMPTY;
        ck_assert_int_eq(class->task_record(c, &nobody, arena, &out, &err), DELIVERY_REFUSED);
        ck_assert_int_ne(err.code, ERR_NONE);
        ck_assert_int_eq(class->task_record(c, &nameless, arena, &out, &err), DELIVERY_REFUSED);
        class->close(c);
    }
    arena_free(arena);
}
END_TEST

SUITE_MAIN("channels", each_class_is_found_by_its_name_and_no_other,
           each_option_is_documented_and_named_once, each_class_has_exactly_one_way_out,
           opening_and_closing_leaves_nothing_behind, the_same_task_twice_is_the_same_record,
           a_withdrawal_reaches_the_reader_of_its_task,
           a_task_without_customer_or_id_is_refused_with_a_reason)
