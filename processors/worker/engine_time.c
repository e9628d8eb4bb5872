/* Timers fire in order of (due time, subject).  Where the subject of one is not loaded, or time would
 * pass the timers that are in memory, it stops: what is done is committed, and the next plan starts
 * there.  Time may then stand between two records, where a tick would have put it.
 */
#include "processors/worker/engine_parts.h"

#include "core/check.h"
#include "core/fail_point.h"

/* --- what is due ------------------------------------------------------------------------------ */

int64_t engine_due_ms(const struct engine *p)
{
    const struct timer *first = timers_first(&p->timers);

    return first != NULL ? first->due_ms : STEP_NO_TIMER;
}

int64_t engine_due_by(const struct engine *p, int64_t at_ms)
{
    int64_t latest_ms = STEP_NO_TIMER;

    for (size_t i = 0; i < p->timers.count; i++) {
        int64_t due_ms = p->timers.heap[i]->due_ms;

        if (due_ms <= at_ms && (latest_ms == STEP_NO_TIMER || due_ms > latest_ms))
            latest_ms = due_ms;
    }
    return latest_ms;
}

/* The first timer that may fire although time stands: of a lane, or one that such a timer has set. */
static const struct timer *first_settled(struct engine *p)
{
    const struct lane *lane = lanes_ready(&p->lanes);
    const struct timer *of_lane = lane != NULL ? timers_first(&lane->timers) : NULL;
    const struct timer *own = timers_first(&p->timers);

    if (own == NULL || own->due_ms > p->meta.now_ms)
        return of_lane;
    return of_lane == NULL || timer_is_before(own, of_lane) ? own : of_lane;
}

bool engine_lacks_timers(struct engine *p)
{
    return (!p->timers.whole && p->timers.count == 0) || lanes_lacking(&p->lanes) != NULL;
}

bool engine_is_unsettled(struct engine *p)
{
    return first_settled(p) != NULL || lanes_lacking(&p->lanes) != NULL;
}

/* --- a timer that is passed over ---------------------------------------------------------------- */

static void drop_own(struct engine *p, struct subject *s)
{
    s->due_ms = STEP_NO_TIMER;
    s->due_changed = true;
    timers_set(&p->timers, s->node.hash, s->node.key, STEP_NO_TIMER);
}

/* Those in lanes that are due then. */
static size_t drop_waits(struct engine *p, struct subject *s, int64_t due_ms)
{
    struct step_wait *kept = ARENA_ARRAY(p->arena, struct step_wait, s->wait_count + 1);
    size_t count = 0, dropped;

    for (size_t i = 0; i < s->wait_count; i++) {
        struct lane *lane = lanes_find(&p->lanes, s->waits[i].lane);

        if (s->waits[i].due_ms != due_ms)
            kept[count++] = s->waits[i];
        else if (lane != NULL)
            timers_set(&lane->timers, s->node.hash, s->node.key, STEP_NO_TIMER);
    }
    dropped = s->wait_count - count;
    s->waits = kept;
    s->wait_count = count;
    return dropped;
}

/* It is due no more.  The state is not decoded: that may be what kills. */
static enum progress pass_over(struct engine *p, struct subject *s, int64_t due_ms, struct err *err)
{
    struct str inner;
    size_t dropped;

    if (engine_open_subject(p, s, &inner, err) != ERR_NONE)
        return PROGRESS_FAILED;
    dropped = drop_waits(p, s, due_ms) + (s->due_ms == due_ms);
    CHECK(dropped != 0); /* else it would be due for ever */
    if (s->due_ms == due_ms)
        drop_own(p, s);
    s->changed = p->moved = true;
    p->counts.skipped++;
    return PROGRESS_ON;
}

/* --- firing ----------------------------------------------------------------------------------- */

static enum progress fire(struct engine *p, struct subject *s, int64_t due_ms, struct err *err)
{
    bool changed = false;

    if (p->setup->skips != NULL &&
        skip_list_has_timer(p->setup->skips, p->setup->number, s->node.key, due_ms))
        return pass_over(p, s, due_ms, err);
    if (!p->in_record)
        engine_tell(p, &(struct engine_act){
                           .kind = ENGINE_TIMER, .subject = s->node.key, .due_ms = due_ms});
    FAIL_POINT_MEET_TEXT("timer", s->node.key);
    if (engine_decode(p, s, err) != ERR_NONE)
        return PROGRESS_FAILED;
    p->class->timer(p->step, s->state, due_ms, p->meta.now_ms, p->arena, &p->batch->outputs,
                    &changed);
    s->changed |= changed;
    p->moved = true;
    p->counts.timers++;
    engine_state_changed(p, s);
    CHECK(changed || s->due_ms != due_ms); /* else it would fire for ever */
    return PROGRESS_ON;
}

size_t engine_firings_left(const struct engine *p)
{
    return p->fired < p->setup->timers_max ? p->setup->timers_max - p->fired : 0;
}

enum progress engine_settle(struct engine *p, struct err *err)
{
    const struct timer *t;

    while ((t = first_settled(p)) != NULL) {
        struct subject *s = cache_find(&p->cache, t->node.hash, t->node.key);

        if (s == NULL || !s->loaded || engine_firings_left(p) == 0 ||
            lanes_lacking(&p->lanes) != NULL)
            return PROGRESS_STOP;
        p->fired++;
        if (fire(p, s, t->due_ms, err) != PROGRESS_ON)
            return PROGRESS_FAILED;
    }
    return lanes_lacking(&p->lanes) != NULL || !timers_reach(&p->timers, p->meta.now_ms)
               ? PROGRESS_STOP
               : PROGRESS_ON;
}

enum progress engine_advance(struct engine *p, int64_t at_ms, size_t firings_max, struct err *err)
{
    int64_t to_ms = at_ms > p->meta.now_ms ? at_ms : p->meta.now_ms;

    for (size_t firings = 0;; firings++) {
        const struct timer *t = timers_first(&p->timers);
        struct subject *s;

        if (t == NULL || t->due_ms > to_ms)
            break;
        s = cache_find(&p->cache, t->node.hash, t->node.key);
        if (s == NULL || !s->loaded || firings == firings_max)
            return PROGRESS_STOP;
        if (t->due_ms > p->meta.now_ms)
            p->meta.now_ms = t->due_ms;
        p->fired++;
        if (fire(p, s, t->due_ms, err) != PROGRESS_ON)
            return PROGRESS_FAILED;
    }
    if (!timers_reach(&p->timers, to_ms))
        return PROGRESS_STOP;
    p->meta.now_ms = to_ms;
    return PROGRESS_ON;
}
