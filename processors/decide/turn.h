/* processors/decide/turn.h - one turn: a record or a due time looked at for one customer.
 *
 *   record: duplicate? -> consent -> facts -> outcome -> instances -> funnel
 *   timer:                                            -> instances -> funnel
 *
 * All that a turn's functions share.  Lives on the stack of decide.c; what it allocates is in
 * the batch's arena.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_TURN_H
#define ATTENT_PROCESSORS_DECIDE_TURN_H

#include "processors/decide/decide.h"
#include "processors/decide/observer.h"
#include "processors/decide/view.h"
#include "processors/decide/watermarks.h"
#include "processors/worker/step.h"

struct before { /* a fact as it was before this record */
    uint16_t fact;
    struct value value;
};

struct pace_lines; /* pace.h */

struct turn {
    struct view *view;
    const struct ruleset *set;
    const struct watermarks *watermarks;
    struct pace_lines *pace;
    struct state *state;
    struct decide_counts *counts;
    struct arena *arena;
    struct outputs *out;
    int64_t now_ms;
    bool changed;                  /* the state is another now */
    const struct record *record;   /* NULL: a timer */
    const struct event *event;     /* NULL: a timer */
    const struct event_type *type; /* of event */
    uint16_t type_index;
    struct str came_to;   /* the id that the event names, if that was merged into this customer */
    uint64_t opener;      /* hash of the event's source, id and time */
    struct value *fields; /* of event, by path */
    struct before *before;
    size_t before_count;
    uint32_t decisions;                     /* written in this turn */
    const struct zone *zone;                /* of the customer; NULL: not known */
    bool zone_known;                        /* zone has been looked up */
    const struct decide_observer *observer; /* NULL: none */
    enum decide_control control;
};

#endif
