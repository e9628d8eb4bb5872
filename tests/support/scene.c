#include "tests/support/scene.h"

#include <check.h>
#include <stdio.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/rng.h"
#include "processors/worker/offline.h"
#include "processors/worker/redis_store.h"
#include "tests/support/splits.h"
#include "tests/support/toy_step.h"

struct server *scene_kafka, *scene_redis;

void scene_start_servers(void)
{
    log_setup(LOG_ERROR, LOG_LOGFMT, false);
    scene_kafka = kafka_start(1);
    scene_redis = redis_start(NULL);
}

void scene_stop_servers(void)
{
    server_stop(scene_kafka);
    server_stop(scene_redis);
}

void scene_open_with(struct scene *s, const char *name, const char *max_bytes)
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
        (struct worker_config){.kafka = {.brokers = server_address(scene_kafka), .client_id = name},
                               .group = s->step,
                               .input = s->input,
                               .outputs = s->outputs,
                               .redis = {.address = server_address(scene_redis)},
                               .time = WORKER_TIME_LOG,
                               .batch_records_max = 64,
                               .cache_bytes_max = 20000,
                               .timers_max = 16};
    topics[0] = (struct kafka_topic_config){s->input, SCENE_INPUTS, 1, NULL, 0};
    topics[1] = (struct kafka_topic_config){s->a, SCENE_OUTPUTS_A, 1, &small, max_bytes != NULL};
    topics[2] = (struct kafka_topic_config){s->b, SCENE_OUTPUTS_B, 1, NULL, 0};
    ck_assert_msg(kafka_topics_create(&s->config.kafka, topics, 3, &err) == ERR_NONE, "%s",
                  err.text);
}

void scene_open(struct scene *s, const char *name)
{
    scene_open_with(s, name, NULL);
}

/* Random events, in log time, and control records that move the time of lanes. */
void scene_feed(const struct scene *s, uint64_t seed, int count)
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
        r.partition = hash_kafka_partition(r.key, SCENE_INPUTS);
        if (rng_below(&rng, 50) == 0) {
            r.headers = &control;
            r.header_count = 1;
        }
        ck_assert_int_eq(kafka_produce(p, &r, &err), ERR_NONE);
    }
    ck_assert_msg(kafka_flush(p, 20000, NULL, NULL, &err) == ERR_NONE, "%s", err.text);
    kafka_producer_close(p);
}

int64_t scene_log_end(const struct scene *s, const char *topic, int32_t partition)
{
    int64_t first, next;
    struct err err;

    ck_assert_int_eq(kafka_topic_bounds(&s->config.kafka, topic, partition, &first, &next, &err),
                     ERR_NONE);
    return next;
}

/* False: there is none. */
static bool read_meta(const struct scene *s, struct redis *r, int32_t partition, struct meta *meta)
{
    static const int32_t partitions[] = {SCENE_OUTPUTS_A, SCENE_OUTPUTS_B};
    char key[64];
    const struct str args[] = {
        STR("HGET"),
        {key, (size_t)snprintf(key, sizeof key, "{%s:%d}:meta", s->step, partition)},
        STR("meta")};
    struct redis_reply *reply;
    struct err err = {0};
    bool found;

    ck_assert_msg(redis_command(r, args, 3, &reply, &err) == ERR_NONE, "%s", err.text);
    found = redis_reply_kind(reply) == REDIS_TEXT;
    if (found)
        ck_assert_msg(meta_decode(redis_reply_text(reply), partitions, 2, meta, &err) == ERR_NONE,
                      "%s", err.text);
    redis_reply_free(reply);
    return found;
}

int64_t scene_kept_next(const struct scene *s, struct redis *r, int32_t partition)
{
    struct meta meta = {0};
    int64_t next = read_meta(s, r, partition, &meta) ? meta.next : -1;

    meta_free(&meta);
    return next;
}

uint64_t scene_commits(const struct scene *s, struct redis *r, int32_t partition)
{
    struct meta meta = {0};
    uint64_t commit = read_meta(s, r, partition, &meta) ? meta.commit : 0;

    meta_free(&meta);
    return commit;
}

bool scene_is_kept(const struct scene *s, struct redis *r)
{
    for (int32_t p = 0; p < SCENE_INPUTS; p++)
        if (scene_kept_next(s, r, p) < scene_log_end(s, s->input, p))
            return false;
    return true;
}

struct redis *scene_redis_open(const struct scene *s)
{
    struct redis *r;
    struct err err = {0};

    ck_assert_msg(redis_open(&s->config.redis, &r, &err) == ERR_NONE, "%s", err.text);
    return r;
}

/* --- what is right ------------------------------------------------------------------------------ */

struct expected { /* per output topic, partition: where each source must end */
    struct taken a[SCENE_OUTPUTS_A], b[SCENE_OUTPUTS_B];
    struct hash128 state[SCENE_INPUTS];
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
    static const int32_t partitions[] = {SCENE_OUTPUTS_A, SCENE_OUTPUTS_B};
    struct expected e = {0};

    for (int32_t p = 0; p < SCENE_INPUTS; p++) {
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
size_t scene_compare(const struct scene *s)
{
    struct expected e = expect_all(s);
    struct store *store;
    struct err err = {0};
    size_t dropped = 0, count = compare_topic(s, s->a, SCENE_OUTPUTS_A, e.a, &dropped);

    count += compare_topic(s, s->b, SCENE_OUTPUTS_B, e.b, &dropped);
    ck_assert_uint_eq(count, e.count);
    ck_assert_int_eq(redis_store_open(&s->config.redis, &store, &err), ERR_NONE);
    for (int32_t p = 0; p < SCENE_INPUTS; p++) {
        struct hash128 digest;

        ck_assert_int_eq(store_digest(store, s->step, p, &digest, &err), STORE_DONE);
        ck_assert_uint_eq(digest.low, e.state[p].low);
        ck_assert_uint_eq(digest.high, e.state[p].high);
        splits_check_timers(store, &s->class, NULL, p, scene_identity(s));
    }
    store->class->close(store);
    printf("%s: %zu outputs, %zu repeats and gaps dropped\n", s->step, count, dropped);
    for (int i = 0; i < SCENE_OUTPUTS_A; i++)
        taken_free(&e.a[i]);
    taken_free(&e.b[0]);
    return dropped;
}

/* --- workers -------------------------------------------------------------------------------------- */

struct str scene_identity(const struct scene *s)
{
    static char text[160];

    return (struct str){text,
                        (size_t)snprintf(text, sizeof text, "group %s, topic %s of %d partitions",
                                         s->config.group, s->input, SCENE_INPUTS)};
}

struct worker *scene_worker(const struct scene *s)
{
    struct worker *w;
    struct err err = {0};

    ck_assert_msg(worker_open(&s->config, &s->class, NULL, &w, &err) == ERR_NONE, "%s", err.text);
    return w;
}

void scene_run_until_kept(const struct scene *s, struct worker *w)
{
    struct redis *r = scene_redis_open(s);
    int64_t until_ms = clock_mono_ms() + SCENE_WAIT_MS;
    struct err err = {0};

    do {
        for (int i = 0; i < 10; i++)
            worker_poll(w, 50, &err);
        ck_assert_msg(clock_mono_ms() < until_ms, "not done in time: %s", err.text);
    } while (!scene_is_kept(s, r));
    redis_close(r);
}
