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
 * so it comes behind them; those of ids that were merged stand under their own. */
void consent_tell_dispatch(struct turn *turn, struct permission permission)
{
    const struct state *state = turn->state;

    permission.because = turn->event->type;
    permission.created_ms = turn->now_ms;
    for (uint32_t i = 0; i <= state->merged_count; i++) {
        struct buf json = {0};

        permission.customer = i == 0 ? state->customer : state->merged[i - 1];
        permission_put_json(&json, &permission);
        explain_send(
            turn, DECIDE_TOPIC_TASKS, permission.customer, PERMISSION_CE_TYPE,
            explain_next_id(turn, STR("permission"), i == 0 ? STR_EMPTY : permission.customer),
            turn->event->traceparent, buf_str(&json));
        buf_free(&json);
    }
}

static struct str text_or_all(struct value name)
{
    return name.kind == VALUE_STRING ? value_str(name) : STR_EMPTY;
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
        consent_tell_dispatch(
            turn, (struct permission){.purpose = text_or_all(turn->fields[builtin->purpose]),
                                      .channel = text_or_all(turn->fields[builtin->channel])});
    make_room(state);
    STATE_RESERVE(turn->arena, state->consents, state->consent_count, state->consent_capacity);
    state->consents[state->consent_count++] = consent;
    turn->changed = true;
}

/* --- asking -------------------------------------------------------------------------------------- */

enum said { SAID_NOTHING, SAID_YES, SAID_NO };

/* NULL: nothing was said.  Ids of 0: of no purpose or channel that has been named. */
static const struct consent *last_word(const struct state *state, uint32_t purpose,
                                       uint32_t channel)
{
    const struct consent *last = NULL;

    for (uint32_t i = 0; i < state->consent_count; i++) {
        const struct consent *c = &state->consents[i];

        if ((c->purpose == 0 || c->purpose == purpose) &&
            (c->channel == 0 || c->channel == channel) && (last == NULL || c->at_ms >= last->at_ms))
            last = c;
    }
    return last;
}

static enum said last_said(const struct state *state, struct str purpose, struct str channel)
{
    const struct consent *last = last_word(state, name_id(purpose), name_id(channel));

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

/* --- merging ------------------------------------------------------------------------------------- */

struct names { /* all that were said, and 0 for the others */
    uint32_t *ids;
    size_t count;
};

static void add_name(struct names *names, uint32_t id)
{
    for (size_t i = 0; i < names->count; i++)
        if (names->ids[i] == id)
            return;
    names->ids[names->count++] = id;
}

static struct names names_of(struct arena *arena, const struct state *a, const struct state *b,
                             bool channels)
{
    size_t most = (size_t)a->consent_count + b->consent_count + 1;
    struct names names = {ARENA_ARRAY(arena, uint32_t, most), 1}; /* 0 comes first */

    for (uint32_t i = 0; i < a->consent_count; i++)
        add_name(&names, channels ? a->consents[i].channel : a->consents[i].purpose);
    for (uint32_t i = 0; i < b->consent_count; i++)
        add_name(&names, channels ? b->consents[i].channel : b->consents[i].purpose);
    return names;
}

static int64_t time_of(const struct consent *c)
{
    return c != NULL ? c->at_ms : INT64_MIN;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The stricter of the two for one purpose and channel, if what stands in `into` already does not say
 * it.  General ones come before special ones. */
static void add_strictest(struct turn *turn, struct state *into, const struct state *a,
                          const struct state *b, struct consent of)
{
    const struct consent *x = last_word(a, of.purpose, of.channel);
    const struct consent *y = last_word(b, of.purpose, of.channel);
    const struct consent *have = last_word(into, of.purpose, of.channel);

    if (x == NULL && y == NULL)
        return;
    of.given = (x == NULL || x->given) && (y == NULL || y->given);
    if (have != NULL && have->given == of.given)
        return;
    of.at_ms = later(later(time_of(x), time_of(y)), time_of(have));
    make_room(into);
    STATE_RESERVE(turn->arena, into->consents, into->consent_count, into->consent_capacity);
    into->consents[into->consent_count++] = of;
}

void consent_merge(struct turn *turn, const struct state *other)
{
    struct state *state = turn->state;
    struct names purposes = names_of(turn->arena, state, other, false);
    struct names channels = names_of(turn->arena, state, other, true);
    struct state both = {0};

    for (size_t p = 0; p < purposes.count; p++) {
        for (size_t c = 0; c < channels.count; c++)
            add_strictest(turn, &both, state, other,
                          (struct consent){.purpose = purposes.ids[p], .channel = channels.ids[c]});
    }
    state->consents = both.consents;
    state->consent_count = both.consent_count;
    state->consent_capacity = both.consent_capacity;
}
