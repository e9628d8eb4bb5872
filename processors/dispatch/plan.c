/* The way of a task:
 *
 *     read -> known? ............................................ dropped
 *          -> withdrawn later in the same batch? ................ WITHDRAWN, nobody hears of it
 *          -> deadline or last window over? ..................... EXPIRED + outcome
 *          -> window not open yet, topic not there? ............. PENDING until then
 *          -> no such channel, the channel refuses it? .......... FAILED + outcome
 *          -> the channel's record .............................. SENT
 *          -> a channel that delivers ........................... PENDING, in line (plan_send.c)
 *
 * PENDING goes the same way again when it is due; every other entry leaves the ledger when it is
 * due.  Withdrawals of a batch are known before its first task goes out: what is looked at right
 * before sending is everything that has been read.
 */
#include "processors/dispatch/plan_parts.h"

#include "core/fail_point.h"
#include "core/limit.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/mutant.h"
#include "processors/dispatch/dead_letter.h"
#include "processors/dispatch/ledger_record.h"
#include "schemas/chain.h"

struct item { /* a record that was taken */
    enum { ITEM_TASK, ITEM_WITHDRAWAL, ITEM_PERMISSION, ITEM_STRAY, ITEM_SETTLED } kind;
    const struct record *record;
    int64_t now_ms;
    struct task task;
    struct withdrawal withdrawal;
    struct permission permission;
    struct str stray; /* id of the task that its outcome names */
};

/* --- states ---------------------------------------------------------------------------------- */

/* Of a task that was just read; due at its deadline. */
static struct ledger_entry entry_of(const struct partition *p, const struct task *task,
                                    struct str json, int64_t offset)
{
    return (struct ledger_entry){.id = task->id,
                                 .state = LEDGER_PENDING,
                                 .at_ms = p->now_ms,
                                 .due_ms = task->deadline_ms,
                                 .offset = offset,
                                 .customer = task->customer,
                                 .moment = task->moment,
                                 .channel = task->channel,
                                 .queue = task->queue,
                                 .task = json};
}

static void enter(struct plan *plan, struct partition *p, const struct ledger_entry *entry,
                  enum ledger_state state, const char *reason, const char *log, const char *why)
{
    struct ledger_entry ended = plan_ended(plan, p, entry, state, reason);

    plan_note_state(plan, &ended, log, why);
    plan_put(plan, p, &ended);
}

/* FAILED or EXPIRED: decide learns it as an outcome.  why: for the log. */
static void give_up(struct plan *plan, struct partition *p, const struct task *task,
                    const struct ledger_entry *entry, enum ledger_state state, const char *reason,
                    const char *why)
{
    plan_outcome(plan, p, task, ledger_state_code(state), reason, true);
    enter(plan, p, entry, state, reason,
          state == LEDGER_FAILED ? "a task failed" : "a task expired before it was sent", why);
}

static void wait_until(struct plan *plan, struct partition *p, const struct task *task,
                       const struct ledger_entry *entry, int64_t due_ms, int64_t next_ms,
                       const char *reason)
{
    struct ledger_entry waiting = *entry;

    if (ledger_pending(p->ledger) >= LIMIT_DISPATCH_PENDING) {
        give_up(plan, p, task, entry, LEDGER_FAILED, "too_many_waiting",
                "too many tasks of this partition wait already");
        return;
    }
    waiting.state = LEDGER_PENDING;
    waiting.at_ms = p->now_ms;
    waiting.due_ms = due_ms;
    waiting.next_ms = next_ms;
    waiting.reason = str_of(reason);
    plan_note_state(plan, &waiting, NULL, "");
    plan_put(plan, p, &waiting);
}

/* --- sending --------------------------------------------------------------------------------- */

int64_t plan_opens_ms(const struct task *task, int64_t now_ms)
{
    int64_t first_ms = task->window_count == 0 ? now_ms : INT64_MAX;

    for (size_t i = 0; i < task->window_count; i++) {
        const struct task_window *w = &task->windows[i];
        int64_t from_ms = w->from_ms > now_ms ? w->from_ms : now_ms;
        if (from_ms < w->to_ms && from_ms < first_ms)
            first_ms = from_ms;
    }
    return first_ms;
}

