/* schemas/task.h - an outreach task, its withdrawal, a decision record: what decide writes.
 *
 * schemas/task.schema.json and schemas/decision.schema.json describe the JSON for others.  On
 * Kafka each is a CloudEvent in binary mode: ce_id = task or decision id, ce_type below.
 */
#ifndef ATTENT_SCHEMAS_TASK_H
#define ATTENT_SCHEMAS_TASK_H

#include "core/json.h"

#define TASK_CE_TYPE       "attent.task.v1"
#define WITHDRAWAL_CE_TYPE "attent.task_withdrawn.v1"
#define DECISION_CE_TYPE   "attent.decision.v1"
#define OUTCOME_EVENT_TYPE "task.outcome"

enum { TASK_ID_SIZE = 33 }; /* 32 hex digits of a 128-bit hash, and NUL */

/* One thing worth knowing for whoever handles the task: "Weight", 1900.0, "kg". */
struct task_fact {
    struct str name;
    struct str label;
    struct value value;
    struct str unit; /* empty: none */
};

struct task_window { /* absolute; [from_ms, to_ms) */
    int64_t from_ms, to_ms;
};

struct task_outcome { /* a code that the receiver may answer, and what follows */
    struct str code;
    struct str effect; /* "end", "next" or "wait" */
};

struct task_appointment { /* start_ms 0: there is none */
    int64_t start_ms, end_ms;
    struct str title;
    struct str place; /* empty: not stated */
};

struct task {
    struct str id;
    struct str moment, title;
    struct str version;  /* of the moment: its own content hash, short */
    struct str rule_set; /* hash of the rule set */
    struct str customer;
    struct str about; /* empty: the moment has none */
    struct str tier, purpose;
    struct str channel;            /* "phone", "email", ... */
    struct str queue;              /* empty: the channel's own */
    struct str address;            /* empty: the receiver knows the customer */
    struct str reason;             /* in words, for a person */
    struct str language;           /* of the words: "nl"; empty: not stated */
    struct str say, subject, text; /* filled in; empty: none */
    struct str html;               /* the text as HTML */
    uint32_t sms_parts;            /* of the text as an SMS; 0: it is none */
    struct task_appointment appointment;
    struct task_fact *facts;
    size_t fact_count;
    struct task_outcome *outcomes;
    size_t outcome_count;
    struct task_window *windows; /* when it may go out, ascending; none: any time */
    size_t window_count;
    int64_t created_ms;
    int64_t deadline_ms;
    uint32_t attempt;      /* 1 for the first action of the chain */
    bool needs_no_consent; /* goes out whatever the customer said: safety */
    bool at_least_once;    /* rather twice than not at all, should an attempt end in doubt */
    struct str decision;   /* id of the decision record */
    struct str traceparent;
};

void task_put_json(struct buf *out, const struct task *task);
/* Parse what task_put_json wrote.  Everything lives in arena.  False: not a task; err says why. */
bool task_read_json(struct str text, struct arena *arena, struct task *out, struct err *err);

/* A withdrawal: the task's reason is gone. */
struct withdrawal {
    struct str task; /* id */
    struct str customer, moment, about, channel, queue;
    struct str reason;  /* reason code, e.g. "withdrawn" */
    struct str because; /* type of the event that did it, or empty */
    bool notice;        /* somebody works on it already: for their information, remove nothing */
    int64_t created_ms;
};
void withdrawal_put_json(struct buf *out, const struct withdrawal *w);
bool withdrawal_read_json(struct str text, struct arena *arena, struct withdrawal *out,
                          struct err *err);

/* A customer's word that stops tasks decided before it: on attent.tasks, under the tasks' key. */
#define PERMISSION_CE_TYPE "attent.permission_withdrawn.v1"
struct permission {
    struct str customer;
    struct str purpose, channel; /* empty: all */
    struct str because;          /* type of the event: consent.withdrawn, customer.erased */
    bool erased;                 /* the customer is gone: no exception */
    int64_t created_ms;
};
void permission_put_json(struct buf *out, const struct permission *p);
bool permission_read_json(struct str text, struct arena *arena, struct permission *out,
                          struct err *err);

/* What became of a task: data of an event of type task.outcome. */
struct outcome {
    struct str task, moment, about, channel, code;
    struct str reason; /* why it failed; empty: nothing to say */
    uint32_t attempt;
    bool final;
};
void outcome_put_json(struct buf *out, const struct outcome *o);

/* An outcome of no task that is out, on attent.tasks under the customer's key: decide knows only what
 * is out, dispatch knows whether there ever was such a task.  The value is the outcome's, as it came. */
#define STRAY_CE_TYPE "attent.outcome_stray.v1"

/* One stage of a decision: what was compared with what. */
struct decision_stage {
    struct str stage; /* "pattern", "eligible", "cap", ... (rules/stages.def) */
    bool passed;
    struct str detail; /* in words: "2 of at most 2 phone contacts in 7d"; may be empty */
};

struct decision {
    struct str id;
    struct str customer;
    struct str moment, about; /* empty: it is about the event or the customer alone */
    struct str version;       /* of the moment, as in its tasks; empty: it is gone */
    struct str rule_set;
    struct str outcome; /* "task", "hold", "silent", "ended" */
    struct str reason;  /* reason code (rules/reasons.def) */
    struct str task;    /* id; empty: none */
    struct str channel; /* of the action; empty: none */
    struct str event;   /* id of the event that led here; empty: a timer */
    struct str event_type;
    int64_t at_ms;
    int64_t until_ms;  /* hold: when it is looked at again; 0: none */
    struct str needed; /* what would have had to differ: "if customer.open_complaint were false" */
    const struct decision_stage *stages;
    size_t stage_count;
};
void decision_put_json(struct buf *out, const struct decision *d);
bool decision_read_json(struct str text, struct arena *arena, struct decision *out,
                        struct err *err);

#endif
