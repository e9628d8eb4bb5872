/* processors/worker/step.h - what the worker runs: a step.
 *
 *     step(state of a subject, record) -> state', records out
 *
 * A step is pure: what it gets is the record, the subject's state, the partition's own state and
 * `now`; it asks no clock, no chance, no network.  The worker, the rule tests, replay and the
 * simulator call the same functions, from one thread at a time per partition.
 *
 * State of a subject is an object of the step's own making in the batch's arena; between batches
 * only its encoded form (a blob) is kept, in the cache and in the store.
 */
#ifndef ATTENT_PROCESSORS_WORKER_STEP_H
#define ATTENT_PROCESSORS_WORKER_STEP_H

#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/record.h"
#include "schemas/control.h"

/* Where outputs go.  The worker copies what it is given and adds partition, generation, number
 * and chain (schemas/chain.h). */
struct outputs;

/* topic: index into step_class.topics.  The partition is the key's. headers may be NULL. */
void outputs_add(struct outputs *out, int topic, int64_t timestamp_ms, struct str key,
                 struct str value, const struct header *headers, size_t header_count);

/* The same record to every partition of the topic: a control record, without a key. */
void outputs_add_all(struct outputs *out, int topic, int64_t timestamp_ms, struct str value,
                     const struct header *headers, size_t header_count);

#define STEP_NO_TIMER INT64_MAX

/* A timer may wait for something else than the partition's time to have got so far: a lane, with
 * a time of its own that control records move (how far a source has been read). */
enum { STEP_LANES_MAX = 130 };

struct step_lane {
    uint32_t id;
    int64_t at_ms; /* its timers that are due by then fire; INT64_MAX: all of them */
};

struct step_wait { /* the earliest timer of a subject in a lane */
    uint32_t lane;
    int64_t due_ms;
};

struct step; /* one per partition: rule set in force, counters; each class lays out its own */

struct step_class {
    const char *name;          /* "decide": part of Redis keys and of attent-from */
    const char *const *topics; /* names of the topics it writes, NULL at the end */

    /* The step of one partition.  config is the class's own (borrowed, outlives the step).
     * partition_state: what save_partition gave last, empty at first. */
    enum err_code (*open)(const void *config, int32_t partition, struct str partition_state,
                          struct step **out, struct err *err);
    void (*close)(struct step *step); /* NULL allowed */

    /* State that belongs to the partition, not to a subject (the rule set in force).  Appended
     * to out; called after a batch in which `changed` was set by control, or for which
     * partition_changed says so. */
    void (*save_partition)(const struct step *step, struct buf *out);
    /* Has record or timer changed it since this was asked last?  NULL: they never do. */
    bool (*partition_changed)(struct step *step);

    /* A record without effect on any subject's state can be skipped before its state is loaded.
     * Called for each record in order, before record(); looks at headers and value only.
     * True: keep the record for record(). */
    bool (*wants)(struct step *step, const struct record *record);

    /* The subject whose state the record needs: the record's key as a rule. Empty: none. */
    struct str (*subject)(struct step *step, const struct record *record);

    /* Decode a subject's state (blob empty: a new subject) into arena.  ERR_STATE: the blob is
     * broken or of a newer version: the worker stops the partition. */
    enum err_code (*load)(struct step *step, struct str subject, struct str blob,
                          struct arena *arena, void **state, struct err *err);
    /* Encode it; nothing appended = nothing worth keeping, the subject is forgotten. */
    void (*save)(const struct step *step, const void *state, struct buf *out);
    /* When its earliest timer is due (ms), STEP_NO_TIMER: none. */
    int64_t (*due_ms)(const struct step *step, const void *state);
    /* Its timers in lanes, ascending by lane, at most one each; returns how many.  NULL: a step
     * without lanes. */
    size_t (*waits)(const struct step *step, const void *state,
                    struct step_wait waits[STEP_LANES_MAX]);
    /* The lanes in which a timer may be, in any order; returns how many.  Their times change in
     * control() only. */
    size_t (*lanes)(const struct step *step, struct step_lane lanes[STEP_LANES_MAX]);

    /* One record of the subject.  Sets *changed if the state is another now. */
    void (*record)(struct step *step, void *state, const struct record *record, int64_t now_ms,
                   struct arena *arena, struct outputs *out, bool *changed);
    /* Fire the subject's timers that are due at `due_ms`, also those whose lane has got so far;
     * now_ms = max(due_ms, partition's now). */
    void (*timer)(struct step *step, void *state, int64_t due_ms, int64_t now_ms,
                  struct arena *arena, struct outputs *out, bool *changed);

    /* A control record (header attent-control) other than a tick: activation of a rule set, how
     * far a source has been read.
     * ERR_*: the partition stops with err. */
    enum err_code (*control)(struct step *step, const struct record *record, struct arena *arena,
                             struct outputs *out, bool *changed, struct err *err);
};

#endif
