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
#include "tests/support/server.h"
#include "tests/support/suite.h"
#include "tests/support/toy_step.h"

enum { INPUTS = 2, OUTPUTS_A = 3, OUTPUTS_B = 1, WAIT_MS = 40000 };

static struct server *kafka, *redis;

static void start(void)
{
    log_setup(LOG_ERROR, LOG_LOGFMT, false);
    kafka = kafka_start(1);
    redis = redis_start(NULL);
}

static void stop(void)
{
    server_stop(kafka);
    server_stop(redis);
}

/* --- one scene: topics and a step of its own --------------------------------------------------- */

struct scene {
    char input[40], a[40], b[40], step[40];
    const char *outputs[3];
    struct step_class class;
    struct worker_config config;
};

static void scene_open_with(struct scene *s, const char *name, const char *max_bytes)
{
    const struct kafka_property small = {"max.message.bytes", max_bytes};
    struct kafka_topic_config topics[3];
    struct err err = {0};

    *s = (struct scene){.class = toy_step_class};
    snprintf(s->input, sizeof s->input, "%s.in", name);
    snprintf(s->a, sizeof s->a, "%s.a", name);
    snprintf(s->b, sizeof s->b, "%s.b", name);
    snprintf(s->step, sizeof s->step, "%s", name);
    s->class.name = s->step;
    s->outputs[0] = s->a;
    s->outputs[1] = s->b;
    s->config =
        (struct worker_config){.kafka = {.brokers = server_address(kafka), .client_id = name},
                               .group = s->step,
                               .input = s->input,
                               .outputs = s->outputs,
                               .redis = {.address = server_address(redis)},
                               .time = WORKER_TIME_LOG,
                               .batch_records_max = 64,
                               .cache_bytes_max = 20000,
                               .timers_max = 16};
    topics[0] = (struct kafka_topic_config){s->input, INPUTS, 1, NULL, 0};
    topics[1] = (struct kafka_topic_config){s->a, OUTPUTS_A, 1, &small, max_bytes != NULL};
    topics[2] = (struct kafka_topic_config){s->b, OUTPUTS_B, 1, NULL, 0};
    ck_assert_msg(kafka_topics_create(&s->config.kafka, topics, 3, &err) == ERR_NONE, "%s",
                  err.text);
}

static void scene_open(struct scene *s, const char *name)
{
    scene_open_with(s, name, NULL);
}

/* Random events, in log time, and control records that move the time of lanes. */
static void feed(const struct scene *s, uint64_t seed, int count)
{
    static const struct header control = {{CONTROL_HEADER, sizeof CONTROL_HEADER - 1},
                                          {CONTROL_WATERMARK, sizeof CONTROL_WATERMARK - 1}};
    struct rng rng = rng_seeded(seed);
    struct kafka_producer *p;
    struct err err = {0};
    int64_t now_ms = 1600000000000 + (int64_t)seed * 1000000;

    ck_assert_int_eq(kafka_producer_open(&s->config.kafka, NULL, &p, &err), ERR_NONE);
    for (int i = 0; i < count; i++) {
        char key[16], value[4];
        struct record r = {.topic = str_of(s->input), .key = {key, 0}, .value = {value, 4}};

        r.key.len = (size_t)snprintf(key, sizeof key, "c%d", (int)rng_below(&rng, 200));
        for (int j = 0; j < 4; j++)
            value[j] = (char)rng_below(&rng, 256);
        now_ms += (int64_t)rng_below(&rng, 100);
        r.timestamp_ms = now_ms - (int64_t)rng_below(&rng, 300);
        r.partition = hash_kafka_partition(r.key, INPUTS);
        if (rng_below(&rng, 50) == 0) {
            r.headers = &control;
            r.header_count = 1;
        }
        ck_assert_int_eq(kafka_produce(p, &r, &err), ERR_NONE);
    }
    ck_assert_msg(kafka_flush(p, 20000, NULL, NULL, &err) == ERR_NONE, "%s", err.text);
    kafka_producer_close(p);
}

