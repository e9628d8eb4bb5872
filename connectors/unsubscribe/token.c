#include "connectors/unsubscribe/token.h"

#include "core/base64.h"
#include "core/crypto.h"

enum { VERSION = 1 };

/* The signature stands before what it signs; its purpose is signed, too, so that no other
 * signature with this key could be taken for one. */
static struct sha256 sign(struct str key, struct str content)
{
    struct buf text = {0};
    struct sha256 h;

    buf_put_text(&text, "attent unsubscribe ");
    buf_put(&text, content);
    h = crypto_hmac_sha256(key, buf_str(&text));
    buf_free(&text);
    return h;
}

void unsubscribe_put_token(struct buf *out, struct str key, const struct unsubscribe *u)
{
    struct buf content = {0}, whole = {0};
    struct sha256 h;

    buf_put_u8(&content, VERSION);
    buf_put_bytes(&content, u->customer);
    buf_put_bytes(&content, u->purpose);
    buf_put_bytes(&content, u->channel);
    buf_put_zigzag(&content, u->expires_ms);
    h = sign(key, buf_str(&content));
    buf_put(&whole, sha256_str(&h));
    buf_put(&whole, buf_str(&content));
    base64_put_url(out, buf_str(&whole));
    buf_free(&content);
    buf_free(&whole);
}

bool unsubscribe_read_token(struct str token, struct str key, int64_t now_ms, struct buf *bytes,
                            struct unsubscribe *out)
{
    struct str whole, content;
    struct reader r;
    struct sha256 h;

    *out = (struct unsubscribe){0};
    buf_clear(bytes);
    if (!base64_read(bytes, token) || bytes->len < CRYPTO_SHA256_BYTES)
        return false;
    whole = buf_str(bytes);
    content = str_slice(whole, CRYPTO_SHA256_BYTES, whole.len);
    h = sign(key, content);
    if (!crypto_equal(sha256_str(&h), str_slice(whole, 0, CRYPTO_SHA256_BYTES)))
        return false;
    r = reader_of(content);
    if (reader_u8(&r) != VERSION)
        return false;
    out->customer = reader_bytes(&r);
    out->purpose = reader_bytes(&r);
    out->channel = reader_bytes(&r);
    out->expires_ms = reader_zigzag(&r);
    return !r.failed && r.at == r.end && now_ms < out->expires_ms;
}
