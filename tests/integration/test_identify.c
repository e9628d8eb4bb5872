/* From an alias to its customer, on a real Kafka and Redis: nothing is lost, doubled or out of order
 * when the process that identifies is killed; and what stays out waits for what is being identified. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/when.h"
#include "schemas/control.h"
#include "schemas/watermark.h"
#include "tests/support/cars.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"
#include "tests/support/wait.h"

enum {
    SECONDS_PER_TEST = 180,
    PATIENCE_MS = 60 * 1000,
    ROUNDS = 12,
    CLAIM_ROUND = 6,
};

static struct server *kafka;

static void start(void)
{
    kafka = kafka_start(1);
}

static void stop(void)
{
    server_stop(kafka);
}

/* --- a company with cars ----------------------------------------------------------------------------- */

static const char *write_rules(void)
{
    static const char *const files[][2] = {
        {"facts.yaml", "{}\n"},
        {"schemas/events/car.taken.json",
         "{\"title\":\"Taken\",\"type\":\"object\",\"properties\":{\"vin\":{\"type\":\"string\"}}}"},
        {"schemas/events/car.moved.json",
         "{\"title\":\"Moved\",\"type\":\"object\",\"properties\":{\"vin\":{\"type\":\"string\"}}}"},
        {"identity.yaml", "kinds: {vin: {format: upper, park: 14d}}\n"
                          "events:\n"
                          "  car.taken: {binds: {vin: event.data.vin}}\n"
                          "  car.moved: {looks_up: {vin: event.data.vin}}\n"},
        {"sources.yaml", "still.cars: {types: car.moved, max_silence: 1h}\n"},
        {"moments/still.yaml", "moment: still\ntitle: It stands still\ntier: service\n"
                               "when: [{event: car.taken}, {absent: car.moved, for: 1s}]\n"
                               "act: [{channel: phone}]\n"},
    };
    const char *folder = scratch_dir();

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        scratch_write(folder, files[i][0], files[i][1]);
    return folder;
}

static void open_company(struct field *field, const char *name, const char *more)
{
    struct kafka_topic_config cars;
    struct buf yaml = {0};
    struct err err = {0};

    buf_put_format(&yaml,
                   "rules: {folder: \"%s\"}\nsources: {\"{name}.cars\": {}}\n"
                   "console: {address: \"\"}\n%s",
                   write_rules(), more);
    field_open(field, name, kafka, buf_text(&yaml));
    cars = (struct kafka_topic_config){field_topic(field, "cars"), 1, 1, NULL, 0};
    ck_assert_msg(kafka_topics_create(&field->kafka, &cars, 1, &err) == ERR_NONE, "%s", err.text);
    buf_free(&yaml);
}

static void send_car(struct field *field, const char *id, const char *customer, const char *type,
                     const char *vin, int64_t at_ms)
{
    char data[64];

    snprintf(data, sizeof data, "{\"vin\":\"%s\"}", vin);
    field_put(field, "cars", FIELD_BINARY,
              &(struct field_event){
                  .id = id, .customer = customer, .type = type, .data = data, .at_ms = at_ms});
}

/* --- kill -9 --------------------------------------------------------------------------------------- */

static void look_until(struct cars_reading *r, int reports, struct process *process)
{
    int64_t until_ms = wait_now_ms() + PATIENCE_MS;

    while (r->reports < reports && wait_now_ms() < until_ms)
        cars_look(r);
    field_check(process, r->reports >= reports, "reports do not come");
    ck_assert_int_eq(r->reports, reports);
}

static void send_round(struct field *field, int round, int64_t at_ms)
{
    char id[32], vin[16], customer[16];

    for (int car = 0; car < CARS; car++) {
        snprintf(id, sizeof id, "%d-%d", car, round);
        snprintf(vin, sizeof vin, "v%d", car);
        snprintf(customer, sizeof customer, "c-%d", car);
        send_car(field, id, "", "car.moved", vin, at_ms + car);
        if (round == CLAIM_ROUND && car < CARS_CLAIMED) {
            snprintf(id, sizeof id, "taken-%d", car);
            send_car(field, id, customer, "car.taken", vin, at_ms + car);
        }
    }
    field_flush(field);
}

