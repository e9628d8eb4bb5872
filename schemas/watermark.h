/* schemas/watermark.h - a control record of ingest: how far a source has been read.
 *
 *   {"source": "billing", "partitions": 6,
 *    "read": [{"partition": 0, "until": "2026-03-04T08:00:00Z"}]}
 *
 * "Every record of partition 0 with a timestamp before `until` stands in this log before this
 * record."  Partitions that are not named stay where they were.  {"source": "billing", "follows":
 * true}: from here on the source counts as read up to the log's own time (rule tests, backfill).
 */
#ifndef ATTENT_SCHEMAS_WATERMARK_H
#define ATTENT_SCHEMAS_WATERMARK_H

#include "core/json.h"
#include "core/limit.h"

struct watermark_part {
    int32_t partition;
    int64_t until_ms;
};

struct watermark {
    struct str source;
    bool follows;
    int32_t partitions; /* how many the source has */
    struct watermark_part *parts;
    size_t part_count;
};

void watermark_put_json(struct buf *out, const struct watermark *w);

/* What is read lives in arena.  False: it is none, err says why. */
bool watermark_read_json(struct str text, struct arena *arena, struct watermark *out,
                         struct err *err);

#endif
