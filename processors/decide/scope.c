/* An expression names a slot (rules/moment/ruleset.h).  What is of the event at hand stands in
 * turn->fields; what is of earlier events stands in the instance's kept list, where a path goes
 * by its hash because its number belongs to one rule set only.
 */
#include "processors/decide/scope.h"

#include "core/check.h"
#include "processors/decide/facts.h"

static struct value event_geo(const struct event *event, enum attr attr)
{
    struct str text = event->geo[attr - ATTR_GEO];

    return text.len != 0 ? value_string(text) : VALUE_NONE;
}

static struct value event_attr(const struct event *event, enum attr attr)
{
    if (attr >= ATTR_GEO && attr < ATTR_END)
        return event_geo(event, attr);
    switch (attr) {
    case ATTR_ID: return value_string(event->id);
    case ATTR_TYPE: return value_string(event->type);
    case ATTR_SOURCE: return value_string(event->source);
    case ATTR_SUBJECT: return value_string(event->subject);
    case ATTR_TIME: return value_timestamp_ms(event->time_ms);
    case ATTR_CORRECTED: return value_bool(event->time_corrected);
    case ATTR_COUNT: break; /* of a step only */
    case ATTR_GEO:
    case ATTR_END: break;
    }
    return VALUE_NONE;
}

static struct value kept_find(const struct instance *in, enum slot_kind kind, uint32_t step,
                              uint32_t id)
{
    for (uint32_t i = 0; i < in->kept.count; i++) {
        const struct kept *kept = &in->kept.items[i];

        if (kept->kind == (uint8_t)kind && kept->step == step && kept->id == id)
            return kept->value;
    }
    return VALUE_NONE;
}

static struct value load_event(const struct scope *scope, uint32_t slot)
{
    const struct turn *turn = scope->turn;
    enum slot_kind kind = slot_kind(slot);
    uint32_t id = slot_b(slot);

    if (scope->kept) {
        if (kind == SLOT_EVENT_DATA)
            id = turn->view->path_ids[id];
        return scope->instance != NULL ? kept_find(scope->instance, kind, 0, id) : VALUE_NONE;
    }
    if (turn->event == NULL)
        return VALUE_NONE;
    return kind == SLOT_EVENT_DATA ? turn->fields[id] : event_attr(turn->event, (enum attr)id);
}

/* A step's capture is a number into its list of paths. */
static struct value load_step(const struct scope *scope, uint32_t slot)
{
    const struct instance *in = scope->instance;
    uint32_t step = slot_a(slot), id = slot_b(slot);
    const struct moment *moment;

    if (in == NULL)
        return VALUE_NONE;
    if (slot_kind(slot) != SLOT_STEP_ATTR) {
        moment = &scope->turn->set->moments[in->moment_index];
        if (step >= moment->step_count || id >= moment->steps[step].capture_count)
            return VALUE_NONE;
        id = scope->turn->view->path_ids[moment->steps[step].captures[id]];
    }
    return kept_find(in, slot_kind(slot), step, id);
}

static struct value load_before(const struct turn *turn, uint32_t fact)
{
    for (size_t i = 0; i < turn->before_count; i++)
        if (turn->before[i].fact == fact)
            return turn->before[i].value;
    return facts_read(turn, fact);
}

struct value scope_load(void *context, uint32_t slot)
{
    const struct scope *scope = context;

    switch (slot_kind(slot)) {
    case SLOT_EVENT_DATA:
    case SLOT_EVENT_ATTR: return load_event(scope, slot);
    case SLOT_FACT:
        return scope->before ? load_before(scope->turn, slot_a(slot))
                             : facts_read(scope->turn, slot_a(slot));
    case SLOT_FACT_BEFORE: return load_before(scope->turn, slot_a(slot));
    case SLOT_STEP_DATA:
    case SLOT_STEP_ATTR:
    case SLOT_STEP_FIRST: return load_step(scope, slot);
    case SLOT_NOW: return value_timestamp_ms(scope->turn->now_ms);
    case SLOT_ABOUT: return scope->instance != NULL ? scope->instance->about_value : scope->about;
    }
    return VALUE_NONE;
}

const struct zone *scope_zone(struct turn *turn)
{
    struct value name;

    if (!turn->zone_known) {
        turn->zone_known = true;
        if (turn->set->time_zone_fact >= 0) {
            name = facts_read(turn, (uint32_t)turn->set->time_zone_fact);
            if (name.kind == VALUE_STRING)
                turn->zone = zone_find(value_str(name));
        }
    }
    return turn->zone;
}

