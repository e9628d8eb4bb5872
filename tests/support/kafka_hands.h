/* tests/support/kafka_hands.h - what hands do to the topics of a real Kafka, and attent never does.
 *
 * Nothing here returns a failure: it fails the test and says why.  One thread.
 */
#ifndef TESTS_SUPPORT_KAFKA_HANDS_H
#define TESTS_SUPPORT_KAFKA_HANDS_H

#include "connectors/kafka/kafka.h"

/* As `kafka-delete-records` does: the log begins at `first`. */
void kafka_hands_trim(const struct kafka_settings *kafka, const char *topic, int32_t partition,
                      int64_t first);

/* As `kafka-topics --delete` and `--create` do: another topic of that name, with nothing in it. */
void kafka_hands_remake(const struct kafka_settings *kafka, const char *topic, int partitions);

#endif
