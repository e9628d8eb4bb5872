/* processors/worker/evidence.h - which partitions of a step have written to its output topics?
 *
 * Asked when a partition has no state: numbering again from 1 would look like repeats to every
 * reader, and they would drop it all.
 */
#ifndef ATTENT_PROCESSORS_WORKER_EVIDENCE_H
#define ATTENT_PROCESSORS_WORKER_EVIDENCE_H

#include "connectors/kafka/kafka.h"

struct evidence_topic {
    const char *name;
    int32_t partitions;
};

/* Look through the last records of each partition of the topics: sets seen[N] where one says that
 * it is from step/N, N < seen_count.  asked: any consumer, for its connections.  ERR_DOWN,
 * ERR_KAFKA: nobody knows. */
enum err_code evidence_look(const struct kafka_settings *kafka, struct kafka_consumer *asked,
                            const struct evidence_topic *topics, size_t topic_count,
                            const char *step, bool *seen, size_t seen_count, struct err *err);

#endif
