/* Whatever happens to the processes that decide: what a reader takes, and the state that is left,
 * equal an undisturbed offline run over the same log.
 *
 * The log is written while the processes work, in bursts, with pads that wear and payments that are
 * missed; tasks are answered, so outcomes are in it too.  Its order decides everything, so the
 * comparison is with `attent replay` over the very log that came about.
 *
 *   SEED=7 build/asan/bin/tests/integration/test_recovery      other lives, other faults
 */
#include <check.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/when.h"
#include "schemas/task.h"
#include "tests/support/decided.h"
#include "tests/support/history.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"
#include "tests/support/wait.h"

enum {
    CUSTOMERS = 200,
    EVENTS = 6000,
    KILLS = 9,
    DECIDERS = 2,
    START_MS_MAX = 60 * 1000,
    TAKE_OVER_MS_MAX = 40 * 1000, /* the session ends after 6 s; the rest is a slow machine */
    CATCH_UP_MS_MAX = 60 * 1000,
    END_MS_MAX = 10 * 1000, /* from SIGTERM to the end: 5 s while the group waits (decision 109) */
};

static const int64_t start_ms = 1735689600000; /* 2025-01-01T00:00:00Z */
static const int64_t span_ms = 60 * (int64_t)WHEN_DAY_MS;

static struct server *kafka; /* of the suite's process */

static void start_kafka(void)
{
    kafka = kafka_start(1);
}

static void stop_kafka(void)
{
    server_stop(kafka);
}

/* --- two processes, one log, and who watches them ------------------------------------------------- */

struct play {
    struct field field;
    struct history history;
    struct rng rng; /* faults */
    struct process *deciders[DECIDERS];
    struct watch *watch; /* of tasks and decisions */
    struct decided seen; /* what the watch has brought */
    size_t looked;       /* records of the watch that have been looked at */
    unsigned probes;
    size_t paced; /* decisions that a task has to wait for its place */
    struct arena *arena;
};

static uint64_t seed_of_run(void)
{
    const char *text = getenv("SEED");

    return text != NULL && *text != '\0' ? strtoull(text, NULL, 10) : 1;
}

static void start_decider(struct play *play, int index)
{
    process_free(play->deciders[index]);
    play->deciders[index] = field_start(&play->field, "run", "--role", "decide", NULL);
}

/* Wait until a process has partitions: one that is killed before has nothing to be taken over. */
static void await_work(struct play *play, int index)
{
    field_check(play->deciders[index],
                process_wait_output(play->deciders[index], "\"partition claimed\"", START_MS_MAX),
                "a decide gets no partition");
}

static void answer(struct play *play, const struct record *record);

/* Take what has come, and answer tasks. */
static void look(struct play *play, int timeout_ms)
{
    watch_poll(play->watch, timeout_ms);
    while (play->looked < watch_count(play->watch)) {
        const struct record *record = watch_at(play->watch, play->looked++);

        if (!decided_take(&play->seen, record))
            continue;
        if (str_is(record_header(record, STR("ce_type")), TASK_CE_TYPE))
            answer(play, record);
        else if (str_contains(record->value, STR("\"reason\":\"paced\"")))
            play->paced++;
    }
}

/* The answer stands in the log wherever its end is by then. */
static void answer(struct play *play, const struct record *record)
{
    const struct field_event *event = history_answer(&play->history, record->value, play->arena);

    if (event != NULL)
        field_put(&play->field, "events", FIELD_BINARY, event);
}

static void feed(struct play *play, size_t count)
{
    const struct field_event *event;

    for (size_t i = 0; i < count && (event = history_next(&play->history)) != NULL; i++)
        field_put(&play->field, "events", FIELD_BINARY, event);
    field_flush(&play->field);
}