static struct process *start_identify(struct field *field)
{
    struct process *process = field_start(field, "run", "--role", "identify", NULL);

    field_check(process, process_wait_output(process, "\"partition claimed\"", PATIENCE_MS),
                "identify gets no partition");
    return process;
}

/* What nobody has claimed a fortnight later: once each, with its reason. */
static void expect_letters(struct field *field)
{
    const char *const topics[] = {field_topic(field, "identify.dlq"), NULL};
    struct watch *watch = watch_open(&field->kafka, topics);
    size_t expected = (CARS - CARS_CLAIMED) * ROUNDS;

    ck_assert_ptr_nonnull(watch_nth(watch, topics[0], NULL, expected - 1, PATIENCE_MS));
    ck_assert_uint_eq(watch_count(watch), expected);
    for (size_t i = 0; i < watch_count(watch); i++) {
        const struct record *record = watch_at(watch, i);

        ck_assert(str_is(record_header(record, STR("attent-reason")), "unknown_subject"));
        ck_assert(str_is(record_header(record, STR("__connect.errors.topic")),
                         field_topic(field, "cars")));
    }
    watch_close(watch);
}

static void tells(struct field *field, const char *alias, const char *const *parts)
{
    char *out = field_run(field, 0, "why", "--alias", alias, NULL);

    for (; *parts != NULL; parts++)
        ck_assert_msg(strstr(out, *parts) != NULL, "\"%s\" is not in:\n%s", *parts, out);
    free(out);
}

/* Which binding it was, of one that was claimed late and of one that never was. */
static void expect_why(struct field *field)
{
    static const char *const claimed[] = {"car.moved 0-0  waits: nobody has said whose it is\n",
                                          "  bind c-0  (killed.identify/",
                                          "car.moved 0-0  -> c-0, bound later, from ",
                                          "car.moved 0-7  -> c-0, bound since ",
                                          "0 of them wait, 0 are dead letters\n",
                                          NULL};
    static const char *const never[] = {"  dead letter: unknown_subject\n", "0 of them wait", NULL};
    char alias[32];

    tells(field, "vin:V0", claimed);
    snprintf(alias, sizeof alias, "vin:V%d", CARS - 1);
    tells(field, alias, never);
}

/* Identified again from the first record it comes to the states that Redis has. */
static void expect_replay(struct field *field, struct process *process)
{
    int64_t until_ms = wait_now_ms() + PATIENCE_MS;
    char number[16];

    for (int p = 0; p < FIELD_PARTITIONS; p++)
        for (bool same = false; !same;) {
            char *live, *again;

            snprintf(number, sizeof number, "%d", p);
            live = field_run(field, 0, "replay", "--step", "identify", "--state", "--partition",
                             number, NULL);
            again =
                field_run(field, 0, "replay", "--step", "identify", "--partition", number, NULL);
            *strchr(live, '}') = '\0'; /* {"state":"..." */
            same = strstr(again, live) != NULL;
            free(live);
            free(again);
            field_check(process, wait_now_ms() < until_ms, "replay comes to other states");
        }
}

