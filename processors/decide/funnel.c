/* The funnel goes round until nobody asks any more.  One round: all who ask pass the stages up
 * to arbitration; the best of them and of those on hold goes on to its slot; what it beats waits
 * behind it (`outranked`).  Each round ends at least one candidacy - out, on hold, next action or
 * ended - so it ends.
 *
 * Who waits behind an instance asks again when that instance has ended or asks again itself.  The
 * order is total (tier, value, since when, moment, about), so nobody waits for himself.
 */
#include "processors/decide/funnel.h"

#include "core/check.h"
#include "core/when.h"
#include "processors/decide/caps.h"
#include "processors/decide/chain.h"
#include "processors/decide/consent.h"
#include "processors/decide/control.h"
#include "processors/decide/explain.h"
#include "processors/decide/instances.h"
#include "processors/decide/interlocks.h"
#include "processors/decide/needed.h"
#include "processors/decide/pace.h"
#include "processors/decide/slots.h"

void funnel_ask(struct turn *turn, struct instance *in, uint8_t act)
{
    in->phase = PHASE_ASKING;
    in->act = act;
    in->hold = HOLD_NONE;
    in->ready = false;
    in->asked_ms = turn->now_ms;
    in->deadline_ms = turn->now_ms + instance_moment(turn, in)->deadline_ms;
    in->due_ms = STEP_NO_TIMER;
    turn->changed = true;
}

static enum reason hold_reason(enum hold hold)
{
    switch (hold) {
    case HOLD_CAP: return REASON_CAP;
    case HOLD_OUTRANKED: return REASON_OUTRANKED;
    case HOLD_QUIET_HOURS: return REASON_QUIET_HOURS;
    case HOLD_QUEUE_CLOSED: return REASON_QUEUE_CLOSED;
    case HOLD_PACED: return REASON_PACED;
    case HOLD_NONE: break;
    }
    CHECK_NEVER("a hold for no reason");
}

/* --- not now ------------------------------------------------------------------------------------- */

static void write_decision(struct turn *turn, const struct instance *in, enum verdict verdict,
                           enum reason reason)
{
    const struct moment *moment = instance_moment(turn, in);

    explain_write(turn, &(struct explained){.verdict = verdict,
                                            .reason = reason,
                                            .moment = moment->name,
                                            .about = in->about,
                                            .trail = in->trail,
                                            .channel = moment->acts[in->act].channel,
                                            .until_ms = verdict == VERDICT_HOLD ? in->due_ms : 0});
}

/* A place in a paced line is for who waits for just that. */
static void keep_place(struct turn *turn, const struct instance *in, enum hold hold)
{
    if (in->hold == HOLD_PACED && hold != HOLD_PACED)
        pace_leave(turn, in);
}

/* This action cannot be: on to the next one, which asks in this turn. */
static void fall_back(struct turn *turn, struct instance *in, enum reason reason)
{
    write_decision(turn, in, VERDICT_SILENT, reason);
    keep_place(turn, in, HOLD_NONE);
    if (in->act + 1U < instance_moment(turn, in)->act_count)
        funnel_ask(turn, in, (uint8_t)(in->act + 1));
    else
        instances_close(turn, in);
}

/* Said once: going on to wait for the same is no news, nor is a place in a line that a more urgent
 * one has taken. */
static void wait_for(struct turn *turn, struct instance *in, enum hold hold, int64_t until_ms,
                     const struct instance *blocker)
{
    uint32_t moment = blocker != NULL ? blocker->moment : 0;
    struct str about = blocker != NULL ? blocker->about : STR_EMPTY;
    int64_t due_ms = until_ms < in->deadline_ms ? until_ms : in->deadline_ms;
    bool news = in->hold != hold || (hold != HOLD_PACED && in->due_ms != due_ms) ||
                in->blocker != moment || !str_equal(in->blocker_about, about);

    keep_place(turn, in, hold);
    in->phase = PHASE_HOLD;
    in->hold = (uint8_t)hold;
    in->due_ms = due_ms;
    in->blocker = moment;
    in->blocker_about = about;
    turn->changed = true;
    if (news)
        write_decision(turn, in, VERDICT_HOLD, hold_reason(hold));
}

static void outrank(struct turn *turn, struct instance *in, const struct instance *winner)
{
    const struct moment *mine = instance_moment(turn, in), *other = instance_moment(turn, winner);
    const struct tier *tiers = turn->set->policy.tiers;

    trail_add(in->trail, turn->arena, STAGE_ARBITRATION, false,
              "%.*s (%.*s, value %g) goes before %.*s, value %g", STR_ARG(other->name),
              STR_ARG(tiers[other->tier].name), winner->value, STR_ARG(tiers[mine->tier].name),
              in->value);
    if (mine->tier == other->tier)
        trail_need(in->trail, turn->arena, "without %.*s, or with a value above %g",
                   STR_ARG(other->name), winner->value);
    else
        trail_need(in->trail, turn->arena, "without %.*s, or in the tier %.*s",
                   STR_ARG(other->name), STR_ARG(tiers[other->tier].name));
    wait_for(turn, in, HOLD_OUTRANKED, in->deadline_ms, winner);
}