/* Nobody works on a partition: what do they say? */
static _Noreturn void give_up(struct play *play, int partition)
{
    for (int i = 0; i < DECIDERS; i++)
        if (play->deciders[i] != NULL)
            printf("--- decide %d of %d:\n%s", i + 1, DECIDERS, process_stderr(play->deciders[i]));
    ck_abort_msg("nobody decides in partition %d", partition);
}

/* In each partition something that surely leads to a decision.  Returns when all four have come:
 * how long it took. */
static int64_t probe(struct play *play, int64_t timeout_ms)
{
    const char *customers[FIELD_PARTITIONS];
    int64_t begin_ms = wait_now_ms(), end_ms = begin_ms + timeout_ms;
    const char *decisions = field_topic(&play->field, "decisions");

    for (int p = 0; p < FIELD_PARTITIONS; p++) {
        struct field_event event = {.type = "vehicle.telemetry",
                                    .at_ms = history_now_ms(&play->history)};

        do
            event.customer = arena_format(play->arena, "probe-%u", play->probes++).data;
        while (hash_kafka_partition(str_of(event.customer), FIELD_PARTITIONS) != p);
        customers[p] = event.customer;
        event.id = arena_format(play->arena, "%s-good", event.customer).data;
        event.data = "{\"vin\":\"P\",\"pad_mm\":3.5}";
        field_put(&play->field, "events", FIELD_BINARY, &event);
        event.id = arena_format(play->arena, "%s-worn", event.customer).data;
        event.data = "{\"vin\":\"P\",\"pad_mm\":2.5}";
        field_put(&play->field, "events", FIELD_BINARY, &event);
    }
    field_flush(&play->field);
    for (int p = 0; p < FIELD_PARTITIONS; p++)
        while (watch_nth(play->watch, decisions, customers[p], 0, 0) == NULL) {
            if (wait_now_ms() >= end_ms)
                give_up(play, p);
            look(play, 20);
        }
    return wait_now_ms() - begin_ms;
}

/* The shipped rules with a queue that is paced, so that the partitions have a state that records and
 * timers change: what was held for the morning stands in line. */
static const char *paced_rules(void)
{
    static const char hours[] = "    hours: {mon-fri: 08-18, sat: 09-16}\n";
    const char *dir = scratch_dir();
    struct buf text = {0};
    char command[512];
    char *policy, *at;

    snprintf(command, sizeof command, "cp -r rules schemas %s", dir);
    ck_assert_int_eq(system(command), 0);
    policy = scratch_read("rules/policy.yaml", NULL);
    at = strstr(policy, hours);
    ck_assert_ptr_nonnull(at);
    buf_put_format(&text, "%.*s    pace: {tasks: 20, per: 1h}\n%s", (int)(at - policy), policy, at);
    scratch_write(dir, "rules/policy.yaml", buf_text(&text));
    buf_free(&text);
    free(policy);
    return scratch_path(dir, "rules");
}

/* One decider first: it puts the rules in force, and the log's beginning is decided by them. */
static void open_play(struct play *play, const char *name)
{
    uint64_t seed = seed_of_run();

    printf("%s: SEED=%" PRIu64 "\n", name, seed);
    *play = (struct play){.rng = rng_seeded(seed ^ 0x9e3779b97f4a7c15u), .arena = arena_new(0)};
    history_open(&play->history, seed, CUSTOMERS, EVENTS, start_ms, span_ms);
    field_open(&play->field, name, kafka,
               arena_format(play->arena,
                            "time: log\nworker: {batch_records: 100}\nconsole: {address: \"\"}\n"
                            "rules: {folder: %s}\n",
                            paced_rules())
                   .data);
    decided_open(&play->seen, &play->field);
    play->watch = watch_open(&play->field.kafka,
                             (const char *const[]){play->seen.topics[DECIDED_TASKS],
                                                   play->seen.topics[DECIDED_DECISIONS], NULL});
    start_decider(play, 0);
    await_work(play, 0);
    probe(play, START_MS_MAX);
}

