#include "processors/cli/demo_parts.h"

#include <stdio.h>

#include "core/clock.h"

enum {
    POLL_MS = 20,
    RECORDS_PER_POLL = 64,
    ANSWER_SIZE = 160,
};

/* --- what comes back ----------------------------------------------------------------------------- */

static const char *name_of(struct demo *demo, struct str customer)
{
    return story_name(arena_str(demo->arena, customer).data);
}

/* What the last stage compared with what. */
static struct str why_of(const struct decision *d)
{
    struct str detail = STR_EMPTY;

    for (size_t i = 0; i < d->stage_count; i++)
        if (d->stages[i].detail.len != 0)
            detail = d->stages[i].detail;
    return detail;
}

/* The stages that it passed, once for each moment: the next time they are the same. */
static void show_stages(struct demo *demo, const struct decision *d)
{
    struct buf passed = {0};

    for (size_t i = 0; i < demo->told_count; i++)
        if (str_equal(demo->told[i], d->moment))
            return;
    if (demo->told_count < DEMO_MOMENTS_MAX)
        demo->told[demo->told_count++] = arena_str(demo->arena, d->moment);
    for (size_t i = 0; i < d->stage_count; i++)
        buf_put_format(&passed, "%s%.*s", i > 0 ? ", " : "", STR_ARG(d->stages[i].stage));
    screen_line(&demo->screen, d->at_ms, TONE_PLAIN, "decision", "%s, %.*s: speak (passed: %s)",
                name_of(demo, d->customer), STR_ARG(d->moment), buf_text(&passed));
    buf_free(&passed);
}

static void show_hold(struct demo *demo, const struct decision *d)
{
    char until[SCREEN_TIME_SIZE];
    bool plain = str_is(d->reason, "quiet_hours") || str_is(d->reason, "queue_closed");
    struct str why = plain ? STR_EMPTY : why_of(d);

    screen_time(d->until_ms, until);
    screen_line(&demo->screen, d->at_ms, TONE_SILENCE, "decision",
                "%s, %.*s: hold until %s, %.*s%s%.*s%s", name_of(demo, d->customer),
                STR_ARG(d->moment), until, STR_ARG(d->reason), why.len != 0 ? " (" : "",
                STR_ARG(why), why.len != 0 ? ")" : "");
}

static void show_decision(struct demo *demo, const struct decision *d)
{
    struct str why = why_of(d);

    if (str_is(d->outcome, "task"))
        show_stages(demo, d);
    else if (str_is(d->outcome, "hold"))
        show_hold(demo, d);
    else
        screen_line(&demo->screen, d->at_ms, TONE_SILENCE, "decision",
                    "%s, %.*s: %.*s, %.*s%s%.*s%s", name_of(demo, d->customer), STR_ARG(d->moment),
                    STR_ARG(d->outcome), STR_ARG(d->reason), why.len != 0 ? " (" : "", STR_ARG(why),
                    why.len != 0 ? ")" : "");
}

static void show_task(struct demo *demo, const struct task *task, bool asked)
{
    struct str words = task->say.len != 0       ? task->say
                       : task->subject.len != 0 ? task->subject
                                                : task->text;

    if (asked)
        screen_line(&demo->screen, task->created_ms, TONE_TASK, "webhook", "%.*s, for %s: %.*s",
                    STR_ARG(task->channel), name_of(demo, task->customer), STR_ARG(words));
    else
        screen_line(&demo->screen, task->created_ms, TONE_TASK, "task",
                    "%.*s %s (queue %.*s): %.*s", STR_ARG(task->channel),
                    name_of(demo, task->customer), STR_ARG(task->queue), STR_ARG(words));
}

static void show_withdrawal(struct demo *demo, const struct withdrawal *w)
{
    screen_line(&demo->screen, w->created_ms, TONE_SILENCE, "withdrawn",
                "%s's %.*s task is taken back: its reason is gone (%.*s)",
                name_of(demo, w->customer), STR_ARG(w->moment), STR_ARG(w->because));
}

