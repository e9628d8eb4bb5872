/* core/crypto.h - hashes, signatures, and comparing them: what talking to a provider needs.
 *
 * Not for our own tables and chains, which use core/hash.h.  Any thread; a key may be used by
 * several at once.  The only file that includes OpenSSL.
 */
#ifndef ATTENT_CORE_CRYPTO_H
#define ATTENT_CORE_CRYPTO_H

#include "core/buf.h"
#include "core/err.h"

enum { CRYPTO_SHA256_BYTES = 32 };

struct sha256 {
    unsigned char bytes[CRYPTO_SHA256_BYTES];
};

struct sha256 crypto_sha256(struct str text);
struct sha256 crypto_hmac_sha256(struct str key, struct str text); /* RFC 2104; any key length */

static inline struct str sha256_str(const struct sha256 *h) /* its 32 bytes, borrowed */
{
    return (struct str){(const char *)h->bytes, sizeof h->bytes};
}
/* For providers that have not moved on (Twilio): as a signature HMAC-SHA-1 is not broken. */
enum { CRYPTO_SHA1_BYTES = 20 };
struct sha1 {
    unsigned char bytes[CRYPTO_SHA1_BYTES];
};
struct sha1 crypto_hmac_sha1(struct str key, struct str text);

void sha256_put_hex(struct buf *out, const struct sha256 *h); /* 64 lower-case digits */

/* Takes the same time wherever two texts of one length differ. */
bool crypto_equal(struct str a, struct str b);

/* Overwrite a secret and free it: unlike buf_free, the compiler cannot leave it out. */
void crypto_forget(struct buf *secret);

/* An RSA private key. */
struct crypto_key;

/* Read a PEM (PKCS #8 or PKCS #1, not encrypted, 2048 bits or more).  ERR_CONFIG: it is none; err
 * shows nothing of it. */
enum err_code crypto_key_read(struct str pem, struct crypto_key **out, struct err *err);
void crypto_key_free(struct crypto_key *key); /* NULL allowed */

/* Append the RS256 signature of text (RSASSA-PKCS1-v1_5 with SHA-256, RFC 7518 3.3). */
void crypto_sign_rs256(const struct crypto_key *key, struct str text, struct buf *out);

#endif
