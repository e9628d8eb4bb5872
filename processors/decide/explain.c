#include "processors/decide/explain.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/hash.h"
#include "processors/decide/instances.h"

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

static void name_slot(struct buf *out, const struct turn *turn, const struct instance *in,
                      uint32_t slot)
{
    const struct ruleset *set = turn->set;
    const struct moment_step *step =
        in != NULL && slot_a(slot) < instance_moment(turn, in)->step_count
            ? &instance_moment(turn, in)->steps[slot_a(slot)]
            : NULL;

    switch (slot_kind(slot)) {
    case SLOT_FACT: buf_put(out, set->facts[slot_a(slot)].name); return;
    case SLOT_FACT_BEFORE:
        buf_put_text(out, "before.");
        buf_put(out, set->facts[slot_a(slot)].name);
        return;
    case SLOT_EVENT_DATA:
        buf_put(out, str_slice(set->paths[slot_b(slot)].pointer, 1, SIZE_MAX));
        return;
    case SLOT_EVENT_ATTR: buf_put_text(out, "event"); return;
    case SLOT_STEP_DATA:
    case SLOT_STEP_FIRST:
        if (step == NULL || slot_b(slot) >= step->capture_count)
            return;
        buf_put_format(out, "%.*s", STR_ARG(step->name));
        buf_put(out, set->paths[step->captures[slot_b(slot)]].pointer);
        return;
    case SLOT_STEP_ATTR:
        if (step != NULL)
            buf_put(out, step->name);
        return;
    case SLOT_NOW: buf_put_text(out, "now"); return;
    case SLOT_ABOUT: buf_put_text(out, "about"); return;
    }
}

struct str explain_reads(struct scope *scope, const struct cel_program *program)
{
    size_t count;
    const uint32_t *slots = cel_program_slots(program, &count);
    struct buf out = {0};
    struct str words;

    buf_put(&out, ruleset_text(scope->turn->set, program));
    for (size_t i = 0; i < count; i++) {
        struct value v = scope_load(scope, slots[i]);

        if (out.len != 0)
            buf_put_text(&out, i == 0 ? "; " : ", ");
        name_slot(&out, scope->turn, scope->instance, slots[i]);
        buf_put_text(&out, v.kind == VALUE_ABSENT ? " is absent" : " is ");
        if (v.kind != VALUE_ABSENT)
            cel_print(&out, v);
    }
    words = arena_str(scope->turn->arena, buf_str(&out));
    buf_free(&out);
    return words;
}

/* --- records ------------------------------------------------------------------------------------- */

void explain_send(struct turn *turn, int topic, const char *type, struct str id,
                  struct str traceparent, struct str value)
{
    struct event event = {.id = id,
                          .source = STR("/attent/decide"),
                          .type = str_of(type),
                          .subject = turn->state->customer,
                          .traceparent = traceparent,
                          .partition_key = turn->state->customer,
                          .time_ms = turn->now_ms};
    struct header *headers;
    size_t count = event_headers(&event, turn->arena, &headers);

    outputs_add(turn->out, topic, turn->now_ms, turn->state->customer, value, headers, count);
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
    struct buf json = {0};

    if (turn->event != NULL) {
        d.event = turn->event->id;
        d.event_type = turn->event->type;
    }
    if (explained->trail != NULL) {
        d.stages = explained->trail->stages;
        d.stage_count = explained->trail->count;
    }
    decision_put_json(&json, &d);
    explain_send(turn, DECIDE_TOPIC_DECISIONS, DECISION_CE_TYPE, d.id,
                 turn->event != NULL ? turn->event->traceparent : STR_EMPTY, buf_str(&json));
    buf_free(&json);
    turn->decisions++;
    turn->counts->decisions[explained->reason]++;
    turn->counts->holds += explained->verdict == VERDICT_HOLD ? 1 : 0;
}
