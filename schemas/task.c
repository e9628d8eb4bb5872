/* Tables only: what is said here is said again, for others, in task.schema.json,
 * withdrawal.schema.json and decision.schema.json; a test holds the two together. */
#include "schemas/task.h"

#include "schemas/fields.h"

/* A list in member "<one>s" with its length in "<one>_count"; always written. */
#define LIST(type, one, rows, item)                                                                \
    {                                                                                              \
        .name = #one "s", .kind = FIELD_LIST, .offset = offsetof(struct type, one##s),             \
        .items = (rows), .item_bytes = sizeof(struct item),                                        \
        .count_offset = offsetof(struct type, one##_count)                                         \
    }

static const struct field task_fact_fields[] = {
    FIELD(task_fact, name, FIELD_TEXT),
    FIELD(task_fact, label, FIELD_TEXT),
    FIELD(task_fact, value, FIELD_VALUE),
    FIELD_OPTIONAL(task_fact, unit, FIELD_TEXT),
    {0},
};

static const struct field task_window_fields[] = {
    FIELD_AS(task_window, from_ms, "from", FIELD_TIME),
    FIELD_AS(task_window, to_ms, "to", FIELD_TIME),
    {0},
};

static const struct field task_outcome_fields[] = {
    FIELD(task_outcome, code, FIELD_TEXT),
    FIELD(task_outcome, effect, FIELD_TEXT),
    {0},
};

static const struct field task_appointment_fields[] = {
    FIELD_AS(task_appointment, start_ms, "start", FIELD_TIME),
    FIELD_AS(task_appointment, end_ms, "end", FIELD_TIME),
    FIELD(task_appointment, title, FIELD_TEXT),
    FIELD_OPTIONAL(task_appointment, place, FIELD_TEXT),
    {0},
};

static const struct field task_fields[] = {
    FIELD(task, id, FIELD_TEXT),
    FIELD(task, moment, FIELD_TEXT),
    FIELD(task, title, FIELD_TEXT),
    FIELD(task, version, FIELD_TEXT),
    FIELD(task, rule_set, FIELD_TEXT),
    FIELD(task, customer, FIELD_TEXT),
    FIELD_OPTIONAL(task, about, FIELD_TEXT),
    FIELD(task, tier, FIELD_TEXT),
    FIELD(task, purpose, FIELD_TEXT),
    FIELD(task, channel, FIELD_TEXT),
    FIELD_OPTIONAL(task, queue, FIELD_TEXT),
    FIELD_OPTIONAL(task, address, FIELD_TEXT),
    FIELD(task, reason, FIELD_TEXT),
    FIELD_OPTIONAL(task, language, FIELD_TEXT),
    FIELD_OPTIONAL(task, say, FIELD_TEXT),
    FIELD_OPTIONAL(task, subject, FIELD_TEXT),
    FIELD_OPTIONAL(task, text, FIELD_TEXT),
    FIELD_OPTIONAL(task, html, FIELD_TEXT),
    FIELD_OPTIONAL(task, sms_parts, FIELD_COUNT),
    {.name = "appointment",
     .kind = FIELD_PART,
     .optional = true,
     .offset = offsetof(struct task, appointment),
     .items = task_appointment_fields},
    LIST(task, fact, task_fact_fields, task_fact),
    LIST(task, outcome, task_outcome_fields, task_outcome),
    LIST(task, window, task_window_fields, task_window),
    FIELD_AS(task, created_ms, "created", FIELD_TIME),
    FIELD_AS(task, deadline_ms, "deadline", FIELD_TIME),
    FIELD(task, attempt, FIELD_COUNT),
    FIELD_OPTIONAL(task, needs_no_consent, FIELD_BOOL),
    FIELD_OPTIONAL(task, at_least_once, FIELD_BOOL),
    FIELD(task, decision, FIELD_TEXT),
    FIELD_OPTIONAL(task, traceparent, FIELD_TEXT),
    {0},
};

static const struct field withdrawal_fields[] = {
    FIELD(withdrawal, task, FIELD_TEXT),
    FIELD(withdrawal, customer, FIELD_TEXT),
    FIELD(withdrawal, moment, FIELD_TEXT),
    FIELD_OPTIONAL(withdrawal, about, FIELD_TEXT),
    FIELD(withdrawal, channel, FIELD_TEXT),
    FIELD_OPTIONAL(withdrawal, queue, FIELD_TEXT),
    FIELD(withdrawal, reason, FIELD_TEXT),
    FIELD_OPTIONAL(withdrawal, because, FIELD_TEXT),
    FIELD_OPTIONAL(withdrawal, notice, FIELD_BOOL),
    FIELD_AS(withdrawal, created_ms, "created", FIELD_TIME),
    {0},
};

static const struct field permission_fields[] = {
    FIELD(permission, customer, FIELD_TEXT),
    FIELD_OPTIONAL(permission, purpose, FIELD_TEXT),
    FIELD_OPTIONAL(permission, channel, FIELD_TEXT),
    FIELD(permission, because, FIELD_TEXT),
    FIELD_OPTIONAL(permission, erased, FIELD_BOOL),
    FIELD_AS(permission, created_ms, "created", FIELD_TIME),
    {0},
};

static const struct field outcome_fields[] = {
    FIELD(outcome, task, FIELD_TEXT),
    FIELD_OPTIONAL(outcome, moment, FIELD_TEXT),
    FIELD_OPTIONAL(outcome, about, FIELD_TEXT),
    FIELD_OPTIONAL(outcome, channel, FIELD_TEXT),
    FIELD(outcome, attempt, FIELD_COUNT),
    FIELD(outcome, code, FIELD_TEXT),
    FIELD(outcome, final, FIELD_BOOL),
    FIELD_OPTIONAL(outcome, reason, FIELD_TEXT),
    {0},
};

static const struct field decision_stage_fields[] = {
    FIELD(decision_stage, stage, FIELD_TEXT),
    FIELD(decision_stage, passed, FIELD_BOOL),
    FIELD_OPTIONAL(decision_stage, detail, FIELD_TEXT),
    {0},
};

static const struct field decision_fields[] = {
    FIELD(decision, id, FIELD_TEXT),
    FIELD(decision, customer, FIELD_TEXT),
    FIELD_OPTIONAL(decision, moment, FIELD_TEXT),
    FIELD_OPTIONAL(decision, about, FIELD_TEXT),
    FIELD_OPTIONAL(decision, version, FIELD_TEXT),
    FIELD(decision, rule_set, FIELD_TEXT),
    FIELD(decision, outcome, FIELD_TEXT),
    FIELD(decision, reason, FIELD_TEXT),
    FIELD_OPTIONAL(decision, task, FIELD_TEXT),
    FIELD_OPTIONAL(decision, channel, FIELD_TEXT),
    FIELD_OPTIONAL(decision, event, FIELD_TEXT),
    FIELD_OPTIONAL(decision, event_type, FIELD_TEXT),
    FIELD_AS(decision, at_ms, "at", FIELD_TIME),
    {.name = "until",
     .kind = FIELD_TIME,
     .optional = true,
     .offset = offsetof(struct decision, until_ms)},
    FIELD_OPTIONAL(decision, needed, FIELD_TEXT),
    LIST(decision, stage, decision_stage_fields, decision_stage),
    {0},
};

static void put(struct buf *out, const struct field *fields, const void *from)
{
    struct json_writer w = json_writer_to(out);

    fields_put(&w, fields, from);
}

void task_put_json(struct buf *out, const struct task *task)
{
    put(out, task_fields, task);
}

bool task_read_json(struct str text, struct arena *arena, struct task *out, struct err *err)
{
    *out = (struct task){0};
    return fields_read(text, task_fields, arena, out, err);
}

void withdrawal_put_json(struct buf *out, const struct withdrawal *w)
{
    put(out, withdrawal_fields, w);
}

bool withdrawal_read_json(struct str text, struct arena *arena, struct withdrawal *out,
                          struct err *err)
{
    *out = (struct withdrawal){0};
    return fields_read(text, withdrawal_fields, arena, out, err);
}

void permission_put_json(struct buf *out, const struct permission *p)
{
    put(out, permission_fields, p);
}

bool permission_read_json(struct str text, struct arena *arena, struct permission *out,
                          struct err *err)
{
    *out = (struct permission){0};
    return fields_read(text, permission_fields, arena, out, err);
}

void outcome_put_json(struct buf *out, const struct outcome *o)
{
    put(out, outcome_fields, o);
}

void decision_put_json(struct buf *out, const struct decision *d)
{
    put(out, decision_fields, d);
}

bool decision_read_json(struct str text, struct arena *arena, struct decision *out, struct err *err)
{
    *out = (struct decision){0};
    return fields_read(text, decision_fields, arena, out, err);
}
