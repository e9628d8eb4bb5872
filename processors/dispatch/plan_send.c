/* The way of a task through a channel that delivers:
 *
 *     PENDING, in line --[its turn, and the gate is open]--> SENDING, committed; then the call
 *
 *     the call says     ACCEPTED ............ SENT
 *                       RETRY, DOWN ......... PENDING, in line after a pause; no attempt left: FAILED
 *                       REFUSED ............. FAILED
 *                       UNKNOWN, or a crash:
 *                           may come twice .. PENDING, in line after a pause; none left: UNKNOWN
 *                           can be asked .... UNKNOWN, in line to be asked
 *                           else ............ UNKNOWN, and an outcome that says so
 *
 * Three who may get a task twice: a class that is idempotent, a task that would rather be sent twice
 * than not at all (at_least_once), and nobody else.
 *
 * A withdrawal that comes while a call is under way waits in the entry for its end.
 */
#include "processors/dispatch/plan_parts.h"

#include "core/check.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/mutant.h"

#define IN_DOUBT "in_doubt"

struct send { /* what every step here needs */
    struct plan *plan;
    struct partition *p;
    const struct channel *channel;
    struct ledger_entry entry; /* as it is; texts in the ledger */
    struct task task;
};

/* False: its task cannot be read, or its channel is gone. */
static bool begin_with(struct plan *plan, struct partition *p, const struct ledger_entry *entry,
                       struct send *out)
{
    *out = (struct send){.plan = plan,
                         .p = p,
                         .channel = channels_find(plan->rules->channels, entry->channel),
                         .entry = *entry};
    return out->channel != NULL && out->channel->class->deliver != NULL &&
           plan_task_of(plan, entry, &out->task);
}

static bool may_come_twice(const struct send *s)
{
    return s->channel->class->guarantee == GUARANTEE_IDEMPOTENT || s->task.at_least_once ||
           MUTANT(DOUBT_SENT_AGAIN);
}

static bool may_be_recalled(const struct send *s)
{
    const struct connector_class *class = s->channel->class;

    return class->withdraw != NULL && (class->recallable == NULL || class->recallable(&s->task));
}

static bool was_in_doubt(const struct send *s)
{
    return str_is(s->entry.reason, IN_DOUBT);
}

static void put(struct send *s, const char *log, const char *why)
{
    s->entry.at_ms = s->p->now_ms;
    plan_note_state(s->plan, &s->entry, log, why);
    plan_put(s->plan, s->p, &s->entry);
}

/* Later again, for calls that may be made as often as one likes. */
static int64_t pause_ms(const struct send *s)
{
    return s->plan->real_ms + s->channel->options.breaker_pause_ms;
}

/* Of a customer who was erased meanwhile nobody wants to hear. */
static void tell(const struct send *s, const char *code, const char *reason, bool final)
{
    if (s->entry.customer.len != 0)
        plan_outcome(s->plan, s->p, &s->task, code, reason, final);
}

/* --- ends ------------------------------------------------------------------------------------- */

static void end(struct send *s, enum ledger_state state, const char *reason, const char *log,
                const char *why)
{
    struct str task = s->entry.task;
    bool recallable = may_be_recalled(s) && (state == LEDGER_SENT || state == LEDGER_UNKNOWN);

    s->entry = plan_ended(s->plan, s->p, &s->entry, state, reason);
    if (recallable)
        s->entry.task = task;
    put(s, log, why);
}

static void end_withdrawn(struct send *s, const char *result)
{
    struct withdrawal w = {0};

    if (s->entry.withdrawal.len != 0)
        withdrawal_read_json(s->entry.withdrawal, s->plan->arena, &w, NULL);
    plan_note_withdrawal(s->plan, s->entry.channel, result);
    s->entry = plan_ended(s->plan, s->p, &s->entry, LEDGER_WITHDRAWN, "");
    s->entry.reason = w.reason;
    plan_put(s->plan, s->p, &s->entry);
}

static void fail(struct send *s, const char *reason, const char *why)
{
    tell(s, "failed", reason, true);
    end(s, LEDGER_FAILED, reason, "a task failed", why);
}

/* Perhaps it was sent, and nobody can tell: it stays so, and decide may go on when its time is over. */
static void leave_in_doubt(struct send *s, const char *why)
{
    tell(s, "unknown", "", false);
    end(s, LEDGER_UNKNOWN, IN_DOUBT,
        "a task was perhaps sent, and its channel may not get it twice", why);
}

