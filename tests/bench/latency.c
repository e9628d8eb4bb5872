/* tests/bench/latency.c - how long a task is behind its event.
 *
 * Events of the workload at a fixed rate, in the time of this machine; one in PROBE_EVERY is a probe,
 * of which decide makes a task.  A task carries its probe's time; what is measured is from then to
 * the task's being read here, so it holds the producer's way to Kafka and the way back: `bare` is
 * the same for a record that this program reads from the events topic itself.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/when.h"
#include "schemas/task.h"
#include "tests/bench/common.h"
#include "tests/bench/workload.h"

enum {
    PROBE_EVERY = 50,
    WARM_MS = 3000,
    RUN_MS = 10000,
    DRAIN_MS = 2000,
    RECORDS_PER_POLL = 4096,
    PROBE_CUSTOMERS = 100000,
};

struct latencies {
    int64_t *ms;
    size_t count, capacity;
};

struct driver {
    struct bench *b;
    uint64_t rate; /* events per second */
    struct kafka_producer *producer;
    struct kafka_consumer *tasks, *events; /* events: what Kafka alone takes */
    struct workload *workload;
    struct arena *arena; /* of one poll */
    int64_t from_ms;     /* earlier records warm up */
    uint64_t sent;
    struct latencies with, bare;
};

static void note(struct driver *d, struct latencies *latencies, int64_t sent_ms)
{
    if (sent_ms < d->from_ms)
        return;
    MEM_RESERVE(latencies->ms, latencies->count, latencies->capacity);
    latencies->ms[latencies->count++] = clock_wall_ms() - sent_ms;
}

/* --- sending ---------------------------------------------------------------------------------------- */

static void send(struct driver *d, struct str key, struct str type, struct str value)
{
    char id[48];
    const int64_t now_ms = clock_wall_ms();
    struct err err;

    snprintf(id, sizeof id, "%" PRIu64 "-%" PRIu64, d->rate, d->sent);
    const struct header headers[] = {{STR("ce_specversion"), STR("1.0")},
                                     {STR("ce_id"), str_of(id)},
                                     {STR("ce_source"), STR("/bench")},
                                     {STR("ce_type"), type},
                                     {STR("content-type"), STR("application/json")}};
    const struct record record = {.topic = STR("attent.events"),
                                  .partition = -1,
                                  .timestamp_ms = now_ms,
                                  .key = key,
                                  .value = value,
                                  .headers = headers,
                                  .header_count = sizeof headers / sizeof headers[0]};
    bench_must(kafka_produce(d->producer, &record, &err), "produce", &err);
    d->sent++;
}

static void send_probe(struct driver *d)
{
    char key[32];

    snprintf(key, sizeof key, "p%" PRIu64, d->sent / PROBE_EVERY % PROBE_CUSTOMERS);
    send(d, str_of(key), STR("bench.probe"), STR("{}"));
}

static void send_event(struct driver *d)
{
    struct buf key = {0}, value = {0};
    struct ref_event e;

    if (d->sent % PROBE_EVERY == 0) {
        send_probe(d);
        return;
    }
    if (!workload_next(d->workload, &e))
        bench_give_up("the workload is too short", NULL);
    ref_put_customer(&key, e.customer);
    ref_put_data(&value, &e);
    send(d, buf_str(&key), str_of(ref_type_name(e.type)), buf_str(&value));
    buf_free(&key);
    buf_free(&value);
}

/* --- receiving -------------------------------------------------------------------------------------- */

static void take_task(struct driver *d, const struct record *record)
{
    struct task task;
    struct err err;

    if (!str_is(record_header(record, STR("ce_type")), TASK_CE_TYPE))
        return;
    if (!task_read_json(record->value, d->arena, &task, &err))
        bench_give_up("a record of attent.tasks is no task", &err);
    if (str_is(task.moment, "probe"))
        note(d, &d->with, task.created_ms);
}

static void take_event(struct driver *d, const struct record *record)
{
    if (str_is(record_header(record, STR("ce_type")), "bench.probe"))
        note(d, &d->bare, record->timestamp_ms);
}

