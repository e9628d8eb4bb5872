/* processors/dispatch/abreast.h - nothing that waited goes before the log has been read up to now.
 *
 *     attent.tasks:  ... task a, PENDING until 9:00 ... | ... "nothing commercial any more" |  end
 *                                                       ^ read so far          at 9:00, asked ^
 *
 * A withdrawal or a wish that Kafka acknowledged before a task's turn came lies below the end of the
 * log as it was then.  So when something is due the ends are asked for, once for all partitions, and
 * what waits in a partition goes when it has been read that far: also after an hour in which nobody
 * read.
 */
#ifndef ATTENT_PROCESSORS_DISPATCH_ABREAST_H
#define ATTENT_PROCESSORS_DISPATCH_ABREAST_H

#include "connectors/kafka/kafka.h"
#include "processors/dispatch/plan.h"

/* Sets `behind` of each of the partitions (count of them, of `topic`), after the round's records.
 * Asks the cluster if something is due; without an answer those with something due are behind. */
void abreast_look(struct kafka_consumer *consumer, const char *topic, const struct plan *plan,
                  struct partition *partitions, size_t count);

#endif
