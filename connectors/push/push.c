#include "connectors/push/push.h"

#include <inttypes.h>

#include "connectors/net/options.h"
#include "connectors/net/retry_after.h"
#include "connectors/net/verdict.h"
#include "connectors/oauth/oauth.h"
#include "connectors/push/account.h"
#include "core/crypto.h"
#include "core/mem.h"

#define SCOPE     STR("https://www.googleapis.com/auth/firebase.messaging")
#define FCM_ERROR STR("type.googleapis.com/google.firebase.fcm.v1.FcmError")

static const struct conf_field fields[] = {
    {.path = "base_url",
     .kind = CONF_TEXT,
     .fallback = "https://fcm.googleapis.com",
     .doc = "Where the provider's API is."},
    {.path = "service_account",
     .kind = CONF_TEXT,
     .secret = true,
     .doc = "Key file (JSON) of a service account that may send messages: ${file:PATH}."},
    {.path = "project",
     .kind = CONF_TEXT,
     .fallback = "",
     .doc = "Id of the Firebase project; empty: that of the service account."},
    {.path = "title",
     .kind = CONF_TEXT,
     .fallback = "",
     .doc = "Title of notifications whose moment has no subject."},
    NET_FIELDS,
    {0},
};

enum {
    KEPT_SECONDS_MAX = 28 * 24 * 3600, /* four weeks, the most that is taken */
    QUOTA_PAUSE_MS = 60000,            /* Google's advice where an answer of 429 names no time */
};

struct connector {
    struct transfer *transfer;
    struct oauth *oauth;
    const struct conf *conf; /* borrowed, see channel.h */
    struct buf url;
};

static void push_close(struct connector *c)
{
    if (c == NULL)
        return;
    oauth_close(c->oauth);
    transfer_close(c->transfer);
    buf_free(&c->url);
    mem_free(c);
}

static enum err_code open_account(struct connector *c, const struct account *account,
                                  struct err *err)
{
    struct str project = conf_text(c->conf, "project");
    const struct oauth_config oauth = {.url = account->token_url,
                                       .client = account->email,
                                       .key_pem = account->key_pem,
                                       .key_id = account->key_id,
                                       .scope = SCOPE};
    enum err_code code;

    if (project.len == 0)
        project = account->project;
    if (project.len == 0)
        return err_set(err, ERR_CONFIG, "give the project: the service account names none");
    buf_put(&c->url, conf_text(c->conf, "base_url"));
    buf_put_text(&c->url, "/v1/projects/");
    http_put_escaped(&c->url, project);
    buf_put_text(&c->url, "/messages:send");
    code = http_url_check(c->transfer, buf_str(&c->url), err);
    if (code == ERR_NONE && http_url_check(c->transfer, account->token_url, err) != ERR_NONE)
        code = err_prefix(err, "token_uri of the service account");
    return code == ERR_NONE ? oauth_open(&oauth, &c->oauth, err) : code;
}

static enum err_code push_open(const struct conf *conf, struct connector **out, struct err *err)
{
    struct connector *c = MEM_NEW(struct connector);
    struct arena *arena = arena_new(0);
    struct account account;
    enum err_code code;

    *out = NULL;
    c->conf = conf;
    code = account_read(conf_text(conf, "service_account"), arena, &account, err);
    if (code == ERR_NONE)
        code = net_open(conf, &c->transfer, err);
    if (code == ERR_NONE)
        code = open_account(c, &account, err);
    arena_free(arena);
    if (code != ERR_NONE)
        push_close(c);
    else
        *out = c;
    return code;
}

/* --- the message ------------------------------------------------------------------------------ */

static void put_member(struct json_writer *w, const char *key, struct str text)
{
    json_key(w, key);
    json_str(w, text);
}

static void put_number(struct json_writer *w, const char *key, int64_t number, const char *unit)
{
    struct buf text = {0};

    buf_put_format(&text, "%" PRId64 "%s", number, unit);
    put_member(w, key, buf_str(&text));
    buf_free(&text);
}

/* One open object in another. */
static void begin(struct json_writer *w, const char *key)
{
    json_key(w, key);
    json_open(w, '{');
}

static int64_t kept_seconds(const struct sending *s)
{
    int64_t seconds = (s->task->deadline_ms - s->now_ms) / 1000;

    seconds = seconds > 0 ? seconds : 0;
    return seconds < KEPT_SECONDS_MAX ? seconds : KEPT_SECONDS_MAX;
}

static void put_notification(struct json_writer *w, const struct connector *c,
                             const struct task *task)
{
    struct str title = task->subject.len != 0 ? task->subject : conf_text(c->conf, "title");

    begin(w, "notification");
    if (title.len != 0)
        put_member(w, "title", title);
    put_member(w, "body", task->text);
    json_close(w, '}');
}

