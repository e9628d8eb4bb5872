/* processors/worker/worker.h - run a step on the partitions of a topic, without loss or doubles.
 *
 *      Kafka: input --> [ batch ] --> step --> Kafka: outputs, numbered --> all acknowledged
 *                          ^                                                     |
 *      store: states ------'  <----------------------------------- commit <------'
 *
 * The commit of one batch overlaps with the next one (flight.h); partitions do not wait for each
 * other.
 *
 * The protocol (docs/architecture.md): claim, checked load, process, publish, wait, commit.  Several
 * workers of a group share the partitions; one that falls behind its back (a zombie) can publish
 * only repeats and commit nothing.  The worker knows no step.
 *
 * Trouble is handled inside: a partition that cannot go on now is suspended and tried again (20 ms
 * to 1 s); one that must not go on (lost state, lost log, broken chain) is stopped, says why in the
 * log, in worker_status and to core/readiness.h, and waits for a person.  It reports the
 * WORKER_* lines of core/metrics.def.
 * One thread at a time.
 */
#ifndef ATTENT_PROCESSORS_WORKER_WORKER_H
#define ATTENT_PROCESSORS_WORKER_WORKER_H

#include "connectors/kafka/kafka.h"
#include "connectors/redis/redis.h"
#include "processors/worker/engine.h"

enum worker_time {
    WORKER_TIME_WALL, /* ticks let timers fire while no records come */
    WORKER_TIME_LOG,  /* the log's time is the clock: no ticks */
};

struct worker_source { /* a step that writes numbered records to the input */
    const char *step;
    size_t topic; /* the input's index among its topics */
};

struct worker_config { /* all borrowed, outlives the worker */
    struct kafka_settings kafka;
    const char *group;
    const char *input;          /* topic */
    const char *const *outputs; /* real names of the step's topics, in its order; NULL: its own */
    const struct worker_source
        *sources; /* whose state is asked about a record that does not come */
    size_t source_count;
    struct redis_settings redis;
    struct store *store; /* instead of Redis (tests); borrowed.  NULL: Redis */
    /* Records that end the process LIMIT_POISON_DEATHS times are put aside here and passed over from then
     * on (trial.h).  NULL: they are not. */
    const struct skip_store *skips;
    const char *dlq;
    enum worker_time time;
    int64_t (*wall_ms)(void); /* UTC; NULL: core/clock.h */
    int64_t (*mono_ms)(void); /* how long a record has been missing; NULL: likewise */
    uint64_t generation;      /* of outputs, where there is no state yet; 0: 1 */
    size_t batch_records_max; /* of one partition; 0: 4096 */
    size_t cache_bytes_max;   /* shared by the partitions; 0: 256 MiB */
    size_t timers_max;        /* fired in a batch; 0: 4096 */
};

struct worker;

/* Open store, producer and consumer, look at the topics, join the group.  ERR_CONFIG, ERR_STATE:
 * will not go away by itself. */
enum err_code worker_open(const struct worker_config *config, const struct step_class *class,
                          const void *step_config, struct worker **out, struct err *err);

/* Do all that can be done now: run, publish and commit what is there; if that is nothing, wait up to
 * timeout_ms until something comes (records, acknowledgements, answers, a timer, the time to try
 * again).  Batches may be on their way when it returns.  An error has been dealt with and is for
 * the log; the caller calls again. */
enum err_code worker_poll(struct worker *w, int timeout_ms, struct err *err);

/* Leave the group and close.  What is on its way is published and committed first.  NULL allowed. */
void worker_close(struct worker *w);

/* --- looking at it ------------------------------------------------------------------------------- */

enum worker_partition_state {
    WORKER_RUNNING,
    WORKER_SUSPENDED, /* is tried again */
    WORKER_STOPPED,   /* needs a person */
};

struct worker_partition_status {
    int32_t partition;
    enum worker_partition_state state;
    const char *reason; /* of not running; borrowed until the next poll; else empty */
    int64_t next, now_ms;
    int64_t lag; /* records behind the end of the log; -1: not known */
    struct engine_counts counts;
    uint64_t batches, commits, ticks;
    uint64_t fenced; /* another owner had claimed it */
    uint64_t suspended;
};

struct worker_times { /* microseconds that the thread has spent in each part */
    uint64_t take_us, load_us, decide_us, publish_us, commit_us;
    uint64_t wait_us; /* nothing to do */
};

/* Partitions that are mine, up to max; returns how many there are. */
size_t worker_status(const struct worker *w, struct worker_partition_status *out, size_t max);
struct worker_times worker_times(const struct worker *w);

#endif
