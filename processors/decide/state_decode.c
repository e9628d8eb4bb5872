/* Decoding trusts nothing: a count must fit into the bytes that are left, an enum must be one, and a
 * reader that has failed gives zeros, so it is asked once, at the end.
 */
#include "processors/decide/state_blob.h"

#include "processors/worker/step.h"

/* An array of as many items as the blob says, if they can be there at all, with room for the one
 * that a record as a rule adds. */
enum { SPARE = 2 };
#define GET_ARRAY(r, arena, items, count, capacity, item_bytes)                                    \
    do {                                                                                           \
        (count) = (uint32_t)reader_count((r), (item_bytes));                                       \
        (capacity) = (count) != 0 ? (count) + SPARE : 0;                                           \
        (items) = (capacity) != 0                                                                  \
                      ? arena_alloc((arena), arena_array_bytes((capacity), sizeof *(items)))       \
                      : NULL;                                                                      \
    } while (0)

static void get_recent(struct reader *r, struct arena *arena, struct state *state)
{
    uint64_t at_s = 0;

    GET_ARRAY(r, arena, state->recent, state->recent_count, state->recent_capacity,
              STATE_MARK_BYTES + 1);
    if (state->recent_count > LIMIT_RECENT_IDS_MOST)
        r->failed = true;
    for (uint32_t i = 0; i < state->recent_count && !r->failed; i++) {
        struct recent *recent = &state->recent[i];
        uint64_t after;

        for (int b = 0; b < STATE_MARK_BYTES; b++)
            recent->mark |= (uint64_t)reader_u8(r) << 8 * b;
        after = reader_varint(r);
        recent->told = (after & 1) != 0;
        recent->at_s = (int64_t)(at_s += after >> 1);
    }
}

static int64_t get_after(struct reader *r, int64_t before_ms)
{
    return (int64_t)((uint64_t)before_ms + (uint64_t)reader_zigzag(r));
}

static double get_bits(struct reader *r)
{
    uint64_t bits = reader_u64(r);
    double d;

    memcpy(&d, &bits, sizeof d);
    return d;
}

static uint8_t get_enum(struct reader *r, uint8_t from, uint8_t to)
{
    uint8_t v = reader_u8(r);

    if (v < from || v > to)
        r->failed = true;
    return v;
}

static void get_points(struct reader *r, struct arena *arena, struct fact_cell *cell,
                       enum fact_form base)
{
    int64_t before = 0;

    GET_ARRAY(r, arena, cell->points, cell->count, cell->capacity, base != FORM_TIMES ? 2 : 1);
    for (uint32_t i = 0; i < cell->count; i++) {
        before = cell->points[i].time_ms = get_after(r, before);
        if (base != FORM_TIMES)
            cell->points[i].value = value_decode(r, arena);
        if (base == FORM_MEAN)
            cell->points[i].events = reader_varint(r);
    }
}

static void get_cell(struct reader *r, struct arena *arena, struct fact_cell *cell, uint8_t form)
{
    if ((form & FORM_KEYED) != 0)
        cell->key = value_decode(r, arena);
    if ((form & FORM_STEPPED) != 0) {
        get_points(r, arena, cell, (enum fact_form)(form & FORM_BASE));
        return;
    }
    switch ((enum fact_form)(form & FORM_BASE)) {
    case FORM_LATEST:
    case FORM_EARLIEST:
        cell->time_ms = reader_zigzag(r);
        cell->value = value_decode(r, arena);
        break;
    case FORM_TOTAL:
    case FORM_LEAST:
    case FORM_MOST: cell->value = value_decode(r, arena); break;
    case FORM_MEAN:
        cell->value = value_decode(r, arena);
        cell->events = reader_varint(r);
        break;
    case FORM_TIMES:
    case FORM_POINTS:
    case FORM_VALUES: get_points(r, arena, cell, (enum fact_form)(form & FORM_BASE)); break;
    case FORM_TIME: cell->time_ms = reader_zigzag(r); break;
    case FORM_BASE:
    case FORM_KEYED:
    case FORM_STEPPED: break;
    }
}

static void get_fact(struct reader *r, struct arena *arena, struct fact_state *fact)
{
    fact->id = reader_u32(r);
    fact->form = reader_u8(r);
    if ((fact->form & FORM_BASE) < FORM_LATEST || (fact->form & FORM_BASE) > FORM_VALUES)
        r->failed = true;
    GET_ARRAY(r, arena, fact->cells, fact->count, fact->capacity, 1);
    if ((fact->form & FORM_KEYED) == 0 && fact->count != 1)
        r->failed = true;
    for (uint32_t k = 0; k < fact->count && !r->failed; k++)
        get_cell(r, arena, &fact->cells[k], fact->form);
}

