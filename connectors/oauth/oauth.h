/* connectors/oauth/oauth.h - access tokens (OAuth 2.0, RFC 6749), asked for once and shared.
 *
 * Whoever opens the same credential gets the same token: all connectors of a channel, each in a
 * thread of its own, make one request to the token's server, not one each.
 *
 *     a task --> oauth_token --+-- a token that is good for a minute and more ... at once
 *                              +-- one that ends within a minute: one thread renews it, the
 *                              |   others take the old one while it lasts
 *                              +-- none: one thread asks for it, the others wait for its answer
 *
 * Two ways to ask: with an id and a secret (client credentials, RFC 6749 4.4), or with an assertion
 * that a private key signs (RFC 7523 2.1), as Google's service accounts do.
 *
 * Any thread.  No token, secret or key is in a log or an err.
 */
#ifndef ATTENT_CONNECTORS_OAUTH_OAUTH_H
#define ATTENT_CONNECTORS_OAUTH_OAUTH_H

#include "connectors/channel.h"
#include "connectors/net/transfer.h"

struct oauth_config { /* borrowed */
    struct str url;   /* of the token's server */
    struct str client, secret;
    /* with a key_pem instead of a secret: client is the issuer */
    struct str key_pem, key_id, scope;
};

struct oauth; /* one credential */

/* No network.  ERR_CONFIG: the key is none; err shows nothing of it. */
enum err_code oauth_open(const struct oauth_config *config, struct oauth **out, struct err *err);
void oauth_close(struct oauth *oauth); /* NULL allowed; the last one forgets the token */

/* Append "Bearer TOKEN".  ACCEPTED: done, and *timeout_ms is what is left of it; asking takes half
 * of it at most.  Else nothing was appended and the task has surely not been sent: RETRY (the server
 * says later), DOWN.  Both with err, and receipt if the server names a time. */
enum delivery oauth_token(struct oauth *oauth, struct transfer *transfer, int *timeout_ms,
                          int64_t now_ms, struct buf *out, struct receipt *receipt,
                          struct err *err);

/* A receiver did not take this "Bearer TOKEN": it is not given out again. */
void oauth_refused(struct oauth *oauth, struct str bearer);

#endif
