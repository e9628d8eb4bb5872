/* The way of a task:
 *
 *     read -> known? ............................................ dropped
 *          -> withdrawn later in the same batch? ................ WITHDRAWN, nobody hears of it
 *          -> deadline or last window over? ..................... EXPIRED + outcome
 *          -> window not open yet, topic not there? ............. PENDING until then
 *          -> no such channel, the channel refuses it? .......... FAILED + outcome
 *          -> the channel's record .............................. SENT
 *
 * PENDING goes the same way again when it is due; every other entry leaves the ledger when it is
 * due.  Withdrawals of a batch are known before its first task goes out: what is looked at right
 * before sending is everything that has been read.
 */
#include "processors/dispatch/plan.h"

#include "core/limit.h"
#include "core/log.h"
#include "core/mem.h"
#include "processors/dispatch/ledger_record.h"
#include "schemas/event.h"

#define EVENT_SOURCE STR("/attent/dispatch")

struct item { /* a record that was taken */
    enum { ITEM_TASK, ITEM_WITHDRAWAL, ITEM_SETTLED } kind;
    const struct record *record;
    int64_t now_ms;
    struct task task;
    struct withdrawal withdrawal;
};

/* --- what a plan writes ---------------------------------------------------------------------- */

static struct record *add_write(struct plan *plan)
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

static void write_ledger(struct plan *plan, const struct partition *p, struct record record)
{
    record.topic = str_of(plan->rules->ledger_topic);
    record.partition = p->number;
    record.timestamp_ms = p->now_ms;
    *add_write(plan) = record;
}

/* Texts of entry may be borrowed from the entry that it replaces. */
static void put_entry(struct plan *plan, struct partition *p, const struct ledger_entry *entry)
{
    write_ledger(plan, p, ledger_record_entry(entry, plan->arena));
    ledger_put(p->ledger, entry);
    plan->counters.states[entry->state]++;
}

static void forget_entry(struct plan *plan, struct partition *p, struct str id)
{
    write_ledger(plan, p, (struct record){.key = arena_str(plan->arena, id)});
    ledger_remove(p->ledger, id);
}

/* A record of attent.outcomes: what became of a task that dispatch could not send. */
static void write_outcome(struct plan *plan, const struct partition *p, const struct task *task,
                          const char *code)
{
    const struct outcome outcome = {.task = task->id,
                                    .moment = task->moment,
                                    .about = task->about,
                                    .channel = task->channel,
                                    .code = str_of(code),
                                    .attempt = task->attempt,
                                    .final = true};
    const struct event event = {.id = arena_format(plan->arena, "%.*s-%s", STR_ARG(task->id), code),
                                .source = EVENT_SOURCE,
                                .type = STR(OUTCOME_EVENT_TYPE),
                                .subject = task->customer,
                                .partition_key = task->customer,
                                .traceparent = task->traceparent,
                                .time_ms = p->now_ms};
    struct record *out = add_write(plan);
    struct header *headers;
    struct buf json = {0};

    outcome_put_json(&json, &outcome);
    *out = (struct record){.topic = str_of(plan->rules->outcomes_topic),
                           .partition = -1,
                           .timestamp_ms = p->now_ms,
                           .key = arena_str(plan->arena, task->customer),
                           .value = arena_str(plan->arena, buf_str(&json))};
    out->header_count = event_headers(&event, plan->arena, &headers);
    out->headers = headers;
    buf_free(&json);
}

/* why: for the log; empty: counted only. */
static void drop(struct plan *plan, const struct partition *p, const struct record *record,
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

/* Beyond this an entry is of no use: nobody withdraws a task that is over. */
static int64_t keep_until(const struct plan *plan, const struct partition *p, int64_t deadline_ms)
{
    return (deadline_ms > p->now_ms ? deadline_ms : p->now_ms) + plan->rules->keep_ms;
}

static void enter(struct plan *plan, struct partition *p, const struct task *task,
                  enum ledger_state state, const char *reason)
{
    const struct ledger_entry entry = {.id = task->id,
                                       .state = state,
                                       .at_ms = p->now_ms,
                                       .due_ms = keep_until(plan, p, task->deadline_ms),
                                       .moment = task->moment,
                                       .channel = task->channel,
                                       .queue = task->queue,
                                       .reason = str_of(reason)};

    put_entry(plan, p, &entry);
    add_note(plan, METRIC_DISPATCH_TASKS, task->channel, ledger_state_code(state));
}

/* FAILED or EXPIRED: decide learns it as an outcome.  why: for the log. */
static void give_up(struct plan *plan, struct partition *p, const struct task *task,
                    enum ledger_state state, const char *reason, const char *why)
{
    struct plan_note *note;

    enter(plan, p, task, state, reason);
    write_outcome(plan, p, task, ledger_state_code(state));
    note = &plan->notes[plan->note_count - 1];
    note->log = state == LEDGER_FAILED ? "a task failed" : "a task expired before it was sent";
    note->id = arena_str(plan->arena, task->id);
    note->why = arena_str(plan->arena, str_of(why));
}

static void wait_until(struct plan *plan, struct partition *p, const struct task *task,
                       struct str json, int64_t due_ms, const char *reason)
{
    const struct ledger_entry entry = {.id = task->id,
                                       .state = LEDGER_PENDING,
                                       .at_ms = p->now_ms,
                                       .due_ms = due_ms,
                                       .moment = task->moment,
                                       .channel = task->channel,
                                       .queue = task->queue,
                                       .reason = str_of(reason),
                                       .task = json};

    if (ledger_pending(p->ledger) >= LIMIT_DISPATCH_PENDING) {
        give_up(plan, p, task, LEDGER_FAILED, "too_many_waiting",
                "too many tasks of this partition wait already");
        return;
    }
    put_entry(plan, p, &entry);
    add_note(plan, METRIC_DISPATCH_TASKS, task->channel, ledger_state_code(LEDGER_PENDING));
}

/* --- sending --------------------------------------------------------------------------------- */

/* When the task may go out, at the earliest; INT64_MAX: never any more. */
static int64_t opens_ms(const struct task *task, int64_t now_ms)
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
                      struct str json, const struct connector_class *class,
                      struct connector *connector)
{
    struct record record;
    struct err err = {0};