static void receive(struct driver *d, struct kafka_consumer *consumer,
                    void (*take)(struct driver *d, const struct record *record))
{
    static struct record records[RECORDS_PER_POLL];
    size_t count;
    struct err err;

    bench_must(kafka_consumer_poll(consumer, 0, records, RECORDS_PER_POLL, &count, &err), "poll",
               &err);
    for (size_t i = 0; i < count; i++)
        take(d, &records[i]);
    kafka_consumer_release(consumer);
    arena_reset(d->arena);
}

static struct kafka_consumer *open_end(struct bench *b, const char *topic)
{
    struct kafka_partition from[BENCH_PARTITIONS];
    struct kafka_consumer *consumer;
    struct err err;

    for (int p = 0; p < BENCH_PARTITIONS; p++)
        from[p] = (struct kafka_partition){topic, p, KAFKA_OFFSET_END};
    bench_must(kafka_consumer_open_alone(&b->settings, from, BENCH_PARTITIONS, &consumer, &err),
               topic, &err);
    return consumer;
}

/* --- one rate --------------------------------------------------------------------------------------- */

static void drive(struct driver *d)
{
    int64_t start_us = clock_mono_us(), end_us = start_us + (WARM_MS + RUN_MS) * 1000;
    int64_t drained_us = end_us + DRAIN_MS * 1000;

    d->from_ms = clock_wall_ms() + WARM_MS;
    for (int64_t now_us = start_us; now_us < drained_us; now_us = clock_mono_us()) {
        uint64_t wanted = (uint64_t)(now_us - start_us) * d->rate / 1000000;
        while (now_us < end_us && d->sent < wanted)
            send_event(d);
        receive(d, d->events, take_event);
        receive(d, d->tasks, take_task);
        if (d->sent >= wanted || now_us >= end_us)
            clock_sleep_ms(1);
    }
}

static int compare_ms(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static long long percentile(struct latencies *latencies, size_t percent)
{
    if (latencies->count == 0)
        return -1;
    qsort(latencies->ms, latencies->count, sizeof *latencies->ms, compare_ms);
    return latencies->ms[(latencies->count - 1) * percent / 100];
}

/* --- the stages of a batch ----------------------------------------------------------------------- */

enum { BUCKETS_MAX = 32 };

struct spread { /* a histogram of /metrics: how many were at most that long */
    double bound_ms[BUCKETS_MAX], count[BUCKETS_MAX];
    size_t buckets;
};

static void add_bucket(struct spread *s, struct str line, double sign)
{
    const char *le = memmem(line.data, line.len, "le=\"", 4);
    const char *blank = memrchr(line.data, ' ', line.len);
    double bound_ms = strtod(le + 4, NULL) * 1000; /* "+Inf" is read as that */
    size_t at = 0;

    while (at < s->buckets && s->bound_ms[at] < bound_ms)
        at++;
    if (at == s->buckets && s->buckets < BUCKETS_MAX)
        s->bound_ms[s->buckets++] = bound_ms;
    if (at < s->buckets)
        s->count[at] += sign * strtod(blank, NULL);
}

static void add_stage(struct spread *s, struct buf *metrics, struct str stage, double sign)
{
    struct str rest = buf_str(metrics), line;

    while (str_cut(rest, '\n', &line, &rest))
        if (str_starts(line, STR("attent_worker_stage_seconds_bucket{")) &&
            str_contains(line, stage))
            add_bucket(s, line, sign);
}

/* Within a bucket they are taken to be spread evenly. */
static double spread_percentile(const struct spread *s, double percent)
{
    double wanted = s->buckets > 0 ? s->count[s->buckets - 1] * percent / 100 : 0;
    double from_ms = 0, below = 0;

    for (size_t i = 0; i + 1 < s->buckets; i++) {
        if (s->count[i] >= wanted && s->count[i] > below)
            return from_ms + (s->bound_ms[i] - from_ms) * (wanted - below) / (s->count[i] - below);
        from_ms = s->bound_ms[i];
        below = s->count[i];
    }
    return from_ms;
}

static void print_stage(struct buf *before, struct buf *after, const char *stage)
{
    struct spread s = {.buckets = 0};
    char label[32];

    snprintf(label, sizeof label, "stage=\"%s\"", stage);
    add_stage(&s, after, str_of(label), 1);
    add_stage(&s, before, str_of(label), -1);
    printf(" %7.2f %7.2f", spread_percentile(&s, 50), spread_percentile(&s, 99));
}

static void print_row(struct driver *d, struct buf *before, struct buf *after)
{
    static const char *const stages[] = {"queue", "decide", "publish", "commit"};
    double batches = bench_metric(after, "attent_worker_batches_total", "") -
                     bench_metric(before, "attent_worker_batches_total", "");
    double records = bench_metric(after, "attent_worker_records_total", "") -
                     bench_metric(before, "attent_worker_records_total", "");

    printf("%8" PRIu64 " %9zu %7lld %7lld %7lld %9lld %9lld %9.0f ", d->rate, d->with.count,
           percentile(&d->with, 50), percentile(&d->with, 99), percentile(&d->with, 100),
           percentile(&d->bare, 50), percentile(&d->bare, 99), batches > 0 ? records / batches : 0);
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++)
        print_stage(before, after, stages[i]);
    putchar('\n');
}

