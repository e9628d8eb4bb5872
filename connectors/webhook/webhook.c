#include "connectors/webhook/webhook.h"

#include <inttypes.h>

#include "connectors/net/options.h"
#include "connectors/net/verdict.h"
#include "connectors/webhook/report.h"
#include "connectors/webhook/signature.h"
#include "core/mem.h"

static const struct conf_field fields[] = {
    {.path = "url",
     .kind = CONF_TEXT,
     .secret = true,
     .doc = "Where tasks are posted to, https://.  It may hold a token, so it counts as a secret: "
            "${VAR} or ${file:PATH}."},
    {.path = "secrets",
     .kind = CONF_TEXT,
     .secret = true,
     .doc = "What messages are signed with: whsec_..., by reference.  Several with blanks between "
            "while the receiver changes from one to the next; each message is signed with all."},
    {.path = "callback.secrets",
     .kind = CONF_TEXT,
     .fallback = "",
     .secret = true,
     .doc =
         "What the receiver signs its reports with: whsec_..., by reference, several with blanks "
         "between.  Empty: it reports nothing."},
    /* the specification recommends 15 to 30 seconds */
    {.path = "timeout",
     .kind = CONF_SPAN,
     .fallback = "20s",
     .min = 100,
     .max = 120000,
     .doc = "How long one attempt may take before it counts as in doubt."},
    /* the schedule that Standard Webhooks gives as an example; the deadline comes first */
    {.path = "retries",
     .kind = CONF_LIST,
     .fallback = "[5s, 5m, 30m, 2h, 5h, 10h, 14h, 20h, 24h]",
     .doc = "Pauses before further attempts."},
    NET_FIELDS,
    {0},
};

struct connector {
    struct transfer *transfer;
    const struct conf *conf; /* borrowed from the configuration, which outlives us */
    struct webhook_keys keys;
    struct buf url;
};

static void webhook_close(struct connector *c)
{
    if (c == NULL)
        return;
    transfer_close(c->transfer);
    webhook_keys_free(&c->keys);
    buf_free(&c->url);
    mem_free(c);
}

static enum err_code check_theirs(struct str secrets, struct err *err)
{
    struct webhook_keys keys;
    enum err_code code;

    if (secrets.len == 0)
        return ERR_NONE;
    code = webhook_keys_read(secrets, &keys, err);
    webhook_keys_free(&keys);
    if (code != ERR_NONE)
        err_prefix(err, "callback.secrets");
    return code;
}

static enum err_code webhook_open(const struct conf *conf, struct connector **out, struct err *err)
{
    struct connector *c = MEM_NEW(struct connector);
    struct str url = conf_text(conf, "url");
    enum err_code code;

    *out = NULL;
    c->conf = conf;
    buf_put(&c->url, url);
    code = net_open(conf, &c->transfer, err);
    if (code == ERR_NONE)
        code = http_url_check(c->transfer, url, err);
    if (code == ERR_NONE)
        code = webhook_keys_read(conf_text(conf, "secrets"), &c->keys, err);
    if (code == ERR_NONE)
        code = check_theirs(conf_text(conf, "callback.secrets"), err);
    if (code != ERR_NONE)
        webhook_close(c);
    else
        *out = c;
    return code;
}

/* The specification has every answer but 2xx and 410 tried again: the receiver may have a bad day. */
static enum delivery judge(enum transfer_end end, const struct http_reply *reply,
                           struct receipt *receipt, struct err *err)
{
    enum delivery result = verdict_of(end, reply, receipt, err);

    if (end != TRANSFER_ANSWERED || result != DELIVERY_REFUSED)
        return result;
    if (reply->status != 410)
        return DELIVERY_RETRY;
    receipt->gone = true;
    err_set(err, ERR_DOWN, "answered 410: the receiver wants nothing more");
    return DELIVERY_REFUSED;
}

static enum delivery post(struct connector *c, struct str id, struct str body,
                          struct str traceparent, const struct sending *s, struct receipt *receipt,
                          struct err *err)
{
    struct buf seconds = {0}, signature = {0};
    struct http_reply reply = {0};
    enum delivery result;

    buf_put_format(&seconds, "%" PRId64, s->now_ms / 1000);
    webhook_sign(&c->keys, id, s->now_ms / 1000, body, &signature);
    const struct http_header headers[] = {
        {"Content-Type", STR("application/json")},
        {"webhook-id", id},
        {"webhook-timestamp", buf_str(&seconds)},
        {"webhook-signature", buf_str(&signature)},
        {"traceparent", traceparent},
    };
    const struct http_ask ask = {.method = "POST",
                                 .url = buf_str(&c->url),
                                 .headers = headers,
                                 .header_count = traceparent.len != 0 ? 5 : 4,
                                 .body = body,
                                 .now_ms = s->now_ms,
                                 .repeatable = true};

    result = judge(http_send(c->transfer, &ask, s->timeout_ms, &reply, err), &reply, receipt, err);
    http_reply_free(&reply);
    buf_free(&seconds);
    buf_free(&signature);
    return result;
}

/* {"type": ..., "timestamp": ..., "callback": ..., "data": ...} */
static void put_message(struct buf *out, const char *type, int64_t at_ms, struct str callback,
                        struct str data)
{
    struct json_writer w = json_writer_to(out);

    json_open(&w, '{');
    json_key(&w, "type");
    json_str(&w, str_of(type));
    json_key(&w, "timestamp");
    json_time(&w, at_ms);
    if (callback.len != 0) {
        json_key(&w, "callback");
        json_str(&w, callback);
    }
    json_key(&w, "data");
    json_raw(&w, data);
    json_close(&w, '}');
}

static enum delivery webhook_deliver(struct connector *c, const struct sending *s,
                                     struct receipt *receipt, struct err *err)
{
    struct buf data = {0}, body = {0};
    enum delivery result;

    task_put_json(&data, s->task);
    put_message(&body, TASK_CE_TYPE, s->task->created_ms,
                conf_text(c->conf, "callback.secrets").len != 0 ? s->callback_url : STR_EMPTY,
                buf_str(&data));
    result = post(c, s->task->id, buf_str(&body), s->task->traceparent, s, receipt, err);
    buf_free(&data);
    buf_free(&body);
    return result;
}

static enum delivery webhook_withdraw(struct connector *c, const struct sending *s,
                                      const struct withdrawal *withdrawal, struct receipt *receipt,
                                      struct err *err)
{
    struct buf data = {0}, body = {0}, id = {0};
    enum delivery result;

    buf_put(&id, withdrawal->task);
    buf_put_text(&id, "-withdrawn");
    withdrawal_put_json(&data, withdrawal);
    put_message(&body, WITHDRAWAL_CE_TYPE, withdrawal->created_ms, STR_EMPTY, buf_str(&data));
    result = post(c, buf_str(&id), buf_str(&body), STR_EMPTY, s, receipt, err);
    buf_free(&data);
    buf_free(&body);
    buf_free(&id);
    return result;
}

const struct connector_class webhook_class = {
    .name = "webhook",
    .fields = fields,
    .guarantee = GUARANTEE_IDEMPOTENT,
    .open = webhook_open,
    .close = webhook_close,
    .deliver = webhook_deliver,
    .withdraw = webhook_withdraw,
    .callback = &webhook_reports,
};
