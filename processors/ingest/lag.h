/* processors/ingest/lag.h - how late this process is with each source, for /metrics.
 *
 * The age of the last record read of a partition that has more to read; 0 where it has been read to its
 * end, as far as that is known.  Of a source its latest partition counts.
 *
 * @thread that of struct ingest
 */
#ifndef ATTENT_PROCESSORS_INGEST_LAG_H
#define ATTENT_PROCESSORS_INGEST_LAG_H

#include "processors/ingest/ingest.h"

struct lag;

struct lag *lag_new(const struct ingest_config *config);
void lag_free(struct lag *lag); /* NULL allowed */

void lag_assigned(struct lag *lag, const struct kafka_partition *partitions, size_t count);
void lag_revoked(struct lag *lag); /* all */
void lag_note(struct lag *lag, size_t source, const struct record *record);

/* Set the gauges, not more often than each second. */
void lag_tell(struct lag *lag, struct kafka_consumer *consumer, int64_t now_ms);

#endif
