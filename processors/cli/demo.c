/* The story is played scene by scene.  A scene's event is written, then the demo waits until ingest
 * has passed it on to attent.events, then until every answer of the scene has come.  So ticks,
 * which go to attent.events directly, can never overtake an event, and a second run tells
 * the same story. */
#include "processors/cli/demo.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/rng.h"
#include "core/when.h"
#include "processors/cli/demo_picture.h"
#include "processors/cli/screen.h"
#include "processors/cli/story.h"
#include "schemas/event.h"
#include "schemas/task.h"

enum {
    ANSWER_MS_MAX = 30 * 1000, /* a loaded machine with sanitizers is slow, not stuck */
    QUIET_MS = 1500,           /* after the last scene: time for an answer that should not come */
    POLL_MS = 20,
    RECORDS_PER_POLL = 64,
    OPEN_TASKS_MAX = 64,
    MOMENTS_MAX = 32,      /* whose stages have been told */
    RANDOM_CUSTOMERS = 40, /* few enough that their stories are seen to go on */
    ANSWER_SIZE = 160,
    ENDLESS_BYTES_MAX = 16 * 1024 * 1024,
};

/* One thing that came back; texts in the demo's arena. */
struct answer {
    enum { ANSWER_NONE = 0, ANSWER_DECISION, ANSWER_TASK, ANSWER_WITHDRAWAL } kind;
    bool asked; /* TASK: it was posted to a partner */
    union {
        struct decision decision;
        struct task task;
        struct withdrawal withdrawal;
    };
};

struct demo {
    const struct demo_config *config;
    struct kafka_producer *producer;
    struct kafka_consumer *consumer;
    struct arena *arena; /* for the whole run: a story is small */
    struct screen screen;
    int64_t now_ms;
    uint64_t sent, arrived;    /* events written to sources, and seen on attent.events */
    uint64_t parked;           /* of them: wait until somebody claims their alias */
    const struct scene *scene; /* whose answers are awaited; NULL: random traffic */
    struct answer answers[SCENE_ANSWERS_MAX]; /* as scene->answers, what has come of them */
    int unexpected;
    struct task open[OPEN_TASKS_MAX]; /* that centre and partners have and have not answered */
    size_t open_count;
    struct str told[MOMENTS_MAX]; /* moments of which a decision has been shown stage by stage */
    size_t told_count;
    struct picture picture;
    size_t tasks, silences, withdrawals; /* of the story */
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
    if (demo->told_count < MOMENTS_MAX)
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

static void show_answer(struct demo *demo, const struct answer *answer)
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
    show_answer(demo, answer);
    if (scene == NULL)
        return;
    demo->unexpected++;
    screen_line(&demo->screen, INT64_MIN, TONE_BAD, "  !", "this was not expected: %.*s %s",
                STR_ARG(customer), words);
}

static void close_task(struct demo *demo, size_t index)
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
            close_task(demo, i);
}

/* What contact centre and partners know that they have to do. */
static void note_task(struct demo *demo, const struct answer *answer)
{
    if (answer->kind == ANSWER_TASK)
        close_earlier(demo, &answer->task);
    if (answer->kind == ANSWER_TASK && demo->open_count < OPEN_TASKS_MAX)
        demo->open[demo->open_count++] = answer->task;
    for (size_t i = 0; answer->kind == ANSWER_WITHDRAWAL && i < demo->open_count; i++)
        if (str_equal(demo->open[i].id, answer->withdrawal.task))
            close_task(demo, i);
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

static enum err_code poll_once(struct demo *demo, struct err *err)
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

static bool all_answered(const struct demo *demo)
{
    for (size_t i = 0; demo->scene->answers[i] != NULL; i++)
        if (demo->answers[i].kind == ANSWER_NONE)
            return false;
    return true;
}

static bool has_arrived(const struct demo *demo)
{
    return demo->arrived + demo->parked >= demo->sent;
}

/* Poll until `done`, the time is up or the user stops.  ERR_STATE: the time was up. */
static enum err_code wait_until(struct demo *demo, bool (*done)(const struct demo *),
                                struct err *err)
{
    int64_t until_ms = clock_mono_ms() + ANSWER_MS_MAX;
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && !done(demo) && !*demo->config->stop) {
        if (clock_mono_ms() > until_ms)
            return err_set(err, ERR_STATE, "no answer within %d s", ANSWER_MS_MAX / 1000);
        code = poll_once(demo, err);
    }
    return code;
}

/* --- what goes out ------------------------------------------------------------------------------- */

