/* The step: what the worker calls, and the order of a turn.
 *
 *   duplicate? -> consent -> facts -> outcome -> instances -> funnel
 *
 * Nothing is allocated per event but in the batch's arena.  The array of fields is the step's own
 * and all absent between two records: only what the type reads is cleared.
 */
#include "processors/decide/decide.h"

#include <stdio.h>

#include "core/check.h"
#include "core/clock.h" /* of a mutant alone: a step asks no clock */
#include "core/hash.h"
#include "core/mem.h"
#include "core/mutant.h"
#include "processors/decide/adopt.h"
#include "processors/decide/bound.h"
#include "processors/decide/chain.h"
#include "processors/decide/consent.h"
#include "processors/decide/erase.h"
#include "processors/decide/facts.h"
#include "processors/decide/funnel.h"
#include "processors/decide/instances.h"
#include "processors/decide/merge.h"
#include "processors/decide/pace.h"
#include "processors/decide/recent.h"
#include "processors/decide/timers.h"
#include "processors/decide/turn.h"
#include "processors/decide/waiting.h"

enum {
    NO_RULES = '-',  /* in place of a hash: none is in force */
    LANE_TWO = '+',  /* in front of it: the second lane of adopt.h is that of the rule set */
    PACE_MARK = 'p', /* paces follow; else the watermarks, or nothing */
};

struct step {
    const struct decide_config *config;
    struct view *view; /* of the rule set in force; NULL: none */
    struct watermarks watermarks;
    struct pace_lines pace;
    uint64_t activations;
    uint32_t lane;        /* of the rule set in force (adopt.h): 1 or 2 */
    struct value *fields; /* by path */
    struct decide_counts counts;
    char event_id[LIMIT_ID_BYTES + 1]; /* of the event at hand, for check_context */
};

/* --- the rule set in force ----------------------------------------------------------------------- */

static enum err_code activate(struct step *step, struct str hash_hex, struct err *err)
{
    const struct ruleset *set = step->config->find(step->config->context, hash_hex, err);
    const struct ruleset *before;

    if (set == NULL)
        return err_prefix(err, "rule set %.*s", STR_ARG(hash_hex)), ERR_STATE;
    before = step->view != NULL ? step->view->set : NULL;
    pace_change(&step->pace, &set->policy);
    watermarks_change(&step->watermarks, before, set);
    if (adopt_visits(before, set))
        step->lane = ADOPT_LANES + 1 - step->lane;
    view_free(step->view);
    mem_free(step->fields);
    step->view = view_new(set, ++step->activations);
    step->fields = mem_alloc((set->path_count + 1) * sizeof *step->fields);
    return ERR_NONE;
}

static void decide_close(struct step *step)
{
    if (step == NULL)
        return;
    view_free(step->view);
    watermarks_free(&step->watermarks);
    pace_free(&step->pace);
    mem_free(step->fields);
    mem_free(step);
}

static enum err_code read_paces(struct step *step, struct str *rest, struct err *err)
{
    struct reader r = reader_of(*rest);
    struct str paces;

    if (rest->len == 0 || rest->data[0] != PACE_MARK)
        return ERR_NONE;
    reader_u8(&r);
    paces = reader_bytes(&r);
    if (r.failed)
        return err_set(err, ERR_STATE, "the partition's own state is broken");
    *rest = str_slice(*rest, (size_t)(r.at - (const unsigned char *)rest->data), rest->len);
    return pace_decode(&step->pace, paces, err);
}

/* Of the partition: the lane and the hash of the rule set in force, if one is, the paces and the
 * watermarks. */
static enum err_code read_own(struct step *step, struct str own, struct err *err)
{
    size_t hash_bytes;
    enum err_code code = ERR_NONE;
    struct str rest;

    if (own.len == 0)
        return ERR_NONE;
    if (own.data[0] == LANE_TWO) {
        step->lane = 2;
        own = str_slice(own, 1, own.len);
    }
    hash_bytes = own.len != 0 && own.data[0] != NO_RULES ? HASH128_HEX_SIZE - 1 : 1;
    if (own.len < hash_bytes)
        return err_set(err, ERR_STATE, "the partition's own state is broken");
    if (hash_bytes > 1)
        code = activate(step, str_slice(own, 0, hash_bytes), err);
    rest = str_slice(own, hash_bytes, own.len);
    if (code == ERR_NONE)
        code = read_paces(step, &rest, err);
    if (code == ERR_NONE)
        code = watermarks_decode(&step->watermarks, rest, err);
    return code;
}

static enum err_code decide_open(const void *config, int32_t partition, struct str partition_state,
                                 struct step **out, struct err *err)
{
    struct step *step = MEM_NEW(struct step);
    enum err_code code;

    *out = NULL;
    step->config = config;
    step->pace.partitions = step->config->partitions != 0 ? step->config->partitions : 1;
    step->pace.partition = partition % step->pace.partitions;
    step->pace.ahead = step->config->ahead;
    step->pace.ahead_count = step->config->ahead_count;
    step->lane = 1;
    step->watermarks.follow = step->config->watermarks_follow;
    code = read_own(step, partition_state, err);
    if (code != ERR_NONE) {
        decide_close(step);
        return code;
    }
    *out = step;
    return ERR_NONE;
}

