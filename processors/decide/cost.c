/* What grows by items of one size - keys, points, instances - is measured with two and with three of
 * them: the difference is what each further one costs, so nothing large has to be made.  The numbers
 * of items are varints and so of nearly no weight.
 */
#include "processors/decide/cost.h"

#include "core/when.h"
#include "processors/decide/view.h"

/* A time as they are these days; its length in a blob is what matters. */
#define NOW_MS INT64_C(1772000000000)

enum { TEXT_BYTES = 12, ABOUT_BYTES = 17 }; /* a name; a vehicle's number */

static uint64_t blob_bytes(const struct state *state)
{
    struct buf out = {0};
    uint64_t bytes;

    state_encode(state, &out);
    bytes = out.len;
    buf_free(&out);
    return bytes;
}

static struct str text_of(struct arena *arena, size_t bytes)
{
    char *text = arena_alloc(arena, bytes + 1);

    memset(text, 'x', bytes);
    return (struct str){text, bytes};
}

static struct value sample_of(struct arena *arena, const struct cel_type *type, bool worst)
{
    struct value longest =
        value_string(text_of(arena, worst ? LIMIT_FACT_VALUE_BYTES : TEXT_BYTES));

    switch (type != NULL ? type->kind : CEL_DYN) {
    case CEL_BOOL: return value_bool(true);
    case CEL_INT: return value_int(worst ? INT64_MIN : 1000);
    case CEL_UINT: return (struct value){.kind = VALUE_UINT, .u = worst ? UINT64_MAX : 1000};
    case CEL_DOUBLE: return value_double(1900.5);
    case CEL_TIMESTAMP: return value_timestamp_ms(NOW_MS);
    case CEL_DYN:
    case CEL_NULL:
    case CEL_STRING:
    case CEL_BYTES:
    case CEL_LIST:
    case CEL_MAP:
    case CEL_TYPE:
    case CEL_DURATION:
    case CEL_OPTIONAL:
    case CEL_LOCAL: break;
    }
    return longest;
}

/* a state with `count` items of a kind has bytes[count]: with `wanted` of them. */
static uint64_t extrapolate(const uint64_t bytes[2], uint64_t wanted)
{
    if (wanted < 2)
        return bytes[0];
    return bytes[0] + (wanted - 2) * (bytes[1] - bytes[0]);
}

/* --- facts ------------------------------------------------------------------------------------------- */

static const struct cel_type *kept_type(const struct fact *fact)
{
    if (fact->kind == FACT_DISTINCT)
        return fact->value != NULL ? cel_program_type(fact->value) : NULL;
    return fact->one;
}

static struct fact_cell cell_of(struct arena *arena, const struct fact *fact, uint32_t points,
                                bool worst)
{
    struct fact_cell cell = {
        .key = value_string(text_of(arena, worst ? LIMIT_ABOUT_BYTES : ABOUT_BYTES)),
        .time_ms = NOW_MS,
        .value = sample_of(arena, kept_type(fact), worst),
        .events = 1000};
    int64_t apart_ms = points > 1 ? fact->over_ms / points : 0;

    cell.points = ARENA_ARRAY(arena, struct fact_point, points);
    for (uint32_t i = 0; i < points; i++)
        cell.points[i] = (struct fact_point){NOW_MS + i * apart_ms, cell.value, 1000};
    cell.count = cell.capacity = points;
    return cell;
}

static uint64_t fact_bytes(const struct fact *fact, uint32_t keys, uint32_t points, bool worst)
{
    struct arena *arena = arena_new(0);
    struct state *state = state_new(STR("c"), arena);
    struct fact_cell *cells = ARENA_ARRAY(arena, struct fact_cell, keys);
    struct fact_state facts = {.id = fact->id, .form = view_fact_form(fact), .cells = cells};
    uint64_t bytes;

    for (uint32_t i = 0; i < keys; i++)
        cells[i] = cell_of(arena, fact, points, worst);
    facts.count = facts.capacity = keys;
    state->facts = &facts;
    state->fact_count = state->fact_capacity = 1;
    bytes = blob_bytes(state);
    arena_free(arena);
    return bytes;
}

/* How many points a cell may have: none for a fact without a window. */
static uint32_t points_max(const struct fact *fact)
{
    uint8_t form = view_fact_form(fact);

    if ((form & FORM_STEPPED) != 0)
        return (uint32_t)(fact->over_ms / fact->step_ms) + 1;
    switch ((enum fact_form)(form & FORM_BASE)) {
    case FORM_TIMES:
    case FORM_POINTS:
    case FORM_VALUES: return fact->limit;
    case FORM_LATEST:
    case FORM_EARLIEST:
    case FORM_TOTAL:
    case FORM_TIME:
    case FORM_LEAST:
    case FORM_MOST:
    case FORM_MEAN:
    case FORM_BASE:
    case FORM_KEYED:
    case FORM_STEPPED: break;
    }
    return 0;
}

enum { MARK_BYTES = 11 }; /* the first one, with a whole time */

