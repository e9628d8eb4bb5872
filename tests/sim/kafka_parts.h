/* tests/sim/kafka_parts.h - the model's inside: what lies at the broker, and what happens when.
 *
 * Private to tests/sim/kafka_*.c.  What is only of the clients: kafka_clients.h.
 * Nothing here takes time, but for the functions of "waiting".  All memory is of one arena that goes with
 * the cluster, so pointers stay good whatever is closed or killed.
 */
#ifndef TESTS_SIM_KAFKA_PARTS_H
#define TESTS_SIM_KAFKA_PARTS_H

#include "core/check.h"
#include "tests/sim/kafka_model.h"
#include "tests/sim/sim.h"

#define NEVER_US INT64_MAX
enum { MS = 1000, NO_PRODUCER = -1 };

/* --- memory (kafka_memory.c) ------------------------------------------------------------------- */

void *model_alloc(size_t bytes); /* zeroed, aligned to 16 */
void *model_grow(void *old, size_t used_bytes, size_t bytes);
struct str model_copy(struct str from); /* NUL follows; {NULL, 0} stays so */
void model_free_all(void);

#define MODEL_NEW(type) ((type *)model_alloc(sizeof(type)))
/* As MEM_RESERVE. */
#define MODEL_RESERVE(items, count, capacity)                                                      \
    ((count) < (capacity)                                                                          \
         ? (void)0                                                                                 \
         : (void)((items) = model_grow((items), (count) * sizeof *(items),                         \
                                       ((capacity) = (capacity) ? 2 * (capacity) : 8) *            \
                                           sizeof *(items))))

/* A copy of all its bytes. */
struct record model_copy_record(const struct record *from);

/* --- logs (kafka_log.c) ------------------------------------------------------------------------ */

enum entry_kind { ENTRY_RECORD, ENTRY_CONTROL, ENTRY_ABORTED };

struct entry {
    struct record record;
    int64_t producer_id; /* NO_PRODUCER: written without one */
    enum entry_kind kind;
    bool in_transaction;
};

enum { REMEMBERED_BATCHES = 5 };

struct writer { /* what a partition knows of an idempotent producer */
    int64_t producer_id;
    int16_t epoch;
    int32_t next_sequence;
    struct {
        int32_t first_sequence, count;
        int64_t offset;
    } batches[REMEMBERED_BATCHES]; /* the last ones, the newest first */
    size_t batch_count;
    int64_t open_at; /* first offset of its open transaction, -1: none */
};

struct log { /* one partition */
    struct topic *topic;
    int32_t partition;
    struct entry *entries; /* that of offset o: entries[o - base] */
    size_t capacity;
    int64_t base, first, next;
    struct writer *writers;
    size_t writer_count, writer_capacity;
    size_t open_count; /* writers with an open transaction */
};

struct topic {
    struct str name;
    int id; /* another one when it is made again */
    int partitions;
    size_t max_message_bytes;
    struct log *logs;
    bool deleted;
};

enum answer { /* of the broker */
              ANSWER_OK,
              ANSWER_OUT_OF_ORDER, /* the sequence number is not the next one */
              ANSWER_OLD_EPOCH,    /* fenced */
              ANSWER_INVALID,      /* the record is refused */
              ANSWER_TOO_LARGE,
              ANSWER_UNKNOWN, /* no such topic or partition */
              ANSWER_AGAIN,   /* not now: disk full, markers still to be written, ... */
              ANSWER_UNKNOWN_MEMBER,
              ANSWER_OLD_GENERATION,
              ANSWER_REBALANCE,
              ANSWER_DOWN, /* there was none */
};

struct batch_head {
    int64_t producer_id; /* NO_PRODUCER: neither epoch nor sequence count */
    int16_t epoch;
    int32_t first_sequence;
    bool in_transaction;
};

struct topic *topic_find(struct str name); /* NULL: not there */
struct topic *topic_make(struct str name, int partitions, size_t max_message_bytes);
void topic_delete(struct topic *t);
struct log *log_find(struct str topic, int32_t partition);
int64_t log_stable(const struct log *log); /* read_committed readers see what lies below */
/* Append; sets *offset to that of the first record (of the first time, when it is a repeat). */
enum answer log_append(struct log *log, const struct batch_head *head,
                       const struct record *const *records, size_t count, int64_t *offset);
void log_end_transaction(struct log *log, int64_t producer_id, int16_t epoch, bool commit);
/* The next record for a reader from *offset on and below `end`; NULL: none, *offset is `end`. */
const struct record *log_read(const struct log *log, int64_t *offset, int64_t end);
void log_trim(struct log *log, int64_t first);
void log_lose_tail(struct log *log, int64_t count);

/* --- groups (kafka_group.c) -------------------------------------------------------------------- */

struct share { /* of a topic's partitions: [from, to) */
    struct topic *topic;
    int32_t from, to;
};

