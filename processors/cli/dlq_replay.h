/* processors/cli/dlq_replay.h - dead letters go back to where they were read.
 *
 *     dead-letter topic --[ letter: record as it was -> its topic ]-- one transaction
 *                         [ mark: "sent again" -> dead-letter topic ]
 *
 * A letter and its mark are there together or not at all, and whoever sends has first ended whatever
 * another one had begun under the same transactional id, and then read the marks: so a letter is sent
 * once, whatever dies in between, and a second replay sends nothing that the first one has.
 *
 * Key, value, timestamp and headers are those of the record; letters of a partition go out in order.
 */
#ifndef ATTENT_PROCESSORS_CLI_DLQ_REPLAY_H
#define ATTENT_PROCESSORS_CLI_DLQ_REPLAY_H

#include "processors/cli/dlq_letters.h"

/* Where a letter goes, or why it stays. */
struct dlq_way {
    struct str topic;
    int32_t partition; /* -1: by its key */
    const char *stays; /* NULL: it goes */
};
struct dlq_way dlq_way_of(const struct record *record, const struct letter *letter,
                          const char *identify_topic);

/* What is sent: the record as it was, without what was said of it and without numbers of a step (it comes
 * from nobody's outputs now).  In arena, borrowed from record. */
struct record dlq_record_again(const struct record *record, const struct letter *letter,
                               const struct dlq_way *way, struct arena *arena);

struct dlq_replay {
    const struct kafka_settings *kafka;
    const char *identify_topic;
    const char *id; /* transactional id begins with it */
    const struct dlq_filter *filter;
    bool dry; /* count only */
    /* Asked before anything is sent: so many letters of a topic are to be.  False: send none. */
    bool (*may)(void *context, const char *topic, size_t count);
    void (*progress)(void *context, const char *topic, size_t sent, size_t of);
    void *context;
};

struct dlq_replayed {
    size_t sent, before; /* before: had been sent already */
    size_t poison;       /* left out, because the filter does not name them */
    struct {
        const char *why;
        size_t count;
    } stayed[8];
    size_t stayed_count;
    bool refused; /* may said no */
};

/* The letters of one topic.  An error: what was sent until then is marked, the rest is not sent. */
enum err_code dlq_replay_topic(const struct dlq_replay *replay, const char *topic,
                               struct dlq_replayed *out, struct err *err);

#endif
