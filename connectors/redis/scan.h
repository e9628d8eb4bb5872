/* connectors/redis/scan.h - all keys that begin alike, with their values: to compare, to count and to
 * look at, not for the hot path (it walks the whole of Redis, of a cluster each primary; only that
 * of the slot when the prefix has a whole hash tag).  Reads only.  Not while slots are being moved: what
 * is moved from a server that comes later to one that came before is missed.
 */
#ifndef ATTENT_CONNECTORS_REDIS_SCAN_H
#define ATTENT_CONNECTORS_REDIS_SCAN_H

#include "connectors/redis/redis.h"
#include "core/arena.h"

struct redis_walk {
    struct str prefix;
    void *context;
    /* A key that begins so, in no order: what follows the prefix, and the value, empty where it is
     * no string.  Both are borrowed.  A key may come twice while Redis grows.  An error ends the
     * walk. */
    enum err_code (*each)(void *context, struct str name, struct str value, struct err *err);
};

/* One server, one page after the other: it takes no more memory than one. */
enum err_code redis_walk(struct redis *r, const struct redis_walk *walk, struct err *err);

struct redis_pair {
    struct str name; /* what follows the prefix */
    struct str value;
};

/* All of them, each once and sorted by name, in arena. */
enum err_code redis_scan(struct redis *r, struct str prefix, struct arena *arena,
                         struct redis_pair **out, size_t *count, struct err *err);

#endif
