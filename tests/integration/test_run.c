/* `attent run` as whoever operates it sees it: what it says when something is missing, the first
 * start, other rules, leaving; and the verbs that look at a running installation (tap, why,
 * replay).  What is decided is the business of test_moments, what survives of test_recovery. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/file.h"
#include "core/when.h"
#include "processors/worker/step.h"
#include "tests/support/field.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"
#include "tests/support/wait.h"
#include "tests/support/watch.h"

enum {
    WAIT_MS_MAX = 60 * 1000,
    LEAVE_MS_MAX = 2000,
    EXIT_DOWN = 69,
    EXIT_CONFIG = 78,
};

static const char yaml[] = "time: log\n"
                           "console: {address: \"\"}\n"
                           "sources: {\"{name}.crm\": {}}\n"
                           "channels:\n"
                           "  phone: {connector: contact_centre, topic: \"{name}.{queue}\"}\n"
                           "  garage: {connector: contact_centre, topic: \"{name}.{queue}\"}\n";

static struct server *kafka; /* of the suite's process */

static void start_kafka(void)
{
    kafka = kafka_start(1);
}

static void stop_kafka(void)
{
    server_stop(kafka);
}

/* A field whose source and queue topics are there too. */
static void open_company(struct field *field, const char *name)
{
    struct kafka_topic_config topics[2];
    struct err err = {0};

    field_open(field, name, kafka, yaml);
    topics[0] = (struct kafka_topic_config){field_topic(field, "crm"), 1, 1, NULL, 0};
    topics[1] = (struct kafka_topic_config){field_topic(field, "garage"), 1, 1, NULL, 0};
    ck_assert_msg(kafka_topics_create(&field->kafka, topics, 2, &err) == ERR_NONE, "%s", err.text);
}

static void says(struct process *process, int code, const char *text)
{
    field_check(process, process_wait(process, WAIT_MS_MAX) == code, "another exit code");
    field_check(process, strstr(process_stderr(process), text) != NULL, text);
    process_free(process);
}

static void contains(char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "%s\nis not in\n%s", part, text);
}

static void wait_for(struct process *process, const char *text)
{
    field_check(process, process_wait_output(process, text, WAIT_MS_MAX), text);
}

static void leaves_in_time(struct process *process)
{
    process_kill(process, SIGTERM);
    field_check(process, process_wait(process, LEAVE_MS_MAX) == 0, "SIGTERM");
    process_free(process);
}

/* --- what is missing ------------------------------------------------------------------------------- */

START_TEST(without_kafka_it_says_so_and_ends_with_69)
{
    char brokers[64];
    const char *const argv[] = {"build/asan/attent", "run", "-s", brokers, NULL};

    snprintf(brokers, sizeof brokers, "kafka.brokers=127.0.0.1:%d", scratch_free_port());
    says(process_start(argv, NULL), EXIT_DOWN, "attent: ");
}
END_TEST

START_TEST(without_topics_it_says_what_makes_them)
{
    struct field field;

    open_company(&field, "missing");
    says(field_start(&field, "run", "-s", "topics.prefix=nowhere.", NULL), EXIT_DOWN,
         "nowhere.rules, nowhere.outcomes.dlq: not there; `attent topics --create` makes what is "
         "missing");
    says(field_start(&field, "run", "-s", "sources={gone: {dlq: missing.crm.dlq}}", NULL),
         EXIT_DOWN,
         "source topic gone: not there; correct `sources`, or let `attent topics --create --all`");
    field_close(&field);
}
END_TEST

START_TEST(another_number_of_partitions_is_refused)
{
    struct field field;

    open_company(&field, "count");
    says(field_start(&field, "run", "-s", "partitions=7", NULL), EXIT_CONFIG,
         "topic count.events has 4 partitions and the configuration says 7");
    field_close(&field);
}
END_TEST

START_TEST(without_redis_it_says_so_and_ends_with_69)
{
    struct field field;

    open_company(&field, "noredis");
    server_kill(field.redis, 0, SIGKILL);
    says(field_start(&field, "run", "--role", "decide", NULL), EXIT_DOWN, "Redis");
    field_close(&field);
}
END_TEST

START_TEST(wrong_roles_and_keys_are_refused)
{
    struct field field;

    open_company(&field, "wrong");
    says(field_start(&field, "run", "--role", "decied", NULL), 2, "did you mean decide?");
    says(field_start(&field, "run", "-s", "sources.crm.mod=json", NULL), EXIT_CONFIG,
         "unknown key sources.crm.mod");
    field_close(&field);
}
END_TEST

/* --- rules in force ----------------------------------------------------------------------------------- */

static size_t count_activations(struct field *field)
{
    const char *const topics[] = {field_topic(field, "events"), NULL};
    struct watch *watch = watch_open(&field->kafka, topics);
    size_t count = 0;

    watch_to_end(watch);
    for (size_t i = 0; i < watch_count(watch); i++)
        count += str_is(record_header(watch_at(watch, i), STR(CONTROL_HEADER)), CONTROL_ACTIVATE);
    watch_close(watch);
    return count;
}

