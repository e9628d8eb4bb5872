/* Each kind of step says what a record does to it, and what it means that its time is due.  What a
 * later expression reads of a step is kept when it is done (scope.h). */
#include "processors/decide/steps.h"

#include "core/check.h"
#include "core/when.h"
#include "processors/decide/becomes.h"
#include "processors/decide/chain.h"
#include "processors/decide/funnel.h"
#include "processors/decide/instances.h"
#include "processors/decide/waiting.h"

/* A step without an end of its own is given up after this long. */
#define EXPIRES_MS ((int64_t)400 * WHEN_DAY_MS)

void steps_tell(const struct turn *turn, const struct instance *in, enum did what, size_t number)
{
    if (turn->observer != NULL)
        turn->observer->did(turn->observer->context,
                            &(struct decide_did){.what = what,
                                                 .moment = in->moment_index,
                                                 .number = number,
                                                 .about = in->about,
                                                 .now_ms = turn->now_ms,
                                                 .until_ms = in->due_ms,
                                                 .event = turn->event});
}

/* --- going on ------------------------------------------------------------------------------------ */

static int64_t step_due(const struct moment_step *step, int64_t before_ms)
{
    return before_ms +
           (step->span_ms != 0 && step->kind != STEP_COUNT ? step->span_ms : EXPIRES_MS);
}

/* The time that an `at` step names.  False: it names none. */
static bool at_due(struct turn *turn, struct instance *in, const struct moment_step *step)
{
    struct scope scope = {.turn = turn, .instance = in};
    struct value v = scope_eval(&scope, in->moment_index, step->value);

    if (v.kind != VALUE_TIMESTAMP)
        return false;
    in->due_ms = value_timestamp_to_ms(v);
    if (in->due_ms < in->step_ms) /* past: at once */
        in->due_ms = in->step_ms;
    return true;
}

/* It waits for what time may turn, and expires like any step. */
static int64_t becomes_due(const struct turn *turn, const struct instance *in,
                           const struct moment_step *step)
{
    int64_t turns_ms = becomes_due_ms(turn, step), expires_ms = in->step_ms + EXPIRES_MS;

    return turns_ms < expires_ms ? turns_ms : expires_ms;
}

static void step_begin(struct turn *turn, struct instance *in, const struct moment_step *step)
{
    if (step->kind == STEP_BECOMES)
        in->due_ms = becomes_due(turn, in, step);
    else if (step->kind != STEP_AT)
        in->due_ms = step_due(step, in->step_ms);
    else if (!at_due(turn, in, step))
        instances_end(turn, in, REASON_ERROR, NULL);
}

void steps_stamp(const struct turn *turn, struct instance *in)
{
    const struct moment *moment = instance_moment(turn, in);
    size_t last = moment->step_count - 1;

    in->went = (struct went){.first = moment->steps[0].upto,
                             .here = moment->steps[in->step < last ? in->step : last].upto,
                             .all = moment->steps[last].upto};
}

/* The current step is done at time_ms. */
static void step_on(struct turn *turn, struct instance *in, int64_t time_ms)
{
    const struct moment *moment = instance_moment(turn, in);

    turn->changed = true;
    in->step_ms = time_ms;
    in->waits = 0;
    if (in->step == 0)
        in->first_ms = time_ms;
    in->step++;
    in->counted_count = 0;
    steps_stamp(turn, in);
    if (in->step < moment->step_count) {
        step_begin(turn, in, &moment->steps[in->step]);
        steps_tell(turn, in, DID_STEP, in->step - 1U);
        return;
    }
    steps_tell(turn, in, DID_STEP, in->step - 1U);
    if (turn->event != NULL) {
        scope_keep_event(turn, in->moment_index, &in->kept);
        chain_keep_trace(turn, in);
    }
    funnel_ask(turn, in, 0);
}

static void keep_step(struct turn *turn, struct instance *in)
{
    scope_keep_step(turn, instance_moment(turn, in), in->step, SLOT_STEP_DATA, &in->kept);
}

static void keep_one(struct turn *turn, struct instance *in, struct kept kept)
{
    STATE_RESERVE(turn->arena, in->kept.items, in->kept.count, in->kept.capacity);
    in->kept.items[in->kept.count++] = kept;
}

