/* The commit protocol against a real Kafka and a real Redis.  What came out is read as a reader
 * would read it, and compared with an undisturbed offline run over the same log: every output
 * exactly once, in order, with the right content, and the same state. */
#include "processors/worker/worker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/readiness.h"
#include "core/rng.h"
#include "processors/worker/offline.h"
#include "processors/worker/redis_store.h"
#include "tests/support/scene.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"
#include "tests/support/toy_step.h"

enum { LOUD_BYTES = 3000, MANY_TIMERS = 8000 };

START_TEST(a_quiet_run_gives_what_an_offline_run_gives)
{
    struct scene s;
    struct worker *w;
    struct worker_partition_status status[SCENE_INPUTS];

    scene_open(&s, "quiet");
    scene_feed(&s, 1, 3000);
    w = scene_worker(&s);
    scene_run_until_kept(&s, w);
    ck_assert_uint_eq(worker_status(w, status, SCENE_INPUTS), SCENE_INPUTS);
    ck_assert_int_eq(status[0].state, WORKER_RUNNING);
    ck_assert_uint_eq(status[0].counts.records + status[1].counts.records, 3000);
    worker_close(w);
    w = scene_worker(&s); /* and it goes on where it was */
    scene_feed(&s, 2, 500);
    scene_run_until_kept(&s, w);
    worker_close(w);
    scene_compare(&s);
}
END_TEST

/* --- a store that fails ------------------------------------------------------------------------- */

/* In front of Redis: calls that never arrive, answers that never come, another owner. */
struct flaky {
    struct store store;
    struct store *behind, *rival; /* two connections */
    struct rng rng;
    bool swallowed[SCENE_INPUTS]; /* the commit that was sent last */
    int faults;
    int life; /* commits until this process kills itself; 0: it does not, and nothing fails */
};

static bool fails(struct store *s, uint64_t one_in)
{
    struct flaky *f = (struct flaky *)s;

    if (f->rival == NULL || rng_below(&f->rng, one_in) != 0)
        return false;
    f->faults++;
    return true;
}

static struct store *behind(struct store *s)
{
    return ((struct flaky *)s)->behind;
}

static enum store_result flaky_claim(struct store *s, const char *step, int32_t partition,
                                     const char *token, struct str identity, struct arena *arena,
                                     struct store_claim *out, struct err *err)
{
    enum store_result result =
        behind(s)->class->claim(behind(s), step, partition, token, identity, arena, out, err);

    if (!fails(s, 4))
        return result;
    err_set(err, ERR_DOWN, "claim: no answer");
    return STORE_DOWN;
}

static enum store_result flaky_load(struct store *s, const char *step, int32_t partition,
                                    const char *token, uint64_t commit, struct arena *arena,
                                    struct store_subject *subjects, size_t count, struct err *err)
{
    if (fails(s, 30)) {
        err_set(err, ERR_DOWN, "load: no answer");
        return STORE_DOWN;
    }
    return behind(s)->class->load(behind(s), step, partition, token, commit, arena, subjects, count,
                                  err);
}

static enum store_result flaky_due(struct store *s, const char *step, int32_t partition,
                                   const char *token, uint64_t commit, struct store_lane lane,
                                   int64_t due_ms, struct str after, size_t max,
                                   struct arena *arena, struct store_subject **out, size_t *count,
                                   bool *more, struct err *err)
{
    return behind(s)->class->due(behind(s), step, partition, token, commit, lane, due_ms, after,
                                 max, arena, out, count, more, err);
}

static void flaky_commit_send(struct store *s, const char *step, int32_t partition,
                              const char *token, uint64_t commit, struct str meta,
                              const struct store_subject *subjects, size_t count)
{
    struct flaky *f = (struct flaky *)s;
    struct arena *arena = arena_new(0);
    struct store_claim claim;

    f->swallowed[partition] = fails(s, 12);
    if (fails(s, 12)) /* somebody else was faster */
        f->rival->class->claim(f->rival, step, partition, "ffffffffffffffffffffffffffffffff",
                               STR("group flaky, topic flaky.in of 2 partitions"), arena, &claim,
                               NULL);
    if (!f->swallowed[partition])
        f->behind->class->commit_send(f->behind, step, partition, token, commit, meta, subjects,
                                      count);
    arena_free(arena);
}

