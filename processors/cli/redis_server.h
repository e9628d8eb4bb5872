/* processors/cli/redis_server.h - the private Redis of `attent dev`.
 *
 * A redis-server of our own in a temporary folder, empty at the start, on a free loopback port, ended with this process even if that is killed.
 */
#ifndef ATTENT_PROCESSORS_CLI_REDIS_SERVER_H
#define ATTENT_PROCESSORS_CLI_REDIS_SERVER_H

#include "core/err.h"

struct redis_server;

/* ERR_DOWN: redis-server is not installed or did not start; err says what to do. */
enum err_code redis_server_start(struct redis_server **out, struct err *err);
const char *redis_server_address(const struct redis_server *server); /* "127.0.0.1:PORT" */
void redis_server_stop(struct redis_server *server); /* waits, removes its folder; NULL allowed */

#endif
