#include "processors/decide/given.h"

#include "core/check.h"
#include "processors/decide/amount.h"
#include "processors/decide/facts.h"

static bool is_number(struct value v)
{
    return v.kind == VALUE_INT || v.kind == VALUE_DOUBLE;
}

static bool is_of_type(const struct fact *fact, struct value v)
{
    const struct cel_type *type = fact->one;

    if (type == NULL)
        return true;
    switch (type->kind) {
    case CEL_BOOL: return v.kind == VALUE_BOOL;
    case CEL_INT: return v.kind == VALUE_INT;
    case CEL_UINT: return v.kind == VALUE_UINT;
    case CEL_DOUBLE: return v.kind == VALUE_DOUBLE;
    case CEL_STRING: return v.kind == VALUE_STRING;
    case CEL_TIMESTAMP: return v.kind == VALUE_TIMESTAMP;
    case CEL_LIST: return v.kind == VALUE_LIST;
    case CEL_MAP: return v.kind == VALUE_MAP;
    case CEL_DYN:
    case CEL_NULL:
    case CEL_BYTES:
    case CEL_TYPE:
    case CEL_DURATION:
    case CEL_OPTIONAL:
    case CEL_LOCAL: break;
    }
    return true;
}

static void put_points(struct fact_cell *cell, struct arena *arena, uint32_t count,
                       struct value value, int64_t at_ms)
{
    cell->count = cell->capacity = count;
    cell->points = ARENA_ARRAY(arena, struct fact_point, count);
    for (uint32_t i = 0; i < count; i++)
        cell->points[i] = (struct fact_point){at_ms, value, 1};
}

/* Values of `distinct` that no event can have: JSON knows no bytes. */
static void put_values(struct fact_cell *cell, struct arena *arena, uint32_t count, int64_t at_ms)
{
    put_points(cell, arena, count, VALUE_NONE, at_ms);
    for (uint32_t i = 0; i < count; i++) {
        struct value v =
            value_string((struct str){arena_copy(arena, (const char *)&i, sizeof i), sizeof i});

        v.kind = VALUE_BYTES;
        cell->points[i].value = v;
    }
}

/* In buckets: one that begins at the step of the start. */
static int64_t point_time(const struct fact *fact, int64_t start_ms)
{
    return fact->step_ms != 0 ? amount_step(fact->step_ms, start_ms) : start_ms;
}

/* False: a value of this kind cannot be of such a fact.  *none: it is what no event at all gives. */
static bool give(struct fact_cell *cell, struct arena *arena, const struct fact *fact,
                 struct value v, int64_t start_ms, bool *none)
{
    switch (fact->kind) {
    case FACT_LAST:
    case FACT_FIRST:
        cell->time_ms = GIVEN_EARLIER_MS;
        cell->value = v;
        return is_of_type(fact, v) && facts_value_fits(v, arena);
    case FACT_COUNT:
    case FACT_DISTINCT:
        if (v.kind != VALUE_INT || v.i < 0 || v.i > fact->limit)
            return false;
        *none = v.i == 0;
        cell->value = v;
        if (fact->kind == FACT_DISTINCT)
            put_values(cell, arena, (uint32_t)v.i, start_ms);
        else if (fact->step_ms != 0)
            put_points(cell, arena, 1, v, point_time(fact, start_ms));
        else if (fact->over_ms != 0)
            put_points(cell, arena, (uint32_t)v.i, value_int(1), start_ms);
        return true;
    case FACT_SUM:
    case FACT_MIN:
    case FACT_MAX:
    case FACT_MEAN:
        if (!is_number(v))
            return false;
        cell->value = fact->kind == FACT_SUM ? v : amount_of(fact, v);
        cell->events = 1;
        if (fact->over_ms != 0)
            put_points(cell, arena, 1, cell->value, point_time(fact, start_ms));
        return true;
    case FACT_TREND: return false; /* is made of events, not of one value */
    case FACT_MARK:
        cell->time_ms = start_ms;
        *none = v.kind == VALUE_BOOL && !v.boolean;
        return v.kind == VALUE_BOOL;
    case FACT_SINCE:
        if (v.kind != VALUE_TIMESTAMP)
            return false;
        cell->time_ms = value_timestamp_to_ms(v);
        return true;
    case FACT_KIND_COUNT: break;
    }
    CHECK_NEVER("a fact of no kind");
}

static enum err_code give_one(struct state *state, struct arena *arena, const struct fact *fact,
                              const struct given *given, int64_t start_ms, struct err *err)
{
    struct fact_cell cell = {.key = given->key};
    struct fact_state *into;
    bool none = false;

    if ((fact->key != NULL) != (given->key.kind != VALUE_ABSENT))
        return err_set(err, ERR_USAGE, "the fact %.*s %s", STR_ARG(fact->name),
                       fact->key != NULL ? "has one value per key" : "has one value");
    if (!give(&cell, arena, fact, given->value, start_ms, &none))
        return err_set(err, ERR_USAGE, "a value of type %s does not fit the fact %.*s",
                       value_kind_name(given->value.kind), STR_ARG(fact->name));
    if (none)
        return ERR_NONE;
    into = facts_at(state, arena, fact);
    if (fact->key != NULL && into->count >= fact->keys)
        return err_set(err, ERR_USAGE, "the fact %.*s keeps at most %u keys", STR_ARG(fact->name),
                       fact->keys);
    STATE_RESERVE(arena, into->cells, into->count, into->capacity);
    into->cells[into->count++] = cell;
    return ERR_NONE;
}

enum err_code given_encode(const struct ruleset *set, struct str customer,
                           const struct given *given, size_t count, int64_t start_ms,
                           struct buf *out, struct err *err)
{
    struct arena *arena = arena_new(0);
    struct state *state = state_new(customer, arena);
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < count && code == ERR_NONE; i++)
        code = give_one(state, arena, &set->facts[given[i].fact], &given[i], start_ms, err);
    if (code == ERR_NONE)
        state_encode(state, out);
    arena_free(arena);
    return code;
}
