/* connectors/kafka/kafka.h - Kafka as attent uses it: group consumers, producers that are
 * idempotent always and transactional where asked, topics, and the mock cluster of `attent dev`.
 *
 * The only folder that includes rdkafka.h.  It knows nothing of events, rules or steps.
 * A consumer or producer is used by one thread at a time; different ones are independent.
 */
#ifndef ATTENT_CONNECTORS_KAFKA_KAFKA_H
#define ATTENT_CONNECTORS_KAFKA_KAFKA_H

#include "core/err.h"
#include "core/record.h"

struct kafka_property { /* a librdkafka property, passed through from the configuration */
    const char *name;
    const char *value;
};

struct kafka_settings {  /* borrowed while a call runs */
    const char *brokers; /* "host:port,host:port" */
    const char *client_id;
    const struct kafka_property *properties;
    size_t property_count;
};

struct kafka_partition {
    const char *topic;
    int32_t partition;
    int64_t offset; /* KAFKA_OFFSET_* or a number */
};

enum {
    KAFKA_OFFSET_BEGIN = -2,
    KAFKA_OFFSET_END = -1,
    KAFKA_OFFSET_GROUP = -1000, /* what the group committed; none: the beginning */
    KAFKA_OFFSET_HOLD = -3,     /* assigned: read nothing until kafka_consumer_seek */
};

const char *kafka_library_version(void); /* librdkafka's, "2.0.2" */

/* --- consumer ------------------------------------------------------------------------------- */

struct kafka_consumer;

/* Called inside kafka_consumer_poll, on its thread. */
struct kafka_listener {
    void *context;
    /* These partitions are mine now; set each offset to where to start (it comes in as
     * KAFKA_OFFSET_GROUP). */
    void (*assigned)(void *context, struct kafka_partition *partitions, size_t count);
    /* They are mine no longer.  lost: another member may have them already. */
    void (*revoked)(void *context, const struct kafka_partition *partitions, size_t count,
                    bool lost);
};

/* Join `group` on these topics: read_committed, no auto commit, range assignment, dynamic member,
 * session 6 s, no reset (an offset out of range is an error that poll reports).  listener may be
 * NULL: then reading starts where the group committed. */
enum err_code kafka_consumer_open(const struct kafka_settings *settings, const char *group,
                                  const char *const *topics, size_t topic_count,
                                  const struct kafka_listener *listener,
                                  struct kafka_consumer **out, struct err *err);

/* Read partitions without a group (rule bundles, ledgers, tap). */
enum err_code kafka_consumer_open_alone(const struct kafka_settings *settings,
                                        const struct kafka_partition *partitions, size_t count,
                                        struct kafka_consumer **out, struct err *err);

/* Leave the group (revoked is called) and free; NULL allowed. */
void kafka_consumer_close(struct kafka_consumer *c);

/* Wait up to timeout_ms for the first record, then take what is there, up to max.  Records and
 * their bytes are borrowed until kafka_consumer_release.  Sets *count (0 on time-out, and at once when
 * partitions have been assigned: so the caller knows it before their first record).  The records of a
 * partition are in order; each partition gets its share of max.  An error comes
 * without records and is of one partition or of the whole client: kafka_consumer_fault says
 * which; the caller decides.  ERR_STATE: the offset to read from is not in the log. */
enum err_code kafka_consumer_poll(struct kafka_consumer *c, int timeout_ms, struct record *out,
                                  size_t max, size_t *count, struct err *err);
void kafka_consumer_release(struct kafka_consumer *c);

/* The parts of poll, for who works on partitions at different paces.  serve: what is no record
 * (rebalances, errors).  take: what one partition has by now, up to max; borrowed until that
 * partition is released, whatever is served or taken meanwhile, or until it is revoked.  What is not
 * taken gathers in the queue.  wait: until something may have come, or one of `others` (file
 * descriptors; negative ones are ignored) can be read. */
enum { KAFKA_WAIT_OTHERS_MAX = 4 };
enum err_code kafka_consumer_serve(struct kafka_consumer *c, struct err *err);
size_t kafka_consumer_take(struct kafka_consumer *c, const char *topic, int32_t partition,
                           struct record *out, size_t max);
void kafka_consumer_release_one(struct kafka_consumer *c, const char *topic, int32_t partition);
void kafka_consumer_wait(struct kafka_consumer *c, const int *others, size_t count, int timeout_ms);