static void stop_decider(struct play *play, int index)
{
    if (play->deciders[index] == NULL)
        return;
    await_work(play, index);
    process_kill(play->deciders[index], SIGTERM);
    field_check(play->deciders[index], process_wait(play->deciders[index], END_MS_MAX) == 0,
                "decide does not end by SIGTERM");
    process_free(play->deciders[index]);
    play->deciders[index] = NULL;
}

static void close_play(struct play *play)
{
    for (int i = 0; i < DECIDERS; i++)
        process_free(play->deciders[i]);
    watch_close(play->watch);
    decided_close(&play->seen);
    history_close(&play->history);
    field_close(&play->field);
    arena_free(play->arena);
}

/* The log is whole now.  Wait until Redis holds what replay ends with, end the deciders, and compare
 * all that was written. */
static void compare_with_replay(struct play *play)
{
    struct decided live, replay;
    int64_t end_ms;

    field_tick(&play->field, start_ms + span_ms + 30 * (int64_t)WHEN_DAY_MS);
    decided_open(&replay, &play->field);
    decided_replay(&replay, &play->field);
    end_ms = wait_now_ms() + CATCH_UP_MS_MAX;
    for (int p = 0; p < FIELD_PARTITIONS; p++)
        while (strcmp(decided_state_digest(&play->field, p), replay.digests[p]) != 0) {
            ck_assert_msg(wait_now_ms() < end_ms, "the state of partition %d is not that of replay",
                          p);
            wait_pause_ms(50);
        }
    for (int i = 0; i < DECIDERS; i++)
        stop_decider(play, i);
    decided_open(&live, &play->field);
    decided_read(&live, &play->field);
    printf("  %zu tasks and withdrawals, %zu decisions taken; %zu repeats, %zu gaps dropped\n",
           decided_count(&live, DECIDED_TASKS), decided_count(&live, DECIDED_DECISIONS),
           live.repeats, live.gaps);
    decided_compare(&live, &replay, false);
    ck_assert_uint_gt(decided_count(&live, DECIDED_TASKS), CUSTOMERS / 2); /* or it shows nothing */
    printf("  %zu had to wait for their place\n", play->paced);
    decided_close(&live);
    decided_close(&replay);
}

/* Wait until something of the burst has been written: then more of it is on its way. */
static void await_output(struct play *play)
{
    size_t before = watch_count(play->watch);
    int64_t end_ms = wait_now_ms() + TAKE_OVER_MS_MAX;

    while (watch_count(play->watch) == before) {
        ck_assert_msg(wait_now_ms() < end_ms, "nobody decides");
        look(play, 5);
    }
}

/* --- killed again and again --------------------------------------------------------------------------- */

/* Let the processes get somewhere, by chance: nowhere, or into the burst. */
static void wait_for_a_fault(struct play *play)
{
    switch (rng_below(&play->rng, 4)) {
    case 0: return; /* at once: perhaps in the middle of a start or a rebalance */
    case 1: break;
    default: await_output(play);
    }
    wait_pause_ms((int)rng_below(&play->rng, 150));
}

static void kill_and_restart(struct play *play, int round)
{
    int victim = (int)rng_below(&play->rng, DECIDERS);
    bool measured = round % 3 == 2; /* the other one alone takes over */

    if (measured)
        await_work(play, victim);
    process_kill(play->deciders[victim], SIGKILL);
    process_wait(play->deciders[victim], END_MS_MAX);
    if (measured)
        printf("  taken over %" PRId64 " ms after kill -9\n", probe(play, TAKE_OVER_MS_MAX));
    start_decider(play, victim);
    look(play, 0);
}

