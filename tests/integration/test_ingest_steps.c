/* kill -9 at every step of ingest (core/fail_points.def), with a second instance beside it: one dies
 * there, its partitions go to the other, it starts again and gets some back.  And a broker that is slow,
 * and then gone.  Whatever happens, each event is in attent.events once, each bad record in the dead
 * letters once, and what came in order goes out in order.
 *
 * Each life has topics and processes of its own, all of them side by side: most of their time is the
 * broker's, which waits for the dead to come back.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/fail_point.h"
#include "core/mem.h"
#include "processors/ingest/ingest.h"
#include "tests/support/server.h"
#include "tests/support/suite.h"
#include "tests/support/wait.h"

enum {
    STEPS = FAIL_COMMITTED + 1,
    PASSES = 2,
    PARTITIONS = 4,
    CUSTOMERS = 7,
    PORTION = 60,
    EVENTS_MAX = 60000,
    BAD_EVERY = 20, /* one record in so many is no event */
    PATIENCE_MS = 60000,
};

static const char *const names[] = {
#define FAIL_POINT(role, name, text) #name,
#include "core/fail_points.def"
#undef FAIL_POINT
};

static struct server *kafka;

struct life {
    struct arena *arena;
    char source[48], dlq[48], events[48], one[48], two[48];
    struct ingest_source sources[1];
    struct ingest_config config;
    struct kafka_producer *producer;
    int written;
};

static void start(void)
{
    kafka = kafka_start(1);
}

static void stop(void)
{
    server_stop(kafka);
}

/* --- around it ------------------------------------------------------------------------------------ */

static struct kafka_settings settings(void)
{
    return (struct kafka_settings){.brokers = server_address(kafka), .client_id = "test"};
}

static const struct event_types *types(struct arena *arena)
{
    const struct event_type_file file = {"t.json", STR("{\"type\":\"object\"}")};
    static struct diags diags;

    return event_types_read(&file, 1, arena, &diags);
}

static void open_life(struct life *life, const char *name)
{
    struct kafka_settings kafka_settings = settings();
    const struct kafka_topic_config topics[3] = {{life->source, PARTITIONS, 1, NULL, 0},
                                                 {life->dlq, 1, 1, NULL, 0},
                                                 {life->events, PARTITIONS, 1, NULL, 0}};
    struct err err = {0};

    *life = (struct life){.arena = arena_new(0)};
    snprintf(life->source, sizeof life->source, "%s.in", name);
    snprintf(life->dlq, sizeof life->dlq, "%s.in.dlq", name);
    snprintf(life->events, sizeof life->events, "%s.events", name);
    snprintf(life->one, sizeof life->one, "%s-one", name);
    snprintf(life->two, sizeof life->two, "%s-two", name);
    ck_assert_msg(kafka_topics_create(&kafka_settings, topics, 3, &err) == ERR_NONE, "%s",
                  err.text);
    life->sources[0] = (struct ingest_source){
        .topic = life->source, .dlq_topic = life->dlq, .format = &cloudevents_format};
    life->config = (struct ingest_config){.kafka = kafka_settings,
                                          .group = life->source,
                                          .transactional_id = life->one,
                                          .sources = life->sources,
                                          .source_count = 1,
                                          .events_topic = life->events,
                                          .types = types(life->arena),
                                          .wall_ms = clock_wall_ms};
    ck_assert_int_eq(kafka_producer_open(&kafka_settings, NULL, &life->producer, &err), ERR_NONE);
}