/* In line to be taken back, or not, where the channel cannot do that. */
static void recall(struct send *s)
{
    if (!may_be_recalled(s)) {
        end_withdrawn(s, "impossible");
        return;
    }
    s->entry.state = LEDGER_RECALLING;
    s->entry.next_ms = s->plan->real_ms;
    s->entry.reason = STR_EMPTY;
    put(s, NULL, "");
}

/* --- what a call said ------------------------------------------------------------------------- */

static void sent(struct send *s, const struct job *job)
{
    s->entry.reference = arena_str(s->plan->arena, str_of(job->receipt.reference));
    if (!str_is_utf8(s->entry.reference))
        s->entry.reference = STR_EMPTY;
    tell(s, "sent", "", false);
    if (s->entry.withdrawal.len != 0)
        recall(s);
    else
        end(s, LEDGER_SENT, "", NULL, "");
}

/* Not, or perhaps not sent, and it may be tried again. */
static void again(struct send *s, bool in_doubt, int64_t wish_ms, const char *why)
{
    in_doubt |= was_in_doubt(s);
    if (s->entry.withdrawal.len != 0) {
        if (in_doubt)
            recall(s);
        else
            end_withdrawn(s, "kept_back");
        return;
    }
    if (gate_next_ms(&s->channel->options, s->entry.attempt, wish_ms, s->plan->real_ms,
                     s->plan->rules->rng, &s->entry.next_ms)) {
        s->entry.state = LEDGER_PENDING;
        s->entry.reason = in_doubt ? STR(IN_DOUBT) : STR("retry");
        put(s, NULL, "");
    } else if (in_doubt) {
        leave_in_doubt(s, why);
    } else {
        fail(s, "no_attempt_left", why);
    }
}

static void doubt(struct send *s, const char *why)
{
    if (may_come_twice(s)) {
        again(s, true, 0, why);
    } else if (s->channel->class->ask != NULL) {
        s->entry.state = LEDGER_UNKNOWN;
        s->entry.reason = STR("asking");
        s->entry.next_ms = s->plan->real_ms;
        put(s, NULL, "");
    } else if (s->entry.withdrawal.len != 0 && may_be_recalled(s)) {
        recall(s);
    } else {
        leave_in_doubt(s, why);
    }
}

static void refused(struct send *s, const struct job *job)
{
    if (job->receipt.opted_out && s->entry.customer.len != 0)
        plan_opted_out(s->plan, s->p, &s->task);
    if (s->entry.withdrawal.len != 0)
        end_withdrawn(s, "kept_back");
    else
        fail(s,
             job->receipt.opted_out      ? "opted_out"
             : job->receipt.gone         ? "gone"
             : job->receipt.address_dead ? "address_dead"
                                         : "refused",
             job->err.text);
}

static void delivered(struct send *s, const struct job *job)
{
    switch (job->result) {
    case DELIVERY_ACCEPTED: sent(s, job); break;
    case DELIVERY_RETRY:
    case DELIVERY_DOWN: again(s, false, job->receipt.retry_after_ms, job->err.text); break;
    case DELIVERY_UNKNOWN: doubt(s, job->err.text); break;
    case DELIVERY_REFUSED: refused(s, job); break;
    }
}

static void asked(struct send *s, const struct job *job)
{
    switch (job->result) {
    case DELIVERY_ACCEPTED: sent(s, job); break;
    case DELIVERY_RETRY:
        s->entry.reason = STR_EMPTY; /* no doubt any more */
        again(s, false, 0, job->err.text);
        break;
    case DELIVERY_REFUSED: refused(s, job); break;
    case DELIVERY_UNKNOWN: leave_in_doubt(s, job->err.text); break;
    case DELIVERY_DOWN:
        s->entry.next_ms = pause_ms(s);
        put(s, NULL, "");
        break;
    }
}

static void taken_back(struct send *s, const struct job *job)
{
    switch (job->result) {
    case DELIVERY_ACCEPTED:
        s->plan->counters.withdrawals_sent++;
        end_withdrawn(s, "sent");
        break;
    case DELIVERY_REFUSED: end_withdrawn(s, "too_late"); break;
    case DELIVERY_RETRY:
    case DELIVERY_UNKNOWN:
    case DELIVERY_DOWN:
        s->entry.next_ms = pause_ms(s);
        put(s, NULL, "");
        break;
    }
}

