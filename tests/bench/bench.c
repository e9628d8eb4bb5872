/* tests/bench/bench.c - `make bench`: the reference workload through `decide`, beside a bare loop.
 *
 *   EVENTS=2000000 CUSTOMERS=1000000 SEED=1 MODE=structured|binary make bench
 *
 * One run on one machine: a real broker, a real Redis that writes its log to disk, a prefilled
 * topic, `attent run --role decide` in a process of its own.  Its tasks are compared with
 * those of the plain reference program, line by line; a wrong result is a failure, a slow one is not.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connectors/kafka/kafka.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/when.h"
#include "schemas/task.h"
#include "tests/bench/loop.h"
#include "tests/bench/workload.h"
#include "tests/support/process.h"
#include "tests/support/scratch.h"
#include "tests/support/server.h"

enum {
    PARTITIONS = 4,
    FLUSH_EVERY = 100000,
    PROGRESS_EVERY = 500000,
    STEP_MS_MAX = 15 * 60 * 1000,
    RECORDS_PER_POLL = 4096,
};

static const char attent_path[] = "build/attent";

struct bench {
    uint64_t events, seed;
    uint32_t customers;
    bool binary;
    struct server *kafka, *redis;
    struct kafka_settings settings;
    const char *config; /* path of attent.yaml */
    int console_port;
    struct process *attent;
};

_Noreturn static void give_up(const char *what, const struct err *err)
{
    fprintf(stderr, "bench: %s%s%s\n", what, err != NULL ? ": " : "", err != NULL ? err->text : "");
    exit(1);
}

static void must(enum err_code code, const char *what, const struct err *err)
{
    if (code != ERR_NONE)
        give_up(what, err);
}

static uint64_t setting(const char *name, uint64_t fallback)
{
    const char *text = getenv(name);

    return text != NULL && *text != '\0' ? strtoull(text, NULL, 10) : fallback;
}

/* --- looking at processes ------------------------------------------------------------------------ */

/* CPU time of a process so far, user + system, of all its threads. */
static int64_t cpu_us_of(pid_t pid)
{
    char path[64];
    char *text;
    unsigned long user = 0, system = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    text = scratch_read(path, NULL);
    if (text == NULL || strrchr(text, ')') == NULL ||
        sscanf(strrchr(text, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
               &user, &system) != 2)
        give_up("no CPU time of a process", NULL);
    free(text);
    return (int64_t)(user + system) * 1000000 / sysconf(_SC_CLK_TCK);
}

static long peak_kib_of(pid_t pid)
{
    char path[64];
    char *text, *line;
    long kib = 0;

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    text = scratch_read(path, NULL);
    line = text != NULL ? strstr(text, "VmHWM:") : NULL;
    if (line != NULL)
        kib = strtol(line + 6, NULL, 10);
    free(text);
    return kib;
}

/* Send a request to a loopback port and read until the peer closes or `end` has come. */
static bool ask(int port, const char *request, const char *end, struct buf *answer)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 5};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool asked = fd != -1 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
                 write(fd, request, strlen(request)) == (ssize_t)strlen(request);
    char part[4096];

    buf_clear(answer);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    for (ssize_t got = 1; asked && got > 0;) {
        got = read(fd, part, sizeof part);
        if (got > 0)
            buf_put(answer, (struct str){part, (size_t)got});
        if (end != NULL && strstr(buf_text(answer), end) != NULL)
            break;
    }
    if (fd != -1)
        close(fd);
    return asked && answer->len != 0;
}

static bool read_metrics(const struct bench *b, struct buf *out)
{
    return ask(b->console_port, "GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n", NULL, out);
}

/* Sum over all series of a metric, of those whose labels contain `label`. */
static double metric_sum(struct buf *metrics, const char *name, const char *label)
{
    double sum = 0;
    struct str rest = buf_str(metrics), line;

    while (str_cut(rest, '\n', &line, &rest)) {
        struct str name_part = str_of(name);
        char after = line.len > name_part.len ? line.data[name_part.len] : '\0';
        const char *blank = line.len != 0 ? memrchr(line.data, ' ', line.len) : NULL;
        if (str_starts(line, name_part) && (after == ' ' || after == '{') && blank != NULL &&
            str_contains(line, str_of(label)))
            sum += strtod(blank, NULL);
    }
    return sum;
}

