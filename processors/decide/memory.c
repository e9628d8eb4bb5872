#include "processors/decide/memory.h"

static int memory_find(const struct state *state, uint32_t moment, struct str about)
{
    for (uint32_t i = 0; i < state->memory_count; i++)
        if (state->memories[i].moment == moment && str_equal(state->memories[i].about, about))
            return (int)i;
    return -1;
}

static void make_room(struct state *state, uint32_t moment)
{
    uint32_t count = 0, oldest = 0;

    for (uint32_t i = state->memory_count; i-- > 0;) {
        if (state->memories[i].moment == moment) {
            count++;
            oldest = i;
        }
    }
    if (count >= LIMIT_ABOUTS)
        STATE_REMOVE(state->memories, state->memory_count, oldest);
}

/* The memory, at the end of the list because it is about to change. */
static struct memory *memory_at(struct turn *turn, const struct moment *moment, struct str about)
{
    struct state *state = turn->state;
    int at = memory_find(state, moment->id, about);
    struct memory memory = {.moment = moment->id, .again_ms = INT64_MIN, .due_ms = STEP_NO_TIMER};

    turn->changed = true;
    if (at >= 0) {
        memory = state->memories[at];
        STATE_REMOVE(state->memories, state->memory_count, (uint32_t)at);
    } else {
        make_room(state, moment->id);
        memory.about = arena_str(turn->arena, about);
    }
    STATE_RESERVE(turn->arena, state->memories, state->memory_count, state->memory_capacity);
    state->memories[state->memory_count] = memory;
    return &state->memories[state->memory_count++];
}

/* --- again and limit ----------------------------------------------------------------------------- */

void memory_start_again(struct turn *turn, const struct moment *moment, struct str about)
{
    struct memory *memory;

    if (moment->again_ms == 0)
        return;
    memory = memory_at(turn, moment, about);
    memory->again_ms = turn->now_ms;
    memory->refused = false;
}

int64_t memory_again_until(const struct state *state, const struct moment *moment, struct str about)
{
    int at = moment->again_ms != 0 ? memory_find(state, moment->id, about) : -1;

    if (at < 0 || state->memories[at].again_ms == INT64_MIN)
        return INT64_MIN;
    return state->memories[at].again_ms + moment->again_ms;
}

bool memory_keeps_silent(const struct turn *turn, const struct memory *memory)
{
    int index = view_moment(turn->view, memory->moment);

    return index >= 0 && memory->again_ms != INT64_MIN &&
           turn->now_ms - turn->set->moments[index].again_ms < memory->again_ms;
}

bool memory_refuse_again(struct turn *turn, const struct moment *moment, struct str about)
{
    int at = memory_find(turn->state, moment->id, about);

    turn->counts->refusals[REASON_AGAIN]++;
    if (at < 0 || turn->state->memories[at].refused)
        return false;
    turn->state->memories[at].refused = true;
    turn->changed = true;
    return true;
}

bool memory_refuse_limit(struct turn *turn, const struct moment *moment)
{
    struct state *state = turn->state;

    turn->counts->refusals[REASON_LIMIT]++;
    for (uint32_t i = 0; i < state->limited_count; i++)
        if (state->limited[i] == moment->id)
            return false;
    STATE_RESERVE(turn->arena, state->limited, state->limited_count, state->limited_capacity);
    state->limited[state->limited_count++] = moment->id;
    turn->changed = true;
    return true;
}

void memory_end_limit(struct turn *turn, uint32_t moment)
{
    struct state *state = turn->state;

    for (uint32_t i = 0; i < state->limited_count; i++) {
        if (state->limited[i] == moment) {
            STATE_REMOVE(state->limited, state->limited_count, i);
            return;
        }
    }
}

/* --- crossings ----------------------------------------------------------------------------------- */

/* The side after a value: past when beyond the bound; not past again beyond `back`, or without
 * `back` as soon as it is not past the bound. */
static bool side_after(const struct moment_step *step, bool was_past, double value)
{
    if (step->below ? value < step->bound : value > step->bound)
        return true;
    if (step->back == step->bound)
        return false;
    return was_past && !(step->below ? value > step->back : value < step->back);
}

static int crossing_find(const struct memory *memory, size_t step)
{
    for (uint32_t i = 0; i < memory->count; i++)
        if (memory->crossings[i].step == step)
            return (int)i;
    return -1;
}

