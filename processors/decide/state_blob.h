/* processors/decide/state_blob.h - the blob of a customer's state, for state_encode.c and state_decode.c:
 *
 *   version u8 | recent | facts | instances | memories | contacts | consents | limited | merged |
 *   check u32
 *
 * Each part is a count and its items; a time is a zigzag varint, in lists the distance to the one
 * before.  The check is over all that is in front of it.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_STATE_BLOB_H
#define ATTENT_PROCESSORS_DECIDE_STATE_BLOB_H

#include "core/hash.h"
#include "processors/decide/state.h"

enum { STATE_MARK_BYTES = 6 }; /* of a recent event: 48 bits, little endian */

enum { /* what an instance has, in one byte */
       INSTANCE_SENT = 1,
       INSTANCE_TRACED = 2,
       INSTANCE_CHAIN = 4,
       INSTANCE_TIMER = 8,
       INSTANCE_COUNTED = 16,
       INSTANCE_ACCEPTED = 32,
       INSTANCE_WAITS = 64,
       INSTANCE_NOTICE = 128,
};

enum { MEMORY_REFUSED = 1, MEMORY_AGAIN = 2, MEMORY_TIMER = 4 }; /* likewise, a memory */

static inline uint32_t state_check_of(const char *bytes, size_t count)
{
    return (uint32_t)hash_bytes((struct str){bytes, count}, (unsigned char)bytes[0]);
}

#endif
