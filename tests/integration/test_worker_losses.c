/* A worker whose Redis or whose Kafka has lost something, or is not its own: what can be caught up with
 * from the log is, and where that would be a guess the partition stops and says why. */
#include "processors/worker/worker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/readiness.h"
#include "processors/worker/redis_store.h"
#include "tests/support/scene.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"

/* --- a Redis without the state, or with another's --------------------------------------------------- */

static void run_until_stopped(struct worker *w, char reason[512])
{
    struct worker_partition_status status[SCENE_INPUTS];
    int64_t until_ms = clock_mono_ms() + SCENE_WAIT_MS;

    for (;;) {
        worker_poll(w, 20, NULL);
        for (size_t i = 0, n = worker_status(w, status, SCENE_INPUTS); i < n; i++) {
            if (status[i].state == WORKER_STOPPED) {
                snprintf(reason, 512, "%s", status[i].reason);
                return;
            }
        }
        ck_assert(clock_mono_ms() < until_ms);
    }
}

static void flush_redis(const struct scene *s)
{
    const struct str args[] = {STR("FLUSHALL")};
    struct redis *r = scene_redis_open(s);
    struct redis_reply *reply;

    ck_assert_int_eq(redis_command(r, args, 1, &reply, NULL), ERR_NONE);
    redis_reply_free(reply);
    redis_close(r);
}

START_TEST(an_emptied_redis_stops_the_partition_and_asks)
{
    struct scene s;
    struct worker *w;
    char reason[512];
    int64_t ends[SCENE_OUTPUTS_A];

    scene_open(&s, "emptied");
    scene_feed(&s, 30, 500);
    w = scene_worker(&s);
    scene_run_until_kept(&s, w);
    for (int i = 0; i < SCENE_OUTPUTS_A; i++)
        ends[i] = scene_log_end(&s, s.a, i);
    flush_redis(&s);
    scene_feed(&s, 31, 100);
    run_until_stopped(w, reason);
    ck_assert_msg(strstr(reason, "`attent restore` puts a snapshot back") != NULL, "%s", reason);
    worker_close(w);
    s.config.group = "another-group"; /* no committed offset: the outputs themselves tell */
    w = scene_worker(&s);
    run_until_stopped(w, reason);
    ck_assert_msg(strstr(reason, "the output topics hold records") != NULL, "%s", reason);
    for (int i = 0; i < SCENE_OUTPUTS_A; i++)
        ck_assert_int_eq(scene_log_end(&s, s.a, i), ends[i]);
    worker_close(w);
}
END_TEST

START_TEST(another_group_on_the_same_state_is_refused)
{
    struct scene s;
    struct worker *w;
    char reason[512];

    scene_open(&s, "group");
    scene_feed(&s, 40, 50);
    w = scene_worker(&s);
    scene_run_until_kept(&s, w);
    worker_close(w);
    s.config.group = "intruder";
    w = scene_worker(&s);
    run_until_stopped(w, reason);
    ck_assert_msg(strstr(reason, "belongs to group group") != NULL, "%s", reason);
    worker_close(w);
}
END_TEST

/* --- a Redis that goes back in time ----------------------------------------------------------------- */

static void ask_redis(struct server *server, const struct str *args, size_t count)
{
    const struct redis_settings settings = {.address = server_address(server)};
    struct redis_reply *reply;
    struct redis *r;

    ck_assert_int_eq(redis_open(&settings, &r, NULL), ERR_NONE);
    ck_assert_int_eq(redis_command(r, args, count, &reply, NULL), ERR_NONE);
    ck_assert_int_ne(redis_reply_kind(reply), REDIS_ERROR);
    redis_reply_free(reply);
    redis_close(r);
}

static void save(struct server *server)
{
    ask_redis(server, (const struct str[]){STR("SAVE")}, 1);
}

