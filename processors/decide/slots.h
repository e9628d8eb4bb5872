/* processors/decide/slots.h - a decent moment in time: quiet hours and holidays of the customer, the hours
 * that the customer wishes, working hours and holidays of the queue.
 *
 * Quiet hours and wishes are in the customer's zone.  When that is not known, all zones where the customer
 * may live (policy) must agree.  Daylight saving needs no care here: what is asked is always the
 * wall clock of an instant.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_SLOTS_H
#define ATTENT_PROCESSORS_DECIDE_SLOTS_H

#include "processors/decide/turn.h"

enum { SLOT_WINDOWS = 7 }; /* send windows that a task carries: a week of nights */

struct slots {
    const struct policy *policy;
    uint32_t tier;
    struct str channel;
    bool any_hour; /* its channel is not held by quiet hours */
    bool wished;   /* the customer has said when (`role: hours`) */
    struct week wish;
    struct str wish_text;
    const struct queue *queue; /* NULL: none with hours */
    const struct zone *const *zones;
    size_t zone_count;
    const struct zone *own; /* what zones points to when the customer's zone is known */
};

/* Rules for one action.  *slots must stay where it is: zones may point into it. */
void slots_init(struct slots *slots, struct turn *turn, const struct moment *moment,
                const struct act *act);

/* What closes an instant: HOLD_NONE when it is open. */
enum hold slots_closed(const struct slots *slots, int64_t at_ms);

/* What was compared with what, for decisions: "quiet hours: 22:14 for the customer". */
struct str slots_words(const struct slots *slots, int64_t at_ms, struct arena *arena);

/* The first open instant in [from_ms, until_ms), INT64_MAX when there is none (no more than
 * SLOT_SEARCH_DAYS ahead). */
enum { SLOT_SEARCH_DAYS = 32 };
int64_t slots_next(const struct slots *slots, int64_t from_ms, int64_t until_ms);

/* Open windows in [from_ms, until_ms), at most SLOT_WINDOWS. */
struct task_window;
size_t slots_windows(const struct slots *slots, int64_t from_ms, int64_t until_ms,
                     struct task_window *out);

#endif
