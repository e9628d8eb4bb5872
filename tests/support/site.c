#include "tests/support/site.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/when.h"
#include "processors/worker/meta.h"
#include "processors/worker/redis_store.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"
#include "tests/support/wait.h"

enum { WAIT_MS_MAX = 60 * 1000, LEAVE_MS_MAX = 5000 };

static const int64_t start_ms = 1735689600000; /* 2025-01-01T00:00:00Z */
static const int64_t span_ms = 60 * (int64_t)WHEN_DAY_MS;

static const char yaml[] = "time: log\n"
                           "worker: {batch_records: 50}\n"
                           "console: {address: \"\"}\n";

void site_start_decider(struct site *site)
{
    const char *const *set = site->settings;

    site->decider =
        field_start(&site->field, "run", "--role", "identify,decide", set[0] != NULL ? "-s" : NULL,
                    set[0], set[1] != NULL ? "-s" : NULL, set[1], NULL);
    field_check(site->decider,
                process_wait_output(site->decider, "\"partition claimed\"", WAIT_MS_MAX),
                "decide gets no partition");
}

void site_refuses_to_start(struct site *site, const char *words)
{
    struct process *process = field_start(&site->field, "run", "--role", "identify,decide", NULL);

    field_check(process, process_wait(process, WAIT_MS_MAX) == 78, "it has begun");
    ck_assert_msg(strstr(process_stderr(process), words) != NULL, "%s", process_stderr(process));
    process_free(process);
}

void site_stop_decider(struct site *site)
{
    process_kill(site->decider, SIGTERM);
    field_check(site->decider, process_wait(site->decider, LEAVE_MS_MAX) == 0, "SIGTERM");
    process_free(site->decider);
    site->decider = NULL;
}

void site_open(struct site *site, const char *name, struct server *kafka)
{
    *site = (struct site){.dir = scratch_dir()};
    field_open(&site->field, name, kafka, yaml);
    history_open(&site->history, 1, SITE_CUSTOMERS, SITE_EVENTS, start_ms, span_ms);
    site_start_decider(site);
}

void site_close(struct site *site)
{
    process_free(site->decider);
    history_close(&site->history);
    field_close(&site->field);
    scratch_remove(site->dir);
}

void site_new_producer(struct site *site)
{
    kafka_producer_close(site->field.producer);
    ck_assert_int_eq(kafka_producer_open(&site->field.kafka, NULL, &site->field.producer, NULL),
                     ERR_NONE);
}

void site_feed(struct site *site, size_t count)
{
    const struct field_event *event;

    for (size_t i = 0; i < count && (event = history_next(&site->history)) != NULL; i++)
        field_put(&site->field, "events", FIELD_BINARY, event);
    field_flush(&site->field);
}

const char *site_in_dir(struct site *site, const char *name)
{
    return scratch_path(site->dir, name);
}

void site_has(char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "%s\nis not in\n%s", part, text);
}

/* Until most customers have a state. */
void site_await_states(struct site *site)
{
    int64_t end_ms = wait_now_ms() + WAIT_MS_MAX;
    char reply[64];

    do {
        ck_assert_msg(wait_now_ms() < end_ms, "no states");
        wait_pause_ms(20);
        field_ask_redis(&site->field, "DBSIZE", reply, sizeof reply);
    } while (atoi(reply + 1) < SITE_CUSTOMERS / 2);
}

void site_feed_cars(struct site *site, bool claim)
{
    cars_put_round(&site->field, site->rounds, claim, start_ms - WHEN_DAY_MS + site->rounds);
    site->rounds++;
}

static struct store *open_store(struct site *site)
{
    const struct redis_settings settings = {.address = server_address(site->field.redis)};
    struct store *store;

    ck_assert_int_eq(redis_store_open(&settings, &store, NULL), ERR_NONE);
    return store;
}

/* False: there is none. */
static bool read_meta(struct store *store, const char *step, int partition, struct meta *out)
{
    struct arena *arena = arena_new(0);
    struct str bytes;
    bool there;

    ck_assert_int_eq(store->class->meta(store, step, partition, arena, &bytes, NULL), STORE_DONE);
    there = bytes.len > 0 && meta_decode_any(bytes, out, NULL) == ERR_NONE;
    arena_free(arena);
    return there;
}

static int64_t next_of(struct store *store, const char *step, int partition)
{
    struct meta meta = {0};
    int64_t next = read_meta(store, step, partition, &meta) ? meta.next : -1;

    meta_free(&meta);
    return next;
}

