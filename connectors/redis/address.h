/* connectors/redis/address.h - how Redis is named in a configuration.
 *
 *     host:port  [v6]:port  host  unix:/path        one server
 *     redis://[user[:password]@]host[:port][/0]     one server
 *     redis+cluster://[...@]host:port,host:port     a cluster; any of its nodes, better several
 *     rediss://...  rediss+cluster://...            the same with TLS
 *
 * User and password may be percent-encoded.  Only database 0 is used: a cluster has no other.
 */
#ifndef ATTENT_CONNECTORS_REDIS_ADDRESS_H
#define ATTENT_CONNECTORS_REDIS_ADDRESS_H

#include "core/err.h"
#include "core/str.h"

enum { REDIS_NODES_MAX = 64, REDIS_NODE_SIZE = 280 }; /* named in an address; a host and a port */

struct redis_node { /* one server */
    char host[256]; /* a path when port is 0 */
    int port;
    char text[REDIS_NODE_SIZE]; /* as it is shown: "host:port", "[v6]:port", "unix:/path" */
};

/* port 0: host is the path of a Unix socket */
void redis_node_set(struct redis_node *node, struct str host, int port);

struct redis_address {
    bool cluster, tls;
    char user[256], password[512]; /* empty: not said */
    struct redis_node nodes[REDIS_NODES_MAX];
    size_t count;
};

/* ERR_CONFIG: err says what is wrong with it, never its password. */
enum err_code redis_address_read(struct str text, struct redis_address *out, struct err *err);

#endif