/* --- the stages before arbitration --------------------------------------------------------------- */

static struct str time_text(const struct turn *turn, int64_t at_ms)
{
    struct buf at = {0};
    struct str text;

    when_put_rfc3339(&at, at_ms);
    text = arena_str(turn->arena, buf_str(&at));
    buf_free(&at);
    return text;
}

static void say_pattern(struct turn *turn, struct instance *in)
{
    size_t steps = instance_moment(turn, in)->step_count;

    trail_add(in->trail, turn->arena, STAGE_PATTERN, true, "%zu of %zu steps, the last at %.*s",
              steps, steps, STR_ARG(time_text(turn, in->step_ms)));
}

/* REASON_TASK: passed. */
static enum reason pass_gates(struct turn *turn, struct instance *in)
{
    const struct moment *moment = instance_moment(turn, in);
    const struct {
        const struct cel_program *program;
        enum stage stage;
        enum reason reason;
    } gates[] = {{moment->eligible, STAGE_ELIGIBLE, REASON_NOT_ELIGIBLE},
                 {moment->relevant, STAGE_RELEVANT, REASON_NOT_RELEVANT},
                 {moment->suitable, STAGE_SUITABLE, REASON_NOT_SUITABLE}};
    struct scope scope = {.turn = turn, .instance = in, .kept = true};

    for (size_t i = 0; i < sizeof gates / sizeof gates[0]; i++) {
        enum truth truth = scope_ask(&scope, in->moment_index, gates[i].program);
        struct str words;

        if (gates[i].program == NULL)
            continue;
        words = explain_reads(&scope, gates[i].program, truth == TRUTH_YES);
        trail_add(in->trail, turn->arena, gates[i].stage, truth == TRUTH_YES, "%s%.*s",
                  truth == TRUTH_FAILED ? "could not be evaluated: " : "", STR_ARG(words));
        if (truth == TRUTH_YES)
            continue;
        in->trail->needed = needed_of(&scope, gates[i].program, true);
        return gates[i].reason;
    }
    return REASON_TASK;
}

/* True: free.  Otherwise it waits, or goes on to its next action. */
static bool pass_caps(struct turn *turn, struct instance *in)
{
    const struct moment *moment = instance_moment(turn, in);
    struct caps_answer answer = caps_ask(turn, moment, &moment->acts[in->act]);

    if (answer.asked == 0) {
        trail_add(in->trail, turn->arena, STAGE_CAPS, true, "none for this");
        return true;
    }
    trail_add(in->trail, turn->arena, STAGE_CAPS, !answer.refuses, "%u used of at most %.*s",
              answer.used, STR_ARG(answer.cap->text));
    if (!answer.refuses)
        return true;
    caps_need(in->trail, turn->arena, &answer);
    if (answer.free_ms < in->deadline_ms)
        wait_for(turn, in, HOLD_CAP, answer.free_ms, NULL);
    else
        fall_back(turn, in, REASON_CAP);
    return false;
}

static double value_of(struct turn *turn, struct instance *in)
{
    const struct moment *moment = instance_moment(turn, in);
    struct scope scope = {.turn = turn, .instance = in, .kept = true};
    struct value v;

    if (moment->value == NULL)
        return 0;
    v = scope_eval(&scope, in->moment_index, moment->value);
    if (v.kind == VALUE_INT)
        return (double)v.i;
    return v.kind == VALUE_DOUBLE && v.d == v.d ? v.d : 0;
}

static void consider(struct turn *turn, struct instance *in)
{
    const struct moment *moment = instance_moment(turn, in);
    enum reason reason;

    in->ready = false;
    in->trail = ARENA_NEW(turn->arena, struct trail);
    say_pattern(turn, in);
    reason = pass_gates(turn, in);
    if (reason != REASON_TASK) {
        instances_end(turn, in, reason, in->trail);
        return;
    }
    if (interlocks_stop(turn, in, in->trail)) {
        instances_end(turn, in, REASON_INTERLOCK, in->trail);
        return;
    }
    if (control_holds(turn, in, in->trail)) {
        instances_end(turn, in, REASON_CONTROL, in->trail);
        return;
    }
    if (!pass_caps(turn, in))
        return;
    reason = consent_ask(turn, moment, &moment->acts[in->act], in->trail);
    if (reason != REASON_TASK) {
        fall_back(turn, in, reason);
        return;
    }
    in->value = value_of(turn, in);
    in->ready = true;
}