static void get_facts(struct reader *r, struct arena *arena, struct state *state)
{
    GET_ARRAY(r, arena, state->facts, state->fact_count, state->fact_capacity, 6);
    for (uint32_t i = 0; i < state->fact_count && !r->failed; i++) {
        get_fact(r, arena, &state->facts[i]);
        if (i > 0 && state->facts[i].id <= state->facts[i - 1].id)
            r->failed = true; /* look-ups are binary searches */
    }
}

static void get_kept(struct reader *r, struct arena *arena, struct kept_list *list)
{
    GET_ARRAY(r, arena, list->items, list->count, list->capacity, 7);
    for (uint32_t i = 0; i < list->count && !r->failed; i++) {
        list->items[i].kind = reader_u8(r);
        list->items[i].step = reader_u8(r);
        list->items[i].id = reader_u32(r);
        list->items[i].value = value_decode(r, arena);
    }
}

static void get_chain(struct reader *r, struct instance *in)
{
    in->act = reader_u8(r);
    in->hold = get_enum(r, HOLD_NONE, HOLD_PACED);
    in->asked_ms = reader_zigzag(r);
    in->deadline_ms = get_after(r, in->asked_ms);
    in->task_ms = reader_zigzag(r);
    in->task_deadline_ms = get_after(r, in->task_ms);
    in->value = get_bits(r);
    in->blocker = reader_u32(r);
    in->blocker_about = reader_bytes(r);
    in->owner = reader_bytes(r);
}

static void get_counted(struct reader *r, struct arena *arena, struct instance *in)
{
    GET_ARRAY(r, arena, in->counted, in->counted_count, in->counted_capacity, 2);
    for (uint32_t i = 0; i < in->counted_count && !r->failed; i++) {
        in->counted[i].time_ms = reader_zigzag(r);
        get_kept(r, arena, &in->counted[i].kept);
    }
}

static void get_trace(struct reader *r, struct instance *in)
{
    for (size_t i = 0; i < TRACE_BYTES; i++)
        in->trace[i] = reader_u8(r);
}

static struct went get_went(struct reader *r)
{
    struct went went = {.first = reader_u32(r)};

    went.here = reader_u32(r);
    went.all = reader_u32(r);
    return went;
}

static void get_instance(struct reader *r, struct arena *arena, struct instance *in)
{
    uint8_t flags;

    in->moment = reader_u32(r);
    in->phase = get_enum(r, PHASE_STEPS, PHASE_OUT);
    in->step = reader_u8(r);
    flags = reader_u8(r);
    in->sent = (flags & INSTANCE_SENT) != 0;
    in->accepted = (flags & INSTANCE_ACCEPTED) != 0;
    in->traced = (flags & INSTANCE_TRACED) != 0;
    if (((flags & INSTANCE_CHAIN) != 0) != (in->phase != PHASE_STEPS) ||
        ((flags & INSTANCE_WAITS) != 0 && (flags & INSTANCE_TIMER) == 0) ||
        ((flags & INSTANCE_NOTICE) != 0 && (flags & INSTANCE_WAITS) == 0))
        r->failed = true;
    in->about_value = value_decode(r, arena);
    in->about = reader_bytes(r);
    in->opener = reader_u64(r);
    in->first_ms = reader_zigzag(r);
    in->step_ms = get_after(r, in->first_ms);
    in->due_ms = (flags & INSTANCE_TIMER) != 0 ? get_after(r, in->step_ms) : STEP_NO_TIMER;
    in->waits = (flags & INSTANCE_WAITS) != 0 ? reader_u32(r) : 0;
    if ((flags & INSTANCE_WAITS) != 0 && in->waits == 0)
        r->failed = true;
    in->notice_ms = (flags & INSTANCE_NOTICE) != 0 ? get_after(r, in->step_ms) : STEP_NO_TIMER;
    if (in->traced)
        get_trace(r, in);
    if (in->phase != PHASE_STEPS)
        get_chain(r, in);
    get_kept(r, arena, &in->kept);
    if ((flags & INSTANCE_COUNTED) != 0)
        get_counted(r, arena, in);
    in->went = get_went(r);
}

static void get_instances(struct reader *r, struct arena *arena, struct state *state)
{
    GET_ARRAY(r, arena, state->instances, state->instance_count, state->instance_capacity, 20);
    for (uint32_t i = 0; i < state->instance_count && !r->failed; i++) {
        state->instances[i] = ARENA_NEW(arena, struct instance);
        get_instance(r, arena, state->instances[i]);
    }
}