static int64_t log_end(const struct scene *s, const char *topic, int32_t partition)
{
    int64_t first, next;
    struct err err;

    ck_assert_int_eq(kafka_topic_bounds(&s->config.kafka, topic, partition, &first, &next, &err),
                     ERR_NONE);
    return next;
}

/* What Redis has: -1 = nothing. */
static int64_t kept_next(const struct scene *s, struct redis *r, int32_t partition)
{
    static const int32_t partitions[] = {OUTPUTS_A, OUTPUTS_B};
    char key[64];
    const struct str args[] = {
        STR("HGET"),
        {key, (size_t)snprintf(key, sizeof key, "{%s:%d}:meta", s->step, partition)},
        STR("meta")};
    struct redis_reply *reply;
    struct meta meta;
    struct err err = {0};
    int64_t next = -1;

    ck_assert_msg(redis_command(r, args, 3, &reply, &err) == ERR_NONE, "%s", err.text);
    if (redis_reply_kind(reply) == REDIS_TEXT) {
        ck_assert_msg(meta_decode(redis_reply_text(reply), partitions, 2, &meta, &err) == ERR_NONE,
                      "%s", err.text);
        next = meta.next;
        meta_free(&meta);
    }
    redis_reply_free(reply);
    return next;
}

static bool all_kept(const struct scene *s, struct redis *r)
{
    for (int32_t p = 0; p < INPUTS; p++)
        if (kept_next(s, r, p) < log_end(s, s->input, p))
            return false;
    return true;
}

static struct redis *open_redis(const struct scene *s)
{
    struct redis *r;
    struct err err = {0};

    ck_assert_msg(redis_open(&s->config.redis, &r, &err) == ERR_NONE, "%s", err.text);
    return r;
}

/* --- what is right ------------------------------------------------------------------------------ */

struct expected { /* per output topic, partition: where each source must end */
    struct taken a[OUTPUTS_A], b[OUTPUTS_B];
    struct hash128 state[INPUTS];
    size_t count;
};

static void expect(void *context, int topic, const struct record *r)
{
    struct expected *e = context;
    struct taken *taken = topic == 0 ? &e->a[r->partition] : &e->b[r->partition];
    struct taken_source source;
    struct buf scratch = {0};
    struct err err = {0};

    ck_assert_msg(taken_look(taken, r, &scratch, &source, &err) == TAKEN_NEXT, "%s", err.text);
    taken_advance(taken, &source);
    buf_free(&scratch);
    e->count++;
}

static void read_log(const struct scene *s, const char *topic, int32_t partition,
                     void (*each)(void *context, const struct record *record), void *context)
{
    struct kafka_partition from = {topic, partition, KAFKA_OFFSET_BEGIN};
    struct record *records = MEM_NEW_ARRAY(struct record, 512);
    struct kafka_consumer *c;
    struct err err = {0};
    size_t count;

    ck_assert_int_eq(kafka_consumer_open_alone(&s->config.kafka, &from, 1, &c, &err), ERR_NONE);
    while (!kafka_consumer_at_end(c, topic, partition)) {
        ck_assert_msg(kafka_consumer_poll(c, 200, records, 512, &count, &err) == ERR_NONE, "%s",
                      err.text);
        for (size_t i = 0; i < count; i++)
            each(context, &records[i]);
        kafka_consumer_release(c);
    }
    kafka_consumer_close(c);
    mem_free(records);
}

static void give_offline(void *context, const struct record *record)
{
    struct err err = {0};

    ck_assert_msg(offline_record(context, record, &err) == ERR_NONE, "%s", err.text);
}

static struct expected expect_all(const struct scene *s)
{
    static const int32_t partitions[] = {OUTPUTS_A, OUTPUTS_B};
    struct expected e = {0};

