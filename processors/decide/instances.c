/* One record, several roles.  The order is that of docs/moments.md: open instances first, each of
 * which takes the record at most once; then, if none of them took it (breaking is not taking),
 * the first step.  `every` as first step is offered it in any case: the opening that ends one watch
 * begins the next.  An instance opened by this record is `fresh` and not offered it.
 *
 * Same about: an event on which `about` can be read belongs to the instance of that about; one
 * that lacks it belongs to all.  So `about` is evaluated once per moment and record.
 *
 * Late events: a step takes nothing older than the step before; `withdraw` nothing older than
 * the first step.
 */
#include "processors/decide/instances.h"

#include "core/check.h"
#include "core/hash.h"
#include "core/when.h"
#include "processors/decide/becomes.h"
#include "processors/decide/bound.h"
#include "processors/decide/chain.h"
#include "processors/decide/funnel.h"
#include "processors/decide/memory.h"
#include "processors/decide/waiting.h"

/* A step without an end of its own is given up after this long. */
#define EXPIRES_MS ((int64_t)400 * WHEN_DAY_MS)

struct offer { /* a record and one moment */
    struct turn *turn;
    const struct moment *moment;
    int index;        /* of the moment */
    bool about_known; /* or the moment has none */
    struct str about;
    struct value about_value;
    bool turned;     /* the first step is `crosses` or `becomes`, and did so now */
    int64_t time_ms; /* of the event, or when time ran out */
};

enum took { TOOK_NOT, TOOK_IT, TOOK_BROKE };

const struct moment *instance_moment(const struct turn *turn, const struct instance *in)
{
    return &turn->set->moments[in->moment_index];
}

static void tell(const struct turn *turn, const struct instance *in, enum did what, size_t number)
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

/* --- matching ------------------------------------------------------------------------------------ */

static bool listens(const struct offer *offer, const uint16_t *types, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (types[i] == offer->turn->type_index)
            return true;
    return false;
}

static bool same_about(const struct offer *offer, const struct instance *in, bool any_about)
{
    return any_about || !offer->about_known || str_equal(offer->about, in->about);
}

static bool holds(const struct offer *offer, const struct instance *in,
                  const struct cel_program *condition)
{
    struct scope scope = {.turn = offer->turn, .instance = in, .about = offer->about_value};

    return scope_ask(&scope, offer->index, condition) == TRUTH_YES;
}

static bool matches_step(const struct offer *offer, const struct instance *in, size_t step)
{
    const struct moment_step *s = &offer->moment->steps[step];

    return listens(offer, s->types, s->type_count) && same_about(offer, in, s->any_about) &&
           holds(offer, in, s->condition);
}

static bool withdraws(const struct offer *offer, const struct instance *in)
{
    for (size_t i = 0; i < offer->moment->withdraw_count; i++) {
        const struct listener *w = &offer->moment->withdraw[i];

        if (!listens(offer, w->types, w->type_count) || !same_about(offer, in, w->any_about) ||
            offer->turn->event->time_ms < in->first_ms || !holds(offer, in, w->condition))
            continue;
        tell(offer->turn, in, DID_WITHDRAW, i);
        return true;
    }
    return false;
}

/* --- stepping on --------------------------------------------------------------------------------- */

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
    if (in->step < moment->step_count) {
        step_begin(turn, in, &moment->steps[in->step]);
        tell(turn, in, DID_STEP, in->step - 1U);
        return;
    }
    tell(turn, in, DID_STEP, in->step - 1U);
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

