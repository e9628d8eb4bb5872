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
#include "tests/support/decided.h"
#include "tests/support/history.h"
#include "tests/support/suite.h"
#include "tests/support/wait.h"

enum {
    CUSTOMERS = 40,
    EVENTS = 600,
    DEATHS_MAX = 6, /* more than it may take */
    LIFE_MS_MAX = 60 * 1000,
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

static struct record_view {
    const struct record *letter;
    struct watch *watch;
} dead;

/* --- what goes in ---------------------------------------------------------------------------------- */

static void feed(struct field *field, struct history *history, size_t count)
{
    const struct field_event *event;

    for (size_t i = 0; i < count && (event = history_next(history)) != NULL; i++)
        field_put(field, "events", FIELD_BINARY, event);
    field_flush(field);
}

static void send_poison(struct field *field, struct history *history, const char *id)
{
    const struct field_event event = {.id = id,
                                      .customer = "c-7",
                                      .type = "customer.updated",
                                      .data = "{\"country\":\"NL\",\"note\":\"lethal\"}",
                                      .at_ms = history_now_ms(history)};

    field_send(field, "events", FIELD_BINARY, &event);
}

/* --- lives ----------------------------------------------------------------------------------------- */

/* Run it until one lives: how many died. */
static int deaths_until_one_lives(struct field *field, const char *role, struct process **alive)
{
    for (int deaths = 0; deaths < DEATHS_MAX; deaths++) {
        struct process *p = field_start(field, "run", "--role", role, NULL);
        int64_t until_ms = wait_now_ms() + LIFE_MS_MAX;

        while (process_wait(p, 50) == PROCESS_RUNNING && wait_now_ms() < until_ms) {
            if (strstr(process_stderr(p), "a record is skipped") == NULL)
                continue;
            *alive = p;
            return deaths;
        }
        field_check(p, process_wait(p, 0) == KILLED, "it neither dies nor lives");
        process_free(p);
    }
    ck_abort_msg("it dies for ever");
}

static void check_header(const char *name, const char *value)
{
    struct str got = record_header(dead.letter, str_of(name));

    ck_assert_msg(str_is(got, value), "%s is \"%.*s\", not \"%s\"", name, STR_ARG(got), value);
}

static void open_dead(struct field *field, const char *topic)
{
    const char *const topics[] = {field_topic(field, topic), NULL};

    dead.watch = watch_open(&field->kafka, topics);
    watch_to_end(dead.watch);
    ck_assert_uint_eq(watch_count(dead.watch), 1);
    dead.letter = watch_at(dead.watch, 0);
}

/* --- decide ---------------------------------------------------------------------------------------- */

/* Until the state in Redis is that of the whole log. */
static void await_state(struct field *field, struct decided *replayed, struct process *attent)
{
    int64_t until_ms = wait_now_ms() + LIFE_MS_MAX;

    for (int p = 0; p < FIELD_PARTITIONS; p++)
        while (strcmp(decided_state_digest(field, p), replayed->digests[p]) != 0)
            field_check(attent, wait_now_ms() < until_ms, "the state is not that of a replay");
}

START_TEST(a_record_that_kills_decide_is_put_aside_and_all_else_is_decided)
{
    struct decided live, replayed;
    struct process *attent;
    struct history history;
    struct field field;

    field_open(&field, "poison", kafka, "time: log\n");
    free(field_run(&field, 0, "activate", "rules", NULL));
    history_open(&history, 3, CUSTOMERS, EVENTS, start_ms, 30 * (int64_t)WHEN_DAY_MS);
    feed(&field, &history, EVENTS / 2);
    send_poison(&field, &history, "lethal-1");
    feed(&field, &history, EVENTS);
    setenv("ATTENT_POISON", "decide=lethal", 1);
    ck_assert_int_eq(deaths_until_one_lives(&field, "decide", &attent), LIMIT_POISON_DEATHS);
    decided_open(&replayed, &field);
    decided_replay(&replayed, &field);
    await_state(&field, &replayed, attent);
    process_kill(attent, SIGTERM);
    field_check(attent, process_wait(attent, LIFE_MS_MAX) == 0, "it does not end");
    decided_open(&live, &field);
    decided_read(&live, &field);
    decided_compare(&live, &replayed, false);
    ck_assert_uint_gt(decided_count(&live, DECIDED_DECISIONS), 0);

    open_dead(&field, "events.dlq");
    check_header("attent-reason", "poison");
    check_header("ce_id", "lethal-1");
    check_header("__connect.errors.topic", field_topic(&field, "events"));
    check_header("__connect.errors.connector.name", "attent-decide");
    ck_assert(str_is(dead.letter->key, "c-7"));
    ck_assert(str_is(dead.letter->value, "{\"country\":\"NL\",\"note\":\"lethal\"}"));
    watch_close(dead.watch);
    process_free(attent);
    decided_close(&live);
    decided_close(&replayed);
    history_close(&history);
    field_close(&field);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_record_that_kills_decide_is_put_aside_and_all_else_is_decided};

    return suite_run_with("poison", tests, sizeof tests / sizeof tests[0], 180, start_kafka,
                          stop_kafka);
}
