/* connectors/redis/link.h - one connection to one Redis server: commands go out, replies come back in
 * the same order.
 *
 * For who keeps an order of their own over several servers (the worker's store); others use redis.h.
 * After ERR_DOWN the connection is closed and what was outstanding is lost: it may or may not have
 * happened.  redis_link_ready connects again.  One thread at a time.
 */
#ifndef ATTENT_CONNECTORS_REDIS_LINK_H
#define ATTENT_CONNECTORS_REDIS_LINK_H

#include "connectors/redis/address.h"
#include "connectors/redis/reply.h"

struct redis_link;

struct redis_access {       /* borrowed, outlives the links */
    const char *user;       /* empty: the default user */
    const char *password;   /* empty: none */
    bool tls;               /* only where the build has it (redis_link_has_tls) */
    const char *ca_file;    /* empty: the system's */
    int connect_timeout_ms; /* and of the first commands */
    int timeout_ms;         /* of one reply */
};

/* Not connected yet. */
struct redis_link *redis_link_new(const struct redis_node *node, const struct redis_access *access);
void redis_link_free(struct redis_link *link); /* NULL allowed */
const struct redis_node *redis_link_node(const struct redis_link *link);

/* Connected?  If not, try once: connect, authenticate, and look whether this server may be trusted with
 * state.  ERR_CONFIG: it may not (it evicts keys, refuses the password); ERR_DOWN: it does not answer,
 * or is loading its data. */
enum err_code redis_link_ready(struct redis_link *link, struct err *err);
/* The same for a look at it only: whether it evicts does not matter. */
enum err_code redis_link_look(struct redis_link *link, struct err *err);
void redis_link_drop(struct redis_link *link); /* the connection; what is outstanding is lost */

/* What it said of itself when it was connected last. */
struct redis_manners {
    bool cluster; /* it is a node of one */
    bool appends; /* appendonly yes */
};
struct redis_manners redis_link_manners(const struct redis_link *link);

/* Which connection this is: another number after each that was made anew, over all links; 0: there is
 * none.  What was sent over another one gets no reply any more. */
uint64_t redis_link_connection(const struct redis_link *link);
size_t redis_link_outstanding(const struct redis_link *link); /* replies */
int redis_link_fd(const struct redis_link *link);             /* -1: not connected */

/* Send one command (bytes are copied); not connected: nothing, receive says so. */
void redis_link_send(struct redis_link *link, const struct str *args, size_t count);
/* Its reply is of no interest: it is taken when it comes. */
void redis_link_send_silent(struct redis_link *link, const struct str *args, size_t count);
/* Write what was sent, without waiting for a reply (a receive does that too). */
void redis_link_push(struct redis_link *link);

/* Wait for the next reply; the caller frees it.  An error reply of Redis is a reply too. */
enum err_code redis_link_receive(struct redis_link *link, struct redis_reply **out,
                                 struct err *err);
/* The same without waiting: *out is NULL when it has not come yet. */
enum err_code redis_link_try_receive(struct redis_link *link, struct redis_reply **out,
                                     struct err *err);

/* --- scripts ------------------------------------------------------------------------------ */

struct redis_script {
    const char *text; /* Lua */
    char sha[41];     /* set by redis_script_learn; start with "" */
};

/* Send EVALSHA with `keys` keys at the front of args.  When the reply is redis_reply_is_no_script
 * (Redis was restarted), send again, the whole of it. */
void redis_script_send(struct redis_link *link, const struct redis_script *script,
                       const struct str *args, size_t keys, size_t count, bool whole);

#endif
