/* processors/dispatch/ledger_topic.h - a new owner reads the ledgers of its partitions.
 *
 * How it knows that it has read them to their end: reading only what is committed, a log seems to
 * end before the first transaction that is still open, and the one before us may be committing
 * just now.  So the new owner writes its name in a transaction of its own and reads until it
 * comes by: all that was written before it is decided by then.  What the old owner writes after it
 * will never be committed, because its membership in the group is over.
 */
#ifndef ATTENT_PROCESSORS_DISPATCH_LEDGER_TOPIC_H
#define ATTENT_PROCESSORS_DISPATCH_LEDGER_TOPIC_H

#include "connectors/kafka/kafka.h"
#include "processors/dispatch/partition.h"

/* Fill ledger, sources and now_ms (the latest time in the ledger) of partitions that were just
 * opened.  asked: an open consumer, for its connections.  producer has no transaction open.
 * One with a record that dispatch never writes is marked broken: it is left alone. */
enum err_code ledger_topic_read(const struct kafka_settings *kafka, struct kafka_consumer *asked,
                                struct kafka_producer *producer, const char *topic,
                                struct partition *partitions, size_t count, bool *fatal,
                                struct err *err);

#endif
