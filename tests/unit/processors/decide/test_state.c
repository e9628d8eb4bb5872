#include <stdlib.h>

#include "core/hash.h"
#include "core/rng.h"
#include "processors/decide/state.h"
#include "processors/worker/step.h"
#include "tests/support/suite.h"

static struct arena *arena;
static struct rng rng;

static void set_up(void)
{
    arena = arena_new(0);
    rng = rng_seeded(7);
}

static void tear_down(void)
{
    arena_free(arena);
}

/* --- random states ------------------------------------------------------------------------------- */

static uint32_t below(uint32_t n)
{
    return (uint32_t)(rng_next(&rng) % n);
}

static int64_t some_time(void)
{
    return 1772438400000 + below(1000000) * 1000LL;
}

static struct value some_value(void)
{
    switch (below(6)) {
    case 0: return value_bool(below(2) == 1);
    case 1: return value_int((int64_t)below(100) - 50);
    case 2: return value_double(below(1000) / 8.0);
    case 3: return value_timestamp_ms(some_time());
    default: return value_string(arena_format(arena, "text %u", below(20)));
    }
}

static void some_points(struct fact_cell *cell, int base)
{
    cell->count = cell->capacity = below(5);
    cell->points = ARENA_ARRAY(arena, struct fact_point, cell->count);
    for (uint32_t i = 0; i < cell->count; i++) {
        cell->points[i].time_ms = some_time();
        if (base != FORM_TIMES)
            cell->points[i].value = some_value();
        if (base == FORM_MEAN)
            cell->points[i].events = below(1000);
    }
}

static uint8_t some_form(void)
{
    static const uint8_t stepped[] = {FORM_TOTAL, FORM_LEAST, FORM_MOST, FORM_MEAN};
    int form = below(2) == 1 ? FORM_LATEST + (int)below(FORM_VALUES)
                             : FORM_STEPPED | stepped[below(sizeof stepped)];

    return (uint8_t)(form | (below(2) == 1 ? FORM_KEYED : 0));
}

static void some_cell(struct fact_cell *cell, uint8_t form)
{
    *cell = (struct fact_cell){0};
    if ((form & FORM_KEYED) != 0)
        cell->key = value_string(arena_format(arena, "V%u", below(1000)));
    if ((form & FORM_STEPPED) != 0) {
        some_points(cell, form & FORM_BASE);
        return;
    }
    switch ((enum fact_form)(form & FORM_BASE)) {
    case FORM_LATEST:
    case FORM_EARLIEST:
        cell->time_ms = some_time();
        cell->value = some_value();
        break;
    case FORM_MEAN: cell->events = below(1000); /* fall through */
    case FORM_TOTAL:
    case FORM_LEAST:
    case FORM_MOST: cell->value = value_int(below(50)); break;
    case FORM_TIMES:
    case FORM_POINTS:
    case FORM_VALUES: some_points(cell, form & FORM_BASE); break;
    case FORM_TIME: cell->time_ms = some_time(); break;
    case FORM_BASE:
    case FORM_STEPPED:
    case FORM_KEYED: break;
    }
}

static void some_facts(struct state *state)
{
    state->fact_count = state->fact_capacity = below(5);
    state->facts = ARENA_ARRAY(arena, struct fact_state, state->fact_count);
    for (uint32_t i = 0; i < state->fact_count; i++) {
        struct fact_state *fact = &state->facts[i];

        fact->id = i * 1000 + below(1000);
        fact->form = some_form();
        fact->count = fact->capacity = (fact->form & FORM_KEYED) != 0 ? 1 + below(3) : 1;
        fact->cells = ARENA_ARRAY(arena, struct fact_cell, fact->count);
        for (uint32_t k = 0; k < fact->count; k++)
            some_cell(&fact->cells[k], fact->form);
    }
}

static struct kept_list some_kept(void)
{
    struct kept_list list = {.count = below(3)};

    list.capacity = list.count;
    list.items = ARENA_ARRAY(arena, struct kept, list.count);
    for (uint32_t i = 0; i < list.count; i++)
        list.items[i] =
            (struct kept){(uint8_t)(1 + below(9)), (uint8_t)below(4), below(9999), some_value()};
    return list;
}

static void some_chain(struct instance *in)
{
    in->act = (uint8_t)below(3);
    in->hold = (uint8_t)below(5);
    in->sent = below(2) == 1;
    in->asked_ms = some_time();
    in->deadline_ms = some_time();
    in->task_ms = some_time();
    in->task_deadline_ms = some_time();
    in->value = below(100) / 4.0;
    in->blocker = below(99);
    in->blocker_about = arena_format(arena, "V%u", below(10));
}

static struct instance *some_instance(void)
{
    struct instance *in = ARENA_NEW(arena, struct instance);

    in->moment = below(1000000);
    in->phase = (uint8_t)(1 + below(3));
    in->step = (uint8_t)below(5);
    in->about = arena_format(arena, "V%u", below(10));
    in->about_value = value_string(in->about);
    in->opener = rng_next(&rng);
    in->went = (struct went){below(99), below(99), below(99)};
    in->first_ms = some_time();
    in->step_ms = some_time();
    in->due_ms = below(2) == 1 ? STEP_NO_TIMER : some_time();
    in->traced = below(2) == 1;
    for (size_t i = 0; i < TRACE_BYTES && in->traced; i++)
        in->trace[i] = (unsigned char)below(256);
    if (in->phase != PHASE_STEPS)
        some_chain(in);
    in->kept = some_kept();
    in->counted_count = in->counted_capacity = below(3);
    in->counted = ARENA_ARRAY(arena, struct counted, in->counted_count);
    for (uint32_t i = 0; i < in->counted_count; i++)
        in->counted[i] = (struct counted){some_time(), some_kept()};
    return in;
}

