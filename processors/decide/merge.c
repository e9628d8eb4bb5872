/* What becomes of each part of the two states is said where that part lives: facts_merge,
 * consent_merge, caps_merge, memory_merge, recent_merge; of instances here.
 *
 * That nothing goes round for ever: a mark points to an id that the state went to before any event
 * did, over the same partitions, which keep the order.  Where marks form a circle, every state in it
 * comes back to its id before the events behind it, and takes its mark away.  The limit of hops is for
 * what nobody foresaw.
 */
#include "processors/decide/merge.h"

#include "core/limit.h"
#include "processors/decide/adopt.h"
#include "processors/decide/becomes.h"
#include "processors/decide/bound.h"
#include "processors/decide/caps.h"
#include "processors/decide/consent.h"
#include "processors/decide/facts.h"
#include "processors/decide/funnel.h"
#include "processors/decide/instances.h"
#include "processors/decide/memory.h"
#include "processors/decide/recent.h"
#include "processors/decide/steps.h"

enum { OWN_HEADERS = 3 };

bool merge_is_ours(struct str type)
{
    return str_is(type, MERGE_STATE_CE_TYPE) || str_is(type, MERGE_FORGET_CE_TYPE);
}

static void tell(struct turn *turn, enum reason reason, struct str what)
{
    struct trail trail = {.count = 0};

    trail_add(&trail, turn->arena, STAGE_PATTERN, reason == REASON_MERGED, "%.*s", STR_ARG(what));
    explain_write(turn, &(struct explained){.verdict = VERDICT_SILENT,
                                            .reason = reason,
                                            .trail = what.len != 0 ? &trail : NULL});
}

/* --- going on ------------------------------------------------------------------------------------ */

static uint32_t hops_of(const struct record *record)
{
    struct str text = record_header(record, STR(MERGE_HOPS_HEADER));
    uint64_t hops;

    if (text.len == 0)
        return 0;
    return str_read_number(text, &hops) && hops < LIMIT_MERGE_HOPS ? (uint32_t)hops
                                                                   : LIMIT_MERGE_HOPS;
}

/* Everything else of a record stays as it is; its number is given anew. */
static bool is_replaced(struct str name)
{
    return str_starts(name, STR("attent-")) || str_is(name, "ce_partitionkey") ||
           str_is(name, MERGE_FROM_HEADER) || str_is(name, MERGE_HOPS_HEADER);
}

/* The same record under another key, at its own time, as if it had been written there. */
static void send_on(struct turn *turn, struct str to)
{
    const struct record *record = turn->record;
    struct str from = record_header(record, STR(MERGE_FROM_HEADER));
    uint32_t hops = hops_of(record) + 1;
    struct header *headers;
    size_t count = 0;

    if (hops > LIMIT_MERGE_HOPS) {
        tell(turn, REASON_MERGE_LOOP, STR("the record has gone on too often"));
        return;
    }
    headers = ARENA_ARRAY(turn->arena, struct header, record->header_count + OWN_HEADERS);
    for (size_t i = 0; i < record->header_count; i++)
        if (!is_replaced(record->headers[i].name))
            headers[count++] = record->headers[i];
    headers[count++] = (struct header){STR("ce_partitionkey"), to};
    headers[count++] =
        (struct header){STR(MERGE_FROM_HEADER), from.len != 0 ? from : turn->state->customer};
    headers[count++] =
        (struct header){STR(MERGE_HOPS_HEADER), arena_format(turn->arena, "%u", hops)};
    outputs_add(turn->out, DECIDE_TOPIC_EVENTS, record->timestamp_ms, to, record->value, headers,
                count);
}

void merge_pass_on(struct turn *turn, bool erased)
{
    send_on(turn, turn->state->moved);
    if (erased) {
        turn->state->moved = STR_EMPTY;
        turn->changed = true;
    }
}

static struct str field(const struct turn *turn, uint16_t path)
{
    struct value v = turn->fields[path];

    return v.kind == VALUE_STRING ? value_str(v) : STR_EMPTY;
}

bool merge_is_of_another(struct turn *turn)
{
    struct str from = field(turn, turn->set->builtin.from);

    if (turn->type_index != turn->set->builtin.customer_merged || from.len == 0 ||
        from.len > LIMIT_SUBJECT_BYTES || str_equal(from, turn->state->customer))
        return false;
    send_on(turn, from);
    return true;
}

