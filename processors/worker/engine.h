/* processors/worker/engine.h - the engine of one partition of a step, without any I/O.
 *
 * It holds the partition's time, its place in the log, its timers and a cache of states, and runs
 * records through the step in batches:
 *
 *     engine_plan       which subjects do these records (and the timers before them) need?
 *     engine_timers...  while it asks for more of the store's timers
 *     engine_missing    what the store has to load
 *     engine_fill
 *     engine_run        -> outputs, changed states, new meta
 *     ...                  publish, wait for all acknowledgements, send the commit
 *     engine_sent          from here on the next batch may be planned, on top of this one:
 *     ...                  what it loads follows the commit, and sees it
 *     engine_committed     the commit has been answered
 *
 *              plan, run        all acknowledged       answered
 *     batch 1: [ decide ][ publish ][ commit          ]
 *     batch 2:                      [ decide ][ publish ]  [ commit     ]
 *     batch 3:                                             [ decide ] ...
 *
 * So at most two batches are not durable, and only the older one's commit is in flight.  Whatever
 * fails of either, the partition is closed and opened again: a batch does not outlive the one that it
 * stands on.
 *
 * Any split of a log into batches gives the same outputs and the same states, byte for byte.
 * After an error, or when a batch could not be published or committed, the partition is closed
 * and opened again from what the store has: nothing is taken back piece by piece.
 *
 * One thread at a time per partition.
 */
#ifndef ATTENT_PROCESSORS_WORKER_ENGINE_H
#define ATTENT_PROCESSORS_WORKER_ENGINE_H

#include "processors/worker/outputs.h"
#include "processors/worker/store.h"
#include "schemas/gaps.h"
#include "schemas/skip.h"

struct engine;

/* What the engine is about to do, for engine_setup.watch. */
struct engine_act {
    enum {
        ENGINE_RECORD, /* run this one (offset), with the timers that it sets */
        ENGINE_TIMER,  /* fire this one (subject, due_ms), which no record of the batch has set */
        ENGINE_BATCH,  /* something that is of no single one of them */
    } kind;
    int64_t offset;
    struct str subject; /* borrowed until watch returns */
    int64_t due_ms;
};

struct engine_setup { /* borrowed, outlives the partition */
    const struct step_class *class;
    const void *config; /* of the step */
    int32_t number;
    const char *const *topic_names;  /* real names of class->topics; NULL: those */
    const int32_t *topic_partitions; /* how many partitions each of them has */
    uint64_t generation;             /* of outputs, at the very beginning */
    int64_t start;                   /* first offset, at the very beginning */
    struct gaps *gaps; /* of numbered inputs, longer-lived than an engine; NULL: nobody asks */
    size_t cache_bytes_max;
    size_t timers_max; /* fired in a batch; as many are kept in memory, and up to twice that */

    /* What is passed over (schemas/skip.h).  A record takes its offset and its number, and neither moves
     * time nor reaches the step.  A timer does not fire, and its subject's state is not looked into: no
     * timer of that subject fires until something that happens to it makes another one its earliest.
     * NULL: none. */
    const struct skip_list *skips;
    /* Called before each thing that may end the process.  NULL: nobody asks, and it costs nothing. */
    void (*watch)(void *context, const struct engine_act *act);
    void *watch_context;
};

struct engine_counts { /* since it was opened */
    uint64_t records;  /* read */
    uint64_t wanted;   /* given to the step */
    uint64_t timers;   /* fired */
    uint64_t outputs;
    uint64_t loads;   /* subjects asked of the store */
    uint64_t repeats; /* numbered inputs dropped: seen before, or of an older generation */
    uint64_t gaps;    /* numbered inputs dropped: something is missing before them */
    uint64_t junk;    /* numbers malformed, or no usable subject */
    uint64_t skipped; /* records and timers passed over */
};

/* meta, own: what the store has of it (both empty: the very beginning); own is the blob of the
 * partition's own state.  ERR_STATE: it cannot be read; else what the step's open says. */
enum err_code engine_open(const struct engine_setup *setup, struct str meta, struct str own,
                          struct engine **out, struct err *err);
void engine_close(struct engine *p); /* NULL allowed */

/* For CACHE_KEPT of core/mutants.def alone: closes the engine before and keeps what it has cached. */
void engine_keep_cache(struct engine *p, struct engine *before);

int64_t engine_next(const struct engine *p);
int64_t engine_now_ms(const struct engine *p);
uint64_t engine_commit(const struct engine *p);     /* number of the last commit that was sent */
struct hash128 engine_last(const struct engine *p); /* of the record before next (landmark.h) */
size_t engine_subjects(const struct engine *p);     /* in memory */
const struct engine_counts *engine_counts(const struct engine *p);

/* When the earliest timer is due; STEP_NO_TIMER: there is none (or none in memory before the first
 * plan). */
int64_t engine_due_ms(const struct engine *p);

/* There are timers in the store and none in memory, of the partition's time or of a lane: a plan (of
 * nothing) loads them. */
bool engine_lacks_timers(struct engine *p);

/* A control record has made timers of a lane ready, and those may have set others that are due; or
 * the store may have such timers, and none is in memory: a batch (of nothing) loads and fires them;
 * the next one does in any case. */
bool engine_is_unsettled(struct engine *p);

/* The latest timer in memory that is due at or before this time; STEP_NO_TIMER: none is.  Looks at
 * all of them. */
int64_t engine_due_by(const struct engine *p, int64_t at_ms);

/* --- a batch ---------------------------------------------------------------------------------- */

/* The batch before must have been sent, if it moved.  Records in order of offset, borrowed until
 * engine_run returns.  count 0 is allowed: then the batch loads timers, if it lacks them. */
void engine_plan(struct engine *p, const struct record *records, size_t count);

/* Instead of records: let time reach now_ms, as a tick does, without an offset of its own.
 * Is over when the batch says done = 1. */
void engine_plan_time(struct engine *p, int64_t now_ms);

/* True: read up to `max` timers of a lane from the store, those behind (*due_ms, *subject), and
 * give them to engine_add_timers.  Ask again then. */
bool engine_wants_timers(struct engine *p, struct store_lane *lane, int64_t *due_ms,
                         struct str *subject, size_t *max);
void engine_add_timers(struct engine *p, struct store_lane lane, const struct store_subject *timers,
                       size_t count, bool more);

/* The subjects to load; the caller sets their blobs and gives them to engine_fill. */
struct store_subject *engine_missing(struct engine *p, size_t *count);
void engine_fill(struct engine *p, const struct store_subject *subjects, size_t count);

struct engine_batch { /* borrowed until engine_committed; one that has not moved: the next plan */
    size_t done;      /* records that need not be given again */
    int64_t next;     /* offset behind it */
    const struct output *outputs;
    size_t output_count;
    struct str meta; /* to be committed, as number `engine_commit` + 1 */
    const struct store_subject *subjects;
    size_t subject_count;
    bool moved; /* false: nothing happened, do not commit */
};

/* Run what was planned.  It may stop before the last record, when too many timers are due before
 * it or after a control record: plan again with the rest.  ERR_STATE and others: the partition is
 * of no use any more. */
enum err_code engine_run(struct engine *p, struct engine_batch *out, struct err *err);

/* The commit of the batch that was run last is on its way; no other one is. */
void engine_sent(struct engine *p);
void engine_committed(struct engine *p); /* ... and is durable */

#endif
