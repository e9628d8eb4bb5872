/* processors/decide/decide.h - the step `decide`: from a customer's event to a task, or the
 * reason why there is none.
 *
 * Written to attent.tasks (tasks, withdrawals, permissions) and attent.decisions, keyed by the customer,
 * and to attent.events itself: what concerns a customer who was merged into another (merge.h).  The rule set in force is the partition's state: a control record activates
 * it.  Before the first activation nothing is wanted.
 *
 * It is a step (processors/worker/step.h): no I/O, no clock, no chance.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_DECIDE_H
#define ATTENT_PROCESSORS_DECIDE_DECIDE_H

#include "processors/worker/step.h"
#include "schemas/event.h"

struct ruleset;
struct decide_observer; /* observer.h */

enum reason { /* why there was no task, or why an instance ended */
#define REASON(name, code, text) REASON_##name,
#include "rules/reasons.def"
#undef REASON
              REASON_COUNT
};

const char *reason_code(enum reason reason); /* "quiet_hours" */
const char *reason_text(enum reason reason);

enum { DECIDE_TOPIC_TASKS = 0, DECIDE_TOPIC_DECISIONS, DECIDE_TOPIC_EVENTS, DECIDE_TOPIC_COUNT };
extern const char *const decide_topics[]; /* their names, NULL at the end */

/* Who is in a control group? */
enum decide_control {
    DECIDE_CONTROL_DRAWN = 0, /* by hash of customer and month: the service */
    DECIDE_CONTROL_NOBODY,    /* rule tests, of which */
    DECIDE_CONTROL_EVERYBODY, /* some are about just that */
};

struct decide_ahead { /* in a paced queue or channel, before the first who asks */
    struct str name;
    uint32_t tasks;
};

struct decide_config {
    /* The rule set of a content hash (32 hex digits), borrowed for as long as the step is open.
     * NULL: there is none, err says why. */
    const struct ruleset *(*find)(void *context, struct str hash_hex, struct err *err);
    /* The state of a customer who has none yet, as a blob (given.h); borrowed.  For rule tests;
     * NULL: everybody starts with nothing. */
    struct str (*seed)(void *context, struct str customer);
    void *context;
    const struct decide_observer *observer; /* NULL: none */
    enum decide_control control;
    const struct decide_ahead *ahead; /* for rule tests */
    size_t ahead_count;
    int32_t partitions; /* of the topic that is read, for pacing; 0: 1 */
    /* `time: log`: a source of which no watermark was ever read follows the partition's time. */
    bool watermarks_follow;
};

extern const struct step_class decide_class;

/* What a step has counted since it was opened.  For metrics; never read by decisions. */
struct decide_counts {
    uint64_t events;                    /* looked at */
    uint64_t not_active;                /* skipped: no rule set in force yet */
    uint64_t not_listened;              /* skipped: nobody listens to the type */
    uint64_t faults[EVENT_FAULT_COUNT]; /* skipped: no event */
    uint64_t duplicates;
    uint64_t offers; /* of a record to a moment: only those that listen to its type are asked */
    uint64_t tasks, withdrawals, holds;
    uint64_t decisions[REASON_COUNT]; /* written, by reason */
    uint64_t refusals[REASON_COUNT];  /* by `again` and `limit`, written or not */
    uint64_t fact_errors;             /* expressions of facts that could not be evaluated */
    uint64_t moment_errors;           /* expressions and texts of moments, likewise */
    uint64_t bad_watermarks;          /* control records that are none */
    uint64_t bad_states;              /* of merged customers, that cannot be read */
    uint64_t forgotten;               /* events dropped from windowed facts at their limit */
};

const struct decide_counts *decide_counts(const struct step *step);

/* Errors of moment `index` of the rule set in force since its activation. */
const struct ruleset *decide_ruleset(const struct step *step); /* NULL: none in force */
uint64_t decide_moment_errors(const struct step *step, size_t index);

#endif