    switch (class->task_record(connector, task, plan->arena, &record, &err)) {
    case DELIVERY_ACCEPTED: break;
    case DELIVERY_REFUSED: give_up(plan, p, task, LEDGER_FAILED, "refused", err.text); return;
    case DELIVERY_RETRY:
    case DELIVERY_UNKNOWN:
    case DELIVERY_DOWN: /* no record, so surely nothing was sent */
        wait_until(plan, p, task, json, p->now_ms + plan->rules->retry_ms, "channel_down");
        return;
    }
    if (!plan->rules->topic_is_there(plan->rules->context, record.topic)) {
        wait_until(plan, p, task, json, p->now_ms + plan->rules->retry_ms, "no_topic");
        return;
    }
    record.timestamp_ms = p->now_ms;
    *add_write(plan) = record;
    enter(plan, p, task, LEDGER_SENT, "");
}

static void send_task(struct plan *plan, struct partition *p, const struct task *task,
                      struct str json)
{
    int64_t may_go_ms = opens_ms(task, p->now_ms);
    const struct connector_class *class;
    struct connector *connector;

    if (p->now_ms >= task->deadline_ms)
        give_up(plan, p, task, LEDGER_EXPIRED, "deadline", "its deadline is over");
    else if (may_go_ms >= task->deadline_ms)
        give_up(plan, p, task, LEDGER_EXPIRED, "no_window",
                "no window is left before its deadline");
    else if (!channels_find(plan->rules->channels, task->channel, &class, &connector))
        give_up(plan, p, task, LEDGER_FAILED, "unknown_channel",
                "the configuration has no such channel");
    else if (may_go_ms > p->now_ms)
        wait_until(plan, p, task, json, may_go_ms, "window");
    else
        hand_over(plan, p, task, json, class, connector);
}

/* --- withdrawing ----------------------------------------------------------------------------- */

/* A withdrawal whose moment is gone from the rules does not say where its task went; we know.
 * Borrows from task. */
static struct withdrawal complete(const struct withdrawal *w, struct str moment, struct str channel,
                                  struct str queue)
{
    struct withdrawal whole = *w;

    if (whole.channel.len != 0)
        return whole;
    whole.moment = moment;
    whole.channel = channel;
    whole.queue = queue;
    return whole;
}

/* Never sent: its receiver hears nothing of it. */
static void keep_back(struct plan *plan, struct partition *p, const struct withdrawal *w,
                      const char *result)
{
    const struct ledger_entry entry = {.id = w->task,
                                       .state = LEDGER_WITHDRAWN,
                                       .at_ms = p->now_ms,
                                       .due_ms = keep_until(plan, p, 0),
                                       .moment = w->moment,
                                       .channel = w->channel,
                                       .queue = w->queue,
                                       .reason = w->reason};

    put_entry(plan, p, &entry);
    add_note(plan, METRIC_DISPATCH_WITHDRAWALS, w->channel, result);
}

/* Already sent: the channel takes it back. */
static void call_back(struct plan *plan, struct partition *p, const struct withdrawal *w)
{
    const struct connector_class *class;
    struct connector *connector;
    struct record record;
    struct err err = {0};
    const char *result = "impossible";

    if (channels_find(plan->rules->channels, w->channel, &class, &connector) &&
        class->withdrawal_record != NULL &&
        class->withdrawal_record(connector, w, plan->arena, &record, &err) == DELIVERY_ACCEPTED &&
        plan->rules->topic_is_there(plan->rules->context, record.topic)) {
        record.timestamp_ms = p->now_ms;
        *add_write(plan) = record;
        plan->counters.withdrawals_sent++;
        result = "sent";
    }
    keep_back(plan, p, w, result);
}

