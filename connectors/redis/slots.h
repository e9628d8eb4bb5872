/* connectors/redis/slots.h - where a key lives in a Redis Cluster: slots, and what nodes say of them.
 *
 * A key's slot is the CRC16 of its hash tag (what stands between the first { and the next }, if that
 * is something; else the whole key) modulo 16384.  Pure: no connection, no state.
 */
#ifndef ATTENT_CONNECTORS_REDIS_SLOTS_H
#define ATTENT_CONNECTORS_REDIS_SLOTS_H

#include "connectors/redis/reply.h"
#include "core/err.h"

enum { SLOTS_COUNT = 16384 };

uint16_t slots_crc16(struct str bytes);     /* CRC-16/XMODEM */
struct str slots_hash_part(struct str key); /* the tag, or all of it */
int slots_of_key(struct str key);

struct slots_place { /* borrowed */
    struct str host; /* empty: that of the node that says so */
    int port;
};

/* A reply of CLUSTER SLOTS (Redis 3 to 7): each range with the place of its primary.  False: it is
 * none, err says what is wrong; some may have been given before. */
bool slots_read(const struct redis_reply *reply, void *context,
                void (*each)(void *context, int first, int last, const struct slots_place *primary),
                struct err *err);

/* An error reply "MOVED 3999 127.0.0.1:6381" or "ASK ...".  False: it is neither. */
struct slots_redirect {
    bool ask; /* this once only */
    int slot;
    struct slots_place to;
};
bool slots_read_redirect(struct str text, struct slots_redirect *out);

#endif