static void get_memory(struct reader *r, struct arena *arena, struct memory *memory)
{
    uint8_t flags;

    memory->moment = reader_u32(r);
    memory->about = reader_bytes(r);
    flags = get_enum(r, 0, MEMORY_REFUSED | MEMORY_AGAIN | MEMORY_TIMER);
    memory->refused = (flags & MEMORY_REFUSED) != 0;
    memory->again_ms = (flags & MEMORY_AGAIN) != 0 ? reader_zigzag(r) : INT64_MIN;
    memory->due_ms = (flags & MEMORY_TIMER) != 0 ? reader_zigzag(r) : STEP_NO_TIMER;
    GET_ARRAY(r, arena, memory->crossings, memory->count, memory->capacity, 3);
    for (uint32_t i = 0; i < memory->count; i++) {
        memory->crossings[i].step = reader_u8(r);
        memory->crossings[i].past = get_enum(r, 0, 1) == 1;
        memory->crossings[i].time_ms = reader_zigzag(r);
    }
}

static void get_memories(struct reader *r, struct arena *arena, struct state *state)
{
    GET_ARRAY(r, arena, state->memories, state->memory_count, state->memory_capacity, 7);
    for (uint32_t i = 0; i < state->memory_count && !r->failed; i++)
        get_memory(r, arena, &state->memories[i]);
}

static void get_contacts(struct reader *r, struct arena *arena, struct state *state)
{
    GET_ARRAY(r, arena, state->contacts, state->contact_count, state->contact_capacity, 17);
    for (uint32_t i = 0; i < state->contact_count; i++) {
        state->contacts[i].at_ms = reader_zigzag(r);
        state->contacts[i].moment = reader_u32(r);
        state->contacts[i].tier = reader_u32(r);
        state->contacts[i].channel = reader_u32(r);
        state->contacts[i].purpose = reader_u32(r);
    }
}

static void get_consents(struct reader *r, struct arena *arena, struct state *state)
{
    GET_ARRAY(r, arena, state->consents, state->consent_count, state->consent_capacity, 10);
    for (uint32_t i = 0; i < state->consent_count; i++) {
        state->consents[i].at_ms = reader_zigzag(r);
        state->consents[i].purpose = reader_u32(r);
        state->consents[i].channel = reader_u32(r);
        state->consents[i].given = get_enum(r, 0, 1) == 1;
    }
}

static void get_merged(struct reader *r, struct arena *arena, struct state *state)
{
    state->moved = reader_bytes(r);
    GET_ARRAY(r, arena, state->merged, state->merged_count, state->merged_capacity, 1);
    for (uint32_t i = 0; i < state->merged_count; i++)
        state->merged[i] = reader_bytes(r);
}

static void get_state(struct reader *r, struct arena *arena, struct state *state)
{
    get_recent(r, arena, state);
    get_facts(r, arena, state);
    get_instances(r, arena, state);
    get_memories(r, arena, state);
    get_contacts(r, arena, state);
    get_consents(r, arena, state);
    GET_ARRAY(r, arena, state->limited, state->limited_count, state->limited_capacity, 4);
    for (uint32_t i = 0; i < state->limited_count; i++)
        state->limited[i] = reader_u32(r);
    get_merged(r, arena, state);
    if (r->at != r->end)
        r->failed = true;
}

static enum err_code open_blob(struct str customer, struct str blob, struct reader *r,
                               struct err *err)
{
    size_t body = blob.len - 4;
    struct reader tail;

    if (blob.len < 5 || blob.len > LIMIT_STATE_BYTES)
        return err_set(err, ERR_STATE, "state of a customer (hash %08x): %zu bytes cannot be one",
                       name_id(customer), blob.len);
    if ((unsigned char)blob.data[0] != STATE_VERSION)
        return err_set(err, ERR_STATE,
                       "state of a customer (hash %08x): version %d, this is version %d",
                       name_id(customer), (unsigned char)blob.data[0], STATE_VERSION);
    tail = reader_of(str_slice(blob, body, blob.len));
    if (reader_u32(&tail) != state_check_of(blob.data, body))
        return err_set(err, ERR_STATE, "state of a customer (hash %08x): checksum does not fit",
                       name_id(customer));
    *r = reader_of(str_slice(blob, 1, body));
    return ERR_NONE;
}

enum err_code state_decode(struct str customer, struct str blob, struct arena *arena,
                           struct state **out, struct err *err)
{
    struct state *state = state_new(customer, arena);
    struct reader r;
    enum err_code code;

    *out = NULL;
    if (blob.len != 0) {
        blob = arena_str(arena, blob); /* the cache may move while the batch goes on */
        code = open_blob(customer, blob, &r, err);
        if (code != ERR_NONE)
            return code;
        get_state(&r, arena, state);
        if (r.failed)
            return err_set(err, ERR_STATE, "state of a customer (hash %08x): broken",
                           name_id(customer));
    }
    *out = state;
    return ERR_NONE;
}
