/* tests/bench/soak.c - `make soak`: does decide need more memory the longer it runs?
 *
 *   EVENTS=10000000 CUSTOMERS=200000 CAP_MIB=256 make soak
 *
 * The reference workload in slices, each a month of the log behind the one before, with another seed; a
 * thread looks every second at the process, at Redis and at how far they are.  The process may not
 * have more than CAP_MIB of memory (cap.h: beyond it, it is killed and so ends the run; 0 for no cap), its
 * cache of states is an eighth of that, and what Kafka's client reads ahead a sixteenth.  Writes build/soak.csv, which tests/bench/soak_plot makes a
 * picture of. */
#include "tests/bench/soak.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/when.h"
#include "tests/bench/cap.h"

enum {
    CAP_MIB = 256,
    SLICES = 20,
    LOOK_MS = 1000,
    WARM_PERCENT = 30,   /* caches and buffers fill until then */
    GROWTH_PERCENT = 10, /* of the most that was in use between there and the middle */
};

#define LATER_MS (31 * (int64_t)WHEN_DAY_MS)

struct sample {
    double seconds, events, rss_mib, redis_mib;
};

struct soak {
    struct bench *b;
    FILE *csv;
    atomic_bool stop;
    int64_t start_ms;
    double middle_mib, end_mib; /* most in use from the warm-up to the middle, and from there on */
};

static double rss_mib(pid_t pid)
{
    char path[64];
    unsigned long whole, resident = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    file = fopen(path, "r");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%lu %lu", &whole, &resident) != 2)
        resident = 0;
    fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1048576;
}

static bool look(struct soak *s, struct buf *metrics, struct sample *out)
{
    if (!bench_read_metrics(s->b, metrics))
        return false;
    *out = (struct sample){.seconds = (double)(clock_mono_ms() - s->start_ms) / 1000,
                           .events = bench_metric(metrics, BENCH_WORKER_RECORDS, ""),
                           .rss_mib = rss_mib(process_pid(s->b->attent)),
                           .redis_mib = bench_redis_info(s->b, "used_memory") / 1048576};
    return true;
}

static void judge(struct soak *s, const struct sample *sample)
{
    double share = 100 * sample->events / (double)s->b->events;
    double *most = share >= 50 ? &s->end_mib : &s->middle_mib;

    if (share >= WARM_PERCENT && sample->rss_mib > *most)
        *most = sample->rss_mib;
}

static void *watch(void *context)
{
    struct soak *s = context;
    struct buf metrics = {0};
    struct sample sample;

    while (!atomic_load(&s->stop)) {
        clock_sleep_ms(LOOK_MS);
        if (!look(s, &metrics, &sample))
            continue;
        fprintf(s->csv, "%.1f,%.0f,%.1f,%.1f\n", sample.seconds, sample.events, sample.rss_mib,
                sample.redis_mib);
        fflush(s->csv);
        judge(s, &sample);
    }
    buf_free(&metrics);
    return NULL;
}

static void start_decide(struct bench *b, uint64_t cap_mib, uint64_t cache_mib)
{
    char cache[64];
    struct err err;
    const char *const argv[] = {"build/attent",   "run", "-c",  b->config, "--role",
                                "decide,console", "-s",  cache, NULL};

    snprintf(cache, sizeof cache, "worker.cache_bytes=%lluMiB", (unsigned long long)cache_mib);
    b->attent = process_start(argv, NULL);
    if (cap_mib != 0 && cap_memory(process_pid(b->attent), cap_mib, &err) != ERR_NONE)
        bench_give_up("the cap cannot be set", &err);
}

bool soak_run(struct bench *b)
{
    const uint64_t cap_mib = bench_setting("CAP_MIB", CAP_MIB), slice = b->events / SLICES;
    const uint64_t room_mib = cap_mib != 0 ? cap_mib : CAP_MIB;
    struct soak s = {.b = b, .csv = fopen("build/soak.csv", "w"), .start_ms = clock_mono_ms()};
    struct buf metrics = {0};
    pthread_t thread;
    int64_t first_us;
    bool flat;

    if (s.csv == NULL)
        bench_give_up("build/soak.csv cannot be written", NULL);
    fprintf(s.csv, "# %llu events, %u customers, cap %llu MiB\n", (unsigned long long)b->events,
            b->customers, (unsigned long long)cap_mib);
    b->read_ahead_kib = (int)(room_mib << 10) / 16;
    bench_open(b, "log", false);
    start_decide(b, cap_mib, room_mib / 8);
    pthread_create(&thread, NULL, watch, &s);
    for (int i = 0; i < SLICES; i++) {
        bench_fill(b, BENCH_EVENTS, b->seed + (uint64_t)i, slice, i * LATER_MS);
        bench_run_until(b, slice * (uint64_t)(i + 1), BENCH_WORKER_RECORDS, BENCH_WORKER_LAG,
                        clock_mono_us(), &metrics, &first_us);
    }
    atomic_store(&s.stop, true);
    pthread_join(thread, NULL);
    bench_stop(b);
    cap_end();
    bench_close(b);
    fclose(s.csv);
    buf_free(&metrics);
    flat = s.end_mib <= s.middle_mib * (100 + GROWTH_PERCENT) / 100;
    printf("memory of decide      %.0f MiB at most up to the middle, %.0f MiB behind it: %s\n",
           s.middle_mib, s.end_mib, flat ? "flat" : "IT GROWS");
    return flat;
}