static enum err_code send(struct demo *demo, const char *topic, struct str key, struct str value,
                          int32_t partition, const struct header *header, struct err *err)
{
    struct record record = {.topic = str_of(topic),
                            .partition = partition,
                            .timestamp_ms = demo->now_ms,
                            .key = key,
                            .value = value,
                            .headers = header,
                            .header_count = header != NULL ? 1 : 0};
    enum err_code code = kafka_produce(demo->producer, &record, err);

    return code == ERR_NONE ? kafka_flush(demo->producer, ANSWER_MS_MAX, NULL, NULL, err) : code;
}

/* An event as a company's system would write it: a structured CloudEvent.  customer NULL: the event
 * names none. */
static enum err_code send_event(struct demo *demo, const char *topic, const char *customer,
                                const char *type, struct str data, struct err *err)
{
    struct buf out = {0};
    struct json_writer w = json_writer_to(&out);
    enum err_code code;

    json_open(&w, '{');
    json_key(&w, "specversion");
    json_str(&w, STR("1.0"));
    json_key(&w, "id");
    json_str(&w, arena_format(demo->arena, "demo-%" PRIu64, ++demo->sent));
    json_key(&w, "source");
    json_str(&w, arena_format(demo->arena, "/demo/%s", topic));
    json_key(&w, "type");
    json_str(&w, str_of(type));
    if (customer != NULL) {
        json_key(&w, "subject");
        json_str(&w, str_of(customer));
    }
    json_key(&w, "time");
    json_time(&w, demo->now_ms);
    json_key(&w, "data");
    json_raw(&w, data);
    json_close(&w, '}');
    code = send(demo, topic, str_of(customer), buf_str(&out), -1, NULL, err);
    buf_free(&out);
    return code;
}

/* The story's time has come to now_ms, in every partition. */
static enum err_code send_ticks(struct demo *demo, struct err *err)
{
    const struct header tick = {STR("attent-control"), STR("tick")};
    enum err_code code = wait_until(demo, has_arrived, err);

    for (int p = 0; code == ERR_NONE && p < demo->config->partitions; p++)
        code = send(demo, demo->config->events, STR_EMPTY, STR_EMPTY, p, &tick, err);
    return code;
}

/* Contact centre or partner answers its task number `index`. */
static enum err_code send_outcome(struct demo *demo, size_t index, const char *result,
                                  struct err *err)
{
    const struct task task = demo->open[index];
    struct outcome outcome = {.task = task.id,
                              .moment = task.moment,
                              .about = task.about,
                              .channel = task.channel,
                              .attempt = task.attempt,
                              .code = str_of(result),
                              .final = true};
    struct buf data = {0};
    enum err_code code;

    outcome_put_json(&data, &outcome);
    if (demo->scene != NULL)
        picture_mark(&demo->picture, task.customer, task.moment, task.about, str_of(result), true);
    close_task(demo, index);
    code = send_event(demo, demo->config->outcomes, arena_str(demo->arena, task.customer).data,
                      OUTCOME_EVENT_TYPE, buf_str(&data), err);
    buf_free(&data);
    return code;
}

/* --- the story ------------------------------------------------------------------------------------- */

static enum err_code play_answer(struct demo *demo, const struct scene *scene, struct err *err)
{
    enum err_code code = wait_until(demo, has_arrived, err); /* what was told before it */

    screen_line(&demo->screen, demo->now_ms, TONE_ANSWER,
                scene->topic != NULL ? scene->topic : "centre", "%s (outcome: %s)", scene->words,
                scene->type);
    for (size_t i = 0; i < demo->open_count; i++)
        if (code == ERR_NONE && str_is(demo->open[i].customer, scene->customer))
            return send_outcome(demo, i, scene->type, err);
    return code != ERR_NONE ? code
                            : err_set(err, ERR_STATE, "nobody has a task of %s", scene->customer);
}

static enum err_code begin_scene(struct demo *demo, const struct scene *scene, struct err *err)
{
    switch (scene->kind) {
    case SCENE_EVENT:
        screen_line(&demo->screen, demo->now_ms, TONE_EVENT, "event", "%s", scene->words);
        return send_event(demo, scene->topic, scene->customer, scene->type, str_of(scene->data),
                          err);
    case SCENE_PARKED:
        demo->parked++;
        screen_line(&demo->screen, demo->now_ms, TONE_EVENT, "event", "%s", scene->words);
        return send_event(demo, scene->topic, NULL, scene->type, str_of(scene->data), err);
    case SCENE_CLAIM:
        demo->parked = 0;
        screen_line(&demo->screen, demo->now_ms, TONE_EVENT, "event", "%s", scene->words);
        return send_event(demo, scene->topic, scene->customer, scene->type, str_of(scene->data),
                          err);
    case SCENE_QUIET:
        return send_event(demo, scene->topic, scene->customer, scene->type, str_of(scene->data),
                          err);
    case SCENE_TIME:
        screen_line(&demo->screen, demo->now_ms, TONE_EVENT, "time", "%s", scene->words);
        return send_ticks(demo, err);
    case SCENE_ANSWER: return play_answer(demo, scene, err);
    }
    return ERR_NONE;
}

