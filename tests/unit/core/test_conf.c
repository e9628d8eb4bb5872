#include "core/conf.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/json.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"

static const struct conf_field item_fields[] = {
    {.path = "mode",
     .kind = CONF_CHOICE,
     .fallback = "binary",
     .choices = "binary|json",
     .doc = "How."},
    {.path = "time", .kind = CONF_TEXT, .fallback = "", .doc = "Where the time is."},
    {0},
};

static const struct conf_field way_fields[] = {
    {.path = "by", .kind = CONF_CHOICE, .choices = "mail|web", .doc = "What."},
    {.path = "pace", .kind = CONF_INT, .fallback = "4", .doc = "How fast."},
    {0},
};
static const struct conf_field mail_fields[] = {
    {.path = "by", .kind = CONF_CHOICE, .choices = "mail|web", .doc = "What."},
    {.path = "pace", .kind = CONF_INT, .fallback = "1", .doc = "How fast, slower."},
    {.path = "from", .kind = CONF_TEXT, .doc = "The sender."},
    {0},
};
static const struct conf_variant way_list[] = {{"mail", mail_fields}, {"web", way_fields}, {0}};
static const struct conf_variants ways = {"by", way_list};

static const struct conf_field table[] = {
    {.path = "kafka.brokers", .kind = CONF_TEXT, .fallback = "127.0.0.1:9092", .doc = "Where."},
    {.path = "kafka.free", .kind = CONF_FREE, .fallback = "", .doc = "Passed through."},
    {.path = "redis.password", .kind = CONF_TEXT, .fallback = "", .secret = true, .doc = "Secret."},
    {.path = "time",
     .kind = CONF_CHOICE,
     .fallback = "wall",
     .choices = "wall|log",
     .doc = "Clock."},
    {.path = "partitions",
     .kind = CONF_INT,
     .fallback = "12",
     .min = 1,
     .max = 1024,
     .doc = "How many."},
    {.path = "fast", .kind = CONF_BOOL, .fallback = "false", .doc = "Or not."},
    {.path = "keep",
     .kind = CONF_SPAN,
     .fallback = "30d",
     .min = 0,
     .max = 31622400000,
     .doc = "How long."},
    {.path = "cache", .kind = CONF_BYTES, .fallback = "64MiB", .doc = "Room."},
    {.path = "roles",
     .kind = CONF_LIST,
     .fallback = "[ingest, decide]",
     .choices = "ingest|decide|dispatch",
     .doc = "What."},
    {.path = "sources",
     .kind = CONF_ITEMS,
     .fallback = "{crm: {}}",
     .fields = item_fields,
     .doc = "From where.",
     .example = "crm: {}\nbilling:\n  mode: json"},
    {.path = "ways",
     .kind = CONF_ITEMS,
     .fallback = "",
     .fields = way_fields,
     .variants = &ways,
     .doc = "Where to.",
     .example = "news:\n  by: mail\n  from: us"},
    {0},
};

static struct arena *arena;
static struct diags diags;
static struct buf printed;

static const struct conf *read_with(const char *text, const char *path, const char *value)
{
    struct conf_override override = {str_of(path), str_of(value)};

    if (arena == NULL)
        arena = arena_new(0);
    diags_free(&diags);
    return conf_read(table, str_of(text), "a.yaml", &override, path != NULL ? 1 : 0, arena, &diags);
}

static const struct conf *read(const char *text)
{
    return read_with(text, NULL, NULL);
}

/* All findings as printed, without source lines. */
static const char *findings(void)
{
    buf_clear(&printed);
    for (size_t i = 0; i < diags.count; i++)
        diag_print(&printed, &diags.items[i], STR_EMPTY);
    return buf_text(&printed);
}

static void refused(const char *text, const char *finding)
{
    ck_assert_ptr_null(read(text));
    ck_assert_msg(strstr(findings(), finding) != NULL, "%s\nin:\n%s", finding, findings());
}

static void refused_with(const char *path, const char *value, const char *finding)
{
    ck_assert_ptr_null(read_with("", path, value));
    ck_assert_msg(strstr(findings(), finding) != NULL, "%s\nin:\n%s", finding, findings());
}

static void text_is(const struct conf *conf, const char *path, const char *text)
{
    ck_assert_msg(conf != NULL, "%s", findings());
    ck_assert_str_eq(conf_text(conf, path).data, text);
}