static void keep_counted(struct turn *turn, struct instance *in, const struct counted *counted,
                         enum slot_kind kind)
{
    for (uint32_t i = 0; i < counted->kept.count; i++) {
        struct kept kept = counted->kept.items[i];

        if (kind == SLOT_STEP_FIRST && kept.kind != SLOT_STEP_DATA)
            continue;
        if (kept.kind == SLOT_STEP_DATA)
            kept.kind = (uint8_t)kind;
        keep_one(turn, in, kept);
    }
}

static void keep_count(struct turn *turn, struct instance *in, uint32_t count)
{
    struct kept kept = {
        .kind = SLOT_STEP_ATTR, .step = in->step, .id = ATTR_COUNT, .value = value_int(count)};

    if ((turn->view->moment_views[in->moment_index].step_attrs[in->step] & 1U << ATTR_COUNT) != 0)
        keep_one(turn, in, kept);
}

/* --- count --------------------------------------------------------------------------------------- */

/* Behind those of the same time. */
static void counted_insert(struct turn *turn, struct instance *in, struct counted counted)
{
    uint32_t at;

    STATE_RESERVE(turn->arena, in->counted, in->counted_count, in->counted_capacity);
    for (at = in->counted_count; at > 0 && in->counted[at - 1].time_ms > counted.time_ms; at--)
        in->counted[at] = in->counted[at - 1];
    in->counted[at] = counted;
    in->counted_count++;
    if (in->counted_count > LIMIT_STEP_EVENTS) {
        STATE_REMOVE(in->counted, in->counted_count, 0);
        turn->counts->forgotten++;
    }
}

static void count_insert(struct turn *turn, struct instance *in)
{
    struct counted counted = {.time_ms = turn->event->time_ms};

    scope_keep_step(turn, instance_moment(turn, in), in->step, SLOT_STEP_DATA, &counted.kept);
    counted_insert(turn, in, counted);
}

/* The last of `step->count` events less than D apart; -1: there are not so many. */
static int count_complete(const struct moment_step *step, const struct instance *in)
{
    uint32_t wanted = step->count;

    for (uint32_t last = in->counted_count; last-- > 0 && last + 1 >= wanted;) {
        int64_t apart = in->counted[last].time_ms - in->counted[last + 1 - wanted].time_ms;

        if (step->span_ms == 0 || apart < step->span_ms)
            return (int)last;
    }
    return -1;
}

/* As first step it lives until its newest event is D old; as a later one like any step. */
static void count_go_on(const struct moment_step *step, struct instance *in)
{
    int64_t newest = in->counted[in->counted_count - 1].time_ms;

    if (in->step != 0)
        return;
    in->first_ms = in->counted[0].time_ms;
    in->step_ms = in->first_ms;
    in->due_ms = newest + (step->span_ms != 0 ? step->span_ms : EXPIRES_MS);
}

static void count_take(struct turn *turn, struct instance *in)
{
    const struct moment_step *step = &instance_moment(turn, in)->steps[in->step];
    int last;

    turn->changed = true;
    count_insert(turn, in);
    last = count_complete(step, in);
    if (last < 0) {
        count_go_on(step, in);
        return;
    }
    keep_counted(turn, in, &in->counted[last], SLOT_STEP_DATA);
    if (step->first_captured)
        keep_counted(turn, in, &in->counted[(uint32_t)last + 1 - step->count], SLOT_STEP_FIRST);
    keep_count(turn, in, step->count);
    step_on(turn, in, in->counted[last].time_ms);
}

bool steps_join_counts(struct turn *turn, struct instance *in, const struct instance *other)
{
    const struct moment_step *step = &instance_moment(turn, in)->steps[in->step];

    if (in->phase != PHASE_STEPS || other->phase != PHASE_STEPS || in->step != other->step ||
        step->kind != STEP_COUNT)
        return false;
    for (uint32_t i = 0; i < other->counted_count; i++)
        if (in->step == 0 || other->counted[i].time_ms >= in->step_ms)
            counted_insert(turn, in, other->counted[i]);
    if (in->counted_count != 0)
        count_go_on(step, in);
    return true;
}

/* --- every --------------------------------------------------------------------------------------- */

