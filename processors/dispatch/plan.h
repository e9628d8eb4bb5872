/* processors/dispatch/plan.h - what to do with tasks: records in, records out, no I/O, no clock.
 *
 *     plan_records(records read, ledger, now) -> ledger', records to write
 *     plan_due(ledger, now)                   -> ledger', records to write
 *
 * A plan is one transaction.  It changes the ledgers of its partitions as it goes; when its
 * records are committed, partition_commit makes that final, else partition_rollback takes it
 * back.  Counts go to metrics only with plan_count, after the commit.
 */
#ifndef ATTENT_PROCESSORS_DISPATCH_PLAN_H
#define ATTENT_PROCESSORS_DISPATCH_PLAN_H

#include "core/metric.h"
#include "processors/dispatch/channels.h"
#include "processors/dispatch/dispatch.h"
#include "processors/dispatch/partition.h"

/* What a plan may ask; borrowed. */
struct plan_rules {
    const struct channels *channels;
    const char *ledger_topic, *outcomes_topic;
    int64_t keep_ms, retry_ms; /* see struct dispatch_config */
    bool time_is_log;          /* a record's timestamp moves its partition's now */
    /* Can this topic be written to?  A task for one that is not there waits. */
    bool (*topic_is_there)(void *context, struct str topic);
    void *context;
};

struct plan_note { /* one thing to be counted, and said if `log` is not NULL */
    enum metric metric;
    struct str labels[2];
    const char *log;
    struct str id, why;
};

struct plan {
    const struct plan_rules *rules;
    struct arena *arena;   /* of the plan: texts of writes and notes */
    struct record *writes; /* in this order */
    size_t write_count, write_capacity;
    struct plan_note *notes;
    size_t note_count, note_capacity;
    struct dispatch_counters counters; /* of this plan */
};

void plan_open(struct plan *plan, const struct plan_rules *rules);
void plan_clear(struct plan *plan); /* for the next transaction */
void plan_close(struct plan *plan);

/* Records of one partition, in order; borrowed until plan_clear. */
void plan_records(struct plan *plan, struct partition *partition, const struct record *records,
                  size_t count);

/* Entries that are due by the partition's now, at most max of them. */
void plan_due(struct plan *plan, struct partition *partition, size_t max);

/* Committed: metrics, log lines, and total += what this plan did. */
void plan_count(const struct plan *plan, struct dispatch_counters *total);

#endif
