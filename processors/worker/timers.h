/* processors/worker/timers.h - which subject of a partition is due next.
 *
 * Each subject has at most one entry: its earliest timer.  Order: (due time, subject), bytewise,
 * which is also that of a Redis sorted set.  Holds the front of that order only, up to an *edge*:
 *
 *      earliest ............ edge | later: only in the store
 *      `---- in memory ----'
 *
 * so that a partition with millions of timers costs the memory of some thousands.  No I/O: who
 * owns this loads what comes behind the edge (timers_extend).  One thread.
 */
#ifndef ATTENT_PROCESSORS_WORKER_TIMERS_H
#define ATTENT_PROCESSORS_WORKER_TIMERS_H

#include <stdbool.h>

#include "processors/worker/table.h"

struct timer {
    struct table_node node; /* key: the subject, owned */
    int64_t due_ms;
    size_t place; /* in the heap */
};

struct timers { /* start with timers_init */
    struct table table;
    struct timer **heap;
    size_t count, capacity;
    bool whole;         /* nothing lies behind the edge */
    int64_t edge_ms;    /* the edge, if not whole */
    char *edge_subject; /* owned */
    size_t edge_subject_bytes;
};

void timers_init(struct timers *timers); /* nothing known: everything lies behind the edge */
void timers_free(struct timers *timers);

/* The subject's earliest timer is due then; STEP_NO_TIMER (INT64_MAX): it has none.  One that
 * lies behind the edge is forgotten here: the store has it. */
void timers_set(struct timers *timers, uint64_t hash, struct str subject, int64_t due_ms);

bool timer_is_before(const struct timer *a, const struct timer *b); /* in that order */

const struct timer *timers_first(const struct timers *timers); /* NULL: none in memory */

/* Are all timers due at or before this time in memory? */
bool timers_reach(const struct timers *timers, int64_t at_ms);

/* Where the store is to read on: behind (*due_ms, *subject). */
void timers_edge(const struct timers *timers, int64_t *due_ms, struct str *subject);

/* What lay behind the edge has been added by timers_add, in order; the last one is the new edge;
 * whole: there is no more. */
void timers_add(struct timers *timers, struct str subject, int64_t due_ms);
void timers_extend(struct timers *timers, int64_t due_ms, struct str subject, bool whole);

/* Forget what is behind the first `max`, if more than twice as many are in memory.  Only when
 * all that was set is in the store. */
void timers_trim(struct timers *timers, size_t max);

/* Copy the first `max` due at or before at_ms to out, in order; returns how many. */
size_t timers_due(struct timers *timers, int64_t at_ms, const struct timer **out, size_t max);

#endif