START_TEST(of_two_that_start_at_once_one_puts_the_rules_in_force)
{
    struct process *one, *two;
    struct field field;

    open_company(&field, "first");
    one = field_start(&field, "run", "-s", "process=one", NULL);
    two = field_start(&field, "run", "-s", "process=two", NULL);
    wait_for(one, "started");
    wait_for(two, "started");
    ck_assert_uint_eq(count_activations(&field), FIELD_PARTITIONS);
    leaves_in_time(one);
    leaves_in_time(two);
    field_close(&field);
}
END_TEST

/* The shipped rules with a line more in one file. */
static const char *other_rules(void)
{
    static const char *const files[] = {"facts.yaml", "policy.yaml", "moments/brake-pads.yaml"};
    struct arena *arena = arena_new(0);
    const char *dir = scratch_dir();
    struct str text;

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        const char *path = arena_format(arena, "rules/%s", files[i]).data;
        ck_assert_int_eq(file_read(path, arena, &text, NULL), ERR_NONE);
        scratch_write(dir, files[i], arena_format(arena, "# other\n%.*s", STR_ARG(text)).data);
    }
    ck_assert_int_eq(file_read("schemas/events/vehicle.telemetry.json", arena, &text, NULL),
                     ERR_NONE);
    scratch_write(dir, "schemas/events/vehicle.telemetry.json", text.data);
    arena_free(arena);
    return dir;
}

/* A policy and one event type, vehicle.telemetry. */
static const char *few_rules(struct field *field)
{
    const char *dir = other_rules();

    scratch_write(dir, "facts.yaml", "");
    scratch_remove(arena_format(field->arena, "%s/moments", dir).data);
    scratch_write(dir, "policy.yaml", "tiers: {service: {consent: always}}\n");
    return dir;
}

START_TEST(activate_puts_rules_in_force_once_and_only_right_ones)
{
    const char *dir = scratch_dir();
    char *first, *again;
    struct field field;

    open_company(&field, "activate");
    first = field_run(&field, 0, "activate", "rules", NULL);
    again = field_run(&field, 0, "activate", "rules", NULL);
    ck_assert_uint_eq(strlen(first), 33); /* the hash, and a line's end */
    ck_assert_str_eq(first, again);
    ck_assert_uint_eq(count_activations(&field), FIELD_PARTITIONS);
    scratch_write(dir, "moments/broken.yaml", "moment: broken\nwehn: []\n");
    says(field_start(&field, "activate", dir, NULL), 1, "broken.yaml:2:1: error");
    ck_assert_uint_eq(count_activations(&field), FIELD_PARTITIONS);
    free(first);
    free(again);
    field_close(&field);
}
END_TEST

START_TEST(a_folder_that_differs_from_what_is_in_force_is_told)
{
    struct process *attent;
    struct field field;

    open_company(&field, "differs");
    free(field_run(&field, 0, "activate", "rules", NULL));
    attent = field_start(&field, "run", "-s",
                         arena_format(field.arena, "rules.folder=%s", other_rules()).data, NULL);
    wait_for(attent, "differs from what is in force; `attent activate` puts it in force");
    wait_for(attent, "\"msg\":\"reading\""); /* ingest is the last to be at work */
    leaves_in_time(attent);
    field_close(&field);
}
END_TEST

/* Number 1 knows no moment, 2 knows those of rules/, then back to 1, and back again. */
START_TEST(earlier_rules_are_listed_compared_and_put_in_force_again)
{
    struct field field;
    const char *dir, *out;
    char *first, *said;

    open_company(&field, "rules");
    says(field_start(&field, "rules", "list", NULL), 78, "no rules are in force yet");
    dir = few_rules(&field);
    first = field_run(&field, 0, "activate", dir, NULL);
    free(field_run(&field, 0, "activate", "rules", NULL));
    said = field_run(&field, 0, "rules", "diff", NULL);
    contains(said, "~ facts.yaml\n");
    contains(said, "+ moments/brake-pads.yaml\n");
    contains(said, "\n--- 1/facts.yaml\n+++ 2/facts.yaml\n@@ -0,0 +1,");
    contains(said, "\n-tiers: {service: {consent: always}}\n");
    free(said);
    said = field_run(&field, 0, "rules", "rollback", NULL);
    ck_assert_str_eq(said, first);
    free(said);
    ck_assert_uint_eq(count_activations(&field), 3 * FIELD_PARTITIONS);
    said = field_run(&field, 0, "rules", "diff", "1", "3", NULL);
    ck_assert_str_eq(said, "1 and 3 are the same\n");
    free(said);
    says(field_start(&field, "rules", "rollback", "9", NULL), 2, "\"9\" was never in force");
    free(field_run(&field, 0, "rules", "rollback", "2", NULL));
    said = field_run(&field, 0, "rules", "show", NULL);
    contains(said, "number 4, hash ");
    contains(said, "  brake-pads  ");
    free(said);
    out = arena_format(field.arena, "%s/again", dir).data;
    free(field_run(&field, 0, "rules", "show", "2", "--out", out, NULL));
    said = field_run(&field, 0, "rules", "diff", out, NULL);
    contains(said, "are the same\n");
    free(said);
    free(first);
    field_close(&field);
}
END_TEST

