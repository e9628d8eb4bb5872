#include "connectors/contact_centre/contact_centre.h"
#include "core/file.h"
#include "schemas/schema.h"
#include "tests/support/sample.h"
#include "tests/support/suite.h"

static struct arena *arena;

static struct connector *open_with(const char *yaml, struct err *err)
{
    struct diags diags = {0};
    const struct conf *conf =
        conf_read(contact_centre_class.fields, str_of(yaml), "test.yaml", NULL, 0, arena, &diags);
    struct connector *connector;

    ck_assert_ptr_nonnull(conf);
    diags_free(&diags);
    contact_centre_class.open(conf, &connector, err);
    return connector;
}

static enum delivery deliver(struct connector *c, const struct task *task, struct record *out)
{
    return contact_centre_class.task_record(c, task, arena, out, NULL);
}

START_TEST(a_task_is_a_cloud_event_on_the_topic_of_its_queue)
{
    struct connector *c;
    struct task task = sample_task("0011aa"), read;
    struct record record;

    arena = arena_new(0);
    c = open_with("", NULL);
    ck_assert_int_eq(deliver(c, &task, &record), DELIVERY_ACCEPTED);
    ck_assert(str_is(record.topic, "contact.insurance"));
    ck_assert(str_is(record.key, "C-1"));
    ck_assert(str_is(record_header(&record, STR("ce_id")), "0011aa"));
    ck_assert(str_is(record_header(&record, STR("ce_type")), TASK_CE_TYPE));
    ck_assert(str_is(record_header(&record, STR("ce_partitionkey")), "C-1"));
    ck_assert(task_read_json(record.value, arena, &read, NULL));
    ck_assert(str_equal(read.say, task.say));
    contact_centre_class.close(c);
    arena_free(arena);
}
END_TEST

START_TEST(a_withdrawal_follows_its_task_under_an_id_of_its_own)
{
    struct connector *c;
    struct withdrawal w = sample_withdrawal("0011aa");
    struct record record;

    arena = arena_new(0);
    c = open_with("", NULL);
    ck_assert_int_eq(contact_centre_class.withdrawal_record(c, &w, arena, &record, NULL),
                     DELIVERY_ACCEPTED);
    ck_assert(str_is(record.topic, "contact.insurance"));
    ck_assert(str_is(record.key, "C-1"));
    ck_assert(str_is(record_header(&record, STR("ce_id")), "0011aa-withdrawn"));
    ck_assert(str_is(record_header(&record, STR("ce_type")), WITHDRAWAL_CE_TYPE));
    contact_centre_class.close(c);
    arena_free(arena);
}
END_TEST

static void expect_fits(struct str json, const char *file)
{
    struct diags diags = {0};
    struct schema *schema;
    struct value value;
    struct str text;
    struct err err = {0};

    ck_assert_int_eq(file_read(file, arena, &text, NULL), ERR_NONE);
    schema = schema_read(text, file, arena, &diags);
    ck_assert_msg(schema != NULL, "%s", diags.count != 0 ? diags.items[0].what : "");
    ck_assert_int_eq(json_parse(json, arena, &value, NULL), JSON_FINE);
    ck_assert_msg(schema_validate(schema, value, &err), "%s: %s", file, err.text);
    diags_free(&diags);
}

START_TEST(what_it_writes_fits_the_schemas_for_others)
{
    struct connector *c;
    struct task task = sample_task("00112233445566778899aabbccddeeff");
    struct withdrawal w = sample_withdrawal("00112233445566778899aabbccddeeff");
    struct record record;

    arena = arena_new(0);
    c = open_with("", NULL);
    ck_assert_int_eq(deliver(c, &task, &record), DELIVERY_ACCEPTED);
    expect_fits(record.value, "schemas/task.schema.json");
    ck_assert_int_eq(contact_centre_class.withdrawal_record(c, &w, arena, &record, NULL),
                     DELIVERY_ACCEPTED);
    expect_fits(record.value, "schemas/withdrawal.schema.json");
    contact_centre_class.close(c);
    arena_free(arena);
}
END_TEST

static void expect_topic(const char *yaml, const char *queue, const char *topic)
{
    struct connector *c = open_with(yaml, NULL);
    struct task task = sample_task("0011aa");
    struct record record;

    task.queue = str_of(queue);
    ck_assert_int_eq(deliver(c, &task, &record), DELIVERY_ACCEPTED);
    ck_assert_msg(str_is(record.topic, topic), "%.*s", STR_ARG(record.topic));
    contact_centre_class.close(c);
}

START_TEST(the_topic_is_made_as_the_options_say)
{
    arena = arena_new(0);
    expect_topic("topic: q-{queue}-tasks", "garage", "q-garage-tasks");
    expect_topic("topic: all-queues", "garage", "all-queues");
    expect_topic("queue: front_desk", "", "contact.front_desk");
    arena_free(arena);
}
END_TEST

START_TEST(a_queue_that_cannot_be_in_a_topics_name_is_refused)
{
    static const char *const wrong[] = {"a b", "../x", "caf\xc3\xa9", "a/b"};
    struct connector *c;
    struct task task = sample_task("0011aa");
    struct record record;
    char large[300];

    arena = arena_new(0);
    c = open_with("", NULL);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        task.queue = str_of(wrong[i]);
        ck_assert_int_eq(deliver(c, &task, &record), DELIVERY_REFUSED);
    }
    memset(large, 'q', sizeof large);
    task.queue = (struct str){large, sizeof large};
    ck_assert_int_eq(deliver(c, &task, &record), DELIVERY_REFUSED);
    contact_centre_class.close(c);
    arena_free(arena);
}
END_TEST

START_TEST(options_that_can_never_make_a_topic_stop_the_start)
{
    static const char *const wrong[] = {"topic: a b", "topic: \"{queue} {queue}\"",
                                        "topic: \"{team}\"", "queue: a/b", "topic: \"\""};
    struct err err;

    arena = arena_new(0);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        err = (struct err){0};
        ck_assert_ptr_null(open_with(wrong[i], &err));
        ck_assert_int_eq(err.code, ERR_CONFIG);
    }
    arena_free(arena);
}
END_TEST

SUITE_MAIN("contact centre", what_it_writes_fits_the_schemas_for_others,
           a_task_is_a_cloud_event_on_the_topic_of_its_queue,
           a_withdrawal_follows_its_task_under_an_id_of_its_own,
           the_topic_is_made_as_the_options_say, a_queue_that_cannot_be_in_a_topics_name_is_refused,
           options_that_can_never_make_a_topic_stop_the_start)
