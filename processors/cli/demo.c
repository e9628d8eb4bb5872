/* The story is played scene by scene.  A scene's event is written, then the demo waits until ingest
 * has passed it on to attent.events, then until every answer of the scene has come.  So ticks,
 * which go to attent.events directly, can never overtake an event, and a second run tells
 * the same story. */
#include "processors/cli/demo_parts.h"

#include <stdio.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/when.h"

enum { QUIET_MS = 1500 }; /* after the last scene: time for an answer that should not come */

/* --- the story ------------------------------------------------------------------------------------- */

static enum err_code play_answer(struct demo *demo, const struct scene *scene, struct err *err)
{
    enum err_code code = demo_wait_until(demo, demo_has_arrived, err); /* what was told before it */

    screen_line(&demo->screen, demo->now_ms, TONE_ANSWER,
                scene->topic != NULL ? scene->topic : "centre", "%s (outcome: %s)", scene->words,
                scene->type);
    for (size_t i = 0; i < demo->open_count; i++)
        if (code == ERR_NONE && str_is(demo->open[i].customer, scene->customer))
            return demo_send_outcome(demo, i, scene->type, err);
    return code != ERR_NONE ? code
                            : err_set(err, ERR_STATE, "nobody has a task of %s", scene->customer);
}

static enum err_code begin_scene(struct demo *demo, const struct scene *scene, struct err *err)
{
    switch (scene->kind) {
    case SCENE_EVENT:
        screen_line(&demo->screen, demo->now_ms, TONE_EVENT, "event", "%s", scene->words);
        return demo_send_event(demo, scene->topic, scene->customer, scene->type,
                               str_of(scene->data), err);
    case SCENE_PARKED:
        demo->parked++;
        screen_line(&demo->screen, demo->now_ms, TONE_EVENT, "event", "%s", scene->words);
        return demo_send_event(demo, scene->topic, NULL, scene->type, str_of(scene->data), err);
    case SCENE_CLAIM:
        demo->parked = 0;
        screen_line(&demo->screen, demo->now_ms, TONE_EVENT, "event", "%s", scene->words);
        return demo_send_event(demo, scene->topic, scene->customer, scene->type,
                               str_of(scene->data), err);
    case SCENE_QUIET:
        return demo_send_event(demo, scene->topic, scene->customer, scene->type,
                               str_of(scene->data), err);
    case SCENE_TIME:
        screen_line(&demo->screen, demo->now_ms, TONE_EVENT, "time", "%s", scene->words);
        return demo_send_ticks(demo, err);
    case SCENE_ANSWER: return play_answer(demo, scene, err);
    }
    return ERR_NONE;
}

/* What came, in the story's order, and what was waited for in vain. */
static void show_answers(struct demo *demo)
{
    for (size_t i = 0; demo->scene->answers[i] != NULL; i++) {
        demo_show_answer(demo, &demo->answers[i]);
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
    return demo_wait_until(demo, demo_has_arrived, err);
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
        code = demo_wait_until(demo, demo_has_arrived, err);
    if (code == ERR_NONE)
        code = demo_wait_until(demo, demo_all_answered, err);
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
        code = demo_poll_once(demo, err);
    if (code == ERR_NONE && !*demo->config->stop)
        put_picture(demo);
    if (code == ERR_NONE && demo->unexpected != 0)
        code = err_set(err, ERR_STATE, "%d answers came that the story does not have",
                       demo->unexpected);
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
        code = demo_play_endless(&demo, err);
    kafka_consumer_close(demo.consumer);
    kafka_producer_close(demo.producer);
    arena_free(demo.arena);
    return code;
}
