/* core/record.h - one record of a log: what Kafka keeps, without Kafka.
 *
 * All bytes are borrowed: a record that was read lives until its batch is released, one to be
 * written until the call that takes it returns.
 */
#ifndef ATTENT_CORE_RECORD_H
#define ATTENT_CORE_RECORD_H

#include <stdint.h>

#include "core/hash.h"
#include "core/str.h"

struct header {
    struct str name;
    struct str value;
};

struct record {
    struct str topic;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms;
    struct str key;   /* {NULL, 0}: none */
    struct str value; /* {NULL, 0}: none (a tombstone) */
    const struct header *headers;
    size_t header_count;
};

/* Of all that a reader sees of its content: time, key, headers, value. */
struct hash128 record_hash(const struct record *record);

/* The value of the last header of that name, {NULL, 0} when there is none. */
struct str record_header(const struct record *record, struct str name);

#endif
