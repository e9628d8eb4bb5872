/* tests/bench/bench.c - `make bench`: the reference workload through `ingest` and `decide`, beside a
 * bare loop, and through `identify` (identify.c).
 *
 *   EVENTS=2000000 CUSTOMERS=1000000 SEED=1 RULES=3 MODE=structured|binary make bench
 *   DECIDE=1 make bench        decide alone; so INGEST=1 and IDENTIFY=1, or several of them
 *   RULES=1000 QUIET=1 make bench   none of those beside the three listens to the workload
 *   MODE=latency make bench    added latency at fixed rates instead (latency.c)
 *   make soak                  memory over a long run (soak.c)
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
#include "tests/bench/soak.h"
#include "tests/bench/workload.h"
#include "tests/support/scratch.h"

enum {
    RESTART_SHARE = 10, /* one event in so many comes after the restart */
    LOOPS = 3,
};

#define LATER_MS (31 * (int64_t)WHEN_DAY_MS) /* a day behind the end of the workload */

/* --- the run --------------------------------------------------------------------------------------- */

/* Start decide and wait until so many records have been read and committed.  Returns how long that
 * took; *first_us: until the first. */
static int64_t run_decide(struct bench *b, uint64_t events, struct buf *metrics, int64_t *first_us)
{
    int64_t start_us = clock_mono_us();

    bench_start_decide(b);
    return bench_run_until(b, events, BENCH_WORKER_RECORDS, BENCH_WORKER_LAG, start_us, metrics,
                           first_us);
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

static void add_task(void *context, const struct record *record)
{
    struct lines *lines = context;
    struct task task;
    struct err err;

    if (!str_is(record_header(record, STR("ce_type")), TASK_CE_TYPE))
        return; /* a withdrawal */
    if (!task_read_json(record->value, lines->arena, &task, &err))
        bench_give_up("a record of attent.tasks is no task", &err);
    MEM_RESERVE(lines->items, lines->count, lines->capacity);
    lines->items[lines->count++] = task_line(lines->arena, &task);
}

/* Are the tasks those of the reference program?  Says the first differences. */
static bool tasks_are_right(const struct bench *b)
{
    struct lines lines = {.arena = arena_new(0)};
    struct buf expected = {0}, got = {0};
    size_t count = 0;
    bool same;

    bench_read_topic(b, "attent.tasks", add_task, &lines);
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

static int compare_numbers(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* CPU per message of the bare loop, us: the middle one of three, which differ by up to a half. */
static double measure_loop(const struct bench *b)
{
    double r[LOOPS];

    puts("bare consume loop ...");
    for (size_t i = 0; i < LOOPS; i++) {
        struct loop_result result;
        if (!loop_run(b->settings.brokers, "attent.events", BENCH_PARTITIONS, b->events, &result))
            bench_give_up("the bare loop did not get all messages", NULL);
        r[i] = (double)result.cpu_us / (double)b->events;
    }
    qsort(r, LOOPS, sizeof *r, compare_numbers);
    printf("  R = %.3f us of CPU per message (%.3f to %.3f)\n", r[LOOPS / 2], r[0], r[LOOPS - 1]);
    return r[LOOPS / 2];
}

static void measure_ingest(struct bench *b, double r)
{
    puts("ingest ...");
    bench_start_ingest(b);
    bench_measure(b, "ingest", "attent_ingest_events_written_total", NULL, r);
    bench_stop(b);
}

/* before: R before it.  Returns the mean of that and R after it. */
static double measure_decide(struct bench *b, double before)
{
    struct buf metrics = {0};
    int64_t redis_us, wall_us, decide_us, first_us;
    double per_event, after, r;

    puts("decide ...");
    redis_us = bench_cpu_us(server_pid(b->redis, 0));
    wall_us = run_decide(b, b->events, &metrics, &first_us);
    decide_us = bench_cpu_us(process_pid(b->attent));
    redis_us = bench_cpu_us(server_pid(b->redis, 0)) - redis_us;
    long peak_kib = bench_peak_kib(process_pid(b->attent));
    bench_stop(b);
    after = measure_loop(b);

    r = (before + after) / 2;
    per_event = (double)decide_us / (double)b->events;
    printf("\nR, bare loop          %.3f us of CPU per message (before %.3f, after %.3f)\n", r,
           before, after);
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
    return r;
}

/* A process that has nothing in memory takes over what the one before it left in Redis. */
static void measure_restart(struct bench *b)
{
    uint64_t events = b->events / RESTART_SHARE;
    struct buf metrics = {0};
    int64_t first_us, wall_us, cpu_us;

    puts("\nrestart, cold cache ...");
    bench_fill(b, BENCH_EVENTS, b->seed + 1, events, LATER_MS);
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
    bool right = true;
    double r;

    bench_open(b, "log", false);
    bench_fill(b, BENCH_EVENTS, b->seed, b->events, 0);
    r = measure_loop(b);
    if (b->ingest)
        measure_ingest(b, r);
    if (b->decide) {
        r = measure_decide(b, r);
        right = tasks_are_right(b);
        measure_restart(b);
    }
    if (b->identify)
        right &= identify_run(b, r);
    bench_close(b);
    return right;
}

int main(void)
{
    const char *mode = getenv("MODE");
    const bool ingest = bench_setting("INGEST", 0) != 0, decide = bench_setting("DECIDE", 0) != 0,
               identify = bench_setting("IDENTIFY", 0) != 0, all = !ingest && !decide && !identify;
    struct bench b = {.events = bench_setting("EVENTS", 2000000),
                      .customers = (uint32_t)bench_setting("CUSTOMERS", 1000000),
                      .seed = bench_setting("SEED", 1),
                      .rules = bench_setting("RULES", 3),
                      .quiet = bench_setting("QUIET", 0) != 0,
                      .binary = mode != NULL && strcmp(mode, "binary") == 0,
                      .ingest = ingest || all,
                      .decide = decide || all,
                      .identify = identify || all};
    bool right = true;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (mode != NULL && strcmp(mode, "latency") == 0)
        latency_run(&b);
    else if (mode != NULL && strcmp(mode, "soak") == 0)
        right = soak_run(&b);
    else
        right = run_workload(&b);
    return right ? EXIT_SUCCESS : EXIT_FAILURE;
}
