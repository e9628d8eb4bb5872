/* schemas/letter.h - a dead letter: a record put aside as it was, with the reason behind its own headers.
 *
 *   __connect.errors.topic, .partition, .offset   where it was read
 *   __connect.errors.connector.name               who put it aside: attent-ingest, attent-decide ...
 *   __connect.errors.stage, .exception.*          as Kafka Connect writes them
 *   attent-reason                                 the code: "bad_json", "poison"
 *   attent-cut, attent-timestamp                  what could not be kept (processors/ingest/convert.h)
 *
 * `attent dlq replay` sends letters again and writes, with each of them in one transaction, a mark to the
 * dead-letter topic: a record with the letter's key, without a value, and
 *
 *   attent-replayed      TOPIC/PARTITION/OFFSET of the letter
 *   attent-replayed-to   the topic that it was sent to
 */
#ifndef ATTENT_SCHEMAS_LETTER_H
#define ATTENT_SCHEMAS_LETTER_H

#include "core/arena.h"
#include "schemas/spot.h"

#define LETTER_REPLAYED    "attent-replayed"
#define LETTER_REPLAYED_TO "attent-replayed-to"

struct letter {           /* what is said of it; texts are borrowed */
    struct spot from;     /* topic empty: it is not said */
    struct str part;      /* "attent-ingest" */
    struct str stage;     /* "TRANSFORMATION" */
    struct str reason;    /* code */
    struct str message;   /* in words */
    struct str cut;       /* "value" or "all"; empty: it is whole */
    int64_t timestamp_ms; /* of the record, before it was put aside */
    size_t header_count;  /* of the record itself: the first ones */
};

/* The record that puts `record` aside: letter's from, part, stage, reason and message count. */
struct record letter_write(const struct letter *letter, const struct record *record,
                           const char *dlq_topic, struct arena *arena);

/* What a record of a dead-letter topic says of itself.  False: it is none (a mark, something else). */
bool letter_read(const struct record *record, struct letter *out);

/* A mark: which letter was sent again, and where to.  False: it is none. */
bool letter_read_mark(const struct record *record, struct spot *letter, struct str *to);

/* Does a header belong to the letter and not to the record? */
bool letter_owns_header(struct str name);

#endif