/* What the last error of poll was about: a partition (topic borrowed until the next poll), or
 * false: the whole client. */
bool kafka_consumer_fault(const struct kafka_consumer *c, const char **topic, int32_t *partition);

/* Read on from this offset (a number or KAFKA_OFFSET_*; GROUP: what the group committed, which is
 * the way back after a transaction that failed).  ERR_FENCED: the partition is not mine. */
enum err_code kafka_consumer_seek(struct kafka_consumer *c, const char *topic, int32_t partition,
                                  int64_t offset, struct err *err);
void kafka_consumer_pause(struct kafka_consumer *c, const char *topic, int32_t partition,
                          bool paused);

/* Commit offsets for lag monitors, and to prove membership.  At most one is outstanding: false,
 * nothing was sent.  done (NULL allowed) is called inside a later poll (or never, when the consumer is
 * closed before): ok = still a member. */
bool kafka_consumer_commit_async(struct kafka_consumer *c, const struct kafka_partition *offsets,
                                 size_t count, void (*done)(void *context, bool ok), void *context);

/* A text beside the offset of the group: what a member wants the next one to know.  notes: read the
 * group's offsets (-1: none) and their texts, which live in arena.  commit_notes: write both, and wait.
 * The offsets of a transaction clear the text.  ERR_FENCED or ERR_KAFKA: this is no member any more. */
struct arena;
enum err_code kafka_consumer_notes(struct kafka_consumer *c, struct kafka_partition *partitions,
                                   size_t count, struct arena *arena, struct str *notes,
                                   struct err *err);
enum err_code kafka_consumer_commit_notes(struct kafka_consumer *c,
                                          const struct kafka_partition *offsets,
                                          const struct str *notes, size_t count, struct err *err);

/* Has everything below the log's end been delivered?  Control batches count as delivered. */
bool kafka_consumer_at_end(struct kafka_consumer *c, const char *topic, int32_t partition);

/* Everything below this offset has been delivered; control batches count as delivered.  Of a
 * partition that is not mine: -1. */
int64_t kafka_consumer_read_to(struct kafka_consumer *c, const char *topic, int32_t partition);

/* Where these logs end for a reader now, one question for all: sets each offset.  What was
 * acknowledged to a writer before the call lies below (but for what is behind an open transaction).
 * Any error: of none the end is known. */
enum err_code kafka_consumer_ask_ends(struct kafka_consumer *c, struct kafka_partition *partitions,
                                      size_t count, int timeout_ms, struct err *err);

/* Where the log ended when it was last fetched from, -1: not known yet.  For lag; asks nobody. */
int64_t kafka_consumer_end(struct kafka_consumer *c, const char *topic, int32_t partition);

/* The same questions as kafka_topic_* below, over the consumer's own connections.  committed: the
 * group's offset, -1 = none. */
enum err_code kafka_consumer_committed(struct kafka_consumer *c, const char *topic,
                                       int32_t partition, int64_t *offset, struct err *err);
enum err_code kafka_consumer_bounds(struct kafka_consumer *c, const char *topic, int32_t partition,
                                    int64_t *first, int64_t *next, struct err *err);
enum err_code kafka_consumer_topic_partitions(struct kafka_consumer *c, const char *topic,
                                              int *partitions, struct err *err);

/* --- producer ------------------------------------------------------------------------------- */

struct kafka_producer;

/* transactional_id NULL: idempotent only.  Otherwise transactions are initialised here, which
 * fences an older process of the same id. */
enum err_code kafka_producer_open(const struct kafka_settings *settings,
                                  const char *transactional_id, struct kafka_producer **out,
                                  struct err *err);
void kafka_producer_close(struct kafka_producer *p); /* NULL allowed; drops what is not sent */

/* Queue a record (bytes are copied).  record->partition -1: by key, Kafka's murmur2.  Waits when
 * the queue is full, and (without transactions) for the first record to a partition to be acknowledged
 * before a second one. */
enum err_code kafka_produce(struct kafka_producer *p, const struct record *record, struct err *err);

/* The same, counted: until the receipt says that all of its records are acknowledged, or the producer
 * fails.  One receipt for records that belong together; dropped by who made it, acknowledged or not
 * (NULL allowed). */
struct kafka_receipt;
struct kafka_receipt *kafka_receipt_new(void);
void kafka_receipt_drop(struct kafka_receipt *receipt);
bool kafka_receipt_is_complete(const struct kafka_receipt *receipt);
enum err_code kafka_produce_counted(struct kafka_producer *p, const struct record *record,
                                    struct kafka_receipt *receipt, struct err *err);