/* --- arbitration --------------------------------------------------------------------------------- */

static bool goes_before(const struct turn *turn, const struct instance *a, const struct instance *b)
{
    uint32_t tier_a = instance_moment(turn, a)->tier, tier_b = instance_moment(turn, b)->tier;

    if (tier_a != tier_b)
        return tier_a < tier_b;
    if (a->value < b->value || a->value > b->value)
        return a->value > b->value;
    if (a->asked_ms != b->asked_ms)
        return a->asked_ms < b->asked_ms;
    if (a->moment_index != b->moment_index)
        return a->moment_index < b->moment_index;
    return str_compare(a->about, b->about) < 0;
}

static bool asks(const struct instance *in)
{
    return in->phase == PHASE_ASKING && in->ready;
}

/* On hold and in the running: what waits for a cap could not go anyway. */
static bool waits(const struct instance *in)
{
    return in->phase == PHASE_HOLD && in->hold != HOLD_CAP;
}

/* Of all but one; NULL: of all. */
static struct instance *best_but(const struct turn *turn, const struct instance *but)
{
    struct instance *best = NULL;

    for (uint32_t i = 0; i < turn->state->instance_count; i++) {
        struct instance *in = turn->state->instances[i];

        if (in != but && (asks(in) || waits(in)) && (best == NULL || goes_before(turn, in, best)))
            best = in;
    }
    return best;
}

static void put_behind(struct turn *turn, const struct instance *winner)
{
    for (uint32_t i = 0; i < turn->state->instance_count; i++) {
        struct instance *in = turn->state->instances[i];
        bool beaten = waits(in) && in->hold != HOLD_OUTRANKED && goes_before(turn, winner, in);

        if (in == winner || (!asks(in) && !beaten))
            continue;
        if (beaten)
            in->trail = ARENA_NEW(turn->arena, struct trail);
        outrank(turn, in, winner);
    }
}

/* --- slot, texts, task --------------------------------------------------------------------------- */

/* True: it may go now.  Otherwise it waits, or goes on to its next action. */
static bool pass_slot(struct turn *turn, struct instance *in, const struct slots *slots)
{
    enum hold closed = slots_closed(slots, turn->now_ms);
    int64_t open_ms = slots_next(slots, turn->now_ms, in->deadline_ms);
    struct str words = slots_words(slots, turn->now_ms, turn->arena);
    struct str at;

    if (closed == HOLD_NONE) {
        trail_add(in->trail, turn->arena, STAGE_SLOT, true, "%.*s", STR_ARG(words));
        return true;
    }
    if (open_ms == INT64_MAX) {
        trail_add(in->trail, turn->arena, STAGE_SLOT, false, "%.*s, until after the deadline",
                  STR_ARG(words));
        open_ms = slots_next(slots, turn->now_ms, INT64_MAX);
        if (open_ms != INT64_MAX)
            trail_need(in->trail, turn->arena, "with a deadline after %.*s",
                       STR_ARG(time_text(turn, open_ms)));
        else
            trail_need(in->trail, turn->arena,
                       "with other hours: there is none in the next %d days", SLOT_SEARCH_DAYS);
        fall_back(turn, in, REASON_NO_SLOT);
        return false;
    }
    at = time_text(turn, open_ms);
    trail_add(in->trail, turn->arena, STAGE_SLOT, false, "%.*s, until %.*s", STR_ARG(words),
              STR_ARG(at));
    trail_need(in->trail, turn->arena, "after %.*s", STR_ARG(at));
    wait_for(turn, in, closed, open_ms, NULL);
    return false;
}

/* The same for the place in the line of its queue or channel.  The place is used up even if a text
 * cannot be filled then. */
static bool pass_pace(struct turn *turn, struct instance *in, const struct slots *slots)
{
    const struct moment *moment = instance_moment(turn, in);
    const struct pace *pace = pace_of(&turn->set->policy, moment, &moment->acts[in->act]);
    int64_t at_ms = pace != NULL ? pace_ask(turn, in, pace, slots) : turn->now_ms;
    struct str at;

    if (pace == NULL)
        return true;
    if (at_ms == turn->now_ms) {
        trail_add(in->trail, turn->arena, STAGE_PACE, true, "%.*s: its turn", STR_ARG(pace->text));
        return true;
    }
    if (at_ms == INT64_MAX) {
        trail_add(in->trail, turn->arena, STAGE_PACE, false,
                  "%.*s: not its turn before its deadline", STR_ARG(pace->text));
        trail_need(in->trail, turn->arena, "with a later deadline or a faster pace");
        fall_back(turn, in, REASON_PACED);
        return false;
    }
    at = time_text(turn, at_ms);
    trail_add(in->trail, turn->arena, STAGE_PACE, false,
              "%.*s: others go first, at the earliest at %.*s", STR_ARG(pace->text), STR_ARG(at));
    trail_need(in->trail, turn->arena, "with a faster pace, or after %.*s", STR_ARG(at));
    wait_for(turn, in, HOLD_PACED, at_ms, NULL);
    return false;
}

