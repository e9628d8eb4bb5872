#include "tests/bench/common.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "tests/support/scratch.h"

enum {
    RULES_OWN = 3,
    LEAVE_MS_MAX = 30 * 1000,
    LOOK_MS = 50,
    WANTED_R = 12, /* of ingest and of identify */
};

static const char attent_path[] = "build/attent";

void bench_give_up(const char *what, const struct err *err)
{
    fprintf(stderr, "bench: %s%s%s\n", what, err != NULL ? ": " : "", err != NULL ? err->text : "");
    exit(1);
}

void bench_must(enum err_code code, const char *what, const struct err *err)
{
    if (code != ERR_NONE)
        bench_give_up(what, err);
}

uint64_t bench_setting(const char *name, uint64_t fallback)
{
    const char *text = getenv(name);

    return text != NULL && *text != '\0' ? strtoull(text, NULL, 10) : fallback;
}

/* --- looking at processes ------------------------------------------------------------------------ */

/* CPU time of a process so far, user + system, of all its threads. */
int64_t bench_cpu_us(pid_t pid)
{
    char path[64];
    char *text;
    unsigned long user = 0, system = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    text = scratch_read(path, NULL);
    if (text == NULL || strrchr(text, ')') == NULL ||
        sscanf(strrchr(text, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
               &user, &system) != 2)
        bench_give_up("no CPU time of a process", NULL);
    free(text);
    return (int64_t)(user + system) * 1000000 / sysconf(_SC_CLK_TCK);
}

long bench_peak_kib(pid_t pid)
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

bool bench_read_metrics(const struct bench *b, struct buf *out)
{
    if (process_wait(b->attent, 0) != PROCESS_RUNNING) {
        fputs(process_stderr(b->attent), stderr);
        bench_give_up("attent ended", NULL);
    }
    return ask(b->console_port, "GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n", NULL, out);
}

double bench_metric(struct buf *metrics, const char *name, const char *label)
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

double bench_redis_info(const struct bench *b, const char *field)
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

/* --- what a role takes ----------------------------------------------------------------------------- */

int64_t bench_run_until(struct bench *b, uint64_t events, const char *metric, const char *lag,
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

void bench_measure(struct bench *b, const char *role, const char *metric, const char *lag, double r)
{
    const pid_t attent = process_pid(b->attent), redis = server_pid(b->redis, 0);
    struct buf metrics = {0};
    int64_t first_us, begin_us, wall_us, cpu_us, redis_us;
    double before, taken;

    bench_run_until(b, 1, metric, NULL, clock_mono_us(), &metrics, &first_us);
    begin_us = clock_mono_us();
    before = bench_metric(&metrics, metric, "");
    cpu_us = bench_cpu_us(attent);
    redis_us = bench_cpu_us(redis);
    wall_us = bench_run_until(b, b->events, metric, lag, begin_us, &metrics, &first_us);
    cpu_us = bench_cpu_us(attent) - cpu_us;
    redis_us = bench_cpu_us(redis) - redis_us;
    taken = bench_metric(&metrics, metric, "") - before;
    if (taken <= 0)
        bench_give_up("too few events: they were all done at the first look", NULL);
    printf("%-21s %.3f us of CPU per event = %.1f R (wanted: at most %d)\n", role,
           (double)cpu_us / taken, (double)cpu_us / taken / r, WANTED_R);
    printf("  Redis               %.3f us of CPU per event = %.1f R\n", (double)redis_us / taken,
           (double)redis_us / taken / r);
    printf("  events per second   %.0f\n", taken * 1e6 / (double)wall_us);
    printf("  memory              %.0f MiB at its peak\n", (double)bench_peak_kib(attent) / 1024);
    buf_free(&metrics);
}

/* --- rules ---------------------------------------------------------------------------------------- */

/* Moments as an installation has them: two of three wait for events that do not come, one of three
 * (quiet: none) listens to the workload's and is asked a condition that is hardly ever true. */
static void write_rule(const char *dir, uint64_t number, bool quiet)
{
    static const char *const conditions[] = {
        "{event: vehicle.telemetry, if: event.data.speed_kmh > 500.0 && event.data.battery_v < 9.0}",
        "{event: payment.missed, if: event.data.amount > 100000.0}",
        "{event: payment.received, if: event.data.amount > 100000.0}",
        "{event: policy.updated, if: event.data.weight_kg > 50000.0}",
    };
    char path[64], text[512], step[160];

    snprintf(path, sizeof path, "rules/moments/more-%03llu.yaml", (unsigned long long)number);
    if (number % 3 == 0 && !quiet)
        snprintf(step, sizeof step, "%s", conditions[number / 3 % 4]);
    else
        snprintf(step, sizeof step, "{event: [bench.quiet, bench.silent]}");
    snprintf(text, sizeof text,
             "moment: more-%03llu\ntitle: One more\nowner: benchmark\ntier: service\nwhen: [%s]\n"
             "act: [{channel: phone, queue: billing, say: Hello}]\n",
             (unsigned long long)number, step);
    scratch_write(dir, path, text);
}

static void write_schema(const char *dir, const char *type)
{
    char path[64];

    snprintf(path, sizeof path, "schemas/events/%s.json", type);
    scratch_write(dir, path,
                  "{\"type\": \"object\", \"properties\": {\"n\": {\"type\": \"integer\"}}}\n");
}

/* The benchmark's rules and more moments; with `probe` one that makes a task of each bench.probe. */
static const char *write_rules(uint64_t count, bool quiet, bool probe)
{
    const char *dir;

    if (count <= RULES_OWN && !probe)
        return "tests/bench/rules";
    dir = scratch_dir();
    const char *const copy[] = {"cp", "-rL", "tests/bench/rules", "tests/bench/schemas", dir, NULL};
    if (process_run(copy, BENCH_STEP_MS_MAX, NULL) != 0)
        bench_give_up("tests/bench/rules cannot be copied", NULL);
    write_schema(dir, "bench.probe");
    write_schema(dir, "bench.quiet");
    write_schema(dir, "bench.silent");
    if (probe)
        scratch_write(dir, "rules/moments/probe.yaml",
                      "moment: probe\ntitle: Probe\nowner: benchmark\ntier: service\n"
                      "about: event.id\nwhen: [{event: bench.probe}]\n"
                      "act: [{channel: phone, queue: billing, say: Hello, wait: 1s}]\n");
    for (uint64_t i = RULES_OWN; i < count; i++)
        write_rule(dir, i, quiet);
    return scratch_path(dir, "rules");
}

/* --- begin and end --------------------------------------------------------------------------------- */

static void start_servers(struct bench *b)
{
    static const char *const durable[] = {"--appendonly", "yes", "--appendfsync", "everysec", NULL};

    puts("starting Apache Kafka and Redis (appendonly, fsync every second) ...");
    b->kafka = kafka_start(1);
    b->redis = redis_start(durable);
    b->settings =
        (struct kafka_settings){.brokers = server_address(b->kafka), .client_id = "bench"};
}

static void write_config(struct bench *b, const char *time)
{
    struct buf yaml = {0};

    b->console_port = scratch_free_port();
    buf_put_format(&yaml, "kafka:\n  brokers: %s\n", server_address(b->kafka));
    if (b->read_ahead_kib > 0)
        buf_put_format(&yaml, "  librdkafka:\n    queued.max.messages.kbytes: \"%d\"\n",
                       b->read_ahead_kib);
    buf_put_format(&yaml,
                   "redis:\n  address: %s\ntime: %s\n"
                   "partitions: %d\nreplication: 1\nrules:\n  folder: %s\n"
                   "console:\n  address: 127.0.0.1:%d\n",
                   server_address(b->redis), time, BENCH_PARTITIONS, b->folder, b->console_port);
    b->config = scratch_write(scratch_dir(), "attent.yaml", buf_text(&yaml));
    buf_free(&yaml);
}

/* argument: NULL allowed */
static void run_attent(const struct bench *b, const char *verb, const char *option,
                       const char *argument)
{
    const char *const argv[] = {attent_path, verb, "-c", b->config, option, argument, NULL};
    char *out = NULL;

    if (process_run(argv, BENCH_STEP_MS_MAX, &out) != 0)
        bench_give_up("attent failed before the run", NULL);
    free(out);
}

void bench_open(struct bench *b, const char *time, bool probe)
{
    start_servers(b);
    b->folder = write_rules(b->rules, b->quiet, probe);
    write_config(b, time);
    run_attent(b, "topics", "--create", NULL);
    run_attent(b, "activate", "--unproved", b->folder);
}

void bench_close(struct bench *b)
{
    process_free(b->attent);
    server_stop(b->redis);
    server_stop(b->kafka);
}

void bench_start_decide(struct bench *b)
{
    const char *const argv[] = {attent_path,      "run", "-c", b->config, "--role",
                                "decide,console", NULL};

    process_free(b->attent);
    b->attent = process_start(argv, NULL);
}

/* source: of the configuration; to: where events go, a topic that is made here. */
static void start_writer(struct bench *b, const char *roles, const char *source, const char *to)
{
    const char *const make[] = {attent_path, "topics", "-c", b->config, "--create",
                                "-s",        source,   "-s", to,        NULL};
    const char *const run[] = {attent_path, "run",  "-c", b->config, "--role", roles,
                               "-s",        source, "-s", to,        NULL};

    if (process_run(make, BENCH_STEP_MS_MAX, NULL) != 0)
        bench_give_up("attent topics failed", NULL);
    process_free(b->attent);
    b->attent = process_start(run, NULL);
}

void bench_start_ingest(struct bench *b)
{
    start_writer(b, "ingest,console", "sources={attent.events: {}}", "topics.events=ingested");
}

void bench_start_identify(struct bench *b)
{
    start_writer(b, "identify,console", "sources={}", "topics.events=" BENCH_IDENTIFIED);
}

void bench_stop(struct bench *b)
{
    process_kill(b->attent, SIGTERM);
    process_wait(b->attent, LEAVE_MS_MAX);
}