static void measure_rate(struct bench *b, uint64_t rate)
{
    struct driver d = {.b = b,
                       .rate = rate,
                       .tasks = open_end(b, "attent.tasks"),
                       .events = open_end(b, "attent.events"),
                       .workload = workload_new(b->seed, b->customers,
                                                rate * (WARM_MS + RUN_MS + DRAIN_MS) / 1000),
                       .arena = arena_new(0)};
    struct buf before = {0}, after = {0};
    struct err err;

    bench_must(kafka_producer_open(&b->settings, NULL, &d.producer, &err), "producer", &err);
    bench_read_metrics(b, &before);
    drive(&d);
    bench_read_metrics(b, &after);
    print_row(&d, &before, &after);
    kafka_producer_close(d.producer);
    kafka_consumer_close(d.tasks);
    kafka_consumer_close(d.events);
    workload_free(d.workload);
    arena_free(d.arena);
    mem_free(d.with.ms);
    mem_free(d.bare.ms);
    buf_free(&before);
    buf_free(&after);
}

static void wait_until_ready(struct bench *b)
{
    struct buf metrics = {0};
    int64_t until_ms = clock_mono_ms() + BENCH_STEP_MS_MAX;

    bench_start_decide(b);
    while (!bench_read_metrics(b, &metrics) ||
           bench_metric(&metrics, "attent_worker_batches_total", "") < BENCH_PARTITIONS) {
        if (clock_mono_ms() > until_ms)
            bench_give_up("decide does not begin", NULL);
        clock_sleep_ms(100);
    }
    buf_free(&metrics);
}

void latency_run(struct bench *b)
{
    static const uint64_t rates[] = {5000, 10000, 50000};

    bench_open(b, "wall", true);
    wait_until_ready(b);
    printf(
        "\nadded latency: from a record's time to its task, ms; %d s at each rate.  Of each batch: queue "
        "(age of\nits first record when it is decided), decide, publish (until acknowledged), "
        "commit (until answered): p50, p99\n"
        "%8s %9s %7s %7s %7s %9s %9s %9s  %15s %15s %15s %15s\n"
        "%8s %9s %7s %7s %7s %9s %9s %9s  %7s %7s %7s %7s %7s %7s %7s %7s\n",
        RUN_MS / 1000, "", "", "", "", "", "Kafka", "alone", "records", "queue", "decide",
        "publish", "commit", "events/s", "tasks", "p50", "p99", "max", "p50", "p99", "a batch",
        "p50", "p99", "p50", "p99", "p50", "p99", "p50", "p99");
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++)
        measure_rate(b, rates[i]);
    bench_stop(b);
    bench_close(b);
}