/* Against whom it came first: the best of the others. */
static void say_first(struct turn *turn, struct instance *winner)
{
    const struct tier *tiers = turn->set->policy.tiers;
    struct str tier = tiers[instance_moment(turn, winner)->tier].name;
    const struct instance *next = best_but(turn, winner);
    const struct moment *other = next != NULL ? instance_moment(turn, next) : NULL;

    if (other == NULL)
        trail_add(winner->trail, turn->arena, STAGE_ARBITRATION, true,
                  "%.*s, value %g: nothing else asks", STR_ARG(tier), winner->value);
    else
        trail_add(winner->trail, turn->arena, STAGE_ARBITRATION, true,
                  "%.*s, value %g: before %.*s (%.*s, value %g)", STR_ARG(tier), winner->value,
                  STR_ARG(other->name), STR_ARG(tiers[other->tier].name), next->value);
}

/* The winner goes out or waits for its slot, and the others behind it.  If it can do neither, the
 * next round is without it. */
static void place(struct turn *turn, struct instance *winner)
{
    const struct moment *moment = instance_moment(turn, winner);
    struct slots slots;

    say_first(turn, winner);
    slots_init(&slots, turn, moment, &moment->acts[winner->act]);
    if (pass_slot(turn, winner, &slots) && pass_pace(turn, winner, &slots) &&
        !chain_task(turn, winner, &slots))
        fall_back(turn, winner, REASON_TEXT);
    if (winner->phase == PHASE_OUT || winner->phase == PHASE_HOLD)
        put_behind(turn, winner);
}

/* --- waking -------------------------------------------------------------------------------------- */

static void wake(struct instance *in)
{
    in->phase = PHASE_ASKING;
    in->ready = false;
}

static bool still_ahead(const struct turn *turn, const struct instance *in)
{
    for (uint32_t i = 0; i < turn->state->instance_count; i++) {
        const struct instance *ahead = turn->state->instances[i];

        if (ahead->moment == in->blocker && str_equal(ahead->about, in->blocker_about) &&
            (ahead->phase == PHASE_HOLD || ahead->phase == PHASE_OUT))
            return true;
    }
    return false;
}

static void wake_losers(struct turn *turn)
{
    bool again = true;

    while (again) {
        again = false;
        for (uint32_t i = 0; i < turn->state->instance_count; i++) {
            struct instance *in = turn->state->instances[i];

            if (in->phase == PHASE_HOLD && in->hold == HOLD_OUTRANKED && !still_ahead(turn, in)) {
                wake(in);
                again = true;
            }
        }
    }
}

void funnel_cap_freed(struct turn *turn)
{
    for (uint32_t i = 0; i < turn->state->instance_count; i++)
        if (turn->state->instances[i]->phase == PHASE_HOLD &&
            turn->state->instances[i]->hold == HOLD_CAP)
            wake(turn->state->instances[i]);
}

void funnel_time_out(struct turn *turn, struct instance *in)
{
    struct trail *trail;

    turn->changed = true;
    if (turn->now_ms < in->deadline_ms) {
        wake(in);
        return;
    }
    trail = ARENA_NEW(turn->arena, struct trail);
    trail_add(trail, turn->arena,
              in->hold == HOLD_CAP         ? STAGE_CAPS
              : in->hold == HOLD_OUTRANKED ? STAGE_ARBITRATION
              : in->hold == HOLD_PACED     ? STAGE_PACE
                                           : STAGE_SLOT,
              false, "waited until its deadline");
    trail_need(trail, turn->arena, "with a later deadline");
    instances_end(turn, in, hold_reason((enum hold)in->hold), trail);
}

/* --- rounds -------------------------------------------------------------------------------------- */

static bool consider_all(struct turn *turn)
{
    bool any = false;

    for (uint32_t i = 0; i < turn->state->instance_count; i++) {
        while (turn->state->instances[i]->phase == PHASE_ASKING) {
            consider(turn, turn->state->instances[i]);
            any = true;
            if (turn->state->instances[i]->ready)
                break;
        }
    }
    return any;
}

void funnel_run(struct turn *turn)
{
    interlocks_sweep(turn);
    for (;;) {
        struct instance *best;

        wake_losers(turn);
        if (!consider_all(turn))
            return;
        best = best_but(turn, NULL);
        if (best != NULL && asks(best))
            place(turn, best);
        else if (best != NULL)
            put_behind(turn, best);
    }
}