/* Hear what has been acknowledged or refused by now, without waiting: the errors of kafka_flush. */
enum err_code kafka_hear(struct kafka_producer *p, bool *fatal, bool *out_of_order,
                         struct err *err);
/* A file descriptor that can be read when there may be something to hear. */
int kafka_producer_fd(const struct kafka_producer *p);

/* Wait until all that was queued since the last flush is acknowledged.  ERR_KAFKA, ERR_DOWN,
 * ERR_LIMIT (one is larger than its topic takes): at least one was refused or timed out (the rest
 * of the queue is purged); the caller goes back and sends again.  `fatal` (NULL allowed): the
 * producer is of no use any more, close it and open another (so it is after each failure of one
 * without transactions).
 * `out_of_order` (NULL allowed): Kafka may have lost acknowledged records. */
enum err_code kafka_flush(struct kafka_producer *p, int timeout_ms, bool *fatal, bool *out_of_order,
                          struct err *err);

/* Transactions.  commit flushes, and sends the consumer's offsets (the next to read) with its
 * group metadata, so a member that lost its partitions commits nothing: ERR_FENCED.  On any error
 * the transaction has been aborted, unless *fatal: then nobody knows before another producer of
 * the same transactional id is open.  Either way the caller goes back to what the group committed
 * (kafka_consumer_seek with KAFKA_OFFSET_GROUP). */
enum err_code kafka_begin(struct kafka_producer *p, struct err *err);
enum err_code kafka_commit(struct kafka_producer *p, struct kafka_consumer *group_member,
                           const struct kafka_partition *offsets, size_t count, bool *fatal,
                           struct err *err);
enum err_code kafka_abort(struct kafka_producer *p, bool *fatal, struct err *err);

/* --- topics --------------------------------------------------------------------------------- */

struct kafka_topic_config {
    const char *name;
    int partitions;
    int replication; /* -1: the broker's default */
    const struct kafka_property *properties;
    size_t property_count;
};

enum err_code kafka_topics_create(const struct kafka_settings *settings,
                                  const struct kafka_topic_config *topics, size_t count,
                                  struct err *err); /* one that is there already is fine */

/* More partitions for a topic that is there; one that has so many already is fine. */
enum err_code kafka_topic_grow(const struct kafka_settings *settings, const char *topic,
                               int partitions, struct err *err);

/* Partition count; 0 = the topic is not there. */
enum err_code kafka_topic_partitions(const struct kafka_settings *settings, const char *topic,
                                     int *partitions, struct err *err);
/* First and next-to-be-written offset. */
enum err_code kafka_topic_bounds(const struct kafka_settings *settings, const char *topic,
                                 int32_t partition, int64_t *first, int64_t *next, struct err *err);

/* The first record with this time or a later one; the log's end when there is none. */
enum err_code kafka_topic_offset_at(const struct kafka_settings *settings, const char *topic,
                                    int32_t partition, int64_t at_ms, int64_t *offset,
                                    struct err *err);

/* How many members a consumer group has now; 0 also for one that is not there. */
enum err_code kafka_group_members(const struct kafka_settings *settings, const char *group,
                                  int *members, struct err *err);

/* --- mock cluster (attent dev, fast tests) ------------------------------------------------------ */

struct kafka_mock;

/* One broker inside this process (for a topic of more replicas: as many).  The mock of librdkafka 2.0.2
 * fences no transaction, hides no aborted one, forgets the offsets sent with one, keeps 5 MiB a
 * partition: no guarantees are tested with it.  It has no CreateTopics: topics are made here.  The first
 * member of a group waits 3 s for others. */
enum err_code kafka_mock_open(const struct kafka_topic_config *topics, size_t count,
                              struct kafka_mock **out, struct err *err);
const char *kafka_mock_brokers(const struct kafka_mock *mock);
/* Broker 1, 2, ... leads this partition from now on; nobody is told. */
void kafka_mock_set_leader(struct kafka_mock *mock, const char *topic, int32_t partition,
                           int32_t broker);
/* Broker 1, 2, ... takes so long for each answer. */
void kafka_mock_silence(struct kafka_mock *mock, int32_t broker, int silence_ms);
void kafka_mock_close(struct kafka_mock *mock); /* NULL allowed */

#endif
