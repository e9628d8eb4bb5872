#include "processors/decide/consent.h"

#include "core/check.h"
#include "processors/decide/facts.h"

/* --- taking -------------------------------------------------------------------------------------- */

static uint32_t id_or_all(struct value name)
{
    return name.kind == VALUE_STRING && name.n != 0 ? name_id(value_str(name)) : 0;
}

/* Room for one more: the oldest "yes" goes first, because forgetting it only makes us quieter. */
static void make_room(struct state *state)
{
    uint32_t out = 0;

    if (state->consent_count < LIMIT_CONSENTS)
        return;
    while (out < state->consent_count && !state->consents[out].given)
        out++;
    STATE_REMOVE(state->consents, state->consent_count, out == state->consent_count ? 0 : out);
}

/* Tasks that were decided before this and have not gone: dispatch stops them.  Under the tasks' key,
 * so it comes behind them. */
static void tell_dispatch(struct turn *turn)
{
    struct value purpose = turn->fields[turn->set->builtin.purpose];
    struct value channel = turn->fields[turn->set->builtin.channel];
    const struct permission permission = {
        .customer = turn->state->customer,
        .purpose = purpose.kind == VALUE_STRING ? value_str(purpose) : STR_EMPTY,
        .channel = channel.kind == VALUE_STRING ? value_str(channel) : STR_EMPTY,
        .because = turn->event->type,
        .created_ms = turn->now_ms};
    struct buf json = {0};

    permission_put_json(&json, &permission);
    explain_send(turn, DECIDE_TOPIC_TASKS, PERMISSION_CE_TYPE,
                 explain_next_id(turn, STR("permission"), STR_EMPTY), turn->event->traceparent,
                 buf_str(&json));
    buf_free(&json);
}

void consent_take(struct turn *turn, bool given)
{
    struct state *state = turn->state;
    const struct builtin_paths *builtin = &turn->set->builtin;
    struct consent consent = {.at_ms = turn->event->time_ms,
                              .purpose = id_or_all(turn->fields[builtin->purpose]),
                              .channel = id_or_all(turn->fields[builtin->channel]),
                              .given = given};

    for (uint32_t i = 0; i < state->consent_count; i++) {
        const struct consent *known = &state->consents[i];

        if (known->purpose != consent.purpose || known->channel != consent.channel)
            continue;
        if (known->at_ms > consent.at_ms)
            return; /* late: something newer has been said */
        STATE_REMOVE(state->consents, state->consent_count, i);
        break;
    }
    if (!given)
        tell_dispatch(turn);
    make_room(state);
    STATE_RESERVE(turn->arena, state->consents, state->consent_count, state->consent_capacity);
    state->consents[state->consent_count++] = consent;
    turn->changed = true;
}

/* --- asking -------------------------------------------------------------------------------------- */

enum said { SAID_NOTHING, SAID_YES, SAID_NO };

static enum said last_said(const struct state *state, struct str purpose, struct str channel)
{
    uint32_t purpose_id = name_id(purpose), channel_id = name_id(channel);
    const struct consent *last = NULL;

    for (uint32_t i = 0; i < state->consent_count; i++) {
        const struct consent *c = &state->consents[i];

        if ((c->purpose == 0 || c->purpose == purpose_id) &&
            (c->channel == 0 || c->channel == channel_id) &&
            (last == NULL || c->at_ms >= last->at_ms))
            last = c;
    }
    if (last == NULL)
        return SAID_NOTHING;
    return last->given ? SAID_YES : SAID_NO;
}

static bool allows(enum consent_rule rule, enum said said, const char **words)
{
    switch (rule) {
    case CONSENT_ALWAYS: *words = "needs none"; return true;
    case CONSENT_OPT_OUT:
        *words = said == SAID_NO ? "the customer objected" : "the customer has not objected";
        return said != SAID_NO;
    case CONSENT_OPT_IN:
        *words = said == SAID_YES  ? "the customer agreed"
                 : said == SAID_NO ? "the customer withdrew consent"
                                   : "the customer has not agreed";
        return said == SAID_YES;
    }
    CHECK_NEVER("a consent rule of no kind");
}

static struct str find_address(const struct turn *turn, struct str kind)
{
    for (uint32_t i = 0; i < turn->set->fact_count; i++) {
        const struct fact *fact = &turn->set->facts[i];
        struct value v;

        if (fact->role != ROLE_ADDRESS || !str_equal(fact->address_kind, kind))
            continue;
        v = facts_read(turn, i);
        if (v.kind == VALUE_STRING && v.n != 0)
            return value_str(v);
    }
    return STR_EMPTY;
}

struct str consent_address(const struct turn *turn, const struct act *act)
{
    const struct channel_rule *rule = policy_find_channel(&turn->set->policy, act->channel);

    return rule != NULL && rule->address.len != 0 ? find_address(turn, rule->address) : STR_EMPTY;
}

enum reason consent_ask(struct turn *turn, const struct moment *moment, const struct act *act,
                        struct trail *trail)
{
    const struct policy *policy = &turn->set->policy;
    const struct channel_rule *rule = policy_find_channel(policy, act->channel);
    const char *words = NULL;
    bool allowed;

    if (!policy->given) {
        trail_add(trail, turn->arena, STAGE_CONSENT, true, "no policy: as given");
        return REASON_TASK;
    }
    allowed = allows(policy->tiers[moment->tier].consent,
                     last_said(turn->state, moment->purpose, act->channel), &words);
    if (allowed && rule != NULL && rule->address.len != 0 && consent_address(turn, act).len == 0) {
        trail_add(trail, turn->arena, STAGE_CONSENT, false, "no address of kind %.*s",
                  STR_ARG(rule->address));
        trail_need(trail, turn->arena, "with an address of kind %.*s", STR_ARG(rule->address));
        return REASON_NO_ADDRESS;
    }
    trail_add(trail, turn->arena, STAGE_CONSENT, allowed, "%.*s on %.*s: %s",
              STR_ARG(moment->purpose), STR_ARG(act->channel), words);
    if (!allowed)
        trail_need(trail, turn->arena, "%s %.*s on %.*s",
                   policy->tiers[moment->tier].consent == CONSENT_OPT_IN
                       ? "with consent for"
                       : "if the customer had not objected to",
                   STR_ARG(moment->purpose), STR_ARG(act->channel));
    return allowed ? REASON_TASK : REASON_NO_CONSENT;
}