    for (int32_t p = 0; p < INPUTS; p++) {
        struct offline_setup setup = {.class = &s->class,
                                      .partition = p,
                                      .context = &e,
                                      .topic_partitions = partitions,
                                      .output = expect};
        struct offline *o;
        struct err err;

        ck_assert_int_eq(offline_open(&setup, &o, &err), ERR_NONE);
        read_log(s, s->input, p, give_offline, o);
        e.state[p] = offline_digest(o);
        offline_close(o);
    }
    return e;
}

struct reading {
    struct taken taken;
    struct buf scratch;
    size_t taken_count, dropped;
};

static void take(void *context, const struct record *record)
{
    struct reading *r = context;
    struct taken_source source;
    struct err err = {0};

    switch (taken_look(&r->taken, record, &r->scratch, &source, &err)) {
    case TAKEN_NEXT:
        taken_advance(&r->taken, &source);
        r->taken_count++;
        return;
    case TAKEN_REPEAT:
    case TAKEN_GAP: r->dropped++; return;
    case TAKEN_PLAIN:
    case TAKEN_OLD:
    case TAKEN_JUNK:
    case TAKEN_BROKEN: ck_abort_msg("%s", err.text);
    }
}

static size_t compare_topic(const struct scene *s, const char *topic, int32_t partitions,
                            const struct taken *right, size_t *dropped)
{
    size_t count = 0;

    for (int32_t p = 0; p < partitions; p++) {
        struct reading r = {0};

        read_log(s, topic, p, take, &r);
        ck_assert_uint_eq(r.taken.count, right[p].count);
        for (size_t i = 0; i < r.taken.count; i++) {
            ck_assert(str_equal(r.taken.sources[i].from, right[p].sources[i].from));
            ck_assert_uint_eq(r.taken.sources[i].number, right[p].sources[i].number);
            ck_assert_uint_eq(r.taken.sources[i].hash.low, right[p].sources[i].hash.low);
        }
        count += r.taken_count;
        *dropped += r.dropped;
        taken_free(&r.taken);
        buf_free(&r.scratch);
    }
    return count;
}

/* Everything that a reader takes, and the state, are those of an undisturbed run. */
static void compare(const struct scene *s)
{
    struct expected e = expect_all(s);
    struct store *store;
    struct err err = {0};
    size_t dropped = 0, count = compare_topic(s, s->a, OUTPUTS_A, e.a, &dropped);

    count += compare_topic(s, s->b, OUTPUTS_B, e.b, &dropped);
    ck_assert_uint_eq(count, e.count);
    ck_assert_int_eq(redis_store_open(&s->config.redis, &store, &err), ERR_NONE);
    for (int32_t p = 0; p < INPUTS; p++) {
        struct hash128 digest;

        ck_assert_int_eq(store_digest(store, s->step, p, &digest, &err), STORE_DONE);
        ck_assert_uint_eq(digest.low, e.state[p].low);
        ck_assert_uint_eq(digest.high, e.state[p].high);
    }
    store->class->close(store);
    printf("%s: %zu outputs, %zu repeats and gaps dropped\n", s->step, count, dropped);
    for (int i = 0; i < OUTPUTS_A; i++)
        taken_free(&e.a[i]);
    taken_free(&e.b[0]);
}

/* --- workers -------------------------------------------------------------------------------------- */

static struct worker *worker_of(const struct scene *s)
{
    struct worker *w;
    struct err err = {0};

    ck_assert_msg(worker_open(&s->config, &s->class, NULL, &w, &err) == ERR_NONE, "%s", err.text);
    return w;
}

static void run_until_kept(const struct scene *s, struct worker *w)
{
    struct redis *r = open_redis(s);
    int64_t until_ms = clock_mono_ms() + WAIT_MS;
    struct err err = {0};

    do {
        for (int i = 0; i < 10; i++)
            worker_poll(w, 50, &err);
        ck_assert_msg(clock_mono_ms() < until_ms, "not done in time: %s", err.text);
    } while (!all_kept(s, r));
    redis_close(r);
}

