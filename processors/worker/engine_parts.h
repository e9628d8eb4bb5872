/* processors/worker/engine_parts.h - the inside of an engine, for the files that make it up.  Private
 * to them:
 *
 *     engine.c          opens and closes it, and takes a batch from its plan to its commit
 *     engine_plan.c     which subjects and timers does a batch need from the store?
 *     engine_record.c   runs a record
 *     engine_time.c     lets time pass: fires timers
 *     engine_state.c    a subject's state, from its blob and back, and its timers
 */
#ifndef ATTENT_PROCESSORS_WORKER_ENGINE_PARTS_H
#define ATTENT_PROCESSORS_WORKER_ENGINE_PARTS_H

#include "processors/worker/batch.h"
#include "processors/worker/cache.h"
#include "processors/worker/engine.h"
#include "processors/worker/lanes.h"
#include "processors/worker/timers.h"

enum { ENGINE_FROM_SIZE = 80 };

enum item_kind { ITEM_RECORD, ITEM_TICK, ITEM_CONTROL, ITEM_SKIPPED };

struct item { /* what plan found out about a record */
    enum item_kind kind;
    bool numbered;
    uint64_t hash;
    struct str name;         /* of the subject; empty: the step does not want the record */
    struct subject *subject; /* NULL likewise */
};

struct engine {
    const struct engine_setup *setup;
    const struct step_class *class;
    struct step *step;
    char from[ENGINE_FROM_SIZE];
    struct meta meta;
    uint64_t sent; /* number of the last commit that was sent */
    struct cache cache;
    struct timers timers;
    struct lanes lanes;
    struct engine_counts counts;

    struct batch batches[2];
    struct batch *batch; /* that is planned and run; the other one may be in flight */
    bool in_flight;

    /* of that batch */
    struct arena *arena; /* its own */
    const struct record *records;
    struct item *items;
    size_t planned;
    int64_t horizon_ms; /* the greatest time that the batch may reach */
    size_t fired;
    bool time_only;   /* no records: let time reach the horizon */
    bool own_changed; /* the partition's own state */
    bool moved;
    bool in_record;                     /* what fires now was set by the record at hand */
    struct subject **missing, **opened; /* arrays, kept between batches */
    size_t missing_count, missing_capacity;
    size_t opened_count, opened_capacity;
    struct step_wait waits[STEP_LANES_MAX]; /* of the subject at hand */
    struct buf inner, wrapped;
};

/* Whether a batch goes on, is over before its last record, or failed (err says why). */
enum progress { PROGRESS_ON, PROGRESS_STOP, PROGRESS_FAILED };

/* Who looks on is told before it happens. */
static inline void engine_tell(struct engine *p, const struct engine_act *act)
{
    if (p->setup->watch != NULL)
        p->setup->watch(p->setup->watch_context, act);
}

/* --- engine_record.c ------------------------------------------------------------------------ */

enum progress engine_run_record(struct engine *p, const struct record *record, struct item *item,
                                struct err *err);

/* --- engine_time.c -------------------------------------------------------------------------- */

/* Fire what is ready in the lanes, and what that sets. */
enum progress engine_settle(struct engine *p, struct err *err);

/* Let time reach at_ms (or stay, when that is past): fires what is due.  firings_max: then stop. */
enum progress engine_advance(struct engine *p, int64_t at_ms, size_t firings_max, struct err *err);

/* A batch is bounded, whatever a single record sets off. */
size_t engine_firings_left(const struct engine *p);

/* --- engine_state.c ------------------------------------------------------------------------- */

/* Its timers are there from here to the end of the batch.  *inner: the step's own bytes. */
enum err_code engine_open_subject(struct engine *p, struct subject *s, struct str *inner,
                                  struct err *err);

/* Its state as well. */
enum err_code engine_decode(struct engine *p, struct subject *s, struct err *err);

/* After the state has changed: its timers may be others now. */
void engine_state_changed(struct engine *p, struct subject *s);

/* What has changed in this batch is what it commits. */
enum err_code engine_collect(struct engine *p, struct err *err);

/* Adds to err, which says what is wrong, whose it is and what to do: the partition stops. */
enum err_code engine_unreadable(const struct engine *p, const char *whose, struct err *err);

#endif