static enum store_result flaky_commit_wait(struct store *s, const char *step, int32_t partition,
                                           struct err *err)
{
    struct flaky *f = (struct flaky *)s;
    enum store_result result = STORE_DOWN;

    if (!f->swallowed[partition])
        result = f->behind->class->commit_wait(f->behind, step, partition, err);
    if (!f->swallowed[partition] && !fails(s, 12))
        return result;
    err_set(err, ERR_DOWN, "commit: no answer");
    return STORE_DOWN;
}

static bool flaky_commit_ready(struct store *s, const char *step, int32_t partition)
{
    struct flaky *f = (struct flaky *)s;

    return f->swallowed[partition] || f->behind->class->commit_ready(f->behind, step, partition);
}

static void flaky_commit_drop(struct store *s, const char *step, int32_t partition)
{
    behind(s)->class->commit_drop(behind(s), step, partition);
}

static int flaky_fd(const struct store *s)
{
    const struct store *b = ((const struct flaky *)s)->behind;

    return b->class->fd(b);
}

static const struct store_class flaky_class = {.claim = flaky_claim,
                                               .load = flaky_load,
                                               .due = flaky_due,
                                               .commit_send = flaky_commit_send,
                                               .commit_ready = flaky_commit_ready,
                                               .commit_wait = flaky_commit_wait,
                                               .commit_drop = flaky_commit_drop,
                                               .fd = flaky_fd};

START_TEST(a_store_that_fails_at_every_step_loses_and_doubles_nothing)
{
    struct flaky flaky = {.store = {&flaky_class}, .rng = rng_seeded(11)};
    struct scene s;
    struct worker *w;
    struct err err;

    scene_open(&s, "flaky");
    ck_assert_int_eq(redis_store_open(&s.config.redis, &flaky.behind, &err), ERR_NONE);
    ck_assert_int_eq(redis_store_open(&s.config.redis, &flaky.rival, &err), ERR_NONE);
    s.config.store = &flaky.store;
    scene_feed(&s, 60, 3000);
    w = scene_worker(&s);
    scene_run_until_kept(&s, w);
    worker_close(w);
    flaky.behind->class->close(flaky.behind);
    flaky.rival->class->close(flaky.rival);
    ck_assert_int_ge(flaky.faults, 10);
    printf("flaky: %d faults\n", flaky.faults);
    scene_compare(&s);
}
END_TEST

/* --- processes that die --------------------------------------------------------------------------- */

static void dying_commit_send(struct store *s, const char *step, int32_t partition,
                              const char *token, uint64_t commit, struct str meta,
                              const struct store_subject *subjects, size_t count)
{
    struct flaky *f = (struct flaky *)s;

    if (--f->life == 0) /* published, not committed */
        kill(getpid(), SIGKILL);
    f->behind->class->commit_send(f->behind, step, partition, token, commit, meta, subjects, count);
}

static enum store_result dying_commit_wait(struct store *s, const char *step, int32_t partition,
                                           struct err *err)
{
    struct flaky *f = (struct flaky *)s;
    enum store_result result = f->behind->class->commit_wait(f->behind, step, partition, err);

    if (--f->life == 0) /* committed, and nobody here knows */
        kill(getpid(), SIGKILL);
    return result;
}

/* A worker in a process of its own.  life: how many commits are sent or answered before it kills
 * itself; 0: until somebody else does. */
static pid_t fork_worker(const struct scene *s, int life)
{
    struct store_class class = flaky_class;
    struct flaky dying = {.store = {&class}, .life = life};
    struct scene own = *s;
    pid_t pid = fork();
    struct worker *w;

    ck_assert_int_ge(pid, 0);
    if (pid > 0)
        return pid;
    class.commit_send = dying_commit_send;
    class.commit_wait = dying_commit_wait;
    own.config.store = &dying.store;
    if (redis_store_open(&s->config.redis, &dying.behind, NULL) != ERR_NONE ||
        worker_open(&own.config, &own.class, NULL, &w, NULL) != ERR_NONE)
        _exit(1);
    for (;;)
        worker_poll(w, 50, NULL);
}

