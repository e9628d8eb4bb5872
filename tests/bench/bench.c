/* tests/bench/bench.c - `make bench`: the reference workload through `ingest` and `decide`, beside a
 * bare loop.
 *
 *   EVENTS=2000000 CUSTOMERS=1000000 SEED=1 RULES=3 MODE=structured|binary make bench
 *   INGEST=1 make bench        ingest alone
 *   MODE=latency make bench    added latency at fixed rates instead (latency.c)
 *
 * One run on one machine: a real broker, a real Redis that writes its log to disk, a prefilled
 * topic, `attent run --role decide` in a process of its own.  Its tasks are compared with
 * those of the plain reference program, line by line; a wrong result is a failure, a slow one is not.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/when.h"
#include "schemas/task.h"
#include "tests/bench/common.h"
#include "tests/bench/loop.h"
#include "tests/bench/workload.h"
#include "tests/support/scratch.h"

enum {
    FLUSH_EVERY = 100000,
    PROGRESS_EVERY = 500000,
    RECORDS_PER_POLL = 4096,
    LOOK_MS = 50,
    RESTART_SHARE = 10, /* one event in so many comes after the restart */
};

#define LATER_MS (31 * (int64_t)WHEN_DAY_MS) /* a day behind the end of the workload */

/* --- before the run ------------------------------------------------------------------------------ */

static void put_event(struct bench *b, struct kafka_producer *producer, const struct ref_event *e,
                      struct buf *key, struct buf *value)
{
    char id[32], time[40] = "";
    struct buf text = {0};
    struct record record = {
        .topic = STR("attent.events"), .partition = -1, .timestamp_ms = e->at_ms};
    struct err err;

    buf_clear(key);
    buf_clear(value);
    ref_put_customer(key, e->customer);
    if (b->binary) {
        ref_put_data(value, e);
        when_put_rfc3339(&text, e->at_ms);
        snprintf(time, sizeof time, "%s", buf_text(&text));
        buf_free(&text);
    } else {
        ref_put_envelope(value, e);
    }
    snprintf(id, sizeof id, "ref-%llu", (unsigned long long)e->number);
    const struct header headers[] = {
        {STR("ce_specversion"), STR("1.0")}, {STR("ce_id"), str_of(id)},
        {STR("ce_source"), STR("/ref/gen")}, {STR("ce_type"), str_of(ref_type_name(e->type))},
        {STR("ce_time"), str_of(time)},      {STR("content-type"), STR("application/json")}};
    record.key = buf_str(key);
    record.value = buf_str(value);
    record.headers = b->binary ? headers : NULL;
    record.header_count = b->binary ? sizeof headers / sizeof headers[0] : 0;
    bench_must(kafka_produce(producer, &record, &err), "produce", &err);
}

/* later_ms: the log's time goes on from there. */
static void fill_topic(struct bench *b, uint64_t seed, uint64_t events, int64_t later_ms)
{
    struct workload *w = workload_new(seed, b->customers, events);
    struct kafka_producer *producer;
    struct buf key = {0}, value = {0};
    struct ref_event e;
    struct err err;
    uint64_t bytes = 0;

    bench_must(kafka_producer_open(&b->settings, NULL, &producer, &err), "producer", &err);
    while (workload_next(w, &e)) {
        e.at_ms += later_ms;
        put_event(b, producer, &e, &key, &value);
        bytes += value.len;
        if ((e.number + 1) % FLUSH_EVERY == 0)
            bench_must(kafka_flush(producer, BENCH_STEP_MS_MAX, NULL, NULL, &err), "flush", &err);
        if ((e.number + 1) % PROGRESS_EVERY == 0)
            printf("  %llu events written\n", (unsigned long long)e.number + 1);
    }
    bench_must(kafka_flush(producer, BENCH_STEP_MS_MAX, NULL, NULL, &err), "flush", &err);
    printf("  %llu events, %llu bytes each on average, %s mode\n", (unsigned long long)events,
           (unsigned long long)(bytes / events), b->binary ? "binary" : "structured");
    buf_free(&key);
    buf_free(&value);
    kafka_producer_close(producer);
    workload_free(w);
}

/* --- the run --------------------------------------------------------------------------------------- */

/* Wait until `metric` has come so far and nothing is left behind (`lag`).  Returns the time since
 * start_us. */
static int64_t run_until(struct bench *b, uint64_t events, const char *metric, const char *lag,
                         int64_t start_us, struct buf *metrics, int64_t *first_us)
{
    int64_t said_us = start_us;
    double records = 0;

    *first_us = 0;
    while (clock_mono_us() - start_us < (int64_t)BENCH_STEP_MS_MAX * 1000) {
        clock_sleep_ms(LOOK_MS);
        if (!bench_read_metrics(b, metrics))
            continue;
        records = bench_metric(metrics, metric, "");
        if (records > 0 && *first_us == 0)
            *first_us = clock_mono_us() - start_us;
        if (records >= (double)events && (lag == NULL || bench_metric(metrics, lag, "") == 0))
            return clock_mono_us() - start_us;
        if (clock_mono_us() - said_us > 5000000) {
            said_us = clock_mono_us();
            printf("  %.0f records\n", records);
        }
    }
    fputs(process_stderr(b->attent), stderr);
    bench_give_up("attent did not come to the end of the topic", NULL);
}