static void some_memories(struct state *state)
{
    state->memory_count = state->memory_capacity = below(4);
    state->memories = ARENA_ARRAY(arena, struct memory, state->memory_count);
    for (uint32_t i = 0; i < state->memory_count; i++) {
        struct memory *memory = &state->memories[i];

        memory->moment = below(100);
        memory->about = arena_format(arena, "V%u", below(10));
        memory->refused = below(2) == 1;
        memory->again_ms = below(2) == 1 ? INT64_MIN : some_time();
        memory->count = memory->capacity = below(3);
        memory->crossings = ARENA_ARRAY(arena, struct crossing, memory->count);
        for (uint32_t k = 0; k < memory->count; k++)
            memory->crossings[k] = (struct crossing){(uint8_t)k, below(2) == 1, some_time()};
    }
}

static void some_rest(struct state *state)
{
    state->recent_count = state->recent_capacity = below(LIMIT_RECENT_IDS + 1);
    state->recent = ARENA_ARRAY(arena, struct recent, state->recent_count);
    for (uint32_t i = 0; i < state->recent_count; i++)
        state->recent[i] = (struct recent){rng_next(&rng) >> 16, some_time() / 1000 + i * 1000000LL,
                                           below(2) == 1};
    state->contact_count = state->contact_capacity = below(4);
    state->contacts = ARENA_ARRAY(arena, struct contact, state->contact_count);
    for (uint32_t i = 0; i < state->contact_count; i++)
        state->contacts[i] = (struct contact){some_time(), below(9), below(9), below(9), below(9)};
    state->consent_count = state->consent_capacity = below(4);
    state->consents = ARENA_ARRAY(arena, struct consent, state->consent_count);
    for (uint32_t i = 0; i < state->consent_count; i++)
        state->consents[i] = (struct consent){some_time(), below(9), below(9), below(2) == 1};
    state->limited_count = state->limited_capacity = below(3);
    state->limited = ARENA_ARRAY(arena, uint32_t, state->limited_count);
    for (uint32_t i = 0; i < state->limited_count; i++)
        state->limited[i] = below(1000);
}

static struct state *some_state(void)
{
    struct state *state = state_new(STR("c1"), arena);

    some_facts(state);
    state->instance_count = state->instance_capacity = below(4);
    state->instances = ARENA_ARRAY(arena, struct instance *, state->instance_count);
    for (uint32_t i = 0; i < state->instance_count; i++)
        state->instances[i] = some_instance();
    some_memories(state);
    some_rest(state);
    return state;
}

/* --- tests --------------------------------------------------------------------------------------- */

static struct str encoded(const struct state *state)
{
    struct buf blob = {0};
    struct str copy;

    state_encode(state, &blob);
    copy = arena_str(arena, buf_str(&blob));
    buf_free(&blob);
    return copy;
}

START_TEST(a_state_reads_back_to_the_same_bytes)
{
    for (int i = 0; i < 2000; i++) {
        struct str blob = encoded(some_state());
        struct state *back;

        ck_assert_int_eq(state_decode(STR("c1"), blob, arena, &back, NULL), ERR_NONE);
        ck_assert(str_equal(encoded(back), blob));
    }
}
END_TEST

START_TEST(a_read_state_does_not_need_its_blob)
{
    struct state *state = some_state();
    struct buf blob = {0};
    struct state *back;

    state_encode(state, &blob);
    ck_assert_int_eq(state_decode(STR("c1"), buf_str(&blob), arena, &back, NULL), ERR_NONE);
    memset(blob.data, 'x', blob.len);
    ck_assert(str_equal(encoded(back), encoded(state)));
    buf_free(&blob);
}
END_TEST

START_TEST(an_empty_state_is_no_bytes)
{
    struct state *state;

    ck_assert_int_eq(state_decode(STR("c1"), STR_EMPTY, arena, &state, NULL), ERR_NONE);
    ck_assert_uint_eq(encoded(state).len, 0);
}
END_TEST

START_TEST(a_flipped_bit_is_noticed)
{
    struct str blob = encoded(some_state());

    for (size_t i = 0; i < blob.len; i++) {
        struct str broken = arena_str(arena, blob);
        struct state *back;
        struct err err;

        ((char *)(uintptr_t)broken.data)[i] ^= 4;
        ck_assert_int_eq(state_decode(STR("c1"), broken, arena, &back, &err), ERR_STATE);
        ck_assert_ptr_null(back);
    }
}
END_TEST

START_TEST(a_newer_version_is_refused_with_a_sentence)
{
    struct err err;
    struct state *back;

    ck_assert_int_eq(state_decode(STR("c1"), STR("\x63.........."), arena, &back, &err), ERR_STATE);
    ck_assert_str_eq(err.text, arena_format(arena,
                                            "state of a customer (hash %08x): version 99, "
                                            "this is version 2",
                                            name_id(STR("c1")))
                                   .data);
}
END_TEST

SUITE_MAIN_AROUND("state", set_up, tear_down, a_state_reads_back_to_the_same_bytes,
                  a_read_state_does_not_need_its_blob, an_empty_state_is_no_bytes,
                  a_flipped_bit_is_noticed, a_newer_version_is_refused_with_a_sentence)
