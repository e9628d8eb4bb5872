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

/* --- theirs -------------------------------------------------------------------------------------- */

enum { SECONDS_DIGITS_MAX = 12 };

static bool read_seconds(struct str text, int64_t *out)
{
    uint64_t seconds;

    if (text.len > SECONDS_DIGITS_MAX || !str_read_number(text, &seconds))
        return false;
    *out = (int64_t)seconds;
    return true;
}

/* Any of theirs may fit any of ours: both sides may be changing their secret. */
static bool is_signed(struct str ours, struct str theirs)
{
    for (struct str rest = ours, one; rest.len != 0;) {
        struct str after = STR_EMPTY;
        one = rest;
        str_cut(rest, ' ', &one, &after);
        for (struct str others = theirs, other; others.len != 0;) {
            struct str behind = STR_EMPTY;
            other = others;
            str_cut(others, ' ', &other, &behind);
            if (crypto_equal(one, other))
                return true;
            others = behind;
        }
        rest = after;
    }
    return false;
}

enum webhook_check webhook_check(const struct webhook_keys *keys, struct str id,
                                 struct str timestamp, struct str signatures, struct str body,
                                 int64_t now_ms)
{
    struct buf ours = {0};
    int64_t seconds, apart_ms;
    bool fits;

    if (id.len == 0 || !read_seconds(timestamp, &seconds))
        return WEBHOOK_FORGED;
    webhook_sign(keys, id, seconds, body, &ours);
    fits = is_signed(buf_str(&ours), signatures);
    buf_free(&ours);
    if (!fits)
        return WEBHOOK_FORGED;
    apart_ms = seconds * 1000 - now_ms;
    return apart_ms <= WEBHOOK_TOLERANCE_MS && apart_ms >= -WEBHOOK_TOLERANCE_MS ? WEBHOOK_SIGNED
                                                                                 : WEBHOOK_OLD;
}