static double redis_info(const struct bench *b, const char *field)
{
    struct buf answer = {0};
    double value = 0;
    char *at;

    if (ask(server_port(b->redis, 0), "INFO\r\n", "# Keyspace", &answer) &&
        (at = strstr(buf_text(&answer), field)) != NULL)
        value = strtod(at + strlen(field) + 1, NULL);
    buf_free(&answer);
    return value;
}

/* --- before the run ------------------------------------------------------------------------------ */

static void start_servers(struct bench *b)
{
    static const char *const durable[] = {"--appendonly", "yes", "--appendfsync", "everysec", NULL};

    puts("starting Apache Kafka and Redis (appendonly, fsync every second) ...");
    b->kafka = kafka_start(1);
    b->redis = redis_start(durable);
    b->settings =
        (struct kafka_settings){.brokers = server_address(b->kafka), .client_id = "bench"};
}

static void write_config(struct bench *b)
{
    struct buf yaml = {0};

    b->console_port = scratch_free_port();
    buf_put_format(&yaml,
                   "kafka:\n  brokers: %s\nredis:\n  address: %s\ntime: log\n"
                   "partitions: %d\nreplication: 1\nrules:\n  folder: tests/bench/rules\n"
                   "console:\n  address: 127.0.0.1:%d\n",
                   server_address(b->kafka), server_address(b->redis), PARTITIONS, b->console_port);
    b->config = scratch_write(scratch_dir(), "attent.yaml", buf_text(&yaml));
    buf_free(&yaml);
}

/* argument: NULL allowed */
static void run_attent(const struct bench *b, const char *verb, const char *option,
                       const char *argument)
{
    const char *const argv[] = {attent_path, verb, "-c", b->config, option, argument, NULL};
    char *out = NULL;

    if (process_run(argv, STEP_MS_MAX, &out) != 0)
        give_up("attent failed before the run", NULL);
    free(out);
}

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
    must(kafka_produce(producer, &record, &err), "produce", &err);
}

static void fill_topic(struct bench *b)
{
    struct workload *w = workload_new(b->seed, b->customers, b->events);
    struct kafka_producer *producer;
    struct buf key = {0}, value = {0};
    struct ref_event e;
    struct err err;
    uint64_t bytes = 0;

    must(kafka_producer_open(&b->settings, NULL, &producer, &err), "producer", &err);
    while (workload_next(w, &e)) {
        put_event(b, producer, &e, &key, &value);
        bytes += value.len;
        if ((e.number + 1) % FLUSH_EVERY == 0)
            must(kafka_flush(producer, STEP_MS_MAX, NULL, NULL, &err), "flush", &err);
        if ((e.number + 1) % PROGRESS_EVERY == 0)
            printf("  %llu events written\n", (unsigned long long)e.number + 1);
    }
    must(kafka_flush(producer, STEP_MS_MAX, NULL, NULL, &err), "flush", &err);
    printf("  %llu events, %llu bytes each on average, %s mode\n", (unsigned long long)b->events,
           (unsigned long long)(bytes / b->events), b->binary ? "binary" : "structured");
    buf_free(&key);
    buf_free(&value);
    kafka_producer_close(producer);
    workload_free(w);
}

/* --- the run --------------------------------------------------------------------------------------- */

/* Start decide and wait until everything has been read and committed. */
static int64_t run_decide(struct bench *b, struct buf *metrics)
{
    const char *const argv[] = {attent_path,      "run", "-c", b->config, "--role",
                                "decide,console", NULL};
    int64_t start_us = clock_mono_us();
    int64_t said_us = start_us;
    double records = 0;

    b->attent = process_start(argv, NULL);
    while (clock_mono_us() - start_us < (int64_t)STEP_MS_MAX * 1000) {
        if (process_wait(b->attent, 100) != PROCESS_RUNNING) {
            fputs(process_stderr(b->attent), stderr);
            give_up("attent ended", NULL);
        }
        if (!read_metrics(b, metrics))
            continue;
        records = metric_sum(metrics, "attent_worker_records_total", "");
        if (records >= (double)b->events &&
            metric_sum(metrics, "attent_worker_lag_records", "") == 0)
            return clock_mono_us() - start_us;
        if (clock_mono_us() - said_us > 5000000) {
            said_us = clock_mono_us();
            printf("  %.0f records decided\n", records);
        }
    }
    fputs(process_stderr(b->attent), stderr);
    give_up("decide did not come to the end of the topic", NULL);
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
        give_up("a record of attent.tasks is no task", &err);
    MEM_RESERVE(lines->items, lines->count, lines->capacity);
    lines->items[lines->count++] = task_line(lines->arena, &task);
}