/* --- looking at it ---------------------------------------------------------------------------------------- */

static void send(struct field *field, const char *id, const char *time, const char *type,
                 const char *data)
{
    struct field_event event = {.id = id, .customer = "c-dewi", .type = type, .data = data};

    ck_assert(when_parse_ms(str_of(time), &event.at_ms));
    field_send(field, "crm", FIELD_BINARY, &event);
}

static void send_worn_pads(struct field *field)
{
    send(field, "1", "2026-03-02T09:00:00+01:00", "customer.updated",
         "{\"country\":\"NL\",\"time_zone\":\"Europe/Amsterdam\",\"phone\":\"+31200000004\"}");
    send(field, "2", "2026-03-02T09:30:00+01:00", "vehicle.telemetry",
         "{\"vin\":\"D1\",\"pad_mm\":3.4}");
    send(field, "3", "2026-03-02T22:40:00+01:00", "vehicle.telemetry",
         "{\"vin\":\"D1\",\"pad_mm\":2.8}");
}

/* The last line of both has the digest of the partition's state. */
static void replay_is_live(struct field *field, int partition)
{
    const char *number = arena_format(field->arena, "%d", partition).data;
    char *live = field_run(field, 0, "replay", "--state", "--partition", number, NULL);
    char *replayed = field_run(field, 0, "replay", "--partition", number, NULL);
    char *end = strchr(live, '}');

    ck_assert_ptr_nonnull(end);
    *end = '\0'; /* {"state":"..." */
    contains(replayed, live);
    free(live);
    free(replayed);
}

START_TEST(tap_why_and_replay_tell_what_happened)
{
    struct process *attent, *tap;
    struct field field;
    int64_t morning_ms;
    char *why;

    open_company(&field, "story");
    attent = field_start(&field, "run", NULL);
    tap = field_start(&field, "tap", "--from-beginning", "--customer", "c-dewi", NULL);
    send_worn_pads(&field);
    wait_for(tap, "c-dewi  brake-pads D1  hold: quiet_hours");
    ck_assert(when_parse_ms(STR("2026-03-03T08:30:00+01:00"), &morning_ms));
    field_tick(&field, morning_ms);
    wait_for(tap, "TASK garage, queue garage: Please offer an appointment");
    leaves_in_time(tap);
    why = field_run(&field, 0, "why", "c-dewi", NULL);
    contains(why, "hold: quiet_hours");
    contains(why, "slot         STOPPED");
    contains(why, "2 of 2 decisions about c-dewi");
    free(why);
    why = field_run(&field, 0, "why", "c-dewi", "--last", "1", "--json", NULL);
    contains(why, "\"reason\":\"task\"");
    free(why);
    leaves_in_time(attent);
    for (int p = 0; p < FIELD_PARTITIONS; p++)
        replay_is_live(&field, p);
    field_close(&field);
}
END_TEST

START_TEST(another_event_type_is_taken_after_activate)
{
    struct process *attent, *tap;
    const char *dir;
    struct field field;

    open_company(&field, "types");
    dir = few_rules(&field);
    free(field_run(&field, 0, "activate", dir, NULL));
    attent = field_start(&field, "run", NULL);
    wait_for(attent, "started");
    free(field_run(&field, 0, "activate", "rules", NULL));
    wait_for(attent, "its event types are read again");
    tap = field_start(&field, "tap", "--from-beginning", NULL);
    send_worn_pads(&field);
    wait_for(tap, "hold: quiet_hours");
    leaves_in_time(tap);
    leaves_in_time(attent);
    field_close(&field);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        without_kafka_it_says_so_and_ends_with_69,
        without_topics_it_says_what_makes_them,
        another_number_of_partitions_is_refused,
        without_redis_it_says_so_and_ends_with_69,
        wrong_roles_and_keys_are_refused,
        of_two_that_start_at_once_one_puts_the_rules_in_force,
        activate_puts_rules_in_force_once_and_only_right_ones,
        a_folder_that_differs_from_what_is_in_force_is_told,
        earlier_rules_are_listed_compared_and_put_in_force_again,
        tap_why_and_replay_tell_what_happened,
        another_event_type_is_taken_after_activate,
    };

    return suite_run_with("run", tests, sizeof tests / sizeof tests[0], 300, start_kafka,
                          stop_kafka);
}
