/* connectors/redis/reply.h - what Redis answers, as a tree. */
#ifndef ATTENT_CONNECTORS_REDIS_REPLY_H
#define ATTENT_CONNECTORS_REDIS_REPLY_H

#include <stdint.h>

#include "core/str.h"

struct redis_reply;

enum redis_kind { REDIS_NIL, REDIS_TEXT, REDIS_STATUS, REDIS_ERROR, REDIS_INTEGER, REDIS_LIST };

enum redis_kind redis_reply_kind(const struct redis_reply *reply);
struct str redis_reply_text(const struct redis_reply *reply); /* text, status, error; else empty */
int64_t redis_reply_integer(const struct redis_reply *reply);
size_t redis_reply_count(const struct redis_reply *reply); /* of a list; else 0 */
const struct redis_reply *redis_reply_at(const struct redis_reply *list, size_t index);
bool redis_reply_is_no_script(const struct redis_reply *reply);
void redis_reply_free(struct redis_reply *reply); /* the whole; NULL allowed */

/* One that comes whole in these bytes, as over the wire; NULL: it does not.  For tests. */
struct redis_reply *redis_reply_read(struct str bytes);

#endif