static void withdraw(struct plan *plan, struct partition *p, const struct record *record,
                     const struct withdrawal *w)
{
    const struct ledger_entry *known = ledger_find(p->ledger, w->task);
    struct withdrawal whole;

    if (known == NULL) {
        keep_back(plan, p, w, "unknown"); /* should its task ever come, it stays here */
        return;
    }
    whole = complete(w, known->moment, known->channel, known->queue);
    switch (known->state) {
    case LEDGER_PENDING: keep_back(plan, p, &whole, "kept_back"); break;
    case LEDGER_SENT: call_back(plan, p, &whole); break;
    case LEDGER_FAILED:
    case LEDGER_EXPIRED:
    case LEDGER_WITHDRAWN: drop(plan, p, record, DROP_KNOWN, ""); break;
    case LEDGER_STATE_COUNT: break;
    }
}

/* --- reading --------------------------------------------------------------------------------- */

/* Does the reader's rule take it?  If not, it is dropped. */
static bool is_next(struct plan *plan, const struct partition *p, const struct record *record)
{
    struct err err = {0};

    switch (sources_take(p->sources, record, &err)) {
    case TAKEN_PLAIN:
    case TAKEN_NEXT: return true;
    case TAKEN_REPEAT: drop(plan, p, record, DROP_REPEAT, ""); break;
    case TAKEN_GAP: drop(plan, p, record, DROP_GAP, ""); break;
    case TAKEN_OLD: drop(plan, p, record, DROP_OLD, ""); break;
    case TAKEN_JUNK: drop(plan, p, record, DROP_MALFORMED, err.text); break;
    case TAKEN_BROKEN: drop(plan, p, record, DROP_BROKEN, err.text); break;
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
    if (record->value.len > LIMIT_TASK_BYTES) {
        drop(plan, p, record, DROP_MALFORMED, "it is larger than a task may be");
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
    } else {
        drop(plan, p, record, DROP_UNKNOWN_TYPE, "");
        return false;
    }
    if (!read) /* what the parser says may quote the record: not for logs */
        drop(plan, p, record, DROP_MALFORMED, "it is not what its schema in schemas/ says");
    return read;
}

/* The withdrawal of a task behind it in the batch, NULL if there is none.  Where the log is the
 * clock each record has its own time, and what comes later is not known yet. */
static struct item *find_withdrawal(const struct plan *plan, struct item *task,
                                    const struct item *end)
{
    if (plan->rules->time_is_log)
        return NULL;
    for (struct item *item = task + 1; item < end; item++)
        if (item->kind == ITEM_WITHDRAWAL && str_equal(item->withdrawal.task, task->task.id))
            return item;
    return NULL;
}

static void do_item(struct plan *plan, struct partition *p, struct item *item,
                    const struct item *end)
{
    const struct task *task = &item->task;
    struct item *withdrawal;
    struct withdrawal whole;

    if (item->kind == ITEM_SETTLED)
        return;
    if (item->kind == ITEM_WITHDRAWAL) {
        withdraw(plan, p, item->record, &item->withdrawal);
    } else if (ledger_find(p->ledger, task->id) != NULL) {
        drop(plan, p, item->record, DROP_KNOWN, "");
    } else if ((withdrawal = find_withdrawal(plan, item, end)) != NULL) {
        whole = complete(&withdrawal->withdrawal, task->moment, task->channel, task->queue);
        keep_back(plan, p, &whole, "kept_back");
        withdrawal->kind = ITEM_SETTLED;
    } else {
        send_task(plan, p, task, item->record->value);
    }
}

static void write_taken(struct plan *plan, const struct partition *p)
{
    const struct taken_source *source;
    size_t at = 0;

    while ((source = sources_next_change(p->sources, &at)) != NULL)
        write_ledger(plan, p, ledger_record_taken(source, plan->arena));
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

/* --- what is due ----------------------------------------------------------------------------- */

static void send_again(struct plan *plan, struct partition *p, const struct ledger_entry *entry)
{
    struct task task;
    struct str json = arena_str(plan->arena, entry->task), id = arena_str(plan->arena, entry->id);

    if (task_read_json(json, plan->arena, &task, NULL) && str_equal(task.id, id)) {
        send_task(plan, p, &task, json);
        return;
    }
    log_error("dispatch", "a task of the ledger cannot be read", LOG_STR("task", id), LOG_END);
    forget_entry(plan, p, id);
}

void plan_due(struct plan *plan, struct partition *p, size_t max)
{
    const struct ledger_entry *entry;

    for (size_t i = 0; i < max && (entry = ledger_due(p->ledger, p->now_ms)) != NULL; i++) {
        p->touched = true;
        if (entry->state == LEDGER_PENDING)
            send_again(plan, p, entry);
        else
            forget_entry(plan, p, entry->id);
    }
}

/* --- life ------------------------------------------------------------------------------------ */

void plan_open(struct plan *plan, const struct plan_rules *rules)
{
    *plan = (struct plan){.rules = rules, .arena = arena_new(0)};
}

void plan_clear(struct plan *plan)
{
    arena_reset(plan->arena);
    plan->write_count = plan->note_count = 0;
    plan->counters = (struct dispatch_counters){0};
}

void plan_close(struct plan *plan)
{
    arena_free(plan->arena);
    mem_free(plan->writes);
    mem_free(plan->notes);
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
}
