#include "processors/decide/caps.h"

#include "core/when.h"
#include "processors/decide/explain.h"
#include "processors/decide/funnel.h"

static bool concerns(const struct cap *cap, const struct moment *moment, const struct act *act)
{
    return (cap->channel.len == 0 || str_equal(cap->channel, act->channel)) &&
           (cap->purpose.len == 0 || str_equal(cap->purpose, moment->purpose)) &&
           (cap->moment.len == 0 || str_equal(cap->moment, moment->name)) &&
           (cap->tier < 0 || (uint32_t)cap->tier == moment->tier);
}

static bool is_of_moment(const struct turn *turn, struct str name, uint32_t id)
{
    int index = ruleset_find_moment(turn->set, name);

    return index >= 0 && turn->set->moments[index].id == id;
}

static bool counts(const struct turn *turn, const struct cap *cap, const struct contact *contact)
{
    return (cap->channel.len == 0 || name_id(cap->channel) == contact->channel) &&
           (cap->purpose.len == 0 || name_id(cap->purpose) == contact->purpose) &&
           (cap->moment.len == 0 || is_of_moment(turn, cap->moment, contact->moment)) &&
           (cap->tier < 0 || name_id(turn->set->policy.tiers[cap->tier].name) == contact->tier) &&
           contact->at_ms > turn->now_ms - cap->over_ms;
}

/* Contacts stand in order of time, so the one that has to leave the window first comes first. */
static uint32_t count_used(const struct turn *turn, const struct cap *cap, int64_t *free_ms)
{
    const struct state *state = turn->state;
    uint32_t used = 0;

    for (uint32_t i = state->contact_count; i-- > 0;) {
        if (!counts(turn, cap, &state->contacts[i]))
            continue;
        used++;
        if (used == cap->max)
            *free_ms = state->contacts[i].at_ms + cap->over_ms;
    }
    return used;
}

struct caps_answer caps_ask(const struct turn *turn, const struct moment *moment,
                            const struct act *act)
{
    const struct policy *policy = &turn->set->policy;
    struct caps_answer answer = {.free_ms = turn->now_ms};

    for (size_t i = 0; i < policy->cap_count; i++) {
        const struct cap *cap = &policy->caps[i];
        int64_t free_ms = INT64_MAX; /* max 0: never */
        uint32_t used;

        if (!concerns(cap, moment, act))
            continue;
        answer.asked++;
        used = count_used(turn, cap, &free_ms);
        if (used >= cap->max && free_ms > answer.free_ms)
            answer = (struct caps_answer){cap, used, true, free_ms, answer.asked};
        else if (!answer.refuses &&
                 (answer.cap == NULL || cap->max - used < answer.cap->max - answer.used))
            answer = (struct caps_answer){cap, used, false, answer.free_ms, answer.asked};
    }
    return answer;
}

void caps_need(struct trail *trail, struct arena *arena, const struct caps_answer *answer)
{
    uint32_t less = answer->used - answer->cap->max + 1;
    struct str number, what;
    struct buf at = {0};

    str_cut(answer->cap->text, ' ', &number, &what); /* "2 phone in 7d" */
    if (answer->free_ms == INT64_MAX) {
        trail_need(trail, arena, "with a cap of more than %.*s", STR_ARG(answer->cap->text));
        return;
    }
    when_put_rfc3339(&at, answer->free_ms);
    trail_need(trail, arena, "if %u task%s fewer had gone out (%.*s), or after %s", less,
               less == 1 ? "" : "s", STR_ARG(what), buf_text(&at));
    buf_free(&at);
}

/* What no cap can count any more is forgotten. */
static void forget_old(struct turn *turn)
{
    struct state *state = turn->state;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < state->contact_count; i++)
        if (state->contacts[i].at_ms > turn->now_ms - turn->view->cap_span_ms)
            state->contacts[kept++] = state->contacts[i];
    state->contact_count = kept;
    if (state->contact_count >= LIMIT_CONTACTS)
        STATE_REMOVE(state->contacts, state->contact_count, 0);
}

void caps_take(struct turn *turn, const struct moment *moment, const struct act *act)
{
    struct state *state = turn->state;

    if (turn->view->cap_span_ms == 0)
        return;
    forget_old(turn);
    STATE_RESERVE(turn->arena, state->contacts, state->contact_count, state->contact_capacity);
    state->contacts[state->contact_count++] =
        (struct contact){.at_ms = turn->now_ms,
                         .moment = moment->id,
                         .tier = name_id(turn->set->policy.tiers[moment->tier].name),
                         .channel = name_id(act->channel),
                         .purpose = name_id(moment->purpose)};
    turn->changed = true;
}

/* Two tasks of one moment and channel decided at one time have equal contacts: either may go. */
void caps_give_back(struct turn *turn, const struct instance *in, struct str channel)
{
    struct state *state = turn->state;

    for (uint32_t i = 0; i < state->contact_count; i++) {
        const struct contact *contact = &state->contacts[i];

        if (contact->moment == in->moment && contact->at_ms == in->task_ms &&
            (channel.len == 0 || contact->channel == name_id(channel))) {
            STATE_REMOVE(state->contacts, state->contact_count, i);
            turn->changed = true;
            funnel_cap_freed(turn);
            return;
        }
    }
}

void caps_merge(struct turn *turn, const struct state *other)
{
    struct state *state = turn->state;
    uint32_t count = state->contact_count + other->contact_count, mine = 0, theirs = 0;
    uint32_t gone = count > LIMIT_CONTACTS ? count - LIMIT_CONTACTS : 0;
    struct contact *all = ARENA_ARRAY(turn->arena, struct contact, count);

    for (uint32_t i = 0; i < count; i++) {
        bool take = theirs < other->contact_count &&
                    (mine == state->contact_count ||
                     other->contacts[theirs].at_ms < state->contacts[mine].at_ms);
        all[i] = take ? other->contacts[theirs++] : state->contacts[mine++];
    }
    state->contacts = all + gone;
    state->contact_count = state->contact_capacity = count - gone;
}
