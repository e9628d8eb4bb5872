/* What ends the process, a record, a timer or a task that waits: three processes end at it, then it is put
 * aside with its reason and passed over, by every owner and by `attent replay`; all the rest is processed.
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
#include "tests/support/sample.h"
#include "tests/support/suite.h"
#include "tests/support/wait.h"

enum {
    CUSTOMERS = 40,
    EVENTS = 600,
    SOURCE_EVENTS = 12,
    SOURCE_POISON = 7,
    LETTERS = 1050,      /* more than are sent unasked */
    LETTER_LETHAL = 450, /* in the third transaction of 200 */
    TASKS = 24,
    TASK_LETHAL = 7,  /* whoever reads it dies */
    TASK_DEADLY = 11, /* ... whoever sees to it when its window opens, an hour later */
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

/* Tasks for dispatch, the last one two hours later: then the one that has waited falls due. */
static void send_to_dispatch(struct field *field)
{
    for (int i = 0; i < TASKS; i++) {
        struct task task = sample_task(arena_format(field->arena, "task%04d", i).data);
        struct task_window window = {SAMPLE_CREATED_MS + WHEN_HOUR_MS, task.deadline_ms};
        struct record record;

        task.customer = arena_format(field->arena, "c-%d", i % 4);
        if (i == TASK_LETHAL || i == TASK_DEADLY)
            task.say = i == TASK_LETHAL ? STR("lethal") : STR("deadly");
        task.windows = &window;
        task.window_count = i == TASK_DEADLY;
        record = sample_task_record(&task, field->arena);
        record.topic = str_of(field_topic(field, "tasks"));
        record.partition = 0;
        record.timestamp_ms += i == TASKS - 1 ? 2 * WHEN_HOUR_MS : i;
        field_send_record(field, &record);
    }
}

/* --- lives ----------------------------------------------------------------------------------------- */

struct victim {
    struct field *field;
    const char *role, *poison;
    int kills;   /* things that it dies of */
    int skipped; /* of them, in earlier lives */
    struct process *process;
    int deaths;
    bool alive; /* it has skipped, and goes on */
};

static int skipped_by(struct process *process)
{
    int count = 0;

    for (const char *at = process_stderr(process); (at = strstr(at, "processes end at it")) != NULL;
         at++)
        count++;
    return count;
}

static void live_on(struct victim *v)
{
    if (v->process != NULL) {
        int code = process_wait(v->process, 0), skipped = v->skipped + skipped_by(v->process);

        v->alive = skipped == v->kills;
        if (code == PROCESS_RUNNING)
            return;
        field_check(v->process, code == KILLED, "it ends by itself");
        field_check(v->process, ++v->deaths <= v->kills * LIMIT_POISON_DEATHS, "it dies too often");
        v->skipped = skipped;
        process_free(v->process);
    }
    setenv("ATTENT_POISON", v->poison, 1);
    v->process = field_start(v->field, "run", "--role", v->role, NULL);
    unsetenv("ATTENT_POISON");
}

static void await_survivors(struct victim *victims, size_t count)
{
    int64_t until_ms = wait_now_ms() + LIFE_MS_MAX;
    size_t alive = 0;

    while (alive < count) {
        alive = 0;
        for (size_t i = 0; i < count; i++) {
            live_on(&victims[i]);
            alive += victims[i].alive;
            field_check(victims[i].process, wait_now_ms() < until_ms, "it neither dies nor lives");
        }
        wait_pause_ms(20);
    }
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(victims[i].kills > 1 || victims[i].deaths == LIMIT_POISON_DEATHS,
                      "%s died %d times", victims[i].role, victims[i].deaths);
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
    const char *dlq, *from, *part, *id, *key, *value, *reason;
};

static const struct record *find_letter(const struct watch *watch, const struct expected *e)
{
    for (size_t i = 0; i < watch_count(watch); i++)
        if (str_is(record_header(watch_at(watch, i), STR("attent-reason")), e->reason) &&
            str_is(record_header(watch_at(watch, i), STR("ce_id")), e->id))
            return watch_at(watch, i);
    ck_abort_msg("%s: no letter about %s", e->dlq, e->id);
}

