/* How large a state can be as a blob, without making one: what a varint or a number takes at most.
 * It is asked at every turn, so only what may hold texts is looked at item by item. */
#include "processors/decide/state.h"

enum { VARINT = 10, NUMBER = 1 + VARINT, U32 = 4, U64 = 8 };

static size_t value_most(struct value v)
{
    size_t bytes = NUMBER + VARINT;

    if (v.kind == VALUE_STRING || v.kind == VALUE_BYTES || v.kind == VALUE_TYPE ||
        v.kind == VALUE_ERROR)
        return bytes + v.n;
    for (size_t i = 0; v.kind == VALUE_LIST && i < v.n; i++)
        bytes += value_most(v.list[i]);
    for (size_t i = 0; v.kind == VALUE_MAP && i < v.n; i++)
        bytes += value_most(v.map[i].key) + value_most(v.map[i].value);
    if (v.kind == VALUE_OPTIONAL && v.boxed != NULL)
        bytes += value_most(*v.boxed);
    return bytes;
}

/* --- facts --------------------------------------------------------------------------------------- */

static size_t cell_most(const struct fact_cell *cell, uint8_t form)
{
    enum fact_form base = (enum fact_form)(form & FORM_BASE);
    size_t bytes = value_most(cell->key) + 3 * VARINT + value_most(cell->value);

    if (base == FORM_TIMES)
        return bytes + (size_t)cell->count * VARINT;
    if (base != FORM_VALUES) /* numbers */
        return bytes + (size_t)cell->count * (VARINT + NUMBER + VARINT);
    for (uint32_t i = 0; i < cell->count; i++)
        bytes += VARINT + value_most(cell->points[i].value);
    return bytes;
}

size_t state_fact_bytes_most(const struct fact_state *fact)
{
    size_t bytes = U32 + 1 + VARINT;

    for (uint32_t i = 0; i < fact->count; i++)
        bytes += cell_most(&fact->cells[i], fact->form);
    return bytes;
}

/* --- instances ----------------------------------------------------------------------------------- */

static size_t kept_most(const struct kept_list *list)
{
    size_t bytes = VARINT;

    for (uint32_t i = 0; i < list->count; i++)
        bytes += 2 + U32 + value_most(list->items[i].value);
    return bytes;
}

size_t state_instance_bytes_most(const struct instance *in)
{
    enum { FIXED = U32 + 3 + VARINT + U64 + 3 * VARINT + U32 + VARINT + TRACE_BYTES + 3 * U32 };
    enum { CHAIN = 2 + 4 * VARINT + U64 + U32 + 2 * VARINT };
    size_t bytes = FIXED + CHAIN + in->about.len + in->blocker_about.len + in->owner.len +
                   value_most(in->about_value) + kept_most(&in->kept) + VARINT;

    for (uint32_t i = 0; i < in->counted_count; i++)
        bytes += VARINT + kept_most(&in->counted[i].kept);
    return bytes;
}

/* --- all ------------------------------------------------------------------------------------------- */

static size_t memory_most(const struct memory *memory)
{
    return U32 + VARINT + memory->about.len + 1 + 3 * VARINT + (size_t)memory->count * (2 + VARINT);
}

size_t state_bytes_most(const struct state *state)
{
    enum { COUNTS = 9 * VARINT, CONTACT = VARINT + 4 * U32, CONSENT = VARINT + 2 * U32 + 1 };
    size_t bytes = 1 + COUNTS + U32 + (size_t)state->recent_count * (6 + VARINT) +
                   (size_t)state->contact_count * CONTACT + (size_t)state->consent_count * CONSENT +
                   (size_t)state->limited_count * U32;

    for (uint32_t i = 0; i < state->fact_count; i++)
        bytes += state_fact_bytes_most(&state->facts[i]);
    for (uint32_t i = 0; i < state->instance_count; i++)
        bytes += state_instance_bytes_most(state->instances[i]);
    for (uint32_t i = 0; i < state->memory_count; i++)
        bytes += memory_most(&state->memories[i]);
    bytes += state->moved.len;
    for (uint32_t i = 0; i < state->merged_count; i++)
        bytes += VARINT + state->merged[i].len;
    return bytes;
}
