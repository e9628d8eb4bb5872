/* connectors/redis/redis.h - one connection to Redis: commands, pipelines, scripts.
 *
 * The only folder that includes hiredis.h.  It knows nothing of states or steps.
 *
 * Commands are sent (nothing waits) and their replies received in the same order.  After
 * ERR_DOWN the connection is closed and what was outstanding is lost: it may or may not have
 * happened.  redis_ready connects again.
 * One thread at a time.  Ignores SIGPIPE for the process (hiredis writes to closed sockets).
 */
#ifndef ATTENT_CONNECTORS_REDIS_REDIS_H
#define ATTENT_CONNECTORS_REDIS_REDIS_H

#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct redis;
struct redis_reply;

struct redis_settings {     /* borrowed while redis_open runs */
    const char *address;    /* "host:port", "[v6]:port", "host", or "unix:/path" */
    const char *user;       /* NULL or empty: the default user */
    const char *password;   /* NULL or empty: none */
    int connect_timeout_ms; /* 0: 2000 */
    int timeout_ms;         /* of one reply; 0: 5000 */
};

/* Connect, authenticate, and look whether this Redis may be trusted with state.  ERR_CONFIG: it
 * may not (it evicts keys, or refuses the password); ERR_DOWN: it does not answer. */
enum err_code redis_open(const struct redis_settings *settings, struct redis **out,
                         struct err *err);
void redis_close(struct redis *r); /* NULL allowed */

/* Connected?  If not, try once. */
enum err_code redis_ready(struct redis *r, struct err *err);

/* Which connection this is: another number after each that was made anew; 0: there is none.  What was
 * sent over another one gets no reply any more. */
uint64_t redis_connection(const struct redis *r);

/* Send one command (bytes are copied). */
void redis_send(struct redis *r, const struct str *args, size_t count);

/* Write what was sent, without waiting for a reply (a receive does that too). */
void redis_push(struct redis *r);

/* Wait for the next reply; the caller frees it.  An error reply of Redis is a reply too. */
enum err_code redis_receive(struct redis *r, struct redis_reply **out, struct err *err);

/* The same without waiting: *out is NULL when it has not come yet. */
enum err_code redis_try_receive(struct redis *r, struct redis_reply **out, struct err *err);
/* A file descriptor that can be read when a reply may have come; -1: not connected. */
int redis_fd(const struct redis *r);

/* Both. */
enum err_code redis_command(struct redis *r, const struct str *args, size_t count,
                            struct redis_reply **out, struct err *err);

/* --- scripts ------------------------------------------------------------------------------ */

struct redis_script {
    const char *text; /* Lua */
    char sha[41];     /* set by redis_script_learn; start with "" */
};

/* Load it into Redis, which says its digest.  Nothing may be outstanding. */
enum err_code redis_script_learn(struct redis *r, struct redis_script *script, struct err *err);

/* Send EVALSHA with `keys` keys at the front of args.  When the reply is redis_reply_is_no_script
 * (Redis was restarted), send again with redis_script_send_whole. */
void redis_script_send(struct redis *r, const struct redis_script *script, const struct str *args,
                       size_t keys, size_t count);
void redis_script_send_whole(struct redis *r, const struct redis_script *script,
                             const struct str *args, size_t keys, size_t count);
/* Send and wait, whole if need be. */
enum err_code redis_script_run(struct redis *r, const struct redis_script *script,
                               const struct str *args, size_t keys, size_t count,
                               struct redis_reply **out, struct err *err);

/* --- replies ------------------------------------------------------------------------------ */

enum redis_kind { REDIS_NIL, REDIS_TEXT, REDIS_STATUS, REDIS_ERROR, REDIS_INTEGER, REDIS_LIST };

enum redis_kind redis_reply_kind(const struct redis_reply *reply);
struct str redis_reply_text(const struct redis_reply *reply); /* text, status, error; else empty */
int64_t redis_reply_integer(const struct redis_reply *reply);
size_t redis_reply_count(const struct redis_reply *reply); /* of a list; else 0 */
const struct redis_reply *redis_reply_at(const struct redis_reply *list, size_t index);
bool redis_reply_is_no_script(const struct redis_reply *reply);
void redis_reply_free(struct redis_reply *reply); /* the whole; NULL allowed */

#endif