/* Of customer number % CUSTOMERS, who has a partition of the source for himself and others. */
static void write_portion(struct life *life)
{
    struct buf value = {0}, key = {0};
    struct err err = {0};

    for (int i = 0; i < PORTION; i++, life->written++) {
        int customer = life->written % CUSTOMERS;
        struct record record = {.topic = str_of(life->source),
                                .partition = customer % PARTITIONS,
                                .timestamp_ms = clock_wall_ms()};

        ck_assert_int_lt(life->written, EVENTS_MAX);
        buf_clear(&key);
        buf_clear(&value);
        buf_put_format(&key, "%d", life->written);
        if (life->written % BAD_EVERY == 0)
            buf_put_text(&value, "<no event/>");
        else
            buf_put_format(
                &value,
                "{\"specversion\":\"1.0\",\"id\":\"%d\",\"source\":\"/s\",\"type\":\"t\","
                "\"subject\":\"c%d\",\"data\":{}}",
                life->written, customer);
        record.key = buf_str(&key);
        record.value = buf_str(&value);
        ck_assert_msg(kafka_produce(life->producer, &record, &err) == ERR_NONE, "%s", err.text);
    }
    buf_free(&key);
    buf_free(&value);
}

static void close_life(struct life *life)
{
    kafka_producer_close(life->producer);
    arena_free(life->arena);
}

static void flush(struct life *life)
{
    struct err err = {0};

    ck_assert_msg(kafka_flush(life->producer, PATIENCE_MS, NULL, NULL, &err) == ERR_NONE, "%s",
                  err.text);
}

/* --- what came of it ------------------------------------------------------------------------------ */

struct seen {
    unsigned char events[EVENTS_MAX], letters[EVENTS_MAX];
    int last[CUSTOMERS];
    int count;
    bool ordered;
};

static int number_of(struct str text)
{
    char digits[16];

    snprintf(digits, sizeof digits, "%.*s", STR_ARG(text));
    return atoi(digits);
}

static void see(struct seen *seen, const struct life *life, const struct record *record)
{
    bool event = str_is(record->topic, life->events);
    int number = number_of(event ? record_header(record, STR("ce_id")) : record->key);
    int customer = number % CUSTOMERS;

    seen->count++;
    (event ? seen->events : seen->letters)[number]++;
    seen->ordered &= !event || number > seen->last[customer];
    if (event)
        seen->last[customer] = number;
}

/* Read what is committed until all has come; then a little longer, for what came twice. */
static void expect_each_once(const struct life *life)
{
    struct kafka_partition from[PARTITIONS + 1];
    struct seen *seen = MEM_NEW(struct seen);
    int64_t until_ms = wait_now_ms() + PATIENCE_MS, all_ms = INT64_MAX;
    static struct record records[500];
    struct kafka_consumer *c;
    size_t count;

    *seen = (struct seen){.ordered = true};
    memset(seen->last, -1, sizeof seen->last);
    for (int i = 0; i < PARTITIONS; i++)
        from[i] = (struct kafka_partition){life->events, i, KAFKA_OFFSET_BEGIN};
    from[PARTITIONS] = (struct kafka_partition){life->dlq, 0, KAFKA_OFFSET_BEGIN};
    ck_assert_int_eq(kafka_consumer_open_alone(&life->config.kafka, from, PARTITIONS + 1, &c, NULL),
                     ERR_NONE);
    while (wait_now_ms() < until_ms && wait_now_ms() < all_ms) {
        ck_assert_int_eq(kafka_consumer_poll(c, 100, records, 500, &count, NULL), ERR_NONE);
        for (size_t i = 0; i < count; i++)
            see(seen, life, &records[i]);
        kafka_consumer_release(c);
        if (seen->count >= life->written && all_ms == INT64_MAX)
            all_ms = wait_now_ms() + 500;
    }
    kafka_consumer_close(c);
    for (int i = 0; i < life->written; i++) {
        ck_assert_msg(seen->events[i] == (i % BAD_EVERY != 0), "event %d came %d times", i,
                      seen->events[i]);
        ck_assert_msg(seen->letters[i] == (i % BAD_EVERY == 0), "letter %d came %d times", i,
                      seen->letters[i]);
    }
    ck_assert(seen->ordered);
    mem_free(seen);
}

/* --- an instance ------------------------------------------------------------------------------------ */