START_TEST(an_empty_file_gives_all_defaults)
{
    const struct conf *conf = read("");

    text_is(conf, "kafka.brokers", "127.0.0.1:9092");
    text_is(conf, "time", "wall");
    ck_assert_int_eq(conf_int(conf, "partitions"), 12);
    ck_assert_int_eq(conf_int(conf, "keep"), 30 * INT64_C(86400000));
    ck_assert_int_eq(conf_int(conf, "cache"), 64 << 20);
    ck_assert(!conf_bool(conf, "fast"));
    ck_assert_uint_eq(conf_count(conf, "roles"), 2);
    ck_assert_str_eq(conf_item_text(conf, "roles", 1).data, "decide");
    ck_assert_str_eq(conf_item_name(conf, "sources", 0).data, "crm");
    text_is(conf_item(conf, "sources", 0), "mode", "binary");
    ck_assert_int_eq(conf_place(conf, "time").line, 0);
}
END_TEST

START_TEST(a_file_is_read_with_places)
{
    const struct conf *conf = read("kafka:\n  brokers: a:1,b:2\n  free: {linger.ms: 5}\n"
                                   "fast: true\nkeep: 1d12h\ncache: 1 GB\n"
                                   "roles: [dispatch]\nsources:\n  bill.ing:\n    mode: json\n");

    text_is(conf, "kafka.brokers", "a:1,b:2");
    ck_assert_int_eq(conf_place(conf, "kafka.brokers").line, 2);
    ck_assert_str_eq(conf_item_name(conf, "kafka.free", 0).data, "linger.ms");
    ck_assert_str_eq(conf_free_value(conf, "kafka.free", 0).data, "5");
    ck_assert(conf_bool(conf, "fast"));
    ck_assert_int_eq(conf_int(conf, "keep"), 36 * INT64_C(3600000));
    ck_assert_int_eq(conf_int(conf, "cache"), 1000000000);
    ck_assert_uint_eq(conf_count(conf, "roles"), 1);
    ck_assert_uint_eq(conf_count(conf, "sources"), 1);
    text_is(conf_item(conf, "sources", 0), "mode", "json");
}
END_TEST

START_TEST(all_findings_come_at_once)
{
    refused("kafka: {broker: x}\npartitions: 0\ntime: wal\n", "a.yaml:1:9: error[unknown-key]");
    ck_assert_uint_eq(diags.error_count, 3);
    ck_assert_ptr_nonnull(strstr(findings(), "did you mean brokers?"));
    ck_assert_ptr_nonnull(strstr(findings(),
                                 "a.yaml:2:13: error[wrong-value]: partitions is \"0\", "
                                 "wants a whole number from 1 to 1024"));
    ck_assert_ptr_nonnull(strstr(findings(), "did you mean wall?"));
}
END_TEST

START_TEST(unknown_keys_get_a_suggestion)
{
    refused("brokers: x\n", "did you mean kafka.brokers?");
    refused("zzz: x\n", "known here: kafka, redis, time");
    refused("sources: {crm: {mod: json}}\n", "unknown key sources.crm.mod");
    refused("kafka.brokers.x: 1\n", "unknown key kafka.brokers.x");
    refused("'': 1\n", "unknown key");
}
END_TEST

START_TEST(wrong_types_are_refused)
{
    refused("kafka: 1\n", "kafka is a whole number, wants keys and values");
    refused("- 1\n", "wants keys and values");
    refused("partitions: [1]\n", "partitions is a list, wants a whole number");
    refused("partitions: 1.5\n", "partitions is \"1.5\"");
    refused("partitions: \"99999999999999999999\"\n", "wrong-value");
    refused("partitions:\n", "wrong-value");
    refused("fast: yes\n", "wants true or false");
    refused("keep: 12x\n", "wants a duration");
    refused("keep: 9000d\n", "from 0s to");
    refused("cache: 12\n", "wants a size");
    refused("cache: 99999999999GiB\n", "wants a size");
    refused("roles: decide\n", "wants a list");
    refused("roles: [decied]\n", "did you mean decide?");
    refused("roles: [{a: 1}]\n", "wants texts");
    refused("sources: [crm]\n", "wants names");
    refused("sources: {crm: 1}\n", "wants keys and values");
    refused("kafka: {free: {a: [1]}}\n", "wants a text");
}
END_TEST

START_TEST(broken_yaml_is_a_finding)
{
    refused("kafka: [", "error[yaml]");
    refused("time: wall\ntime: log\n", "error[duplicate-key]");
}
END_TEST

