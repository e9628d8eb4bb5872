/* connectors/redis/redis.h - Redis, one server or a cluster: commands, pipelines, scripts.
 *
 * The only folder that includes hiredis.h.  It knows nothing of states or steps.
 *
 * A command goes to the server that has its key: the first argument, of EVAL and EVALSHA the third.
 * All keys of a command are in one slot (the same hash tag).  Where a cluster says that a slot is
 * elsewhere, is being moved or is not served for a moment, the command is sent again; when that is in
 * vain, the reply that says so is the reply.
 *
 * After ERR_DOWN the connection is closed and what was outstanding is lost: it may or may not have
 * happened.  The next command connects again.
 * One thread at a time.  Ignores SIGPIPE for the process (hiredis writes to closed sockets).
 */
#ifndef ATTENT_CONNECTORS_REDIS_REDIS_H
#define ATTENT_CONNECTORS_REDIS_REDIS_H

#include "connectors/redis/link.h"
#include "connectors/redis/reply.h"
#include "core/err.h"

struct redis;

enum { REDIS_SERVERS_MAX = 1024 }; /* primaries: more than Redis Cluster is made for */

struct redis_settings {   /* borrowed while redis_open runs */
    const char *address;  /* as address.h says: "host:port", "redis+cluster://a:1,b:2", ... */
    const char *user;     /* NULL or empty: that of the address, else the default user */
    const char *password; /* NULL or empty: that of the address, else none */
    const char *ca_file;  /* with TLS: who signs Redis' certificate; NULL or empty: the system's */
    int connect_timeout_ms; /* 0: 2000 */
    int timeout_ms;         /* of one reply; 0: 5000 */
};

/* Connect, authenticate, and look whether this Redis (each primary of a cluster) may be trusted with
 * state.  ERR_CONFIG: it may not (it evicts keys, or refuses the password), or it is a cluster where a
 * single server is named, or the other way round; ERR_DOWN: it does not answer. */
enum err_code redis_open(const struct redis_settings *settings, struct redis **out,
                         struct err *err);
void redis_close(struct redis *r); /* NULL allowed */

/* What is unwise about it, in a sentence (it does not append to a file: state ends with its process);
 * empty: nothing.  As of the connections made so far.  Valid until the next call. */
const char *redis_advice(struct redis *r);

/* Connected?  If not, try once. */
enum err_code redis_ready(struct redis *r, struct err *err);

/* Send one command and wait for its reply; the caller frees it.  An error reply of Redis is a reply
 * too.  Nothing may be outstanding. */
enum err_code redis_command(struct redis *r, const struct str *args, size_t count,
                            struct redis_reply **out, struct err *err);

/* Send one command (bytes are copied); nothing waits but a connection that has to be made.  Replies
 * come in the order of sending; on different servers the commands are done in any order, and one that
 * was sent again is done later: for commands that do not need each other and may be done twice. */
void redis_send(struct redis *r, const struct str *args, size_t count);
enum err_code redis_receive(struct redis *r, struct redis_reply **out, struct err *err);

/* --- scripts ------------------------------------------------------------------------------ */

/* Load it into Redis (each primary), which says its digest.  Nothing may be outstanding. */
enum err_code redis_script_learn(struct redis *r, struct redis_script *script, struct err *err);

/* --- own pipelines ------------------------------------------------------------------------ */

/* For who sends over links and keeps their order: the link to the server that has a key, connected (of
 * route_now: if it is, else NULL), to be sent to at once; or whether connected or not.  An empty key:
 * any server. */
enum err_code redis_route(struct redis *r, struct str key, struct redis_link **out,
                          struct err *err);
struct redis_link *redis_route_now(struct redis *r, struct str key);
struct redis_link *redis_link_of(const struct redis *r, struct str key);

/* What a reply says.  Each reply of one's own pipeline has to be shown here. */
enum redis_meaning {
    REDIS_ANSWER,    /* it is the answer, good or bad */
    REDIS_ELSEWHERE, /* the key is elsewhere: route again and send again */
    REDIS_NOT_YET,   /* the same a little later: its slot is on the move, its server not ready */
};
enum redis_meaning redis_hear(struct redis *r, const struct redis_link *link,
                              const struct redis_reply *reply);

/* Shall what got such a reply be sent again?  Waits if need be, a third of a second in all.  tries
 * begins with {0}. */
struct redis_tries {
    int hops, waits;
};
bool redis_again(struct redis_tries *tries, enum redis_meaning meaning);

/* Can be read when a reply may have come over a link that owes one; -1: not connected.  Ask each time. */
int redis_fd(const struct redis *r);

/* Servers that hold keys (a single one, or primaries), connected or not; how many. */
size_t redis_servers(const struct redis *r, struct redis_link **out, size_t max);

#endif