void plan_result(struct plan *plan, struct partition *p, const struct job *job)
{
    const struct ledger_entry *entry = ledger_find(p->ledger, str_of(job->id));
    struct send s;

    if (entry == NULL)
        return;
    plan_watch(plan, p, entry->id);
    if (!begin_with(plan, p, entry, &s))
        return;
    lines_set_busy(p->lines, s.entry.id, s.entry.state == LEDGER_SENDING);
    p->touched = true;
    if (job->kind == JOB_DELIVER && s.entry.state == LEDGER_SENDING &&
        s.entry.attempt == job->attempt)
        delivered(&s, job);
    else if (job->kind == JOB_ASK && s.entry.state == LEDGER_UNKNOWN && s.entry.next_ms != 0)
        asked(&s, job);
    else if (job->kind == JOB_WITHDRAW && s.entry.state == LEDGER_RECALLING)
        taken_back(&s, job);
}

/* --- withdrawals, deadlines, take-overs --------------------------------------------------------- */

void plan_recall(struct plan *plan, struct partition *p, const struct ledger_entry *entry,
                 const struct withdrawal *withdrawal)
{
    struct buf json = {0};
    struct send s;
    bool readable = begin_with(plan, p, entry, &s);

    withdrawal_put_json(&json, withdrawal);
    s.entry.withdrawal = arena_str(plan->arena, buf_str(&json));
    buf_free(&json);
    if (!readable)
        end_withdrawn(&s, "impossible"); /* its task was let go: it cannot be taken back */
    else if (s.entry.state == LEDGER_SENDING ||
             (s.entry.state == LEDGER_UNKNOWN && s.entry.next_ms != 0))
        put(&s, NULL, "");
    else if (s.entry.state != LEDGER_RECALLING)
        recall(&s);
}

void plan_late(struct plan *plan, struct partition *p, const struct ledger_entry *entry)
{
    struct send s;
    bool readable = begin_with(plan, p, entry, &s);

    if (s.entry.state == LEDGER_SENDING && readable) { /* its call ends soon: look then */
        s.entry.due_ms = p->now_ms + s.channel->options.timeout_ms;
        ledger_put(p->ledger, &s.entry);
    } else if (s.entry.state == LEDGER_RECALLING || !readable) {
        end_withdrawn(&s, "too_late");
    } else if (s.entry.state == LEDGER_UNKNOWN || was_in_doubt(&s)) {
        leave_in_doubt(&s, "its deadline is over");
    } else {
        tell(&s, "expired", "deadline", true);
        end(&s, LEDGER_EXPIRED, "deadline", "a task expired before it was sent",
            "its deadline is over");
    }
}

/* When an attempt that another process announced is over, by the world's clock: it begins within
 * PLAN_BEGIN_WITHIN_MS and takes no longer than its time-out.
 *
 * What is asked about must not begin behind the answer: that is counted from when we saw it announced,
 * which needs no clock but ours.  For the others the order of their line is at stake, and the clock of
 * who announced them will do.  What is sent again anyway waits for no end. */
static int64_t over_ms(const struct send *s)
{
    bool again = may_come_twice(s), asked = !again && s->channel->class->ask != NULL;
    int64_t since_ms = s->p->taken_ms;

    if (MUTANT(ADOPTED_AT_ONCE))
        return 0;
    if (!asked && !s->plan->rules->time_is_log && s->entry.at_ms < since_ms)
        since_ms = s->entry.at_ms;
    return since_ms + PLAN_BEGIN_WITHIN_MS + (again ? 0 : s->channel->options.timeout_ms) +
           1; /* clocks are cut to milliseconds */
}

/* Its last owner died, or went before the call had ended; not yet if it may still be under way. */
static void adopt(struct plan *plan, struct partition *p, const struct ledger_entry *entry)
{
    struct send s;

    if (!begin_with(plan, p, entry, &s)) {
        s.entry = plan_ended(plan, p, &s.entry, LEDGER_UNKNOWN, IN_DOUBT);
        plan_put(plan, p, &s.entry);
    } else if (over_ms(&s) <= plan->real_ms) {
        plan->counters.adopted++;
        doubt(&s, "its sender went before it had ended");
    } else {
        p->adopt_ms = over_ms(&s) < p->adopt_ms ? over_ms(&s) : p->adopt_ms;
        return;
    }
    p->touched = true;
}

/* In line for a channel that is not configured any more, or does not deliver. */
static bool is_stranded(const struct plan *plan, const struct ledger_entry *e)
{
    const struct channel *channel = channels_find(plan->rules->channels, e->channel);

    return e->next_ms != 0 && (channel == NULL || channel->class->deliver == NULL);
}

