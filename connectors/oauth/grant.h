/* connectors/oauth/grant.h - what a token's server is asked, and what it answers; for oauth.c. */
#ifndef ATTENT_CONNECTORS_OAUTH_GRANT_H
#define ATTENT_CONNECTORS_OAUTH_GRANT_H

#include "connectors/net/http.h"
#include "core/crypto.h"

struct grant {
    struct buf url, client, secret, key_id, scope;
    struct crypto_key *key; /* NULL: with the secret */
};

/* Append the form, and the value of Authorization if it needs one. */
void grant_put(const struct grant *grant, int64_t now_ms, struct buf *form,
               struct buf *authorization);

/* Append "Bearer TOKEN" from an answer of 200.  *valid_ms: for how long it is good.  False: there
 * is no token in it; err says why and shows nothing of it. */
bool grant_read(const struct http_reply *reply, struct buf *bearer, int64_t *valid_ms,
                struct err *err);

/* err for any other answer: its status, and its error code if it is one of RFC 6749 5.2. */
void grant_explain(const struct http_reply *reply, struct err *err);

#endif