START_TEST(an_older_copy_of_redis_is_caught_up_with_the_log)
{
    struct server *redis = redis_start(NULL);
    struct scene s;
    struct worker *w;

    scene_open(&s, "older");
    s.config.redis.address = server_address(redis);
    scene_feed(&s, 61, 1000);
    w = scene_worker(&s);
    scene_run_until_kept(&s, w);
    save(redis);
    scene_feed(&s, 62, 1000);
    scene_run_until_kept(&s, w);
    worker_close(w);
    server_restart(redis, 0); /* killed: it knows what was saved */
    scene_feed(&s, 63, 500);
    w = scene_worker(&s);
    scene_run_until_kept(&s, w);
    server_restart(redis, 0); /* once more, under a worker that knows better */
    scene_feed(&s, 64, 500);
    scene_run_until_kept(&s, w);
    worker_close(w);
    ck_assert_uint_gt(scene_compare(&s), 0); /* what was decided anew, readers have dropped */
    server_stop(redis);
}
END_TEST

/* The replica has not got all that the first one acknowledged, and takes its place. */
START_TEST(a_failover_that_loses_acknowledged_commits_loses_nothing)
{
    struct server *redis = redis_start(NULL), *replica;
    char port[8];
    struct scene s;
    struct redis *r;
    struct worker *w;
    int64_t lost;
    size_t bytes;
    char *dump;
    FILE *file;

    snprintf(port, sizeof port, "%d", server_port(redis, 0));
    replica = redis_start((const char *const[]){"--replicaof", "127.0.0.1", port, NULL});
    scene_open(&s, "failover");
    s.config.redis.address = server_address(redis);
    scene_feed(&s, 65, 1000);
    w = scene_worker(&s);
    scene_run_until_kept(&s, w);
    ask_redis(redis, (const struct str[]){STR("WAIT"), STR("1"), STR("20000")}, 3);
    ask_redis(replica, (const struct str[]){STR("REPLICAOF"), STR("NO"), STR("ONE")}, 3);
    save(replica);
    scene_feed(&s, 66, 1000);
    scene_run_until_kept(&s, w);
    r = scene_redis_open(&s);
    lost = scene_kept_next(&s, r, 0);
    redis_close(r);
    server_kill(redis, 0, SIGKILL);
    dump = scratch_read(scratch_path(server_dir(replica, 0), "dump.rdb"), &bytes);
    file = fopen(scratch_path(server_dir(redis, 0), "dump.rdb"), "w");
    ck_assert(file != NULL && fwrite(dump, 1, bytes, file) == bytes && fclose(file) == 0);
    server_restart(redis, 0);
    r = scene_redis_open(&s);
    ck_assert_int_gt(scene_kept_next(&s, r, 0), 0);
    ck_assert_int_lt(scene_kept_next(&s, r, 0), lost);
    redis_close(r);
    scene_feed(&s, 67, 300);
    scene_run_until_kept(&s, w);
    worker_close(w);
    ck_assert_uint_gt(scene_compare(&s), 0);
    free(dump);
    server_stop(replica);
    server_stop(redis);
}
END_TEST

/* --- a record that does not come ---------------------------------------------------------------------- */

static int64_t mono_now_ms;

static int64_t mono_ms(void)
{
    return mono_now_ms;
}

/* The third and the first record of a source: the second never comes. */
static void feed_with_a_gap(const struct scene *s, const char *from)
{
    struct kafka_producer *p;
    struct chain chain = {0};
    struct buf scratch = {0};
    struct chain_stamp stamp;
    struct header headers[CHAIN_HEADERS];
    struct record r = {.topic = str_of(s->input),
                       .key = STR("c1"),
                       .value = STR("ab"),
                       .timestamp_ms = 1600000000000};

    ck_assert_int_eq(kafka_producer_open(&s->config.kafka, NULL, &p, NULL), ERR_NONE);
    for (int i = 0; i < 3; i++) {
        r.headers = NULL;
        r.header_count = 0;
        chain_stamp(&chain, 1, str_of(from), &r, &scratch, &stamp, headers);
        r.headers = headers;
        r.header_count = CHAIN_HEADERS;
        if (i != 1)
            ck_assert_int_eq(kafka_produce(p, &r, NULL), ERR_NONE);
    }
    ck_assert_int_eq(kafka_flush(p, 20000, NULL, NULL, NULL), ERR_NONE);
    kafka_producer_close(p);
    buf_free(&scratch);
}