/* As first step it counts from the newest event, which step_ms remembers; as a later one from the
 * step before, behind which step_ms keeps older events out, so there the newest is in due_ms. */
static void every_take(struct turn *turn, struct instance *in)
{
    int64_t span_ms = instance_moment(turn, in)->steps[in->step].span_ms;
    int64_t time_ms = turn->event->time_ms;

    int64_t due_ms;

    turn->changed = true;
    if (in->step == 0)
        in->step_ms = time_ms > in->step_ms ? time_ms : in->step_ms;
    due_ms = (in->step == 0 ? in->step_ms : time_ms) + span_ms;
    if (in->due_ms != STEP_NO_TIMER && due_ms <= in->due_ms)
        return;
    in->due_ms = due_ms;
    in->waits = 0;
}

/* --- becomes ------------------------------------------------------------------------------------- */

/* Time that passed has no data, but a time of its own. */
static void keep_time(struct turn *turn, struct instance *in, int64_t time_ms)
{
    struct kept kept = {.kind = SLOT_STEP_ATTR,
                        .step = in->step,
                        .id = ATTR_TIME,
                        .value = value_timestamp_ms(time_ms)};

    if ((turn->view->moment_views[in->moment_index].step_attrs[in->step] & 1U << ATTR_TIME) != 0)
        keep_one(turn, in, kept);
}

/* An event too old for the step moves the facts all the same. */
static enum took becomes_take(const struct offer *offer, struct instance *in)
{
    const struct moment_step *step = &offer->moment->steps[in->step];

    if (!offer_listens(offer, step->types, step->type_count))
        return TOOK_NOT;
    if (offer->time_ms >= in->step_ms && becomes_turned(offer->turn, in, step)) {
        keep_time(offer->turn, in, offer->time_ms);
        step_on(offer->turn, in, offer->time_ms);
        return TOOK_IT;
    }
    in->due_ms = becomes_due(offer->turn, in, step);
    offer->turn->changed = true;
    return TOOK_NOT;
}

/* --- a record ------------------------------------------------------------------------------------ */

bool steps_crosses(const struct offer *offer, const struct instance *in)
{
    bool crossed = false;

    for (size_t step = 1; step < offer->moment->step_count; step++) {
        const struct moment_step *s = &offer->moment->steps[step];

        if (s->kind == STEP_CROSSES && offer_is_about(offer, in, s->any_about) &&
            offer_crosses(offer, in, step, in->about) && in->phase == PHASE_STEPS &&
            step == in->step)
            crossed = true;
    }
    return crossed;
}

enum took steps_offer(const struct offer *offer, struct instance *in, bool crossed)
{
    struct turn *turn = offer->turn;
    const struct moment_step *step = &offer->moment->steps[in->step];
    int64_t time_ms = turn->event->time_ms;

    if (step->kind == STEP_BECOMES)
        return becomes_take(offer, in);
    if (in->step > 0 && (time_ms < in->step_ms || (time_ms >= in->due_ms && in->waits == 0)))
        return TOOK_NOT;
    switch (step->kind) {
    case STEP_EVENT:
        if (!offer_matches(offer, in, in->step))
            return TOOK_NOT;
        keep_step(turn, in);
        step_on(turn, in, time_ms);
        return TOOK_IT;
    case STEP_ABSENT:
        if (!offer_matches(offer, in, in->step))
            return TOOK_NOT;
        instances_end(turn, in, REASON_BROKEN, NULL);
        return TOOK_BROKE;
    case STEP_COUNT:
        if (!offer_matches(offer, in, in->step))
            return TOOK_NOT;
        count_take(turn, in);
        return TOOK_IT;
    case STEP_EVERY: /* as first step: asked before (is_heartbeat) */
        if (in->step == 0 || !offer_matches(offer, in, in->step))
            return TOOK_NOT;
        every_take(turn, in);
        return TOOK_IT;
    case STEP_CROSSES:
        if (!crossed)
            return TOOK_NOT;
        keep_step(turn, in);
        step_on(turn, in, time_ms);
        return TOOK_IT;
    case STEP_BECOMES: /* above */
    case STEP_WAIT:
    case STEP_AT: return TOOK_NOT; /* no record completes or breaks them */
    case STEP_KIND_COUNT: break;
    }
    CHECK_NEVER("a step of no kind");
}

