/* connectors/net/transfer.h - a line to a server outside: for HTTP requests (http.h) and for mail
 * (submit.h).
 *
 * A transfer keeps its connections open and uses them again.  TLS certificates are verified,
 * redirects are not followed, proxies of the environment are not used, and unless
 * private_network is set a name that leads to an address which is not public is refused when the
 * socket is opened, so that no name server can send us to our own machines.
 *
 * One thread at a time.  Ignores SIGPIPE for the process (OpenSSL writes to closed sockets).  Behind
 * it stands libcurl, included by this folder only.
 */
#ifndef ATTENT_CONNECTORS_NET_TRANSFER_H
#define ATTENT_CONNECTORS_NET_TRANSFER_H

#include "core/err.h"
#include "core/str.h"

struct transfer;

struct transfer_config {
    bool private_network; /* private addresses, and connections without TLS, are fine */
    struct str ca_file;   /* PEM file of the authorities to trust; empty: the system's */
};

/* How a request or a mail ended, if the server did not answer it.  (ERR_DOWN, err says why.) */
enum transfer_end {
    TRANSFER_ANSWERED = 0, /* the server has answered */
    TRANSFER_NOT_SENT,     /* surely: no connection, no TLS, a refused address */
    TRANSFER_IN_DOUBT,     /* the server may have taken it and acted on it */
    TRANSFER_WRONG,        /* it can never be sent: a malformed URL, header or address */
};

/* No network yet.  ERR_CONFIG: ca_file cannot be read. */
enum err_code transfer_open(const struct transfer_config *config, struct transfer **out,
                            struct err *err);
void transfer_close(struct transfer *transfer); /* NULL allowed */

#endif
