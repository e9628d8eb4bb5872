#include "processors/decide/state_blob.h"

#include "processors/worker/step.h"

static void put_recent(struct buf *out, const struct state *state)
{
    uint64_t before_s = 0;

    buf_put_varint(out, state->recent_count);
    for (uint32_t i = 0; i < state->recent_count; i++) {
        const struct recent *recent = &state->recent[i];
        char *to = buf_extend(out, STATE_MARK_BYTES);

        for (int b = 0; b < STATE_MARK_BYTES; b++)
            *to++ = (char)(recent->mark >> 8 * b);
        buf_put_varint(out, ((uint64_t)recent->at_s - before_s) << 1 | (recent->told ? 1 : 0));
        before_s = (uint64_t)recent->at_s;
    }
}

/* Times from a broken blob may be far apart: wrap, and get_after wraps back. */
static void put_after(struct buf *out, int64_t time_ms, int64_t before_ms)
{
    buf_put_zigzag(out, (int64_t)((uint64_t)time_ms - (uint64_t)before_ms));
}

static void put_bits(struct buf *out, double d)
{
    uint64_t bits;

    memcpy(&bits, &d, sizeof bits);
    buf_put_u64(out, bits);
}

static void put_points(struct buf *out, const struct fact_cell *cell, enum fact_form base)
{
    int64_t before = 0;

    buf_put_varint(out, cell->count);
    for (uint32_t i = 0; i < cell->count; i++) {
        put_after(out, cell->points[i].time_ms, before);
        before = cell->points[i].time_ms;
        if (base != FORM_TIMES)
            value_encode(out, cell->points[i].value);
        if (base == FORM_MEAN)
            buf_put_varint(out, cell->points[i].events);
    }
}

static void put_cell(struct buf *out, const struct fact_cell *cell, uint8_t form)
{
    if ((form & FORM_KEYED) != 0)
        value_encode(out, cell->key);
    if ((form & FORM_STEPPED) != 0) {
        put_points(out, cell, (enum fact_form)(form & FORM_BASE));
        return;
    }
    switch ((enum fact_form)(form & FORM_BASE)) {
    case FORM_LATEST:
    case FORM_EARLIEST:
        buf_put_zigzag(out, cell->time_ms);
        value_encode(out, cell->value);
        break;
    case FORM_TOTAL:
    case FORM_LEAST:
    case FORM_MOST: value_encode(out, cell->value); break;
    case FORM_MEAN:
        value_encode(out, cell->value);
        buf_put_varint(out, cell->events);
        break;
    case FORM_TIMES:
    case FORM_POINTS:
    case FORM_VALUES: put_points(out, cell, (enum fact_form)(form & FORM_BASE)); break;
    case FORM_TIME: buf_put_zigzag(out, cell->time_ms); break;
    case FORM_BASE:
    case FORM_KEYED:
    case FORM_STEPPED: break;
    }
}

static void put_facts(struct buf *out, const struct state *state)
{
    buf_put_varint(out, state->fact_count);
    for (uint32_t i = 0; i < state->fact_count; i++) {
        const struct fact_state *fact = &state->facts[i];

        buf_put_u32(out, fact->id);
        buf_put_u8(out, fact->form);
        buf_put_varint(out, fact->count);
        for (uint32_t k = 0; k < fact->count; k++)
            put_cell(out, &fact->cells[k], fact->form);
    }
}

static void put_kept(struct buf *out, const struct kept_list *list)
{
    buf_put_varint(out, list->count);
    for (uint32_t i = 0; i < list->count; i++) {
        buf_put_u8(out, list->items[i].kind);
        buf_put_u8(out, list->items[i].step);
        buf_put_u32(out, list->items[i].id);
        value_encode(out, list->items[i].value);
    }
}

static uint8_t instance_flags(const struct instance *in)
{
    return (uint8_t)((in->sent ? INSTANCE_SENT : 0) | (in->traced ? INSTANCE_TRACED : 0) |
                     (in->phase != PHASE_STEPS ? INSTANCE_CHAIN : 0) |
                     (in->due_ms != STEP_NO_TIMER ? INSTANCE_TIMER : 0) |
                     (in->counted_count != 0 ? INSTANCE_COUNTED : 0) |
                     (in->accepted ? INSTANCE_ACCEPTED : 0) |
                     (in->waits != 0 ? INSTANCE_WAITS : 0) |
                     (in->waits != 0 && in->notice_ms != STEP_NO_TIMER ? INSTANCE_NOTICE : 0));
}

static void put_chain(struct buf *out, const struct instance *in)
{
    buf_put_u8(out, in->act);
    buf_put_u8(out, in->hold);
    buf_put_zigzag(out, in->asked_ms);
    put_after(out, in->deadline_ms, in->asked_ms);
    buf_put_zigzag(out, in->task_ms);
    put_after(out, in->task_deadline_ms, in->task_ms);
    put_bits(out, in->value);
    buf_put_u32(out, in->blocker);
    buf_put_bytes(out, in->blocker_about);
    buf_put_bytes(out, in->owner);
}

