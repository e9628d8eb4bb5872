/* processors/dispatch/queue_topics.h - is the topic of a queue there?
 *
 * A task for a topic that is not there would fail its whole transaction, again and again, so
 * dispatch asks first.  Answers are believed for a while.  One thread at a time.
 */
#ifndef ATTENT_PROCESSORS_DISPATCH_QUEUE_TOPICS_H
#define ATTENT_PROCESSORS_DISPATCH_QUEUE_TOPICS_H

#include "connectors/kafka/kafka.h"

struct queue_topics;

struct queue_topics *queue_topics_new(void);
void queue_topics_free(struct queue_topics *topics); /* NULL allowed */

/* asked: an open consumer, for its connections.  True also when Kafka does not answer: nobody
 * knows then, and the transaction will tell. */
bool queue_topics_ask(struct queue_topics *topics, struct kafka_consumer *asked, struct str topic);

/* After a transaction that failed: a topic may have gone. */
void queue_topics_forget(struct queue_topics *topics);

#endif
