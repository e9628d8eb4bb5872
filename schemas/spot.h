/* schemas/spot.h - where a record stands: TOPIC/PARTITION/OFFSET, as headers, keys and people write it. */
#ifndef ATTENT_SCHEMAS_SPOT_H
#define ATTENT_SCHEMAS_SPOT_H

#include "core/buf.h"
#include "core/record.h"

struct spot {
    struct str topic;
    int32_t partition;
    int64_t offset;
};

struct spot spot_of(const struct record *record);

void spot_put(struct buf *out, const struct spot *spot);

/* A name that Kafka takes, and two decimal numbers without sign or leading zero.  The topic is borrowed
 * from text.  False: it is none. */
bool spot_read(struct str text, struct spot *out);

bool spot_equal(const struct spot *a, const struct spot *b);

/* One of the two numbers. */
bool spot_read_number(struct str text, int64_t max, int64_t *out);

/* A number likewise, of milliseconds, that may have a sign. */
bool spot_read_time(struct str text, int64_t *out);

#endif
