#include "connectors/amazon_connect/amazon_connect.h"

#include "connectors/amazon_connect/contact.h"
#include "connectors/amazon_connect/sigv4.h"
#include "connectors/net/options.h"
#include "connectors/net/verdict.h"
#include "core/clock.h"
#include "core/mem.h"

static const struct conf_field fields[] = {
    {.path = "region", .kind = CONF_TEXT, .doc = "AWS region of the instance: eu-west-2."},
    {.path = "base_url",
     .kind = CONF_TEXT,
     .fallback = "",
     .doc = "Where the API is; empty: https://connect.REGION.amazonaws.com."},
    {.path = "instance", .kind = CONF_TEXT, .doc = "Id of the Amazon Connect instance."},
    {.path = "contact_flow",
     .kind = CONF_TEXT,
     .fallback = "",
     .doc = "Id of the flow that tasks begin with; or give `task_template`."},
    {.path = "task_template",
     .kind = CONF_TEXT,
     .fallback = "",
     .doc = "Id of a task template that names its flow."},
    {.path = "access_key_id", .kind = CONF_TEXT, .doc = "Access key of the IAM user or role."},
    {.path = "secret_access_key",
     .kind = CONF_TEXT,
     .secret = true,
     .doc = "Its secret: by reference."},
    {.path = "session_token",
     .kind = CONF_TEXT,
     .fallback = "",
     .secret = true,
     .doc = "Session token of temporary credentials: by reference; empty: none."},
    NET_FIELDS,
    {0},
};

#define SERVICE STR("connect")

struct connector {
    struct transfer *transfer;
    const struct conf *conf; /* borrowed, see channel.h */
    struct buf base_url;
    struct str host; /* in base_url */
};

static void amazon_connect_close(struct connector *c)
{
    if (c == NULL)
        return;
    transfer_close(c->transfer);
    buf_free(&c->base_url);
    mem_free(c);
}

/* Part of a path and of a signature: nothing that would have to be escaped. */
static bool is_id(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-'))
            return false;
    }
    return s.len != 0;
}

static enum err_code check(const struct conf *conf, struct err *err)
{
    bool flow = conf_text(conf, "contact_flow").len != 0;
    bool template = conf_text(conf, "task_template").len != 0;

    if (!is_id(conf_text(conf, "region")))
        return err_set(err, ERR_CONFIG, "region: letters, digits and hyphens, as eu-west-2");
    if (!is_id(conf_text(conf, "instance")))
        return err_set(err, ERR_CONFIG,
                       "instance: its id alone, the part of its ARN behind \"instance/\"");
    if (flow == template)
        return err_set(err, ERR_CONFIG, "give contact_flow or task_template, one of them");
    if (!is_id(conf_text(conf, "access_key_id")))
        return err_set(err, ERR_CONFIG, "access_key_id: letters and digits");
    return ERR_NONE;
}

static enum err_code amazon_connect_open(const struct conf *conf, struct connector **out,
                                         struct err *err)
{
    struct connector *c = MEM_NEW(struct connector);
    struct str base_url = conf_text(conf, "base_url"), after;
    enum err_code code = check(conf, err);

    *out = NULL;
    c->conf = conf;
    buf_put(&c->base_url, base_url);
    if (base_url.len == 0)
        buf_put_format(&c->base_url, "https://connect.%.*s.amazonaws.com",
                       STR_ARG(conf_text(conf, "region")));
    if (code == ERR_NONE)
        code = net_open(conf, &c->transfer, err);
    if (code == ERR_NONE)
        code = http_url_check(c->transfer, buf_str(&c->base_url), err);
    if (code == ERR_NONE) {
        str_cut(buf_str(&c->base_url), '/', &after, &c->host);
        c->host = str_slice(c->host, 1, c->host.len); /* behind "https:" and "//" */
        if (str_contains(c->host, STR("/")))
            code = err_set(err, ERR_CONFIG, "base_url: a host without a path");
    }
    if (code != ERR_NONE)
        amazon_connect_close(c);
    else
        *out = c;
    return code;
}

