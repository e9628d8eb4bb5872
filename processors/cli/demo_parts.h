/* processors/cli/demo_parts.h - the inside of the demo, for the files that make it up.  Private to them:
 *
 *     demo.c           the story, scene by scene
 *     demo_answers.c   what comes back: shown, and held against what the scene expects
 *     demo_send.c      what goes out: events, ticks, outcomes
 *     demo_traffic.c   random traffic after the story
 */
#ifndef ATTENT_PROCESSORS_CLI_DEMO_PARTS_H
#define ATTENT_PROCESSORS_CLI_DEMO_PARTS_H

#include "processors/cli/demo.h"
#include "processors/cli/demo_picture.h"
#include "processors/cli/screen.h"
#include "processors/cli/story.h"
#include "schemas/event.h"
#include "schemas/task.h"

enum {
    DEMO_ANSWER_MS_MAX = 30 * 1000, /* a loaded machine with sanitizers is slow, not stuck */
    DEMO_OPEN_TASKS_MAX = 64,
    DEMO_MOMENTS_MAX = 32, /* whose stages have been told */
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
    struct task open[DEMO_OPEN_TASKS_MAX]; /* that centre and partners have and have not answered */
    size_t open_count;
    /* moments of which a decision has been shown stage by stage */
    struct str told[DEMO_MOMENTS_MAX];
    size_t told_count;
    struct picture picture;
    size_t tasks, silences, withdrawals; /* of the story */
};

/* --- demo_answers.c ----------------------------------------------------------------------------- */

void demo_show_answer(struct demo *demo, const struct answer *answer);
void demo_close_task(struct demo *demo, size_t index);
enum err_code demo_poll_once(struct demo *demo, struct err *err);

/* Poll until `done`, the time is up or the user stops.  ERR_STATE: the time was up. */
enum err_code demo_wait_until(struct demo *demo, bool (*done)(const struct demo *),
                              struct err *err);
bool demo_all_answered(const struct demo *demo); /* of the scene */
bool demo_has_arrived(const struct demo *demo);  /* all that was sent, on attent.events */

/* --- demo_send.c -------------------------------------------------------------------------------- */

/* An event as a company's system would write it: a structured CloudEvent.  customer NULL: the event
 * names none. */
enum err_code demo_send_event(struct demo *demo, const char *topic, const char *customer,
                              const char *type, struct str data, struct err *err);

/* The story's time has come to now_ms, in every partition. */
enum err_code demo_send_ticks(struct demo *demo, struct err *err);

/* Contact centre or partner answers its task number `index`. */
enum err_code demo_send_outcome(struct demo *demo, size_t index, const char *result,
                                struct err *err);

/* --- demo_traffic.c ----------------------------------------------------------------------------- */

enum err_code demo_play_endless(struct demo *demo, struct err *err);

#endif