/* --- away ---------------------------------------------------------------------------------------- */

static bool has_merged(const struct state *state, struct str id)
{
    for (uint32_t i = 0; i < state->merged_count; i++)
        if (str_equal(state->merged[i], id))
            return true;
    return false;
}

static enum reason refusal(const struct turn *turn, struct str into)
{
    const struct state *state = turn->state;

    if (state->moved.len != 0)
        return REASON_MERGE_AGAIN;
    if (into.len == 0 || into.len > LIMIT_SUBJECT_BYTES)
        return REASON_MERGE_NOBODY;
    if (str_equal(into, state->customer))
        return REASON_MERGE_SELF;
    return has_merged(state, into) ? REASON_MERGE_LOOP : REASON_MERGED;
}

static void send_own(struct turn *turn, struct str to, const char *type, struct str value)
{
    struct event event = {.id = explain_next_id(turn, str_of(type), to),
                          .source = STR("/attent/decide"),
                          .type = str_of(type),
                          .subject = turn->state->customer,
                          .partition_key = to,
                          .time_ms = turn->now_ms};
    struct header *headers, *own;
    size_t count = event_headers(&event, turn->arena, &headers);

    own = ARENA_ARRAY(turn->arena, struct header, count + 1);
    memcpy(own, headers, count * sizeof *own);
    own[count - 1].value = STR("application/octet-stream"); /* a blob, or nothing */
    own[count] = (struct header){STR(MERGE_FROM_HEADER), turn->state->customer};
    outputs_add(turn->out, DECIDE_TOPIC_EVENTS, turn->now_ms, to, value, own, count + 1);
}

/* Their tasks keep their ids and the key under which dispatch knows them. */
static void own_tasks(struct state *state)
{
    for (uint32_t i = 0; i < state->instance_count; i++)
        if (state->instances[i]->phase == PHASE_OUT && state->instances[i]->owner.len == 0)
            state->instances[i]->owner = state->customer;
}

void merge_away(struct turn *turn)
{
    struct state *state = turn->state;
    struct str into = field(turn, turn->set->builtin.into);
    enum reason reason = refusal(turn, into);
    struct buf blob = {0};

    if (reason != REASON_MERGED) {
        tell(turn, reason, into);
        return;
    }
    own_tasks(state);
    state_encode(state, &blob);
    send_own(turn, into, MERGE_STATE_CE_TYPE, buf_str(&blob));
    buf_free(&blob);
    tell(turn, REASON_MERGED, arena_format(turn->arena, "into %.*s", STR_ARG(into)));
    *state = (struct state){.customer = state->customer,
                            .adopted = state->adopted,
                            .moved = arena_str(turn->arena, into)};
    turn->changed = true;
}

/* --- ids that were merged ------------------------------------------------------------------------ */

void merge_forget(struct turn *turn)
{
    for (uint32_t i = 0; i < turn->state->merged_count; i++)
        send_own(turn, turn->state->merged[i], MERGE_FORGET_CE_TYPE, STR_EMPTY);
}

static void add_id(struct turn *turn, struct str id)
{
    struct state *state = turn->state;

    if (str_equal(id, state->customer) || has_merged(state, id))
        return;
    if (state->merged_count == LIMIT_MERGED_IDS) {
        send_own(turn, state->merged[0], MERGE_FORGET_CE_TYPE, STR_EMPTY);
        STATE_REMOVE(state->merged, state->merged_count, 0);
    }
    STATE_RESERVE(turn->arena, state->merged, state->merged_count, state->merged_capacity);
    state->merged[state->merged_count++] = arena_str(turn->arena, id);
}

/* --- two states become one ----------------------------------------------------------------------- */

static struct instance *find_same(const struct state *state, const struct instance *in)
{
    for (uint32_t i = 0; i < state->instance_count; i++)
        if (state->instances[i]->moment == in->moment &&
            state->instances[i]->phase != PHASE_ENDED &&
            str_equal(state->instances[i]->about, in->about))
            return state->instances[i];
    return NULL;
}