static void strand(struct plan *plan, struct partition *p, const struct ledger_entry *entry)
{
    struct ledger_entry e = *entry;
    struct task task;

    if (e.state == LEDGER_PENDING && plan_task_of(plan, entry, &task)) {
        plan_outcome(plan, p, &task, "failed", "unknown_channel", true);
        e = plan_ended(plan, p, &e, LEDGER_FAILED, "unknown_channel");
    } else {
        e = plan_ended(plan, p, &e, LEDGER_UNKNOWN, IN_DOUBT);
    }
    plan_note_state(plan, &e, "a task of a channel that is not configured any more", "");
    plan_put(plan, p, &e);
    p->touched = true;
}

void plan_adopt(struct plan *plan, struct partition *p,
                bool (*is_under_way)(void *context, struct str id), void *context)
{
    size_t count = ledger_count(p->ledger), found = 0;
    struct str *ids = ARENA_ARRAY(plan->arena, struct str, count + 1);

    for (size_t i = 0; i < count; i++) {
        const struct ledger_entry *e = ledger_at(p->ledger, i);
        if ((e->state == LEDGER_SENDING && !is_under_way(context, e->id) &&
             !MUTANT(NOBODY_ADOPTS)) ||
            is_stranded(plan, e))
            ids[found++] = arena_str(plan->arena, e->id);
    }
    p->adopt_ms = INT64_MAX;
    if (p->taken_ms == 0)
        p->taken_ms = plan->real_ms;
    for (size_t i = 0; i < found; i++) {
        const struct ledger_entry *e = ledger_find(p->ledger, ids[i]);
        plan_watch(plan, p, ids[i]);
        if (e->state == LEDGER_SENDING)
            adopt(plan, p, e);
        else
            strand(plan, p, e);
    }
}

void plan_line_up(const struct plan *plan, struct partition *p,
                  bool (*is_under_way)(void *context, struct str id), void *context)
{
    lines_clear(p->lines);
    for (size_t i = 0; i < ledger_count(p->ledger); i++) {
        const struct ledger_entry *e = ledger_at(p->ledger, i);
        const struct channel *channel = channels_find(plan->rules->channels, e->channel);
        if (channel == NULL || channel->class->deliver == NULL)
            continue;
        lines_follow(p->lines, channel->index, e);
        if (is_under_way(context, e->id))
            lines_set_busy(p->lines, e->id, true);
    }
}

/* --- turns ------------------------------------------------------------------------------------- */

static char *copy(struct str text, size_t *bytes)
{
    *bytes = text.len;
    return text.len != 0 ? mem_copy_text(text.data, text.len) : NULL;
}

static void add_job(struct send *s, enum job_kind kind)
{
    struct job *job = MEM_NEW(struct job);
    size_t bytes;

    job->kind = kind;
    job->partition = s->p->number;
    job->attempt = s->entry.attempt;
    job->channel = s->channel->index;
    job->now_ms = s->plan->real_ms;
    job->begin_by_mono_ms = s->plan->mono_ms + PLAN_BEGIN_WITHIN_MS;
    memcpy(job->id, s->entry.id.data, s->entry.id.len);
    if (s->entry.reference.len < sizeof job->reference && s->entry.reference.len != 0)
        memcpy(job->reference, s->entry.reference.data, s->entry.reference.len);
    job->task = copy(s->entry.task, &job->task_bytes);
    job->withdrawal = copy(s->entry.withdrawal, &job->withdrawal_bytes);
    job->address = s->task.address.len != 0 ? copy(s->task.address, &bytes) : mem_copy_text("", 0);
    gate_begin(s->channel->gate, s->task.address, s->plan->real_ms);
    *s->plan->last_job = job;
    s->plan->last_job = &job->next;
}

static void start(struct send *s)
{
    switch (s->entry.state) {
    case LEDGER_PENDING:
        s->entry.state = LEDGER_SENDING;
        s->entry.attempt++;
        s->entry.next_ms = 0;
        put(s, NULL, "");
        s->p->touched = true;
        add_job(s, JOB_DELIVER);
        if (MUTANT(SENT_BEFORE_SEND))
            end(s, LEDGER_SENT, "", NULL, "");
        return;
    case LEDGER_UNKNOWN: add_job(s, JOB_ASK); break;
    case LEDGER_RECALLING: add_job(s, JOB_WITHDRAW); break;
    case LEDGER_SENDING:
    case LEDGER_SENT:
    case LEDGER_FAILED:
    case LEDGER_EXPIRED:
    case LEDGER_WITHDRAWN:
    case LEDGER_STATE_COUNT: CHECK_NEVER("a task in line that waits for nothing");
    }
    lines_set_busy(s->p->lines, s->entry.id, true);
}

