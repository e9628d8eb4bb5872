/* A record that ends the process: three processes end at it, then it is put aside with its reason and
 * passed over, by every owner and by `attent replay`; all the rest is processed.
 *
 * What a role dies of says ATTENT_POISON (core/fail_point.h).
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/hash.h"
#include "core/limit.h"
#include "core/when.h"
#include "schemas/letter.h"
#include "tests/support/decided.h"
#include "tests/support/history.h"
#include "tests/support/suite.h"
#include "tests/support/wait.h"

enum {
    CUSTOMERS = 40,
    EVENTS = 600,
    SOURCE_EVENTS = 12,
    SOURCE_POISON = 7,
    LETTERS = 1050,      /* more than are sent unasked */
    LETTER_LETHAL = 450, /* in the third transaction of 200 */
    DEATHS_MAX = 6,      /* more than it may take */
    LIFE_MS_MAX = 90 * 1000,
    KILLED = 128 + SIGKILL,
};

static const int64_t start_ms = 1735689600000; /* 2025-01-01T00:00:00Z */

static struct server *kafka; /* of the suite's process */

static void start_kafka(void)
{
    kafka = kafka_start(1);
}

static void stop_kafka(void)
{
    server_stop(kafka);
}

/* --- what goes in ---------------------------------------------------------------------------------- */

static void feed(struct field *field, struct history *history, size_t count)
{
    const struct field_event *event;

    for (size_t i = 0; i < count && (event = history_next(history)) != NULL; i++)
        field_put(field, "events", FIELD_BINARY, event);
    field_flush(field);
}

static void send_to_decide(struct field *field, struct history *history)
{
    const struct field_event event = {.id = "kills-decide",
                                      .customer = "c-7",
                                      .type = "customer.updated",
                                      .data = "{\"country\":\"NL\",\"note\":\"lethal\"}",
                                      .at_ms = history_now_ms(history)};

    field_send(field, "events", FIELD_BINARY, &event);
}

/* Events of one unknown car, which are parked; the one in the middle kills. */
static void send_to_identify(struct field *field)
{
    for (int i = 0; i < 3; i++) {
        const struct header headers[] = {
            {STR("attent-identify"), STR("event")},
            {STR("ce_specversion"), STR("1.0")},
            {STR("ce_id"), arena_format(field->arena, "car-%d", i)},
            {STR("ce_source"), STR("/cars")},
            {STR("ce_type"), STR("vehicle.telemetry")},
        };
        const struct record record = {
            .topic = str_of(field_topic(field, "identify")),
            .partition = hash_kafka_partition(STR("vin:V1"), FIELD_PARTITIONS),
            .timestamp_ms = start_ms + i,
            .key = STR("vin:V1"),
            .value = i == 1 ? STR("{\"vin\":\"V1\",\"note\":\"lethal\"}") : STR("{\"vin\":\"V1\"}"),
            .headers = headers,
            .header_count = sizeof headers / sizeof headers[0]};

        field_send_record(field, &record);
    }
}

/* Events of one customer to a source of one partition; so that what ingest writes is no matter of
 * decide, of a type that no rule reads. */
static void send_to_ingest(struct field *field)
{
    for (int i = 0; i < SOURCE_EVENTS; i++) {
        const struct field_event event = {.id = arena_format(field->arena, "crm-%d", i).data,
                                          .customer = "c-crm",
                                          .type = "customer.updated",
                                          .data = i == SOURCE_POISON
                                                      ? "{\"country\":\"NL\",\"note\":\"lethal\"}"
                                                      : "{\"country\":\"NL\"}",
                                          .at_ms = start_ms + i};

        field_put(field, "crm", FIELD_BINARY, &event);
    }
    field_flush(field);
}

/* --- lives ----------------------------------------------------------------------------------------- */

struct victim {
    const char *role;
    struct process *process;
    int deaths;
    bool alive; /* it has skipped, and goes on */
};

static void live_on(struct field *field, struct victim *v)
{
    char poison[32];

    if (v->process != NULL) {
        int code = process_wait(v->process, 0);

        v->alive |= strstr(process_stderr(v->process), "a record is skipped") != NULL;
        if (code == PROCESS_RUNNING)
            return;
        field_check(v->process, code == KILLED, "it ends by itself");
        ck_assert_int_lt(++v->deaths, DEATHS_MAX);
        process_free(v->process);
    }
    snprintf(poison, sizeof poison, "%s=lethal", v->role);
    setenv("ATTENT_POISON", poison, 1);
    v->process = field_start(field, "run", "--role", v->role, NULL);
    unsetenv("ATTENT_POISON");
}

