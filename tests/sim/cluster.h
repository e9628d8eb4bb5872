/* tests/sim/cluster.h - workers of some steps over one simulated Kafka and Redis, and a person who
 * looks after Redis.
 *
 *     cluster_open(&cluster, plan);
 *     cluster_add_step(&cluster, &(struct cluster_step){...});
 *     ... sim_spawn of what feeds it ...
 *     ok = cluster_settle(&cluster, &why) && oracle_compare(&cluster, &why);
 *     cluster_close(&cluster);
 *
 * Begins and ends the run (scheduler.h).  One thread.
 */
#ifndef TESTS_SIM_CLUSTER_H
#define TESTS_SIM_CLUSTER_H

#include "core/err.h"
#include "processors/worker/worker.h"
#include "tests/sim/scheduler.h"
#include "tests/sim/store_model.h"

enum { CLUSTER_STEPS_MAX = 3, CLUSTER_TOPICS_MAX = 5 };

struct cluster_step { /* all borrowed */
    const struct step_class *class;
    const void *config;                      /* of the step */
    const char *input;                       /* topics are made by the play */
    const char *outputs[CLUSTER_TOPICS_MAX]; /* in the class's order, NULL at the end */
    const struct worker_source *sources;
    size_t source_count;
    int processes;
};

struct cluster_role { /* a step, and how its processes are set up */
    struct cluster *cluster;
    struct cluster_step step;
    struct worker_config config;
    int32_t partitions;
    int32_t output_partitions[CLUSTER_TOPICS_MAX];
};

struct cluster {
    struct store_model *store;
    struct cluster_role roles[CLUSTER_STEPS_MAX];
    size_t role_count;
    enum worker_time time;
    bool begun;          /* all partitions of all steps have a state */
    bool person_at_work; /* Redis came back empty: workers may say so and stop */
    int feeding;         /* processes that still write input */
    bool stops_wanted;   /* something was lost for good: partitions have to stop */
    uint64_t stops;      /* which did then, of the first step: a bit each */
    struct err stopped;  /* what the first partition said that stopped for no reason known here */
};

void cluster_open(struct cluster *c, const struct sim_plan *plan);
void cluster_add_step(struct cluster *c, const struct cluster_step *step);
void cluster_start(struct cluster *c);

/* A process that writes input: not killed.  main ends with cluster_fed. */
void cluster_feed(struct cluster *c, void (*main)(void *context), void *context);
void cluster_fed(struct cluster *c);

/* Until the input is written, faults have ended and every partition is where its log ends.  nudge writes
 * a last record to every partition of every input, when the last fault is over: a worker learns that Redis
 * has become an older one when it commits, and ingest's watermarks see to it that it does.  False: a partition
 * stopped, or stayed behind. */
bool cluster_settle(struct cluster *c, void (*nudge)(void *context), void *context,
                    struct err *why);
/* Once more, when time has gone on: there may have been ticks. */
bool cluster_rest(struct cluster *c, struct err *why);
void cluster_close(struct cluster *c);

/* The offset that a partition's state goes up to, -1: there is none; and is there anything behind it? */
int64_t cluster_kept_next(const struct cluster_role *role, int32_t partition);
bool cluster_is_behind(const struct cluster_role *role, int32_t partition);

#endif