/* Start decide and wait until so many records have been read and committed.  Returns how long that
 * took; *first_us: until the first. */
static int64_t run_decide(struct bench *b, uint64_t events, struct buf *metrics, int64_t *first_us)
{
    int64_t start_us = clock_mono_us();

    bench_start_decide(b);
    return run_until(b, events, "attent_worker_records_total", "attent_worker_lag_records",
                     start_us, metrics, first_us);
}

static int compare_lines(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static struct str task_line(struct arena *arena, const struct task *task)
{
    struct buf time = {0};
    struct str line;

    when_put_rfc3339(&time, task->created_ms);
    line = arena_format(arena, "%.*s %.*s %.*s %.*s\n", STR_ARG(task->customer),
                        STR_ARG(task->moment), STR_ARG(task->about), STR_ARG(buf_str(&time)));
    buf_free(&time);
    return line;
}

struct lines {
    struct arena *arena;
    struct str *items;
    size_t count, capacity;
};

static void add_task(struct lines *lines, const struct record *record)
{
    struct task task;
    struct err err;

    if (!str_is(record_header(record, STR("ce_type")), TASK_CE_TYPE))
        return; /* a withdrawal */
    if (!task_read_json(record->value, lines->arena, &task, &err))
        bench_give_up("a record of attent.tasks is no task", &err);
    MEM_RESERVE(lines->items, lines->count, lines->capacity);
    lines->items[lines->count++] = task_line(lines->arena, &task);
}

/* Read attent.tasks to its end. */
static void read_tasks(const struct bench *b, struct lines *lines)
{
    struct kafka_partition from[BENCH_PARTITIONS];
    struct kafka_consumer *consumer;
    static struct record records[RECORDS_PER_POLL];
    struct err err;
    bool end = false;
    size_t count;

    for (int p = 0; p < BENCH_PARTITIONS; p++)
        from[p] = (struct kafka_partition){"attent.tasks", p, KAFKA_OFFSET_BEGIN};
    bench_must(kafka_consumer_open_alone(&b->settings, from, BENCH_PARTITIONS, &consumer, &err),
               "tasks", &err);
    while (!end) {
        bench_must(kafka_consumer_poll(consumer, 200, records, RECORDS_PER_POLL, &count, &err),
                   "tasks", &err);
        for (size_t i = 0; i < count; i++)
            add_task(lines, &records[i]);
        kafka_consumer_release(consumer);
        end = count == 0;
        for (int p = 0; p < BENCH_PARTITIONS; p++)
            end = end && kafka_consumer_at_end(consumer, "attent.tasks", p);
    }
    kafka_consumer_close(consumer);
}

/* Are the tasks those of the reference program?  Says the first differences. */
static bool tasks_are_right(const struct bench *b)
{
    struct lines lines = {.arena = arena_new(0)};
    struct buf expected = {0}, got = {0};
    size_t count = 0;
    bool same;

    read_tasks(b, &lines);
    if (lines.count != 0)
        qsort(lines.items, lines.count, sizeof *lines.items, compare_lines);
    for (size_t i = 0; i < lines.count; i++)
        buf_put(&got, lines.items[i]);
    reference_tasks(b->seed, b->customers, b->events, &expected, &count);
    same = str_equal(buf_str(&expected), buf_str(&got));
    printf("tasks                 %zu, reference %zu: %s\n", lines.count, count,
           same ? "the same, line by line" : "DIFFERENT");
    if (!same) {
        const char *dir = "build/bench-tasks";
        (void)!system("mkdir -p build/bench-tasks");
        printf("  compare %s\n  with    %s\n", scratch_write(dir, "expected", buf_text(&expected)),
               scratch_write(dir, "got", buf_text(&got)));
    }
    buf_free(&expected);
    buf_free(&got);
    mem_free(lines.items);
    arena_free(lines.arena);
    return same;
}

static void print_phases(const struct bench *b, struct buf *metrics)
{
    static const char *const phases[] = {"take", "load", "decide", "publish", "commit", "wait"};

    puts("where the time of the worker's thread goes (wall clock, us per event):");
    for (size_t i = 0; i < sizeof phases / sizeof phases[0]; i++) {
        char label[32];
        snprintf(label, sizeof label, "part=\"%s\"", phases[i]);
        printf("  %-8s            %.3f\n", phases[i],
               bench_metric(metrics, "attent_worker_seconds_total", label) * 1e6 /
                   (double)b->events);
    }
}

/* Ingest alone, from the first record that it has committed on: what it takes to start and to join its
 * group is not of an event. */
static void measure_ingest(struct bench *b, double r)
{
    static const char taken[] = "attent_ingest_events_written_total";
    struct buf metrics = {0};
    int64_t first_us, begin_us, wall_us, cpu_us;
    double before, read;

    puts("ingest ...");
    bench_start_ingest(b);
    run_until(b, 1, taken, NULL, clock_mono_us(), &metrics, &first_us);
    begin_us = clock_mono_us();
    before = bench_metric(&metrics, taken, "");
    cpu_us = bench_cpu_us(process_pid(b->attent));
    wall_us = run_until(b, b->events, taken, NULL, begin_us, &metrics, &first_us);
    cpu_us = bench_cpu_us(process_pid(b->attent)) - cpu_us;
    read = bench_metric(&metrics, taken, "") - before;
    printf("ingest                %.3f us of CPU per event = %.1f R (wanted: at most 12)\n",
           (double)cpu_us / read, (double)cpu_us / read / r);
    printf("  events per second   %.0f\n", read * 1e6 / (double)wall_us);
    printf("  memory              %.0f MiB at its peak\n",
           (double)bench_peak_kib(process_pid(b->attent)) / 1024);
    bench_stop(b);
    buf_free(&metrics);
}

/* Identify has its line here when there is a workload whose events name an alias. */

static void measure(struct bench *b)
{
    struct loop_result before, after;
    struct buf metrics = {0};
    int64_t redis_us, wall_us, decide_us, first_us;
    double per_event, r;

    puts("bare consume loop ...");
    if (!loop_run(b->settings.brokers, "attent.events", BENCH_PARTITIONS, b->events, &before))
        bench_give_up("the bare loop did not get all messages", NULL);
    measure_ingest(b, (double)before.cpu_us / (double)b->events);
    if (b->ingest_only)
        return;
    puts("decide ...");
    redis_us = bench_cpu_us(server_pid(b->redis, 0));
    wall_us = run_decide(b, b->events, &metrics, &first_us);
    decide_us = bench_cpu_us(process_pid(b->attent));
    redis_us = bench_cpu_us(server_pid(b->redis, 0)) - redis_us;
    long peak_kib = bench_peak_kib(process_pid(b->attent));
    bench_stop(b);
    puts("bare consume loop again ...");
    if (!loop_run(b->settings.brokers, "attent.events", BENCH_PARTITIONS, b->events, &after))
        bench_give_up("the bare loop did not get all messages", NULL);

    r = (double)(before.cpu_us + after.cpu_us) / 2 / (double)b->events;
    per_event = (double)decide_us / (double)b->events;
    printf("\nR, bare loop          %.3f us of CPU per message (before %.3f, after %.3f)\n", r,
           (double)before.cpu_us / (double)b->events, (double)after.cpu_us / (double)b->events);
    printf("decide                %.3f us of CPU per event = %.1f R\n", per_event, per_event / r);
    printf("Redis                 %.3f us of CPU per event = %.1f R\n",
           (double)redis_us / (double)b->events, (double)redis_us / (double)b->events / r);
    printf("events per second     %.0f (from start to the last commit)\n",
           (double)b->events * 1e6 / (double)wall_us);
    printf("memory of decide      %.0f MiB at its peak\n", (double)peak_kib / 1024);
    double keys = bench_redis_info(b, "db0:keys"), used = bench_redis_info(b, "used_memory");
    printf("memory of Redis       %.0f MiB, %.0f keys: %.0f bytes per customer with a state\n",
           used / 1048576, keys, keys > 0 ? used / keys : 0);
    print_phases(b, &metrics);
    buf_free(&metrics);
}

/* A process that has nothing in memory takes over what the one before it left in Redis. */
static void measure_restart(struct bench *b)
{
    uint64_t events = b->events / RESTART_SHARE;
    struct buf metrics = {0};
    int64_t first_us, wall_us, cpu_us;

    puts("\nrestart, cold cache ...");
    fill_topic(b, b->seed + 1, events, LATER_MS);
    wall_us = run_decide(b, events, &metrics, &first_us);
    cpu_us = bench_cpu_us(process_pid(b->attent));
    bench_stop(b);
    printf("first events decided  %.2f s after the start of the process\n", (double)first_us / 1e6);
    printf("all %llu            %.2f s, %.0f states loaded, %.3f us of CPU per event\n",
           (unsigned long long)events, (double)wall_us / 1e6,
           bench_metric(&metrics, "attent_worker_subjects_loaded_total", ""),
           (double)cpu_us / (double)events);
    buf_free(&metrics);
}

static bool run_workload(struct bench *b)
{
    bool right;

    bench_open(b, "log", false);
    fill_topic(b, b->seed, b->events, 0);
    measure(b);
    right = b->ingest_only || tasks_are_right(b);
    if (!b->ingest_only)
        measure_restart(b);
    bench_close(b);
    return right;
}

int main(void)
{
    const char *mode = getenv("MODE");
    struct bench b = {.events = bench_setting("EVENTS", 2000000),
                      .customers = (uint32_t)bench_setting("CUSTOMERS", 1000000),
                      .seed = bench_setting("SEED", 1),
                      .rules = bench_setting("RULES", 3),
                      .binary = mode != NULL && strcmp(mode, "binary") == 0,
                      .ingest_only = bench_setting("INGEST", 0) != 0};
    bool right = true;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (mode != NULL && strcmp(mode, "latency") == 0)
        latency_run(&b);
    else
        right = run_workload(&b);
    return right ? EXIT_SUCCESS : EXIT_FAILURE;
}
