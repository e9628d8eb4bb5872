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

/* Is a message of theirs signed by one of keys, and is its timestamp (seconds, as it stands in the
 * header) within WEBHOOK_TOLERANCE_MS of now?  The signature is looked at first, so only who has a
 * key learns which of the two it was. */
enum webhook_check { WEBHOOK_SIGNED, WEBHOOK_FORGED, WEBHOOK_OLD };
enum { WEBHOOK_TOLERANCE_MS = 5 * 60 * 1000 };
enum webhook_check webhook_check(const struct webhook_keys *keys, struct str id,
                                 struct str timestamp, struct str signatures, struct str body,
                                 int64_t now_ms);

#endif