int64_t site_next(struct site *site, const char *step, int partition)
{
    struct store *store = open_store(site);
    int64_t next = next_of(store, step, partition);

    store->class->close(store);
    return next;
}

uint64_t site_taken(struct site *site, int partition, const char *source)
{
    struct store *store = open_store(site);
    const struct taken_source *taken;
    struct meta meta = {0};
    uint64_t number = 0;

    if (read_meta(store, "decide", partition, &meta) &&
        (taken = taken_find(&meta.taken, str_of(source))) != NULL)
        number = taken->number;
    meta_free(&meta);
    store->class->close(store);
    return number;
}

uint64_t site_taken_all(struct site *site)
{
    uint64_t all = 0;
    char source[32];

    for (int p = 0; p < FIELD_PARTITIONS; p++)
        for (int n = 0; n < FIELD_PARTITIONS; n++) {
            snprintf(source, sizeof source, "identify/%d", n);
            all += site_taken(site, p, source);
        }
    return all;
}

/* Until all that is in the log is in the states. */
static void await(struct site *site, const char *step, const char *topic, int partitions)
{
    int64_t end_ms = wait_now_ms() + WAIT_MS_MAX, first, end;
    struct store *store = open_store(site);

    for (int p = 0; p < partitions; p++) {
        ck_assert_int_eq(kafka_topic_bounds(&site->field.kafka, field_topic(&site->field, topic), p,
                                            &first, &end, NULL),
                         ERR_NONE);
        while (next_of(store, step, p) < end) {
            ck_assert_msg(wait_now_ms() < end_ms, "%s/%d does not come to its end:\n%s", step, p,
                          process_stderr(site->decider));
            wait_pause_ms(20);
        }
    }
    store->class->close(store);
}

void site_await_decided(struct site *site, int partitions)
{
    await(site, "decide", "events", partitions);
}

void site_await_identified(struct site *site, int partitions)
{
    await(site, "identify", "identify", partitions);
}

void site_expect_cars(struct site *site)
{
    struct cars_reading reading;

    cars_open(&reading, &site->field);
    cars_look_to_end(&reading);
    ck_assert_int_eq(reading.reports, CARS_CLAIMED * site->rounds);
    cars_close(&reading);
}

void site_tick_all(struct site *site, int partitions, int64_t at_ms)
{
    const struct header header = {STR(CONTROL_HEADER), STR(CONTROL_TICK)};
    const int64_t end_ms = start_ms + span_ms + 30 * (int64_t)WHEN_DAY_MS;

    for (int p = 0; p < partitions; p++) {
        const struct record record = {.topic = str_of(field_topic(&site->field, "events")),
                                      .partition = p,
                                      .timestamp_ms = at_ms != 0 ? at_ms : end_ms,
                                      .headers = &header,
                                      .header_count = 1};

        field_send_record(&site->field, &record);
    }
}

void site_empty_redis(struct site *site)
{
    char reply[64];

    field_ask_redis(&site->field, "FLUSHALL", reply, sizeof reply);
    ck_assert_str_eq(reply, "+OK\r\n");
}

void site_finish(struct site *site, struct decided *live, struct decided *replay)
{
    site_tick_all(site, FIELD_PARTITIONS, 0);
    site_await_decided(site, FIELD_PARTITIONS);
    site_stop_decider(site);
    decided_open(replay, &site->field);
    decided_replay(replay, &site->field);
    decided_open(live, &site->field);
    decided_read(live, &site->field);
    for (int p = 0; p < FIELD_PARTITIONS; p++)
        ck_assert_str_eq(decided_state_digest(&site->field, p), replay->digests[p]);
}

/* --- what has happened to it, without having to happen ------------------------------------------------ */

void site_write_version(struct site *site, const char *step, int partition, char version)
{
    struct arena *arena = arena_new(0);
    struct store *store = open_store(site);
    struct store_copy copy;
    struct str meta;

    ck_assert_int_eq(store->class->copy(store, step, partition, arena, &copy, NULL), STORE_DONE);
    meta = copy.meta;
    copy.meta = (struct str){arena_copy(arena, meta.data, meta.len), meta.len};
    ((char *)(uintptr_t)copy.meta.data)[0] = version;
    ck_assert_int_eq(store->class->replace(store, step, partition, copy.commit, &copy, NULL),
                     STORE_DONE);
    store->class->close(store);
    arena_free(arena);
}

void site_await_word(struct site *site, const char *words)
{
    field_check(site->decider, process_wait_output(site->decider, words, WAIT_MS_MAX), words);
}
