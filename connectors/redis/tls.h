/* connectors/redis/tls.h - TLS on a connection to Redis, where hiredis has it (1.0 and later, with
 * hiredis_ssl; the build looks).  Debian 12 has hiredis 0.14, which does not.  For link.c alone.
 */
#ifndef ATTENT_CONNECTORS_REDIS_TLS_H
#define ATTENT_CONNECTORS_REDIS_TLS_H

#include "connectors/redis/address.h"

struct redisContext;

/* Shake hands and verify the server's certificate and name.  ca_file empty: the system's. */
enum err_code redis_tls_begin(struct redisContext *context, const struct redis_node *node,
                              const char *ca_file, struct err *err);

#endif
