/* A fact is one cell, or with `per` one cell for each key, the one updated last at the end.
 *
 * A window remembers its events as points, sorted by (event.time, arrival), so a sum is always
 * made in the same order and its last bit is the same everywhere.  Points are dropped at an
 * update only, and only those that no later `now` can see again: when that happens makes no
 * difference to what is read.
 */
#include "processors/decide/facts.h"

#include <math.h>

#include "core/check.h"
#include "processors/decide/amount.h"
#include "processors/decide/scope.h"

/* --- finding ------------------------------------------------------------------------------------ */

/* The place of a fact in the sorted list: where it is, or where it belongs. */
static uint32_t fact_place(const struct state *state, uint32_t id)
{
    uint32_t low = 0, high = state->fact_count;

    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (state->facts[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const struct fact_state *fact_find(const struct state *state, uint32_t id)
{
    uint32_t at = fact_place(state, id);

    return at < state->fact_count && state->facts[at].id == id ? &state->facts[at] : NULL;
}

struct fact_state *facts_at(struct state *state, struct arena *arena, const struct fact *fact)
{
    uint32_t at = fact_place(state, fact->id);

    if (at == state->fact_count || state->facts[at].id != fact->id) {
        STATE_RESERVE(arena, state->facts, state->fact_count, state->fact_capacity);
        memmove(state->facts + at + 1, state->facts + at,
                (state->fact_count - at) * sizeof *state->facts);
        state->facts[at] = (struct fact_state){.id = fact->id, .form = view_fact_form(fact)};
        state->fact_count++;
    }
    return &state->facts[at];
}

static int cell_find(const struct fact_state *fact, struct value key)
{
    for (uint32_t i = 0; i < fact->count; i++)
        if (value_same(fact->cells[i].key, key))
            return (int)i;
    return -1;
}

/* A new cell goes to the end; the key not updated for longest makes room. */
static struct fact_cell *cell_add(struct turn *turn, const struct fact *fact,
                                  struct fact_state *into, struct value key)
{
    struct fact_cell *cell;

    if (fact->key != NULL && into->count >= fact->keys)
        STATE_REMOVE(into->cells, into->count, 0);
    STATE_RESERVE(turn->arena, into->cells, into->count, into->capacity);
    cell = &into->cells[into->count++];
    *cell = (struct fact_cell){.key = value_copy(turn->arena, key), .time_ms = INT64_MIN};
    return cell;
}

static struct fact_cell *cell_to_end(struct fact_state *fact, uint32_t index)
{
    struct fact_cell cell = fact->cells[index];

    STATE_REMOVE(fact->cells, fact->count, index);
    fact->cells[fact->count++] = cell;
    return &fact->cells[fact->count - 1];
}

/* --- taking an event ---------------------------------------------------------------------------- */

struct taken { /* what one event means to one fact */
    const struct fact *fact;
    struct value key, value;
    int64_t time_ms;
};

/* What no later `now` can see again. */
static void points_let_go(const struct turn *turn, const struct fact *fact, struct fact_cell *cell)
{
    uint32_t gone = 0;

    while (gone < cell->count && cell->points[gone].time_ms <= turn->now_ms - fact->over_ms)
        gone++;
    if (gone != 0) {
        cell->count -= gone;
        memmove(cell->points, cell->points + gone, cell->count * sizeof *cell->points);
    }
}

/* A new point, behind those of the same time. */
static struct fact_point *points_insert(struct turn *turn, struct fact_cell *cell, int64_t time_ms)
{
    uint32_t at;

    STATE_RESERVE(turn->arena, cell->points, cell->count, cell->capacity);
    for (at = cell->count; at > 0 && cell->points[at - 1].time_ms > time_ms; at--)
        cell->points[at] = cell->points[at - 1];
    cell->points[at] = (struct fact_point){.time_ms = time_ms};
    cell->count++;
    return &cell->points[at];
}

static void points_add(struct turn *turn, struct fact_cell *cell, const struct taken *taken)
{
    points_let_go(turn, taken->fact, cell);
    points_insert(turn, cell, taken->time_ms)->value = value_copy(turn->arena, taken->value);
    if (cell->count > taken->fact->limit) {
        STATE_REMOVE(cell->points, cell->count, 0);
        turn->counts->forgotten++;
    }
}

/* A value stands where it was seen last. */
static void values_add(struct turn *turn, struct fact_cell *cell, const struct taken *taken)
{
    for (uint32_t i = 0; i < cell->count; i++) {
        if (!value_same(cell->points[i].value, taken->value))
            continue;
        if (cell->points[i].time_ms >= taken->time_ms)
            return;
        STATE_REMOVE(cell->points, cell->count, i);
        break;
    }
    points_add(turn, cell, taken);
}

/* To the step that begins at start_ms. */
static void steps_add(struct turn *turn, const struct fact *fact, struct fact_cell *cell,
                      struct fact_point added)
{
    struct fact_point *point = NULL;

    points_let_go(turn, fact, cell);
    for (uint32_t i = 0; i < cell->count; i++)
        if (cell->points[i].time_ms == added.time_ms)
            point = &cell->points[i];
    if (point == NULL)
        point = points_insert(turn, cell, added.time_ms);
    amount_add(fact, &point->value, &point->events, added.value, added.events);
}

static void cell_take(struct turn *turn, struct fact_cell *cell, const struct taken *taken,
                      uint8_t form)
{
    if ((form & FORM_STEPPED) != 0) {
        steps_add(turn, taken->fact, cell,
                  (struct fact_point){amount_step(taken->fact->step_ms, taken->time_ms),
                                      taken->value, 1});
        return;
    }
    switch ((enum fact_form)form) {
    case FORM_LATEST:
    case FORM_EARLIEST:
        cell->time_ms = taken->time_ms;
        cell->value = value_copy(turn->arena, taken->value);
        break;
    case FORM_TOTAL:
    case FORM_LEAST:
    case FORM_MOST:
    case FORM_MEAN: amount_add(taken->fact, &cell->value, &cell->events, taken->value, 1); break;
    case FORM_TIMES:
    case FORM_POINTS: points_add(turn, cell, taken); break;
    case FORM_VALUES: values_add(turn, cell, taken); break;
    case FORM_TIME: cell->time_ms = taken->time_ms; break;
    case FORM_BASE:
    case FORM_KEYED:
    case FORM_STEPPED: CHECK_NEVER("not a form of its own");
    }
}

/* Late events: does this one change the cell (NULL: there is none yet)? */
static bool counts_for(const struct turn *turn, const struct fact_cell *cell,
                       const struct taken *taken, uint8_t form)
{
    const struct fact *fact = taken->fact;

    if ((form & FORM_STEPPED) != 0)
        return amount_step(fact->step_ms, taken->time_ms) > turn->now_ms - fact->over_ms;
    switch ((enum fact_form)form) {
    case FORM_LATEST:
    case FORM_TIME: return cell == NULL || taken->time_ms >= cell->time_ms;
    case FORM_EARLIEST: return cell == NULL || taken->time_ms < cell->time_ms;
    case FORM_TIMES:
    case FORM_POINTS:
    case FORM_VALUES: return taken->time_ms > turn->now_ms - fact->over_ms;
    case FORM_TOTAL:
    case FORM_LEAST:
    case FORM_MOST:
    case FORM_MEAN: return true;
    case FORM_BASE:
    case FORM_KEYED:
    case FORM_STEPPED: break;
    }
    CHECK_NEVER("a fact of no form");
}

static void fact_take(struct turn *turn, const struct taken *taken)
{
    uint8_t form = view_fact_form(taken->fact) & (FORM_BASE | FORM_STEPPED);
    const struct fact_state *known = fact_find(turn->state, taken->fact->id);
    int at = known != NULL ? cell_find(known, taken->key) : -1;
    struct fact_state *fact;
    struct fact_cell *cell;

    if (!counts_for(turn, at >= 0 ? &known->cells[at] : NULL, taken, form))
        return;
    fact = facts_at(turn->state, turn->arena, taken->fact);
    cell =
        at >= 0 ? cell_to_end(fact, (uint32_t)at) : cell_add(turn, taken->fact, fact, taken->key);
    cell_take(turn, cell, taken, form);
    turn->changed = true;
}

/* --- an event ------------------------------------------------------------------------------------ */

/* What is nested too deeply, or has a local time inside (CEL's own), would not read back. */
bool facts_value_fits(struct value v, struct arena *arena)
{
    struct buf coded = {0};
    struct reader reader;
    bool fits;

    if (v.kind < VALUE_STRING)
        return true;
    if (v.kind == VALUE_STRING || v.kind == VALUE_BYTES)
        return v.n <= LIMIT_FACT_VALUE_BYTES;
    value_encode(&coded, v);
    fits = coded.len <= LIMIT_FACT_VALUE_BYTES;
    if (fits) {
        reader = reader_of(buf_str(&coded));
        value_decode(&reader, arena);
        fits = !reader.failed;
    }
    buf_free(&coded);
    return fits;
}

/* Keys and different values: a whole double is the int that it equals. */
static struct value whole(struct value v)
{
    if (v.kind == VALUE_DOUBLE && v.d >= -9007199254740992.0 && v.d <= 9007199254740992.0 &&
        v.d == (double)(int64_t)v.d)
        return value_int((int64_t)v.d);
    return v;
}

static bool key_of(struct value v, struct value *key)
{
    *key = whole(v);
    return key->kind == VALUE_BOOL || key->kind == VALUE_INT || key->kind == VALUE_UINT ||
           (key->kind == VALUE_STRING && key->n <= LIMIT_ABOUT_BYTES);
}

/* What the fact takes of a value; false: nothing. */
static bool take_value(const struct fact *fact, struct value v, struct arena *arena,
                       struct value *taken)
{
    *taken = v;
    switch (fact->kind) {
    case FACT_SUM: return amount_is_number(v);
    case FACT_MIN:
    case FACT_MAX:
    case FACT_MEAN:
    case FACT_TREND:
        *taken = amount_is_number(v) ? amount_of(fact, v) : v;
        return amount_is_number(v) && !(taken->kind == VALUE_DOUBLE && isnan(taken->d));
    case FACT_DISTINCT: *taken = whole(v); break;
    case FACT_LAST:
    case FACT_FIRST:
    case FACT_COUNT:
    case FACT_MARK:
    case FACT_SINCE:
    case FACT_KIND_COUNT: break;
    }
    return v.kind != VALUE_ERROR && v.kind != VALUE_ABSENT && v.kind != VALUE_NULL &&
           facts_value_fits(v, arena);
}

/* False: the event says nothing to this fact. */
static bool read_event(struct turn *turn, const struct fact *fact, struct taken *taken)
{
    struct scope scope = {.turn = turn};

    *taken = (struct taken){.fact = fact, .value = value_int(1), .time_ms = turn->event->time_ms};
    if (scope_ask(&scope, -1, fact->condition) != TRUTH_YES)
        return false;
    if (fact->key != NULL && !key_of(scope_eval(&scope, -1, fact->key), &taken->key))
        return false;
    if (fact->value == NULL)
        return true;
    return take_value(fact, scope_eval(&scope, -1, fact->value), turn->arena, &taken->value);
}

static void remember_before(struct turn *turn, uint16_t index)
{
    if (turn->before == NULL)
        turn->before = ARENA_ARRAY(turn->arena, struct before, turn->type->fact_count);
    turn->before[turn->before_count++] = (struct before){index, facts_read(turn, index)};
}

void facts_update(struct turn *turn)
{
    for (size_t i = 0; i < turn->type->fact_count; i++) {
        uint16_t index = turn->type->facts[i];
        const struct fact *fact = &turn->set->facts[index];
        struct taken taken;

        if (!read_event(turn, fact, &taken))
            continue;
        if (fact->before_read)
            remember_before(turn, index);
        fact_take(turn, &taken);
    }
}

/* --- merging ------------------------------------------------------------------------------------- */

static void merge_points(struct turn *turn, const struct fact *fact, struct fact_cell *mine,
                         const struct fact_cell *theirs, uint8_t form)
{
    for (uint32_t i = 0; i < theirs->count; i++) {
        const struct fact_point *point = &theirs->points[i];
        const struct taken taken = {.fact = fact, .value = point->value, .time_ms = point->time_ms};

        if (point->time_ms <= turn->now_ms - fact->over_ms)
            continue;
        if ((form & FORM_STEPPED) != 0)
            steps_add(turn, fact, mine, *point);
        else if ((form & FORM_BASE) == FORM_VALUES)
            values_add(turn, mine, &taken);
        else
            points_add(turn, mine, &taken);
    }
}

static void take_time(struct fact_cell *mine, const struct fact_cell *theirs, bool take)
{
    if (!take)
        return;
    mine->time_ms = theirs->time_ms;
    mine->value = theirs->value;
}

static void merge_cell(struct turn *turn, const struct fact *fact, struct fact_cell *mine,
                       const struct fact_cell *theirs, uint8_t form)
{
    if ((form & FORM_STEPPED) != 0) {
        merge_points(turn, fact, mine, theirs, form);
        return;
    }
    switch ((enum fact_form)(form & FORM_BASE)) {
    case FORM_LATEST:
    case FORM_TIME: take_time(mine, theirs, theirs->time_ms > mine->time_ms); return;
    case FORM_EARLIEST: take_time(mine, theirs, theirs->time_ms < mine->time_ms); return;
    case FORM_TOTAL:
    case FORM_LEAST:
    case FORM_MOST:
    case FORM_MEAN:
        amount_add(fact, &mine->value, &mine->events, theirs->value, theirs->events);
        return;
    case FORM_TIMES:
    case FORM_POINTS:
    case FORM_VALUES: merge_points(turn, fact, mine, theirs, form); return;
    case FORM_BASE:
    case FORM_KEYED:
    case FORM_STEPPED: break;
    }
    CHECK_NEVER("a fact of no form");
}

/* Keys that only the other knows stand before ours: they go first where there are too many. */
static void merge_cells(struct turn *turn, const struct fact *fact, struct fact_state *mine,
                        const struct fact_state *theirs)
{
    uint32_t most = mine->count + theirs->count, count = 0, gone;
    struct fact_cell *all = ARENA_ARRAY(turn->arena, struct fact_cell, most);

    for (uint32_t i = 0; i < theirs->count; i++) {
        int at = cell_find(mine, theirs->cells[i].key);

        if (at >= 0)
            merge_cell(turn, fact, &mine->cells[at], &theirs->cells[i], mine->form);
        else
            all[count++] = theirs->cells[i];
    }
    if (mine->count != 0)
        memcpy(all + count, mine->cells, mine->count * sizeof *all);
    count += mine->count;
    gone = fact->key != NULL && count > fact->keys ? count - fact->keys : 0;
    mine->cells = all + gone;
    mine->count = mine->capacity = count - gone;
}

void facts_merge(struct turn *turn, const struct state *other)
{
    for (uint32_t i = 0; i < other->fact_count; i++) {
        const struct fact_state *theirs = &other->facts[i];
        const struct fact *fact = &turn->set->facts[view_fact(turn->view, theirs->id)];

        merge_cells(turn, fact, facts_at(turn->state, turn->arena, fact), theirs);
    }
}

/* --- reading ------------------------------------------------------------------------------------- */

static struct value read_window(const struct turn *turn, const struct fact *fact,
                                const struct fact_cell *cell)
{
    uint32_t from = 0;
    struct value total = VALUE_NONE;
    uint64_t events = 0;

    while (from < cell->count && cell->points[from].time_ms <= turn->now_ms - fact->over_ms)
        from++;
    if (fact->kind == FACT_TREND)
        return amount_trend(cell->points + from, cell->count - from);
    for (uint32_t i = from; i < cell->count; i++) {
        const struct fact_point *point = &cell->points[i];
        bool bare = fact->kind == FACT_COUNT && fact->step_ms == 0;

        amount_add(fact, &total, &events, bare ? value_int(1) : point->value,
                   fact->step_ms != 0 && fact->kind == FACT_MEAN ? point->events : 1);
    }
    return amount_read(fact, total, events);
}

static struct value read_total(const struct turn *turn, const struct fact *fact,
                               const struct fact_cell *cell)
{
    struct value v = fact->over_ms != 0 ? read_window(turn, fact, cell)
                                        : amount_read(fact, cell->value, cell->events);

    return v.kind == VALUE_ABSENT ? fact->fallback : v;
}

static struct value read_cell(const struct turn *turn, const struct fact *fact,
                              const struct fact_cell *cell)
{
    switch (fact->kind) {
    case FACT_LAST:
    case FACT_FIRST: return cell->value;
    case FACT_COUNT:
    case FACT_SUM:
    case FACT_MIN:
    case FACT_MAX:
    case FACT_MEAN:
    case FACT_DISTINCT:
    case FACT_TREND: return read_total(turn, fact, cell);
    case FACT_MARK:
        return value_bool(fact->over_ms == 0 || turn->now_ms < cell->time_ms + fact->over_ms);
    case FACT_SINCE: return value_timestamp_ms(cell->time_ms);
    case FACT_KIND_COUNT: break;
    }
    CHECK_NEVER("a fact of no kind");
}

/* The value before any event. */
static struct value read_nothing(const struct fact *fact)
{
    switch (fact->kind) {
    case FACT_COUNT:
    case FACT_SUM:
    case FACT_DISTINCT: return amount_read(fact, VALUE_NONE, 0);
    case FACT_MARK: return value_bool(false);
    case FACT_MIN:
    case FACT_MAX:
    case FACT_MEAN:
    case FACT_TREND:
    case FACT_LAST:
    case FACT_FIRST:
    case FACT_SINCE:
    case FACT_KIND_COUNT: break;
    }
    return fact->fallback;
}

/* A map of the keys that are known; indexing it with another key gives what no event gives, where
 * that is a value at all (count, sum, mark, default). */
static struct value read_map(const struct turn *turn, const struct fact *fact,
                             const struct fact_state *known)
{
    uint32_t most = known != NULL ? known->count : 0, count = 0;
    struct value_entry *entries = ARENA_ARRAY(turn->arena, struct value_entry, (size_t)most + 1);
    struct value map;

    for (uint32_t i = 0; i < most; i++) {
        struct value v = read_cell(turn, fact, &known->cells[i]);

        if (v.kind != VALUE_ABSENT) /* a mean of a window that is empty by now */
            entries[count++] = (struct value_entry){known->cells[i].key, v};
    }
    map = value_map(entries, count);
    entries[count].value = read_nothing(fact);
    map.otherwise = entries[count].value.kind != VALUE_ABSENT;
    CHECK(value_map_index(turn->arena, &map)); /* a key has one cell */
    return map;
}

struct value facts_read(const struct turn *turn, uint32_t index)
{
    const struct fact *fact = &turn->set->facts[index];
    const struct fact_state *known = fact_find(turn->state, fact->id);

    if (fact->key != NULL)
        return read_map(turn, fact, known);
    return known != NULL ? read_cell(turn, fact, &known->cells[0]) : read_nothing(fact);
}

int64_t facts_time_ms(const struct turn *turn, uint32_t index)
{
    const struct fact *fact = &turn->set->facts[index];
    const struct fact_state *known = fact_find(turn->state, fact->id);
    bool dated = fact->kind == FACT_LAST || fact->kind == FACT_FIRST || fact->kind == FACT_MARK;

    return dated && fact->key == NULL && known != NULL ? known->cells[0].time_ms : INT64_MIN;
}

/* --- running out --------------------------------------------------------------------------------- */

static int64_t cell_runs_out_ms(const struct turn *turn, const struct fact *fact,
                                const struct fact_cell *cell)
{
    if (fact->kind == FACT_MARK)
        return cell->time_ms + fact->over_ms;
    for (uint32_t i = 0; i < cell->count; i++)
        if (cell->points[i].time_ms + fact->over_ms > turn->now_ms)
            return cell->points[i].time_ms + fact->over_ms;
    return STEP_NO_TIMER;
}

int64_t facts_run_out_ms(const struct turn *turn, uint32_t index)
{
    const struct fact *fact = &turn->set->facts[index];
    const struct fact_state *known = fact->over_ms != 0 ? fact_find(turn->state, fact->id) : NULL;
    int64_t next_ms = STEP_NO_TIMER;

    for (uint32_t i = 0; known != NULL && i < known->count; i++) {
        int64_t at_ms = cell_runs_out_ms(turn, fact, &known->cells[i]);

        if (at_ms > turn->now_ms && at_ms < next_ms)
            next_ms = at_ms;
    }
    return next_ms;
}
