/* tests/support/naive.h - the moment language a second time, without any cleverness.
 *
 * For tests only, and it shares nothing with the product: it has its own conditions, its own clock
 * changes and its own arbitration.  It keeps every event and makes each fact, each crossing and
 * each condition anew from all of them whenever it is asked.  docs/moments.md decides who is right.
 *
 * It knows how far each source has been read from all watermarks, and asks that whenever something
 * that stays out is due.
 *
 * What it runs is a plan (moments and facts as numbers, made by invent.h, which also writes it
 * as YAML for the product) and a history.  One customer in Europe/Amsterdam, no policy.  Times are
 * ms after the start of decide_run.h.
 */
#ifndef ATTENT_TESTS_SUPPORT_NAIVE_H
#define ATTENT_TESTS_SUPPORT_NAIVE_H

#include "core/buf.h"

enum {
    NAIVE_TYPES = 3,
    NAIVE_KEYS = 3,
    NAIVE_FACTS = 6,
    NAIVE_STEPS = 4,
    NAIVE_MOMENTS = 2,
    NAIVE_ACTS = 3,
    NAIVE_SOURCES = 2,
    NAIVE_PARTITIONS = 2,
    NAIVE_CONDS = 64,
    NAIVE_OPS = 64,
};

enum naive_cond_kind {
    COND_TRUE = 0,
    COND_EVENT_N,     /* event.data.n > k                       */
    COND_EVENT_HOUR,  /* local(event.time).getHours() >= k      */
    COND_FACT,        /* customer.f > k                         */
    COND_FACT_BEFORE, /* before.f > k                           */
    COND_FACT_KEY,    /* customer.f[event.data.key] > k         */
    COND_FACT_CONST,  /* customer.f["K1"] > k, key in `step`    */
    COND_MARK,        /* customer.f                             */
    COND_HAS,         /* has(customer.f)                        */
    COND_STEP_N,      /* sJ.data.n > k                          */
    COND_NOW_HOUR,    /* local(now).getHours() >= k             */
    COND_NOT,
    COND_AND,
    COND_OR,
};

struct naive_cond {
    enum naive_cond_kind kind;
    int fact, step;
    bool less; /* < instead of > */
    double k;
    int a, b; /* of NOT, AND, OR: numbers of conditions */
};

enum naive_fact_kind {
    NFACT_LAST,
    NFACT_FIRST,
    NFACT_COUNT,
    NFACT_SUM,
    NFACT_MIN,
    NFACT_MAX,
    NFACT_MEAN,
    NFACT_DISTINCT,
    NFACT_TREND,
    NFACT_MARK,
    NFACT_SINCE,
};

struct naive_fact {
    enum naive_fact_kind kind;
    unsigned types; /* bit per type */
    int cond;       /* 0: always */
    int64_t over, step;
    int limit; /* 0: the default */
    bool per, defaulted;
    int keys;
};

enum naive_step_kind {
    NSTEP_EVENT,
    NSTEP_ABSENT,
    NSTEP_COUNT,
    NSTEP_EVERY,
    NSTEP_CROSSES,
    NSTEP_BECOMES,
    NSTEP_WAIT,
    NSTEP_AT,
};

struct naive_step {
    enum naive_step_kind kind;
    unsigned types;
    int cond;
    int64_t span, grace; /* within, for, every, wait; AT: added to the time of step `of` */
    int count, of, hour; /* AT: hour >= 0: at that hour of the local day instead */
    bool below, has_back, any_about, restart;
    double bound, back;
};

struct naive_withdraw {
    unsigned types;
    int cond;
    bool any_about;
};

enum naive_effect { NEFFECT_END, NEFFECT_NEXT, NEFFECT_WAIT };

struct naive_moment {
    struct naive_step steps[NAIVE_STEPS];
    int step_count;
    bool about, urgent; /* urgent: tier service, else care */
    int gates[3];       /* eligible, relevant, suitable; 0: none */
    struct naive_withdraw withdraw[2];
    int withdraw_count;
    int64_t again, deadline;
    int instances; /* 0: default */
    int value;
    int64_t waits[NAIVE_ACTS]; /* 0: the deadline */
    int act_count;
};

struct naive_source {
    unsigned types;
    int partitions;
    int64_t max_silence;
};

struct naive_plan {
    struct naive_cond conds[NAIVE_CONDS]; /* 0 is "true" */
    int cond_count;
    struct naive_fact facts[NAIVE_FACTS];
    int fact_count;
    struct naive_moment moments[NAIVE_MOMENTS];
    int moment_count;
    struct naive_source sources[NAIVE_SOURCES];
    int source_count;
    int64_t unit; /* of its spans */
};

enum naive_op_kind { OP_EVENT, OP_OUTCOME, OP_TICK, OP_WATERMARK };

struct naive_op {
    enum naive_op_kind kind;
    int64_t at, time; /* OP_WATERMARK: read up to time */
    int type, key;    /* key -1: none; OP_WATERMARK: source and partition */
    bool has_n;
    double n;
    int code; /* OP_OUTCOME: 0 done, 1 more, 2 busy, 3 other and final, 4 other */
};

extern const char *const naive_types[NAIVE_TYPES];
extern const char *const naive_codes[5];
extern const enum naive_effect naive_effects[5];

/* What came, as decide_run_lines gives it. */
void naive_run(const struct naive_plan *plan, const struct naive_op *ops, int count, int64_t until,
               struct buf *out);

#endif
