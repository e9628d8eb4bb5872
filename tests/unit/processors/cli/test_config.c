#include "processors/cli/config.h"

#include "core/file.h"
#include "core/mem.h"
#include "processors/cli/topics.h"
#include "tests/support/suite.h"

static struct arena *arena;

static struct arena *memory(void)
{
    if (arena == NULL)
        arena = arena_new(0);
    return arena;
}

static const struct conf *read(const char *text)
{
    struct diags diags = {0};
    struct buf out = {0};
    const struct conf *conf =
        conf_read(config_table(), str_of(text), "attent.yaml", NULL, 0, memory(), &diags);

    for (size_t i = 0; i < diags.count; i++)
        diag_print(&out, &diags.items[i], str_of(text));
    ck_assert_msg(conf != NULL, "%s", buf_text(&out));
    buf_free(&out);
    diags_free(&diags);
    return conf;
}

static void file_is(const char *path, struct buf *made)
{
    struct str text;

    ck_assert_int_eq(file_read(path, memory(), &text, NULL), ERR_NONE);
    ck_assert_msg(str_equal(text, buf_str(made)), "%s is stale: run `make docs`", path);
    buf_free(made);
}

START_TEST(the_files_made_from_the_table_are_fresh)
{
    struct buf out = {0};

    config_put_example(&out);
    file_is("deploy/attent.yaml", &out);
    config_put_reference(&out);
    file_is("docs/configuration.md", &out);
    conf_print_schema(&out, config_table());
    file_is("schemas/attent.schema.json", &out);
}
END_TEST

START_TEST(the_example_says_what_the_defaults_are)
{
    const struct conf *defaults = read(""), *example;
    struct buf out = {0}, one = {0}, two = {0};

    config_put_example(&out);
    example = read(buf_text(&out));
    ck_assert_uint_eq(conf_count(defaults, "sources"), 0);
    ck_assert_uint_ne(conf_count(example, "sources"), 0);
    conf_print(&one, defaults);
    conf_print(&two, read("sources: {}"));
    ck_assert_str_eq(buf_text(&one), buf_text(&two));
    buf_free(&out);
    buf_free(&one);
    buf_free(&two);
}
END_TEST

START_TEST(topics_are_named_with_the_prefix)
{
    struct config_topics topics = config_topics(read("topics: {prefix: a-, rules: r}"), memory());

    ck_assert_str_eq(topics.events, "a-events");
    ck_assert_str_eq(topics.ledger, "a-ledger");
    ck_assert_str_eq(topics.rules, "r");
    ck_assert_int_eq(topics.partitions, 12);
}
END_TEST

START_TEST(clients_get_the_properties_that_are_passed_through)
{
    struct kafka_settings kafka = config_kafka(
        read("group: g\nkafka: {brokers: k:1, librdkafka: {debug: all}}"), "decide", memory());

    ck_assert_str_eq(kafka.brokers, "k:1");
    ck_assert_str_eq(kafka.client_id, "g-decide");
    ck_assert_uint_eq(kafka.property_count, 1);
    ck_assert_str_eq(kafka.properties[0].name, "debug");
    ck_assert_str_eq(kafka.properties[0].value, "all");
}
END_TEST

START_TEST(a_process_has_a_name_of_its_own)
{
    ck_assert_str_eq(config_process_id(read("process: web-1"), "ingest", memory()),
                     "attent-ingest-web-1");
    ck_assert_int_eq(strncmp(config_process_id(read(""), "ingest", memory()), "attent-ingest-", 14),
                     0);
}
END_TEST

