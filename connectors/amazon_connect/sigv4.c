/* Four steps, after "Create a signed AWS API request" in the AWS documentation:
 *
 *   canonical request   method, path, query, headers, their names, hash of the body: a line each
 *   text to sign        algorithm, time, scope, hash of the canonical request
 *   key                 HMAC of HMAC of ... of the secret: date, region, service, "aws4_request"
 *   signature           HMAC of the text with that key
 */
#include "connectors/amazon_connect/sigv4.h"

#include "core/crypto.h"
#include "core/when.h"

#define ALGORITHM "AWS4-HMAC-SHA256"

enum { DAY_CHARACTERS = 8 }; /* of the time: "20150830" */

static void put_time(struct buf *out, int64_t at_ms)
{
    int64_t year, seconds = at_ms % WHEN_DAY_MS / 1000;
    int month, day;

    when_civil_from_days(at_ms / WHEN_DAY_MS, &year, &month, &day);
    buf_put_format(out, "%04d%02d%02dT%02d%02d%02dZ", (int)year, month, day, (int)(seconds / 3600),
                   (int)(seconds / 60 % 60), (int)(seconds % 60));
}

static void put_header(struct buf *headers, struct buf *names, const char *name, struct str value)
{
    if (value.len == 0)
        return;
    buf_put_format(headers, "%s:", name);
    buf_put(headers, str_trim(value));
    buf_put_char(headers, '\n');
    buf_put_format(names, "%s%s", names->len != 0 ? ";" : "", name);
}

static void put_hash(struct buf *out, struct str text)
{
    struct sha256 h = crypto_sha256(text);

    sha256_put_hex(out, &h);
}

/* *names: the signed headers, in the order of the alphabet. */
static void put_canonical(struct buf *out, const struct sigv4_credentials *c,
                          const struct sigv4_request *r, struct str time, struct buf *names)
{
    struct buf headers = {0};

    put_header(&headers, names, "content-type", r->content_type);
    put_header(&headers, names, "host", r->host);
    put_header(&headers, names, "x-amz-date", time);
    put_header(&headers, names, "x-amz-security-token", c->session_token);
    buf_put_format(out, "%s\n%.*s\n%.*s\n%.*s\n%.*s\n", r->method, STR_ARG(r->path),
                   STR_ARG(r->query), STR_ARG(buf_str(&headers)), STR_ARG(buf_str(names)));
    put_hash(out, r->body);
    buf_free(&headers);
}

static struct sha256 sign(const struct sigv4_credentials *c, struct str day, struct str text)
{
    const struct str steps[] = {day, c->region, c->service, STR("aws4_request"), text};
    struct buf secret = {0};
    struct sha256 h;

    buf_put_text(&secret, "AWS4");
    buf_put(&secret, c->secret);
    h = crypto_hmac_sha256(buf_str(&secret), steps[0]);
    for (size_t i = 1; i < sizeof steps / sizeof steps[0]; i++)
        h = crypto_hmac_sha256(sha256_str(&h), steps[i]);
    crypto_forget(&secret);
    return h;
}

void sigv4_sign(const struct sigv4_credentials *credentials, const struct sigv4_request *request,
                struct buf *date, struct buf *authorization)
{
    struct buf time = {0}, scope = {0}, canonical = {0}, names = {0}, text = {0};
    struct str day;
    struct sha256 signature;

    put_time(&time, request->at_ms);
    day = str_slice(buf_str(&time), 0, DAY_CHARACTERS);
    buf_put_format(&scope, "%.*s/%.*s/%.*s/aws4_request", STR_ARG(day),
                   STR_ARG(credentials->region), STR_ARG(credentials->service));
    put_canonical(&canonical, credentials, request, buf_str(&time), &names);
    buf_put_format(&text, ALGORITHM "\n%.*s\n%.*s\n", STR_ARG(buf_str(&time)),
                   STR_ARG(buf_str(&scope)));
    put_hash(&text, buf_str(&canonical));
    signature = sign(credentials, day, buf_str(&text));
    buf_put(date, buf_str(&time));
    buf_put_format(authorization, ALGORITHM " Credential=%.*s/%.*s, SignedHeaders=%.*s, Signature=",
                   STR_ARG(credentials->access_key), STR_ARG(buf_str(&scope)),
                   STR_ARG(buf_str(&names)));
    sha256_put_hex(authorization, &signature);
    buf_free(&time);
    buf_free(&scope);
    buf_free(&canonical);
    buf_free(&names);
    buf_free(&text);
}
