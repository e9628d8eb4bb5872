/* A field that comes with several types can be what it can be in any of them, and may be missing
 * where one of them does not have it.  Which types are left may be known: behind
 * event.type == "customer.moved" it is that one. */
#include <math.h>

#include "rules/moment/inspect.h"

static const struct schema *schema_of(const struct event_type *type, struct str pointer)
{
    const struct schema *schema = type->schema;

    return schema->property_count == 0 && !schema->closed ? NULL : schema_at(schema, pointer);
}

static bool declares_nothing(const struct event_type *type)
{
    return type->schema->property_count == 0 && !type->schema->closed;
}

/* --- a field -------------------------------------------------------------------------------------- */

/* null is a field that is not there. */
static struct possible choices(struct arena *arena, struct value list)
{
    struct possible all = possible_nothing();
    bool null = false;

    for (uint32_t i = 0; i < list.n; i++) {
        struct possible one;
        if (list.list[i].kind == VALUE_NULL) {
            null = true;
            continue;
        }
        one = possible_value(arena, list.list[i]);
        all = possible_join(arena, &all, &one);
    }
    all.missing = null;
    return all;
}

static struct possible by_schema(struct arena *arena, const struct schema *schema)
{
    struct schema_span span;
    struct value list;
    struct possible p = possible_anything(false);

    if (schema->type != SCHEMA_TIME && schema_choices(schema, &list)) {
        p = choices(arena, list);
    } else if (schema_numbers(schema, &span)) {
        p = possible_between(span.low, span.high, schema->type == SCHEMA_INTEGER);
        p.low_out = span.low_out;
        p.high_out = span.high_out;
    } else if (schema->type == SCHEMA_BOOLEAN) {
        p = possible_truth((struct outcomes){.yes = true, .no = true});
    }
    p.missing |= schema->nullable;
    return p;
}

static struct possible field_of(struct arena *arena, const struct event_type *type,
                                struct str pointer)
{
    const struct schema *schema = schema_of(type, pointer);
    struct possible p;

    if (declares_nothing(type))
        return possible_anything(true);
    if (schema == NULL) {
        p = possible_nothing();
        p.missing = true;
        return p;
    }
    p = by_schema(arena, schema);
    p.missing |= !schema_always_has(type->schema, pointer);
    return p;
}

static bool has_name(const struct possible *names, struct str name)
{
    for (size_t i = 0; i < names->count; i++)
        if (names->items[i].kind == VALUE_STRING && str_equal(value_str(names->items[i]), name))
            return true;
    return false;
}

/* Is the type one that is left? */
static bool is_left(const struct knowledge *known, uint32_t type_slot, struct str name)
{
    const struct possible *names = knowledge_find(known, type_slot);

    return names == NULL || names->kind != POSSIBLE_ONE_OF || has_name(names, name);
}

static struct possible field(const struct sight *s, const uint16_t *types, size_t count,
                             uint16_t path, const struct knowledge *known, uint32_t type_slot)
{
    const struct ruleset *set = s->in->set;
    struct possible all = possible_nothing();

    if (path >= set->path_count || count == 0)
        return possible_anything(true);
    for (size_t i = 0; i < count; i++) {
        const struct event_type *type = &set->types[types[i]];
        struct possible one;
        if (!is_left(known, type_slot, type->name))
            continue;
        one = field_of(s->in->arena, type, set->paths[path].pointer);
        all = possible_join(s->in->arena, &all, &one);
    }
    return all;
}

static struct possible attribute(const struct sight *s, const uint16_t *types, size_t count,
                                 enum attr attr)
{
    struct value *names;

    if (attr == ATTR_CORRECTED)
        return possible_truth((struct outcomes){.yes = true, .no = true});
    if (attr >= ATTR_GEO)
        return possible_anything(true);
    if (attr != ATTR_TYPE || count == 0)
        return possible_anything(false);
    names = ARENA_ARRAY(s->in->arena, struct value, count);
    for (size_t i = 0; i < count; i++)
        names[i] = value_string(s->in->set->types[types[i]].name);
    return possible_one_of(names, count);
}

/* --- slots ---------------------------------------------------------------------------------------- */

static struct possible step_field(const struct sight *s, uint32_t slot,
                                  const struct knowledge *known)
{
    const struct moment_step *step;

    if (s->moment == NULL || slot_a(slot) >= s->moment->step_count)
        return possible_anything(true);
    step = &s->moment->steps[slot_a(slot)];
    if (slot_b(slot) >= step->capture_count)
        return possible_anything(true);
    return field(s, step->types, step->type_count, step->captures[slot_b(slot)], known,
                 slot_of(SLOT_STEP_ATTR, slot_a(slot), ATTR_TYPE));
}

static struct possible step_attribute(const struct sight *s, uint32_t slot)
{
    const struct moment_step *step;

    if (s->moment == NULL || slot_a(slot) >= s->moment->step_count)
        return possible_anything(true);
    step = &s->moment->steps[slot_a(slot)];
    if (slot_b(slot) == ATTR_COUNT)
        return possible_between(1, INFINITY, true);
    if (!step_has_event(step->kind)) /* its time */
        return possible_anything(false);
    return attribute(s, step->types, step->type_count, (enum attr)slot_b(slot));
}

