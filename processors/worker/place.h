/* processors/worker/place.h - a partition that a worker has been given: engine, token, and what to
 * do when it cannot go on.  Its batches are in flight.h.  Private to the worker.
 *
 *               claim ok                     commit ok
 *   assigned -----------> RUNNING <------------------------.
 *      |  \                |    \ FENCED, GAP, DOWN        |
 *      |   \ DOWN          |     '----------> SUSPENDED ---'  prove membership, claim, seek
 *      |    '--------------|------------------^   ^
 *      |                   | delivery failed -----'           same token, seek to next
 *      '-> STOPPED <-------'  the state or the log is not what it must be
 */
#ifndef ATTENT_PROCESSORS_WORKER_PLACE_H
#define ATTENT_PROCESSORS_WORKER_PLACE_H

#include "core/metric.h"
#include "processors/worker/trial.h"
#include "processors/worker/worker.h"

enum mend {              /* what a suspended place waits for */
            MEND_REWIND, /* the outputs could not be published: begin again at next */
            MEND_PROOF,  /* lost the state: is this process still a member of the group? */
            MEND_CLAIM,  /* yes (or it never had the state): claim */
};

struct run { /* records that were taken and not decided yet */
    const struct record *records;
    size_t count;
};

struct flight { /* a batch on its way (flight.h) */
    bool there;
    struct engine_batch batch;
    struct kafka_receipt *receipt; /* NULL: no outputs, or all are acknowledged */
    bool acknowledged;
    int64_t since_us; /* when this stage began */
};

struct place {
    int32_t number;
    enum worker_partition_state state;
    enum mend mend;
    char reason[sizeof(((struct err *)0)->text)];
    int64_t retry_mono_ms;
    int backoff_ms;
    char token[STORE_TOKEN_SIZE];
    struct engine_setup setup;
    struct engine *engine;  /* while running */
    struct buf meta, own;   /* as committed last: the way back */
    int64_t next;           /* as committed last; -1: never claimed */
    bool landmark;          /* the record before next is to be compared first (landmark.h) */
    int64_t tick_ms;        /* the last tick that was written */
    struct record *records; /* room for one batch */
    struct run run;
    struct flight open, sent; /* at most one each: not yet, and already with the store */
    struct gaps gaps;         /* sources of which something is missing */
    struct trial trial;
    struct worker_partition_status status;
    struct engine_counts before; /* counts of engines that were closed */
    struct metric_series *series[METRIC_COUNT];
};

/* Which partitions of the step have written before; asked once per assignment, because it takes a
 * look at every output partition. */
struct history {
    bool known;
    bool *seen;
    size_t count;
};

struct clocks { /* ours and the store's (ticks.h) */
    bool agree;
    int64_t next_mono_ms; /* when to compare them again */
    char why[sizeof(((struct err *)0)->text)];
};

struct worker {
    struct worker_config config;
    const struct step_class *class;
    const void *step_config;
    struct store *store;
    bool store_owned;
    struct kafka_producer *producer; /* NULL: to be opened */
    struct kafka_consumer *consumer;
    const char *const *outputs;
    int32_t *output_partitions;
    size_t output_count;
    struct place **places;
    size_t place_count;
    size_t turn;         /* the place that is looked at first */
    struct arena *arena; /* what the store gives for one batch */
    int32_t proving;     /* the partition whose offset commit is on its way; -1: none */
    int64_t offsets_mono_ms, report_mono_ms;
    struct history history;
    struct skip_list skips; /* of the input, known so far: they only become more */
    bool skips_known;       /* read since the partitions came, or one is claimed again */
    struct clocks clocks;
    struct worker_times times;
    struct worker_times reported; /* of times, to the metrics */
    struct err halt;              /* Kafka has lost acknowledged records: nothing goes on */
};

struct place *place_new(struct worker *w, int32_t number, size_t cache_bytes_max);
void place_free(struct worker *w, struct place *place);
struct place *place_find(struct worker *w, int32_t number); /* NULL: not mine */

void history_forget(struct history *history);

/* Become the owner and read the state.  Running afterwards (place->next says where), or suspended
 * or stopped with a reason. */
void place_claim(struct worker *w, struct place *place);

/* Forget what is in memory and try again later. */
void place_suspend(struct worker *w, struct place *place, enum mend mend, const struct err *why);
void place_stop(struct worker *w, struct place *place, const struct err *why);

/* What a store's refusal means for a place. */
void place_refused(struct worker *w, struct place *place, enum store_result result,
                   const struct err *why);

/* Suspended, and its time has come: go on with what it waits for. */
void place_mend(struct worker *w, struct place *place);

/* The batch is durable. */
void place_committed(struct place *place, const struct engine_batch *batch);

/* Alarm for sources of which something has been missing for long.  why: set to a sentence about the
 * oldest, if there is one. */
void place_lacks(struct worker *w, struct place *place, int64_t mono_ms, struct err *why);

void place_report(struct worker *w, struct place *place);      /* status and metrics */
void place_report_gone(struct worker *w, struct place *place); /* it is another's now */

#endif