static void await_survivors(struct field *field, struct victim *victims, size_t count)
{
    int64_t until_ms = wait_now_ms() + LIFE_MS_MAX;
    size_t alive = 0;

    while (alive < count) {
        alive = 0;
        for (size_t i = 0; i < count; i++) {
            live_on(field, &victims[i]);
            alive += victims[i].alive;
            field_check(victims[i].process, wait_now_ms() < until_ms, "it neither dies nor lives");
        }
        wait_pause_ms(20);
    }
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(victims[i].deaths == LIMIT_POISON_DEATHS, "%s died %d times", victims[i].role,
                      victims[i].deaths);
}

static void end(struct victim *victims, size_t count)
{
    for (size_t i = 0; i < count; i++)
        process_kill(victims[i].process, SIGTERM);
    for (size_t i = 0; i < count; i++) {
        field_check(victims[i].process, process_wait(victims[i].process, LIFE_MS_MAX) == 0,
                    "it does not end");
        process_free(victims[i].process);
    }
}

/* --- what became of it ------------------------------------------------------------------------------ */

/* The state of a partition of identify is that of a replay. */
static bool is_as_replayed(struct field *field, int partition)
{
    const char *number = arena_format(field->arena, "%d", partition).data;
    char *live =
        field_run(field, 0, "replay", "--step", "identify", "--partition", number, "--state", NULL);
    char *again = field_run(field, 0, "replay", "--step", "identify", "--partition", number, NULL);
    bool same;

    *strchr(live, '}') = '\0'; /* {"state":"..." */
    same = strstr(again, live) != NULL;
    free(live);
    free(again);
    return same;
}

/* Until the states in Redis are those of a replay of the whole log, of decide and of the car's alias; then
 * what decide has written is, too. */
static void await_replay(struct field *field, struct process *decide, struct process *identify)
{
    int32_t car = hash_kafka_partition(STR("vin:V1"), FIELD_PARTITIONS);
    int64_t until_ms = wait_now_ms() + LIFE_MS_MAX;
    struct decided live, replayed;

    while (!is_as_replayed(field, car))
        field_check(identify, wait_now_ms() < until_ms, "identify's state is not a replay's");
    decided_open(&replayed, field);
    decided_replay(&replayed, field);
    for (int p = 0; p < FIELD_PARTITIONS; p++)
        while (strcmp(decided_state_digest(field, p), replayed.digests[p]) != 0)
            field_check(decide, wait_now_ms() < until_ms, "decide's state is not a replay's");
    decided_open(&live, field);
    decided_read(&live, field);
    decided_compare(&live, &replayed, false);
    ck_assert_uint_gt(decided_count(&live, DECIDED_DECISIONS), 0);
    decided_close(&live);
    decided_close(&replayed);
}

static void check_header(const struct record *letter, const char *name, const char *value)
{
    struct str got = record_header(letter, str_of(name));

    ck_assert_msg(str_is(got, value), "%s is \"%.*s\", not \"%s\"", name, STR_ARG(got), value);
}

struct expected {
    const char *dlq, *from, *part, *id, *key, *value;
};

static void check_letter(struct field *field, const struct expected *e)
{
    const char *const topics[] = {field_topic(field, e->dlq), NULL};
    struct watch *watch = watch_open(&field->kafka, topics);
    const struct record *letter;

    watch_to_end(watch);
    ck_assert_uint_eq(watch_count(watch), 1);
    letter = watch_at(watch, 0);
    check_header(letter, "attent-reason", "poison");
    check_header(letter, "ce_id", e->id);
    check_header(letter, "__connect.errors.topic", field_topic(field, e->from));
    check_header(letter, "__connect.errors.connector.name", e->part);
    ck_assert(record_header(letter, STR("__connect.errors.offset")).len != 0);
    ck_assert(str_is(letter->key, e->key) && str_is(letter->value, e->value));
    watch_close(watch);
}

