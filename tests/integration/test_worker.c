/* The commit protocol against a real Kafka and a real Redis.  What came out is read as a reader
 * would read it, and compared with an undisturbed offline run over the same log: every output
 * exactly once, in order, with the right content, and the same state. */
#include "processors/worker/worker.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/readiness.h"
#include "processors/worker/redis_store.h"
#include "tests/support/flaky_store.h"
#include "tests/support/scene.h"
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

START_TEST(a_store_that_fails_at_every_step_loses_and_doubles_nothing)
{
    struct flaky_store flaky = {.store = {&flaky_store_class}, .rng = rng_seeded(11)};
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

struct dying {                /* in a process of its own */
    struct flaky_store store; /* without a rival: nothing fails */
    int life; /* how many commits are sent or answered before it kills itself; 0: it does not */
};

static void dying_commit_send(struct store *s, const char *step, int32_t partition,
                              const char *token, uint64_t commit, struct str meta,
                              const struct store_subject *subjects, size_t count)
{
    struct dying *d = (struct dying *)s;

    if (--d->life == 0) /* published, not committed */
        kill(getpid(), SIGKILL);
    d->store.behind->class->commit_send(d->store.behind, step, partition, token, commit, meta,
                                        subjects, count);
}

static enum store_result dying_commit_wait(struct store *s, const char *step, int32_t partition,
                                           struct err *err)
{
    struct dying *d = (struct dying *)s;
    enum store_result result =
        d->store.behind->class->commit_wait(d->store.behind, step, partition, err);

    if (--d->life == 0) /* committed, and nobody here knows */
        kill(getpid(), SIGKILL);
    return result;
}

/* A worker in a process of its own.  life 0: until somebody else kills it. */
static pid_t fork_worker(const struct scene *s, int life)
{
    struct store_class class = flaky_store_class;
    struct dying dying = {.store = {.store = {&class}}, .life = life};
    struct scene own = *s;
    pid_t pid = fork();
    struct worker *w;

    ck_assert_int_ge(pid, 0);
    if (pid > 0)
        return pid;
    class.commit_send = dying_commit_send;
    class.commit_wait = dying_commit_wait;
    own.config.store = &dying.store.store;
    if (redis_store_open(&s->config.redis, &dying.store.behind, NULL) != ERR_NONE ||
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
static struct flaky_store clocked_store(const struct scene *s)
{
    static struct store_class class;
    struct flaky_store store = {.store = {&class}};

    class = flaky_store_class;
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
    struct flaky_store store;
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

int main(void)
{
    const TTest *const tests[] = {
        a_quiet_run_gives_what_an_offline_run_gives,
        a_store_that_fails_at_every_step_loses_and_doubles_nothing,
        workers_killed_again_and_again_lose_and_double_nothing,
        a_worker_that_was_fenced_writes_nothing_and_comes_back,
        refused_outputs_hold_the_state_back,
        an_output_refused_in_the_middle_of_a_batch_holds_the_whole_batch_back,
        while_very_many_timers_fire_the_other_partition_goes_on,
        a_timer_that_is_due_by_the_wall_clock_fires_without_records,
    };

    return suite_run_with("worker", tests, sizeof tests / sizeof tests[0], 100, scene_start_servers,
                          scene_stop_servers);
}
