/* tests/contract/kafka/play.h - random sequences of calls of kafka.h, and what comes back as a text.
 *
 * The program is linked twice, with connectors/kafka (real) and with the model of tests/sim (model),
 * and both have to print the same.
 *
 *     real BROKERS FIRST COUNT SEQUENCES     model - FIRST COUNT SEQUENCES
 *
 * plays the sessions of the seeds FIRST, FIRST + 1, ...: each has topics of its own and so many
 * sequences of calls.  A line is "SEED/SEQUENCE what came back".  What depends on who is quicker is
 * not printed: the session knows where each log must end, waits until it does, and prints then.
 */
#ifndef TESTS_CONTRACT_KAFKA_PLAY_H
#define TESTS_CONTRACT_KAFKA_PLAY_H

#include "connectors/kafka/kafka.h"
#include "core/rng.h"

enum {
    TOPICS = 3,
    PARTITIONS_MAX = 3,
    SENDERS = 2,
    SMALL = 2,
    SMALL_BYTES = 1000,
    WAIT_MS = 20000
};

struct spot {                     /* a partition, as it must be */
    int64_t next;                 /* where its log ends */
    int64_t open_at[SENDERS];     /* first offset of a sender's open transaction; -1: none */
    bool in_transaction[SENDERS]; /* a marker will come */
};

struct board {
    char topic[48];
    int partitions;
    struct spot spots[PARTITIONS_MAX];
};

struct sender { /* a transactional producer */
    char id[48];
    struct kafka_producer *producer;
    bool open;
};

struct play {
    struct rng rng;
    uint64_t seed;
    int sequence, names;
    struct kafka_settings settings;
    struct board boards[TOPICS]; /* the one called SMALL takes SMALL_BYTES at most */
    struct kafka_producer *plain;
    struct sender senders[SENDERS];
    char shadow[48];               /* a topic that nobody reads: see await_markers */
    struct kafka_consumer *reader; /* of all partitions */
};

/* play.c */
uint64_t draw(struct play *p, uint64_t bound);
void say(const struct play *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *word(enum err_code code);
void must(const struct play *p, enum err_code code, const char *what, const struct err *err);
struct board *draw_board(struct play *p);
int64_t stable_end(const struct spot *s);

/* write.c */
void write_open(struct play *p);
void write_close(struct play *p);
void write_plain(struct play *p);
void write_refused(struct play *p);
void write_transaction(
    struct play *p); /* a step of a transaction: begin, write, end, or a wrong one */
void write_fenced(struct play *p);
/* One record more in a partition, not in a transaction. */
void write_one(struct play *p, struct board *b, int32_t partition);
void end_transaction(struct play *p, size_t sender, bool commit);

/* read.c */
void read_open(struct play *p);
void read_some(struct play *p);     /* seek to somewhere, and read to the end */
void read_nowhere(struct play *p);  /* seek to what is not there */
void read_from_end(struct play *p); /* only what comes */
void read_paused(struct play *p);
void read_afresh(struct play *p); /* by a new consumer */
void read_rest(struct play *p, struct kafka_consumer *c, struct board *b, int32_t partition);
void read_answers(struct play *p); /* bounds, ends, counts, also of what is not there */

/* group.c */
void group_play(struct play *p);

#endif