static struct possible fact_value(const struct sight *s, uint32_t slot)
{
    if (!s->in->facts_known || slot_a(slot) >= s->in->set->fact_count)
        return possible_anything(true);
    return s->in->facts[slot_a(slot)];
}

static struct possible slot_value(void *context, uint32_t slot, const struct knowledge *known)
{
    const struct sight *s = context;

    switch (slot_kind(slot)) {
    case SLOT_EVENT_DATA:
        return field(s, s->types, s->type_count, (uint16_t)slot_b(slot), known,
                     slot_of(SLOT_EVENT_ATTR, 0, ATTR_TYPE));
    case SLOT_EVENT_ATTR: return attribute(s, s->types, s->type_count, (enum attr)slot_b(slot));
    case SLOT_FACT:
    case SLOT_FACT_BEFORE: return fact_value(s, slot);
    case SLOT_STEP_DATA:
    case SLOT_STEP_FIRST: return step_field(s, slot, known);
    case SLOT_STEP_ATTR: return step_attribute(s, slot);
    case SLOT_NOW:
    case SLOT_ABOUT: break;
    }
    return possible_anything(false);
}

static struct possible slot_entry(void *context, uint32_t slot)
{
    const struct sight *s = context;

    if ((slot_kind(slot) != SLOT_FACT && slot_kind(slot) != SLOT_FACT_BEFORE) ||
        !s->in->facts_known || slot_a(slot) >= s->in->set->fact_count)
        return possible_anything(true);
    return s->in->entries[slot_a(slot)];
}

void sight_open(struct sight *sight, const struct inspector *in, const struct moment *moment,
                const uint16_t *types, size_t type_count)
{
    *sight = (struct sight){.in = in, .types = types, .type_count = type_count, .moment = moment};
    sight->foresight = (struct foresight){
        .context = sight, .slot = slot_value, .entry = slot_entry, .arena = in->arena};
}

/* --- facts ---------------------------------------------------------------------------------------- */

/* What the fact's expression gives for the events that the fact takes. */
static struct possible told(const struct inspector *in, const struct fact *fact)
{
    struct sight sight;
    struct knowledge known = {0};
    const struct cel_tree *tree;

    sight_open(&sight, in, NULL, fact->types, fact->type_count);
    if (fact->value == NULL || (tree = cel_program_tree(fact->value)) == NULL)
        return possible_anything(true);
    if (fact->condition != NULL && cel_program_tree(fact->condition) != NULL)
        foresee_assume(&sight.foresight, cel_program_tree(fact->condition), true, &known);
    return foresee_value(&sight.foresight, tree, &known);
}

static struct possible total(struct possible each)
{
    struct possible none = possible_between(0, 0, false), sum = possible_not_whole(each);

    if (sum.kind != POSSIBLE_BETWEEN)
        return possible_anything(true);
    sum = (struct possible){.kind = POSSIBLE_BETWEEN,
                            .low = sum.low < 0 ? -INFINITY : none.low,
                            .high = sum.high > 0 ? INFINITY : none.high,
                            .nan = sum.low < 0 && sum.high > 0,
                            .missing = each.whole}; /* it may overflow */
    return sum;
}

/* The mean of equal doubles may be a hair beside them. */
static struct possible about_between(struct possible each)
{
    struct possible mean = possible_not_whole(each);

    if (mean.kind != POSSIBLE_BETWEEN)
        return possible_anything(true);
    mean.low -= fabs(mean.low) * 1e-9;
    mean.high += fabs(mean.high) * 1e-9;
    mean.low_out = mean.high_out = false;
    return mean;
}

static struct possible made_of(const struct inspector *in, const struct fact *fact)
{
    struct possible p = possible_anything(true);

    switch (fact->kind) {
    case FACT_LAST:
    case FACT_FIRST:
    case FACT_MIN:
    case FACT_MAX: p = told(in, fact); break;
    case FACT_MEAN: p = about_between(told(in, fact)); break;
    case FACT_SUM: return total(told(in, fact));
    case FACT_COUNT: return possible_between(0, INFINITY, true);
    case FACT_DISTINCT: return possible_between(0, fact->limit, true);
    case FACT_MARK: return possible_truth((struct outcomes){.yes = true, .no = true});
    case FACT_SINCE:
    case FACT_TREND:
    case FACT_KIND_COUNT: break;
    }
    p.missing = true; /* before any event */
    return p;
}

void sight_facts(struct inspector *in)
{
    size_t count = in->set->fact_count;

    in->facts = ARENA_ARRAY(in->arena, struct possible, count);
    in->entries = ARENA_ARRAY(in->arena, struct possible, count);
    for (size_t i = 0; i < count; i++) {
        const struct fact *fact = &in->set->facts[i];
        struct possible one = made_of(in, fact), other;

        if (fact->fallback.kind != VALUE_ABSENT) {
            bool keyed = fact->key != NULL;
            other = possible_value(in->arena, fact->fallback);
            one.missing = false;
            one = possible_join(in->arena, &one, &other);
            one.missing = keyed;
        }
        in->entries[i] = one;
        in->facts[i] = fact->key != NULL ? possible_anything(false) : one;
    }
}