/* So many, in order; without one (-1: all). */
static void check_ingested(struct field *field, int but, int count)
{
    const char *const topics[] = {field_topic(field, "events"), NULL};
    struct watch *watch = watch_open(&field->kafka, topics);
    int next = 0;

    watch_to_end(watch);
    for (size_t i = 0; i < watch_count(watch); i++) {
        const struct record *record = watch_at(watch, i);

        if (!str_is(record->key, "c-crm"))
            continue;
        next += next == but;
        check_header(record, "ce_id", arena_format(field->arena, "crm-%d", next++).data);
    }
    ck_assert_int_eq(next, count);
    watch_close(watch);
}

static void check_skips(struct field *field, size_t count)
{
    const char *const topics[] = {field_topic(field, "rules"), NULL};
    struct watch *watch = watch_open(&field->kafka, topics);
    size_t found = 0;

    watch_to_end(watch);
    for (size_t i = 0; i < watch_count(watch); i++)
        found += str_starts(watch_at(watch, i)->key, STR("skip/"));
    ck_assert_uint_eq(found, count);
    watch_close(watch);
}

static void contains(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "\"%s\" is not in:\n%s", part, text);
}

/* `attent dlq WHAT ...` says this; the last words may be NULL. */
static void says(struct field *field, const char *part, const char *what, const char *one,
                 const char *two, const char *three)
{
    char *out = field_run(field, 0, "dlq", what, one, two, three, NULL);

    contains(out, part);
    free(out);
}

static size_t events_of_crm(struct field *field)
{
    const char *const topics[] = {field_topic(field, "events"), NULL};
    struct watch *watch = watch_open(&field->kafka, topics);
    size_t count = 0;

    watch_to_end(watch);
    for (size_t i = 0; i < watch_count(watch); i++)
        count += str_is(watch_at(watch, i)->key, "c-crm");
    watch_close(watch);
    return count;
}

static void await_events_of_crm(struct field *field, size_t count, struct process *ingest)
{
    int64_t until_ms = wait_now_ms() + LIFE_MS_MAX;

    while (events_of_crm(field) < count)
        field_check(ingest, wait_now_ms() < until_ms, "an event is not ingested");
}

/* By a release that does not die of them; and only where they are asked for by name. */
static void sent_again_they_are_processed(struct field *field, size_t count)
{
    struct process *attent;

    says(field, "  1 stay: processes ended at them", "replay", "--topic",
         field_topic(field, "crm.dlq"), NULL);
    says(field, "poison.crm.dlq: 1 sent again", "replay", "--reason", "poison", NULL);
    says(field, "poison.events.dlq: 0 sent again, 1 had been before", "replay",
         "poison.events.dlq/0/0", NULL, NULL);
    attent = field_start(field, "run", "--role", "ingest,identify,decide", NULL);
    await_events_of_crm(field, SOURCE_EVENTS, attent);
    await_replay(field, attent, attent);
    process_kill(attent, SIGTERM);
    field_check(attent, process_wait(attent, LIFE_MS_MAX) == 0, "it does not end");
    process_free(attent);
    check_skips(field, count);
}

START_TEST(a_record_that_kills_is_put_aside_and_all_else_is_processed)
{
    struct victim victims[] = {{.role = "decide"}, {.role = "identify"}, {.role = "ingest"}};
    enum { COUNT = sizeof victims / sizeof victims[0] };
    static const struct expected letters[COUNT] = {
        {"events.dlq", "events", "attent-decide", "kills-decide", "c-7",
         "{\"country\":\"NL\",\"note\":\"lethal\"}"},
        {"identify.dlq", "identify", "attent-identify", "car-1", "vin:V1",
         "{\"vin\":\"V1\",\"note\":\"lethal\"}"},
        {"crm.dlq", "crm", "attent-ingest", "crm-7", "c-crm",
         "{\"country\":\"NL\",\"note\":\"lethal\"}"}};
    struct history history;
    struct field field;

    field_open(&field, "poison", kafka, "time: log\nprocess: one\nsources: {\"{name}.crm\": {}}\n");
    free(field_run(&field, 0, "topics", "--create", "--all", NULL));
    free(field_run(&field, 0, "activate", "rules", NULL));
    history_open(&history, 3, CUSTOMERS, EVENTS, start_ms, 30 * (int64_t)WHEN_DAY_MS);
    feed(&field, &history, EVENTS / 2);
    send_to_decide(&field, &history);
    feed(&field, &history, EVENTS);
    send_to_identify(&field);
    send_to_ingest(&field);
    await_survivors(&field, victims, COUNT);
    await_events_of_crm(&field, SOURCE_EVENTS - 1, victims[2].process);
    check_ingested(&field, SOURCE_POISON, SOURCE_EVENTS);
    await_replay(&field, victims[0].process, victims[1].process);
    end(victims, COUNT);
    for (int i = 0; i < COUNT; i++)
        check_letter(&field, &letters[i]);
    check_skips(&field, COUNT);
    sent_again_they_are_processed(&field, COUNT);
    history_close(&history);
    field_close(&field);
}
END_TEST

