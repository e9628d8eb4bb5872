/* A list of all credentials that are open, under a lock of its own; each credential has a lock for
 * its token.  The request is made without it, so that a slow server holds up nobody who has a
 * token.  A failed request answers all who waited for it: each of them asking in turn would make
 * the last wait for the sum. */
#include "connectors/oauth/oauth.h"

#include <pthread.h>

#include "connectors/net/verdict.h"
#include "connectors/oauth/grant.h"
#include "core/clock.h"
#include "core/mem.h"

enum { RENEW_MS = 60000 }; /* before its end: longer than any attempt takes */

struct oauth {
    struct sha256 key; /* of all that makes the credential */
    struct oauth *next;
    size_t users;
    struct grant grant;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t asked;
    struct buf bearer;  /* "Bearer ..."; empty: none */
    int64_t expires_ms; /* wall clock */
    bool asking;        /* a thread does */
    uint64_t answers;   /* how often one came */
    enum delivery last; /* what the last answer was ... */
    struct receipt last_receipt;
    struct err last_err;
};

/* --- the list of credentials -------------------------------------------------------------------- */

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct oauth *list;

static struct sha256 key_of(const struct oauth_config *config)
{
    const struct str parts[] = {config->url,     config->client, config->secret,
                                config->key_pem, config->key_id, config->scope};
    struct buf text = {0};
    struct sha256 key;

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        buf_put_bytes(&text, parts[i]);
    key = crypto_sha256(buf_str(&text));
    crypto_forget(&text);
    return key;
}

static void oauth_free(struct oauth *oauth)
{
    crypto_key_free(oauth->grant.key);
    buf_free(&oauth->grant.url);
    buf_free(&oauth->grant.client);
    crypto_forget(&oauth->grant.secret);
    buf_free(&oauth->grant.key_id);
    buf_free(&oauth->grant.scope);
    crypto_forget(&oauth->bearer);
    pthread_cond_destroy(&oauth->asked);
    pthread_mutex_destroy(&oauth->lock);
    mem_free(oauth);
}

static enum err_code oauth_new(const struct oauth_config *config, struct oauth **out,
                               struct err *err)
{
    struct oauth *oauth = MEM_NEW(struct oauth);
    enum err_code code = ERR_NONE;

    pthread_mutex_init(&oauth->lock, NULL);
    pthread_cond_init(&oauth->asked, NULL);
    buf_put(&oauth->grant.url, config->url);
    buf_put(&oauth->grant.client, config->client);
    buf_put(&oauth->grant.secret, config->secret);
    buf_put(&oauth->grant.key_id, config->key_id);
    buf_put(&oauth->grant.scope, config->scope);
    if (config->key_pem.len != 0)
        code = crypto_key_read(config->key_pem, &oauth->grant.key, err);
    if (code != ERR_NONE)
        oauth_free(oauth);
    else
        *out = oauth;
    return code;
}

enum err_code oauth_open(const struct oauth_config *config, struct oauth **out, struct err *err)
{
    struct sha256 key = key_of(config);
    enum err_code code = ERR_NONE;

    *out = NULL;
    pthread_mutex_lock(&list_lock);
    for (struct oauth *o = list; o != NULL && *out == NULL; o = o->next)
        if (crypto_equal(sha256_str(&o->key), sha256_str(&key)))
            *out = o;
    if (*out == NULL) {
        code = oauth_new(config, out, err);
        if (code == ERR_NONE) {
            (*out)->key = key;
            (*out)->next = list;
            list = *out;
        }
    }
    if (*out != NULL)
        (*out)->users++;
    pthread_mutex_unlock(&list_lock);
    return code;
}

void oauth_close(struct oauth *oauth)
{
    bool last;

    if (oauth == NULL)
        return;
    pthread_mutex_lock(&list_lock);
    last = --oauth->users == 0;
    for (struct oauth **at = &list; last && *at != NULL; at = &(*at)->next)
        if (*at == oauth) {
            *at = oauth->next;
            break;
        }
    pthread_mutex_unlock(&list_lock);
    if (last)
        oauth_free(oauth);
}

/* --- asking ------------------------------------------------------------------------------------- */

/* What the token's server says to one request.  Every failure leaves the task unsent. */
static enum delivery ask(const struct oauth *oauth, struct transfer *transfer, int timeout_ms,
                         int64_t now_ms, struct buf *bearer, int64_t *valid_ms,
                         struct receipt *receipt, struct err *err)
{
    struct buf form = {0}, authorization = {0};
    struct http_reply reply = {0};
    enum delivery result;