static void decide_save_partition(const struct step *step, struct buf *out)
{
    if (step->lane == 2)
        buf_put_char(out, LANE_TWO);
    if (step->view != NULL)
        buf_put_text(out, step->view->set->hash_hex);
    else
        buf_put_char(out, NO_RULES);
    if (step->pace.count != 0) {
        struct buf paces = {0};

        pace_encode(&step->pace, &paces);
        buf_put_u8(out, PACE_MARK);
        buf_put_bytes(out, buf_str(&paces));
        buf_free(&paces);
    }
    watermarks_encode(&step->watermarks, out);
}

static bool decide_partition_changed(struct step *step)
{
    bool changed = step->pace.changed;

    step->pace.changed = false;
    return changed;
}

static enum err_code decide_control(struct step *step, const struct record *record,
                                    struct arena *arena, struct outputs *out, bool *changed,
                                    struct err *err)
{
    struct str kind = record_header(record, STR(CONTROL_HEADER));
    enum err_code code;

    (void)arena;
    (void)out;
    if (str_is(kind, CONTROL_WATERMARK)) {
        *changed = watermarks_take(&step->watermarks, record->value, NULL);
        step->counts.bad_watermarks += !*changed;
        return ERR_NONE;
    }
    if (!str_is(kind, CONTROL_ACTIVATE))
        return ERR_NONE;
    code = activate(step, record->value, err);
    *changed = code == ERR_NONE;
    return code;
}

/* --- what the worker asks ------------------------------------------------------------------------ */

/* By the type alone, so that no state is loaded for an event that nobody listens to. */
static bool decide_wants(struct step *step, const struct record *record)
{
    struct str type;
    int index;

    if (step->view == NULL) {
        step->counts.not_active++;
        return false;
    }
    type = event_peek_type(record);
    if (type.len == 0 || merge_is_ours(type))
        return true;
    index = view_type(step->view, type);
    if (index >= 0 && step->view->set->types[index].listened)
        return true;
    step->counts.not_listened++;
    return false;
}

static struct str decide_subject(struct step *step, const struct record *record)
{
    (void)step;
    return record->key;
}

static enum err_code decide_load(struct step *step, struct str subject, struct str blob,
                                 struct arena *arena, void **state, struct err *err)
{
    const struct decide_config *config = step->config;
    struct state *decoded;
    enum err_code code;

    if (blob.len == 0 && config->seed != NULL)
        blob = config->seed(config->context, subject);
    code = state_decode(subject, blob, arena, &decoded, err);
    *state = decoded;
    return code;
}

static void decide_save(const struct step *step, const void *state, struct buf *out)
{
    (void)step;
    state_encode(state, out);
}

static int64_t decide_due_ms(const struct step *step, const void *state)
{
    (void)step;
    return timers_next(state);
}

static size_t decide_waits(const struct step *step, const void *state,
                           struct step_wait waits[STEP_LANES_MAX])
{
    return waiting_timers(state, step->lane, waits);
}

static size_t decide_lanes(const struct step *step, struct step_lane lanes[STEP_LANES_MAX])
{
    size_t count;

    if (step->view == NULL)
        return 0;
    count = watermarks_lanes(&step->watermarks, step->view->set, lanes);
    for (uint32_t lane = 1; lane <= ADOPT_LANES; lane++)
        lanes[count++] = (struct step_lane){lane, lane == step->lane ? INT64_MIN : INT64_MAX};
    return count;
}

/* --- a turn -------------------------------------------------------------------------------------- */

static struct turn turn_of(struct step *step, struct state *state, int64_t now_ms,
                           struct arena *arena, struct outputs *out)
{
    return (struct turn){.view = step->view,
                         .set = step->view->set,
                         .watermarks = &step->watermarks,
                         .pace = &step->pace,
                         .state = state,
                         .counts = &step->counts,
                         .arena = arena,
                         .out = out,
                         .now_ms = now_ms,
                         .fields = step->fields,
                         .observer = step->config->observer,
                         .control = step->config->control};
}

static void clear_fields(struct step *step, const struct event_type *type)
{
    for (size_t i = 0; i < type->path_count; i++)
        step->fields[type->paths[i]] = VALUE_NONE;
}

static void coerce_fields(struct turn *turn)
{
    const struct event_type *type = turn->type;

    for (size_t i = 0; i < type->path_count; i++) {
        struct value *field = &turn->fields[type->paths[i]];

        if (field->kind != VALUE_ABSENT && type->path_schemas[i] != NULL)
            *field = schema_coerce(type->path_schemas[i], *field, turn->arena);
    }
}

static uint64_t opener_of(const struct event *event)
{
    return hash_bytes(event->id, hash_bytes(event->source, (uint64_t)event->time_ms));
}

