#include "processors/decide/view.h"

#include <stdlib.h>

#include "core/check.h"

/* --- look-ups ---------------------------------------------------------------------------------- */

static uint32_t type_place(const struct view *view, struct str name)
{
    return (uint32_t)hash_bytes(name, 0) & view->type_mask;
}

static void index_types(struct view *view)
{
    const struct ruleset *set = view->set;

    view->type_mask = 15;
    while (view->type_mask < 2 * set->type_count)
        view->type_mask = 2 * view->type_mask + 1;
    view->type_slots = ARENA_ARRAY(view->arena, uint16_t, (size_t)view->type_mask + 1);
    for (size_t i = 0; i < set->type_count; i++) {
        uint32_t at = type_place(view, set->types[i].name);

        while (view->type_slots[at] != 0)
            at = (at + 1) & view->type_mask;
        view->type_slots[at] = (uint16_t)(i + 1);
    }
}

int view_type(const struct view *view, struct str name)
{
    uint32_t at = type_place(view, name);

    for (; view->type_slots[at] != 0; at = (at + 1) & view->type_mask)
        if (str_equal(view->set->types[view->type_slots[at] - 1].name, name))
            return view->type_slots[at] - 1;
    return -1;
}

static int compare_ids(const void *a, const void *b)
{
    uint32_t x = ((const struct id_index *)a)->id, y = ((const struct id_index *)b)->id;

    return x < y ? -1 : x > y;
}

static int find_id(const struct id_index *index, size_t count, uint32_t id)
{
    struct id_index wanted = {.id = id};
    const struct id_index *found =
        count == 0 ? NULL : bsearch(&wanted, index, count, sizeof *index, compare_ids);

    return found != NULL ? found->index : -1;
}

int view_fact(const struct view *view, uint32_t id)
{
    return find_id(view->facts, view->set->fact_count, id);
}

int view_moment(const struct view *view, uint32_t id)
{
    return find_id(view->moments, view->set->moment_count, id);
}

static void index_ids(struct view *view)
{
    const struct ruleset *set = view->set;

    view->facts = ARENA_ARRAY(view->arena, struct id_index, set->fact_count);
    for (size_t i = 0; i < set->fact_count; i++)
        view->facts[i] = (struct id_index){set->facts[i].id, (uint16_t)i};
    qsort(view->facts, set->fact_count, sizeof *view->facts, compare_ids);
    view->moments = ARENA_ARRAY(view->arena, struct id_index, set->moment_count);
    for (size_t i = 0; i < set->moment_count; i++)
        view->moments[i] = (struct id_index){set->moments[i].id, (uint16_t)i};
    qsort(view->moments, set->moment_count, sizeof *view->moments, compare_ids);
}

/* --- what instances keep ------------------------------------------------------------------------ */

struct reading { /* of one moment's later expressions */
    struct view *view;
    struct moment_view *into;
    size_t step_count;
    size_t capacity;
};

static void read_event_slot(struct reading *reading, uint32_t slot)
{
    struct moment_view *into = reading->into;

    for (size_t i = 0; i < into->event_slot_count; i++)
        if (into->event_slots[i] == slot)
            return;
    if (into->event_slot_count == reading->capacity) {
        uint32_t *grown;

        reading->capacity = reading->capacity == 0 ? 8 : 2 * reading->capacity;
        grown = ARENA_ARRAY(reading->view->arena, uint32_t, reading->capacity);
        if (into->event_slot_count != 0)
            memcpy(grown, into->event_slots, into->event_slot_count * sizeof *grown);
        into->event_slots = grown;
    }
    into->event_slots[into->event_slot_count++] = slot;
}

static void read_step_attr(struct reading *reading, uint32_t slot)
{
    if (slot_kind(slot) == SLOT_STEP_ATTR && slot_a(slot) < reading->step_count)
        reading->into->step_attrs[slot_a(slot)] |= 1U << slot_b(slot);
}

/* A gate, the value or a text: reads the completing event and steps. */
static void read_late(void *context, uint32_t slot)
{
    struct reading *reading = context;

    if (slot_kind(slot) == SLOT_EVENT_DATA || slot_kind(slot) == SLOT_EVENT_ATTR)
        read_event_slot(reading, slot);
    read_step_attr(reading, slot);
}

static void read_program(struct reading *reading, const struct cel_program *program, bool late)
{
    size_t count = 0;
    const uint32_t *slots = program != NULL ? cel_program_slots(program, &count) : NULL;

    for (size_t i = 0; i < count; i++) {
        if (late)
            read_late(reading, slots[i]);
        else
            read_step_attr(reading, slots[i]);
    }
}

