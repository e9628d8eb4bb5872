/* processors/cli/dlq_letters.h - what lies in the dead-letter topics: which letters, why, and which of them
 * have been sent again (schemas/letter.h).
 *
 * A letter takes some 40 bytes here; its record is read again when it is wanted.
 */
#ifndef ATTENT_PROCESSORS_CLI_DLQ_LETTERS_H
#define ATTENT_PROCESSORS_CLI_DLQ_LETTERS_H

#include "connectors/kafka/kafka.h"
#include "core/conf.h"
#include "schemas/letter.h"

struct dlq_filter { /* what is not asked for is NULL, or the whole of time */
    const char *reason;
    const char *topic; /* of the letters, or where they came from */
    struct spot at;    /* topic empty: any */
    int64_t since_ms, until_ms;
};

struct dlq_entry {
    int32_t partition;
    int64_t offset;
    int64_t at_ms; /* the record's time, as it was */
    size_t kind;   /* index into kinds */
    bool replayed;
};

struct dlq_kind { /* letters of one reason, from one topic */
    struct str reason;
    struct str from;    /* topic; empty: it is not said */
    struct buf message; /* of the newest */
    struct dlq_entry newest;
    size_t count, replayed;
};

struct dlq_letters { /* of one dead-letter topic; texts in arena */
    const char *topic;
    struct arena *arena;
    struct dlq_entry *entries; /* ascending by partition and offset */
    size_t count, capacity;
    struct dlq_kind *kinds;
    size_t kind_count, kind_capacity;
};

/* All that passes the filter.  A topic that is not there is empty. */
enum err_code dlq_letters_read(const struct kafka_settings *kafka, const char *topic,
                               const struct dlq_filter *filter, struct arena *arena,
                               struct dlq_letters *out, struct err *err);
void dlq_letters_free(struct dlq_letters *letters);

/* NULL: it is not among them. */
const struct dlq_entry *dlq_letters_find(const struct dlq_letters *letters, int32_t partition,
                                         int64_t offset);

/* The dead-letter topics of a configuration, in arena. */
const char **dlq_topics(const struct conf *conf, struct arena *arena, size_t *count);

/* What a person may do about a reason; NULL: it is none that attent gives. */
const char *dlq_advice(struct str reason);

#endif
