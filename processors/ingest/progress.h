/* processors/ingest/progress.h - how far each source has been read, and telling decide so.
 *
 * A watermark says "every record of this source partition with a timestamp before T stands before
 * this record" (schemas/watermark.h), in every partition of attent.events, in ingest's transaction:
 *
 *   behind           T = the timestamp of the last record read
 *   read to its end  T = now - SLACK, for records on their way; but not more than max_silence after
 *                        the newest record of the whole source: then it is taken to be broken
 *   cannot be read   nothing is said: T stays
 *
 * A source whose events may go by an alias (by_alias) is spoken of in attent.identify instead, whose step
 * passes it on behind the events that it has identified.
 *
 * Only sources with a max_silence (sources.yaml) have watermarks.  The offsets of what is spoken of
 * are committed with it, so who has lost a partition says nothing of it.
 *
 * @thread that of struct ingest
 */
#ifndef ATTENT_PROCESSORS_INGEST_PROGRESS_H
#define ATTENT_PROCESSORS_INGEST_PROGRESS_H

#include "processors/ingest/ingest.h"

struct progress;

struct progress *progress_new(const struct ingest_config *config);
void progress_free(struct progress *p); /* NULL allowed */

/* A source whose watermarks go through attent.identify is read there in so many ways as that has
 * partitions.  ERR_CONFIG: that are too many. */
enum err_code progress_check(const struct ingest_config *config, const struct ingest_source *source,
                             struct err *err);

void progress_assigned(struct progress *p, const struct kafka_partition *partitions, size_t count);
void progress_revoked(struct progress *p); /* all */

/* A record was taken in the round at hand.  After a round that failed: progress_undo. */
void progress_note(struct progress *p, size_t source, const struct record *record);
void progress_undo(struct progress *p);

/* Is there something new to say, an interval after the last time?  Called after each poll; asks
 * Kafka about partitions that are quiet. */
bool progress_look(struct progress *p, struct kafka_consumer *consumer, int64_t now_ms);

/* Say it, in the open transaction.  offsets: room for progress_count; what is spoken of, with the
 * offset that has been reached. */
size_t progress_count(const struct progress *p);
enum err_code progress_write(struct progress *p, struct kafka_producer *producer, int64_t now_ms,
                             struct arena *arena, struct kafka_partition *offsets, size_t *count,
                             struct err *err);
void progress_written(struct progress *p); /* it has been committed */

/* Which sources are behind or silent, as a sentence; nothing: none.  Sets the gauges. */
void progress_report(struct progress *p, int64_t now_ms, struct buf *out);

#endif