/* --- one request ---------------------------------------------------------------------------------- */

struct call { /* what several requests of one task share */
    struct connector *c;
    const struct sending *s;
    int64_t until_mono_ms;
    struct receipt *receipt;
    struct err *err; /* never NULL */
};

static struct call call_of(struct connector *c, const struct sending *s, struct receipt *receipt,
                           struct err *err)
{
    return (struct call){c, s, clock_mono_ms() + s->timeout_ms, receipt, err};
}

static struct sigv4_credentials credentials_of(const struct conf *conf)
{
    return (struct sigv4_credentials){.region = conf_text(conf, "region"),
                                      .service = SERVICE,
                                      .access_key = conf_text(conf, "access_key_id"),
                                      .secret = conf_text(conf, "secret_access_key"),
                                      .session_token = conf_text(conf, "session_token")};
}

/* Repeating each of them has no further effect. */
static enum delivery request(const struct call *call, const char *method, struct str path,
                             struct str body, struct http_reply *reply)
{
    const struct sigv4_credentials credentials = credentials_of(call->c->conf);
    struct buf url = {0}, date = {0}, authorization = {0};
    int64_t left_ms = call->until_mono_ms - clock_mono_ms();
    enum delivery result;

    if (left_ms <= 0) {
        err_set(call->err, ERR_DOWN, "no time was left");
        return DELIVERY_UNKNOWN;
    }
    buf_put(&url, buf_str(&call->c->base_url));
    buf_put(&url, path);
    const struct sigv4_request to_sign = {.method = method,
                                          .host = call->c->host,
                                          .path = path,
                                          .content_type = STR("application/json"),
                                          .body = body,
                                          .at_ms = call->s->now_ms};
    sigv4_sign(&credentials, &to_sign, &date, &authorization);
    const struct http_header headers[] = {
        {"Content-Type", to_sign.content_type},
        {"X-Amz-Date", buf_str(&date)},
        {"Authorization", buf_str(&authorization)},
        {"X-Amz-Security-Token", credentials.session_token},
    };
    const struct http_ask ask = {.method = method,
                                 .url = buf_str(&url),
                                 .headers = headers,
                                 .header_count = credentials.session_token.len != 0 ? 4 : 3,
                                 .body = body,
                                 .now_ms = call->s->now_ms,
                                 .repeatable = true};
    result = verdict_of(http_send(call->c->transfer, &ask, (int)left_ms, reply, call->err), reply,
                        call->receipt, call->err);
    buf_free(&url);
    buf_free(&date);
    buf_free(&authorization);
    return result;
}

static struct contact_place place_of(const struct conf *conf)
{
    return (struct contact_place){.instance = conf_text(conf, "instance"),
                                  .flow = conf_text(conf, "contact_flow"),
                                  .template = conf_text(conf, "task_template")};
}

/* --- start ---------------------------------------------------------------------------------------- */

static enum delivery start(const struct call *call)
{
    const struct contact_place place = place_of(call->c->conf);
    struct arena *arena = arena_new(0);
    struct http_reply reply = {0};
    struct buf body = {0};
    enum delivery result;

    contact_put_start(&body, &place, call->s->task);
    result = request(call, "PUT", STR("/contact/task"), buf_str(&body), &reply);
    if (result == DELIVERY_ACCEPTED) {
        struct value id = json_at(http_reply_json(&reply, arena), STR("/ContactId"));
        if (id.kind == VALUE_STRING)
            verdict_keep_reference(call->receipt, value_str(id));
    }
    http_reply_free(&reply);
    buf_free(&body);
    arena_free(arena);
    return result;
}

static enum delivery amazon_connect_deliver(struct connector *c, const struct sending *s,
                                            struct receipt *receipt, struct err *err)
{
    const struct call call = call_of(c, s, receipt, err);

    return start(&call);
}

/* --- take back ------------------------------------------------------------------------------------ */

enum stage { STAGE_WAITING, STAGE_WITH_AGENT, STAGE_OVER };