/* What came, in the story's order, and what was waited for in vain. */
static void show_answers(struct demo *demo)
{
    for (size_t i = 0; demo->scene->answers[i] != NULL; i++) {
        show_answer(demo, &demo->answers[i]);
        if (demo->answers[i].kind == ANSWER_NONE && !*demo->config->stop)
            screen_line(&demo->screen, INT64_MIN, TONE_BAD, "  !", "this did not come: %s",
                        demo->scene->answers[i]);
    }
}

/* The first events take as long as the roles need to join their groups. */
static enum err_code wait_for_roles(struct demo *demo, struct err *err)
{
    puts("The roles join their groups; the story begins in a few seconds.\n");
    fflush(stdout);
    return wait_until(demo, has_arrived, err);
}

static enum err_code play_scene(struct demo *demo, const struct scene *scene, struct err *err)
{
    enum err_code code = ERR_NONE;

    demo->scene = scene;
    memset(demo->answers, 0, sizeof demo->answers);
    if (!when_parse_ms(str_of(scene->at), &demo->now_ms))
        return err_set(err, ERR_STATE, "the story's time %s is no time", scene->at);
    if (scene->kind != SCENE_QUIET && demo->screen.shown_ms == INT64_MIN)
        code = wait_for_roles(demo, err);
    if (code == ERR_NONE)
        code = begin_scene(demo, scene, err);
    if (code == ERR_NONE && scene->kind != SCENE_QUIET)
        code = wait_until(demo, has_arrived, err);
    if (code == ERR_NONE)
        code = wait_until(demo, all_answered, err);
    show_answers(demo);
    return code;
}

static void put_picture(struct demo *demo)
{
    struct buf out = {0};

    picture_put(&out, &demo->picture, story_name);
    printf("\nWhat came of it, by person and moment:\n\n%s\n"
           "%zu tasks, %zu silences and holds, %zu taken back.\n",
           buf_text(&out), demo->tasks, demo->silences, demo->withdrawals);
    fflush(stdout);
    buf_free(&out);
}

static enum err_code play_story(struct demo *demo, struct err *err)
{
    static const struct scene silence = {.kind = SCENE_QUIET, .at = "", .answers = {NULL}};
    enum err_code code = ERR_NONE;
    int64_t until_ms;

    for (size_t i = 0; code == ERR_NONE && i < story_scene_count && !*demo->config->stop; i++)
        code = play_scene(demo, &story_scenes[i], err);
    demo->scene = &silence; /* whatever comes now is too much */
    until_ms = clock_mono_ms() + QUIET_MS;
    while (code == ERR_NONE && clock_mono_ms() < until_ms && !*demo->config->stop)
        code = poll_once(demo, err);
    if (code == ERR_NONE && !*demo->config->stop)
        put_picture(demo);
    if (code == ERR_NONE && demo->unexpected != 0)
        code = err_set(err, ERR_STATE, "%d answers came that the story does not have",
                       demo->unexpected);
    return code;
}

/* --- random traffic -------------------------------------------------------------------------------- */

struct traffic {
    struct rng rng;
    bool known[RANDOM_CUSTOMERS]; /* their profile has been written */
};

/* Where they live and how to reach them; the car on their policy is a light one. */
static enum err_code introduce(struct demo *demo, const char *id, struct err *err)
{
    struct str profile = arena_format(demo->arena,
                                      "{\"country\":\"NL\",\"time_zone\":\"Europe/Amsterdam\","
                                      "\"phone\":\"+31200000000\",\"email\":\"%s@example.com\"}",
                                      id);
    struct str policy = arena_format(demo->arena, "{\"vin\":\"OLD-%s\",\"weight_kg\":1100}", id);
    enum err_code code = send_event(demo, "crm", id, "customer.updated", profile, err);

    return code == ERR_NONE ? send_event(demo, "crm", id, "policy.updated", policy, err) : code;
}

/* Something happens to a customer. */
static enum err_code live(struct demo *demo, struct rng *rng, const char *id, struct err *err)
{
    double pad_mm = 2.0 + 4.0 * rng_unit(rng);

