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

#include "core/limit.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/mutant.h"
#include "processors/dispatch/dead_letter.h"
#include "processors/dispatch/ledger_record.h"
#include "schemas/chain.h"
#include "schemas/event.h"

#define EVENT_SOURCE STR("/attent/dispatch")

struct item { /* a record that was taken */
    enum { ITEM_TASK, ITEM_WITHDRAWAL, ITEM_PERMISSION, ITEM_STRAY, ITEM_SETTLED } kind;
    const struct record *record;
    int64_t now_ms;
    struct task task;
    struct withdrawal withdrawal;
    struct permission permission;
    struct str stray; /* id of the task that its outcome names */
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

void plan_put(struct plan *plan, struct partition *p, const struct ledger_entry *entry)
{
    const struct channel *channel = channels_find(plan->rules->channels, entry->channel);

    write_ledger(plan, p, ledger_record_entry(entry, plan->arena));
    ledger_put(p->ledger, entry);
    if (channel != NULL)
        lines_follow(p->lines, channel->index, ledger_find(p->ledger, entry->id));
    plan->counters.states[entry->state]++;
}

static void forget_entry(struct plan *plan, struct partition *p, struct str id)
{
    id = arena_str(plan->arena, id);
    write_ledger(plan, p, (struct record){.key = id});
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
    struct record *out = add_write(plan);
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
    *add_write(plan) = record;
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
                                       .customer = w->customer,
                                       .moment = w->moment,
                                       .channel = w->channel,
                                       .queue = w->queue};
    struct ledger_entry ended = plan_ended(plan, p, &entry, LEDGER_WITHDRAWN, "");

    ended.reason = w->reason;
    plan_note_withdrawal(plan, w->channel, result);
    plan_put(plan, p, &ended);
}

/* Already sent: the channel takes it back. */
static void call_back(struct plan *plan, struct partition *p, const struct withdrawal *w)
{
    const struct channel *channel = channels_find(plan->rules->channels, w->channel);
    struct record record;
    struct err err = {0};
    const char *result = "impossible";

    if (channel != NULL && channel->class->withdrawal_record != NULL &&
        channel->class->withdrawal_record(channel->connector, w, plan->arena, &record, &err) ==
            DELIVERY_ACCEPTED &&
        plan->rules->topic_is_there(plan->rules->context, record.topic)) {
        record.timestamp_ms = p->now_ms;
        *add_write(plan) = record;
        plan->counters.withdrawals_sent++;
        result = "sent";
    }
    keep_back(plan, p, w, result);
}

/* Does its channel have it, perhaps or soon? */
static bool may_be_out(const struct ledger_entry *e)
{
    return e->state == LEDGER_SENDING || e->state == LEDGER_SENT || e->state == LEDGER_UNKNOWN ||
           e->state == LEDGER_RECALLING ||
           (e->state == LEDGER_PENDING && str_is(e->reason, "in_doubt"));
}

static void withdraw(struct plan *plan, struct partition *p, const struct record *record,
                     const struct withdrawal *w)
{
    const struct ledger_entry *known = ledger_find(p->ledger, w->task);
    const struct channel *channel;
    struct withdrawal whole;

    if (known == NULL) {
        keep_back(plan, p, w, "unknown"); /* should its task ever come, it stays here */
        return;
    }
    whole = complete(w, known->moment, known->channel, known->queue);
    channel = channels_find(plan->rules->channels, known->channel);
    if (channel != NULL && channel->class->deliver != NULL && may_be_out(known)) {
        plan_recall(plan, p, known, &whole);
        return;
    }
    switch (known->state) {
    case LEDGER_PENDING: keep_back(plan, p, &whole, "kept_back"); break;
    case LEDGER_SENDING: /* by a channel that is not configured any more */
    case LEDGER_UNKNOWN:
    case LEDGER_RECALLING:
    case LEDGER_SENT: call_back(plan, p, &whole); break;
    case LEDGER_FAILED:
    case LEDGER_EXPIRED:
    case LEDGER_WITHDRAWN: drop(plan, p, record, DROP_KNOWN, ""); break;
    case LEDGER_STATE_COUNT: break;
    }
}

/* --- permissions ----------------------------------------------------------------------------- */

static bool forbids(const struct permission *permission, const struct task *task)
{
    return permission->erased ||
           (!task->needs_no_consent &&
            (permission->purpose.len == 0 || str_equal(permission->purpose, task->purpose)) &&
            (permission->channel.len == 0 || str_equal(permission->channel, task->channel)));
}

/* Not sent, because the customer does not want it: decide may know another way.  Of a customer who
 * was erased nobody wants to hear. */
static void forbid(struct plan *plan, struct partition *p, const struct permission *permission,
                   const struct task *task)
{
    const struct withdrawal w = {.task = task->id,
                                 .customer = permission->erased ? STR_EMPTY : task->customer,
                                 .moment = task->moment,
                                 .channel = task->channel,
                                 .queue = task->queue,
                                 .reason = permission->because};

    if (!permission->erased)
        plan_outcome(plan, p, task, "not_allowed", "", true);
    keep_back(plan, p, &w, "forbidden");
}