/* Read attent.tasks to its end. */
static void read_tasks(const struct bench *b, struct lines *lines)
{
    struct kafka_partition from[PARTITIONS];
    struct kafka_consumer *consumer;
    static struct record records[RECORDS_PER_POLL];
    struct err err;
    bool end = false;
    size_t count;

    for (int p = 0; p < PARTITIONS; p++)
        from[p] = (struct kafka_partition){"attent.tasks", p, KAFKA_OFFSET_BEGIN};
    must(kafka_consumer_open_alone(&b->settings, from, PARTITIONS, &consumer, &err), "tasks", &err);
    while (!end) {
        must(kafka_consumer_poll(consumer, 200, records, RECORDS_PER_POLL, &count, &err), "tasks",
             &err);
        for (size_t i = 0; i < count; i++)
            add_task(lines, &records[i]);
        kafka_consumer_release(consumer);
        end = count == 0;
        for (int p = 0; p < PARTITIONS; p++)
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
    static const char *const phases[] = {"take", "load", "decide", "publish", "commit"};

    puts("where the time of the worker's thread goes (wall clock, us per event):");
    for (size_t i = 0; i < sizeof phases / sizeof phases[0]; i++) {
        char label[32];
        snprintf(label, sizeof label, "part=\"%s\"", phases[i]);
        printf("  %-8s            %.3f\n", phases[i],
               metric_sum(metrics, "attent_worker_seconds_total", label) * 1e6 / (double)b->events);
    }
}

static void measure(struct bench *b)
{
    struct loop_result before, after;
    struct buf metrics = {0};
    int64_t redis_us, wall_us, decide_us;
    double per_event, r;

    puts("bare consume loop ...");
    if (!loop_run(b->settings.brokers, "attent.events", PARTITIONS, b->events, &before))
        give_up("the bare loop did not get all messages", NULL);
    puts("decide ...");
    redis_us = cpu_us_of(server_pid(b->redis, 0));
    wall_us = run_decide(b, &metrics);
    decide_us = cpu_us_of(process_pid(b->attent));
    redis_us = cpu_us_of(server_pid(b->redis, 0)) - redis_us;
    long peak_kib = peak_kib_of(process_pid(b->attent));
    process_kill(b->attent, SIGTERM);
    process_wait(b->attent, 10000);
    puts("bare consume loop again ...");
    if (!loop_run(b->settings.brokers, "attent.events", PARTITIONS, b->events, &after))
        give_up("the bare loop did not get all messages", NULL);

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
    double keys = redis_info(b, "db0:keys"), used = redis_info(b, "used_memory");
    printf("memory of Redis       %.0f MiB, %.0f keys: %.0f bytes per customer with a state\n",
           used / 1048576, keys, keys > 0 ? used / keys : 0);
    print_phases(b, &metrics);
    buf_free(&metrics);
}

int main(void)
{
    const char *mode = getenv("MODE");
    struct bench b = {.events = setting("EVENTS", 2000000),
                      .customers = (uint32_t)setting("CUSTOMERS", 1000000),
                      .seed = setting("SEED", 1),
                      .binary = mode != NULL && strcmp(mode, "binary") == 0};
    bool right;

    setvbuf(stdout, NULL, _IOLBF, 0);
    start_servers(&b);
    write_config(&b);
    run_attent(&b, "topics", "--create", NULL);
    run_attent(&b, "activate", "--unproved", "tests/bench/rules");
    fill_topic(&b);
    measure(&b);
    right = tasks_are_right(&b);
    process_free(b.attent);
    server_stop(b.redis);
    server_stop(b.kafka);
    return right ? EXIT_SUCCESS : EXIT_FAILURE;
}