/* The channel is configured and the hour is right. */
static void hand_over(struct plan *plan, struct partition *p, const struct task *task,
                      const struct ledger_entry *entry, const struct channel *channel)
{
    int64_t again_ms = p->now_ms + plan->rules->retry_ms;
    struct record record;
    struct err err = {0};

    switch (channel->class->task_record(channel->connector, task, plan->arena, &record, &err)) {
    case DELIVERY_ACCEPTED: break;
    case DELIVERY_REFUSED:
        give_up(plan, p, task, entry, LEDGER_FAILED, "refused", err.text);
        return;
    case DELIVERY_RETRY:
    case DELIVERY_UNKNOWN:
    case DELIVERY_DOWN: /* no record, so surely nothing was sent */
        wait_until(plan, p, task, entry, again_ms, 0, "channel_down");
        return;
    }
    if (!plan->rules->topic_is_there(plan->rules->context, record.topic)) {
        wait_until(plan, p, task, entry, again_ms, 0, "no_topic");
        return;
    }
    record.timestamp_ms = p->now_ms;
    *plan_add_write(plan) = record;
    enter(plan, p, entry, LEDGER_SENT, "", NULL, "");
}

/* entry: as it is in the ledger, or would be. */
static void send_task(struct plan *plan, struct partition *p, const struct task *task,
                      const struct ledger_entry *entry)
{
    int64_t may_go_ms = plan_opens_ms(task, p->now_ms);
    const struct channel *channel = channels_find(plan->rules->channels, task->channel);

    if (p->now_ms >= task->deadline_ms)
        give_up(plan, p, task, entry, LEDGER_EXPIRED, "deadline", "its deadline is over");
    else if (may_go_ms >= task->deadline_ms)
        give_up(plan, p, task, entry, LEDGER_EXPIRED, "no_window",
                "no window is left before its deadline");
    else if (channel == NULL)
        give_up(plan, p, task, entry, LEDGER_FAILED, "unknown_channel",
                "the configuration has no such channel");
    else if (may_go_ms > p->now_ms)
        wait_until(plan, p, task, entry, may_go_ms, 0, "window");
    else if (channel->class->deliver != NULL)
        wait_until(plan, p, task, entry, task->deadline_ms, plan->real_ms, "turn");
    else
        hand_over(plan, p, task, entry, channel);
}

/* --- outcomes of no task that is out --------------------------------------------------------- */

static bool read_stray(struct str json, struct arena *arena, struct str *task)
{
    struct value data, id;

    if (json_parse(json, arena, &data, NULL) != JSON_FINE || data.kind != VALUE_MAP)
        return false;
    id = value_map_get(data, STR("task"));
    *task = id.kind == VALUE_STRING ? value_str(id) : STR_EMPTY;
    return task->len != 0;
}

/* What decide wrote before it is in the ledger by now: a task that is not there never was, or has been
 * over for longer than the ledger keeps it. */
static void take_stray(struct plan *plan, const struct partition *p, const struct item *item)
{
    const struct dead_letter letter = {.topic = plan->rules->dlq_topic,
                                       .part = "attent-dispatch",
                                       .reason = "unknown_task",
                                       .why = "the ledger does not know its task",
                                       .key = item->record->key,
                                       .value = item->record->value,
                                       .at_ms = p->now_ms};

    if (ledger_find(p->ledger, item->stray) != NULL) {
        plan_drop(plan, p, item->record, DROP_LATE, "");
        return;
    }
    plan_drop(plan, p, item->record, DROP_STRAY, "");
    if (letter.topic != NULL)
        *plan_add_write(plan) = dead_letter_record(&letter, plan->arena);
}

/* --- reading --------------------------------------------------------------------------------- */

/* Does the reader's rule take it?  If not, it is dropped. */
static bool is_next(struct plan *plan, const struct partition *p, const struct record *record)
{
    struct err err = {0};

    switch (sources_take(p->sources, record, &err)) {
    case TAKEN_PLAIN:
    case TAKEN_NEXT: return true;
    case TAKEN_REPEAT: plan_drop(plan, p, record, DROP_REPEAT, ""); break;
    case TAKEN_GAP: plan_drop(plan, p, record, DROP_GAP, ""); break;
    case TAKEN_OLD: plan_drop(plan, p, record, DROP_OLD, ""); break;
    case TAKEN_JUNK: plan_drop(plan, p, record, DROP_MALFORMED, err.text); break;
    case TAKEN_BROKEN: plan_drop(plan, p, record, DROP_BROKEN, err.text); break;
    }
    return false;
}

/* The partition's now at this record. */
static int64_t now_ms(const struct plan *plan, const struct partition *p,
                      const struct record *record)
{
    bool moves = plan->rules->time_is_log && record->timestamp_ms > p->now_ms;

    return moves ? record->timestamp_ms : p->now_ms;
}

