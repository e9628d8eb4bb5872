#include "connectors/webhook/signature.h"

#include <inttypes.h>

#include "core/base64.h"
#include "core/crypto.h"

#define PREFIX STR("whsec_")

enum { KEY_BYTES_MIN = 24, KEY_BYTES_MAX = 64 }; /* what the specification asks for */

static bool read_one(struct str secret, struct buf *key)
{
    return str_starts(secret, PREFIX) &&
           base64_read(key, str_slice(secret, PREFIX.len, secret.len)) &&
           key->len >= KEY_BYTES_MIN && key->len <= KEY_BYTES_MAX;
}

enum err_code webhook_keys_read(struct str secrets, struct webhook_keys *out, struct err *err)
{
    struct str rest = str_trim(secrets), one;

    *out = (struct webhook_keys){0};
    while (rest.len != 0) {
        struct str after = STR_EMPTY;
        one = rest;
        str_cut(rest, ' ', &one, &after);
        if (out->count == WEBHOOK_SECRETS_MAX)
            return err_set(err, ERR_CONFIG, "more than %d secrets", WEBHOOK_SECRETS_MAX);
        if (!read_one(one, &out->keys[out->count++]))
            return err_set(err, ERR_CONFIG,
                           "secret %zu is not \"whsec_\" and the base64 of %d to %d bytes",
                           out->count, KEY_BYTES_MIN, KEY_BYTES_MAX);
        rest = str_trim(after);
    }
    if (out->count == 0)
        return err_set(err, ERR_CONFIG, "there is no secret to sign with");
    return ERR_NONE;
}

void webhook_keys_free(struct webhook_keys *keys)
{
    for (size_t i = 0; i < WEBHOOK_SECRETS_MAX; i++)
        crypto_forget(&keys->keys[i]);
    keys->count = 0;
}

void webhook_sign(const struct webhook_keys *keys, struct str id, int64_t seconds, struct str body,
                  struct buf *out)
{
    struct buf text = {0};

    buf_put(&text, id);
    buf_put_format(&text, ".%" PRId64 ".", seconds);
    buf_put(&text, body);
    for (size_t i = 0; i < keys->count; i++) {
        struct sha256 h = crypto_hmac_sha256(buf_str(&keys->keys[i]), buf_str(&text));
        buf_put_text(out, i == 0 ? "v1," : " v1,");
        base64_put(out, sha256_str(&h));
    }
    buf_free(&text);
}