    grant_put(&oauth->grant, now_ms, &form, &authorization);
    const struct http_header headers[] = {
        {"Content-Type", STR("application/x-www-form-urlencoded")},
        {"Authorization", buf_str(&authorization)},
    };
    const struct http_ask request = {.method = "POST",
                                     .url = buf_str(&oauth->grant.url),
                                     .headers = headers,
                                     .header_count = authorization.len != 0 ? 2 : 1,
                                     .body = buf_str(&form),
                                     .now_ms = now_ms,
                                     .repeatable = true};
    enum transfer_end end = http_send(transfer, &request, timeout_ms, &reply, err);

    result = verdict_of(end, &reply, receipt, err);
    if (end != TRANSFER_ANSWERED)
        err_prefix(err, "no token");
    else if (result == DELIVERY_ACCEPTED && !grant_read(&reply, bearer, valid_ms, err))
        result = DELIVERY_DOWN;
    else if (result != DELIVERY_ACCEPTED)
        grant_explain(&reply, err);
    crypto_forget(&reply.body);
    crypto_forget(&form);
    crypto_forget(&authorization);
    return result == DELIVERY_ACCEPTED || result == DELIVERY_RETRY ? result : DELIVERY_DOWN;
}

/* Ask and keep the answer.  The lock is held, but not while the request is made. */
static void renew(struct oauth *oauth, struct transfer *transfer, int timeout_ms, int64_t now_ms)
{
    struct receipt receipt = {0};
    struct buf bearer = {0};
    int64_t valid_ms = 0;
    enum delivery result;
    struct err err = {0};

    oauth->asking = true;
    pthread_mutex_unlock(&oauth->lock);
    result = ask(oauth, transfer, timeout_ms, now_ms, &bearer, &valid_ms, &receipt, &err);
    pthread_mutex_lock(&oauth->lock);
    oauth->asking = false;
    oauth->answers++;
    oauth->last = result;
    oauth->last_receipt = receipt;
    oauth->last_err = err;
    if (result == DELIVERY_ACCEPTED) {
        crypto_forget(&oauth->bearer);
        oauth->bearer = bearer;
        oauth->expires_ms = now_ms + valid_ms;
    }
    pthread_cond_broadcast(&oauth->asked);
}

static bool is_good(const struct oauth *oauth, int64_t at_ms)
{
    return oauth->bearer.len != 0 && at_ms < oauth->expires_ms;
}

/* Make sure that there is a token, if there can be one.  The lock is held. */
static void wait_for_token(struct oauth *oauth, struct transfer *transfer, int timeout_ms,
                           int64_t now_ms)
{
    uint64_t answers = oauth->answers;

    if (!oauth->asking && !is_good(oauth, now_ms + RENEW_MS))
        renew(oauth, transfer, timeout_ms / 2 + 1, now_ms);
    while (!is_good(oauth, now_ms) && oauth->asking && oauth->answers == answers)
        pthread_cond_wait(&oauth->asked, &oauth->lock);
}

static enum delivery say_why_not(const struct oauth *oauth, struct receipt *receipt,
                                 struct err *err)
{
    const char *why =
        oauth->last_err.text[0] != '\0' ? oauth->last_err.text : "no token: it was over at once";

    receipt->retry_after_ms = oauth->last_receipt.retry_after_ms;
    err_set(err, ERR_DOWN, "%s", why);
    return oauth->last == DELIVERY_RETRY ? DELIVERY_RETRY : DELIVERY_DOWN;
}

enum delivery oauth_token(struct oauth *oauth, struct transfer *transfer, int *timeout_ms,
                          int64_t now_ms, struct buf *out, struct receipt *receipt, struct err *err)
{
    int64_t begun_ms = clock_mono_ms();
    enum delivery result = DELIVERY_ACCEPTED;

    pthread_mutex_lock(&oauth->lock);
    wait_for_token(oauth, transfer, *timeout_ms, now_ms);
    *timeout_ms -= (int)(clock_mono_ms() - begun_ms);
    if (!is_good(oauth, now_ms)) {
        result = say_why_not(oauth, receipt, err);
    } else if (*timeout_ms <= 0) {
        err_set(err, ERR_DOWN, "the token came when the time was over");
        result = DELIVERY_RETRY;
    } else {
        buf_put(out, buf_str(&oauth->bearer));
    }
    pthread_mutex_unlock(&oauth->lock);
    return result;
}

void oauth_refused(struct oauth *oauth, struct str bearer)
{
    pthread_mutex_lock(&oauth->lock);
    if (str_equal(buf_str(&oauth->bearer), bearer))
        crypto_forget(&oauth->bearer);
    pthread_mutex_unlock(&oauth->lock);
}