START_TEST(planned_topics_are_ours_and_the_dead_letters)
{
    struct topics_plan plan = topics_plan(
        read("replication: 3\nsources: {crm: {}, web: {dlq: lost}, b: {dlq: lost}}"), memory());
    static const char *const names[] = {"attent.events",
                                        "attent.identify",
                                        "attent.identify.dlq",
                                        "attent.events.dlq",
                                        "attent.tasks",
                                        "attent.decisions",
                                        "attent.outcomes",
                                        "attent.ledger",
                                        "attent.rules",
                                        "crm.dlq",
                                        "lost",
                                        "attent.outcomes.dlq"};

    ck_assert_uint_eq(plan.count, sizeof names / sizeof names[0]);
    for (size_t i = 0; i < plan.count; i++) {
        ck_assert_str_eq(plan.items[i].name, names[i]);
        ck_assert_int_eq(plan.items[i].replication, 3);
    }
    ck_assert_int_eq(plan.items[0].partitions, 12);
    ck_assert_int_eq(plan.items[8].partitions, 1);
}
END_TEST

/* Two moments' worth of actions: a queue twice, one without a queue, a channel that is not ours. */
static const struct ruleset *two_moments(void)
{
    static struct act first[3], second[1];
    static struct moment moments[2];
    static struct ruleset rules;

    first[0] = (struct act){.channel = STR("phone"), .queue = STR("garage")};
    first[1] = (struct act){.channel = STR("email"), .queue = STR("garage")};
    first[2] = (struct act){.channel = STR("pigeon"), .queue = STR("roof")};
    second[0] = (struct act){.channel = STR("phone")};
    moments[0] = (struct moment){.acts = first, .act_count = 3};
    moments[1] = (struct moment){.acts = second, .act_count = 1};
    rules = (struct ruleset){.moments = moments, .moment_count = 2};
    return &rules;
}

START_TEST(topics_of_others_are_the_sources_and_the_queues_that_moments_name)
{
    struct topics_plan others =
        topics_others(read("sources: {crm: {}, web: {}}"), two_moments(), memory());
    static const char *const names[] = {"crm", "web", "contact.garage", "contact.general"};

    ck_assert_uint_eq(others.count, sizeof names / sizeof names[0]);
    for (size_t i = 0; i < others.count; i++)
        ck_assert_str_eq(others.items[i].name, names[i]);
    others = topics_others(read("sources: {crm: {}}\nchannels: {phone: {connector: contact_centre, "
                                "topic: calls}}"),
                           two_moments(), memory());
    ck_assert_uint_eq(others.count, 2);
    ck_assert_str_eq(others.items[1].name, "calls");
    ck_assert_uint_eq(topics_others(read(""), NULL, memory()).count, 0);
}
END_TEST

START_TEST(topic_commands_name_those_of_others_too)
{
    const struct conf *conf = read("sources: {crm: {}}\npartitions: 3\ntime: log");
    struct buf out = {0};

    topics_put_commands(&out, conf, two_moments(), false, memory());
    ck_assert_ptr_nonnull(strstr(buf_text(&out),
                                 "--create --if-not-exists --topic attent.events --partitions 3 "
                                 "--config retention.ms=-1"));
    ck_assert_ptr_nonnull(strstr(buf_text(&out), "--config cleanup.policy=compact"));
    ck_assert_ptr_nonnull(strstr(buf_text(&out), "#   crm (a source)"));
    ck_assert_ptr_nonnull(
        strstr(buf_text(&out), "#   contact.garage (a queue of the contact centre)"));
    buf_clear(&out);
    topics_put_commands(&out, conf, two_moments(), true, memory());
    ck_assert_ptr_nonnull(strstr(buf_text(&out), "--topic crm --partitions 1"));
    ck_assert_ptr_nonnull(strstr(buf_text(&out), "--topic contact.general --partitions 1"));
    ck_assert_ptr_null(strstr(buf_text(&out), "# "));
    buf_free(&out);
}
END_TEST

SUITE_MAIN("config", the_files_made_from_the_table_are_fresh,
           the_example_says_what_the_defaults_are, topics_are_named_with_the_prefix,
           clients_get_the_properties_that_are_passed_through, a_process_has_a_name_of_its_own,
           planned_topics_are_ours_and_the_dead_letters,
           topics_of_others_are_the_sources_and_the_queues_that_moments_name,
           topic_commands_name_those_of_others_too)