static void count_insert(struct turn *turn, struct instance *in)
{
    int64_t time_ms = turn->event->time_ms;
    struct counted counted = {.time_ms = time_ms};
    uint32_t at;

    scope_keep_step(turn, instance_moment(turn, in), in->step, SLOT_STEP_DATA, &counted.kept);
    STATE_RESERVE(turn->arena, in->counted, in->counted_count, in->counted_capacity);
    for (at = in->counted_count; at > 0 && in->counted[at - 1].time_ms > time_ms; at--)
        in->counted[at] = in->counted[at - 1];
    in->counted[at] = counted;
    in->counted_count++;
    if (in->counted_count > LIMIT_STEP_EVENTS) {
        STATE_REMOVE(in->counted, in->counted_count, 0);
        turn->counts->forgotten++;
    }
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

    if (!listens(offer, step->types, step->type_count))
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

/* --- crosses ------------------------------------------------------------------------------------- */

/* Every value moves the state, whatever the instance waits for. */
static bool cross(const struct offer *offer, const struct instance *in, size_t step,
                  struct str about)
{
    const struct moment_step *s = &offer->moment->steps[step];
    struct scope scope = {.turn = offer->turn, .instance = in, .about = offer->about_value};
    struct value v;
    double number;

    if (!listens(offer, s->types, s->type_count) || !holds(offer, in, s->condition))
        return false;
    v = scope_eval(&scope, offer->index, s->value);
    if (v.kind == VALUE_DOUBLE)
        number = v.d;
    else if (v.kind == VALUE_INT)
        number = (double)v.i;
    else
        return false;
    if (number != number)
        return false;
    return memory_cross(offer->turn, offer->moment, step, about, number,
                        offer->turn->event->time_ms);
}

/* Of the later steps of an instance that are `crosses`, the current one's answer. */
static bool cross_later(const struct offer *offer, const struct instance *in)
{
    bool crossed = false;

    for (size_t step = 1; step < offer->moment->step_count; step++) {
        const struct moment_step *s = &offer->moment->steps[step];

        if (s->kind == STEP_CROSSES && same_about(offer, in, s->any_about) &&
            cross(offer, in, step, in->about) && in->phase == PHASE_STEPS && step == in->step)
            crossed = true;
    }
    return crossed;
}

/* --- an open instance ---------------------------------------------------------------------------- */

static enum took offer_step(const struct offer *offer, struct instance *in, bool crossed)
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
        if (!matches_step(offer, in, in->step))
            return TOOK_NOT;
        keep_step(turn, in);
        step_on(turn, in, time_ms);
        return TOOK_IT;
    case STEP_ABSENT:
        if (!matches_step(offer, in, in->step))
            return TOOK_NOT;
        instances_end(turn, in, REASON_BROKEN, NULL);
        return TOOK_BROKE;
    case STEP_COUNT:
        if (!matches_step(offer, in, in->step))
            return TOOK_NOT;
        count_take(turn, in);
        return TOOK_IT;
    case STEP_EVERY: /* as first step: asked before (is_heartbeat) */
        if (in->step == 0 || !matches_step(offer, in, in->step))
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
static bool is_heartbeat(const struct offer *offer, const struct instance *in)
{
    return in->phase == PHASE_STEPS && in->step == 0 &&
           offer->moment->steps[0].kind == STEP_EVERY && matches_step(offer, in, 0);
}

static enum took offer_instance(const struct offer *offer, struct instance *in)
{
    bool crossed = cross_later(offer, in);

    if (in->phase == PHASE_ENDED || in->fresh)
        return TOOK_NOT;
    if (is_heartbeat(offer, in)) {
        every_take(offer->turn, in);
        return TOOK_IT;
    }
    if (withdraws(offer, in)) {
        instances_end(offer->turn, in, REASON_WITHDRAWN, NULL);
        return TOOK_IT;
    }
    return in->phase == PHASE_STEPS ? offer_step(offer, in, crossed) : TOOK_NOT;
}

/* --- the first step ------------------------------------------------------------------------------ */

static struct instance *find_open(const struct offer *offer, uint32_t *open)
{
    const struct state *state = offer->turn->state;
    struct instance *same = NULL;

    *open = 0;
    for (uint32_t i = 0; i < state->instance_count; i++) {
        struct instance *in = state->instances[i];

        if (in->moment != offer->moment->id || in->phase == PHASE_ENDED)
            continue;
        (*open)++;
        if (str_equal(in->about, offer->about))
            same = in;
    }
    return same;
}

/* Kept in order of (moment's name, about): the order of timers, and of blobs. */
static void insert_instance(struct turn *turn, struct instance *in)
{
    struct state *state = turn->state;
    uint32_t at;

    STATE_RESERVE(turn->arena, state->instances, state->instance_count, state->instance_capacity);
    for (at = state->instance_count; at > 0; at--) {
        const struct instance *before = state->instances[at - 1];

        if (before->moment_index < in->moment_index || (before->moment_index == in->moment_index &&
                                                        str_compare(before->about, in->about) <= 0))
            break;
        state->instances[at] = state->instances[at - 1];
    }
    state->instances[at] = in;
    state->instance_count++;
}

static void start(const struct offer *offer, struct instance *in)
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

static void open_instance(const struct offer *offer)
{
    struct arena *arena = offer->turn->arena;
    struct instance *in = ARENA_NEW(arena, struct instance);

    in->moment = offer->moment->id;
    in->moment_index = (uint16_t)offer->index;
    in->about = arena_str(arena, offer->about);
    in->about_value = value_copy(arena, offer->about_value);
    in->due_ms = STEP_NO_TIMER;
    insert_instance(offer->turn, in);
    start(offer, in);
}

static void refuse(const struct offer *offer, enum reason reason, int64_t until_ms)
{
    struct arena *arena = offer->turn->arena;
    struct trail trail = {.count = 0};
    struct buf until = {0};

    if (reason == REASON_AGAIN) {
        when_put_rfc3339(&until, until_ms);
        trail_add(&trail, arena, STAGE_AGAIN, false, "not before %s", buf_text(&until));
        buf_free(&until);
    } else if (bound_is_reached(offer->turn->state)) {
        trail_add(&trail, arena, STAGE_PATTERN, false, "the customer's state is full");
    } else {
        trail_add(&trail, arena, STAGE_PATTERN, false, "%u are open already",
                  offer->moment->instances);
    }
    explain_write(offer->turn, &(struct explained){.verdict = VERDICT_SILENT,
                                                   .reason = reason,
                                                   .moment = offer->moment->name,
                                                   .about = offer->about,
                                                   .trail = &trail});
}

static bool refused(const struct offer *offer, uint32_t open)
{
    struct turn *turn = offer->turn;
    int64_t until_ms = memory_again_until(turn->state, offer->moment, offer->about);

    if (offer->time_ms < until_ms) {
        if (memory_refuse_again(turn, offer->moment, offer->about))
            refuse(offer, REASON_AGAIN, until_ms);
        return true;
    }
    if (open >= offer->moment->instances || bound_is_reached(turn->state)) {
        if (memory_refuse_limit(turn, offer->moment))
            refuse(offer, REASON_LIMIT, 0);
        return true;
    }
    return false;
}

static void offer_first(const struct offer *offer)
{
    const struct moment_step *first = &offer->moment->steps[0];
    struct instance *same;
    uint32_t open;

    if (!offer->about_known)
        return;
    if (offer->turn->event != NULL && !listens(offer, first->types, first->type_count))
        return;
    if (first->kind == STEP_CROSSES || first->kind == STEP_BECOMES
            ? !offer->turned
            : !holds(offer, NULL, first->condition))
        return;
    same = find_open(offer, &open);
    if (same != NULL) {
        if (first->restart && same->phase == PHASE_STEPS && first->kind != STEP_COUNT &&
            offer->time_ms >= same->first_ms)
            start(offer, same);
        return;
    }
    if (!refused(offer, open))
        open_instance(offer);
}

/* --- a record ------------------------------------------------------------------------------------ */

/* About as text: what names the instance, the same for 1 and 1.0. */
static void read_about(struct offer *offer)
{
    struct scope scope = {.turn = offer->turn};
    struct buf text = {0};
    struct value v;

    offer->about_known = true;
    if (offer->moment->about == NULL)
        return;
    /* only an event that could open an instance has to have it */
    v = listens(offer, offer->moment->steps[0].types, offer->moment->steps[0].type_count)
            ? scope_eval(&scope, offer->index, offer->moment->about)
            : scope_try(&scope, offer->moment->about);
    offer->about_known = v.kind == VALUE_STRING || v.kind == VALUE_BOOL || v.kind == VALUE_INT ||
                         v.kind == VALUE_UINT || v.kind == VALUE_DOUBLE ||
                         v.kind == VALUE_TIMESTAMP;
    if (!offer->about_known)
        return;
    offer->about_value = v;
    if (v.kind == VALUE_STRING) {
        offer->about = value_str(v);
    } else {
        cel_print(&text, v);
        offer->about = arena_str(offer->turn->arena, buf_str(&text));
        buf_free(&text);
    }
    if (offer->about.len > LIMIT_ABOUT_BYTES)
        offer->about_known = false;
}

/* Most events find no instance open and cannot open one: they cost no evaluation. */
static bool concerns(const struct offer *offer)
{
    const struct state *state = offer->turn->state;
    const struct moment_step *first = &offer->moment->steps[0];

    if (listens(offer, first->types, first->type_count))
        return true;
    for (uint32_t i = 0; i < state->instance_count; i++)
        if (state->instances[i]->moment == offer->moment->id)
            return true;
    return false;
}

/* The first step's own state goes on whatever the record does to open instances. */
static void look_first(struct offer *offer)
{
    const struct moment_step *first = &offer->moment->steps[0];
    struct turn *turn = offer->turn;

    if (first->kind == STEP_CROSSES && offer->about_known) {
        offer->turned = cross(offer, NULL, 0, offer->about);
    } else if (first->kind == STEP_BECOMES &&
               (turn->event == NULL || listens(offer, first->types, first->type_count))) {
        offer->turned = becomes_turned(turn, NULL, first);
        memory_look_at(turn, offer->moment, becomes_due_ms(turn, first));
    }
}

static void offer_moment(struct turn *turn, uint16_t index)
{
    struct offer offer = {.turn = turn,
                          .moment = &turn->set->moments[index],
                          .index = index,
                          .time_ms = turn->event->time_ms};
    uint32_t count = turn->state->instance_count;
    bool took = false;

    if (!concerns(&offer))
        return;
    read_about(&offer);
    look_first(&offer);
    for (uint32_t i = 0; i < count; i++)
        if (turn->state->instances[i]->moment == offer.moment->id &&
            offer_instance(&offer, turn->state->instances[i]) == TOOK_IT)
            took = true;
    if (!took || offer.moment->steps[0].kind == STEP_EVERY)
        offer_first(&offer);
}

void instances_offer(struct turn *turn)
{
    turn->counts->offers += turn->type->moment_count;
    for (size_t i = 0; i < turn->type->moment_count; i++)
        offer_moment(turn, turn->type->moments[i]);
    for (uint32_t i = 0; i < turn->state->instance_count; i++)
        turn->state->instances[i]->fresh = false;
}

/* --- time ---------------------------------------------------------------------------------------- */

static void time_passed(struct turn *turn, struct instance *in)
{
    keep_time(turn, in, in->due_ms);
    step_on(turn, in, in->due_ms);
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

void instances_look(struct turn *turn, uint16_t index, int64_t due_ms)
{
    struct offer offer = {.turn = turn,
                          .moment = &turn->set->moments[index],
                          .index = index,
                          .about_known = true,
                          .time_ms = due_ms};

    if (offer.moment->step_count == 0 || offer.moment->steps[0].kind != STEP_BECOMES) {
        memory_look_at(turn, offer.moment, STEP_NO_TIMER); /* of other rules before */
        return;
    }
    look_first(&offer);
    offer_first(&offer);
}

void instances_time_out(struct turn *turn, struct instance *in)
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

/* --- ending -------------------------------------------------------------------------------------- */

void instances_close(struct turn *turn, struct instance *in)
{
    in->phase = PHASE_ENDED;
    in->due_ms = STEP_NO_TIMER;
    in->waits = 0;
    turn->changed = true;
    memory_end_limit(turn, in->moment);
}

void instances_end(struct turn *turn, struct instance *in, enum reason reason,
                   const struct trail *trail)
{
    const struct moment *moment = instance_moment(turn, in);
    struct explained explained = {
        .verdict = trail != NULL && in->phase != PHASE_OUT ? VERDICT_SILENT : VERDICT_ENDED,
        .reason = reason,
        .moment = moment->name,
        .about = in->about,
        .trail = trail};

    if (in->phase == PHASE_OUT) {
        explained.task = chain_task_id(turn, in);
        explained.channel = moment->acts[in->act].channel;
        chain_take_back(turn, in, moment, reason);
    } else if (in->phase != PHASE_STEPS && in->act < moment->act_count) {
        explained.channel = moment->acts[in->act].channel;
    }
    explain_write(turn, &explained);
    instances_close(turn, in);
}

void instances_sweep(struct state *state)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < state->instance_count; i++)
        if (state->instances[i]->phase != PHASE_ENDED)
            state->instances[kept++] = state->instances[i];
    state->instance_count = kept;
}
