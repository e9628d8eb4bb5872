/* processors/decide/pace.h - release is paced: a queue or a channel gets no more tasks than it can
 * take, the most urgent first.  Part of a partition's state.
 *
 *     pace: {tasks: 30, per: 1h}      one place every two minutes, for whoever needs it most
 *
 *     places   |----n----|---n+P---|--n+2P---|---      of partition n % P; the others lie between
 *                 gone      bo,V1     ann,V7           who has it, until somebody more urgent asks
 *
 * Time is cut into places, `tasks` of them in each `per`; of P partitions each has every P-th, so
 * together they keep the pace and need not talk to each other.  A place lets one task go, from
 * its beginning until the next one of this partition begins.
 *
 * Who asks gets the first place that is free or whose holder is less urgent.  A holder that lost
 * its place is not told: it wakes at the place's time, as every hold does, and asks again.  So
 * before any place the most urgent of all who asked has it, and none stays empty while
 * somebody waits.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_PACE_H
#define ATTENT_PROCESSORS_DECIDE_PACE_H

#include "processors/decide/slots.h"

struct pace_line; /* of one queue or channel */

struct pace_lines { /* start with {0}, then what says who and where it is */
    int32_t partition, partitions;
    const struct decide_ahead *ahead; /* rule tests: taken before anybody asks */
    size_t ahead_count;
    struct pace_line *items;
    size_t count, capacity;
    bool changed; /* since it was last set to false */
};

void pace_free(struct pace_lines *lines);

/* What holds for an action: its queue's pace, else its channel's.  Safety (`consent: always`) and
 * what has none: NULL. */
const struct pace *pace_of(const struct policy *policy, const struct moment *moment,
                           const struct act *act);

/* May the task of `in` go now?  Returns now_ms: yes, and the place is used up.  Later: it has a
 * place then (or asks again then).  INT64_MAX: none before the deadline. */
int64_t pace_ask(struct turn *turn, const struct instance *in, const struct pace *pace,
                 const struct slots *slots);

/* It does not need its place any more, if it has one. */
void pace_leave(struct turn *turn, const struct instance *in);

/* Other rules are in force: holders ask again when they wake. */
void pace_change(struct pace_lines *lines, const struct policy *policy);

void pace_encode(const struct pace_lines *lines, struct buf *out); /* nothing if there is none */
/* ERR_STATE: broken. */
enum err_code pace_decode(struct pace_lines *lines, struct str bytes, struct err *err);

#endif