static bool readiness_says(const char *why)
{
    struct buf ready = {0};
    bool found;

    readiness_put_json(&ready);
    found = strstr(buf_text(&ready), why) != NULL;
    buf_free(&ready);
    return found;
}

/* Each look, a minute later than the one before, until it is said. */
static void run_until_said(struct worker *w, const char *what)
{
    int64_t until_ms = clock_mono_ms() + SCENE_WAIT_MS;

    for (; !readiness_says(what); mono_now_ms += 60000) {
        worker_poll(w, 50, NULL);
        ck_assert(clock_mono_ms() < until_ms);
    }
}

START_TEST(a_record_that_has_been_missing_for_a_minute_is_said)
{
    struct scene s;
    struct worker *w;

    scene_open(&s, "lacks");
    s.config.mono_ms = mono_ms;
    feed_with_a_gap(&s, "other/0");
    w = scene_worker(&s);
    scene_run_until_kept(&s, w);
    run_until_said(w, "lacks.in/0: record 1.2 of other/0 has been missing for");
    worker_close(w);
}
END_TEST

/* What a step would have committed after three records to partition 0 of its only topic. */
static void keep_state_of(const struct scene *s, const char *step)
{
    static const int32_t one[] = {1};
    struct arena *arena = arena_new(0);
    struct store *store;
    struct store_claim claim;
    struct meta meta;
    struct buf bytes = {0};

    ck_assert_int_eq(redis_store_open(&s->config.redis, &store, NULL), ERR_NONE);
    ck_assert_int_eq(store->class->claim(store, step, 0, "ffffffffffffffffffffffffffffffff",
                                         STR("g"), arena, &claim, NULL),
                     STORE_DONE);
    meta_init(&meta, 0, 1, one, 1);
    meta.topics[0].sent[0].number = 3;
    meta_encode(&meta, &bytes);
    store->class->commit_send(store, step, 0, "ffffffffffffffffffffffffffffffff", 0,
                              buf_str(&bytes), NULL, 0);
    ck_assert_int_eq(store->class->commit_wait(store, step, 0, NULL), STORE_DONE);
    meta_free(&meta);
    buf_free(&bytes);
    store->class->close(store);
    arena_free(arena);
}

START_TEST(a_record_that_its_producer_counts_and_the_log_lacks_stops_the_partition)
{
    static const struct worker_source sources[] = {{"another", 5}, {"loser", 0}};
    struct scene s;
    struct worker *w;
    char reason[512];

    scene_open(&s, "loss");
    s.config.mono_ms = mono_ms;
    s.config.sources = sources;
    s.config.source_count = 2;
    feed_with_a_gap(&s, "loser/0");
    w = scene_worker(&s);
    scene_run_until_kept(&s, w);
    run_until_said(w, "record 1.2 of loser/0 has been missing for"); /* nobody counts it yet */
    keep_state_of(&s, "loser");
    run_until_stopped(w, reason);
    ck_assert_msg(strstr(reason, "Kafka has lost record 1.2 of loser/0") != NULL, "%s", reason);
    worker_close(w);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        an_emptied_redis_stops_the_partition_and_asks,
        another_group_on_the_same_state_is_refused,
        an_older_copy_of_redis_is_caught_up_with_the_log,
        a_failover_that_loses_acknowledged_commits_loses_nothing,
        a_record_that_has_been_missing_for_a_minute_is_said,
        a_record_that_its_producer_counts_and_the_log_lacks_stops_the_partition,
    };

    return suite_run_with("worker_losses", tests, sizeof tests / sizeof tests[0], 100,
                          scene_start_servers, scene_stop_servers);
}