bool memory_cross(struct turn *turn, const struct moment *moment, size_t step, struct str about,
                  double value, int64_t time_ms)
{
    int known = memory_find(turn->state, moment->id, about);
    int at = known >= 0 ? crossing_find(&turn->state->memories[known], step) : -1;
    struct crossing *crossing;
    struct memory *memory;
    bool was_past;

    if (at >= 0 && time_ms < turn->state->memories[known].crossings[at].time_ms)
        return false;
    memory = memory_at(turn, moment, about);
    if (at < 0) {
        STATE_RESERVE(turn->arena, memory->crossings, memory->count, memory->capacity);
        crossing = &memory->crossings[memory->count++];
        *crossing = (struct crossing){.step = (uint8_t)step, .past = true}; /* sets, crosses not */
    } else {
        crossing = &memory->crossings[at];
    }
    was_past = crossing->past;
    crossing->past = side_after(&moment->steps[step], at >= 0 && was_past, value);
    crossing->time_ms = time_ms;
    return crossing->past && !was_past;
}

/* --- timers of `becomes` ------------------------------------------------------------------------- */

int64_t memory_look_ms(const struct state *state, const struct moment *moment)
{
    int at = memory_find(state, moment->id, STR_EMPTY);

    return at >= 0 ? state->memories[at].due_ms : STEP_NO_TIMER;
}

void memory_look_at(struct turn *turn, const struct moment *moment, int64_t due_ms)
{
    if (due_ms != memory_look_ms(turn->state, moment))
        memory_at(turn, moment, STR_EMPTY)->due_ms = due_ms;
}

/* --- merging ------------------------------------------------------------------------------------- */

static void merge_crossings(struct turn *turn, struct memory *mine, const struct memory *theirs)
{
    for (uint32_t i = 0; i < theirs->count; i++) {
        int at = crossing_find(mine, theirs->crossings[i].step);

        if (at >= 0) {
            if (theirs->crossings[i].time_ms > mine->crossings[at].time_ms)
                mine->crossings[at] = theirs->crossings[i];
            continue;
        }
        STATE_RESERVE(turn->arena, mine->crossings, mine->count, mine->capacity);
        mine->crossings[mine->count++] = theirs->crossings[i];
    }
}

static void merge_one(struct turn *turn, struct memory *mine, const struct memory *theirs)
{
    if (theirs->again_ms > mine->again_ms) {
        mine->again_ms = theirs->again_ms;
        mine->refused = theirs->refused;
    }
    merge_crossings(turn, mine, theirs);
}

/* At most LIMIT_ABOUTS of each moment, the last ones. */
static void keep_last(struct state *state)
{
    uint32_t from = state->memory_count, kept = state->memory_count;

    while (from-- > 0) {
        const struct memory memory = state->memories[from];
        uint32_t of_moment = 0;

        for (uint32_t i = kept; i < state->memory_count; i++)
            of_moment += state->memories[i].moment == memory.moment;
        if (of_moment < LIMIT_ABOUTS)
            state->memories[--kept] = memory;
    }
    state->memory_count -= kept;
    memmove(state->memories, state->memories + kept, state->memory_count * sizeof *state->memories);
}

static void merge_limited(struct turn *turn, const struct state *other)
{
    struct state *state = turn->state;

    for (uint32_t i = 0; i < other->limited_count; i++) {
        bool known = false;

        for (uint32_t k = 0; k < state->limited_count; k++)
            known |= state->limited[k] == other->limited[i];
        if (known)
            continue;
        STATE_RESERVE(turn->arena, state->limited, state->limited_count, state->limited_capacity);
        state->limited[state->limited_count++] = other->limited[i];
    }
}

void memory_merge(struct turn *turn, const struct state *other)
{
    struct state *state = turn->state;
    uint32_t most = state->memory_count + other->memory_count, count = 0;
    struct memory *all = ARENA_ARRAY(turn->arena, struct memory, most);

    for (uint32_t i = 0; i < other->memory_count; i++) {
        const struct memory *theirs = &other->memories[i];
        int at = memory_find(state, theirs->moment, theirs->about);

        if (at >= 0)
            merge_one(turn, &state->memories[at], theirs);
        else
            all[count++] = *theirs;
    }
    if (state->memory_count != 0)
        memcpy(all + count, state->memories, state->memory_count * sizeof *all);
    state->memories = all;
    state->memory_count = count + state->memory_count;
    state->memory_capacity = most;
    if (state->memory_count != 0)
        keep_last(state);
    merge_limited(turn, other);
}
