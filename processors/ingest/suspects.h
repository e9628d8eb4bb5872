/* processors/ingest/suspects.h - which source record has ended the process?
 *
 * As the worker does it (processors/worker/trial.h), with the group's offsets as the place for notes
 * (kafka_consumer_commit_notes): every member sees them, and a transaction clears them.
 *
 *   beside the offset
 *   "left"         the owner has handed it over
 *   "17 18 1"      record 17 was in hand, and one process had died of it before (schemas/suspect.h)
 *   "17 80 0"      one of the records 17 to 79 was
 *   ""             the owner is at work; is it a new one that reads this, then the owner has died
 *
 * Where the owner has died, what it may have had in hand is taken with care: few records a round, noted
 * before they are converted; each by itself where it is a handful, or where one of them has killed.
 * Kafka is not waited for while a note stands.
 *
 * @thread that of struct ingest
 */
#ifndef ATTENT_PROCESSORS_INGEST_SUSPECTS_H
#define ATTENT_PROCESSORS_INGEST_SUSPECTS_H

#include "processors/ingest/ingest.h"

struct suspects;

/* NULL: the configuration has no place for skips, and nobody is tried. */
struct suspects *suspects_new(const struct ingest_config *config);
void suspects_free(struct suspects *t); /* NULL allowed, also below */

void suspects_assigned(struct suspects *t, const struct kafka_partition *partitions, size_t count);
/* consumer NULL: they are lost. */
void suspects_revoked(struct suspects *t, struct kafka_consumer *consumer);

/* After a poll: read what those before have left, when partitions are new.  An error: nothing may be
 * taken yet. */
enum err_code suspects_look(struct suspects *t, struct kafka_consumer *consumer, struct err *err);

/* How many of `max` records the next round may take. */
size_t suspects_records(const struct suspects *t, size_t max);

/* What is to be done with a record. */
enum suspects_verdict {
    SUSPECTS_TAKE = 0,
    SUSPECTS_POISON, /* put it aside and write the skip */
    SUSPECTS_PASS,   /* it has been put aside before */
};

/* Around the records of a round (as many as suspects_records allowed before the poll): begin, for each
 * its verdict (noted by then), end. */
void suspects_begin(struct suspects *t, struct kafka_consumer *consumer,
                    const struct record *records, size_t count);
enum suspects_verdict suspects_record(struct suspects *t, const struct record *record);
void suspects_end(struct suspects *t);

/* The skip, as a record of attent.rules; in arena. */
struct record suspects_skip(const struct suspects *t, const struct record *record, int64_t now_ms,
                            struct arena *arena);

/* These offsets have been committed. */
void suspects_committed(struct suspects *t, const struct kafka_partition *offsets, size_t count);

#endif
