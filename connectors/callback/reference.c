#include "connectors/callback/reference.h"

#include "core/base64.h"
#include "core/crypto.h"

enum { VERSION = 1, SIGNATURE_BYTES = 16 /* of an HMAC-SHA-256: nobody can try them all */ };

/* The signature stands before what it signs; its purpose is signed, too, so that no other
 * signature with this key could be taken for one. */
static struct sha256 sign(struct str key, struct str content)
{
    struct buf text = {0};
    struct sha256 h;

    buf_put_text(&text, "attent callback ");
    buf_put(&text, content);
    h = crypto_hmac_sha256(key, buf_str(&text));
    buf_free(&text);
    return h;
}

static struct str signature_of(const struct sha256 *h)
{
    return str_slice(sha256_str(h), 0, SIGNATURE_BYTES);
}

void reference_put(struct buf *out, struct str key, const struct task *task, int64_t expires_ms)
{
    struct buf content = {0}, whole = {0};
    struct sha256 h;

    buf_put_u8(&content, VERSION);
    buf_put_bytes(&content, task->id);
    buf_put_bytes(&content, task->customer);
    buf_put_bytes(&content, task->moment);
    buf_put_bytes(&content, task->about);
    buf_put_bytes(&content, task->channel);
    buf_put_varint(&content, task->attempt);
    buf_put_zigzag(&content, expires_ms);
    h = sign(key, buf_str(&content));
    buf_put(&whole, signature_of(&h));
    buf_put(&whole, buf_str(&content));
    base64_put_url(out, buf_str(&whole));
    buf_free(&content);
    buf_free(&whole);
}

bool reference_read(struct str text, struct str key, int64_t now_ms, struct buf *bytes,
                    struct reference *out)
{
    struct str whole, content;
    struct reader r;
    struct sha256 h;

    *out = (struct reference){0};
    buf_clear(bytes);
    if (text.len > REFERENCE_BYTES_MAX || !base64_read(bytes, text) || bytes->len < SIGNATURE_BYTES)
        return false;
    whole = buf_str(bytes);
    content = str_slice(whole, SIGNATURE_BYTES, whole.len);
    h = sign(key, content);
    if (!crypto_equal(signature_of(&h), str_slice(whole, 0, SIGNATURE_BYTES)))
        return false;
    r = reader_of(content);
    if (reader_u8(&r) != VERSION)
        return false;
    out->task = reader_bytes(&r);
    out->customer = reader_bytes(&r);
    out->moment = reader_bytes(&r);
    out->about = reader_bytes(&r);
    out->channel = reader_bytes(&r);
    out->attempt = (uint32_t)reader_varint(&r);
    out->expires_ms = reader_zigzag(&r);
    return !r.failed && r.at == r.end && now_ms < out->expires_ms;
}
