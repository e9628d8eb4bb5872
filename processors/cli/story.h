/* processors/cli/story.h - what `attent dev --demo` plays: ten customers, seven life moments.
 *
 * A scene happens at a time of the story, in the order of the table.  What attent must answer is
 * listed with it: the demo waits for exactly that, and any other answer fails it.
 */
#ifndef ATTENT_PROCESSORS_CLI_STORY_H
#define ATTENT_PROCESSORS_CLI_STORY_H

#include <stdbool.h>
#include <stddef.h>

enum scene_kind {
    SCENE_EVENT,  /* somebody's system writes an event to `topic`                        */
    SCENE_PARKED, /* the same of an alias only that nobody has claimed: it waits           */
    SCENE_CLAIM,  /* SCENE_EVENT, and what waits is released by it                         */
    SCENE_QUIET,  /* the same, but not shown: profiles at the beginning                  */
    SCENE_TIME,   /* nothing happens until `at`: timers may fire                         */
    SCENE_ANSWER, /* contact centre or partner answers its open task of this customer       */
};

enum { SCENE_ANSWERS_MAX = 6 };

struct scene {
    enum scene_kind kind;
    const char *at;       /* RFC 3339, Amsterdam's time */
    const char *customer; /* id; NULL for SCENE_TIME; of SCENE_PARKED: whose it turns out to be */
    const char *topic;    /* source topic; SCENE_ANSWER: the partner; NULL: the contact centre */
    const char *type;     /* event type; SCENE_ANSWER: the outcome's code */
    const char *data;     /* JSON */
    const char *words;    /* for the screen */
    /* What attent answers, in order: "decision MOMENT OUTCOME REASON", "task MOMENT CHANNEL QUEUE",
     * "withdrawal MOMENT".  NULL ends the list. */
    const char *answers[SCENE_ANSWERS_MAX];
};

struct person {
    const char *customer; /* id */
    const char *name;
};

extern const struct person story_people[];
extern const size_t story_person_count;
extern const struct scene story_scenes[];
extern const size_t story_scene_count;

const char *story_name(const char *customer); /* "Anna"; the id itself when not in the story */

#endif
