#include "processors/decide/explain.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/hash.h"
#include "core/when.h"
#include "processors/decide/facts.h"
#include "processors/decide/given.h"
#include "processors/decide/instances.h"
#include "processors/decide/needed.h"

static const struct {
    const char *code, *text;
} reasons[] = {
#define REASON(name, code, text) {code, text},
#include "rules/reasons.def"
#undef REASON
};

static const char *const stage_words[] = {
#define STAGE(name, word, text) word,
#include "rules/stages.def"
#undef STAGE
};

const char *reason_code(enum reason reason)
{
    return reasons[reason].code;
}

const char *reason_text(enum reason reason)
{
    return reasons[reason].text;
}

const char *stage_word(int stage)
{
    return stage_words[stage];
}

/* --- stages -------------------------------------------------------------------------------------- */

enum { DETAIL_BYTES_MAX = 508 }; /* of a stage; the rest is cut */

void trail_add(struct trail *trail, struct arena *arena, enum stage stage, bool passed,
               const char *detail, ...)
{
    struct decision_stage *s;
    char text[DETAIL_BYTES_MAX + 4]; /* so that a character at the edge is seen to be cut */
    va_list args;

    text[0] = '\0';
    if (detail != NULL) {
        va_start(args, detail);
        vsnprintf(text, sizeof text, detail, args);
        va_end(args);
    }
    if (trail->count == STAGE_COUNT) /* a stage told twice: the later telling counts */
        trail->count--;
    s = &trail->stages[trail->count++];
    s->stage = str_of(stage_words[stage]);
    s->passed = passed;
    s->detail = arena_str(arena, str_head(str_of(text), DETAIL_BYTES_MAX));
}

void trail_need(struct trail *trail, struct arena *arena, const char *needed, ...)
{
    char text[DETAIL_BYTES_MAX + 4];
    va_list args;

    va_start(args, needed);
    vsnprintf(text, sizeof text, needed, args);
    va_end(args);
    trail->needed = arena_str(arena, str_head(str_of(text), DETAIL_BYTES_MAX));
}

/* --- what was read ------------------------------------------------------------------------------ */

/* "/wheels/pad_mm" as ".wheels.pad_mm" */
static void put_path(struct buf *out, struct str pointer)
{
    for (size_t i = 0; i < pointer.len; i++)
        buf_put_char(out, pointer.data[i] == '/' ? '.' : pointer.data[i]);
}

void explain_name_slot(struct buf *out, const struct scope *scope, uint32_t slot)
{
    const struct turn *turn = scope->turn;
    const struct instance *in = scope->instance;
    const struct ruleset *set = turn->set;
    const struct moment_step *step =
        in != NULL && slot_a(slot) < instance_moment(turn, in)->step_count
            ? &instance_moment(turn, in)->steps[slot_a(slot)]
            : NULL;

    switch (slot_kind(slot)) {
    case SLOT_FACT:
        buf_put_format(out, "customer.%.*s", STR_ARG(set->facts[slot_a(slot)].name));
        return;
    case SLOT_FACT_BEFORE:
        buf_put_format(out, "before.%.*s", STR_ARG(set->facts[slot_a(slot)].name));
        return;
    case SLOT_EVENT_DATA:
        buf_put_text(out, "event.data");
        put_path(out, set->paths[slot_b(slot)].pointer);
        return;
    case SLOT_EVENT_ATTR:
        buf_put_format(out, "event.%s", attr_word((enum attr)slot_b(slot)));
        return;
    case SLOT_STEP_DATA:
    case SLOT_STEP_FIRST:
        if (step == NULL || slot_b(slot) >= step->capture_count)
            return;
        buf_put_format(out, "%.*s%s.data", STR_ARG(step->name),
                       slot_kind(slot) == SLOT_STEP_FIRST ? ".first" : "");
        put_path(out, set->paths[step->captures[slot_b(slot)]].pointer);
        return;
    case SLOT_STEP_ATTR:
        if (step != NULL)
            buf_put_format(out, "%.*s.%s", STR_ARG(step->name), attr_word((enum attr)slot_b(slot)));
        return;
    case SLOT_NOW: buf_put_text(out, "now"); return;
    case SLOT_ABOUT: buf_put_text(out, "about"); return;
    }
}

/* How long a fact has been so: two units say enough. */
static void put_since(struct buf *out, const struct turn *turn, uint32_t fact, struct value v)
{
    int64_t time_ms = facts_time_ms(turn, fact), span_ms, unit_ms = WHEN_SECOND_MS;

    if (time_ms <= GIVEN_EARLIER_MS || time_ms >= turn->now_ms ||
        (v.kind == VALUE_BOOL && !v.boolean))
        return;
    span_ms = turn->now_ms - time_ms;
    if (span_ms >= WHEN_HOUR_MS)
        unit_ms = span_ms >= WHEN_DAY_MS ? WHEN_HOUR_MS : WHEN_MINUTE_MS;
    buf_put_text(out, " since ");
    when_put_days(out, span_ms - span_ms % unit_ms);
}

static void put_read(struct buf *out, struct scope *scope, uint32_t slot)
{
    struct value v = scope_load(scope, slot);

    if (out->len != 0)
        buf_put_text(out, ", ");
    explain_name_slot(out, scope, slot);
    buf_put_text(out, v.kind == VALUE_ABSENT ? " is absent" : " = ");
    if (v.kind == VALUE_ABSENT)
        return;
    cel_print(out, v);
    if (slot_kind(slot) == SLOT_FACT)
        put_since(out, scope->turn, slot_a(slot), v);
}

