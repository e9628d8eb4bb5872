#include "connectors/genesys/genesys.h"

#include "connectors/genesys/callback.h"
#include "connectors/net/options.h"
#include "connectors/net/phone.h"
#include "connectors/net/verdict.h"
#include "connectors/oauth/oauth.h"
#include "core/clock.h"
#include "core/crypto.h"
#include "core/mem.h"

static const struct conf_field fields[] = {
    {.path = "region",
     .kind = CONF_TEXT,
     .doc = "AWS region that the organisation is in: eu-west-1."},
    {.path = "base_url",
     .kind = CONF_TEXT,
     .fallback = "",
     .doc = "Where the API is; empty: api. and the region's domain."},
    {.path = "login_url",
     .kind = CONF_TEXT,
     .fallback = "",
     .doc = "Where access tokens are got; empty: login. and the region's domain."},
    {.path = "client_id",
     .kind = CONF_TEXT,
     .doc = "Id of an OAuth client with the grant type client credentials."},
    {.path = "client_secret",
     .kind = CONF_TEXT,
     .secret = true,
     .doc = "Its secret: by reference."},
    {.path = "queue",
     .kind = CONF_TEXT,
     .fallback = "",
     .doc = "Id of the queue for tasks that name none, or none of `queues`.  Empty: those are "
            "refused."},
    {.path = "queues",
     .kind = CONF_FREE,
     .fallback = "{}",
     .doc = "Ids of the queues that tasks name: insurance: 12345678-...."},
    {.path = "script",
     .kind = CONF_TEXT,
     .fallback = "",
     .doc = "Id of the script that agents see; empty: the queue's."},
    NET_FIELDS,
    {0},
};

struct connector {
    struct transfer *transfer;
    struct oauth *oauth;
    const struct conf *conf; /* borrowed, see channel.h */
    struct buf base_url;
};

static void genesys_close(struct connector *c)
{
    if (c == NULL)
        return;
    oauth_close(c->oauth);
    transfer_close(c->transfer);
    buf_free(&c->base_url);
    mem_free(c);
}

/* NULL: there is no such region. */
static const char *domain_of(struct str region)
{
    static const struct {
        const char *aws, *domain;
    } regions[] = {
#define GENESYS_REGION(aws, domain) {aws, domain},
#include "connectors/genesys/genesys_regions.def"
#undef GENESYS_REGION
    };

    for (size_t i = 0; i < sizeof regions / sizeof regions[0]; i++)
        if (str_is(region, regions[i].aws))
            return regions[i].domain;
    return NULL;
}

/* A host of the region, unless the configuration has another. */
static void put_url(struct buf *out, struct str own, const char *host, const char *domain)
{
    if (own.len != 0)
        buf_put(out, own);
    else
        buf_put_format(out, "https://%s.%s", host, domain);
}

static enum err_code open_urls(struct connector *c, const char *domain, struct err *err)
{
    struct buf login = {0};
    enum err_code code;

    put_url(&c->base_url, conf_text(c->conf, "base_url"), "api", domain);
    put_url(&login, conf_text(c->conf, "login_url"), "login", domain);
    buf_put_text(&login, "/oauth/token");
    const struct oauth_config oauth = {.url = buf_str(&login),
                                       .client = conf_text(c->conf, "client_id"),
                                       .secret = conf_text(c->conf, "client_secret")};
    code = http_url_check(c->transfer, buf_str(&c->base_url), err);
    if (code == ERR_NONE && http_url_check(c->transfer, buf_str(&login), err) != ERR_NONE)
        code = err_prefix(err, "login_url");
    if (code == ERR_NONE)
        code = oauth_open(&oauth, &c->oauth, err);
    buf_free(&login);
    return code;
}

static enum err_code genesys_open(const struct conf *conf, struct connector **out, struct err *err)
{
    const char *domain = domain_of(conf_text(conf, "region"));
    struct connector *c = MEM_NEW(struct connector);
    enum err_code code;

