/* The person: Redis is only as good as who runs it.  An older copy may be put into it at any time while
 * workers are at work.  When it comes back empty, workers say that their state is gone and stop; then
 * the person puts an older copy into it and starts everything again.
 */
#include "tests/sim/cluster.h"

#include <stdio.h>
#include <string.h>

#include "core/buf.h"
#include "core/check.h"
#include "processors/worker/meta.h"
#include "tests/sim/kafka_model.h"

enum {
    POLL_MS = 5000,     /* it wakes by itself when there is something */
    POLL_US_MAX = 200,  /* between two polls: what deciding takes */
    PERSON_US = 300000, /* how often the person looks */
    EMPTY_US_MAX = 8000000,
    OLDER_WRITES_MAX = 400,
    DISK_FULL_US_MAX = 15000000,
    QUIET_US = 2000000, /* at rest, and nothing is written for so long */
    REST_US_MAX = 180000000,
    FEED_US_MAX = 120000000,
    TAIL_RECORDS = 12,
    TAIL_BYTES = 160,
};

/* --- workers --------------------------------------------------------------------------------------- */

static void work(void *context)
{
    struct cluster_role *role = context;
    struct worker_config config = role->config;
    struct worker *w;
    struct err err;

    config.store = store_model_connect(role->cluster->store);
    while (worker_open(&config, role->step.class, role->step.config, &w, &err) != ERR_NONE)
        sim_sleep_us(500000);
    for (;;) {
        worker_poll(w, POLL_MS, &err);
        sim_sleep_us(1 + (int64_t)rng_below(sim_rng(), POLL_US_MAX));
        if (sim_strikes(SIM_REBALANCE, "worker leaves"))
            break;
    }
    worker_close(w);
}

static void work_and_again(void *context)
{
    for (;;) {
        work(context);
        sim_sleep_us(1000 + (int64_t)rng_below(sim_rng(), PERSON_US));
    }
}

static void note_stop(struct cluster *c, const struct log_field *fields)
{
    for (; fields->name != NULL; fields++)
        if (c->stops_wanted && strcmp(fields->name, "partition") == 0)
            c->stops |= UINT64_C(1) << fields->number;
        else if (!c->stops_wanted && strcmp(fields->name, "reason") == 0)
            err_set(&c->stopped, ERR_STATE, "a partition stopped: %.*s", STR_ARG(fields->text));
}

/* A partition that stops needs a person, so something was lost that must not be. */
static void hear(void *context, enum log_level level, const char *part, const char *what,
                 const struct log_field *fields)
{
    struct cluster *c = context;

    if (level == LOG_ERROR && strcmp(part, "worker") == 0 && !c->person_at_work &&
        c->stopped.code == ERR_NONE && strstr(what, "partition stopped") != NULL)
        note_stop(c, fields);
}

/* --- the person -------------------------------------------------------------------------------------- */

static bool all_begun(struct cluster *c)
{
    for (size_t i = 0; i < c->role_count; i++)
        for (int32_t p = 0; p < c->roles[i].partitions; p++)
            if (store_model_meta(c->store, c->roles[i].step.class->name, p).len == 0)
                return false;
    return true;
}

static size_t older(const struct cluster *c)
{
    size_t writes = store_model_writes(c->store);
    size_t back = (size_t)rng_below(sim_rng(), OLDER_WRITES_MAX);

    return writes > back ? writes - back : 0;
}

static void put_older_copy(struct cluster *c)
{
    size_t writes = older(c);

    sim_tell("a copy of %zu writes ago is put into Redis", store_model_writes(c->store) - writes);
    store_model_go_back(c->store, writes);
}

static void lose_all(struct cluster *c)
{
    size_t writes = store_model_writes(c->store);
    size_t back = (size_t)rng_below(sim_rng(), OLDER_WRITES_MAX);

    c->person_at_work = true;
    store_model_empty(c->store);
    sim_sleep_us((int64_t)rng_below(sim_rng(), EMPTY_US_MAX));
    sim_tell("a copy is put into Redis, and all processes are started again");
    store_model_go_back(c->store, writes > back ? writes - back : 0);
    sim_kill_all();
    c->person_at_work = false;
}

