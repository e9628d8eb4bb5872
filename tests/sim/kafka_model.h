/* tests/sim/kafka_model.h - a Kafka cluster that is a calculation: what the driver of a run sees of it.
 *
 * The files kafka_*.c beside this one define every function of connectors/kafka/kafka.h, so a
 * program that is linked with them before the library talks to the model.  It is as the real client and
 * a real cluster are: what is answered, in which order, what is refused, what holds back readers.
 * tests/integration/test_kafka_model.c compares the two over random sequences of calls.
 *
 *     process: kafka_producer, kafka_consumer       (kafka_send.c, kafka_commit.c, kafka_read.c, kafka_slots.c)
 *          |  requests take time: events in a heap  (kafka_cluster.c)
 *     broker: logs, groups, transactions            (kafka_log.c, kafka_group.c, kafka_txn.c)
 *
 * Threads of the real client are events here: they happen, in the order of their times, before anybody
 * looks at the cluster again.  So what a process has queued is on its way while the process waits for
 * something else, and what was on its way when it died may still arrive.
 *
 * There is one cluster at a time.  All memory is the model's own and goes with kafka_model_close.
 * One thread.  A name of a topic that is not there is a bug of the caller (CHECK).
 */
#ifndef TESTS_SIM_KAFKA_MODEL_H
#define TESTS_SIM_KAFKA_MODEL_H

#include "connectors/kafka/kafka.h"

void kafka_model_open(void);
void kafka_model_close(void); /* all clients with it; what was lent out is gone */

/* max_message_bytes 0: 1,048,588, Kafka's default. */
void kafka_model_create_topic(const char *topic, int partitions, size_t max_message_bytes);
bool kafka_model_topic_exists(const char *topic);
int kafka_model_partitions(const char *topic);

/* As a producer outside would: takes no time, never fails.  partition -1: by key.  Gives the offset;
 * bytes are copied. */
int64_t kafka_model_append(const struct record *record);

/* What a read_committed reader would be given from offset `from` on, up to max; borrowed until
 * kafka_model_close.  Sets *next to the offset to go on from. */
size_t kafka_model_read(const char *topic, int32_t partition, int64_t from, struct record *out,
                        size_t max, int64_t *next);

struct kafka_model_bounds {
    int64_t first;  /* where retention has come to */
    int64_t stable; /* where a read_committed reader stops */
    int64_t next;   /* the next one to be written */
};
struct kafka_model_bounds kafka_model_bounds(const char *topic, int32_t partition);
int64_t kafka_model_committed(const char *group, const char *topic,
                              int32_t partition); /* -1: none */
size_t kafka_model_members(const char *group);
int32_t kafka_model_generation(const char *group); /* -1: no such group */

/* Retention: nothing below `first` is there any more. */
void kafka_model_trim(const char *topic, int32_t partition, int64_t first);
/* The last `count` records are lost although they were acknowledged (an unclean election). */
void kafka_model_lose_tail(const char *topic, int32_t partition, int64_t count);
void kafka_model_delete_topic(const char *topic); /* made again by kafka_model_create_topic */

/* The process is dead: no goodbye; its session and its transaction run out.  What it had sent may
 * still arrive. */
void kafka_model_process_died(int process);
/* It stands still until then: no heartbeats. */
void kafka_model_process_stopped(int process, int64_t until_us);

void kafka_model_broker_gone(int64_t until_us); /* no broker answers */
void kafka_model_disk_full(int64_t until_us);   /* nothing is appended */
void kafka_model_share_out(const char *group);  /* the group shares its partitions out anew */
void kafka_model_end_faults(void);              /* brokers and disk are well from now on */

#endif