static void wait_killed(pid_t pid)
{
    int status;

    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void wait_until_kept(const struct scene *s, struct redis *r, int32_t partition)
{
    int64_t until_ms = clock_mono_ms() + SCENE_WAIT_MS;

    for (; scene_kept_next(s, r, partition) < scene_log_end(s, s->input, partition);
         clock_sleep_ms(20))
        ck_assert(clock_mono_ms() < until_ms);
}

/* There are always two; each dies in the midst of its work, and another takes its place. */
START_TEST(workers_killed_again_and_again_lose_and_double_nothing)
{
    struct scene s;
    struct rng rng = rng_seeded(7);
    struct redis *r;
    pid_t pids[2];

    scene_open(&s, "killed");
    scene_feed(&s, 3, 4000);
    for (int i = 0; i < 2; i++)
        pids[i] = fork_worker(&s, 5 + (int)rng_below(&rng, 20));
    for (int i = 0; i < 6; i++) {
        scene_feed(&s, 4 + (uint64_t)i, 2000);
        wait_killed(pids[i % 2]);
        pids[i % 2] = fork_worker(&s, i < 4 ? 5 + (int)rng_below(&rng, 20) : 0);
    }
    r = scene_redis_open(&s);
    for (int32_t p = 0; p < SCENE_INPUTS; p++)
        wait_until_kept(&s, r, p);
    for (int i = 0; i < 2; i++) {
        kill(pids[i], SIGKILL);
        wait_killed(pids[i]);
    }
    redis_close(r);
    scene_compare(&s);
}
END_TEST

START_TEST(a_worker_that_was_fenced_writes_nothing_and_comes_back)
{
    struct scene s;
    struct worker *w;
    struct worker_partition_status status[SCENE_INPUTS];
    struct store *other;
    struct store_claim claim;
    struct arena *arena = arena_new(0);
    struct err err = {0};
    struct redis *r;
    int64_t before;

    scene_open(&s, "fenced");
    scene_feed(&s, 20, 500);
    w = scene_worker(&s);
    scene_run_until_kept(&s, w);
    r = scene_redis_open(&s);
    before = scene_kept_next(&s, r, 0);
    ck_assert_int_eq(redis_store_open(&s.config.redis, &other, &err), ERR_NONE);
    ck_assert_int_eq(other->class->claim(other, s.step, 0, "ffffffffffffffffffffffffffffffff",
                                         scene_identity(&s), arena, &claim, &err),
                     STORE_DONE);
    scene_feed(&s, 21, 200);
    do { /* until it has tried */
        worker_poll(w, 20, &err);
        worker_status(w, status, SCENE_INPUTS);
        if (status[0].fenced == 0 && status[1].fenced == 0)
            ck_assert_int_eq(scene_kept_next(&s, r, 0), before);
    } while (status[0].fenced == 0 && status[1].fenced == 0);
    scene_run_until_kept(&s, w);
    worker_close(w);
    other->class->close(other);
    redis_close(r);
    arena_free(arena);
    scene_compare(&s);
}
END_TEST

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

START_TEST(refused_outputs_hold_the_state_back)
{
    struct scene s;
    struct worker *w;
    struct worker_partition_status status[SCENE_INPUTS];
    struct redis *r;
    uint64_t suspended = 0;

    scene_open_with(&s, "refused", "60"); /* no output fits */
    scene_feed(&s, 50, 200);
    w = scene_worker(&s);
    r = scene_redis_open(&s);
    for (int i = 0; i < 400 && suspended < 4; i++) {
        worker_poll(w, 20, NULL);
        suspended = 0;
        for (size_t j = 0, n = worker_status(w, status, SCENE_INPUTS); j < n; j++)
            suspended += status[j].suspended;
    }
    ck_assert_uint_ge(suspended, 4);
    for (int32_t p = 0; p < SCENE_INPUTS; p++)
        ck_assert_int_lt(scene_kept_next(&s, r, p), scene_log_end(&s, s.input, p));
    worker_close(w);
    redis_close(r);
}
END_TEST

/* Says something long of some customers, in the midst of what the toy says. */
static void loud_record(struct step *step, void *state, const struct record *record, int64_t now_ms,
                        struct arena *arena, struct outputs *out, bool *changed)
{
    toy_step_class.record(step, state, record, now_ms, arena, out, changed);
    if (record->key.len > 1 && record->key.data[1] == '7' && *changed)
        outputs_add(
            out, 0, now_ms, record->key,
            (struct str){memset(arena_alloc(arena, LOUD_BYTES), 'x', LOUD_BYTES), LOUD_BYTES}, NULL,
            0);
}

/* What is long does not fit until it is compressed; what stands before and behind it in the batch
 * does. */
START_TEST(an_output_refused_in_the_middle_of_a_batch_holds_the_whole_batch_back)
{
    const struct kafka_property small_batches[] = {{"batch.size", "1000"}};
    const struct kafka_property gzip[] = {{"batch.size", "1000"}, {"compression.type", "gzip"}};
    struct worker_partition_status status[SCENE_INPUTS];
    struct scene s;
    struct worker *w;
    int64_t until_ms = clock_mono_ms() + SCENE_WAIT_MS;
    int64_t published = 0;

    scene_open_with(&s, "middle", "2500");
    s.class.record = loud_record;
    s.config.kafka.properties = small_batches;
    s.config.kafka.property_count = 1;
    scene_feed(&s, 55, 400);
    w = scene_worker(&s);
    do {
        ck_assert(clock_mono_ms() < until_ms);
        worker_poll(w, 20, NULL);
    } while (worker_status(w, status, SCENE_INPUTS) < SCENE_INPUTS || status[0].suspended == 0 ||
             status[1].suspended == 0);
    worker_close(w);
    for (int32_t p = 0; p < SCENE_OUTPUTS_A; p++)
        published += scene_log_end(&s, s.a, p);
    ck_assert_int_gt(published, 0);
    s.config.kafka.properties = gzip;
    s.config.kafka.property_count = 2;
    w = scene_worker(&s);
    scene_run_until_kept(&s, w);
    worker_close(w);
    ck_assert_uint_gt(scene_compare(&s), 0);
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

/* --- very many timers in one partition --------------------------------------------------------------- */

static void produce_to(struct kafka_producer *p, const struct scene *s, int32_t partition,
                       const char *key, struct str value, int64_t at_ms)
{
    const struct record r = {.topic = str_of(s->input),
                             .partition = partition,
                             .key = str_of(key),
                             .value = value,
                             .timestamp_ms = at_ms};

    ck_assert_int_eq(kafka_produce(p, &r, NULL), ERR_NONE);
}

static void wait_for_commits(struct redis *r, const struct scene *s, int32_t partition, int count)
{
    int64_t until_ms = clock_mono_ms() + SCENE_WAIT_MS;

    for (uint64_t from = scene_commits(s, r, partition);
         scene_commits(s, r, partition) < from + (uint64_t)count; clock_sleep_ms(5))
        ck_assert(clock_mono_ms() < until_ms);
}

/* Value bytes: wanted, "set a timer". */
START_TEST(while_very_many_timers_fire_the_other_partition_goes_on)
{
    struct scene s;
    struct kafka_producer *p;
    struct redis *r;
    pid_t pid;
    char key[16];

    scene_open(&s, "many");
    ck_assert_int_eq(kafka_producer_open(&s.config.kafka, NULL, &p, NULL), ERR_NONE);
    for (int i = 0; i < MANY_TIMERS; i++) {
        snprintf(key, sizeof key, "m%d", i);
        produce_to(p, &s, 0, key, STR("\x02\x02"), 1600000000000);
    }
    ck_assert_int_eq(kafka_flush(p, 20000, NULL, NULL, NULL), ERR_NONE);
    pid = fork_worker(&s, 0);
    r = scene_redis_open(&s);
    wait_until_kept(&s, r, 0);
    produce_to(p, &s, 0, "m0", STR("\x02\x00"), 1600000000000 + 3600000);
    ck_assert_int_eq(kafka_flush(p, 20000, NULL, NULL, NULL), ERR_NONE);
    wait_for_commits(r, &s, 0, 2); /* they have begun to fire */
    produce_to(p, &s, 1, "other", STR("\x02\x00"), 1600000000000);
    ck_assert_int_eq(kafka_flush(p, 20000, NULL, NULL, NULL), ERR_NONE);
    wait_until_kept(&s, r, 1);
    ck_assert_int_lt(scene_kept_next(&s, r, 0), scene_log_end(&s, s.input, 0));
    wait_until_kept(&s, r, 0);
    kill(pid, SIGKILL);
    wait_killed(pid);
    redis_close(r);
    kafka_producer_close(p);
    scene_compare(&s);
}
END_TEST

static int64_t wall_now_ms, store_ahead_ms;

static int64_t wall_ms(void)
{
    return wall_now_ms;
}

static bool played_clock(struct store *s, int64_t *at_ms)
{
    (void)s;
    *at_ms = wall_now_ms + store_ahead_ms;
    return true;
}

/* A Redis whose clock is the test's. */
static struct flaky clocked_store(const struct scene *s)
{
    static struct store_class class;
    struct flaky store = {.store = {&class}};

    class = flaky_class;
    class.clock = played_clock;
    ck_assert_int_eq(redis_store_open(&s->config.redis, &store.behind, NULL), ERR_NONE);
    return store;
}

/* Value bytes: wanted, "set a timer". */
START_TEST(a_timer_that_is_due_by_the_wall_clock_fires_without_records)
{
    struct scene s;
    struct worker *w;
    struct kafka_producer *p;
    struct record r = {.key = STR("c1"), .value = STR("\x02\x02"), .timestamp_ms = 1600000000000};
    struct worker_partition_status status[SCENE_INPUTS];
    struct err err = {0};
    uint64_t ticks = 0, timers = 0;
    struct flaky store;
    struct buf ready = {0};

    scene_open(&s, "ticks");
    store = clocked_store(&s);
    s.config.store = &store.store;
    s.config.time = WORKER_TIME_WALL;
    s.config.wall_ms = wall_ms;
    wall_now_ms = r.timestamp_ms;
    r.topic = str_of(s.input);
    ck_assert_int_eq(kafka_producer_open(&s.config.kafka, NULL, &p, &err), ERR_NONE);
    ck_assert_int_eq(kafka_produce(p, &r, &err), ERR_NONE);
    ck_assert_int_eq(kafka_flush(p, 20000, NULL, NULL, &err), ERR_NONE);
    kafka_producer_close(p);
    w = scene_worker(&s);
    scene_run_until_kept(&s, w);
    worker_status(w, status, SCENE_INPUTS);
    ck_assert_uint_eq(status[0].counts.timers + status[1].counts.timers, 0);
    worker_close(w);
    w = scene_worker(&s); /* the timer is in Redis alone now */
    wall_now_ms += 60000;
    store_ahead_ms = -5001; /* this machine's clock cannot be believed */
    for (int i = 0; i < 30; i++)
        worker_poll(w, 50, &err);
    worker_status(w, status, SCENE_INPUTS);
    ck_assert_uint_eq(status[0].ticks + status[1].ticks, 0);
    readiness_put_json(&ready);
    ck_assert_msg(strstr(buf_text(&ready), "5.0 s ahead of the store's") != NULL, "%s",
                  buf_text(&ready));
    buf_free(&ready);
    store_ahead_ms = 4999;
    for (int i = 0; i < 400 && timers == 0; i++) {
        worker_poll(w, 50, NULL);
        worker_status(w, status, SCENE_INPUTS);
        ticks = status[0].ticks + status[1].ticks;
        timers = status[0].counts.timers + status[1].counts.timers;
    }
    ck_assert_uint_ge(ticks, 1);
    ck_assert_uint_ge(timers, 1);
    scene_run_until_kept(&s, w);
    worker_close(w);
    store.behind->class->close(store.behind);
    scene_compare(&s);
}
END_TEST

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
        a_quiet_run_gives_what_an_offline_run_gives,
        a_store_that_fails_at_every_step_loses_and_doubles_nothing,
        workers_killed_again_and_again_lose_and_double_nothing,
        a_worker_that_was_fenced_writes_nothing_and_comes_back,
        an_emptied_redis_stops_the_partition_and_asks,
        another_group_on_the_same_state_is_refused,
        refused_outputs_hold_the_state_back,
        an_output_refused_in_the_middle_of_a_batch_holds_the_whole_batch_back,
        an_older_copy_of_redis_is_caught_up_with_the_log,
        a_failover_that_loses_acknowledged_commits_loses_nothing,
        while_very_many_timers_fire_the_other_partition_goes_on,
        a_timer_that_is_due_by_the_wall_clock_fires_without_records,
        a_record_that_has_been_missing_for_a_minute_is_said,
        a_record_that_its_producer_counts_and_the_log_lacks_stops_the_partition,
    };

    return suite_run_with("worker", tests, sizeof tests / sizeof tests[0], 100, scene_start_servers,
                          scene_stop_servers);
}
