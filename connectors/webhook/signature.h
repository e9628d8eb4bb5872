/* connectors/webhook/signature.h - signatures of Standard Webhooks: HMAC-SHA-256 over
 * "id.timestamp.body", once for each secret, so that a receiver can change its secret while
 * messages are on their way. */
#ifndef ATTENT_CONNECTORS_WEBHOOK_SIGNATURE_H
#define ATTENT_CONNECTORS_WEBHOOK_SIGNATURE_H

#include "core/buf.h"
#include "core/err.h"

enum { WEBHOOK_SECRETS_MAX = 4 };

struct webhook_keys {
    struct buf keys[WEBHOOK_SECRETS_MAX];
    size_t count;
};

/* Read secrets with blanks between: each "whsec_" and the base64 of 24 to 64 bytes.  ERR_CONFIG:
 * not so; err shows none of them.  webhook_keys_free at the end, also then. */
enum err_code webhook_keys_read(struct str secrets, struct webhook_keys *out, struct err *err);
void webhook_keys_free(struct webhook_keys *keys);

/* Append the value of webhook-signature. */
void webhook_sign(const struct webhook_keys *keys, struct str id, int64_t seconds, struct str body,
                  struct buf *out);

#endif
