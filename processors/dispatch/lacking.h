/* processors/dispatch/lacking.h - tasks that do not come: alarm, and are they lost?
 *
 * Nothing of a source is taken behind a number that is missing (schemas/chain.h).  For a moment that is
 * as it should be; after a minute it is said, and its producer's state is asked.
 */
#ifndef ATTENT_PROCESSORS_DISPATCH_LACKING_H
#define ATTENT_PROCESSORS_DISPATCH_LACKING_H

#include "processors/dispatch/dispatch.h"
#include "processors/dispatch/partition.h"

/* Every second or so.  why: set to a sentence about the worst, if there is one. */
void lacking_look(const struct dispatch_config *config, struct kafka_consumer *consumer,
                  struct partition *partition, struct err *why);

#endif
