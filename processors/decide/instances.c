/* One record, several roles.  The order is that of docs/moments.md: open instances first, each of
 * which takes the record at most once; then, if none of them took it (breaking is not taking),
 * the first step.  `every` as first step is offered it in any case: the opening that ends one watch
 * begins the next.  An instance opened by this record is `fresh` and not offered it.
 *
 * What a step takes of a record is in steps.c; whether it concerns the moment at all, in offer.c.
 * `withdraw` takes nothing older than the first step.
 */
#include "processors/decide/instances.h"

#include "core/when.h"
#include "processors/decide/becomes.h"
#include "processors/decide/bound.h"
#include "processors/decide/chain.h"
#include "processors/decide/memory.h"
#include "processors/decide/pace.h"
#include "processors/decide/steps.h"

const struct moment *instance_moment(const struct turn *turn, const struct instance *in)
{
    return &turn->set->moments[in->moment_index];
}

/* --- an open instance ---------------------------------------------------------------------------- */

static bool withdraws(const struct offer *offer, const struct instance *in)
{
    for (size_t i = 0; i < offer->moment->withdraw_count; i++) {
        const struct listener *w = &offer->moment->withdraw[i];

        if (!offer_listens(offer, w->types, w->type_count) ||
            !offer_is_about(offer, in, w->any_about) ||
            offer->turn->event->time_ms < in->first_ms || !offer_holds(offer, in, w->condition))
            continue;
        steps_tell(offer->turn, in, DID_WITHDRAW, i);
        return true;
    }
    return false;
}

static enum took offer_instance(const struct offer *offer, struct instance *in)
{
    bool crossed = steps_crosses(offer, in);

    if (in->phase == PHASE_ENDED || in->fresh)
        return TOOK_NOT;
    if (steps_is_heartbeat(offer, in)) {
        steps_take_heartbeat(offer, in);
        return TOOK_IT;
    }
    if (withdraws(offer, in)) {
        instances_end(offer->turn, in, REASON_WITHDRAWN, NULL);
        return TOOK_IT;
    }
    return in->phase == PHASE_STEPS ? steps_offer(offer, in, crossed) : TOOK_NOT;
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

void instances_insert(struct turn *turn, struct instance *in)
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

static void open_instance(const struct offer *offer)
{
    struct arena *arena = offer->turn->arena;
    struct instance *in = ARENA_NEW(arena, struct instance);

    in->moment = offer->moment->id;
    in->moment_index = (uint16_t)offer->index;
    in->about = arena_str(arena, offer->about);
    in->about_value = value_copy(arena, offer->about_value);
    in->due_ms = STEP_NO_TIMER;
    instances_insert(offer->turn, in);
    steps_start(offer, in);
}

static void refuse(const struct offer *offer, enum reason reason, int64_t until_ms)
{
    struct arena *arena = offer->turn->arena;
    struct trail trail = {.count = 0};
    struct buf until = {0};

    if (reason == REASON_AGAIN) {
        when_put_rfc3339(&until, until_ms);
        trail_add(&trail, arena, STAGE_AGAIN, false, "not before %s", buf_text(&until));
        trail_need(&trail, arena, "if it had happened at %s or later", buf_text(&until));
        buf_free(&until);
    } else if (bound_is_reached(offer->turn->state)) {
        trail_add(&trail, arena, STAGE_PATTERN, false, "the customer's state is full");
        trail_need(&trail, arena, "if less were kept of the customer");
    } else {
        trail_add(&trail, arena, STAGE_PATTERN, false, "%u are open already",
                  offer->moment->instances);
        trail_need(&trail, arena, "if fewer than %u were open", offer->moment->instances);
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
    if (offer->turn->event != NULL && !offer_listens(offer, first->types, first->type_count))
        return;
    if (first->kind == STEP_CROSSES || first->kind == STEP_BECOMES
            ? !offer->turned
            : !offer_holds(offer, NULL, first->condition))
        return;
    same = find_open(offer, &open);
    if (same != NULL) {
        if (first->restart && same->phase == PHASE_STEPS && first->kind != STEP_COUNT &&
            offer->time_ms >= same->first_ms)
            steps_start(offer, same);
        return;
    }
    if (!refused(offer, open))
        open_instance(offer);
}

/* --- a record ------------------------------------------------------------------------------------ */

/* Most events find no instance open and cannot open one: they cost no evaluation. */
static bool concerns(const struct offer *offer)
{
    const struct state *state = offer->turn->state;
    const struct moment_step *first = &offer->moment->steps[0];

    if (offer_listens(offer, first->types, first->type_count))
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
        offer->turned = offer_crosses(offer, NULL, 0, offer->about);
    } else if (first->kind == STEP_BECOMES &&
               (turn->event == NULL || offer_listens(offer, first->types, first->type_count))) {
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
    offer_read_about(&offer);
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

/* --- ending -------------------------------------------------------------------------------------- */

void instances_close(struct turn *turn, struct instance *in)
{
    if (in->hold == HOLD_PACED)
        pace_leave(turn, in);
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