static void look_after(void *context)
{
    struct cluster *c = context;

    for (;;) {
        sim_sleep_us(PERSON_US);
        if (!c->begun) {
            c->begun = all_begun(c);
            store_model_protect(c->store, !c->begun);
            continue;
        }
        if (sim_strikes(SIM_DISK_FULL, "operator"))
            kafka_model_disk_full(sim_now_us() + (int64_t)rng_below(sim_rng(), DISK_FULL_US_MAX));
        if (sim_strikes(SIM_STORE_OLDER, "operator"))
            put_older_copy(c);
        if (sim_strikes(SIM_STORE_EMPTY, "operator"))
            lose_all(c);
    }
}

/* --- setting up ---------------------------------------------------------------------------------------- */

void cluster_open(struct cluster *c, const struct sim_plan *plan)
{
    struct sim_plan own = *plan;

    *c = (struct cluster){0};
    own.watch = (struct sim_watch){.died = kafka_model_process_died,
                                   .stopped = kafka_model_process_stopped,
                                   .said = hear,
                                   .context = c};
    sim_begin(&own);
    kafka_model_open();
    c->store = store_model_new();
    c->time = rng_below(sim_rng(), 4) == 0 ? WORKER_TIME_LOG : WORKER_TIME_WALL;
}

static size_t draw_of(size_t small, size_t large)
{
    return rng_below(sim_rng(), 2) == 0 ? 1 + (size_t)rng_below(sim_rng(), small)
                                        : 1 + (size_t)rng_below(sim_rng(), large);
}

void cluster_add_step(struct cluster *c, const struct cluster_step *step)
{
    struct cluster_role *role = &c->roles[c->role_count++];

    CHECK(c->role_count <= CLUSTER_STEPS_MAX);
    *role = (struct cluster_role){.cluster = c, .step = *step};
    role->partitions = kafka_model_partitions(step->input);
    for (int i = 0; step->outputs[i] != NULL; i++)
        role->output_partitions[i] = kafka_model_partitions(step->outputs[i]);
    role->config =
        (struct worker_config){.kafka = {.brokers = "simulated", .client_id = step->class->name},
                               .group = step->class->name,
                               .input = step->input,
                               .outputs = role->step.outputs,
                               .sources = step->sources,
                               .source_count = step->source_count,
                               .time = c->time,
                               .batch_records_max = draw_of(4, 64),
                               .cache_bytes_max = draw_of(2, 100) * 1000,
                               .timers_max = draw_of(6, 100)};
}

void cluster_start(struct cluster *c)
{
    for (size_t i = 0; i < c->role_count; i++)
        for (int k = 0; k < c->roles[i].step.processes; k++)
            sim_spawn(c->roles[i].step.class->name, work_and_again, &c->roles[i], true);
    sim_spawn("operator", look_after, c, false);
}

void cluster_feed(struct cluster *c, void (*main)(void *context), void *context)
{
    c->feeding++;
    sim_spawn("source", main, context, false);
}

void cluster_fed(struct cluster *c)
{
    c->feeding--;
}

/* --- coming to rest ---------------------------------------------------------------------------------------- */

int64_t cluster_kept_next(const struct cluster_role *role, int32_t partition)
{
    struct str bytes = store_model_meta(role->cluster->store, role->step.class->name, partition);
    struct meta meta;
    int64_t next = -1;

    if (bytes.len == 0)
        return -1;
    if (meta_decode_any(bytes, &meta, NULL) == ERR_NONE)
        next = meta.next;
    meta_free(&meta);
    return next;
}

/* Markers of transactions take offsets, but nobody reads them; what is behind an open one is read later. */
bool cluster_is_behind(const struct cluster_role *role, int32_t partition)
{
    int64_t from = cluster_kept_next(role, partition), next;
    struct kafka_model_bounds bounds = kafka_model_bounds(role->step.input, partition);
    struct record record;

    return from < 0 || bounds.stable < bounds.next ||
           kafka_model_read(role->step.input, partition, from, &record, 1, &next) > 0;
}