/* Each platform has its own words for "until when" and "instead of". */
static void put_platforms(struct json_writer *w, const struct sending *s)
{
    struct str id = s->task->id;
    int64_t seconds = kept_seconds(s);

    begin(w, "android");
    put_member(w, "collapseKey", id);
    put_number(w, "ttl", seconds, "s");
    begin(w, "notification");
    put_member(w, "tag", id);
    json_close(w, '}');
    json_close(w, '}');
    begin(w, "apns");
    begin(w, "headers");
    put_member(w, "apns-collapse-id", id);
    put_number(w, "apns-expiration", s->now_ms / 1000 + seconds, "");
    json_close(w, '}');
    json_close(w, '}');
    begin(w, "webpush");
    begin(w, "headers");
    put_member(w, "Topic", id);
    put_number(w, "TTL", seconds, "");
    json_close(w, '}');
    json_close(w, '}');
}

static void put_message(struct buf *out, const struct connector *c, const struct sending *s)
{
    struct json_writer w = json_writer_to(out);

    json_open(&w, '{');
    begin(&w, "message");
    put_member(&w, "token", s->task->address);
    put_notification(&w, c, s->task);
    begin(&w, "data");
    put_member(&w, "task", s->task->id);
    put_member(&w, "moment", s->task->moment);
    json_close(&w, '}');
    put_platforms(&w, s);
    json_close(&w, '}');
    json_close(&w, '}');
}

/* --- the answer ------------------------------------------------------------------------------- */

/* The code of FCM's own among the details of an error; empty: Google itself said no. */
static struct str error_code_of(struct value body)
{
    struct value details = json_at(body, STR("/error/details"));

    for (size_t i = 0; details.kind == VALUE_LIST && i < details.n; i++) {
        struct value type = json_at(details.list[i], STR("/@type"));
        struct value code = json_at(details.list[i], STR("/errorCode"));
        if (type.kind == VALUE_STRING && str_equal(value_str(type), FCM_ERROR) &&
            code.kind == VALUE_STRING)
            return value_str(code);
    }
    return STR_EMPTY;
}

static enum delivery of_code(struct str code, enum delivery verdict, struct receipt *receipt,
                             struct err *err)
{
    static const struct {
        const char *code;
        enum delivery result;
        bool address_dead;
    } errors[] = {
#define PUSH_ERROR(code, result, address_dead) {code, DELIVERY_##result, address_dead},
#include "connectors/push/push_errors.def"
#undef PUSH_ERROR
    };

    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (str_is(code, errors[i].code)) {
            receipt->address_dead = errors[i].address_dead;
            err_set(err, ERR_DOWN, "the provider says %s", errors[i].code);
            return errors[i].result;
        }
    return verdict;
}

/* A token of ours that was not taken is asked for anew, the next time. */
static void drop_token(struct connector *c, const struct http_reply *reply, struct str code,
                       struct str bearer)
{
    if (reply->status == 401 && code.len == 0)
        oauth_refused(c->oauth, bearer);
}

static enum delivery judge(struct connector *c, enum transfer_end end,
                           const struct http_reply *reply, struct str bearer,
                           struct receipt *receipt, struct err *err)
{
    enum delivery verdict = verdict_of(end, reply, receipt, err);
    struct arena *arena = arena_new(0);
    struct value body = http_reply_json(reply, arena);
    struct value name = json_at(body, STR("/name"));
    struct str code = error_code_of(body);

    drop_token(c, reply, code, bearer);
    if (verdict == DELIVERY_ACCEPTED && name.kind == VALUE_STRING)
        verdict_keep_reference(receipt, value_str(name));
    else if (verdict != DELIVERY_ACCEPTED && reply->status < 500)
        verdict = of_code(code, verdict, receipt, err);
    if (reply->status == 429 && reply->retry_after_ms == RETRY_AFTER_NONE)
        receipt->retry_after_ms = QUOTA_PAUSE_MS;
    arena_free(arena);
    return verdict;
}

static enum delivery push_once(struct connector *c, const struct sending *s, int timeout_ms,
                               struct str bearer, struct receipt *receipt, struct err *err)
{
    struct buf body = {0};
    struct http_reply reply = {0};
    enum delivery result;

    put_message(&body, c, s);
    const struct http_post post = {.url = buf_str(&c->url),
                                   .authorization = bearer,
                                   .content_type = STR("application/json"),
                                   .body = buf_str(&body),
                                   .now_ms = s->now_ms};
    result = judge(c, http_post(c->transfer, &post, timeout_ms, &reply, err), &reply, bearer,
                   receipt, err);
    http_reply_free(&reply);
    buf_free(&body);
    return result;
}

static enum delivery push_deliver(struct connector *c, const struct sending *s,
                                  struct receipt *receipt, struct err *err)
{
    struct buf bearer = {0};
    int timeout_ms = s->timeout_ms;
    enum delivery result;

    if (s->task->address.len == 0 || s->task->text.len == 0) {
        err_set(err, ERR_PARSE, "a notification needs a text and the token of a device");
        return DELIVERY_REFUSED;
    }
    result = oauth_token(c->oauth, c->transfer, &timeout_ms, s->now_ms, &bearer, receipt, err);
    if (result == DELIVERY_ACCEPTED)
        result = push_once(c, s, timeout_ms, buf_str(&bearer), receipt, err);
    crypto_forget(&bearer);
    return result;
}

const struct connector_class push_class = {
    .name = "push",
    .fields = fields,
    .guarantee = GUARANTEE_AT_MOST_ONCE,
    .open = push_open,
    .close = push_close,
    .deliver = push_deliver,
};