static void read_moment(struct reading *reading, const struct moment *moment)
{
    for (size_t i = 0; i < moment->step_count; i++) {
        read_program(reading, moment->steps[i].condition, false);
        read_program(reading, moment->steps[i].value, false);
    }
    for (size_t i = 0; i < moment->withdraw_count; i++)
        read_program(reading, moment->withdraw[i].condition, false);
    read_program(reading, moment->eligible, true);
    read_program(reading, moment->relevant, true);
    read_program(reading, moment->suitable, true);
    read_program(reading, moment->value, true);
    texts_slots(&moment->reason, read_late, reading);
    for (size_t i = 0; i < moment->act_count; i++) {
        texts_slots(&moment->acts[i].say, read_late, reading);
        texts_slots(&moment->acts[i].subject, read_late, reading);
        texts_slots(&moment->acts[i].text, read_late, reading);
        texts_slots(&moment->acts[i].html, read_late, reading);
        read_program(reading, moment->acts[i].appointment.start, true);
        texts_slots(&moment->acts[i].appointment.title, read_late, reading);
        texts_slots(&moment->acts[i].appointment.place, read_late, reading);
    }
    for (size_t i = 0; i < moment->shown_count; i++)
        read_late(reading, moment->shown[i].slot);
}

static void view_moments(struct view *view)
{
    const struct ruleset *set = view->set;

    view->moment_views = ARENA_ARRAY(view->arena, struct moment_view, set->moment_count);
    for (size_t i = 0; i < set->moment_count; i++) {
        struct reading reading = {
            .view = view, .into = &view->moment_views[i], .step_count = set->moments[i].step_count};

        reading.into->step_attrs = ARENA_ARRAY(view->arena, uint32_t, reading.step_count);
        read_moment(&reading, &set->moments[i]);
    }
}

/* --- the view ----------------------------------------------------------------------------------- */

struct view *view_new(const struct ruleset *set, uint64_t number)
{
    struct arena *arena = arena_new(0);
    struct view *view = ARENA_NEW(arena, struct view);

    *view = (struct view){.set = set, .number = number, .arena = arena};
    view->path_ids = ARENA_ARRAY(arena, uint32_t, set->path_count);
    for (size_t i = 0; i < set->path_count; i++)
        view->path_ids[i] = name_id(set->paths[i].pointer);
    index_types(view);
    index_ids(view);
    view_moments(view);
    view->becomes = ARENA_ARRAY(arena, uint16_t, set->moment_count);
    for (size_t i = 0; i < set->moment_count; i++)
        if (set->moments[i].step_count != 0 && set->moments[i].steps[0].kind == STEP_BECOMES)
            view->becomes[view->becomes_count++] = (uint16_t)i;
    view->errors = ARENA_ARRAY(arena, uint64_t, set->moment_count);
    for (size_t i = 0; i < set->policy.cap_count; i++)
        if (set->policy.caps[i].over_ms > view->cap_span_ms)
            view->cap_span_ms = set->policy.caps[i].over_ms;
    return view;
}

void view_free(struct view *view)
{
    if (view != NULL)
        arena_free(view->arena);
}

static uint8_t cell_form(const struct fact *fact)
{
    switch (fact->kind) {
    case FACT_LAST: return FORM_LATEST;
    case FACT_FIRST: return FORM_EARLIEST;
    case FACT_COUNT: return fact->over_ms != 0 ? FORM_TIMES : FORM_TOTAL;
    case FACT_SUM: return fact->over_ms != 0 ? FORM_POINTS : FORM_TOTAL;
    case FACT_MIN: return fact->over_ms != 0 ? FORM_POINTS : FORM_LEAST;
    case FACT_MAX: return fact->over_ms != 0 ? FORM_POINTS : FORM_MOST;
    case FACT_MEAN: return fact->over_ms != 0 ? FORM_POINTS : FORM_MEAN;
    case FACT_DISTINCT: return FORM_VALUES;
    case FACT_TREND: return FORM_POINTS;
    case FACT_MARK:
    case FACT_SINCE: return FORM_TIME;
    case FACT_KIND_COUNT: break;
    }
    CHECK_NEVER("a fact of no kind");
}

/* One value for each step of the window: what the fact would keep since ever. */
static uint8_t step_form(const struct fact *fact)
{
    struct fact ever = *fact;

    ever.over_ms = 0;
    return (uint8_t)(cell_form(&ever) | FORM_STEPPED);
}

uint8_t view_fact_form(const struct fact *fact)
{
    return (uint8_t)((fact->step_ms != 0 ? step_form(fact) : cell_form(fact)) |
                     (fact->key != NULL ? FORM_KEYED : 0));
}