struct str scope_language(const struct turn *turn)
{
    int32_t fact = turn->set->language_fact;
    struct value v = fact >= 0 ? facts_read(turn, (uint32_t)fact) : VALUE_NONE;

    return v.kind == VALUE_STRING ? value_str(v) : STR_EMPTY;
}

/* The fields of the event at hand are read where they stand. */
static struct cel_input input_of(struct scope *scope)
{
    const struct turn *turn = scope->turn;
    struct cel_input input = {.context = scope, .load = scope_load};

    if (!scope->kept && turn->event != NULL) {
        input.direct = turn->fields;
        input.direct_first = slot_of(SLOT_EVENT_DATA, 0, 0);
        input.direct_count = (uint32_t)turn->set->path_count;
    }
    return input;
}

struct cel_input scope_input(struct scope *scope)
{
    struct cel_input input = input_of(scope);

    input.zone = scope_zone(scope->turn);
    return input;
}

struct value scope_try(struct scope *scope, const struct cel_program *program)
{
    struct cel_input input = scope_input(scope);

    return cel_eval(program, &input, scope->turn->arena);
}

struct value scope_eval(struct scope *scope, int moment, const struct cel_program *program)
{
    struct turn *turn = scope->turn;
    struct cel_input input = input_of(scope);
    struct value v;

    if (moment >= 0)
        input.zone = scope_zone(turn);
    v = cel_eval(program, &input, turn->arena);
    if (v.kind == VALUE_ERROR && moment >= 0) {
        turn->counts->moment_errors++;
        turn->view->errors[moment]++;
    } else if (v.kind == VALUE_ERROR) {
        turn->counts->fact_errors++;
    }
    if (turn->observer != NULL)
        turn->observer->asked(turn->observer->context, scope, moment, program, v);
    return v;
}

enum truth scope_ask(struct scope *scope, int moment, const struct cel_program *program)
{
    struct value v;

    if (program == NULL)
        return TRUTH_YES;
    v = scope_eval(scope, moment, program);
    if (v.kind != VALUE_BOOL)
        return TRUTH_FAILED;
    return v.boolean ? TRUTH_YES : TRUTH_NO;
}

/* --- keeping ------------------------------------------------------------------------------------ */

static void keep(struct turn *turn, struct kept_list *into, struct kept kept)
{
    if (kept.value.kind == VALUE_ABSENT || !facts_value_fits(kept.value, turn->arena))
        return;
    kept.value = value_copy(turn->arena, kept.value);
    STATE_RESERVE(turn->arena, into->items, into->count, into->capacity);
    into->items[into->count++] = kept;
}

void scope_keep_step(struct turn *turn, const struct moment *moment, size_t step,
                     enum slot_kind kind, struct kept_list *into)
{
    const struct moment_step *s = &moment->steps[step];
    uint32_t attrs = turn->view->moment_views[moment - turn->set->moments].step_attrs[step];
    struct kept kept = {.kind = (uint8_t)kind, .step = (uint8_t)step};

    for (size_t i = 0; i < s->capture_count; i++) {
        kept.id = turn->view->path_ids[s->captures[i]];
        kept.value = turn->fields[s->captures[i]];
        keep(turn, into, kept);
    }
    kept.kind = SLOT_STEP_ATTR;
    for (uint32_t attr = 0; attr < ATTR_END && kind == SLOT_STEP_DATA; attr++) {
        if (attr != ATTR_COUNT && (attrs & 1U << attr) != 0) {
            kept.id = attr;
            kept.value = event_attr(turn->event, (enum attr)attr);
            keep(turn, into, kept);
        }
    }
}

void scope_keep_event(struct turn *turn, int moment, struct kept_list *into)
{
    const struct moment_view *view = &turn->view->moment_views[moment];

    for (size_t i = 0; i < view->event_slot_count; i++) {
        uint32_t slot = view->event_slots[i], b = slot_b(slot);
        struct kept kept = {.kind = (uint8_t)slot_kind(slot)};

        kept.id = slot_kind(slot) == SLOT_EVENT_DATA ? turn->view->path_ids[b] : b;
        kept.value = slot_kind(slot) == SLOT_EVENT_DATA ? turn->fields[b]
                                                        : event_attr(turn->event, (enum attr)b);
        keep(turn, into, kept);
    }
}