static void put_counted(struct buf *out, const struct instance *in)
{
    buf_put_varint(out, in->counted_count);
    for (uint32_t i = 0; i < in->counted_count; i++) {
        buf_put_zigzag(out, in->counted[i].time_ms);
        put_kept(out, &in->counted[i].kept);
    }
}

static void put_instance(struct buf *out, const struct instance *in)
{
    buf_put_u32(out, in->moment);
    buf_put_u8(out, in->phase);
    buf_put_u8(out, in->step);
    buf_put_u8(out, instance_flags(in));
    value_encode(out, in->about_value);
    buf_put_bytes(out, in->about);
    buf_put_u64(out, in->opener);
    buf_put_zigzag(out, in->first_ms);
    put_after(out, in->step_ms, in->first_ms);
    if (in->due_ms != STEP_NO_TIMER)
        put_after(out, in->due_ms, in->step_ms);
    if (in->waits != 0)
        buf_put_u32(out, in->waits);
    if (in->waits != 0 && in->notice_ms != STEP_NO_TIMER)
        put_after(out, in->notice_ms, in->step_ms);
    if (in->traced)
        buf_put(out, (struct str){(const char *)in->trace, TRACE_BYTES});
    if (in->phase != PHASE_STEPS)
        put_chain(out, in);
    put_kept(out, &in->kept);
    if (in->counted_count != 0)
        put_counted(out, in);
    buf_put_u32(out, in->went.first);
    buf_put_u32(out, in->went.here);
    buf_put_u32(out, in->went.all);
}

static uint8_t memory_flags(const struct memory *memory)
{
    return (uint8_t)((memory->refused ? MEMORY_REFUSED : 0) |
                     (memory->again_ms != INT64_MIN ? MEMORY_AGAIN : 0) |
                     (memory->due_ms != STEP_NO_TIMER ? MEMORY_TIMER : 0));
}

static void put_memory(struct buf *out, const struct memory *memory)
{
    buf_put_u32(out, memory->moment);
    buf_put_bytes(out, memory->about);
    buf_put_u8(out, memory_flags(memory));
    if (memory->again_ms != INT64_MIN)
        buf_put_zigzag(out, memory->again_ms);
    if (memory->due_ms != STEP_NO_TIMER)
        buf_put_zigzag(out, memory->due_ms);
    buf_put_varint(out, memory->count);
    for (uint32_t i = 0; i < memory->count; i++) {
        buf_put_u8(out, memory->crossings[i].step);
        buf_put_u8(out, memory->crossings[i].past ? 1 : 0);
        buf_put_zigzag(out, memory->crossings[i].time_ms);
    }
}

static void put_contacts(struct buf *out, const struct state *state)
{
    buf_put_varint(out, state->contact_count);
    for (uint32_t i = 0; i < state->contact_count; i++) {
        const struct contact *contact = &state->contacts[i];

        buf_put_zigzag(out, contact->at_ms);
        buf_put_u32(out, contact->moment);
        buf_put_u32(out, contact->tier);
        buf_put_u32(out, contact->channel);
        buf_put_u32(out, contact->purpose);
    }
}

static void put_consents(struct buf *out, const struct state *state)
{
    buf_put_varint(out, state->consent_count);
    for (uint32_t i = 0; i < state->consent_count; i++) {
        buf_put_zigzag(out, state->consents[i].at_ms);
        buf_put_u32(out, state->consents[i].purpose);
        buf_put_u32(out, state->consents[i].channel);
        buf_put_u8(out, state->consents[i].given ? 1 : 0);
    }
}

static void put_merged(struct buf *out, const struct state *state)
{
    buf_put_bytes(out, state->moved);
    buf_put_varint(out, state->merged_count);
    for (uint32_t i = 0; i < state->merged_count; i++)
        buf_put_bytes(out, state->merged[i]);
}

static bool state_is_empty(const struct state *state)
{
    return state->recent_count == 0 && state->fact_count == 0 && state->instance_count == 0 &&
           state->memory_count == 0 && state->contact_count == 0 && state->consent_count == 0 &&
           state->limited_count == 0 && state->moved.len == 0 && state->merged_count == 0;
}

void state_encode(const struct state *state, struct buf *out)
{
    size_t from = out->len;

    if (state_is_empty(state))
        return;
    buf_put_u8(out, STATE_VERSION);
    put_recent(out, state);
    put_facts(out, state);
    buf_put_varint(out, state->instance_count);
    for (uint32_t i = 0; i < state->instance_count; i++)
        put_instance(out, state->instances[i]);
    buf_put_varint(out, state->memory_count);
    for (uint32_t i = 0; i < state->memory_count; i++)
        put_memory(out, &state->memories[i]);
    put_contacts(out, state);
    put_consents(out, state);
    buf_put_varint(out, state->limited_count);
    for (uint32_t i = 0; i < state->limited_count; i++)
        buf_put_u32(out, state->limited[i]);
    put_merged(out, state);
    buf_put_u32(out, state_check_of(out->data + from, out->len - from));
}