/* What `every` as first step watches for keeps it going, even if `withdraw` names that type, too:
 * the opening that comes in time is none that ends the watch. */
bool steps_is_heartbeat(const struct offer *offer, const struct instance *in)
{
    return in->phase == PHASE_STEPS && in->step == 0 &&
           offer->moment->steps[0].kind == STEP_EVERY && offer_matches(offer, in, 0);
}

void steps_take_heartbeat(const struct offer *offer, struct instance *in)
{
    every_take(offer->turn, in);
}

void steps_start(const struct offer *offer, struct instance *in)
{
    struct turn *turn = offer->turn;

    in->phase = PHASE_STEPS;
    in->step = 0;
    in->fresh = turn->event != NULL;
    in->waits = 0;
    in->due_ms = STEP_NO_TIMER;
    in->opener = turn->opener;
    in->first_ms = in->step_ms = offer->time_ms;
    in->kept.count = 0;
    in->counted_count = 0;
    steps_stamp(turn, in);
    if (turn->event != NULL)
        chain_keep_trace(turn, in);
    if (offer->moment->steps[0].kind == STEP_COUNT) {
        count_take(turn, in);
        return;
    }
    if (offer->moment->steps[0].kind == STEP_EVERY) {
        every_take(turn, in);
        return;
    }
    if (offer->moment->steps[0].kind == STEP_BECOMES)
        keep_time(turn, in, offer->time_ms);
    else
        keep_step(turn, in);
    step_on(turn, in, offer->time_ms);
}

/* --- other steps came into force ------------------------------------------------------------------- */

static void forget_steps_behind_first(struct instance *in)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < in->kept.count; i++)
        if (in->kept.items[i].step == 0 && in->kept.items[i].kind >= SLOT_STEP_DATA)
            in->kept.items[kept++] = in->kept.items[i];
    in->kept.count = kept;
}

void steps_resume(struct turn *turn, struct instance *in)
{
    const struct moment_step *step = &instance_moment(turn, in)->steps[in->step];

    in->waits = 0;
    turn->changed = true;
    if (step->kind != STEP_COUNT)
        in->counted_count = 0;
    if (in->step == 0 && step->kind == STEP_COUNT)
        count_go_on(step, in);
    else if (in->step == 0)
        in->due_ms = in->step_ms + step->span_ms;
    else
        step_begin(turn, in, step);
}

void steps_restart(struct turn *turn, struct instance *in)
{
    forget_steps_behind_first(in);
    in->phase = PHASE_STEPS;
    in->act = 0;
    in->hold = HOLD_NONE;
    in->blocker_about = STR_EMPTY;
    in->step = 1;
    in->step_ms = turn->now_ms;
    steps_resume(turn, in);
}

/* --- time ---------------------------------------------------------------------------------------- */

static void time_passed(struct turn *turn, struct instance *in)
{
    keep_time(turn, in, in->due_ms);
    step_on(turn, in, in->due_ms);
}

void steps_look_again(const struct turn *turn, struct instance *in)
{
    const struct moment_step *step = &instance_moment(turn, in)->steps[in->step];

    if (step->kind == STEP_BECOMES)
        in->due_ms = becomes_due(turn, in, step);
}

static void becomes_time_out(struct turn *turn, struct instance *in, const struct moment_step *step)
{
    if (in->due_ms >= in->step_ms + EXPIRES_MS) {
        instances_end(turn, in, REASON_EXPIRED, NULL);
    } else if (becomes_turned(turn, in, step)) {
        time_passed(turn, in);
    } else {
        in->due_ms = becomes_due(turn, in, step);
        turn->changed = true;
    }
}

void steps_time_out(struct turn *turn, struct instance *in)
{
    const struct moment_step *step = &instance_moment(turn, in)->steps[in->step];

    if (step->kind == STEP_BECOMES)
        becomes_time_out(turn, in, step);
    else if ((step->kind == STEP_ABSENT || step->kind == STEP_EVERY) &&
             waiting_begins(turn, in, step))
        return;
    else if (!step_has_event(step->kind))
        time_passed(turn, in);
    else if (step->kind == STEP_COUNT && in->step == 0)
        instances_close(turn, in);
    else
        instances_end(turn, in, REASON_EXPIRED, NULL);
}