/* Out goes before on hold, and that before its steps; then by action, or by step. */
static bool is_further(const struct instance *a, const struct instance *b)
{
    if (a->phase != b->phase)
        return a->phase > b->phase;
    return a->phase == PHASE_STEPS ? a->step > b->step : a->act > b->act;
}

/* What waits for a source asks again here, how far that has been read. */
static void merge_instances(struct turn *turn, const struct state *other)
{
    for (uint32_t i = 0; i < other->instance_count; i++) {
        struct instance *in = other->instances[i];
        struct instance *same = find_same(turn->state, in);

        if (same != NULL && steps_join_counts(turn, same, in))
            continue;
        in->waits = 0;
        in->notice_ms = STEP_NO_TIMER;
        instances_insert(turn, in);
        if (same != NULL)
            instances_end(turn, is_further(in, same) ? same : in, REASON_MERGED, NULL);
    }
}

/* The facts are others: `becomes` looks at them from here on.  That the merge made it true is no
 * turning. */
static void look_again(struct turn *turn)
{
    for (size_t i = 0; i < turn->view->becomes_count; i++) {
        const struct moment *moment = &turn->set->moments[turn->view->becomes[i]];

        memory_look_at(turn, moment, becomes_due_ms(turn, &moment->steps[0]));
    }
    for (uint32_t i = 0; i < turn->state->instance_count; i++)
        if (turn->state->instances[i]->phase == PHASE_STEPS)
            steps_look_again(turn, turn->state->instances[i]);
}

/* A task that is out and would not be allowed by what the other said. */
static void heed_consent(struct turn *turn)
{
    for (uint32_t i = 0; i < turn->state->instance_count; i++) {
        struct instance *in = turn->state->instances[i];
        const struct moment *moment = instance_moment(turn, in);
        struct trail *trail;

        if (in->phase != PHASE_OUT)
            continue;
        trail = ARENA_NEW(turn->arena, struct trail);
        if (consent_ask(turn, moment, &moment->acts[in->act], trail) == REASON_NO_CONSENT)
            instances_end(turn, in, REASON_NO_CONSENT, trail);
    }
}

static void join(struct turn *turn, struct state *other, struct str from)
{
    struct turn theirs = *turn;

    theirs.state = other;
    adopt_state(&theirs);
    turn->decisions = theirs.decisions; /* which number their ids */
    adopt_state(turn);
    facts_merge(turn, other);
    turn->zone_known = false;
    consent_merge(turn, other);
    caps_merge(turn, other);
    memory_merge(turn, other);
    recent_merge(turn, other);
    merge_instances(turn, other);
    for (uint32_t i = 0; i < other->merged_count; i++)
        add_id(turn, other->merged[i]);
    add_id(turn, from);
    look_again(turn);
    heed_consent(turn);
    funnel_run(turn);
    instances_sweep(turn->state);
    bound_keep(turn);
    turn->changed = true;
}

static void take_state(struct turn *turn)
{
    struct str from = record_header(turn->record, STR(MERGE_FROM_HEADER));
    bool back = str_equal(from, turn->state->customer) || hops_of(turn->record) >= LIMIT_MERGE_HOPS;
    struct state *other;

    if (turn->state->moved.len != 0 && !back) {
        merge_pass_on(turn, false);
        return;
    }
    if (state_decode(turn->state->customer, turn->record->value, turn->arena, &other, NULL) !=
        ERR_NONE) {
        turn->counts->bad_states++;
        return;
    }
    if (turn->state->moved.len != 0)
        tell(turn, REASON_MERGE_LOOP, turn->state->moved);
    else
        tell(turn, REASON_MERGED, arena_format(turn->arena, "from %.*s", STR_ARG(from)));
    turn->state->moved = STR_EMPTY;
    join(turn, other, from);
}

/* --- records of ours ----------------------------------------------------------------------------- */

void merge_take(struct turn *turn, struct str type)
{
    const struct event event = {.id = record_header(turn->record, STR("ce_id")),
                                .type = type,
                                .time_ms = turn->record->timestamp_ms};

    turn->event = &event; /* so that decisions say what led to them */
    if (str_is(type, MERGE_STATE_CE_TYPE))
        take_state(turn);
    else if (turn->state->moved.len != 0) {
        turn->state->moved = STR_EMPTY;
        turn->changed = true;
    }
    turn->event = NULL;
}
