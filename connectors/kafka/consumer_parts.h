/* connectors/kafka/consumer_parts.h - a consumer's inside, for the two files that make it up:
 * consumer.c reads, consumer_slots.c knows which partitions are mine.  Private to them.
 */
#ifndef ATTENT_CONNECTORS_KAFKA_CONSUMER_PARTS_H
#define ATTENT_CONNECTORS_KAFKA_CONSUMER_PARTS_H

#include "connectors/kafka/client.h"
#include "core/arena.h"

struct slot { /* a partition that is mine */
    char *topic;
    size_t topic_bytes;
    int32_t partition;
    rd_kafka_queue_t *queue;
    int64_t wanted;   /* records below are dropped */
    int64_t read_to;  /* all below has been delivered, or never will be (control batches) */
    int64_t start;    /* where it was assigned to, or sought last */
    bool held;        /* nothing is read until a seek */
    bool unplaced;    /* held, and nobody said where the log ends */
    bool off_the_log; /* its offset was not there: librdkafka has stopped it */
    bool at_end;
    enum err_code fault; /* not yet told; ERR_NONE: none */
    char *fault_text;
    rd_kafka_message_t **messages; /* lent out, until they are released */
    size_t message_count, message_capacity;
    struct arena *arena; /* their headers */
};

struct kafka_consumer {
    rd_kafka_t *rk;
    rd_kafka_queue_t *main;
    int wake;
    struct kafka_listener listener;
    struct slot *slots;
    size_t slot_count;
    size_t turn; /* the slot that poll looks at first */
    bool given;  /* partitions have come since poll looked last */

    enum err_code fault; /* of the whole client */
    char fault_text[sizeof((struct err *)0)->text];
    char *told_topic; /* of the last error returned; NULL: the whole client */
    int32_t told_partition;

    bool committing;
    void (*commit_done)(void *context, bool ok);
    void *commit_context;
};

struct slot *consumer_slot(const struct kafka_consumer *c, const char *topic, int32_t partition);
void consumer_drop_slots(struct kafka_consumer *c);
void consumer_release_slot(struct slot *s);
/* hold_unknown: what is to begin at a bound of its log is held when nobody says where that is, and a
 * fault says so; else librdkafka goes on asking, and nobody may seek it meanwhile. */
void consumer_assign(struct kafka_consumer *c, struct kafka_partition *partitions, size_t count,
                     bool hold_unknown);
void consumer_set_fault(struct kafka_consumer *c, enum err_code code, const char *text);
void consumer_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t error,
                           rd_kafka_topic_partition_list_t *list, void *opaque);

#endif