START_TEST(killed_again_and_again_decide_writes_what_replay_writes)
{
    struct play play;
    int64_t begin_ms;

    open_play(&play, "killed");
    start_decider(&play, 1);
    for (int round = 0; round < KILLS; round++) {
        feed(&play, EVENTS / KILLS + 1);
        wait_for_a_fault(&play);
        kill_and_restart(&play, round);
    }
    probe(&play, TAKE_OVER_MS_MAX);
    for (int i = 0; i < DECIDERS; i++) /* who stays must be there, or its own start is measured */
        await_work(&play, i);
    begin_ms = wait_now_ms();
    stop_decider(&play, (int)rng_below(&play.rng, DECIDERS));
    probe(&play, TAKE_OVER_MS_MAX);
    printf("  taken over %" PRId64 " ms after SIGTERM\n", wait_now_ms() - begin_ms);
    compare_with_replay(&play);
    ck_assert_uint_gt(play.paced, 10); /* the line for a queue is part of what was compared */
    close_play(&play);
}
END_TEST

/* --- the broker dies, too --------------------------------------------------------------------------- */

START_TEST(a_broker_killed_under_decide_takes_nothing_with_it)
{
    struct play play;

    open_play(&play, "broker");
    start_decider(&play, 1);
    await_work(&play, 1);
    for (int round = 0; round < 2; round++) {
        feed(&play, EVENTS / 4);
        await_output(&play);
        wait_pause_ms((int)rng_below(&play.rng, 30));
        server_kill(kafka, 0, SIGKILL);
        if (round == 1) /* what it could not publish may not be in the state either */
            process_kill(play.deciders[0], SIGKILL);
        server_restart(kafka, 0);
        if (round == 1) /* not before: it waits 10 s at its start, and a broker may take longer */
            start_decider(&play, 0);
        printf("  goes on %" PRId64 " ms after the broker is back\n",
               probe(&play, TAKE_OVER_MS_MAX));
    }
    compare_with_replay(&play);
    close_play(&play);
}
END_TEST

/* --- a process that slept through its session ----------------------------------------------------------- */

START_TEST(a_zombie_writes_nothing_that_a_reader_takes)
{
    struct play play;

    open_play(&play, "zombie");
    start_decider(&play, 1);
    feed(&play, EVENTS / 4);
    probe(&play, TAKE_OVER_MS_MAX);
    stop_decider(&play, 0); /* it starts anew: so it has to load what it works on */
    start_decider(&play, 0);
    await_work(&play, 0);
    feed(&play, EVENTS / 4);
    await_output(&play);
    process_kill(play.deciders[0], SIGSTOP);
    printf("  taken over %" PRId64 " ms after SIGSTOP\n", probe(&play, TAKE_OVER_MS_MAX));
    feed(&play, EVENTS / 4);
    process_kill(play.deciders[0], SIGCONT);
    feed(&play, EVENTS / 8);
    probe(&play, TAKE_OVER_MS_MAX);
    field_check(play.deciders[0], process_wait(play.deciders[0], 0) == PROCESS_RUNNING,
                "the zombie gave up instead of joining again");
    stop_decider(&play, 1); /* it has come back to work: alone it does all of it */
    feed(&play, EVENTS / 8);
    probe(&play, TAKE_OVER_MS_MAX);
    compare_with_replay(&play);
    close_play(&play);
}
END_TEST

/* --- other rules, other processes ------------------------------------------------------------------- */

/* A folder with the shipped rules, but two missed payments are enough. */
static const char *stricter_rules(void)
{
    const char *dir = scratch_dir();
    const char *const copy[] = {"cp", "-r", "rules", "schemas", dir, NULL};
    const char *path = scratch_path(dir, "rules/moments/missed-payment.yaml");
    char *text, *count;

    ck_assert_int_eq(process_run(copy, START_MS_MAX, NULL), 0);
    text = scratch_read(path, NULL);
    count = strstr(text, "count: 3");
    ck_assert_ptr_nonnull(count);
    count[strlen("count: ")] = '2';
    scratch_write(dir, "rules/moments/missed-payment.yaml", text);
    free(text);
    return scratch_path(dir, "rules");
}

