#include "connectors/oauth/grant.h"

#include <inttypes.h>

#include "core/base64.h"

enum {
    ASSERTION_SECONDS = 3600, /* the most that Google takes */
    TOKEN_BYTES_MAX = 8192,   /* of a header that servers still take */
    VALID_SECONDS = 300,      /* of a token whose answer does not say: a guess on the safe side */
    VALID_SECONDS_MAX = 7 * 24 * 3600,
};

static void put_field(struct buf *form, const char *name, struct str value)
{
    if (form->len != 0)
        buf_put_char(form, '&');
    buf_put_format(form, "%s=", name);
    http_put_escaped(form, value);
}

/* HTTP Basic of the id and the secret, each escaped first (RFC 6749 2.3.1). */
static void put_basic(struct buf *out, const struct grant *grant)
{
    struct buf both = {0};

    http_put_escaped(&both, buf_str(&grant->client));
    buf_put_char(&both, ':');
    http_put_escaped(&both, buf_str(&grant->secret));
    buf_put_text(out, "Basic ");
    base64_put(out, buf_str(&both));
    crypto_forget(&both);
}

static void put_header(struct buf *out, const struct grant *grant)
{
    struct json_writer w = json_writer_to(out);

    json_open(&w, '{');
    json_key(&w, "alg");
    json_str(&w, STR("RS256"));
    json_key(&w, "typ");
    json_str(&w, STR("JWT"));
    if (grant->key_id.len != 0) {
        json_key(&w, "kid");
        json_str(&w, buf_str(&grant->key_id));
    }
    json_close(&w, '}');
}

static void put_claims(struct buf *out, const struct grant *grant, int64_t now_ms)
{
    struct json_writer w = json_writer_to(out);

    json_open(&w, '{');
    json_key(&w, "iss");
    json_str(&w, buf_str(&grant->client));
    json_key(&w, "scope");
    json_str(&w, buf_str(&grant->scope));
    json_key(&w, "aud");
    json_str(&w, buf_str(&grant->url));
    json_key(&w, "iat");
    json_int(&w, now_ms / 1000);
    json_key(&w, "exp");
    json_int(&w, now_ms / 1000 + ASSERTION_SECONDS);
    json_close(&w, '}');
}

/* A JSON Web Token (RFC 7519): base64 of header, claims and the signature over both. */
static void put_assertion(struct buf *out, const struct grant *grant, int64_t now_ms)
{
    struct buf header = {0}, claims = {0}, signature = {0};

    put_header(&header, grant);
    put_claims(&claims, grant, now_ms);
    base64_put_url(out, buf_str(&header));
    buf_put_char(out, '.');
    base64_put_url(out, buf_str(&claims));
    crypto_sign_rs256(grant->key, buf_str(out), &signature);
    buf_put_char(out, '.');
    base64_put_url(out, buf_str(&signature));
    buf_free(&header);
    buf_free(&claims);
    buf_free(&signature);
}

void grant_put(const struct grant *grant, int64_t now_ms, struct buf *form,
               struct buf *authorization)
{
    struct buf assertion = {0};

    if (grant->key == NULL) {
        put_field(form, "grant_type", STR("client_credentials"));
        put_basic(authorization, grant);
        return;
    }
    put_assertion(&assertion, grant, now_ms);
    put_field(form, "grant_type", STR("urn:ietf:params:oauth:grant-type:jwt-bearer"));
    put_field(form, "assertion", buf_str(&assertion));
    crypto_forget(&assertion);
}

/* Fit for a header: RFC 6750's b64token and what else is visible. */
static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] <= ' ' || s.data[i] > '~')
            return false;
    return s.len != 0 && s.len <= TOKEN_BYTES_MAX;
}

static int64_t valid_seconds(struct value expires_in)
{
    if (expires_in.kind != VALUE_INT || expires_in.i <= 0)
        return VALID_SECONDS;
    return expires_in.i < VALID_SECONDS_MAX ? expires_in.i : VALID_SECONDS_MAX;
}

bool grant_read(const struct http_reply *reply, struct buf *bearer, int64_t *valid_ms,
                struct err *err)
{
    struct arena *arena = arena_new(0);
    struct value body = http_reply_json(reply, arena);
    struct value token = json_at(body, STR("/access_token"));
    bool fine = token.kind == VALUE_STRING && is_token(value_str(token));

    if (fine) {
        buf_put_text(bearer, "Bearer ");
        buf_put(bearer, value_str(token));
        *valid_ms = valid_seconds(json_at(body, STR("/expires_in"))) * 1000;
    } else {
        err_set(err, ERR_DOWN, "the token's server answered %d without a token", reply->status);
    }
    arena_free(arena);
    return fine;
}

void grant_explain(const struct http_reply *reply, struct err *err)
{
    static const char *const codes[] = {"invalid_request",        "invalid_client",
                                        "invalid_grant",          "unauthorized_client",
                                        "unsupported_grant_type", "invalid_scope"};
    struct arena *arena = arena_new(0);
    struct value code = json_at(http_reply_json(reply, arena), STR("/error"));
    const char *known = NULL;

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (code.kind == VALUE_STRING && str_is(value_str(code), codes[i]))
            known = codes[i];
    err_set(err, ERR_DOWN, "no token: its server answered %d%s%s", reply->status,
            known != NULL ? ", " : "", known != NULL ? known : "");
    arena_free(arena);
}
