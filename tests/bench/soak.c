/* tests/bench/soak.c - `make soak`: does decide need more memory the longer it runs?
 *
 *   EVENTS=10000000 CUSTOMERS=200000 CAP_MIB=256 make soak
 *
 * The reference workload in slices, each a month of the log behind the one before, with another seed; a
 * thread looks every second at the process, at Redis and at how far they are.  The process may not
 * have more than CAP_MIB of memory (cap.h: beyond it, it is killed and so ends the run; 0 for no cap), its
 * cache of states is an eighth of that, and what Kafka's client reads ahead a sixteenth.  It grows when more is in use
 * between slices, when nothing is in hand.  Writes build/soak.csv, which tests/bench/soak_plot makes a picture of. */
#include "tests/bench/soak.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/when.h"
#include "tests/bench/cap.h"

enum {
    CAP_MIB = 256,
    SLICES = 20,
    LOOK_MS = 1000,
    QUARTER = SLICES / 4,
    GROWTH_PERCENT = 20, /* of a quarter's median low, from the second quarter to the last */
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
    double low_mib[SLICES]; /* the least in use in each slice; 0: it was not seen */
    double most_mib;
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

static void count(struct soak *s, const struct sample *sample)
{
    int slice = (int)(sample->events * SLICES / (double)s->b->events);
    double *low = &s->low_mib[slice < SLICES ? slice : SLICES - 1];

    if (*low == 0 || sample->rss_mib < *low)
        *low = sample->rss_mib;
    if (sample->rss_mib > s->most_mib)
        s->most_mib = sample->rss_mib;
}

static int compare_mib(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

static double median_low_mib(struct soak *s, int quarter)
{
    double *lows = &s->low_mib[quarter * QUARTER];

    qsort(lows, QUARTER, sizeof *lows, compare_mib);
    return lows[QUARTER / 2];
}

static bool judge(struct soak *s)
{
    double early = median_low_mib(s, 1), late = median_low_mib(s, 3);
    bool flat = early > 0 && late <= early * (100 + GROWTH_PERCENT) / 100;

    printf("memory of decide      between slices %.0f MiB in the second quarter, ", early);
    printf("%.0f in the last; ", late);
    printf("at most %.0f: %s\n", s->most_mib,
           flat        ? "flat"
           : early > 0 ? "IT GROWS"
                       : "TOO SHORT TO SAY");
    return flat;
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
        count(s, &sample);
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
    return judge(&s);
}