/* Each process in turn ends and is started again, while events come and rules change. */
START_TEST(rules_that_change_under_processes_that_are_replaced_decide_as_in_replay)
{
    const char *stricter = stricter_rules();
    struct play play;

    open_play(&play, "rolling");
    start_decider(&play, 1);
    await_work(&play, 1);
    for (int round = 0; round < 4; round++) {
        feed(&play, EVENTS / 8);
        await_output(&play);
        free(field_run(&play.field, 0, "activate", "--unproved",
                       round % 2 == 0 ? stricter : "rules", NULL));
        feed(&play, EVENTS / 8);
        await_output(&play);
        stop_decider(&play, round % DECIDERS);
        start_decider(&play, round % DECIDERS);
    }
    probe(&play, TAKE_OVER_MS_MAX);
    compare_with_replay(&play);
    close_play(&play);
}
END_TEST

/* --- Redis emptied --------------------------------------------------------------------------------- */

static void end_of_log(struct play *play, int64_t next[DECIDED_TOPIC_COUNT][FIELD_PARTITIONS])
{
    struct err err = {0};
    int64_t first;

    for (int topic = 0; topic < DECIDED_TOPIC_COUNT; topic++)
        for (int p = 0; p < FIELD_PARTITIONS; p++)
            ck_assert_msg(kafka_topic_bounds(&play->field.kafka, play->seen.topics[topic], p,
                                             &first, &next[topic][p], &err) == ERR_NONE,
                          "%s", err.text);
}

START_TEST(with_redis_emptied_decide_stops_and_asks)
{
    int64_t before[DECIDED_TOPIC_COUNT][FIELD_PARTITIONS],
        after[DECIDED_TOPIC_COUNT][FIELD_PARTITIONS];
    struct decided live, replay;
    struct play play;
    char reply[64];

    open_play(&play, "emptied");
    feed(&play, EVENTS / 4);
    probe(&play, TAKE_OVER_MS_MAX);
    field_ask_redis(&play.field, "FLUSHALL", reply, sizeof reply);
    ck_assert_str_eq(reply, "+OK\r\n");
    feed(&play, EVENTS / 4);
    field_check(play.deciders[0],
                process_wait_output(play.deciders[0], "`attent restore` puts a snapshot back",
                                    TAKE_OVER_MS_MAX),
                "the running decide does not say what to do");
    process_kill(play.deciders[0], SIGTERM);
    process_wait(play.deciders[0], END_MS_MAX);

    end_of_log(&play, before); /* and one that starts with nothing there refuses as well */
    start_decider(&play, 0);
    field_check(play.deciders[0],
                process_wait_output(play.deciders[0], "`attent restore` puts a snapshot back",
                                    TAKE_OVER_MS_MAX),
                "a new decide does not say what to do");
    process_kill(play.deciders[0], SIGTERM);
    ck_assert_int_ne(process_wait(play.deciders[0], END_MS_MAX), PROCESS_RUNNING);
    end_of_log(&play, after);
    ck_assert_mem_eq(before, after, sizeof before);

    decided_open(&live, &play.field); /* what was written before is a beginning of the truth */
    decided_open(&replay, &play.field);
    decided_read(&live, &play.field);
    decided_replay(&replay, &play.field);
    decided_compare(&live, &replay, true);
    ck_assert_uint_lt(decided_count(&live, DECIDED_DECISIONS),
                      decided_count(&replay, DECIDED_DECISIONS));
    decided_close(&live);
    decided_close(&replay);
    close_play(&play);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        killed_again_and_again_decide_writes_what_replay_writes,
        a_broker_killed_under_decide_takes_nothing_with_it,
        a_zombie_writes_nothing_that_a_reader_takes,
        rules_that_change_under_processes_that_are_replaced_decide_as_in_replay,
        with_redis_emptied_decide_stops_and_asks};

    setvbuf(stdout, NULL, _IOLBF, 0);
    return suite_run_with("recovery", tests, sizeof tests / sizeof tests[0], 300, start_kafka,
                          stop_kafka);
}
