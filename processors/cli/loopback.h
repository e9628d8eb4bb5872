/* processors/cli/loopback.h - ports of 127.0.0.1 for what `attent dev` starts. */
#ifndef ATTENT_PROCESSORS_CLI_LOOPBACK_H
#define ATTENT_PROCESSORS_CLI_LOOPBACK_H

#include <netinet/in.h>

struct sockaddr_in loopback_address(int port);

/* `preferred` if nobody listens there now, else one that the system picks (always for 0).  0: the
 * system gives none.  Somebody else may take it before you do. */
int loopback_free_port(int preferred);

#endif