START_TEST(a_killed_process_loses_and_doubles_and_turns_round_nothing)
{
    const int64_t start_ms = 1735689600000; /* 2025-01-01T00:00:00Z */
    struct cars_reading r;
    struct field field;
    struct process *ingest, *first, *second;

    open_company(&field, "killed", "time: log\n");
    ingest = field_start(&field, "run", "--role", "ingest", NULL);
    cars_open(&r, &field);
    first = start_identify(&field);
    for (int round = 0; round <= CLAIM_ROUND; round++)
        send_round(&field, round, start_ms + round * WHEN_HOUR_MS);
    while (r.reports == 0)
        cars_look(&r); /* it is in the middle of releasing them */
    process_kill(first, SIGKILL);
    second = field_start(&field, "run", "--role", "identify", NULL);
    for (int round = CLAIM_ROUND + 1; round < ROUNDS; round++)
        send_round(&field, round, start_ms + round * WHEN_HOUR_MS);
    look_until(&r, CARS_CLAIMED * ROUNDS, second);

    for (int car = 0; car < 4 * CARS; car++) { /* time reaches every partition */
        char vin[16], id[16];

        snprintf(vin, sizeof vin, "late%d", car);
        snprintf(id, sizeof id, "late%d", car);
        send_car(&field, id, "", "car.moved", vin, start_ms + 20 * (int64_t)WHEN_DAY_MS);
    }
    field_flush(&field);
    expect_letters(&field);
    cars_look(&r);
    ck_assert_int_eq(r.reports, CARS_CLAIMED * ROUNDS);
    expect_replay(&field, second);
    expect_why(&field);

    process_free(first);
    process_free(second);
    process_free(ingest);
    cars_close(&r);
    field_close(&field);
}
END_TEST

/* --- what stays out ------------------------------------------------------------------------------------ */

/* Has ingest said in every partition of identify that the cars have been read up to there? */
static bool was_said(const struct watch *watch, int64_t until_ms, struct arena *arena)
{
    bool said[FIELD_PARTITIONS] = {false}, all = true;

    for (size_t i = 0; i < watch_count(watch); i++) {
        const struct record *record = watch_at(watch, i);
        struct watermark w;

        if (str_is(record_header(record, STR(CONTROL_HEADER)), CONTROL_WATERMARK) &&
            watermark_read_json(record->value, arena, &w, NULL) && w.part_count != 0)
            said[record->partition] |= w.parts[0].until_ms >= until_ms;
    }
    for (int i = 0; i < FIELD_PARTITIONS; i++)
        all &= said[i];
    return all;
}

START_TEST(what_stays_out_waits_for_what_is_being_identified)
{
    struct arena *arena = arena_new(0);
    struct process *others, *identify;
    struct watch *said, *tasks;
    const struct record *first;
    int64_t at_ms, until_ms;
    struct field field;
    const char *topics[2] = {NULL, NULL};

    open_company(&field, "still", "watermarks: 200ms\n");
    topics[0] = field_topic(&field, "identify");
    said = watch_open(&field.kafka, topics);
    topics[0] = field_topic(&field, "tasks");
    tasks = watch_open(&field.kafka, topics);
    others = field_start(&field, "run", "--role", "ingest,decide", NULL);
    at_ms = clock_wall_ms();
    send_car(&field, "t1", "c-moving", "car.taken", "one", at_ms);
    send_car(&field, "t2", "c-still", "car.taken", "two", at_ms);
    send_car(&field, "m1", "", "car.moved", "one", at_ms + 100);
    field_flush(&field);

    /* Nobody identifies: nobody can say that a car has not moved, and nobody is called. */
    until_ms = wait_now_ms() + PATIENCE_MS;
    while (!was_said(said, at_ms + 1500, arena) && wait_now_ms() < until_ms)
        watch_poll(said, 100);
    field_check(others, was_said(said, at_ms + 1500, arena), "no watermark");
    watch_poll(tasks, 500);
    ck_assert_uint_eq(watch_count(tasks), 0);

    identify = field_start(&field, "run", "--role", "identify", NULL);
    first = watch_nth(tasks, topics[0], "c-still", 0, PATIENCE_MS);
    field_check(identify, first != NULL, "the car that stands still is not told of");
    watch_poll(tasks, 500);
    ck_assert_ptr_null(watch_nth(tasks, topics[0], "c-moving", 0, 0));

    process_free(identify);
    process_free(others);
    watch_close(said);
    watch_close(tasks);
    arena_free(arena);
    field_close(&field);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_killed_process_loses_and_doubles_and_turns_round_nothing,
                                  what_stays_out_waits_for_what_is_being_identified};

    return suite_run_with("identify", tests, sizeof tests / sizeof tests[0], SECONDS_PER_TEST,
                          start, stop);
}