/* --- sent again, exactly once ----------------------------------------------------------------------- */

static void put_letters(struct field *field)
{
    for (int i = 0; i < LETTERS; i++) {
        const struct header own = {STR("x-own"), arena_format(field->arena, "%d", i)};
        const struct letter letter = {.from = {str_of(field_topic(field, "crm")), 0, 7 * i},
                                      .part = STR("attent-ingest"),
                                      .stage = STR("VALUE_CONVERTER"),
                                      .reason = STR("bad_json"),
                                      .message = STR("line 1, column 2")};
        const struct record record = {.timestamp_ms = start_ms + i,
                                      .key = arena_format(field->arena, "k%d", i % 7),
                                      .value = i == LETTER_LETHAL ? STR("lethal") : own.value,
                                      .headers = &own,
                                      .header_count = 1};
        const struct record put =
            letter_write(&letter, &record, field_topic(field, "crm.dlq"), field->arena);
        struct err err = {0};

        ck_assert_msg(kafka_produce(field->producer, &put, &err) == ERR_NONE, "%s", err.text);
    }
    field_flush(field);
}

static void check_sent_once(struct field *field)
{
    const char *const topics[] = {field_topic(field, "crm"), NULL};
    struct watch *watch = watch_open(&field->kafka, topics);

    watch_to_end(watch);
    ck_assert_uint_eq(watch_count(watch), LETTERS);
    for (int i = 0; i < LETTERS; i++) {
        const struct record *r = watch_at(watch, (size_t)i);

        ck_assert_uint_eq(r->header_count, 1);
        check_header(r, "x-own", arena_format(field->arena, "%d", i).data);
        ck_assert(str_equal(r->key, arena_format(field->arena, "k%d", i % 7)));
        ck_assert_int_eq(r->timestamp_ms, start_ms + i);
    }
    watch_close(watch);
}

START_TEST(letters_are_sent_again_once_although_the_replay_dies)
{
    static const char topic[] = "--topic=again.crm.dlq";
    struct process *killed;
    struct field field;
    char *out;

    field_open(&field, "again", kafka, "time: log\nsources: {\"{name}.crm\": {}}\n");
    free(field_run(&field, 0, "topics", "--create", "--all", NULL));
    put_letters(&field);
    says(&field, "\"reason\":\"bad_json\",\"from\":\"again.crm\",\"count\":1050,\"replayed\":0",
         "list", "--json", NULL, NULL);
    says(&field, "again.crm.dlq: 1050 would be sent again", "replay", "--dry-run", topic, NULL);
    out = field_run(&field, 1, "dlq", "replay", topic, NULL); /* nobody says yes */
    contains(out, "again.crm.dlq: 0 sent again, as nobody said yes");
    free(out);
    setenv("ATTENT_POISON", "dlq=lethal", 1);
    killed = field_start(&field, "dlq", "replay", "--yes", topic, NULL);
    unsetenv("ATTENT_POISON");
    field_check(killed, process_wait(killed, LIFE_MS_MAX) == KILLED, "it was not killed");
    process_free(killed);
    says(&field, "again.crm.dlq: 650 sent again, 400 had been before", "replay", "--yes", topic,
         NULL);
    says(&field, "again.crm.dlq: 0 sent again, 1050 had been before", "replay", "--yes", topic,
         NULL);
    check_sent_once(&field);
    says(&field, "all sent again", "list", topic, NULL, NULL);
    says(&field, "again     sent to again.crm\n", "show", "again.crm.dlq/0/0", NULL, NULL);
    says(&field, "\"from\":\"again.crm/0/7\"", "show", "again.crm.dlq/0/1", "--json", NULL);
    field_close(&field);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_record_that_kills_is_put_aside_and_all_else_is_processed,
                                  letters_are_sent_again_once_although_the_replay_dies};

    return suite_run_with("poison", tests, sizeof tests / sizeof tests[0], 180, start_kafka,
                          stop_kafka);
}
