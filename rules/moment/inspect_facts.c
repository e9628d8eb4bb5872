/* Facts that nothing feeds, and facts that nobody reads. */
#include "rules/moment/inspect.h"
#include "rules/moment/readers.h"

static bool feeds_address(const struct inspector *in, const struct fact *fact)
{
    const struct policy *policy = &in->set->policy;

    for (size_t i = 0; i < policy->channel_count; i++)
        if (str_equal(policy->channels[i].address, fact->address_kind))
            return true;
    return !policy->given;
}

struct looking {
    uint32_t fact;
    bool found;
};

static void look(struct looking *l, const struct cel_program *program)
{
    size_t count = 0;
    const uint32_t *slots = program != NULL ? cel_program_slots(program, &count) : NULL;

    for (size_t i = 0; i < count; i++)
        l->found |= (slot_kind(slots[i]) == SLOT_FACT || slot_kind(slots[i]) == SLOT_FACT_BEFORE) &&
                    slot_a(slots[i]) == l->fact;
}

/* attent itself reads where and when to reach somebody, and in which language. */
static bool is_read(const struct inspector *in, uint32_t index)
{
    const struct fact *fact = &in->set->facts[index];
    struct looking l = {.fact = index};

    if (fact->role == ROLE_TIME_ZONE || fact->role == ROLE_LANGUAGE || fact->role == ROLE_HOURS ||
        (fact->role == ROLE_ADDRESS && feeds_address(in, fact)))
        return true;
    for (size_t i = 0; i < in->set->policy.interlock_count; i++)
        look(&l, in->set->policy.interlocks[i].condition);
    for (size_t i = 0; i < in->set->moment_count && !l.found; i++)
        l.found = readers_moment_has_fact(&in->set->moments[i], index);
    return l.found;
}

static const struct yaml_node *key_of(const struct yaml_node *map, struct str name)
{
    for (size_t i = 0; map != NULL && i < map->count; i++)
        if (str_equal(map->keys[i]->text, name))
            return map->keys[i];
    return NULL;
}

static void inspect_fact(struct inspector *in, uint32_t index, const struct yaml_node *root)
{
    const struct fact *fact = &in->set->facts[index];
    const struct yaml_node *key = key_of(root, fact->name);
    struct meaning meaning = {"never-fed", "nothing feeds this fact, because this is never true",
                              false};
    struct knowledge known = {0};
    struct filled form;
    struct sight sight;

    if (key == NULL || !inspect_form(FORM_OF_FACT, yaml_get(root, fact->name), &form))
        return;
    sight_open(&sight, in, NULL, fact->types, fact->type_count);
    inspect_condition(&sight, fact->condition, form.at[FIELD_FACT_IF], meaning, &known);
    if (in->all_sound && !is_read(in, index))
        diag_add(in->c->diags, DIAG_WARNING, key->place, "unread-fact",
                 "leave it out, or read it: customer.NAME in a condition or a text",
                 "nobody reads %.*s", STR_ARG(fact->name));
}

void inspect_facts(struct inspector *in)
{
    const struct yaml_node *root = inspect_read(in, STR("facts.yaml"));

    for (uint32_t i = 0; root != NULL && i < in->set->fact_count; i++)
        inspect_fact(in, i, root);
}