START_TEST(a_quiet_run_gives_what_an_offline_run_gives)
{
    struct scene s;
    struct worker *w;
    struct worker_partition_status status[INPUTS];

    scene_open(&s, "quiet");
    feed(&s, 1, 3000);
    w = worker_of(&s);
    run_until_kept(&s, w);
    ck_assert_uint_eq(worker_status(w, status, INPUTS), INPUTS);
    ck_assert_int_eq(status[0].state, WORKER_RUNNING);
    ck_assert_uint_eq(status[0].counts.records + status[1].counts.records, 3000);
    worker_close(w);
    w = worker_of(&s); /* and it goes on where it was */
    feed(&s, 2, 500);
    run_until_kept(&s, w);
    worker_close(w);
    compare(&s);
}
END_TEST

/* --- a store that fails ------------------------------------------------------------------------- */

/* In front of Redis: calls that never arrive, answers that never come, another owner. */
struct flaky {
    struct store store;
    struct store *behind, *rival; /* two connections */
    struct rng rng;
    bool swallowed[INPUTS]; /* the commit that was sent last */
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

START_TEST(a_store_that_fails_at_every_step_loses_and_doubles_nothing)
{
    static const struct store_class class = {.claim = flaky_claim,
                                             .load = flaky_load,
                                             .due = flaky_due,
                                             .commit_send = flaky_commit_send,
                                             .commit_ready = flaky_commit_ready,
                                             .commit_wait = flaky_commit_wait,
                                             .commit_drop = flaky_commit_drop,
                                             .fd = flaky_fd};
    struct flaky flaky = {.store = {&class}, .rng = rng_seeded(11)};
    struct scene s;
    struct worker *w;
    struct err err;

    scene_open(&s, "flaky");
    ck_assert_int_eq(redis_store_open(&s.config.redis, &flaky.behind, &err), ERR_NONE);
    ck_assert_int_eq(redis_store_open(&s.config.redis, &flaky.rival, &err), ERR_NONE);
    s.config.store = &flaky.store;
    feed(&s, 60, 3000);
    w = worker_of(&s);
    run_until_kept(&s, w);
    worker_close(w);
    flaky.behind->class->close(flaky.behind);
    flaky.rival->class->close(flaky.rival);
    ck_assert_int_ge(flaky.faults, 10);
    printf("flaky: %d faults\n", flaky.faults);
    compare(&s);
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
    static const struct store_class class = {.claim = flaky_claim,
                                             .load = flaky_load,
                                             .due = flaky_due,
                                             .commit_send = dying_commit_send,
                                             .commit_ready = flaky_commit_ready,
                                             .commit_wait = dying_commit_wait,
                                             .commit_drop = flaky_commit_drop,
                                             .fd = flaky_fd};
    struct flaky dying = {.store = {&class}, .life = life};
    struct scene own = *s;
    pid_t pid = fork();
    struct worker *w;

    ck_assert_int_ge(pid, 0);
    if (pid > 0)
        return pid;
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

/* There are always two; each dies in the midst of its work, and another takes its place. */
START_TEST(workers_killed_again_and_again_lose_and_double_nothing)
{
    struct scene s;
    struct rng rng = rng_seeded(7);
    struct redis *r;
    int64_t until_ms;
    pid_t pids[2];

    scene_open(&s, "killed");
    feed(&s, 3, 4000);
    for (int i = 0; i < 2; i++)
        pids[i] = fork_worker(&s, 5 + (int)rng_below(&rng, 20));
    for (int i = 0; i < 6; i++) {
        feed(&s, 4 + (uint64_t)i, 2000);
        wait_killed(pids[i % 2]);
        pids[i % 2] = fork_worker(&s, i < 4 ? 5 + (int)rng_below(&rng, 20) : 0);
    }
    r = open_redis(&s);
    for (until_ms = clock_mono_ms() + WAIT_MS; !all_kept(&s, r); clock_sleep_ms(100))
        ck_assert(clock_mono_ms() < until_ms);
    for (int i = 0; i < 2; i++) {
        kill(pids[i], SIGKILL);
        wait_killed(pids[i]);
    }
    redis_close(r);
    compare(&s);
}
END_TEST

START_TEST(a_worker_that_was_fenced_writes_nothing_and_comes_back)
{
    struct scene s;
    struct worker *w;
    struct worker_partition_status status[INPUTS];
    struct store *other;
    struct store_claim claim;
    struct arena *arena = arena_new(0);
    struct err err = {0};
    char identity[160];
    struct redis *r;
    int64_t before;

    scene_open(&s, "fenced");
    feed(&s, 20, 500);
    w = worker_of(&s);
    run_until_kept(&s, w);
    r = open_redis(&s);
    before = kept_next(&s, r, 0);
    ck_assert_int_eq(redis_store_open(&s.config.redis, &other, &err), ERR_NONE);
    snprintf(identity, sizeof identity, "group %s, topic %s of %d partitions", s.step, s.input,
             INPUTS);
    ck_assert_int_eq(other->class->claim(other, s.step, 0, "ffffffffffffffffffffffffffffffff",
                                         str_of(identity), arena, &claim, &err),
                     STORE_DONE);
    feed(&s, 21, 200);
    do { /* until it has tried */
        worker_poll(w, 20, &err);
        worker_status(w, status, INPUTS);
        if (status[0].fenced == 0 && status[1].fenced == 0)
            ck_assert_int_eq(kept_next(&s, r, 0), before);
    } while (status[0].fenced == 0 && status[1].fenced == 0);
    run_until_kept(&s, w);
    worker_close(w);
    other->class->close(other);
    redis_close(r);
    arena_free(arena);
    compare(&s);
}
END_TEST

static void run_until_stopped(struct worker *w, char reason[512])
{
    struct worker_partition_status status[INPUTS];
    int64_t until_ms = clock_mono_ms() + WAIT_MS;

    for (;;) {
        worker_poll(w, 20, NULL);
        for (size_t i = 0, n = worker_status(w, status, INPUTS); i < n; i++) {
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
    struct redis *r = open_redis(s);
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
    int64_t ends[OUTPUTS_A];

    scene_open(&s, "emptied");
    feed(&s, 30, 500);
    w = worker_of(&s);
    run_until_kept(&s, w);
    for (int i = 0; i < OUTPUTS_A; i++)
        ends[i] = log_end(&s, s.a, i);
    flush_redis(&s);
    feed(&s, 31, 100);
    run_until_stopped(w, reason);
    ck_assert_msg(strstr(reason, "restore Redis") != NULL, "%s", reason);
    worker_close(w);
    s.config.group = "another-group"; /* no committed offset: the outputs themselves tell */
    w = worker_of(&s);
    run_until_stopped(w, reason);
    ck_assert_msg(strstr(reason, "the output topics hold records") != NULL, "%s", reason);
    for (int i = 0; i < OUTPUTS_A; i++)
        ck_assert_int_eq(log_end(&s, s.a, i), ends[i]);
    worker_close(w);
}
END_TEST

START_TEST(another_group_on_the_same_state_is_refused)
{
    struct scene s;
    struct worker *w;
    char reason[512];

    scene_open(&s, "group");
    feed(&s, 40, 50);
    w = worker_of(&s);
    run_until_kept(&s, w);
    worker_close(w);
    s.config.group = "intruder";
    w = worker_of(&s);
    run_until_stopped(w, reason);
    ck_assert_msg(strstr(reason, "belongs to group group") != NULL, "%s", reason);
    worker_close(w);
}
END_TEST

START_TEST(refused_outputs_hold_the_state_back)
{
    struct scene s;
    struct worker *w;
    struct worker_partition_status status[INPUTS];
    struct redis *r;
    uint64_t suspended = 0;

    scene_open_with(&s, "refused", "60"); /* no output fits */
    feed(&s, 50, 200);
    w = worker_of(&s);
    r = open_redis(&s);
    for (int i = 0; i < 400 && suspended < 4; i++) {
        worker_poll(w, 20, NULL);
        suspended = 0;
        for (size_t j = 0, n = worker_status(w, status, INPUTS); j < n; j++)
            suspended += status[j].suspended;
    }
    ck_assert_uint_ge(suspended, 4);
    for (int32_t p = 0; p < INPUTS; p++)
        ck_assert_int_lt(kept_next(&s, r, p), log_end(&s, s.input, p));
    worker_close(w);
    redis_close(r);
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
    static const struct store_class class = {.claim = flaky_claim,
                                             .load = flaky_load,
                                             .due = flaky_due,
                                             .commit_send = flaky_commit_send,
                                             .commit_ready = flaky_commit_ready,
                                             .commit_wait = flaky_commit_wait,
                                             .commit_drop = flaky_commit_drop,
                                             .fd = flaky_fd,
                                             .clock = played_clock};
    struct flaky store = {.store = {&class}};

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
    struct worker_partition_status status[INPUTS];
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
    w = worker_of(&s);
    run_until_kept(&s, w);
    worker_status(w, status, INPUTS);
    ck_assert_uint_eq(status[0].counts.timers + status[1].counts.timers, 0);
    worker_close(w);
    w = worker_of(&s); /* the timer is in Redis alone now */
    wall_now_ms += 60000;
    store_ahead_ms = -5001; /* this machine's clock cannot be believed */
    for (int i = 0; i < 30; i++)
        worker_poll(w, 50, &err);
    worker_status(w, status, INPUTS);
    ck_assert_uint_eq(status[0].ticks + status[1].ticks, 0);
    readiness_put_json(&ready);
    ck_assert_msg(strstr(buf_text(&ready), "5.0 s ahead of the store's") != NULL, "%s",
                  buf_text(&ready));
    buf_free(&ready);
    store_ahead_ms = 4999;
    for (int i = 0; i < 400 && timers == 0; i++) {
        worker_poll(w, 50, NULL);
        worker_status(w, status, INPUTS);
        ticks = status[0].ticks + status[1].ticks;
        timers = status[0].counts.timers + status[1].counts.timers;
    }
    ck_assert_uint_ge(ticks, 1);
    ck_assert_uint_ge(timers, 1);
    run_until_kept(&s, w);
    worker_close(w);
    store.behind->class->close(store.behind);
    compare(&s);
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

START_TEST(a_record_that_has_been_missing_for_a_minute_is_said)
{
    static const char why[] = "record 1.2 of other/0 has been missing for 60 s";
    struct scene s;
    struct worker *w;

    scene_open(&s, "lacks");
    s.config.mono_ms = mono_ms;
    feed_with_a_gap(&s, "other/0");
    w = worker_of(&s);
    run_until_kept(&s, w);
    for (int64_t until_ms = clock_mono_ms() + 2500; clock_mono_ms() < until_ms;)
        worker_poll(w, 50, NULL); /* it has been looked at */
    ck_assert(!readiness_says(why));
    mono_now_ms += 60000;
    for (int64_t until_ms = clock_mono_ms() + WAIT_MS; !readiness_says(why);) {
        worker_poll(w, 50, NULL);
        ck_assert(clock_mono_ms() < until_ms);
    }
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
    w = worker_of(&s);
    run_until_kept(&s, w);
    for (int64_t until_ms = clock_mono_ms() + 2500; clock_mono_ms() < until_ms;)
        worker_poll(w, 50, NULL); /* it has been looked at */
    mono_now_ms += 60000;
    while (!readiness_says("record 1.2 of loser/0 has been missing"))
        worker_poll(w, 50, NULL); /* nobody counts it yet: only said */
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
        a_timer_that_is_due_by_the_wall_clock_fires_without_records,
        a_record_that_has_been_missing_for_a_minute_is_said,
        a_record_that_its_producer_counts_and_the_log_lacks_stops_the_partition,
    };

    return suite_run_with("worker", tests, sizeof tests / sizeof tests[0], 100, start, stop);
}
