/* tests/support/naive_parts.h - the inside of the naive model: what a run knows.  Private to its files:
 *
 *     naive.c         steps, time, records
 *     naive_facts.c   facts and conditions, made anew from all events whenever they are asked
 *     naive_funnel.c  who of several candidates goes out, and what is said
 */
#ifndef ATTENT_TESTS_SUPPORT_NAIVE_PARTS_H
#define ATTENT_TESTS_SUPPORT_NAIVE_PARTS_H

#include "tests/support/naive.h"

#define START_MS   1772438400000 /* 2026-03-02T08:00:00Z */
#define SUMMER_MS  1774746000000 /* 2026-03-29T01:00:00Z: two becomes three */
#define HOUR_MS    ((int64_t)3600000)
#define DAY_MS     (24 * HOUR_MS)
#define NEVER      INT64_MAX
#define EXPIRES_MS (400 * DAY_MS)

enum { LOG_MAX = NAIVE_OPS, OPEN_MAX = 64, FED_MAX = 4096 };

enum truth { NO, YES, FAILED };
enum phase { STEPS, ASKING, HELD, OUT, ENDED };

struct run_instance {
    int moment, about; /* about -1: none */
    enum phase phase;
    int step, act;
    int64_t first, before, due; /* before: time of the step before */
    int64_t asked, deadline, task_until;
    bool fresh, held_before;
    bool waits, told;              /* due, but a source is behind; that was said */
    int source;                    /* which */
    int ahead_moment, ahead_about; /* HELD: behind whom */
    const struct naive_op *data[NAIVE_STEPS];
    int64_t times[NAIVE_STEPS];
    const struct naive_op *counted[LOG_MAX], *completing;
    int counted_count;
};

struct fed { /* a value that a `crosses` step has been told */
    int moment, step, about;
    int64_t time;
    double n;
};

struct again {
    bool known, refused;
    int64_t at;
};

struct run {
    const struct naive_plan *plan;
    struct buf *out;
    int64_t now;
    const struct naive_op *log[LOG_MAX];
    int log_count;
    const struct naive_op *event; /* NULL: time */
    struct run_instance open[OPEN_MAX];
    int open_count;
    struct fed fed[FED_MAX];
    int fed_count;
    struct again again[NAIVE_MOMENTS][NAIVE_KEYS + 1];
    bool limited[NAIVE_MOMENTS];
    const struct naive_op *marks[LOG_MAX]; /* watermarks */
    int mark_count;
    int last_moment, last_about, last_act; /* the last task */
    int64_t last_opened;
    int opened; /* counts openings, to know tasks by */
};

/* --- naive_facts.c ---------------------------------------------------------------------------- */

int64_t naive_at_hour(int64_t at, int hour);
int64_t naive_falls_at(const struct naive_fact *f, const struct naive_op *e);
enum truth naive_ask(struct run *run, int cond, const struct naive_op *event,
                     const struct run_instance *in, int log_count, int64_t now);
bool naive_holds(struct run *run, int cond, const struct run_instance *in);
bool naive_turned(struct run *run, int cond, const struct run_instance *in);

/* --- naive_funnel.c --------------------------------------------------------------------------- */

const struct naive_moment *naive_moment_of(const struct run *run, const struct run_instance *in);
void naive_say(struct run *run, int moment, int about, const char *what);
void naive_end(struct run *run, struct run_instance *in, const char *what);
void naive_candidate(struct run *run, struct run_instance *in, int act);
void naive_arbitrate(struct run *run);

#endif