static void put_path(struct buf *out, const struct call *call, struct str contact)
{
    buf_put_format(out, "/contacts/%.*s/%.*s", STR_ARG(conf_text(call->c->conf, "instance")),
                   STR_ARG(contact));
}

/* ACCEPTED: *stage is where the contact is. */
static enum delivery look(const struct call *call, struct str contact, enum stage *stage)
{
    struct arena *arena = arena_new(0);
    struct http_reply reply = {0};
    struct buf path = {0};
    enum delivery result;

    *stage = STAGE_OVER;
    put_path(&path, call, contact);
    result = request(call, "GET", buf_str(&path), STR_EMPTY, &reply);
    if (result == DELIVERY_ACCEPTED) {
        struct value body = http_reply_json(&reply, arena);
        bool over = json_at(body, STR("/Contact/DisconnectTimestamp")).kind != VALUE_ABSENT;
        bool taken = json_at(body, STR("/Contact/AgentInfo/Id")).kind != VALUE_ABSENT;
        *stage = over ? STAGE_OVER : taken ? STAGE_WITH_AGENT : STAGE_WAITING;
    }
    http_reply_free(&reply);
    buf_free(&path);
    arena_free(arena);
    return result;
}

/* 410: there is no such contact any more. */
static enum delivery stop(const struct call *call, struct str contact)
{
    const struct contact_place place = place_of(call->c->conf);
    struct http_reply reply = {0};
    struct buf body = {0};
    enum delivery result;

    contact_put_stop(&body, &place, contact);
    result = request(call, "POST", STR("/contact/stop"), buf_str(&body), &reply);
    if (reply.status == 410) {
        *call->err = (struct err){0};
        result = DELIVERY_ACCEPTED;
    }
    http_reply_free(&reply);
    buf_free(&body);
    return result;
}

static enum delivery tell(const struct call *call, struct str contact,
                          const struct withdrawal *withdrawal)
{
    struct http_reply reply = {0};
    struct buf path = {0}, body = {0};
    enum delivery result;

    put_path(&path, call, contact);
    contact_put_notice(&body, call->s->task, withdrawal);
    result = request(call, "POST", buf_str(&path), buf_str(&body), &reply);
    http_reply_free(&reply);
    buf_free(&path);
    buf_free(&body);
    return result;
}

/* Which contact did the task become?  Where the answer was lost, starting it again says so, and
 * makes none that is not there but to be stopped at once. */
static enum delivery find_contact(const struct call *call, struct str *contact)
{
    enum delivery result = DELIVERY_ACCEPTED;

    *contact = call->s->reference;
    if (contact->len == 0) {
        result = start(call);
        *contact = str_of(call->receipt->reference);
    }
    if (result == DELIVERY_ACCEPTED && !is_id(*contact)) {
        err_set(call->err, ERR_STATE, "it is not known which contact the task became");
        return DELIVERY_REFUSED;
    }
    return result;
}

static enum delivery amazon_connect_withdraw(struct connector *c, const struct sending *s,
                                             const struct withdrawal *withdrawal,
                                             struct receipt *receipt, struct err *err)
{
    const struct call call = call_of(c, s, receipt, err);
    struct str contact;
    enum stage stage = STAGE_OVER;
    enum delivery result = find_contact(&call, &contact);

    if (result == DELIVERY_ACCEPTED)
        result = look(&call, contact, &stage);
    if (result != DELIVERY_ACCEPTED || stage == STAGE_OVER)
        return result;
    if (withdrawal->notice || stage == STAGE_WITH_AGENT)
        return tell(&call, contact, withdrawal);
    return stop(&call, contact);
}

const struct connector_class amazon_connect_class = {
    .name = "amazon_connect",
    .fields = fields,
    .guarantee = GUARANTEE_IDEMPOTENT,
    .open = amazon_connect_open,
    .close = amazon_connect_close,
    .deliver = amazon_connect_deliver,
    .withdraw = amazon_connect_withdraw,
};
