/* The task's id is a hash of what makes it this task and of nothing that may change while it is
 * out: customer, moment, about, the event that opened the instance, number of the action.  So
 * decide keeps no id, a repeat after a crash carries the same one, and an outcome is recognised
 * by making the ids of the few tasks that are out.
 */
#include "processors/decide/chain.h"

#include "core/hash.h"
#include "core/limit.h"
#include "core/mutant.h"
#include "processors/decide/caps.h"
#include "processors/decide/consent.h"
#include "processors/decide/funnel.h"
#include "processors/decide/instances.h"
#include "processors/decide/memory.h"
#include "rules/moment/letter.h"

/* --- ids ----------------------------------------------------------------------------------------- */

/* A task that was out when its customer was merged keeps its id and the key of its records. */
static struct str owner_of(const struct turn *turn, const struct instance *in)
{
    return in->phase == PHASE_OUT && in->owner.len != 0 ? in->owner : turn->state->customer;
}

struct str chain_task_id(const struct turn *turn, const struct instance *in)
{
    struct buf name = {0};
    char hex[HASH128_HEX_SIZE];

    buf_put_bytes(&name, owner_of(turn, in));
    buf_put_u32(&name, in->moment);
    buf_put_bytes(&name, in->about);
    buf_put_u64(&name, in->opener);
    buf_put_u8(&name, in->act);
    if (MUTANT(TASK_ID_COUNTED))
        buf_put_u64(&name, turn->counts->events);
    hash128_hex(hash128_bytes(buf_str(&name), (struct hash128){0}), hex);
    buf_free(&name);
    return arena_str(turn->arena, str_of(hex));
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "00-<32 hex>-<16 hex>-<2 hex>": 25 bytes without the version and the dashes. */
static bool trace_parse(struct str text, unsigned char out[TRACE_BYTES])
{
    size_t at = 3;

    if (text.len != 55 || !str_starts(text, STR("00-")) || text.data[35] != '-' ||
        text.data[52] != '-')
        return false;
    for (size_t i = 0; i < TRACE_BYTES; i++, at += 2) {
        int high, low;

        at += at == 35 || at == 52 ? 1 : 0;
        high = hex_digit(text.data[at]);
        low = hex_digit(text.data[at + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

void chain_keep_trace(const struct turn *turn, struct instance *in)
{
    unsigned char trace[TRACE_BYTES];

    if (!trace_parse(turn->event->traceparent, trace))
        return;
    memcpy(in->trace, trace, sizeof trace);
    in->traced = true;
}

static struct str trace_text(struct arena *arena, const struct instance *in)
{
    char text[56] = "00-";
    size_t at = 3;

    if (!in->traced)
        return STR_EMPTY;
    for (size_t i = 0; i < TRACE_BYTES; i++, at += 2) {
        if (at == 35 || at == 52)
            text[at++] = '-';
        text[at] = "0123456789abcdef"[in->trace[i] >> 4];
        text[at + 1] = "0123456789abcdef"[in->trace[i] & 15];
    }
    return arena_str(arena, (struct str){text, 55});
}

/* --- the task ------------------------------------------------------------------------------------ */

/* Each text and value has its limit, but escaped and together they may be more than the topic of
 * tasks and dispatch take. */
static bool fits(struct turn *turn, const struct instance *in, struct str json)
{
    if (json.len <= LIMIT_TASK_BYTES) {
        trail_add(in->trail, turn->arena, STAGE_TEXT, true, NULL);
        return true;
    }
    trail_add(in->trail, turn->arena, STAGE_TEXT, false, "the task has %zu bytes, %d are allowed",
              json.len, LIMIT_TASK_BYTES);
    trail_need(in->trail, turn->arena, "with shorter texts");
    turn->counts->moment_errors++;
    turn->view->errors[in->moment_index]++;
    return false;
}

static bool fill_texts(struct turn *turn, const struct instance *in, struct task *task)
{
    const struct moment *moment = instance_moment(turn, in);
    struct scope scope = {.turn = turn, .instance = in, .kept = true};
    struct cel_input input = scope_input(&scope);
    struct str error = STR_EMPTY;
    struct letter letter;

    if (!letter_fill(&letter, turn->set, moment, &moment->acts[in->act], scope_language(turn),
                     &input, turn->arena, &error)) {
        trail_add(in->trail, turn->arena, STAGE_TEXT, false, "%.*s", STR_ARG(error));
        trail_need(in->trail, turn->arena,
                   "if its texts could be filled in, or had words for it: {{... | words}}");
        turn->counts->moment_errors++;
        turn->view->errors[in->moment_index]++;
        return false;
    }
    task->language = letter.language;
    task->title = letter.title;
    task->reason = letter.reason;
    task->say = letter.say;
    task->subject = letter.subject;
    task->text = letter.text;
    task->html = letter.html;
    task->sms_parts = (uint32_t)letter.sms.parts;
    task->appointment =
        (struct task_appointment){letter.start_ms, letter.end_ms, letter.meeting, letter.place};
    return true;
}

static void add_facts(struct turn *turn, const struct instance *in, struct task *task)
{
    const struct moment *moment = instance_moment(turn, in);
    struct scope scope = {.turn = turn, .instance = in, .kept = true};

    if (!policy_tells_facts(&turn->set->policy, moment->acts[in->act].channel))
        return;
    task->facts = ARENA_ARRAY(turn->arena, struct task_fact, moment->shown_count);
    for (size_t i = 0; i < moment->shown_count; i++) {
        const struct shown *shown = &moment->shown[i];
        struct value v = scope_load(&scope, shown->slot);

        if (v.kind != VALUE_ABSENT && v.kind != VALUE_ERROR)
            task->facts[task->fact_count++] = (struct task_fact){
                shown->name, shown_label(turn->set, shown, task->language), v, shown->unit};
    }
}

static struct str effect_word(enum outcome_effect effect)
{
    switch (effect) {
    case EFFECT_END: return STR("end");
    case EFFECT_NEXT: return STR("next");
    case EFFECT_WAIT: return STR("wait");
    }
    return STR_EMPTY;
}

static void add_outcomes(struct turn *turn, const struct act *act, struct task *task)
{
    task->outcomes = ARENA_ARRAY(turn->arena, struct task_outcome, act->outcome_count);
    task->outcome_count = act->outcome_count;
    for (size_t i = 0; i < act->outcome_count; i++)
        task->outcomes[i] =
            (struct task_outcome){act->outcomes[i].code, effect_word(act->outcomes[i].effect)};
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void describe(struct turn *turn, const struct instance *in, struct task *task)
{
    const struct moment *moment = instance_moment(turn, in);
    const struct act *act = &moment->acts[in->act];

    task->id = chain_task_id(turn, in);
    task->moment = moment->name;
    task->version = str_of(moment->version);
    task->rule_set = str_of(turn->set->hash_hex);
    task->customer = turn->state->customer;
    task->about = in->about;
    task->tier = turn->set->policy.tiers[moment->tier].name;
    task->purpose = moment->purpose;
    task->channel = act->channel;
    task->queue = act->queue;
    task->address = consent_address(turn, act);
    task->created_ms = turn->now_ms;
    task->deadline_ms = turn->now_ms + earlier(moment->deadline_ms, act->wait_ms);
    task->attempt = in->act + 1U;
    task->needs_no_consent =
        turn->set->policy.given && turn->set->policy.tiers[moment->tier].consent == CONSENT_ALWAYS;
    task->at_least_once = act->at_least_once;
    task->decision = explain_next_id(turn, moment->name, in->about);
    task->traceparent = trace_text(turn->arena, in);
    add_facts(turn, in, task);
    add_outcomes(turn, act, task);
}

static void go_out(struct turn *turn, struct instance *in, const struct task *task)
{
    const struct moment *moment = instance_moment(turn, in);
    const struct act *act = &moment->acts[in->act];

    in->phase = PHASE_OUT;
    in->owner = STR_EMPTY;
    in->hold = HOLD_NONE;
    in->sent = in->accepted = false;
    in->task_ms = turn->now_ms;
    in->task_deadline_ms = task->deadline_ms;
    in->due_ms = turn->now_ms + act->wait_ms;
    caps_take(turn, moment, act);
    memory_start_again(turn, moment, in->about);
    turn->counts->tasks++;
}

bool chain_task(struct turn *turn, struct instance *in, const struct slots *slots)
{
    struct task task = {0};
    struct buf json = {0};

    if (!fill_texts(turn, in, &task))
        return false;
    describe(turn, in, &task);
    task.windows = ARENA_ARRAY(turn->arena, struct task_window, SLOT_WINDOWS);
    task.window_count = slots_windows(slots, turn->now_ms, task.deadline_ms, task.windows);
    task_put_json(&json, &task);
    if (!fits(turn, in, buf_str(&json))) {
        buf_free(&json);
        return false;
    }
    explain_send(turn, DECIDE_TOPIC_TASKS, task.customer, TASK_CE_TYPE, task.id, task.traceparent,
                 buf_str(&json));
    buf_free(&json);
    trail_add(in->trail, turn->arena, STAGE_TASK, true, "action %u of %zu: %.*s", task.attempt,
              instance_moment(turn, in)->act_count, STR_ARG(task.channel));
    explain_write(turn, &(struct explained){.verdict = VERDICT_TASK,
                                            .reason = REASON_TASK,
                                            .moment = task.moment,
                                            .about = in->about,
                                            .trail = in->trail,
                                            .task = task.id,
                                            .channel = task.channel});
    go_out(turn, in, &task);
    return true;
}

/* --- withdrawal ---------------------------------------------------------------------------------- */

static struct str withdrawal_id(const struct turn *turn, struct str task)
{
    char hex[HASH128_HEX_SIZE];

    hash128_hex(hash128_bytes(task, (struct hash128){1, 0}), hex);
    return arena_str(turn->arena, str_of(hex));
}

void chain_take_back(struct turn *turn, struct instance *in, const struct moment *moment,
                     enum reason reason)
{
    struct withdrawal w = {.customer = owner_of(turn, in),
                           .about = in->about,
                           .reason = str_of(reason_code(reason)),
                           .created_ms = turn->now_ms};
    struct buf json = {0};

    if (turn->now_ms >= in->task_deadline_ms)
        return;
    w.task = chain_task_id(turn, in);
    w.because = turn->event != NULL ? turn->event->type : STR_EMPTY;
    w.notice = in->accepted;
    if (moment != NULL) {
        w.moment = moment->name;
        w.channel = moment->acts[in->act].channel;
        w.queue = moment->acts[in->act].queue;
    }
    withdrawal_put_json(&json, &w);
    explain_send(turn, DECIDE_TOPIC_TASKS, w.customer, WITHDRAWAL_CE_TYPE,
                 withdrawal_id(turn, w.task),
                 turn->event != NULL ? turn->event->traceparent : STR_EMPTY, buf_str(&json));
    buf_free(&json);
    turn->counts->withdrawals++;
    if (!in->sent)
        caps_give_back(turn, in, w.channel);
}

/* --- outcomes ------------------------------------------------------------------------------------ */

/* What dispatch, or a provider that has to refuse it, says of a task that could not be sent: nobody
 * was reached, the cap is free again. */
static bool never_sent(struct str code)
{
    return str_is(code, "failed") || str_is(code, "expired") || str_is(code, "not_allowed") ||
           str_is(code, "opted_out");
}

static enum outcome_effect effect_of(const struct act *act, struct str code, bool final)
{
    for (size_t i = 0; i < act->outcome_count; i++)
        if (str_equal(act->outcomes[i].code, code))
            return act->outcomes[i].effect;
    if (never_sent(code))
        return EFFECT_NEXT; /* docs/decisions/050: the customer has heard nothing yet */
    return final ? EFFECT_END : EFFECT_WAIT;
}

static void next_act(struct turn *turn, struct instance *in, enum reason at_the_end)
{
    in->task_deadline_ms = turn->now_ms; /* this task is done with */
    if (in->act + 1U < instance_moment(turn, in)->act_count)
        funnel_ask(turn, in, (uint8_t)(in->act + 1));
    else
        instances_end(turn, in, at_the_end, NULL);
}

static void apply(struct turn *turn, struct instance *in, struct str code, bool final)
{
    const struct act *act = &instance_moment(turn, in)->acts[in->act];
    struct trail trail = {0};

    turn->changed = true;
    if (never_sent(code) && !in->sent)
        caps_give_back(turn, in, act->channel);
    in->sent = true;
    in->accepted |= str_is(code, "accepted");
    switch (effect_of(act, code, final)) {
    case EFFECT_WAIT: return;
    case EFFECT_NEXT: next_act(turn, in, REASON_OUTCOME); return;
    case EFFECT_END:
        in->task_deadline_ms = turn->now_ms;
        trail_add(&trail, turn->arena, STAGE_TASK, true, "the answer was %.*s", STR_ARG(code));
        instances_end(turn, in, REASON_OUTCOME, &trail);
        return;
    }
}

void chain_outcome(struct turn *turn)
{
    const struct builtin_paths *builtin = &turn->set->builtin;
    struct value task = turn->fields[builtin->task];
    struct value code = turn->fields[builtin->code];
    struct value final = turn->fields[builtin->final];

    if (task.kind != VALUE_STRING || code.kind != VALUE_STRING)
        return;
    for (uint32_t i = 0; i < turn->state->instance_count; i++) {
        struct instance *in = turn->state->instances[i];

        if (in->phase == PHASE_OUT && str_equal(chain_task_id(turn, in), value_str(task))) {
            apply(turn, in, value_str(code), final.kind == VALUE_BOOL && final.boolean);
            return;
        }
    }
    if (turn->event->data.len != 0)
        explain_send(turn, DECIDE_TOPIC_TASKS,
                     turn->came_to.len != 0 ? turn->came_to : turn->state->customer, STRAY_CE_TYPE,
                     turn->event->id, turn->event->traceparent, turn->event->data);
}

void chain_time_out(struct turn *turn, struct instance *in)
{
    next_act(turn, in, REASON_CHAIN_OVER);
}