/* Its window has closed while it stood in line: it comes back when the next one opens. */
static bool put_off(struct send *s)
{
    int64_t opens_ms = plan_opens_ms(&s->task, s->p->now_ms);

    if (s->entry.state != LEDGER_PENDING || opens_ms <= s->p->now_ms)
        return false;
    s->p->touched = true;
    if (opens_ms >= s->task.deadline_ms && !was_in_doubt(s)) {
        tell(s, "expired", "no_window", true);
        end(s, LEDGER_EXPIRED, "no_window", NULL, "");
    } else if (opens_ms >= s->task.deadline_ms) {
        leave_in_doubt(s, "no window is left before its deadline");
    } else {
        s->entry.next_ms = 0;
        s->entry.due_ms = opens_ms;
        put(s, NULL, "");
    }
    return true;
}

static void give_up_gone(struct send *s)
{
    static const char why[] = "its receiver wants nothing more";

    if (s->entry.state == LEDGER_RECALLING)
        end_withdrawn(s, "too_late");
    else if (s->entry.state == LEDGER_UNKNOWN || was_in_doubt(s))
        leave_in_doubt(s, why);
    else
        fail(s, "gone", why);
}

/* One task of a channel.  False: the channel can take no more now. */
static bool take_turn(struct plan *plan, struct partition *p, const struct channel *channel,
                      struct str id)
{
    int64_t until_ms = 0;
    struct send s;

    plan_watch(plan, p, id);
    if (!begin_with(plan, p, ledger_find(p->ledger, id), &s)) {
        p->touched = true;
        end_withdrawn(&s, "impossible"); /* what the ledger holds of it is not a task */
        return true;
    }
    if (put_off(&s))
        return true;
    switch (gate_ask(channel->gate, s.task.address, plan->real_ms, &until_ms)) {
    case GATE_OPEN: start(&s); return true;
    case GATE_FULL:
    case GATE_LATER: return false;
    case GATE_ADDRESS: lines_put_off(p->lines, s.entry.id, until_ms); return true;
    case GATE_GONE:
        p->touched = true;
        give_up_gone(&s);
        return true;
    }
    CHECK_NEVER("a gate of no kind");
}

/* The partition whose first in line for a channel has waited longest; NULL: none may go yet. */
static struct partition *first_of(struct partition *const *partitions, size_t count, size_t channel,
                                  int64_t now_ms)
{
    struct partition *first = NULL;

    for (size_t i = 0; i < count; i++) {
        int64_t due_ms = lines_due_ms(partitions[i]->lines, channel);
        if (due_ms <= now_ms && (first == NULL || due_ms < lines_due_ms(first->lines, channel)))
            first = partitions[i];
    }
    return first;
}

void plan_turns(struct plan *plan, struct partition *const *partitions, size_t count)
{
    for (size_t i = 0; i < channels_count(plan->rules->channels); i++) {
        const struct channel *channel = channels_at(plan->rules->channels, i);
        struct partition *p;
        do
            p = first_of(partitions, count, i, plan->real_ms);
        while (p != NULL && take_turn(plan, p, channel, lines_next(p->lines, i, plan->real_ms)));
    }
}

int64_t plan_turn_ms(const struct plan *plan, const struct partition *p)
{
    int64_t first_ms = INT64_MAX;

    for (size_t i = 0; i < channels_count(plan->rules->channels); i++) {
        const struct channel *channel = channels_at(plan->rules->channels, i);
        int64_t due_ms = lines_due_ms(p->lines, i), until_ms = 0;
        if (due_ms == INT64_MAX)
            continue;
        switch (gate_ask(channel->gate, STR_EMPTY, plan->real_ms, &until_ms)) {
        case GATE_FULL: continue; /* when a call ends */
        case GATE_LATER: due_ms = due_ms > until_ms ? due_ms : until_ms; break;
        case GATE_OPEN:
        case GATE_ADDRESS:
        case GATE_GONE: break;
        }
        first_ms = due_ms < first_ms ? due_ms : first_ms;
    }
    return first_ms;
}