void demo_show_answer(struct demo *demo, const struct answer *answer)
{
    switch (answer->kind) {
    case ANSWER_DECISION: show_decision(demo, &answer->decision); return;
    case ANSWER_TASK: show_task(demo, &answer->task, answer->asked); return;
    case ANSWER_WITHDRAWAL: show_withdrawal(demo, &answer->withdrawal); return;
    case ANSWER_NONE: return;
    }
}

/* The answer in the words of story.h, and whose it is. */
static struct str words_of(const struct answer *a, char words[ANSWER_SIZE])
{
    const struct decision *d = &a->decision;
    const struct task *t = &a->task;

    if (a->kind == ANSWER_DECISION)
        snprintf(words, ANSWER_SIZE, "decision %.*s %.*s %.*s", STR_ARG(d->moment),
                 STR_ARG(d->outcome), STR_ARG(d->reason));
    else if (a->kind == ANSWER_TASK)
        snprintf(words, ANSWER_SIZE, "task %.*s %.*s %.*s", STR_ARG(t->moment), STR_ARG(t->channel),
                 STR_ARG(t->queue));
    else
        snprintf(words, ANSWER_SIZE, "withdrawal %.*s", STR_ARG(a->withdrawal.moment));
    return a->kind == ANSWER_DECISION ? d->customer
           : a->kind == ANSWER_TASK   ? t->customer
                                      : a->withdrawal.customer;
}

/* Put an answer to the scene in its place, to be shown when all are there, so that every run
 * tells the story in the same order.  Random traffic is shown as it comes. */
static void take_answer(struct demo *demo, const struct answer *answer)
{
    const struct scene *scene = demo->scene;
    char words[ANSWER_SIZE];
    struct str customer = words_of(answer, words);

    for (size_t i = 0; scene != NULL && scene->answers[i] != NULL; i++)
        if (demo->answers[i].kind == ANSWER_NONE && strcmp(scene->answers[i], words) == 0 &&
            (scene->customer == NULL || str_is(customer, scene->customer))) {
            demo->answers[i] = *answer;
            return;
        }
    demo_show_answer(demo, answer);
    if (scene == NULL)
        return;
    demo->unexpected++;
    screen_line(&demo->screen, INT64_MIN, TONE_BAD, "  !", "this was not expected: %.*s %s",
                STR_ARG(customer), words);
}

void demo_close_task(struct demo *demo, size_t index)
{
    demo->open[index] = demo->open[--demo->open_count];
}

/* Of a chain one task is out: a new one takes the place of the one before. */
static void close_earlier(struct demo *demo, const struct task *task)
{
    for (size_t i = demo->open_count; i-- > 0;)
        if (str_equal(demo->open[i].customer, task->customer) &&
            str_equal(demo->open[i].moment, task->moment) &&
            str_equal(demo->open[i].about, task->about))
            demo_close_task(demo, i);
}

/* What contact centre and partners know that they have to do. */
static void note_task(struct demo *demo, const struct answer *answer)
{
    if (answer->kind == ANSWER_TASK)
        close_earlier(demo, &answer->task);
    if (answer->kind == ANSWER_TASK && demo->open_count < DEMO_OPEN_TASKS_MAX)
        demo->open[demo->open_count++] = answer->task;
    for (size_t i = 0; answer->kind == ANSWER_WITHDRAWAL && i < demo->open_count; i++)
        if (str_equal(demo->open[i].id, answer->withdrawal.task))
            demo_close_task(demo, i);
}