START_TEST(references_are_filled_in)
{
    const char *dir = scratch_dir();
    char text[512];

    setenv("CONF_TEST_PORT", "7", 1);
    unsetenv("CONF_TEST_NONE");
    snprintf(text, sizeof text,
             "kafka: {brokers: \"${CONF_TEST_NONE:h}:${CONF_TEST_PORT}\"}\n"
             "partitions: ${CONF_TEST_PORT}\nredis: {password: \"${file:%s}\"}\n",
             scratch_write(dir, "secret", "pass word\n"));
    text_is(read(text), "kafka.brokers", "h:7");
    ck_assert_int_eq(conf_int(read(text), "partitions"), 7);
    text_is(read(text), "redis.password", "pass word");
    text_is(read("kafka: {brokers: \"$${A} $x ${CONF_TEST_NONE:}\"}"), "kafka.brokers", "${A} $x ");
}
END_TEST

START_TEST(references_that_lead_nowhere_are_findings)
{
    unsetenv("CONF_TEST_NONE");
    refused("kafka: {brokers: \"ab ${CONF_TEST_NONE}\"}\n", "a.yaml:1:22: error[unset-variable]");
    refused("kafka: {brokers: \"${file:/no/such/file}\"}\n", "error[file]: open /no/such/file");
    refused("kafka: {brokers: \"${A B}\"}\n", "error[reference]");
    refused("kafka: {brokers: \"${A\"}\n", "has no }");
}
END_TEST

START_TEST(a_secret_in_the_file_is_refused)
{
    refused("redis: {password: hunter2}\n", "error[plain-secret]");
    refused_with("redis.password", "hunter2", "error[plain-secret]");
    refused("redis: {password: \"${A:x}y\"}\n", "error[plain-secret]");
}
END_TEST

START_TEST(overrides_reach_every_kind)
{
    text_is(read_with("kafka: {brokers: x}", "kafka.brokers", "y"), "kafka.brokers", "y");
    ck_assert_int_eq(conf_int(read_with("", "partitions", "3"), "partitions"), 3);
    ck_assert_uint_eq(conf_count(read_with("", "roles", "decide, dispatch,ingest"), "roles"), 3);
    ck_assert_uint_eq(conf_count(read_with("", "roles", "[dispatch]"), "roles"), 1);
    ck_assert_str_eq(conf_free_value(read_with("", "kafka.free.a.b", "c"), "kafka.free", 0).data,
                     "c");
    ck_assert_uint_eq(conf_count(read_with("", "sources", "{a: {}, b: {}}"), "sources"), 2);
    text_is(conf_item(read_with("", "sources.crm.mode", "json"), "sources", 0), "mode", "json");
    text_is(conf_item(read_with("", "sources.a.b.mode", "json"), "sources", 1), "mode", "json");
}
END_TEST

START_TEST(wrong_overrides_are_findings)
{
    refused_with("partitons", "3", "-s partitons: error[unknown-key]: unknown key partitons");
    refused_with("partitons", "3", "did you mean partitions?");
    refused_with("brokers", "3", "did you mean kafka.brokers?");
    refused_with("partitions", "x", "-s partitions: error[wrong-value]");
    refused_with("sources.crm.mdoe", "json", "error[unknown-key]");
    refused_with("sources.crm", "json", "error[unknown-key]");
    refused_with("sources", "[", "error[yaml]");
    refused_with("kafka", "x", "error[unknown-key]");
    refused_with("time.x", "x", "error[unknown-key]");
    refused_with("", "x", "error[unknown-key]");
}
END_TEST

START_TEST(what_an_item_may_say_depends_on_its_variant)
{
    const struct conf *conf = read("ways: {a: {by: mail, from: us}, b: {pace: 9, by: web}}");

    text_is(conf_item(conf, "ways", 0), "from", "us");
    ck_assert_int_eq(conf_int(conf_item(conf, "ways", 0), "pace"), 1);
    ck_assert_int_eq(conf_int(conf_item(conf, "ways", 1), "pace"), 9);
    ck_assert(!conf_has(conf_item(conf, "ways", 1), "from"));
    refused("ways: {a: {by: mail}}", "ways.a.from is missing");
    refused("ways: {a: {by: web, from: us}}", "unknown key ways.a.from");
    refused("ways: {a: {by: pigeon}}", "ways.a.by is \"pigeon\", wants mail or web");
    refused("ways: {a: {pace: 2}}", "ways.a.by is missing");
}
END_TEST

