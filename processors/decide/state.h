/* processors/decide/state.h - what is remembered of one customer.
 *
 *   recent ids | facts | instances | memories (again, crossings) | contacts | consents
 *
 * An object in the batch's arena while a batch is decided, and a blob between batches (version,
 * body, checksum).  Facts, moments, paths, purposes and channels stand in it by the 32-bit hash
 * of their name, so a blob survives another rule set; what the rule set in force does not know
 * is dropped when the state is adopted by it (adopt.h), never while decoding.
 *
 * Canonical: the same state always gives the same bytes.  Every list has one order: facts by id,
 * a fact's keys by their last update, points by (time, arrival), instances by (moment's name,
 * about), memories, contacts and consents by their last change.
 *
 * Nothing in here knows rules or time.  @thread the partition's worker
 */
#ifndef ATTENT_PROCESSORS_DECIDE_STATE_H
#define ATTENT_PROCESSORS_DECIDE_STATE_H

#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/limit.h"
#include "core/value.h"

enum { STATE_VERSION = 2, TRACE_BYTES = 25 };

struct trail; /* explain.h */

/* --- facts ------------------------------------------------------------------------------------ */

/* What a fact's cells hold.  Written into blobs: numbers never change their meaning. */
enum fact_form {
    FORM_LATEST = 1,     /* time and value */
    FORM_EARLIEST = 2,   /* time and value */
    FORM_TOTAL = 3,      /* value: number or sum since ever */
    FORM_TIMES = 4,      /* points without values */
    FORM_POINTS = 5,     /* points with values */
    FORM_TIME = 6,       /* time of the last event: mark, since */
    FORM_LEAST = 7,      /* value: the smallest since ever */
    FORM_MOST = 8,       /* value: the largest since ever */
    FORM_MEAN = 9,       /* value: sum since ever, and of how many events */
    FORM_VALUES = 10,    /* points, one per different value, at its last event */
    FORM_BASE = 0x3f,    /* mask of the above */
    FORM_KEYED = 0x40,   /* added: one cell per key */
    FORM_STEPPED = 0x80, /* added to TOTAL, LEAST, MOST, MEAN: one such value per step, as points */
};

struct fact_point {
    int64_t time_ms;
    struct value value; /* not of FORM_TIMES */
    uint64_t events;    /* FORM_MEAN */
};

struct fact_cell {
    struct value key;          /* FORM_KEYED */
    int64_t time_ms;           /* FORM_LATEST, FORM_EARLIEST, FORM_TIME */
    struct value value;        /* FORM_LATEST, FORM_EARLIEST, FORM_TOTAL, LEAST, MOST, MEAN */
    uint64_t events;           /* FORM_MEAN */
    struct fact_point *points; /* FORM_TIMES, FORM_POINTS, FORM_VALUES, FORM_STEPPED: ascending */
    uint32_t count, capacity;
};

struct fact_state {
    uint32_t id;
    uint8_t form;            /* enum fact_form */
    struct fact_cell *cells; /* the one updated last stands last */
    uint32_t count, capacity;
};

/* --- instances ---------------------------------------------------------------------------------- */

/* Where an instance is.  ASKING and ENDED do not outlive a turn.  Numbers are in blobs. */
enum phase {
    PHASE_STEPS = 1,  /* waits for its current step */
    PHASE_HOLD = 2,   /* a candidate that waits */
    PHASE_OUT = 3,    /* its task is out */
    PHASE_ASKING = 4, /* a candidate, now */
    PHASE_ENDED = 5,
};

/* What a candidate waits for.  Numbers are in blobs. */
enum hold {
    HOLD_NONE = 0,
    HOLD_CAP = 1,
    HOLD_OUTRANKED = 2,
    HOLD_QUIET_HOURS = 3,
    HOLD_QUEUE_CLOSED = 4,
    HOLD_PACED = 5,
};

/* Something of an event that a later expression reads: named as in rules/moment/ruleset.h, but
 * with the hash of a path in place of its number. */
struct kept {
    uint8_t kind; /* enum slot_kind */
    uint8_t step;
    uint32_t id; /* hash of the path, or enum attr */
    struct value value;
};

struct kept_list {
    struct kept *items;
    uint32_t count, capacity;
};

struct counted { /* an event that a `count` step has counted */
    int64_t time_ms;
    struct kept_list kept;
};

/* Under which steps it got where it is: hashes of the moment's (moment_step.upto). */
struct went {
    uint32_t first; /* of the first step */
    uint32_t here;  /* of those up to the current one, of all in a chain */
    uint32_t all;
};