/* For the lines at the end: each in its words. */
static void note_picture(struct demo *demo, const struct answer *answer)
{
    const struct decision *d = &answer->decision;
    const struct task *task = &answer->task;

    if (demo->scene == NULL)
        return;
    if (answer->kind == ANSWER_TASK) {
        demo->tasks++;
        picture_mark(&demo->picture, task->customer, task->moment, task->about, task->channel,
                     true);
    } else if (answer->kind == ANSWER_WITHDRAWAL) {
        demo->withdrawals++;
    } else if (!str_is(d->outcome, "task") && !str_is(d->reason, "outcome")) {
        demo->silences++;
        picture_mark(&demo->picture, d->customer, d->moment, d->about, d->reason, false);
    }
}

static void take_whole(struct demo *demo, const struct answer *answer)
{
    note_task(demo, answer);
    note_picture(demo, answer);
    take_answer(demo, answer);
}

static void take(struct demo *demo, const struct record *record)
{
    struct answer answer = {0};
    struct str text = arena_str(demo->arena, record->value);
    bool read;

    if (str_is(record->topic, demo->config->events)) {
        demo->arrived += str_starts(record_header(record, STR("ce_id")), STR("demo-"));
        return;
    }
    if (str_is(record->topic, demo->config->decisions)) {
        answer.kind = ANSWER_DECISION;
        read = decision_read_json(text, demo->arena, &answer.decision, NULL);
    } else if (str_is(record_header(record, STR("ce_type")), PERMISSION_CE_TYPE) ||
               str_is(record_header(record, STR("ce_type")), STRAY_CE_TYPE)) {
        return; /* it does not speak of a task that is out */
    } else if (str_is(record_header(record, STR("ce_type")), WITHDRAWAL_CE_TYPE)) {
        answer.kind = ANSWER_WITHDRAWAL;
        read = withdrawal_read_json(text, demo->arena, &answer.withdrawal, NULL);
    } else {
        answer.kind = ANSWER_TASK;
        read = task_read_json(text, demo->arena, &answer.task, NULL);
    }
    if (!read) {
        demo->unexpected++;
        return;
    }
    take_whole(demo, &answer);
}

/* What the partners were asked, or told to forget. */
static void take_partner(struct demo *demo)
{
    struct partner_message message;

    while (demo->config->partner != NULL &&
           partner_take(demo->config->partner, demo->arena, &message)) {
        struct answer answer = {.kind = ANSWER_TASK, .asked = true};
        bool read;

        if (str_is(message.type, TASK_CE_TYPE)) {
            read = task_read_json(message.data, demo->arena, &answer.task, NULL);
        } else {
            answer.kind = ANSWER_WITHDRAWAL;
            read = withdrawal_read_json(message.data, demo->arena, &answer.withdrawal, NULL);
        }
        if (read)
            take_whole(demo, &answer);
        else
            demo->unexpected++;
    }
}

enum err_code demo_poll_once(struct demo *demo, struct err *err)
{
    struct record records[RECORDS_PER_POLL];
    size_t count = 0;
    enum err_code code =
        kafka_consumer_poll(demo->consumer, POLL_MS, records, RECORDS_PER_POLL, &count, err);

    for (size_t i = 0; i < count; i++)
        take(demo, &records[i]);
    kafka_consumer_release(demo->consumer);
    take_partner(demo);
    return code;
}

/* --- waiting ------------------------------------------------------------------------------------- */

bool demo_all_answered(const struct demo *demo)
{
    for (size_t i = 0; demo->scene->answers[i] != NULL; i++)
        if (demo->answers[i].kind == ANSWER_NONE)
            return false;
    return true;
}

bool demo_has_arrived(const struct demo *demo)
{
    return demo->arrived + demo->parked >= demo->sent;
}

enum err_code demo_wait_until(struct demo *demo, bool (*done)(const struct demo *), struct err *err)
{
    int64_t until_ms = clock_mono_ms() + DEMO_ANSWER_MS_MAX;
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && !done(demo) && !*demo->config->stop) {
        if (clock_mono_ms() > until_ms)
            return err_set(err, ERR_STATE, "no answer within %d s", DEMO_ANSWER_MS_MAX / 1000);
        code = demo_poll_once(demo, err);
    }
    return code;
}