static void check_letter(struct field *field, const struct expected *e, size_t of)
{
    const char *const topics[] = {field_topic(field, e->dlq), NULL};
    struct watch *watch = watch_open(&field->kafka, topics);
    const struct record *letter;

    watch_to_end(watch);
    ck_assert_uint_eq(watch_count(watch), of);
    letter = find_letter(watch, e);
    check_header(letter, "__connect.errors.topic", field_topic(field, e->from));
    check_header(letter, "__connect.errors.connector.name", e->part);
    ck_assert(record_header(letter, STR("__connect.errors.offset")).len != 0);
    ck_assert(str_is(letter->key, e->key) &&
              (e->value != NULL ? str_is(letter->value, e->value) : letter->value.data == NULL));
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

/* Each task but two is on its queue, once; of those two it is said that they failed. */
static void check_dispatched(struct field *field, struct process *dispatch)
{
    const char *const queue[] = {field_topic(field, "insurance"), NULL},
                      *const outcomes[] = {field_topic(field, "outcomes"), NULL},
                      *const letters[] = {field_topic(field, "outcomes.dlq"), NULL};
    struct watch *watch = watch_open(&field->kafka, queue);
    int64_t until_ms = wait_now_ms() + LIFE_MS_MAX;

    for (; watch_count(watch) < TASKS - 2; watch_poll(watch, 50))
        field_check(dispatch, wait_now_ms() < until_ms, "a task does not go out");
    watch_to_end(watch);
    ck_assert_uint_eq(watch_count(watch), TASKS - 2);
    for (size_t i = 0; i < TASKS - 2; i++)
        for (size_t k = 0; k <= i; k++)
            ck_assert(k == i || !str_equal(record_header(watch_at(watch, i), STR("ce_id")),
                                           record_header(watch_at(watch, k), STR("ce_id"))));
    watch_close(watch);
    watch = watch_open(&field->kafka, outcomes);
    watch_to_end(watch);
    ck_assert_uint_eq(watch_count(watch), 2);
    for (size_t i = 0; i < 2; i++) {
        const struct record *outcome = watch_at(watch, i);

        check_header(outcome, "ce_id", i == 0 ? "task0007-failed" : "task0011-failed");
        ck_assert(str_is(outcome->key, "c-3"));
        ck_assert(str_contains(outcome->value,
                               STR("\"code\":\"failed\",\"final\":true,\"reason\":\"poison\"")));
    }
    watch_close(watch);
    watch = watch_open(&field->kafka, letters);
    watch_to_end(watch);
    ck_assert_uint_eq(watch_count(watch), 2);
    for (size_t i = 0; i < 2; i++) {
        check_header(watch_at(watch, i), "attent-reason", "poison");
        check_header(watch_at(watch, i), "__connect.errors.topic", field_topic(field, "tasks"));
        check_header(watch_at(watch, i), "__connect.errors.offset", i == 0 ? "7" : "11");
    }
    watch_close(watch);
    says(field, "  again     cannot be sent: its task has failed, and decide knows that\n", "show",
         "due.outcomes.dlq/0/0", NULL, NULL);
    says(field, "  2 stay: its task has failed, and decide knows that", "replay", "--reason",
         "poison", NULL);
}

/* By a release that does not die of them; and only where they are asked for by name. */
static void sent_again_they_are_processed(struct field *field, size_t count)
{
    struct process *attent;

    says(field, "  1 stay: processes ended at them", "replay", "--topic",
         field_topic(field, "crm.dlq"), NULL);
    says(field, "poison.crm.dlq: 1 sent again", "replay", "--reason", "poison", NULL);
    says(field, "  1 stay: a timer is no record", "replay", "--reason", "poison_timer", NULL);
    attent = field_start(field, "run", "--role", "ingest,identify,decide", NULL);
    await_events_of_crm(field, SOURCE_EVENTS, attent);
    await_replay(field, attent, attent);
    process_kill(attent, SIGTERM);
    field_check(attent, process_wait(attent, LIFE_MS_MAX) == 0, "it does not end");
    process_free(attent);
    check_skips(field, count);
}

START_TEST(what_kills_is_put_aside_and_all_else_is_processed)
{
    struct field field, due;
    struct victim victims[] = {
        {.field = &field, .role = "decide", .poison = "decide=lethal,timer=c-slow", .kills = 2},
        {.field = &field, .role = "identify", .poison = "identify=lethal", .kills = 1},
        {.field = &field, .role = "ingest", .poison = "ingest=lethal", .kills = 1},
        {.field = &due, .role = "dispatch", .poison = "dispatch=lethal,ledger=deadly", .kills = 2}};
    enum { COUNT = sizeof victims / sizeof victims[0] };
    static const struct expected letters[] = {
        {"events.dlq", "events", "attent-decide", "kills-decide", "c-7",
         "{\"country\":\"NL\",\"note\":\"lethal\"}", "poison"},
        {"events.dlq", "events", "attent-decide", "", "c-slow", NULL, "poison_timer"},
        {"identify.dlq", "identify", "attent-identify", "car-1", "vin:V1",
         "{\"vin\":\"V1\",\"note\":\"lethal\"}", "poison"},
        {"crm.dlq", "crm", "attent-ingest", "crm-7", "c-crm",
         "{\"country\":\"NL\",\"note\":\"lethal\"}", "poison"}};
    const struct field_event slow = {.id = "slow",
                                     .customer = "c-slow",
                                     .type = "family.divorced",
                                     .data = "{}",
                                     .at_ms = start_ms};
    struct history history;

    field_open(&field, "poison", kafka, "time: log\nprocess: one\nsources: {\"{name}.crm\": {}}\n");
    free(field_run(&field, 0, "topics", "--create", "--all", NULL));
    free(field_run(&field, 0, "activate", "rules", NULL));
    field_open(&due, "due", kafka,
               "time: log\nchannels:\n"
               "  phone: {connector: contact_centre, topic: \"{name}.{queue}\"}\n");
    free(field_run(&due, 0, "topics", "--create", "--all", NULL));
    send_to_dispatch(&due);
    field_send(&field, "events", FIELD_BINARY, &slow);
    history_open(&history, 3, CUSTOMERS, EVENTS, start_ms, 30 * (int64_t)WHEN_DAY_MS);
    feed(&field, &history, EVENTS / 2);
    send_to_decide(&field, &history);
    feed(&field, &history, EVENTS);
    send_to_identify(&field);
    send_to_ingest(&field);
    await_survivors(victims, COUNT);
    check_dispatched(&due, victims[3].process);
    await_events_of_crm(&field, SOURCE_EVENTS - 1, victims[2].process);
    check_ingested(&field, SOURCE_POISON, SOURCE_EVENTS);
    await_replay(&field, victims[0].process, victims[1].process);
    end(victims, COUNT);
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++)
        check_letter(&field, &letters[i], i < 2 ? 2 : 1);
    check_skips(&field, 4);
    check_skips(&due, 1);
    sent_again_they_are_processed(&field, 4);
    history_close(&history);
    field_close(&field);
    field_close(&due);
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
    says(&field, "  again.crm.dlq/0/1  2025-01-01T00:00:00.001Z  bad_json, sent again\n", "list",
         "--each", topic, NULL);
    says(&field, "no such dead letters", "list", "--reason=bad_jsn", NULL, NULL);
    says(&field, "again     sent to again.crm\n", "show", "again.crm.dlq/0/0", NULL, NULL);
    says(&field, "\"from\":\"again.crm/0/7\"", "show", "again.crm.dlq/0/1", "--json", NULL);
    field_close(&field);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {what_kills_is_put_aside_and_all_else_is_processed,
                                  letters_are_sent_again_once_although_the_replay_dies};

    return suite_run_with("poison", tests, sizeof tests / sizeof tests[0], 180, start_kafka,
                          stop_kafka);
}
