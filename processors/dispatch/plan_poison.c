/* What processes have ended at, a record or a task of the ledger: it is over without being looked into. */
#include "processors/dispatch/plan_parts.h"

#include "schemas/letter.h"

#define POISON "poison"

void plan_watch(const struct plan *plan, const struct partition *p, struct str task)
{
    if (plan->rules->watch != NULL)
        plan->rules->watch(plan->rules->context, p, task);
}

void plan_put_letter(struct plan *plan, const struct record *record)
{
    const struct letter letter = {.from = spot_of(record),
                                  .part = STR("attent-dispatch"),
                                  .stage = STR("TRANSFORMATION"),
                                  .reason = STR(SKIP_REASON_POISON),
                                  .message = STR("processes of dispatch ended at this task")};

    if (plan->rules->dlq_topic != NULL)
        *plan_add_write(plan) = letter_write(&letter, record, plan->rules->dlq_topic, plan->arena);
}

static void end(struct plan *plan, struct partition *p, const struct ledger_entry *entry,
                enum ledger_state state, const char *log)
{
    const struct task task = {.id = entry->id,
                              .customer = entry->customer,
                              .moment = entry->moment,
                              .channel = entry->channel};
    struct ledger_entry ended = plan_ended(plan, p, entry, state, POISON);

    if (state != LEDGER_WITHDRAWN && entry->customer.len != 0)
        plan_outcome(plan, p, &task, ledger_state_code(state), POISON, state == LEDGER_FAILED);
    plan_note_state(plan, &ended, log, "");
    plan_put(plan, p, &ended);
}

void plan_fail_unread(struct plan *plan, struct partition *p, const struct record *record)
{
    const struct ledger_entry entry = {.id = record_header(record, STR("ce_id")),
                                       .offset = record->offset,
                                       .customer = record->key};

    if (str_is(record_header(record, STR("ce_type")), TASK_CE_TYPE) && ledger_is_id(entry.id) &&
        ledger_find(p->ledger, entry.id) == NULL)
        end(plan, p, &entry, LEDGER_FAILED, NULL);
}

/* As it was read; its value may be let go by now. */
static struct record record_of(const struct ledger_entry *entry, const struct partition *p,
                               const char *topic, struct arena *arena)
{
    struct header *headers = ARENA_ARRAY(arena, struct header, 2);

    headers[0] = (struct header){STR("ce_type"), STR(TASK_CE_TYPE)};
    headers[1] = (struct header){STR("ce_id"), entry->id};
    return (struct record){.topic = str_of(topic),
                           .partition = p->number,
                           .offset = entry->offset,
                           .timestamp_ms = entry->at_ms,
                           .key = entry->customer,
                           .value = entry->task,
                           .headers = headers,
                           .header_count = 2};
}

void plan_condemn(struct plan *plan, struct partition *p, const char *tasks_topic, struct str id)
{
    const struct ledger_entry *found = ledger_find(p->ledger, id);
    enum ledger_state state = LEDGER_UNKNOWN;
    struct ledger_entry entry;
    struct record record;

    if (found == NULL || ledger_is_over(found))
        return;
    entry = *found;
    entry.id = arena_str(plan->arena, entry.id);
    entry.customer = arena_str(plan->arena, entry.customer);
    entry.task = arena_str(plan->arena, entry.task);
    record = record_of(&entry, p, tasks_topic, plan->arena);
    p->touched = true;
    plan_put_letter(plan, &record);
    if (entry.state == LEDGER_RECALLING)
        state = LEDGER_WITHDRAWN;
    else if (entry.state == LEDGER_PENDING && !str_is(entry.reason, "in_doubt"))
        state = LEDGER_FAILED;
    end(plan, p, &entry, state, "a task is given up: processes end at it");
}