struct instance {
    uint32_t moment;       /* id */
    uint16_t moment_index; /* in the set that adopted the state; not in the blob */
    uint8_t phase;         /* enum phase */
    uint8_t step;          /* the current step; step_count when all are done */
    uint8_t act;           /* the action that asks, waits or is out */
    uint8_t hold;          /* enum hold */
    bool sent;             /* an outcome of the task that is out has come: its cap is settled */
    bool accepted;         /* somebody works on it: a withdrawal is for their information */
    bool traced;
    bool fresh;          /* opened by this record, which it does not see; not in the blob */
    bool ready;          /* passed all that comes before arbitration; not in the blob */
    struct trail *trail; /* of a candidate: the stages so far; not in the blob */
    unsigned char trace[TRACE_BYTES]; /* W3C trace id, parent id, flags */
    struct str about;                 /* as text; empty: none */
    struct value about_value;
    uint64_t opener;  /* hash of source, id and time of the event that opened it */
    int64_t first_ms; /* time of the first step; while it counts: of the oldest counted */
    int64_t step_ms;  /* time of the step before */
    int64_t due_ms;   /* its timer; STEP_NO_TIMER: none */
    struct went went;
    uint32_t waits;           /* due, and waits in this lane (waiting.h); 0: it does not */
    int64_t notice_ms;        /* while it waits: when to say that the source is silent;
                                 STEP_NO_TIMER: it was said */
    int64_t asked_ms;         /* since when the action is a candidate */
    int64_t deadline_ms;      /* until when the candidate may wait */
    int64_t task_ms;          /* decision of the chain's last task; 0: none yet */
    int64_t task_deadline_ms; /* until when that task may be worked */
    uint32_t blocker;         /* HOLD_OUTRANKED: moment and about of the instance ahead of it */
    struct str blocker_about;
    double value;
    struct str owner; /* PHASE_OUT: whose the task is, if of an id that was merged; empty: ours */
    struct kept_list kept;
    struct counted *counted; /* ascending by time */
    uint32_t counted_count, counted_capacity;
};

/* --- the rest ------------------------------------------------------------------------------------ */

struct crossing { /* on which side a value was last */
    uint8_t step;
    bool past;
    int64_t time_ms;
};

struct memory { /* of a moment and about, beyond its instances */
    uint32_t moment;
    bool refused;     /* `again` has refused once since again_ms */
    int64_t again_ms; /* decision of the last task; INT64_MIN: none */
    int64_t due_ms;   /* first step `becomes`: when time may turn it; STEP_NO_TIMER: never */
    struct str about;
    struct crossing *crossings;
    uint32_t count, capacity;
};

struct contact { /* a task, for caps */
    int64_t at_ms;
    uint32_t moment, tier, channel, purpose;
};

struct consent {
    int64_t at_ms;
    uint32_t purpose, channel; /* 0: all */
    bool given;
};

struct recent {    /* an event that was here (recent.h) */
    uint64_t mark; /* 48 bits of a hash of what tells it */
    int64_t at_s;  /* when it came, in seconds */
    bool told;     /* a double of it was a decision */
};

struct state {
    struct str customer;
    uint64_t adopted; /* number of the view that adopted it, 0: just decoded; not in the blob */
    struct recent *recent; /* oldest first */
    uint32_t recent_count, recent_capacity;
    struct fact_state *facts;
    uint32_t fact_count, fact_capacity;
    struct instance **instances;
    uint32_t instance_count, instance_capacity;
    struct memory *memories;
    uint32_t memory_count, memory_capacity;
    struct contact *contacts;
    uint32_t contact_count, contact_capacity;
    struct consent *consents;
    uint32_t consent_count, consent_capacity;
    uint32_t *limited; /* moments whose `limit` has refused once since an instance ended */
    uint32_t limited_count, limited_capacity;
    struct str moved;   /* merged into that customer, and nothing else is here; empty: not */
    struct str *merged; /* ids that were merged into this customer, the last one at the end */
    uint32_t merged_count, merged_capacity;
};

struct state *state_new(struct str customer, struct arena *arena);
/* ERR_STATE: broken, or of a newer version; err is for logs, so it has a hash for the name.  The blob is
 * copied. */
enum err_code state_decode(struct str customer, struct str blob, struct arena *arena,
                           struct state **out, struct err *err);
void state_encode(const struct state *state, struct buf *out); /* nothing if it is empty */

/* How many bytes it, a fact or an instance can have as a blob at most: never less than it has.
 * Cheap, and the same for equal states (state_size.c). */
size_t state_bytes_most(const struct state *state);
size_t state_fact_bytes_most(const struct fact_state *fact);
size_t state_instance_bytes_most(const struct instance *in);

uint32_t name_id(struct str name); /* the 32 bits by which a blob names things */

/* Room for one more item of an array in arena; the old array stays where it is until reset. */
#define STATE_RESERVE(arena, items, count, capacity)                                               \
    ((count) < (capacity)                                                                          \
         ? (void)0                                                                                 \
         : (void)((items) = state_grow((arena), (items), sizeof *(items), &(capacity))))
void *state_grow(struct arena *arena, const void *items, size_t item_bytes, uint32_t *capacity);

/* Take item `index` out of an array. */
#define STATE_REMOVE(items, count, index)                                                          \
    (memmove((items) + (index), (items) + (index) + 1, ((count) - (index)-1) * sizeof *(items)),   \
     (void)(count)--)

#endif
