/* connectors/redis/scan.h - all keys that begin alike, with their values: to compare and to look at,
 * not for the hot path (it walks the whole of Redis).
 */
#ifndef ATTENT_CONNECTORS_REDIS_SCAN_H
#define ATTENT_CONNECTORS_REDIS_SCAN_H

#include "connectors/redis/redis.h"
#include "core/arena.h"

struct redis_pair {
    struct str name; /* what follows the prefix */
    struct str value;
};

/* Sorted by name, in arena.  Of keys that are no strings the value is empty. */
enum err_code redis_scan(struct redis *r, struct str prefix, struct arena *arena,
                         struct redis_pair **out, size_t *count, struct err *err);

#endif
