#include "connectors/sms/sms.h"

#include "connectors/net/options.h"
#include "connectors/net/phone.h"
#include "connectors/net/verdict.h"
#include "connectors/sms/report.h"
#include "core/base64.h"
#include "core/crypto.h"
#include "core/mem.h"

static const struct conf_field fields[] = {
    {.path = "base_url",
     .kind = CONF_TEXT,
     .fallback = "https://api.twilio.com",
     .doc = "Where the provider's API is."},
    {.path = "account", .kind = CONF_TEXT, .doc = "Account SID, AC..."},
    {.path = "key",
     .kind = CONF_TEXT,
     .fallback = "",
     .doc = "SID of an API key, SK..., whose secret `token` is; empty: the account's own."},
    {.path = "token",
     .kind = CONF_TEXT,
     .secret = true,
     .doc = "Auth token of the account, or the secret of the key: by reference."},
    {.path = "service",
     .kind = CONF_TEXT,
     .fallback = "",
     .doc = "Messaging service SID, MG..., that chooses the sender; or give `from`."},
    {.path = "from",
     .kind = CONF_TEXT,
     .fallback = "",
     .doc = "Number (+31...) or name that messages come from."},
    {.path = "status_url",
     .kind = CONF_TEXT,
     .fallback = "",
     .doc = "Where the provider reports what became of a message; empty: to attent's receiver, if "
            "there is one."},
    {.path = "auth_token",
     .kind = CONF_TEXT,
     .fallback = "",
     .secret = true,
     .doc = "Auth token of the account, which signs those reports: by reference.  Needed beside a "
            "`key`; without one it is `token`."},
    NET_FIELDS,
    {0},
};

struct connector {
    struct transfer *transfer;
    struct buf url;
    struct buf authorization;
    bool has_status_url;
    struct buf sender; /* the form's fields that are the same for every message */
};

static void sms_close(struct connector *c)
{
    if (c == NULL)
        return;
    transfer_close(c->transfer);
    buf_free(&c->url);
    crypto_forget(&c->authorization);
    buf_free(&c->sender);
    mem_free(c);
}

static void put_field(struct buf *form, const char *name, struct str value)
{
    if (value.len == 0)
        return;
    if (form->len != 0)
        buf_put_char(form, '&');
    buf_put_format(form, "%s=", name);
    http_put_escaped(form, value);
}

static void put_basic(struct buf *out, struct str user, struct str password)
{
    struct buf both = {0};

    buf_put(&both, user);
    buf_put_char(&both, ':');
    buf_put(&both, password);
    buf_put_text(out, "Basic ");
    base64_put(out, buf_str(&both));
    crypto_forget(&both);
}

static enum err_code sms_open(const struct conf *conf, struct connector **out, struct err *err)
{
    struct str account = conf_text(conf, "account"), key = conf_text(conf, "key");
    struct str service = conf_text(conf, "service"), from = conf_text(conf, "from");
    struct connector *c = MEM_NEW(struct connector);
    enum err_code code;

    *out = NULL;
    buf_put(&c->url, conf_text(conf, "base_url"));
    buf_put_text(&c->url, "/2010-04-01/Accounts/");
    http_put_escaped(&c->url, account);
    buf_put_text(&c->url, "/Messages.json");
    put_basic(&c->authorization, key.len != 0 ? key : account, conf_text(conf, "token"));
    put_field(&c->sender, "MessagingServiceSid", service);
    put_field(&c->sender, "From", from);
    c->has_status_url = conf_text(conf, "status_url").len != 0;
    put_field(&c->sender, "StatusCallback", conf_text(conf, "status_url"));
    code = net_open(conf, &c->transfer, err);
    if (code == ERR_NONE)
        code = http_url_check(c->transfer, buf_str(&c->url), err);
    if (code == ERR_NONE && service.len == 0 && from.len == 0)
        code = err_set(err, ERR_CONFIG, "give the sender: service or from");
    if (code != ERR_NONE)
        sms_close(c);
    else
        *out = c;
    return code;
}

/* What a code of the provider means; the HTTP status' verdict where it says nothing more. */
static enum delivery of_code(int64_t code, enum delivery verdict, struct receipt *receipt,
                             struct err *err)
{
    switch (code) {
#define SMS_ERROR(number, result, stop)                                                            \
    case number:                                                                                   \
        receipt->opted_out = (stop);                                                               \
        verdict = DELIVERY_##result;                                                               \
        break;
#include "connectors/sms/sms_errors.def"
#undef SMS_ERROR
    default: break;
    }
    if (code != 0)
        err_set(err, ERR_DOWN, "the provider says error %lld", (long long)code);
    return verdict;
}

static enum delivery judge(enum transfer_end end, const struct http_reply *reply,
                           struct receipt *receipt, struct err *err)
{
    enum delivery verdict = verdict_of(end, reply, receipt, err);
    struct arena *arena = arena_new(0);
    struct value body = http_reply_json(reply, arena);
    struct value code = json_at(body, STR("/code")), sid = json_at(body, STR("/sid"));

    if (verdict == DELIVERY_ACCEPTED && sid.kind == VALUE_STRING)
        verdict_keep_reference(receipt, value_str(sid));
    else if (verdict != DELIVERY_ACCEPTED && reply->status < 500 && code.kind == VALUE_INT)
        verdict = of_code(code.i, verdict, receipt, err);
    arena_free(arena);
    return verdict;
}

static enum delivery sms_deliver(struct connector *c, const struct sending *s,
                                 struct receipt *receipt, struct err *err)
{
    struct buf form = {0};
    struct http_reply reply = {0};
    enum delivery result;

    if (!phone_is_number(s->task->address) || s->task->text.len == 0) {
        err_set(err, ERR_PARSE,
                "a text message needs a text and a number that begins with + and its country");
        return DELIVERY_REFUSED;
    }
    buf_put(&form, buf_str(&c->sender));
    if (!c->has_status_url)
        put_field(&form, "StatusCallback", s->callback_url);
    put_field(&form, "To", s->task->address);
    put_field(&form, "Body", s->task->text);
    const struct http_post post = {.url = buf_str(&c->url),
                                   .authorization = buf_str(&c->authorization),
                                   .content_type = STR("application/x-www-form-urlencoded"),
                                   .body = buf_str(&form),
                                   .now_ms = s->now_ms};
    result = judge(http_post(c->transfer, &post, s->timeout_ms, &reply, err), &reply, receipt, err);
    http_reply_free(&reply);
    buf_free(&form);
    return result;
}

const struct connector_class sms_class = {
    .name = "sms",
    .fields = fields,
    .guarantee = GUARANTEE_AT_MOST_ONCE,
    .open = sms_open,
    .close = sms_close,
    .deliver = sms_deliver,
    .callback = &sms_reports,
};
