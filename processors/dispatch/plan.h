/* processors/dispatch/plan.h - what to do with tasks: records in, records out, no I/O, no clock.
 *
 *     plan_records(records read, ledger, now) -> ledger', records to write
 *     plan_due(ledger, now)                   -> ledger', records to write
 *     plan_result(a call that has ended)      -> ledger', records to write
 *     plan_turns(lines, gates)                -> ledger', records to write, calls to begin
 *
 * A plan is one transaction.  It changes the ledgers of its partitions as it goes; when its
 * records are committed, partition_commit makes that final, and its calls are begun (plan_jobs);
 * else partition_rollback takes it back.  Counts go to metrics only with plan_count, after the
 * commit.
 *
 * Two clocks: a partition's now, by which windows and deadlines run, and the world's (real_ms), by
 * which retries, rates and breakers do.  They are one where `time` is wall.
 */
#ifndef ATTENT_PROCESSORS_DISPATCH_PLAN_H
#define ATTENT_PROCESSORS_DISPATCH_PLAN_H

#include "core/metric.h"
#include "processors/dispatch/channels.h"
#include "processors/dispatch/dispatch.h"
#include "processors/dispatch/partition.h"
#include "processors/dispatch/senders.h"

/* What a plan may ask; borrowed. */
struct plan_rules {
    const struct channels *channels;
    const char *ledger_topic, *outcomes_topic,
        *dlq_topic;            /* dlq_topic: NULL, dead letters are dropped */
    int64_t keep_ms, retry_ms; /* see struct dispatch_config */
    struct rng *rng;           /* for the pauses between attempts */
    bool time_is_log;          /* a record's timestamp moves its partition's now */
    /* Can this topic be written to?  A task for one that is not there waits. */
    bool (*topic_is_there)(void *context, struct str topic);
    /* A task of the ledger is about to be seen to: it may be what ends the process. */
    void (*watch)(void *context, const struct partition *partition, struct str task);
    void *context;
};

struct plan_note { /* one thing to be counted, and said if `log` is not NULL */
    enum metric metric;
    struct str labels[2];
    const char *log;
    struct str id, why;
};

/* A call that has not begun so long after its round read the clocks does not begin any more: who takes
 * over knows when nothing comes of it any more (plan_adopt). */
enum { PLAN_BEGIN_WITHIN_MS = 5000 };

struct plan {
    const struct plan_rules *rules;
    struct arena *arena;   /* of the plan: texts of writes and notes */
    struct record *writes; /* in this order */
    size_t write_count, write_capacity;
    struct plan_note *notes;
    size_t note_count, note_capacity;
    struct str *erased; /* customers whose entries left the ledger: the view forgets them, too */
    size_t erased_count, erased_capacity;
    struct dispatch_counters counters; /* of this plan */
    int64_t mono_ms;                   /* the monotonic clock, read before the two others */
    int64_t real_ms;                   /* the world's clock; > 0 */
    struct job *jobs, **last_job;      /* calls to begin once this is committed */
};

void plan_open(struct plan *plan, const struct plan_rules *rules);
void plan_clear(struct plan *plan); /* for the next transaction */
void plan_close(struct plan *plan);

/* Records of one partition, in order; borrowed until plan_clear. */
void plan_records(struct plan *plan, struct partition *partition, const struct record *records,
                  size_t count);

/* A record at which processes have ended: of it only the headers are looked at.  A task fails, and its
 * outcome says so.  skip: to be written with its dead letter; NULL: it has been put aside before. */
void plan_pass(struct plan *plan, struct partition *partition, const struct record *record,
               const struct record *skip);

/* A task of the ledger at which processes have ended (none of that id: nothing): it is over.  It fails
 * if it surely was not sent, else it stays in doubt. */
void plan_condemn(struct plan *plan, struct partition *partition, const char *tasks_topic,
                  struct str id);

/* Entries that are due by the partition's now, at most max of them. */
void plan_due(struct plan *plan, struct partition *partition, size_t max);

/* A call that has ended.  It says nothing about an entry that has moved on since. */
void plan_result(struct plan *plan, struct partition *partition, const struct job *job);

/* A partition was taken over: an attempt that is SENDING in its ledger, and that this process does
 * not have under way (is_under_way, by id), ended in doubt.  It stays SENDING, and its line waits, for
 * as long as who announced it may still begin it or be at it; adopt_ms says when to look again. */
void plan_adopt(struct plan *plan, struct partition *partition,
                bool (*is_under_way)(void *context, struct str id), void *context);

/* Whose turn it is, as far as the gates let: last in a round, so that whatever was read has been
 * looked at before anything is sent. */
void plan_turns(struct plan *plan, struct partition *const *partitions, size_t count);

/* The lines of a partition from its ledger: after a take-over or a rollback. */
void plan_line_up(const struct plan *plan, struct partition *partition,
                  bool (*is_under_way)(void *context, struct str id), void *context);

/* When the next of the partition's lines may go by the world's clock; INT64_MAX: none waits. */
int64_t plan_turn_ms(const struct plan *plan, const struct partition *partition);

/* The calls to begin, in a list by `next`; the caller owns them.  What is left at plan_clear is
 * forgotten, and its gates are told. */
struct job *plan_take_jobs(struct plan *plan);

/* Committed: metrics, log lines, and total += what this plan did. */
void plan_count(const struct plan *plan, struct dispatch_counters *total);

#endif
