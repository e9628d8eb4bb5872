/* connectors/kafka/suspects.h - what has ended the process, of what a group reads?
 *
 * As the worker does it (processors/worker/trial.h), with the group's offsets as the place for notes
 * (kafka_consumer_commit_notes): every member sees them, and a transaction clears them.
 *
 *   beside the offset
 *   "left"       the owner has handed it over
 *   "17 81 1"    some of these records are in hand (schemas/suspect.h)
 *   "17 18 2"    record 17 is, alone, and two processes had it in hand before, and died
 *   ""           the owner is at work; is it a new one that reads this, then the owner has died
 *
 * Where the owner has died, what it may have had in hand is taken with care: few records a round, and a
 * note before them; of those that such a note names, a note for each.  Kafka is not waited for while a
 * note stands.
 *
 * Who has more to do than to convert records (dispatch: what waits in the ledger) notes that, too, as a
 * timer of its name.
 *
 * @thread that of the consumer
 */
#ifndef ATTENT_CONNECTORS_KAFKA_SUSPECTS_H
#define ATTENT_CONNECTORS_KAFKA_SUSPECTS_H

#include "connectors/kafka/kafka.h"
#include "schemas/skip.h"

struct suspects_config {            /* borrowed, outlives it */
    const struct skip_store *skips; /* NULL: nobody is tried */
    const char *rules_topic;        /* "attent.rules" */
    const char *part;               /* "ingest", for skips and the log */
    const char *const *topics;      /* that the group reads */
    size_t topic_count;
    int64_t in_hand_max; /* records that an owner may have had */
    int64_t careful_ms;  /* care lasts as long at least, whatever is read; 0: it does not */
};

struct suspects;

struct suspects *suspects_new(const struct suspects_config *config); /* NULL: nobody is tried */
void suspects_free(struct suspects *t);                              /* NULL allowed, also below */

void suspects_assigned(struct suspects *t, const struct kafka_partition *partitions, size_t count);
/* consumer NULL: they are lost. */
void suspects_revoked(struct suspects *t, struct kafka_consumer *consumer);

/* After a poll: read what those before have left, when partitions are new.  An error: nothing may be
 * taken yet. */
enum err_code suspects_look(struct suspects *t, struct kafka_consumer *consumer, struct err *err);

/* How many of `max` records the next round may take; one_by_one: `one`. */
size_t suspects_records(const struct suspects *t, size_t max, size_t one);

/* What is to be done with a record. */
enum suspects_verdict {
    SUSPECTS_TAKE = 0,
    SUSPECTS_POISON, /* put it aside and write the skip */
    SUSPECTS_PASS,   /* it has been put aside before */
};

/* Around a round: begin, for each of its records its verdict (noted by then), end. */
void suspects_begin(struct suspects *t, struct kafka_consumer *consumer,
                    const struct record *records, size_t count);
enum suspects_verdict suspects_record(struct suspects *t, const struct record *record);
void suspects_end(struct suspects *t);

/* In a round: this is about to be done, and is no record. */
void suspects_thing(struct suspects *t, const char *topic, int32_t partition, struct str name);
/* The name of the thing that processes have ended at often enough; empty: none.  Until a commit. */
struct str suspects_poison(const struct suspects *t, const char *topic, int32_t partition);

/* The skip, as a record of attent.rules; in arena. */
struct record suspects_skip(const struct suspects *t, const struct record *record, int64_t now_ms,
                            struct arena *arena);

/* These offsets have been committed. */
void suspects_committed(struct suspects *t, const struct kafka_partition *offsets, size_t count);

#endif