static bool behind(struct cluster *c, const struct cluster_role **role, int32_t *partition)
{
    for (size_t i = 0; i < c->role_count; i++)
        for (int32_t p = 0; p < c->roles[i].partitions; p++)
            if (cluster_is_behind(&c->roles[i], p)) {
                *role = &c->roles[i];
                *partition = p;
                return true;
            }
    return false;
}

static bool is_fed(void *context)
{
    const struct cluster *c = context;

    return c->stopped.code != ERR_NONE ||
           (c->feeding == 0 && sim_faults_are_over() && !c->person_at_work);
}

static bool is_at_rest(void *context)
{
    struct cluster *c = context;
    const struct cluster_role *role;
    int32_t partition;

    return c->stopped.code != ERR_NONE || !behind(c, &role, &partition);
}

static bool never(void *context)
{
    return ((struct cluster *)context)->stopped.code != ERR_NONE;
}

/* The last records of a log, for who reads a failure. */
static void tell_tail(const char *topic, int32_t partition)
{
    struct record page[TAIL_RECORDS];
    int64_t end = kafka_model_bounds(topic, partition).next, next;
    int64_t from = end > TAIL_RECORDS ? end - TAIL_RECORDS : 0;
    size_t count = kafka_model_read(topic, partition, from, page, TAIL_RECORDS, &next);

    for (size_t i = 0; i < count; i++) {
        struct buf line = {0};

        for (size_t k = 0; k < page[i].header_count; k++)
            buf_put_format(&line, " %.*s=%.*s", STR_ARG(page[i].headers[k].name),
                           STR_ARG(page[i].headers[k].value));
        sim_tell("%s/%d @%lld: key %.*s, value %.*s,%.*s", topic, partition,
                 (long long)page[i].offset, STR_ARG(page[i].key),
                 STR_ARG(str_head(page[i].value, TAIL_BYTES)), (int)line.len, line.data);
        buf_free(&line);
    }
}

static bool say_who_is_behind(struct cluster *c, struct err *why)
{
    const struct cluster_role *role;
    int32_t partition;

    CHECK(behind(c, &role, &partition));
    tell_tail(role->step.input, partition);
    err_set(why, ERR_STATE,
            "%s/%d stays behind: its state goes up to %lld, its log to %lld, %d s after the last "
            "fault",
            role->step.class->name, partition, (long long)cluster_kept_next(role, partition),
            (long long)kafka_model_bounds(role->step.input, partition).next, REST_US_MAX / 1000000);
    return false;
}

bool cluster_rest(struct cluster *c, struct err *why)
{
    int64_t until_us = sim_now_us() + REST_US_MAX;
    size_t writes;

    do {
        if (!sim_go(is_at_rest, c, until_us - sim_now_us()))
            return say_who_is_behind(c, why);
        if (sim_now_us() >= until_us) {
            err_set(why, ERR_STATE, "no rest: states are written again and again");
            return false;
        }
        writes = store_model_writes(c->store);
        sim_go(never, c, QUIET_US);
    } while (!is_at_rest(c) || writes != store_model_writes(c->store));
    if (c->stopped.code == ERR_NONE)
        return true;
    err_set(why, c->stopped.code, "%s", c->stopped.text);
    return false;
}

bool cluster_settle(struct cluster *c, void (*nudge)(void *context), void *context, struct err *why)
{
    if (!sim_go(is_fed, c, FEED_US_MAX)) {
        err_set(why, ERR_STATE, "input could not be written");
        return false;
    }
    kafka_model_end_faults();
    sim_tell("faults are over");
    nudge(context);
    return cluster_rest(c, why);
}

void cluster_close(struct cluster *c)
{
    sim_end();
    kafka_model_close();
    store_model_free(c->store);
}
