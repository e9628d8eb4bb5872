/* policy.yaml: channels that nobody can be reached on, tiers without a contact policy, interlocks that
 * never hold. */
#include "rules/moment/inspect.h"

static bool has_address(const struct inspector *in, struct str kind)
{
    for (size_t i = 0; i < in->set->fact_count; i++)
        if (in->set->facts[i].role == ROLE_ADDRESS &&
            str_equal(in->set->facts[i].address_kind, kind))
            return true;
    return false;
}

static void inspect_channels(const struct inspector *in, const struct yaml_node *channels)
{
    for (size_t i = 0; channels != NULL && i < channels->count; i++) {
        struct filled form;
        const struct yaml_node *address;

        if (channels->items[i]->kind != YAML_MAP ||
            !inspect_form(FORM_OF_CHANNEL, channels->items[i], &form))
            continue;
        address = form.at[FIELD_CHANNEL_ADDRESS];
        if (address != NULL && !has_address(in, address->text))
            FOUND(in->c, address->place, "no-address",
                  "add `address:` to the fact that holds it, in facts.yaml",
                  "nobody can be reached on %.*s: no fact is an address of the kind \"%.*s\"",
                  STR_ARG(channels->keys[i]->text), STR_ARG(address->text));
    }
}

/* A cap for all of the tier, or hours in which it is quiet. */
static bool has_contact_policy(const struct policy *policy, uint32_t tier)
{
    for (size_t i = 0; i < policy->cap_count; i++)
        if ((policy->caps[i].tier < 0 || (uint32_t)policy->caps[i].tier == tier) &&
            policy->caps[i].moment.len == 0)
            return true;
    for (size_t i = 0; i < policy->quiet_count; i++)
        if ((policy->quiet[i].tiers >> tier & 1) != 0)
            return true;
    return false;
}

/* A tier for which nobody is asked is for emergencies: it has none on purpose. */
static void inspect_tiers(const struct inspector *in, const struct yaml_node *tiers)
{
    const struct policy *policy = &in->set->policy;

    for (uint32_t i = 0; tiers != NULL && i < tiers->count && i < policy->tier_count; i++)
        if (policy->tiers[i].consent != CONSENT_ALWAYS && !has_contact_policy(policy, i))
            diag_add(in->c->diags, DIAG_WARNING, tiers->keys[i]->place, "no-caps",
                     "add an entry to `caps` or to `quiet` that holds for it",
                     "nothing says how often, or at what hours, %.*s may contact a customer",
                     STR_ARG(policy->tiers[i].name));
}

static void inspect_interlocks(const struct inspector *in, const struct yaml_node *list)
{
    static const struct meaning meaning = {
        "always-false", "this interlock stops nothing, because this is never true", true};
    const struct policy *policy = &in->set->policy;

    for (size_t i = 0; list != NULL && i < policy->interlock_count && i < list->count; i++) {
        struct knowledge known = {0};
        struct filled form;
        struct sight sight;

        if (!inspect_form(FORM_OF_INTERLOCK, list->items[i], &form))
            continue;
        sight_open(&sight, in, NULL, NULL, 0);
        inspect_condition(&sight, policy->interlocks[i].condition, form.at[FIELD_INTERLOCK_IF],
                          meaning, &known);
    }
}

void inspect_policy(struct inspector *in)
{
    struct filled form;

    if (!in->set->policy.given ||
        !inspect_form(FORM_OF_POLICY, inspect_read(in, STR("policy.yaml")), &form))
        return;
    if (in->facts_known)
        inspect_channels(in, form.at[FIELD_POLICY_CHANNELS]);
    inspect_tiers(in, form.at[FIELD_POLICY_TIERS]);
    if (in->facts_known)
        inspect_interlocks(in, form.at[FIELD_POLICY_INTERLOCKS]);
}
