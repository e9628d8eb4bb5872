/* What keeps a task back, or takes it back: withdrawals, and what the customer permits. */
#include "processors/dispatch/plan_parts.h"

#include "core/mem.h"
#include "schemas/chain.h"

struct withdrawal plan_complete(const struct withdrawal *w, struct str moment, struct str channel,
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

void plan_keep_back(struct plan *plan, struct partition *p, const struct withdrawal *w,
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
        *plan_add_write(plan) = record;
        plan->counters.withdrawals_sent++;
        result = "sent";
    }
    plan_keep_back(plan, p, w, result);
}

/* Does its channel have it, perhaps or soon? */
static bool may_be_out(const struct ledger_entry *e)
{
    return e->state == LEDGER_SENDING || e->state == LEDGER_SENT || e->state == LEDGER_UNKNOWN ||
           e->state == LEDGER_RECALLING ||
           (e->state == LEDGER_PENDING && str_is(e->reason, "in_doubt"));
}

void plan_withdraw(struct plan *plan, struct partition *p, const struct record *record,
                   const struct withdrawal *w)
{
    const struct ledger_entry *known = ledger_find(p->ledger, w->task);
    const struct channel *channel;
    struct withdrawal whole;

    if (known == NULL) {
        plan_keep_back(plan, p, w, "unknown"); /* should its task ever come, it stays here */
        return;
    }
    whole = plan_complete(w, known->moment, known->channel, known->queue);
    channel = channels_find(plan->rules->channels, known->channel);
    if (channel != NULL && channel->class->deliver != NULL && may_be_out(known)) {
        plan_recall(plan, p, known, &whole);
        return;
    }
    switch (known->state) {
    case LEDGER_PENDING: plan_keep_back(plan, p, &whole, "kept_back"); break;
    case LEDGER_SENDING: /* by a channel that is not configured any more */
    case LEDGER_UNKNOWN:
    case LEDGER_RECALLING:
    case LEDGER_SENT: call_back(plan, p, &whole); break;
    case LEDGER_FAILED:
    case LEDGER_EXPIRED:
    case LEDGER_WITHDRAWN: plan_drop(plan, p, record, DROP_KNOWN, ""); break;
    case LEDGER_STATE_COUNT: break;
    }
}

/* --- permissions ----------------------------------------------------------------------------- */

bool plan_forbids(const struct permission *permission, const struct task *task)
{
    return permission->erased ||
           (!task->needs_no_consent &&
            (permission->purpose.len == 0 || str_equal(permission->purpose, task->purpose)) &&
            (permission->channel.len == 0 || str_equal(permission->channel, task->channel)));
}

void plan_forbid(struct plan *plan, struct partition *p, const struct permission *permission,
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
    plan_keep_back(plan, p, &w, "forbidden");
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

void plan_take_permission(struct plan *plan, struct partition *p,
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
            plan_forget(plan, p, e->id);
            continue;
        }
        if (!plan_task_of(plan, e, &task) || !plan_forbids(permission, &task))
            continue;
        if (may_be_out(e))
            forbid_further(plan, p, permission, e);
        else
            plan_forbid(plan, p, permission, &task);
    }
    if (permission->erased)
        note_erased(plan, permission->customer);
}

void plan_note_wish(struct partition *p, const struct record *record,
                    const struct permission *permission)
{
    if (record_header(record, STR(CHAIN_FROM_HEADER)).len != 0)
        wishes_settle(p->wishes, permission);
    else
        wishes_add(p->wishes, permission, p->now_ms);
}

const struct permission *plan_find_wish(struct partition *p, const struct task *task)
{
    size_t count = wishes_count(p->wishes, p->now_ms);

    for (size_t i = 0; i < count; i++) {
        const struct permission *wish = wishes_at(p->wishes, i);
        if (str_equal(wish->customer, task->customer) && plan_forbids(wish, task))
            return wish;
    }
    return NULL;
}
