/* tests/sim/kafka_clients.h - a consumer's and a producer's inside.  Private to tests/sim/kafka_*.c.
 *
 * Process and client may be gone while something of them is still under way: `dead` says so, and
 * whatever happens looks at it first.
 */
#ifndef TESTS_SIM_KAFKA_CLIENTS_H
#define TESTS_SIM_KAFKA_CLIENTS_H

#include "tests/sim/kafka_parts.h"

enum {
    CLIENT_TIMEOUT_MS = 10000,
};

/* --- consumer (kafka_read.c, kafka_slots.c, kafka_member.c) ------------------------------------------ */

struct slot { /* a partition that is mine */
    struct str topic;
    int32_t partition;
    struct log *log;    /* NULL: to be looked for */
    int64_t start;      /* KAFKA_OFFSET_BEGIN or _END: to be found out with the first fetch */
    int64_t position;   /* of the queue's first record */
    int64_t fetched_to; /* its end */
    int64_t eof_at;     /* the last end that was come to, -1: none */
    bool eof_queued;
    int64_t answer_us; /* the fetch under way is answered */
    int64_t high;      /* the log's end as of the last fetch, -1: not known */
    int64_t wanted, read_to;
    bool held, paused, at_end;
    bool failed;                /* not fetched until a seek */
    bool signalled;             /* `wake` was set for what is queued */
    enum err_code queued_fault; /* comes with the next take */
    enum err_code fault;        /* to be told */
    const char *fault_text;
};

enum membership { MEMBER_ALONE, MEMBER_JOINING, MEMBER_STABLE, MEMBER_REVOKING };

struct kafka_consumer {
    int process;
    bool dead;
    struct kafka_listener listener;
    struct slot *slots;
    size_t slot_count, turn;
    enum err_code fault; /* of the whole client */
    char fault_text[sizeof((struct err *)0)->text];
    const char *told_topic;
    int32_t told_partition;

    struct group *group; /* NULL: alone */
    struct member member;
    enum membership state;
    uint64_t member_id; /* as far as the client knows; 0: none */
    int32_t generation;
    bool assign_due, lost;
    bool asks_to_join;    /* the request has not arrived yet */
    int64_t heartbeat_us; /* the next */
    int64_t learns_us;    /* no heartbeat is answered before */

    bool committing, commit_ok;
    int64_t commit_us; /* its answer, NEVER_US: not yet */
    struct kafka_partition *commit_offsets;
    size_t commit_count;
    uint64_t commit_member;
    int32_t commit_generation;
    void (*commit_done)(void *context, bool ok);
    void *commit_context;

    bool waiting, wake;
};

struct slot *consumer_slot(const struct kafka_consumer *c, const char *topic, int32_t partition);
bool consumer_reads(const struct kafka_consumer *c, const struct log *log);
void consumer_set_fault(struct kafka_consumer *c, enum err_code code, const char *text);
void consumer_assign(struct kafka_consumer *c, const struct kafka_partition *partitions,
                     size_t count);
/* Asks for what the group committed; takes time. */
enum err_code consumer_resolve(struct kafka_consumer *c, struct kafka_partition *partitions,
                               size_t count, struct err *err);
/* A beginning or an end becomes a number. */
enum err_code consumer_place(struct kafka_partition *p, struct err *err);

void slot_fetch(struct slot *s); /* what has come by now */
bool slot_has(const struct slot *s);
int64_t slot_next_us(struct slot *s); /* when it is worth a look; NEVER_US: when the log grows */
void slot_seek(struct slot *s, int64_t offset);

void member_begin(struct kafka_consumer *c);
void member_look(struct kafka_consumer *c);  /* what its heartbeats have told it by now */
void member_serve(struct kafka_consumer *c); /* calls listeners, takes time */
void member_leave(struct kafka_consumer *c);
int64_t member_next_us(const struct kafka_consumer *c);

/* --- producer (kafka_send.c, kafka_produce.c, kafka_commit.c) ------------------------------------------ */

struct kafka_receipt {
    size_t outstanding, refused;
    bool dropped;
};

struct message {
    struct record record;
    struct kafka_receipt *receipt;
    int64_t queued_us;
    uint64_t number; /* of this producer's messages */
    struct message *next;
};

struct lane { /* what is queued for a partition */
    struct str topic;
    int32_t partition;
    struct message *first, *last;
    int32_t next_sequence, next_acknowledged;
    bool added; /* to the transaction */
};

struct batch { /* a request on its way */
    struct kafka_producer *producer;
    struct lane *lane;
    struct log *log;
    struct message **messages;
    const struct record **records;
    size_t count;
    struct batch_head head;
    enum answer answer;
    int64_t next_us;    /* it arrives, or its answer does; NEVER_US: it will not */
    bool done;          /* its messages have been reported */
    bool again;         /* its client sends it once more */
    struct batch *next; /* in the list of those that are to be reported */
};

enum { IN_FLIGHT_MAX = 5 };

enum producer_state { PRODUCER_IDLE, PRODUCER_OPEN, PRODUCER_ABORTABLE, PRODUCER_FATAL };

struct kafka_producer {
    int process, fd;
    bool dead;
    size_t message_bytes_max;
    struct txn *txn; /* NULL: idempotent only */
    int64_t transaction_timeout_us;
    int64_t producer_id;
    int16_t epoch;
    enum producer_state state;
    enum err_code fatal; /* with PRODUCER_FATAL */
    bool out_of_order;
    bool touched;  /* the transaction is known to the coordinator */
    bool bump;     /* its numbers are no longer those of the broker */
    bool draining; /* nothing is sent until all in flight is answered */
    bool pump_due; /* it will be looked at */
    bool adding;   /* partitions are being added to the transaction */
    size_t outstanding;
    struct err failure;
    uint64_t numbers;
    struct lane **lanes;
    size_t lane_count, lane_capacity;
    struct batch *flights[IN_FLIGHT_MAX];
    size_t flight_count;
    struct batch *reports, *last_report;
    int64_t wire_us, back_us; /* requests and answers do not overtake each other */
};

void producer_pump_at(struct kafka_producer *p, int64_t at_us);
void producer_hear(struct kafka_producer *p); /* reports: receipts, failure, outstanding */
void producer_purge(struct kafka_producer *p);
void producer_fail(struct kafka_producer *p, enum err_code code); /* for good */
void producer_renumber(struct kafka_producer *p, int16_t epoch);
int64_t producer_next_us(const struct kafka_producer *p); /* it is worth a look */
enum err_code producer_settle(struct kafka_producer *p, int timeout_ms);

#endif
