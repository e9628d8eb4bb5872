/* connectors/kafka/producer_parts.h - a producer's inside, for the two files that make it up: producer.c
 * sends records and hears what became of them, transaction.c begins, commits and aborts.  Private to
 * them.
 */
#ifndef ATTENT_CONNECTORS_KAFKA_PRODUCER_PARTS_H
#define ATTENT_CONNECTORS_KAFKA_PRODUCER_PARTS_H

#include "connectors/kafka/client.h"

enum {
    PRODUCER_DELIVERY_TIMEOUT_MS =
        10000, /* message.timeout.ms: after it a record counts as refused */
    PRODUCER_PURGE_MS = 2000,
};

struct topic_handle {
    char *name;
    rd_kafka_topic_t *handle;
    unsigned char *known; /* enum acquaintance, by partition */
    size_t known_count;
};

struct kafka_producer {
    rd_kafka_t *rk;
    rd_kafka_queue_t *reports;
    int wake; /* an eventfd: reports have come */
    bool transactional;
    size_t outstanding; /* queued, not yet reported */
    size_t firsts;      /* partitions that a first record is on its way to */
    struct err failure; /* of the first record that failed since the last flush */
    bool failure_is_purge;
    struct topic_handle *topics;
    size_t topic_count, topic_capacity;
};

/* Whatever waits for more goes out now; until all is reported, or the first record fails. */
void producer_settle(struct kafka_producer *p, int timeout_ms);

enum err_code producer_init_transactions(struct kafka_producer *p, struct err *err);

#endif
