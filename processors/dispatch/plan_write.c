/* What a plan writes and counts: ledger, outcomes, drops. */
#include "processors/dispatch/plan_parts.h"

#include "core/mem.h"
#include "processors/dispatch/ledger_record.h"
#include "schemas/event.h"

#define EVENT_SOURCE STR("/attent/dispatch")

/* --- what a plan writes ---------------------------------------------------------------------- */

struct record *plan_add_write(struct plan *plan)
{
    MEM_RESERVE(plan->writes, plan->write_count, plan->write_capacity);
    return &plan->writes[plan->write_count++];
}

static struct plan_note *add_note(struct plan *plan, enum metric metric, struct str first,
                                  const char *second)
{
    MEM_RESERVE(plan->notes, plan->note_count, plan->note_capacity);
    plan->notes[plan->note_count] = (struct plan_note){
        .metric = metric, .labels = {arena_str(plan->arena, first), str_of(second)}};
    return &plan->notes[plan->note_count++];
}

void plan_write_ledger(struct plan *plan, const struct partition *p, struct record record)
{
    record.topic = str_of(plan->rules->ledger_topic);
    record.partition = p->number;
    record.timestamp_ms = p->now_ms;
    *plan_add_write(plan) = record;
}

void plan_put(struct plan *plan, struct partition *p, const struct ledger_entry *entry)
{
    const struct channel *channel = channels_find(plan->rules->channels, entry->channel);

    plan_write_ledger(plan, p, ledger_record_entry(entry, plan->arena));
    ledger_put(p->ledger, entry);
    if (channel != NULL)
        lines_follow(p->lines, channel->index, ledger_find(p->ledger, entry->id));
    plan->counters.states[entry->state]++;
}

void plan_forget(struct plan *plan, struct partition *p, struct str id)
{
    id = arena_str(plan->arena, id);
    plan_write_ledger(plan, p, (struct record){.key = id});
    ledger_remove(p->ledger, id);
    lines_leave(p->lines, id);
}

static void write_event(struct plan *plan, const struct partition *p, const struct task *task,
                        const char *type, const char *what, struct buf *json)
{
    const struct event event = {.id = arena_format(plan->arena, "%.*s-%s", STR_ARG(task->id), what),
                                .source = EVENT_SOURCE,
                                .type = str_of(type),
                                .subject = task->customer,
                                .partition_key = task->customer,
                                .traceparent = task->traceparent,
                                .time_ms = p->now_ms};
    struct record *out = plan_add_write(plan);
    struct header *headers;

    *out = (struct record){.topic = str_of(plan->rules->outcomes_topic),
                           .partition = -1,
                           .timestamp_ms = p->now_ms,
                           .key = arena_str(plan->arena, task->customer),
                           .value = arena_str(plan->arena, buf_str(json))};
    out->header_count = event_headers(&event, plan->arena, &headers);
    out->headers = headers;
    buf_free(json);
}

void plan_outcome(struct plan *plan, const struct partition *p, const struct task *task,
                  const char *code, const char *reason, bool final)
{
    const struct outcome outcome = {.task = task->id,
                                    .moment = task->moment,
                                    .about = task->about,
                                    .channel = task->channel,
                                    .code = str_of(code),
                                    .reason = str_of(reason),
                                    .attempt = task->attempt,
                                    .final = final};
    struct buf json = {0};

    outcome_put_json(&json, &outcome);
    write_event(plan, p, task, OUTCOME_EVENT_TYPE, code, &json);
}

void plan_opted_out(struct plan *plan, const struct partition *p, const struct task *task)
{
    struct buf json = {0};
    struct json_writer w = json_writer_to(&json);

    json_open(&w, '{');
    json_key(&w, "channel");
    json_str(&w, task->channel);
    json_close(&w, '}');
    write_event(plan, p, task, "consent.withdrawn", "opted-out", &json);
}

void plan_drop(struct plan *plan, const struct partition *p, const struct record *record,
               enum drop_reason reason, const char *why)
{
    static const char *const codes[] = {
#define DROP(name, code, text) code,
#include "processors/dispatch/drops.def"
#undef DROP
    };
    struct plan_note *note;

    plan->counters.drops[reason]++;
    note = add_note(plan, METRIC_DISPATCH_DROPPED, arena_format(plan->arena, "%d", (int)p->number),
                    codes[reason]);
    if (why[0] == '\0')
        return;
    note->log = "a record of the task topic is not taken";
    note->id = arena_format(plan->arena, "%.*s/%d@%lld", STR_ARG(record->topic), (int)p->number,
                            (long long)record->offset);
    note->why = arena_str(plan->arena, str_of(why));
}

/* --- states ---------------------------------------------------------------------------------- */

struct ledger_entry plan_ended(const struct plan *plan, const struct partition *p,
                               const struct ledger_entry *entry, enum ledger_state state,
                               const char *reason)
{
    struct ledger_entry ended = *entry;
    bool may_be_called_back = state == LEDGER_SENT || state == LEDGER_UNKNOWN;

    ended.state = state;
    ended.reason = str_of(reason);
    ended.at_ms = p->now_ms;
    ended.next_ms = 0;
    ended.task = ended.withdrawal = STR_EMPTY;
    if (ended.customer.len == 0) /* erased, or never known: nobody asks for it any more */
        ended.reference = STR_EMPTY;
    if (!may_be_called_back || ended.due_ms < p->now_ms + plan->rules->keep_ms)
        ended.due_ms = p->now_ms + plan->rules->keep_ms;
    return ended;
}

bool plan_task_of(struct plan *plan, const struct ledger_entry *entry, struct task *task)
{
    return entry->task.len != 0 && task_read_json(entry->task, plan->arena, task, NULL) &&
           str_equal(task->id, entry->id);
}

void plan_note_state(struct plan *plan, const struct ledger_entry *entry, const char *log,
                     const char *why)
{
    struct plan_note *note =
        add_note(plan, METRIC_DISPATCH_TASKS, entry->channel, ledger_state_code(entry->state));

    note->log = log;
    note->id = arena_str(plan->arena, entry->id);
    note->why = arena_str(plan->arena, str_of(why));
}

void plan_note_withdrawal(struct plan *plan, struct str channel, const char *result)
{
    add_note(plan, METRIC_DISPATCH_WITHDRAWALS, channel, result);
}