static bool read_item(struct plan *plan, const struct partition *p, const struct record *record,
                      struct item *out)
{
    struct str type = record_header(record, STR("ce_type"));
    bool read = false;

    *out = (struct item){.record = record, .now_ms = now_ms(plan, p, record)};
    FAIL_POINT_MEET("dispatch", record);
    if (record->value.len > LIMIT_TASK_BYTES) {
        plan_drop(plan, p, record, DROP_MALFORMED, "it is larger than a task may be");
        return false;
    }
    if (str_is(type, TASK_CE_TYPE)) {
        out->kind = ITEM_TASK;
        read = task_read_json(record->value, plan->arena, &out->task, NULL) &&
               ledger_is_id(out->task.id);
    } else if (str_is(type, WITHDRAWAL_CE_TYPE)) {
        out->kind = ITEM_WITHDRAWAL;
        read = withdrawal_read_json(record->value, plan->arena, &out->withdrawal, NULL) &&
               ledger_is_id(out->withdrawal.task);
    } else if (str_is(type, PERMISSION_CE_TYPE)) {
        out->kind = ITEM_PERMISSION;
        read = permission_read_json(record->value, plan->arena, &out->permission, NULL);
    } else if (str_is(type, STRAY_CE_TYPE)) {
        out->kind = ITEM_STRAY;
        read = read_stray(record->value, plan->arena, &out->stray);
    } else {
        plan_drop(plan, p, record, DROP_UNKNOWN_TYPE, "");
        return false;
    }
    if (!read) /* what the parser says may quote the record: not for logs */
        plan_drop(plan, p, record, DROP_MALFORMED, "it is not what its schema in schemas/ says");
    return read;
}

/* The withdrawal of a task behind it in the batch, NULL if there is none.  Where the log is the
 * clock each record has its own time, and what comes later is not known yet. */
static struct item *find_withdrawal(const struct plan *plan, struct item *task,
                                    const struct item *end)
{
    if (plan->rules->time_is_log || MUTANT(WITHDRAWAL_UNSEEN))
        return NULL;
    for (struct item *item = task + 1; item < end; item++)
        if (item->kind == ITEM_WITHDRAWAL && str_equal(item->withdrawal.task, task->task.id))
            return item;
    return NULL;
}

/* A permission behind it in the batch that forbids a task; NULL: none. */
static const struct permission *find_permission(const struct plan *plan, const struct item *task,
                                                const struct item *end)
{
    if (plan->rules->time_is_log)
        return NULL;
    for (const struct item *item = task + 1; item < end; item++)
        if (item->kind == ITEM_PERMISSION &&
            str_equal(item->permission.customer, task->task.customer) &&
            plan_forbids(&item->permission, &task->task))
            return &item->permission;
    return NULL;
}

static void do_item(struct plan *plan, struct partition *p, struct item *item,
                    const struct item *end)
{
    const struct task *task = &item->task;
    const struct permission *permission;
    struct ledger_entry entry;
    struct item *withdrawal;
    struct withdrawal whole;

    if (item->kind == ITEM_SETTLED)
        return;
    if (item->kind == ITEM_WITHDRAWAL) {
        plan_withdraw(plan, p, item->record, &item->withdrawal);
    } else if (item->kind == ITEM_PERMISSION) {
        plan_take_permission(plan, p, &item->permission);
        plan_note_wish(p, item->record, &item->permission);
    } else if (item->kind == ITEM_STRAY) {
        take_stray(plan, p, item);
    } else if (ledger_find(p->ledger, task->id) != NULL) {
        plan_drop(plan, p, item->record, DROP_KNOWN, "");
    } else if ((withdrawal = find_withdrawal(plan, item, end)) != NULL) {
        whole = plan_complete(&withdrawal->withdrawal, task->moment, task->channel, task->queue);
        plan_keep_back(plan, p, &whole, "kept_back");
        withdrawal->kind = ITEM_SETTLED;
    } else if ((permission = find_permission(plan, item, end)) != NULL ||
               (permission = plan_find_wish(p, task)) != NULL) {
        plan_forbid(plan, p, permission, task);
    } else {
        entry = entry_of(p, task, item->record->value, item->record->offset);
        send_task(plan, p, task, &entry);
    }
}

static void write_taken(struct plan *plan, const struct partition *p)
{
    const struct taken_source *source;
    size_t at = 0;

    while (!MUTANT(TAKEN_UNCOMMITTED) && (source = sources_next_change(p->sources, &at)) != NULL)
        plan_write_ledger(plan, p, ledger_record_taken(source, plan->arena));
}