struct member {
    uint64_t id; /* members are sorted by it; 0: not in the group */
    int process;
    const struct str *topics; /* borrowed of the consumer */
    size_t topic_count;
    bool joined;          /* waits for the others in a rebalance */
    struct share *shares; /* of the group's generation; one per topic */
    int64_t silent_at_us; /* no heartbeat from then on, NEVER_US: it lives */
    int64_t speaks_at_us; /* when the process goes on */
    int64_t session_us;
};

struct group_offset {
    struct str topic;
    int32_t partition;
    int64_t offset;                /* -1: none */
    int64_t pending;               /* of an open transaction */
    int64_t producer_id;           /* its writer, NO_PRODUCER: none is pending */
    uint64_t order, pending_order; /* which was written later stays */
};

struct group {
    struct str name;
    int32_t generation;
    bool preparing;         /* waits until all members have joined */
    int64_t stable_at_us;   /* assignments are handed out, from then on the group is stable */
    int64_t prepared_at_us; /* when preparing began */
    struct member **members;
    size_t count, capacity;
    struct group_offset *offsets;
    size_t offset_count, offset_capacity;
};

struct group *group_of(struct str name); /* made when it is not there */
struct group *group_find(struct str name);
void group_join(struct group *g, struct member *m);
void group_leave(struct group *g, struct member *m);
void group_rebalance(struct group *g); /* all have to join again */
void group_look(struct group *g);      /* sessions that have run out by now */
struct group_offset *group_offset_of(struct group *g, struct str topic, int32_t partition);
enum answer group_heartbeat(struct group *g, const struct member *m, int32_t generation);
/* May a member commit?  generation -1 and no member: only where the group is empty. */
enum answer group_admits(struct group *g, uint64_t member_id, int32_t generation,
                         bool in_transaction);
void group_end_transaction(struct group *g, int64_t producer_id, bool commit);
void group_topic_changed(struct str topic); /* made, deleted */

/* --- transactions (kafka_txn.c) ---------------------------------------------------------------- */

enum txn_state { TXN_EMPTY, TXN_OPEN, TXN_ENDING };

struct txn { /* a transactional id, as its coordinator knows it */
    struct str id;
    int64_t producer_id;
    int16_t epoch;
    enum txn_state state;
    bool commits; /* how it ends, or has ended */
    int64_t began_us, timeout_us, markers_us;
    struct log **logs;
    size_t log_count, log_capacity;
    struct group **groups;
    size_t group_count, group_capacity;
};

struct txn *txn_of(struct str id);
enum answer txn_init(struct txn *t, int64_t timeout_us); /* AGAIN: one is being ended */
enum answer txn_add_log(struct txn *t, int16_t epoch, struct log *log);
enum answer txn_add_offset(struct txn *t, int16_t epoch, struct group *g, uint64_t member_id,
                           int32_t generation, struct str topic, int32_t partition, int64_t offset);
enum answer txn_end(struct txn *t, int16_t epoch, bool commit);

/* --- the cluster (kafka_cluster.c) --------------------------------------------------------------- */

/* What happens at a time without anybody asking. */
struct happening {
    int64_t at_us;
    uint64_t order;
    void (*happens)(void *what);
    void *what;
};

struct cluster {
    struct topic **topics;
    size_t topic_count, topic_capacity;
    struct group **groups;
    size_t group_count, group_capacity;
    struct txn **txns;
    size_t txn_count, txn_capacity;
    struct happening *heap;
    size_t heap_count, heap_capacity;
    struct kafka_consumer **consumers; /* open ones */
    size_t consumer_count, consumer_capacity;
    struct kafka_producer **producers;
    size_t producer_count, producer_capacity;
    uint64_t order;
    int64_t next_producer_id;
    int topic_ids;
    int64_t gone_until_us, full_until_us;
    bool advancing;
    int64_t at_us; /* of what is happening */
};

extern struct cluster *cluster;

void cluster_at(int64_t at_us, void (*happens)(void *what), void *what);
void cluster_advance(void); /* all that is due by now */
int64_t model_now_us(void); /* inside a happening: its time, even when it is made up for later */
bool cluster_is_gone(void);
bool cluster_is_full(void);
void cluster_wake(int process);
void cluster_log_grew(const struct log *log); /* wakes who waits for it */

int64_t draw_us(int64_t from_us, int64_t to_us); /* of the run's chance */
int64_t latency_us(void);                        /* one way */

/* --- waiting ------------------------------------------------------------------------------------ */

void wait_until_us(int64_t at_us); /* the calling process sleeps; the cluster goes on */
/* A question to a broker, in two halves: what it does there happens between them.
 *
 *     if (!question_arrives(&q, "ask", timeout_ms))   nothing was done
 *         ...
 *     effect
 *     if (!question_is_answered(&q))                  it was done, and nobody knows
 *
 * Both return false when the time-out has passed.  step: for sim_strikes. */
struct question {
    int64_t until_us;
    bool lost, late;
};
bool question_arrives(struct question *q, const char *step, int timeout_ms);
bool question_is_answered(struct question *q);
enum err_code answer_down(struct err *err, const char *what);

#endif