/* Is it that part that made the whole not true? */
static bool is_blamed(struct scope *scope, const struct condition_part *part)
{
    struct cel_input input = scope_input(scope);
    struct value v = cel_eval(part->program, &input, scope->turn->arena);

    return v.kind != VALUE_BOOL || v.boolean != part->so;
}

/* The slots worth telling, each once: of a condition that did not hold only what made it so. */
static size_t read_slots(struct scope *scope, const struct cel_program *program, bool held,
                         const uint32_t **slots)
{
    const struct expression *whole = ruleset_expression(scope->turn->set, program);
    size_t all, count = 0;
    const uint32_t *of_all = cel_program_slots(program, &all);
    bool *told = ARENA_ARRAY(scope->turn->arena, bool, all);
    uint32_t *some = ARENA_ARRAY(scope->turn->arena, uint32_t, all);

    for (size_t i = 0; !held && whole != NULL && i < whole->part_count; i++) {
        size_t part_count;
        const uint32_t *of_part = cel_program_slots(whole->parts[i].program, &part_count);

        if (!is_blamed(scope, &whole->parts[i]))
            continue;
        for (size_t k = 0, at = 0; k < part_count; k++) {
            while (at < all && of_all[at] < of_part[k])
                at++;
            if (at < all && of_all[at] == of_part[k])
                told[at] = true;
        }
    }
    for (size_t i = 0; i < all; i++)
        if (told[i])
            some[count++] = of_all[i];
    *slots = count != 0 ? some : of_all;
    return count != 0 ? count : all;
}

struct str explain_reads(struct scope *scope, const struct cel_program *program, bool held)
{
    struct str text = ruleset_text(scope->turn->set, program), words;
    const uint32_t *slots;
    size_t count = read_slots(scope, program, held, &slots);
    struct buf out = {0};

    for (size_t i = 0; i < count; i++)
        put_read(&out, scope, slots[i]);
    if (count == 0)
        buf_put(&out, text);
    else if (text.len != 0)
        buf_put_format(&out, " (%.*s)", STR_ARG(text));
    words = arena_str(scope->turn->arena, buf_str(&out));
    buf_free(&out);
    return words;
}

/* --- records ------------------------------------------------------------------------------------- */

void explain_send(struct turn *turn, int topic, struct str customer, const char *type,
                  struct str id, struct str traceparent, struct str value)
{
    struct event event = {.id = id,
                          .source = STR("/attent/decide"),
                          .type = str_of(type),
                          .subject = customer,
                          .traceparent = traceparent,
                          .partition_key = customer,
                          .time_ms = turn->now_ms};
    struct header *headers;
    size_t count = event_headers(&event, turn->arena, &headers);

    outputs_add(turn->out, topic, turn->now_ms, customer, value, headers, count);
}

/* Different for each decision of a customer: what led here, when, and the how manieth. */
struct str explain_next_id(const struct turn *turn, struct str moment, struct str about)
{
    struct buf name = {0};
    char hex[HASH128_HEX_SIZE];

    buf_put_bytes(&name, turn->state->customer);
    buf_put_u64(&name, turn->opener);
    buf_put_zigzag(&name, turn->now_ms);
    buf_put_varint(&name, turn->decisions);
    buf_put_bytes(&name, moment);
    buf_put_bytes(&name, about);
    hash128_hex(hash128_bytes(buf_str(&name), (struct hash128){2, 0}), hex);
    buf_free(&name);
    return arena_str(turn->arena, str_of(hex));
}

static struct str verdict_word(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_TASK: return STR("task");
    case VERDICT_HOLD: return STR("hold");
    case VERDICT_SILENT: return STR("silent");
    case VERDICT_ENDED: return STR("ended");
    }
    return STR_EMPTY;
}

void explain_write(struct turn *turn, const struct explained *explained)
{
    struct decision d = {.id = explain_next_id(turn, explained->moment, explained->about),
                         .customer = turn->state->customer,
                         .moment = explained->moment,
                         .about = explained->about,
                         .rule_set = str_of(turn->set->hash_hex),
                         .outcome = verdict_word(explained->verdict),
                         .reason = str_of(reason_code(explained->reason)),
                         .task = explained->task,
                         .channel = explained->channel,
                         .at_ms = turn->now_ms,
                         .until_ms = explained->until_ms};
    int moment = ruleset_find_moment(turn->set, explained->moment);
    struct buf json = {0};

    if (moment >= 0)
        d.version = str_of(turn->set->moments[moment].version);
    if (turn->event != NULL) {
        d.event = turn->event->id;
        d.event_type = turn->event->type;
    }
    if (explained->trail != NULL) {
        d.stages = explained->trail->stages;
        d.stage_count = explained->trail->count;
    }
    d.needed = needed_for(turn, explained);
    decision_put_json(&json, &d);
    explain_send(turn, DECIDE_TOPIC_DECISIONS, d.customer, DECISION_CE_TYPE, d.id,
                 turn->event != NULL ? turn->event->traceparent : STR_EMPTY, buf_str(&json));
    buf_free(&json);
    turn->decisions++;
    turn->counts->decisions[explained->reason]++;
    turn->counts->holds += explained->verdict == VERDICT_HOLD ? 1 : 0;
}