static void add_recent(struct state *state, struct arena *arena, uint32_t count)
{
    state->recent = ARENA_ARRAY(arena, struct recent, count);
    state->recent_count = state->recent_capacity = count;
    for (uint32_t i = 0; i < count; i++)
        state->recent[i] = (struct recent){
            .mark = UINT64_C(0xffffffffffff) - i,
            .at_s = (NOW_MS + i * (int64_t)WHEN_DAY_MS) / WHEN_SECOND_MS,
        };
}

/* The frame of a blob: what a state with nothing of interest has. */
static uint64_t frame_bytes(void)
{
    struct arena *arena = arena_new(0);
    struct state *state = state_new(STR("c"), arena);
    uint64_t bytes;

    add_recent(state, arena, 1); /* nothing at all would have no blob */
    bytes = blob_bytes(state) - MARK_BYTES;
    arena_free(arena);
    return bytes;
}

struct cost cost_of_fact(const struct ruleset *set, size_t index)
{
    const struct fact *fact = &set->facts[index];
    uint32_t points = points_max(fact), keys = fact->key != NULL ? fact->keys : 1;
    uint64_t frame = frame_bytes();
    uint64_t worst[2] = {fact_bytes(fact, keys < 2 ? 1 : 2, points, true),
                         fact_bytes(fact, 3, points, true)};

    return (struct cost){.one = fact_bytes(fact, 1, points != 0 ? 1 : 0, false) - frame,
                         .worst = extrapolate(worst, keys) - frame};
}

/* --- moments ------------------------------------------------------------------------------------------- */

struct making {
    struct arena *arena;
    const struct ruleset *set;
    const struct view *view;
    const struct moment *moment;
    bool worst;
};

static void keep(const struct making *m, struct instance *in, uint8_t kind, uint8_t step,
                 const struct cel_type *type)
{
    struct kept_list *list = &in->kept;

    STATE_RESERVE(m->arena, list->items, list->count, list->capacity);
    list->items[list->count++] =
        (struct kept){.kind = kind, .step = step, .value = sample_of(m->arena, type, m->worst)};
}

/* Everything that the moment's later expressions read of its steps and of the completing event. */
static void keep_all(const struct making *m, struct instance *in)
{
    const struct moment_view *view = &m->view->moment_views[m->moment - m->set->moments];

    for (size_t i = 0; i < m->moment->step_count; i++) {
        const struct moment_step *step = &m->moment->steps[i];

        for (size_t k = 0; k < step->capture_count; k++) {
            keep(m, in, SLOT_STEP_DATA, (uint8_t)i, m->set->paths[step->captures[k]].type);
            if (step->first_captured)
                keep(m, in, SLOT_STEP_FIRST, (uint8_t)i, m->set->paths[step->captures[k]].type);
        }
        for (uint32_t attr = 0; attr < ATTR_END; attr++)
            if ((view->step_attrs[i] & 1U << attr) != 0)
                keep(m, in, SLOT_STEP_ATTR, (uint8_t)i,
                     attr == ATTR_TIME ? &cel_timestamp : &cel_string);
    }
    for (size_t i = 0; i < view->event_slot_count; i++) {
        uint32_t slot = view->event_slots[i];
        bool data = slot_kind(slot) == SLOT_EVENT_DATA;

        keep(m, in, (uint8_t)slot_kind(slot), 0,
             data ? m->set->paths[slot_b(slot)].type : &cel_string);
    }
}

static struct str about_of(const struct making *m)
{
    if (m->moment->about == NULL)
        return STR_EMPTY;
    return text_of(m->arena, m->worst ? LIMIT_ABOUT_BYTES : ABOUT_BYTES);
}

/* Its task is out; at the worst it waits behind another and carries a trace. */
static struct instance *instance_out(const struct making *m)
{
    struct instance *in = ARENA_NEW(m->arena, struct instance);

    *in = (struct instance){.moment = m->moment->id,
                            .phase = m->worst ? PHASE_HOLD : PHASE_OUT,
                            .step = (uint8_t)m->moment->step_count,
                            .traced = m->worst,
                            .about = about_of(m),
                            .first_ms = NOW_MS,
                            .step_ms = NOW_MS,
                            .due_ms = NOW_MS,
                            .asked_ms = NOW_MS,
                            .deadline_ms = NOW_MS + 7 * (int64_t)WHEN_DAY_MS,
                            .task_ms = NOW_MS,
                            .task_deadline_ms = NOW_MS + 7 * (int64_t)WHEN_DAY_MS,
                            .opener = UINT64_MAX,
                            .value = 100};
    in->about_value = value_string(in->about);
    if (m->worst)
        in->blocker_about = text_of(m->arena, LIMIT_ABOUT_BYTES);
    keep_all(m, in);
    return in;
}

/* While a `count` step counts, with what it keeps of each event. */
static struct instance *instance_counting(const struct making *m, size_t step)
{
    struct instance *in = instance_out(m);
    const struct moment_step *s = &m->moment->steps[step];
    uint32_t count = m->worst ? LIMIT_STEP_EVENTS : 1;

