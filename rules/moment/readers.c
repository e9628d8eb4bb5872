#include "rules/moment/readers.h"

typedef void each_slot(void *context, uint32_t slot);

static void each_of(const struct cel_program *program, each_slot *each, void *context)
{
    size_t count = 0;
    const uint32_t *slots = program != NULL ? cel_program_slots(program, &count) : NULL;

    for (size_t i = 0; i < count; i++)
        each(context, slots[i]);
}

void readers_each(const struct moment *moment, each_slot *each, void *context)
{
    each_of(moment->about, each, context);
    for (size_t i = 0; i < moment->step_count; i++) {
        each_of(moment->steps[i].condition, each, context);
        each_of(moment->steps[i].value, each, context);
    }
    for (size_t i = 0; i < moment->withdraw_count; i++)
        each_of(moment->withdraw[i].condition, each, context);
    each_of(moment->eligible, each, context);
    each_of(moment->relevant, each, context);
    each_of(moment->suitable, each, context);
    each_of(moment->value, each, context);
    texts_slots(&moment->reason, each, context);
    for (size_t i = 0; i < moment->act_count; i++) {
        texts_slots(&moment->acts[i].say, each, context);
        texts_slots(&moment->acts[i].subject, each, context);
        texts_slots(&moment->acts[i].text, each, context);
        texts_slots(&moment->acts[i].html, each, context);
        each_of(moment->acts[i].appointment.start, each, context);
        texts_slots(&moment->acts[i].appointment.title, each, context);
        texts_slots(&moment->acts[i].appointment.place, each, context);
    }
}

struct looking { /* for a slot, whatever its other half */
    uint32_t a, b;
    enum slot_kind kinds[2];
    bool by_a, found;
};

static void look(void *context, uint32_t slot)
{
    struct looking *l = context;

    if (slot_kind(slot) == l->kinds[0] || slot_kind(slot) == l->kinds[1])
        l->found |= l->by_a ? slot_a(slot) == l->a : slot_b(slot) == l->b;
}

bool readers_moment_has_fact(const struct moment *moment, uint32_t fact)
{
    struct looking l = {.a = fact, .by_a = true, .kinds = {SLOT_FACT, SLOT_FACT_BEFORE}};

    readers_each(moment, look, &l);
    return l.found;
}

static bool has(const uint16_t *numbers, size_t count, uint16_t number)
{
    for (size_t i = 0; i < count; i++)
        if (numbers[i] == number)
            return true;
    return false;
}

bool readers_moment_has_path(const struct ruleset *set, const struct moment *moment, uint16_t type,
                             uint16_t path)
{
    struct looking l = {.b = path, .kinds = {SLOT_EVENT_DATA, SLOT_EVENT_DATA}};
    size_t index = (size_t)(moment - set->moments);
    const struct event_type *t = &set->types[type];

    if (!has(t->moments, t->moment_count, (uint16_t)index) || !has(t->paths, t->path_count, path))
        return false;
    for (size_t i = 0; i < moment->step_count; i++) {
        const struct moment_step *step = &moment->steps[i];

        if (has(step->types, step->type_count, type) &&
            has(step->captures, step->capture_count, path))
            return true;
    }
    readers_each(moment, look, &l);
    return l.found;
}

bool readers_fact_has_path(const struct fact *fact, uint16_t type, uint16_t path)
{
    struct looking l = {.b = path, .kinds = {SLOT_EVENT_DATA, SLOT_EVENT_DATA}};

    if (!has(fact->types, fact->type_count, type))
        return false;
    each_of(fact->condition, look, &l);
    each_of(fact->value, look, &l);
    each_of(fact->key, look, &l);
    return l.found;
}