    *out = NULL;
    c->conf = conf;
    code = net_open(conf, &c->transfer, err);
    if (code == ERR_NONE && domain == NULL)
        code = err_set(err, ERR_CONFIG, "region \"%.*s\": Genesys Cloud has none of that name",
                       STR_ARG(conf_text(conf, "region")));
    if (code == ERR_NONE && conf_text(conf, "queue").len == 0 && conf_count(conf, "queues") == 0)
        code = err_set(err, ERR_CONFIG, "give queue, or queues");
    if (code == ERR_NONE)
        code = open_urls(c, domain, err);
    if (code != ERR_NONE)
        genesys_close(c);
    else
        *out = c;
    return code;
}

/* --- one request ---------------------------------------------------------------------------------- */

struct call { /* what several requests of one task share */
    struct connector *c;
    const struct sending *s;
    int64_t until_mono_ms;
    struct buf bearer;
    struct receipt *receipt;
    struct err *err; /* never NULL */
};

/* Get a token for all requests of a call.  call_end also after another answer than ACCEPTED. */
static enum delivery call_begin(struct call *call, struct connector *c, const struct sending *s,
                                struct receipt *receipt, struct err *err)
{
    int timeout_ms = s->timeout_ms;

    *call = (struct call){.c = c,
                          .s = s,
                          .until_mono_ms = clock_mono_ms() + s->timeout_ms,
                          .receipt = receipt,
                          .err = err};
    return oauth_token(c->oauth, c->transfer, &timeout_ms, s->now_ms, &call->bearer, receipt, err);
}

static void call_end(struct call *call)
{
    crypto_forget(&call->bearer);
}

static enum delivery request(const struct call *call, const char *method, struct str path,
                             struct str body, bool repeatable, struct http_reply *reply)
{
    int64_t left_ms = call->until_mono_ms - clock_mono_ms();
    struct buf url = {0};
    enum delivery result;

    if (left_ms <= 0) {
        err_set(call->err, ERR_DOWN, "no time was left");
        return DELIVERY_RETRY;
    }
    buf_put(&url, buf_str(&call->c->base_url));
    buf_put(&url, path);
    const struct http_header headers[] = {
        {"Authorization", buf_str(&call->bearer)},
        {"Content-Type", STR("application/json")},
    };
    const struct http_ask ask = {.method = method,
                                 .url = buf_str(&url),
                                 .headers = headers,
                                 .header_count = body.len != 0 ? 2 : 1,
                                 .body = body,
                                 .now_ms = call->s->now_ms,
                                 .repeatable = repeatable};
    result = verdict_of(http_send(call->c->transfer, &ask, (int)left_ms, reply, call->err), reply,
                        call->receipt, call->err);
    if (reply->status == 401)
        oauth_refused(call->c->oauth, buf_str(&call->bearer));
    buf_free(&url);
    return result;
}

/* --- make ----------------------------------------------------------------------------------------- */

static struct str queue_of(const struct conf *conf, struct str name)
{
    for (size_t i = 0; i < conf_count(conf, "queues"); i++)
        if (str_equal(conf_item_name(conf, "queues", i), name))
            return conf_free_value(conf, "queues", i);
    return conf_text(conf, "queue");
}

static enum delivery create(const struct call *call, struct str queue)
{
    struct arena *arena = arena_new(0);
    struct http_reply reply = {0};
    struct buf body = {0};
    struct value id;
    enum delivery result;

    callback_put_create(&body, call->s->task, queue, conf_text(call->c->conf, "script"));
    result = request(call, "POST", STR("/api/v2/conversations/callbacks"), buf_str(&body), false,
                     &reply);
    id = json_at(http_reply_json(&reply, arena), STR("/conversation/id"));
    if (result == DELIVERY_ACCEPTED && id.kind == VALUE_STRING)
        verdict_keep_reference(call->receipt, value_str(id));
    http_reply_free(&reply);
    buf_free(&body);
    arena_free(arena);
    return result;
}

static enum delivery genesys_deliver(struct connector *c, const struct sending *s,
                                     struct receipt *receipt, struct err *err)
{
    struct str queue = queue_of(c->conf, s->task->queue);
    enum delivery result;
    struct call call;