/* point FAIL_POINT_COUNT: it does not die. */
static pid_t begin_instance(struct life *life, const char *id, enum fail_point point, int pass)
{
    pid_t pid = fork();
    struct ingest *in;

    if (pid != 0)
        return pid;
    if (point != FAIL_POINT_COUNT)
        fail_point_set(point, pass);
    life->config.transactional_id = id;
    if (ingest_open(&life->config, &in, NULL) != ERR_NONE)
        _exit(1);
    for (;;)
        ingest_poll(in, 50, NULL, NULL);
}

static void end_instance(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void live(enum fail_point point, int pass)
{
    int64_t until_ms = wait_now_ms() + PATIENCE_MS;
    struct life life;
    pid_t mortal, other, again;
    char name[40];
    int status;

    snprintf(name, sizeof name, "%s-%d", names[point], pass);
    open_life(&life, name);
    mortal = begin_instance(&life, life.one, point, pass);
    other = begin_instance(&life, life.two, FAIL_POINT_COUNT, 0);
    while (waitpid(mortal, &status, WNOHANG) == 0) {
        ck_assert_int_lt(wait_now_ms(), until_ms);
        write_portion(&life);
        flush(&life);
        clock_sleep_ms(100);
    }
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    again = begin_instance(&life, life.one, FAIL_POINT_COUNT, 0);
    write_portion(&life);
    flush(&life);
    expect_each_once(&life);
    end_instance(again);
    end_instance(other);
    close_life(&life);
}

/* Each life in a process: failed checks end it with another status than 0. */
static pid_t begin_life(enum fail_point point, int pass)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    live(point, pass);
    _exit(0);
}

START_TEST(killed_at_any_step_with_another_beside_it_nothing_is_lost_or_doubled)
{
    pid_t lives[STEPS];
    int failed = 0, status;

    for (int pass = 1; pass <= PASSES; pass++) { /* five at a time: each has two processes more */
        for (int point = 0; point < STEPS; point++)
            lives[point] = begin_life((enum fail_point)point, pass);
        for (int point = 0; point < STEPS; point++) {
            waitpid(lives[point], &status, 0);
            if (status != 0)
                fprintf(stderr, "killed at pass %d of %s: not each event once\n", pass,
                        names[point]);
            failed += status != 0;
        }
    }
    ck_assert_int_eq(failed, 0);
}
END_TEST

/* --- Kafka is slow, and then gone ------------------------------------------------------------------ */

static void write_portions(struct life *life, int count)
{
    while (count-- > 0)
        write_portion(life);
    flush(life);
}

static int64_t written_so_far(const struct life *life)
{
    int64_t total = 0, first, next;

    for (int32_t i = 0; i < PARTITIONS; i++)
        if (kafka_topic_bounds(&life->config.kafka, life->events, i, &first, &next, NULL) ==
            ERR_NONE)
            total += next - first;
    return total;
}

static void wait_until_it_writes(const struct life *life)
{
    int64_t until_ms = wait_now_ms() + PATIENCE_MS;

    while (written_so_far(life) == 0)
        ck_assert(wait_now_ms() < until_ms);
}

START_TEST(a_broker_that_stands_still_or_dies_stops_it_and_nothing_else)
{
    struct life life;
    pid_t instance;

    open_life(&life, "broker");
    instance = begin_instance(&life, life.one, FAIL_POINT_COUNT, 0);
    write_portions(&life, 20);
    wait_until_it_writes(&life);
    write_portions(&life, 100);
    server_kill(kafka, 0, SIGSTOP); /* in the middle of a round, or between two */
    clock_sleep_ms(2000);
    server_kill(kafka, 0, SIGCONT);
    write_portions(&life, 100);
    server_kill(kafka, 0, SIGKILL);
    server_restart(kafka, 0);
    write_portions(&life, 1);
    expect_each_once(&life);
    end_instance(instance);
    close_life(&life);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        killed_at_any_step_with_another_beside_it_nothing_is_lost_or_doubled,
        a_broker_that_stands_still_or_dies_stops_it_and_nothing_else,
    };

    return suite_run_with("ingest_steps", tests, sizeof tests / sizeof tests[0], 180, start, stop);
}