void plan_records(struct plan *plan, struct partition *p, const struct record *records,
                  size_t count)
{
    struct item *items = arena_alloc_raw(plan->arena, arena_array_bytes(count, sizeof *items));
    const struct item *end = items;

    p->touched |= count != 0;
    for (size_t i = 0; i < count; i++) {
        p->next = records[i].offset + 1;
        if (is_next(plan, p, &records[i]) && read_item(plan, p, &records[i], &items[end - items]))
            end++;
    }
    for (struct item *item = items; item < end; item++) {
        if (item->now_ms > p->now_ms)
            p->now_ms = item->now_ms;
        do_item(plan, p, item, end);
    }
    write_taken(plan, p);
}

void plan_pass(struct plan *plan, struct partition *p, const struct record *record,
               const struct record *skip)
{
    p->touched = true;
    p->next = record->offset + 1;
    if (is_next(plan, p, record)) {
        plan_drop(plan, p, record, DROP_POISON, "");
        plan_fail_unread(plan, p, record);
    }
    write_taken(plan, p);
    if (skip == NULL)
        return;
    *plan_add_write(plan) = *skip;
    plan_put_letter(plan, record);
}

/* --- what is due ----------------------------------------------------------------------------- */

static void send_again(struct plan *plan, struct partition *p, const struct ledger_entry *entry)
{
    struct task task;

    if (plan_task_of(plan, entry, &task)) {
        send_task(plan, p, &task, entry);
        return;
    }
    log_error("dispatch", "a task of the ledger cannot be read", LOG_STR("task", entry->id),
              LOG_END);
    plan_forget(plan, p, entry->id);
}

void plan_due(struct plan *plan, struct partition *p, size_t max)
{
    const struct ledger_entry *entry;

    for (size_t i = 0; i < max && (entry = ledger_due(p->ledger, p->now_ms)) != NULL; i++) {
        p->touched = true;
        plan_watch(plan, p, entry->id);
        FAIL_POINT_MEET_TEXT("ledger", entry->task);
        if (ledger_is_over(entry))
            plan_forget(plan, p, entry->id);
        else if (entry->state == LEDGER_PENDING && entry->next_ms == 0)
            send_again(plan, p, entry);
        else
            plan_late(plan, p, entry);
    }
}

/* --- life ------------------------------------------------------------------------------------ */

void plan_open(struct plan *plan, const struct plan_rules *rules)
{
    *plan = (struct plan){.rules = rules, .arena = arena_new(0), .real_ms = 1};
    plan->last_job = &plan->jobs;
}

struct job *plan_take_jobs(struct plan *plan)
{
    struct job *jobs = plan->jobs;

    plan->jobs = NULL;
    plan->last_job = &plan->jobs;
    return jobs;
}

static void cancel_jobs(struct plan *plan)
{
    for (struct job *job = plan_take_jobs(plan), *next; job != NULL; job = next) {
        next = job->next;
        gate_cancel(channels_at(plan->rules->channels, job->channel)->gate, str_of(job->address));
        job_free(job);
    }
}

void plan_clear(struct plan *plan)
{
    cancel_jobs(plan);
    arena_reset(plan->arena);
    plan->write_count = plan->note_count = plan->erased_count = 0;
    plan->counters = (struct dispatch_counters){0};
}

void plan_close(struct plan *plan)
{
    cancel_jobs(plan);
    arena_free(plan->arena);
    mem_free(plan->writes);
    mem_free(plan->notes);
    mem_free(plan->erased);
}

void plan_count(const struct plan *plan, struct dispatch_counters *total)
{
    for (size_t i = 0; i < plan->note_count; i++) {
        const struct plan_note *note = &plan->notes[i];
        metric_add(metric_series(note->metric, note->labels, 2), 1);
        if (note->log != NULL)
            log_warn("dispatch", note->log, LOG_STR("id", note->id), LOG_STR("why", note->why),
                     LOG_STR("what", note->labels[1]), LOG_END);
    }
    for (int i = 0; i < LEDGER_STATE_COUNT; i++)
        total->states[i] += plan->counters.states[i];
    for (int i = 0; i < DROP_REASON_COUNT; i++)
        total->drops[i] += plan->counters.drops[i];
    total->withdrawals_sent += plan->counters.withdrawals_sent;
    total->adopted += plan->counters.adopted;
}