    if (!phone_is_number(s->task->address)) {
        err_set(err, ERR_PARSE, "a callback needs a number that begins with + and its country");
        return DELIVERY_REFUSED;
    }
    if (queue.len == 0) {
        err_set(err, ERR_CONFIG, "queue \"%.*s\" is not among queues", STR_ARG(s->task->queue));
        return DELIVERY_REFUSED;
    }
    result = call_begin(&call, c, s, receipt, err);
    if (result == DELIVERY_ACCEPTED)
        result = create(&call, queue);
    call_end(&call);
    return result;
}

/* --- take back ------------------------------------------------------------------------------------ */

/* ACCEPTED: *stage is where it is.  404: it is not there any more. */
static enum delivery look(const struct call *call, struct arena *arena, enum callback_stage *stage,
                          struct str *customer)
{
    struct http_reply reply = {0};
    struct buf path = {0};
    enum delivery result;

    *stage = CALLBACK_OVER;
    *customer = STR_EMPTY;
    buf_put_text(&path, "/api/v2/conversations/callbacks/");
    http_put_escaped(&path, call->s->reference);
    result = request(call, "GET", buf_str(&path), STR_EMPTY, true, &reply);
    if (result == DELIVERY_ACCEPTED) {
        *stage = callback_stage_of(http_reply_json(&reply, arena), customer);
    } else if (reply.status == 404) {
        *call->err = (struct err){0};
        result = DELIVERY_ACCEPTED;
    }
    http_reply_free(&reply);
    buf_free(&path);
    return result;
}

static enum delivery patch(const struct call *call, struct str path, struct str body)
{
    struct http_reply reply = {0};
    enum delivery result = request(call, "PATCH", path, body, true, &reply);

    http_reply_free(&reply);
    return result;
}

static enum delivery disconnect(const struct call *call)
{
    struct buf path = {0};
    enum delivery result;

    buf_put_text(&path, "/api/v2/conversations/callbacks/");
    http_put_escaped(&path, call->s->reference);
    result = patch(call, buf_str(&path), STR("{\"state\":\"disconnected\"}"));
    buf_free(&path);
    return result;
}

static enum delivery tell(const struct call *call, struct str customer,
                          const struct withdrawal *withdrawal)
{
    struct buf path = {0}, body = {0};
    enum delivery result;

    if (customer.len == 0) {
        err_set(call->err, ERR_STATE, "an agent has it, and there is nothing to leave a note at");
        return DELIVERY_REFUSED;
    }
    buf_put_text(&path, "/api/v2/conversations/");
    http_put_escaped(&path, call->s->reference);
    buf_put_text(&path, "/participants/");
    http_put_escaped(&path, customer);
    buf_put_text(&path, "/attributes");
    callback_put_notice(&body, withdrawal);
    result = patch(call, buf_str(&path), buf_str(&body));
    buf_free(&path);
    buf_free(&body);
    return result;
}

static enum delivery take_back(const struct call *call, const struct withdrawal *withdrawal)
{
    struct arena *arena = arena_new(0);
    enum callback_stage stage;
    struct str customer;
    enum delivery result = look(call, arena, &stage, &customer);

    if (result == DELIVERY_ACCEPTED && stage != CALLBACK_OVER)
        result = withdrawal->notice || stage == CALLBACK_WITH_AGENT
                     ? tell(call, customer, withdrawal)
                     : disconnect(call);
    arena_free(arena);
    return result;
}

static enum delivery genesys_withdraw(struct connector *c, const struct sending *s,
                                      const struct withdrawal *withdrawal, struct receipt *receipt,
                                      struct err *err)
{
    enum delivery result;
    struct call call;

    if (s->reference.len == 0) {
        err_set(err, ERR_STATE, "it is not known which conversation the task became");
        return DELIVERY_REFUSED;
    }
    result = call_begin(&call, c, s, receipt, err);
    if (result == DELIVERY_ACCEPTED)
        result = take_back(&call, withdrawal);
    call_end(&call);
    return result;
}

const struct connector_class genesys_class = {
    .name = "genesys",
    .fields = fields,
    .guarantee = GUARANTEE_AT_MOST_ONCE,
    .open = genesys_open,
    .close = genesys_close,
    .deliver = genesys_deliver,
    .withdraw = genesys_withdraw,
};