/* The built-in types have meanings beside those that moments and facts give them. */
static void look_at(struct turn *turn)
{
    const struct builtin_paths *builtin = &turn->set->builtin;

    if (turn->type_index == builtin->customer_erased) {
        erase_customer(turn);
        return;
    }
    if (turn->type_index == builtin->consent_given)
        consent_take(turn, true);
    else if (turn->type_index == builtin->consent_withdrawn)
        consent_take(turn, false);
    facts_update(turn);
    if (turn->type_index == builtin->task_outcome)
        chain_outcome(turn);
    instances_offer(turn);
    funnel_run(turn);
    instances_sweep(turn->state);
    bound_keep(turn);
    if (turn->type_index == builtin->customer_merged)
        merge_away(turn);
    if (turn->type_index == builtin->task_outcome)
        recent_leave(turn->state);
}

/* Of a customer who was merged: it goes on, unless it says the same again. */
static void take_moved(struct turn *turn)
{
    if (turn->type_index != turn->set->builtin.customer_merged)
        merge_pass_on(turn, turn->type_index == turn->set->builtin.customer_erased);
    else if (!merge_is_of_another(turn))
        merge_away(turn);
}

static void take_event(struct step *step, struct turn *turn, const struct event *event, int type)
{
    turn->event = event;
    turn->type_index = (uint16_t)type;
    turn->type = &turn->set->types[type];
    turn->opener = opener_of(event);
    snprintf(step->event_id, sizeof step->event_id, "%.*s", STR_ARG(event->id));
    check_context(step->event_id);
    turn->came_to = record_header(turn->record, STR(MERGE_FROM_HEADER));
    coerce_fields(turn);
    if (turn->state->moved.len != 0) {
        take_moved(turn);
    } else if (!recent_saw(turn) && !merge_is_of_another(turn)) {
        step->counts.events++;
        adopt_state(turn);
        look_at(turn);
    }
    check_context(NULL);
}

/* The index of the event's type, if somebody listens. */
static int read_event(struct step *step, const struct record *record, struct arena *arena,
                      struct event *event)
{
    const struct ruleset *set = step->view->set;
    bool listened = false;
    enum event_fault fault =
        event_read(set->reader, record, arena, event, step->fields, &listened, NULL);
    int type = fault == EVENT_FINE ? view_type(step->view, event->type) : -1;

    if (fault != EVENT_FINE)
        step->counts.faults[fault]++;
    else if (type < 0 || !set->types[type].listened)
        step->counts.not_listened++;
    else
        return type;
    memset(step->fields, 0, set->path_count * sizeof *step->fields);
    return -1;
}

static void decide_record(struct step *step, void *state, const struct record *record,
                          int64_t now_ms, struct arena *arena, struct outputs *out, bool *changed)
{
    struct turn turn;
    struct event event;
    struct str ours;
    int type;

    if (step->view == NULL)
        return;
    turn = turn_of(step, state, MUTANT(CLOCK_DECIDES) ? clock_wall_ms() : now_ms, arena, out);
    turn.record = record;
    ours = event_peek_type(record);
    if (merge_is_ours(ours)) {
        merge_take(&turn, ours);
        *changed = turn.changed;
        return;
    }
    type = read_event(step, record, arena, &event);
    if (type < 0)
        return;
    take_event(step, &turn, &event, type);
    clear_fields(step, turn.type);
    *changed = turn.changed;
}

static void decide_timer(struct step *step, void *state, int64_t due_ms, int64_t now_ms,
                         struct arena *arena, struct outputs *out, bool *changed)
{
    struct turn turn;

    if (step->view == NULL)
        return;
    turn = turn_of(step, state, now_ms, arena, out);
    turn.opener = due_ms == ADOPT_DUE_MS ? step->view->set->hash.low : (uint64_t)due_ms;
    adopt_state(&turn);
    timers_fire(&turn, due_ms);
    funnel_run(&turn);
    instances_sweep(turn.state);
    bound_keep(&turn);
    *changed = *changed || turn.changed;
}

/* --- counts -------------------------------------------------------------------------------------- */

const struct decide_counts *decide_counts(const struct step *step)
{
    return &step->counts;
}

const struct ruleset *decide_ruleset(const struct step *step)
{
    return step->view != NULL ? step->view->set : NULL;
}

uint64_t decide_moment_errors(const struct step *step, size_t index)
{
    CHECK(step->view != NULL && index < step->view->set->moment_count);
    return step->view->errors[index];
}

const char *const decide_topics[] = {"attent.tasks", "attent.decisions", "attent.events", NULL};

const struct step_class decide_class = {
    .name = "decide",
    .topics = decide_topics,
    .open = decide_open,
    .close = decide_close,
    .save_partition = decide_save_partition,
    .partition_changed = decide_partition_changed,
    .wants = decide_wants,
    .subject = decide_subject,
    .load = decide_load,
    .save = decide_save,
    .due_ms = decide_due_ms,
    .waits = decide_waits,
    .lanes = decide_lanes,
    .record = decide_record,
    .timer = decide_timer,
    .control = decide_control,
};