START_TEST(a_variant_may_be_chosen_by_a_reference_or_an_override)
{
    const struct conf *conf;

    setenv("CONF_TEST_WAY", "mail", 1);
    refused("ways: {a: {by: \"${CONF_TEST_WAY}\"}}", "ways.a.from is missing");
    setenv("CONF_TEST_WAY", "web", 1);
    conf = read("ways: {a: {by: \"${CONF_TEST_WAY}\", pace: 3}}");
    ck_assert_msg(conf != NULL, "%s", findings());
    ck_assert_int_eq(conf_int(conf_item(conf, "ways", 0), "pace"), 3);
    conf = read_with("ways: {a: {by: mail, from: us, pace: 3}}", "ways.a.by", "web");
    ck_assert_msg(conf != NULL, "%s", findings());
    ck_assert(!conf_has(conf_item(conf, "ways", 0), "from"));
    ck_assert_int_eq(conf_int(conf_item(conf, "ways", 0), "pace"), 3);
}
END_TEST

START_TEST(printed_it_reads_back_the_same)
{
    const char *text = "kafka:\n  brokers: \"a: $${b} \\\"c\\\\ \\n#\"\n  free: {linger.ms: 5}\n"
                       "keep: 90m\nroles: []\nsources: {a: {time: \"null\"}}\n";
    struct buf first = {0}, second = {0};

    ck_assert_ptr_nonnull(read(text));
    conf_print(&first, read(text));
    ck_assert_ptr_nonnull(strstr(buf_text(&first), "keep: 1h30m\n"));
    ck_assert_msg(read(buf_text(&first)) != NULL, "%s%s", findings(), buf_text(&first));
    conf_print(&second, read(buf_text(&first)));
    ck_assert_str_eq(buf_text(&first), buf_text(&second));
    buf_free(&first);
    buf_free(&second);
}
END_TEST

START_TEST(printed_secrets_are_masked)
{
    const struct conf *conf;
    struct buf out = {0};

    setenv("CONF_TEST_SECRET", "hunter2", 1);
    conf = read("redis: {password: \"${CONF_TEST_SECRET}\"}\n"
                "kafka: {free: {sasl.password: hunter2, sasl.username: me}}\n");
    ck_assert_ptr_nonnull(conf);
    conf_print(&out, conf);
    ck_assert_ptr_null(strstr(buf_text(&out), "hunter2"));
    ck_assert_ptr_nonnull(strstr(buf_text(&out), "password: \"***\""));
    ck_assert_ptr_nonnull(strstr(buf_text(&out), "sasl.username: me"));
    buf_free(&out);
    conf = read("kafka: {brokers: \"redis://me:hunter2@h/@:${CONF_TEST_SECRET}@host:1,b:2\"}\n");
    ck_assert_ptr_nonnull(conf);
    conf_print(&out, conf);
    ck_assert_ptr_null(strstr(buf_text(&out), "hunter2"));
    ck_assert_ptr_nonnull(strstr(buf_text(&out), "redis://me:***@host:1,b:2"));
    buf_free(&out);
}
END_TEST

START_TEST(the_example_is_a_configuration)
{
    const struct conf *conf;
    struct buf out = {0};

    conf_print_example(&out, table);
    conf = read(buf_text(&out));
    ck_assert_msg(conf != NULL, "%s%s", findings(), buf_text(&out));
    ck_assert_uint_eq(conf_count(conf, "sources"), 2);
    ck_assert_ptr_nonnull(strstr(buf_text(&out), "# a whole number from 1 to 1024; default: 12\n"
                                                 "partitions: 12\n"));
    buf_free(&out);
}
END_TEST

START_TEST(the_schema_is_json_with_every_key)
{
    struct buf out = {0};
    struct value schema, properties;

    read("");
    conf_print_schema(&out, table);
    ck_assert_int_eq(json_parse(buf_str(&out), arena, &schema, NULL), JSON_FINE);
    properties = value_map_get(schema, STR("properties"));
    ck_assert_int_eq(value_map_get(properties, STR("partitions")).kind, VALUE_MAP);
    properties = value_map_get(value_map_get(properties, STR("kafka")), STR("properties"));
    ck_assert_int_eq(value_map_get(properties, STR("brokers")).kind, VALUE_MAP);
    buf_free(&out);
}
END_TEST

SUITE_MAIN("conf", an_empty_file_gives_all_defaults, a_file_is_read_with_places,
           all_findings_come_at_once, unknown_keys_get_a_suggestion, wrong_types_are_refused,
           broken_yaml_is_a_finding, references_are_filled_in,
           references_that_lead_nowhere_are_findings, a_secret_in_the_file_is_refused,
           overrides_reach_every_kind, wrong_overrides_are_findings,
           what_an_item_may_say_depends_on_its_variant,
           a_variant_may_be_chosen_by_a_reference_or_an_override, printed_it_reads_back_the_same,
           printed_secrets_are_masked, the_example_is_a_configuration,
           the_schema_is_json_with_every_key)