    in->phase = PHASE_STEPS;
    in->step = (uint8_t)step;
    in->counted = ARENA_ARRAY(m->arena, struct counted, count);
    in->counted_count = in->counted_capacity = count;
    for (uint32_t i = 0; i < count; i++) {
        struct instance of_event = {0};

        for (size_t k = 0; k < s->capture_count; k++)
            keep(m, &of_event, SLOT_STEP_DATA, (uint8_t)step, m->set->paths[s->captures[k]].type);
        in->counted[i] = (struct counted){NOW_MS + i * (s->span_ms / count), of_event.kept};
    }
    return in;
}

static uint64_t bytes_with(const struct making *m, struct instance *in, uint32_t count)
{
    struct state *state = state_new(STR("c"), m->arena);

    state->instances = ARENA_ARRAY(m->arena, struct instance *, count);
    for (uint32_t i = 0; i < count; i++)
        state->instances[i] = in;
    state->instance_count = state->instance_capacity = count;
    return blob_bytes(state);
}

/* `again` and crossing states, of one about. */
static uint64_t memory_bytes(const struct making *m, uint32_t count)
{
    struct state *state = state_new(STR("c"), m->arena);
    struct crossing *crossings = ARENA_ARRAY(m->arena, struct crossing, m->moment->step_count);
    struct memory memory = {.moment = m->moment->id,
                            .again_ms = m->moment->again_ms != 0 ? NOW_MS : INT64_MIN,
                            .about = about_of(m),
                            .crossings = crossings};

    for (size_t i = 0; i < m->moment->step_count; i++)
        if (m->moment->steps[i].kind == STEP_CROSSES)
            crossings[memory.count++] = (struct crossing){(uint8_t)i, true, NOW_MS};
    if (m->moment->again_ms == 0 && memory.count == 0)
        return frame_bytes();
    state->memories = ARENA_ARRAY(m->arena, struct memory, count);
    for (uint32_t i = 0; i < count; i++)
        state->memories[i] = memory;
    state->memory_count = state->memory_capacity = count;
    return blob_bytes(state);
}

static uint64_t worst_bytes(const struct making *m, uint64_t frame)
{
    uint64_t abouts = m->moment->about != NULL ? LIMIT_ABOUTS : 1;
    uint64_t instances = m->moment->about != NULL ? m->moment->instances : 1;
    uint64_t memories[2] = {memory_bytes(m, abouts < 2 ? 1 : 2), memory_bytes(m, 3)};
    uint64_t most = 0;

    for (size_t i = 0; i <= m->moment->step_count; i++) {
        bool counts = i < m->moment->step_count && m->moment->steps[i].kind == STEP_COUNT;
        struct instance *in = counts ? instance_counting(m, i) : instance_out(m);
        uint64_t bytes[2] = {bytes_with(m, in, instances < 2 ? 1 : 2), bytes_with(m, in, 3)};
        uint64_t all = extrapolate(bytes, instances) - frame;

        most = all > most ? all : most;
    }
    return most + extrapolate(memories, abouts) - frame;
}

struct cost cost_of_moment(const struct ruleset *set, size_t index)
{
    struct arena *arena = arena_new(0);
    struct view *view = view_new(set, 1);
    struct making m = {.arena = arena, .set = set, .view = view, .moment = &set->moments[index]};
    uint64_t frame = frame_bytes();
    struct cost cost = {.one = bytes_with(&m, instance_out(&m), 1) - frame + memory_bytes(&m, 1) -
                               frame};

    m.worst = true;
    cost.worst = worst_bytes(&m, frame);
    view_free(view);
    arena_free(arena);
    return cost;
}

/* --- the rest ------------------------------------------------------------------------------------------ */

static uint64_t rest_bytes(uint32_t recent, uint32_t contacts, uint32_t consents)
{
    struct arena *arena = arena_new(0);
    struct state *state = state_new(STR("c"), arena);
    uint64_t bytes;

    add_recent(state, arena, recent);
    state->contacts = ARENA_ARRAY(arena, struct contact, contacts);
    state->contact_count = state->contact_capacity = contacts;
    for (uint32_t i = 0; i < contacts; i++)
        state->contacts[i] = (struct contact){NOW_MS + i * (int64_t)WHEN_DAY_MS, 1, 1, 1, 1};
    state->consents = ARENA_ARRAY(arena, struct consent, consents);
    state->consent_count = state->consent_capacity = consents;
    for (uint32_t i = 0; i < consents; i++)
        state->consents[i] = (struct consent){NOW_MS + i * (int64_t)WHEN_DAY_MS, 1, 1, true};
    bytes = blob_bytes(state);
    arena_free(arena);
    return bytes;
}

struct cost cost_of_rest(void)
{
    return (struct cost){.one = rest_bytes(1, 0, 0),
                         .worst = rest_bytes(LIMIT_RECENT_IDS, LIMIT_CONTACTS, LIMIT_CONSENTS)};
}
