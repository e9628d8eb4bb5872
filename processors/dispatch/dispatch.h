/* processors/dispatch/dispatch.h - tasks go out: once, or not at all when their reason is gone.
 *
 * Reads attent.tasks as a member of a group, hands each task to its channel, and keeps in the
 * compacted topic attent.ledger what it did.  It knows no rules: a task carries its windows and
 * its deadline, withdrawals come on the same topic under the same key.
 *
 * Each round of dispatch_poll is one Kafka transaction:
 *
 *     the task's record on its queue topic + its ledger record + what was taken of each source
 *     + outcomes that dispatch itself knows (failed, expired) + the offset that was read
 *
 * so a crash at any point leaves all of it or nothing.  A new owner of a partition reads its
 * ledger first.  Channels that deliver are called by threads of their own (senders.h),
 * after the transaction that says SENDING and before the one that says what came of it; the
 * thread that polls is the only one that touches ledger and Kafka.  Several processes share the
 * partitions.
 */
#ifndef ATTENT_PROCESSORS_DISPATCH_DISPATCH_H
#define ATTENT_PROCESSORS_DISPATCH_DISPATCH_H

#include "connectors/kafka/kafka.h"
#include "processors/dispatch/channels.h"
#include "processors/dispatch/ledger.h"
#include "processors/dispatch/ledger_view.h"
#include "processors/dispatch/links.h"
#include "schemas/gaps.h"
#include "schemas/skip.h"

enum drop_reason {
#define DROP(name, code, text) DROP_##name,
#include "processors/dispatch/drops.def"
#undef DROP
    DROP_REASON_COUNT
};

struct dispatch_config { /* all borrowed, outlives the dispatch */
    struct kafka_settings kafka;
    const char *group;            /* "attent-dispatch" */
    const char *transactional_id; /* stable per process, different between processes */
    const char *tasks_topic;      /* "attent.tasks" */
    const char *ledger_topic;     /* "attent.ledger": compacted, as many partitions as tasks */
    const char *outcomes_topic;   /* "attent.outcomes" */
    const char *dlq_topic; /* "attent.outcomes.dlq", for outcomes of no task; NULL: dropped */
    const struct channel_config *channels;
    size_t channel_count;
    const struct skip_store *skips; /* what ends the process again and again is put aside here
                                     * (connectors/kafka/suspects.h); NULL: it is not */
    const char *rules_topic;        /* with skips: "attent.rules" */
    struct ledger_view *view;       /* NULL: nobody asks */
    const struct links *links;      /* NULL: nobody listens to what comes back */
    int64_t (*clock_ms)(void);      /* UTC; NULL: the log is the clock (time: log) */
    /* Has the source of a record that does not come committed that it published it to this partition of
     * tasks?  False also when nobody knows.  NULL: nobody can be asked. */
    bool (*is_counted)(void *context, const struct gap *gap, int32_t partition);
    void *context;    /* its */
    int64_t keep_ms;  /* how long an ended task stays in the ledger (see plan.h) */
    int64_t retry_ms; /* how soon a task whose topic is not there is tried again */
};

/* What was done since dispatch_open, and committed. */
struct dispatch_counters {
    uint64_t states[LEDGER_STATE_COUNT]; /* tasks that came into a state */
    uint64_t withdrawals_sent;           /* of tasks that had gone out */
    uint64_t adopted;                    /* attempts that another process left in doubt */
    uint64_t drops[DROP_REASON_COUNT];
    uint64_t transactions, aborted, rejoined;
};

struct dispatch;

/* Check the topics, open the channels, join the group.  ERR_CONFIG: will not go away. */
enum err_code dispatch_open(const struct dispatch_config *config, struct dispatch **out,
                            struct err *err);

/* One round: wait up to timeout_ms for tasks, or for a task that becomes due, and do what is to
 * be done.  An error has been dealt with when this returns (aborted, gone back or rejoined) and
 * is for the log; the caller calls again. */
enum err_code dispatch_poll(struct dispatch *dispatch, int timeout_ms, struct err *err);

const struct dispatch_counters *dispatch_counters(const struct dispatch *dispatch);

/* Leave the group.  What was read and not committed is read again by the next owner. */
void dispatch_close(struct dispatch *dispatch); /* NULL allowed */

#endif
