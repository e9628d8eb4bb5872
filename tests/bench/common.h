/* tests/bench/common.h - what the benchmarks have in common: servers, a configuration, attent in a
 * process of its own, and looking at what it and Redis have used.  Whatever fails ends the program.
 */
#ifndef TESTS_BENCH_COMMON_H
#define TESTS_BENCH_COMMON_H

#include "connectors/kafka/kafka.h"
#include "core/buf.h"
#include "tests/support/process.h"
#include "tests/support/server.h"

enum { BENCH_PARTITIONS = 4, BENCH_STEP_MS_MAX = 15 * 60 * 1000 };

struct bench {
    uint64_t events, seed, rules;
    bool quiet; /* no rule beside the three listens to the workload */
    uint32_t customers;
    bool binary;
    bool ingest, identify, decide; /* what is measured */
    struct server *kafka, *redis;
    struct kafka_settings settings;
    const char *folder; /* of the rules */
    const char *config; /* path of attent.yaml */
    int console_port;
    int read_ahead_kib; /* of a consumer; 0: attent's own */
    struct process *attent;
};

_Noreturn void bench_give_up(const char *what, const struct err *err); /* err NULL allowed */
void bench_must(enum err_code code, const char *what, const struct err *err);
uint64_t bench_setting(const char *name, uint64_t fallback); /* of the environment */

/* Kafka, Redis, a folder with `rules` moments (the three of tests/bench/rules and more), attent.yaml,
 * topics, and the rules in force.  time: "log" or "wall".  probe: with a moment that makes a task of
 * each event bench.probe. */
void bench_open(struct bench *b, const char *time, bool probe);
void bench_close(struct bench *b);

void bench_start_decide(struct bench *b); /* attent run --role decide,console */
/* attent run --role ingest,console: attent.events is its source, the topic `ingested` what it writes. */
void bench_start_ingest(struct bench *b);
/* attent run --role identify,console: it writes to BENCH_IDENTIFIED. */
#define BENCH_IDENTIFIED "identified"
void bench_start_identify(struct bench *b);
void bench_stop(struct bench *b); /* SIGTERM, and wait */

/* --- looking at processes --------------------------------------------------------------------- */

int64_t bench_cpu_us(pid_t pid); /* so far, user + system, of all its threads */
long bench_peak_kib(pid_t pid);
/* False: it does not answer yet; a process that has ended ends the program. */
bool bench_read_metrics(const struct bench *b, struct buf *out);
/* Sum over all series of a metric, of those whose labels contain `label`. */
double bench_metric(struct buf *metrics, const char *name, const char *label);
double bench_redis_info(const struct bench *b, const char *field);

#define BENCH_WORKER_RECORDS "attent_worker_records_total"
#define BENCH_WORKER_LAG     "attent_worker_lag_records"

/* Wait until `metric` has come so far and nothing is left behind (`lag`, NULL allowed).  Returns the
 * time since start_us. */
int64_t bench_run_until(struct bench *b, uint64_t events, const char *metric, const char *lag,
                        int64_t start_us, struct buf *metrics, int64_t *first_us);

/* What one role takes for b->events, as counted by `metric`, and print it.  From the first on that it
 * has counted: what it takes to start and to join its group is not of an event. */
void bench_measure(struct bench *b, const char *role, const char *metric, const char *lag,
                   double r);

/* --- topics.c ---------------------------------------------------------------------------------- */

enum bench_records {                /* of the workload */
                     BENCH_EVENTS,  /* to attent.events */
                     BENCH_ALIASED, /* to attent.identify, by alias (workload.h) */
                     BENCH_BINDINGS /* likewise: whose each of these is */
};
#define BENCH_ID_PREFIX "ref-" /* ce_id in binary mode: this and the event's number */

/* later_ms: the log's time goes on from there.  Returns how many records that were. */
uint64_t bench_fill(const struct bench *b, enum bench_records what, uint64_t seed, uint64_t events,
                    int64_t later_ms);

/* To its end. */
void bench_read_topic(const struct bench *b, const char *topic,
                      void (*take)(void *context, const struct record *record), void *context);

/* --- identify.c -------------------------------------------------------------------------------- */

/* Measures it and prints that.  False: what came out is wrong. */
bool identify_run(struct bench *b, double r);

/* --- latency.c --------------------------------------------------------------------------------- */

/* Added latency at fixed rates; prints a table. */
void latency_run(struct bench *b);

#endif