/* One that is under way, or in doubt, is not tried again.  Of a customer who was erased the entry does
 * not say whose it is, so nobody hears how it ends (plan_send.c). */
static void forbid_further(struct plan *plan, struct partition *p,
                           const struct permission *permission, const struct ledger_entry *entry)
{
    const struct withdrawal w = {.task = arena_str(plan->arena, entry->id),
                                 .customer = entry->customer,
                                 .moment = entry->moment,
                                 .channel = entry->channel,
                                 .queue = entry->queue,
                                 .reason = permission->because,
                                 .created_ms = permission->created_ms};

    struct ledger_entry kept = *entry;

    if (permission->erased)
        kept.customer = STR_EMPTY;
    plan_recall(plan, p, &kept, &w);
}

static void note_erased(struct plan *plan, struct str customer)
{
    MEM_RESERVE(plan->erased, plan->erased_count, plan->erased_capacity);
    plan->erased[plan->erased_count++] = arena_str(plan->arena, customer);
}

/* Tasks of this customer that have not gone: the permission counts for what was decided before.  Of a
 * customer who was erased, what is over leaves the ledger. */
static void take_permission(struct plan *plan, struct partition *p,
                            const struct permission *permission)
{
    size_t count = ledger_count(p->ledger), found = 0;
    struct str *ids = ARENA_ARRAY(plan->arena, struct str, count + 1);

    for (size_t i = 0; i < count; i++) {
        const struct ledger_entry *e = ledger_at(p->ledger, i);
        if ((permission->erased || !ledger_is_over(e)) &&
            str_equal(e->customer, permission->customer))
            ids[found++] = arena_str(plan->arena, e->id);
    }
    for (size_t i = 0; i < found; i++) {
        const struct ledger_entry *e = ledger_find(p->ledger, ids[i]);
        struct task task;
        if (ledger_is_over(e)) {
            forget_entry(plan, p, e->id);
            continue;
        }
        if (!plan_task_of(plan, e, &task) || !forbids(permission, &task))
            continue;
        if (may_be_out(e))
            forbid_further(plan, p, permission, e);
        else
            forbid(plan, p, permission, &task);
    }
    if (permission->erased)
        note_erased(plan, permission->customer);
}

/* What the customer said to dispatch itself counts until decide has said it as well. */
static void note_wish(struct partition *p, const struct record *record,
                      const struct permission *permission)
{
    if (record_header(record, STR(CHAIN_FROM_HEADER)).len != 0)
        wishes_settle(p->wishes, permission);
    else
        wishes_add(p->wishes, permission, p->now_ms);
}

/* The one that forbids a task which was decided a moment ago; NULL: none. */
static const struct permission *find_wish(struct partition *p, const struct task *task)
{
    size_t count = wishes_count(p->wishes, p->now_ms);

    for (size_t i = 0; i < count; i++) {
        const struct permission *wish = wishes_at(p->wishes, i);
        if (str_equal(wish->customer, task->customer) && forbids(wish, task))
            return wish;
    }
    return NULL;
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
        drop(plan, p, item->record, DROP_LATE, "");
        return;
    }
    drop(plan, p, item->record, DROP_STRAY, "");
    if (letter.topic != NULL)
        *add_write(plan) = dead_letter_record(&letter, plan->arena);
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
    } else if (str_is(type, PERMISSION_CE_TYPE)) {
        out->kind = ITEM_PERMISSION;
        read = permission_read_json(record->value, plan->arena, &out->permission, NULL);
    } else if (str_is(type, STRAY_CE_TYPE)) {
        out->kind = ITEM_STRAY;
        read = read_stray(record->value, plan->arena, &out->stray);
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
            forbids(&item->permission, &task->task))
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
        withdraw(plan, p, item->record, &item->withdrawal);
    } else if (item->kind == ITEM_PERMISSION) {
        take_permission(plan, p, &item->permission);
        note_wish(p, item->record, &item->permission);
    } else if (item->kind == ITEM_STRAY) {
        take_stray(plan, p, item);
    } else if (ledger_find(p->ledger, task->id) != NULL) {
        drop(plan, p, item->record, DROP_KNOWN, "");
    } else if ((withdrawal = find_withdrawal(plan, item, end)) != NULL) {
        whole = complete(&withdrawal->withdrawal, task->moment, task->channel, task->queue);
        keep_back(plan, p, &whole, "kept_back");
        withdrawal->kind = ITEM_SETTLED;
    } else if ((permission = find_permission(plan, item, end)) != NULL ||
               (permission = find_wish(p, task)) != NULL) {
        forbid(plan, p, permission, task);
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

    if (plan_task_of(plan, entry, &task)) {
        send_task(plan, p, &task, entry);
        return;
    }
    log_error("dispatch", "a task of the ledger cannot be read", LOG_STR("task", entry->id),
              LOG_END);
    forget_entry(plan, p, entry->id);
}

void plan_due(struct plan *plan, struct partition *p, size_t max)
{
    const struct ledger_entry *entry;

    for (size_t i = 0; i < max && (entry = ledger_due(p->ledger, p->now_ms)) != NULL; i++) {
        p->touched = true;
        if (ledger_is_over(entry))
            forget_entry(plan, p, entry->id);
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