    switch (rng_below(rng, 5)) {
    case 0:
    case 1:
        screen_line(&demo->screen, demo->now_ms, TONE_EVENT, "event", "%s misses a payment", id);
        return send_event(demo, "billing", id, "payment.missed",
                          STR("{\"amount\":64.5,\"invoice\":\"R-1\"}"), err);
    case 2:
        screen_line(&demo->screen, demo->now_ms, TONE_EVENT, "event", "%s pays", id);
        return send_event(demo, "billing", id, "payment.received",
                          STR("{\"amount\":64.5,\"invoice\":\"R-1\"}"), err);
    case 3:
        screen_line(&demo->screen, demo->now_ms, TONE_EVENT, "event", "%s registers a Volvo", id);
        return send_event(demo, "vehicles", id, "vehicle.registered",
                          arena_format(demo->arena,
                                       "{\"vin\":\"V-%s\",\"make\":\"Volvo\",\"model\":\"XC60\","
                                       "\"weight_kg\":1900}",
                                       id),
                          err);
    default:
        screen_line(&demo->screen, demo->now_ms, TONE_EVENT, "event",
                    "%s's car reports brake pads of %.1f mm", id, pad_mm);
        return send_event(
            demo, "vehicles", id, "vehicle.telemetry",
            arena_format(demo->arena, "{\"vin\":\"V-%s\",\"pad_mm\":%.1f}", id, pad_mm), err);
    }
}

/* One of the customers does something, or the contact centre answers. */
static enum err_code play_random(struct demo *demo, struct traffic *traffic, struct err *err)
{
    struct rng *rng = &traffic->rng;
    size_t number = rng_below(rng, RANDOM_CUSTOMERS);
    const char *id = arena_format(demo->arena, "c-%03zu", number).data;
    enum err_code code = ERR_NONE;

    demo->now_ms += (int64_t)rng_below(rng, 240) * WHEN_MINUTE_MS;
    if (demo->open_count != 0 && demo->open[0].outcome_count != 0 && rng_below(rng, 2) == 0) {
        const struct task *task = &demo->open[0];
        bool garage = str_is(task->channel, "garage");
        size_t answer = rng_below(rng, task->outcome_count); /* of those that it lists */
        const char *result = arena_str(demo->arena, task->outcomes[answer].code).data;

        screen_line(&demo->screen, demo->now_ms, TONE_ANSWER, garage ? "garage" : "centre",
                    "works the task of %.*s: %s", STR_ARG(task->customer), result);
        return send_outcome(demo, 0, result, err);
    }
    if (!traffic->known[number])
        code = introduce(demo, id, err);
    traffic->known[number] = true;
    return code == ERR_NONE ? live(demo, rng, id, err) : code;
}

static enum err_code play_endless(struct demo *demo, struct err *err)
{
    struct traffic traffic = {.rng = rng_seeded(42)};
    enum err_code code = ERR_NONE;

    demo->scene = NULL;
    puts("\nThat was the story. Random traffic goes on; Ctrl-C ends it.\n");
    while (code == ERR_NONE && !*demo->config->stop) {
        if (arena_bytes(demo->arena) > ENDLESS_BYTES_MAX) {
            demo->open_count = 0; /* their texts go too: the centre forgets them */
            demo->told_count = 0;
            arena_reset(demo->arena);
        }
        code = play_random(demo, &traffic, err);
        if (code == ERR_NONE)
            code = send_ticks(demo, err);
        if (code == ERR_NONE)
            code = poll_once(demo, err);
    }
    return code;
}

/* --- open, play, close ------------------------------------------------------------------------------- */

static enum err_code open_consumer(struct demo *demo, struct err *err)
{
    const struct demo_config *config = demo->config;
    struct kafka_partition *partitions = NULL;
    size_t count = 0, capacity = 0;
    enum err_code code;

    for (int p = 0; p < config->partitions; p++) {
        MEM_RESERVE(partitions, count + 1, capacity);
        partitions[count++] = (struct kafka_partition){config->events, p, KAFKA_OFFSET_BEGIN};
        partitions[count++] = (struct kafka_partition){config->decisions, p, KAFKA_OFFSET_BEGIN};
    }
    for (const char *const *queue = config->queues; *queue != NULL; queue++)
        for (int p = 0; p < config->queue_partitions; p++) {
            MEM_RESERVE(partitions, count, capacity);
            partitions[count++] = (struct kafka_partition){*queue, p, KAFKA_OFFSET_BEGIN};
        }
    code = kafka_consumer_open_alone(&config->kafka, partitions, count, &demo->consumer, err);
    mem_free(partitions);
    return code;
}

enum err_code demo_play(const struct demo_config *config, struct err *err)
{
    struct demo demo = {.config = config, .screen = screen_open(config->paced)};
    enum err_code code;

    demo.arena = arena_new(0);
    demo.picture.arena = demo.arena;
    code = kafka_producer_open(&config->kafka, NULL, &demo.producer, err);
    if (code == ERR_NONE)
        code = open_consumer(&demo, err);
    if (code == ERR_NONE)
        code = play_story(&demo, err);
    if (code == ERR_NONE && config->endless && !*config->stop)
        code = play_endless(&demo, err);
    kafka_consumer_close(demo.consumer);
    kafka_producer_close(demo.producer);
    arena_free(demo.arena);
    return code;
}
