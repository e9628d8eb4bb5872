/* connectors/unsubscribe/token.h - what stands behind an unsubscribe link: who, of what, until when.
 *
 * Signed, so that nobody can make one for somebody else; it expires; it says nothing that its
 * reader would not know (the customer's id is in it, readable).  Whoever holds it may unsubscribe
 * this customer and nothing else, so no log-in is asked (RFC 8058).
 */
#ifndef ATTENT_CONNECTORS_UNSUBSCRIBE_TOKEN_H
#define ATTENT_CONNECTORS_UNSUBSCRIBE_TOKEN_H

#include "core/buf.h"

struct unsubscribe {
    struct str customer, purpose, channel;
    int64_t expires_ms; /* UTC; not valid any more at this time */
};

/* Append the token: letters, digits, - and _. */
void unsubscribe_put_token(struct buf *out, struct str key, const struct unsubscribe *u);

/* False: it was not made with this key, was changed, or has expired.  The texts of *out live in
 * *bytes, which the caller frees in any case. */
bool unsubscribe_read_token(struct str token, struct str key, int64_t now_ms, struct buf *bytes,
                            struct unsubscribe *out);

#endif
