#include "connectors/whatsapp/whatsapp.h"

#include "connectors/net/options.h"
#include "connectors/net/phone.h"
#include "connectors/net/verdict.h"
#include "connectors/whatsapp/report.h"
#include "core/crypto.h"
#include "core/mem.h"
#include "core/when.h"

static const struct conf_field fields[] = {
    {.path = "base_url",
     .kind = CONF_TEXT,
     .fallback = "https://graph.facebook.com",
     .doc = "Where the provider's API is."},
    {.path = "version",
     .kind = CONF_TEXT,
     .fallback = "v23.0",
     .doc = "Version of the Graph API; Meta takes each away about two years after it came."},
    {.path = "phone_number_id",
     .kind = CONF_TEXT,
     .doc = "Id (not the number) of the telephone number that messages come from."},
    {.path = "token",
     .kind = CONF_TEXT,
     .secret = true,
     .doc = "Access token of a system user with the permission whatsapp_business_messaging: by "
            "reference."},
    {.path = "template",
     .kind = CONF_TEXT,
     .fallback = "",
     .doc = "Approved template for what may not go as text.  Its body has one parameter, which "
            "becomes the task's text.  Empty: none."},
    {.path = "templates",
     .kind = CONF_FREE,
     .fallback = "{}",
     .doc = "Templates of their own for some moments: moment: template."},
    {.path = "language",
     .kind = CONF_TEXT,
     .fallback = "en",
     .doc = "Language of the template for tasks that state none: nl, en_US."},
    {.path = "last_message",
     .kind = CONF_TEXT,
     .fallback = "",
     .doc =
         "Name of the fact in a task that says when the customer last wrote on WhatsApp.  Within "
         "24 hours of it a task goes as text.  Empty: always as template."},
    {.path = "app_secret",
     .kind = CONF_TEXT,
     .fallback = "",
     .secret = true,
     .doc =
         "Secret of the Meta app, which signs what is reported: by reference.  Empty: reports are "
         "refused."},
    {.path = "verify_token",
     .kind = CONF_TEXT,
     .fallback = "",
     .secret = true,
     .doc = "A text of your own that Meta shows when it first calls the address for reports: by "
            "reference."},
    NET_FIELDS,
    {0},
};

/* Five minutes less than the 24 hours: the message has to be there before they are over. */
#define WINDOW_MS (WHEN_DAY_MS - 5 * (int64_t)WHEN_MINUTE_MS)

struct connector {
    struct transfer *transfer;
    const struct conf *conf; /* borrowed, see channel.h */
    struct buf url, authorization;
};

static void whatsapp_close(struct connector *c)
{
    if (c == NULL)
        return;
    transfer_close(c->transfer);
    buf_free(&c->url);
    crypto_forget(&c->authorization);
    mem_free(c);
}

static enum err_code whatsapp_open(const struct conf *conf, struct connector **out, struct err *err)
{
    struct connector *c = MEM_NEW(struct connector);
    enum err_code code;

    *out = NULL;
    c->conf = conf;
    buf_put(&c->url, conf_text(conf, "base_url"));
    buf_put_char(&c->url, '/');
    http_put_escaped(&c->url, conf_text(conf, "version"));
    buf_put_char(&c->url, '/');
    http_put_escaped(&c->url, conf_text(conf, "phone_number_id"));
    buf_put_text(&c->url, "/messages");
    buf_put_text(&c->authorization, "Bearer ");
    buf_put(&c->authorization, conf_text(conf, "token"));
    code = net_open(conf, &c->transfer, err);
    if (code == ERR_NONE)
        code = http_url_check(c->transfer, buf_str(&c->url), err);
    if (code == ERR_NONE && conf_text(conf, "template").len == 0 &&
        conf_text(conf, "last_message").len == 0)
        code = err_set(err, ERR_CONFIG,
                       "give template, or last_message if nothing is sent but answers within 24 "
                       "hours");
    if (code != ERR_NONE)
        whatsapp_close(c);
    else
        *out = c;
    return code;
}

/* --- the message ------------------------------------------------------------------------------ */

/* Did the customer write within the last 24 hours, as the task's fact says? */
static bool may_go_as_text(const struct connector *c, const struct sending *s)
{
    struct str name = conf_text(c->conf, "last_message");
    int64_t at_ms;

    for (size_t i = 0; i < s->task->fact_count && name.len != 0; i++) {
        const struct task_fact *fact = &s->task->facts[i];
        if (str_equal(fact->name, name) && fact->value.kind == VALUE_STRING &&
            when_parse_ms(value_str(fact->value), &at_ms))
            return at_ms <= s->now_ms && s->now_ms - at_ms < WINDOW_MS;
    }
    return false;
}

static struct str template_of(const struct connector *c, struct str moment)
{
    for (size_t i = 0; i < conf_count(c->conf, "templates"); i++)
        if (str_equal(conf_item_name(c->conf, "templates", i), moment))
            return conf_free_value(c->conf, "templates", i);
    return conf_text(c->conf, "template");
}

/* Meta refuses parameters with line breaks, tabs or more than four blanks in a row: each run of
 * them becomes one blank. */
static void put_parameter(struct buf *out, struct str text)
{
    text = str_trim(text);
    for (size_t i = 0; i < text.len; i++) {
        bool blank = (unsigned char)text.data[i] <= ' ';
        if (!blank)
            buf_put_char(out, text.data[i]);
        else if (out->len != 0 && out->data[out->len - 1] != ' ')
            buf_put_char(out, ' ');
    }
}

/* "en-US" is en_US with Meta. */
static void put_language(struct buf *out, struct str language)
{
    buf_put(out, language);
    for (size_t i = 0; i < out->len; i++)
        if (out->data[i] == '-')
            out->data[i] = '_';
}

static void put_text(struct json_writer *w, struct str text)
{
    json_key(w, "type");
    json_str(w, STR("text"));
    json_key(w, "text");
    json_open(w, '{');
    json_key(w, "body");
    json_str(w, text);
    json_close(w, '}');
}

/* The one parameter of a template's body. */
static void put_components(struct json_writer *w, struct str parameter)
{
    json_key(w, "components");
    json_open(w, '[');
    json_open(w, '{');
    json_key(w, "type");
    json_str(w, STR("body"));
    json_key(w, "parameters");
    json_open(w, '[');
    json_open(w, '{');
    json_key(w, "type");
    json_str(w, STR("text"));
    json_key(w, "text");
    json_str(w, parameter);
    json_close(w, '}');
    json_close(w, ']');
    json_close(w, '}');
    json_close(w, ']');
}

static void put_template(struct json_writer *w, const struct connector *c, const struct task *task,
                         struct str name)
{
    struct str own = task->language;
    struct buf language = {0}, parameter = {0};

    put_language(&language, own.len != 0 ? own : conf_text(c->conf, "language"));
    put_parameter(&parameter, task->text);
    json_key(w, "type");
    json_str(w, STR("template"));
    json_key(w, "template");
    json_open(w, '{');
    json_key(w, "name");
    json_str(w, name);
    json_key(w, "language");
    json_open(w, '{');
    json_key(w, "code");
    json_str(w, buf_str(&language));
    json_close(w, '}');
    put_components(w, buf_str(&parameter));
    json_close(w, '}');
    buf_free(&language);
    buf_free(&parameter);
}

enum { CALLBACK_DATA_BYTES_MAX = 512 /* of biz_opaque_callback_data */ };

/* What comes back with each status: the mark that receivers know, if it fits. */
static struct str callback_data(const struct sending *s)
{
    bool fits = s->callback_mark.len != 0 && s->callback_mark.len <= CALLBACK_DATA_BYTES_MAX;

    return fits ? s->callback_mark : s->task->id;
}

/* template empty: as text. */
static void put_message(struct buf *out, const struct connector *c, const struct sending *s,
                        struct str template)
{
    const struct task *task = s->task;
    struct json_writer w = json_writer_to(out);

    json_open(&w, '{');
    json_key(&w, "messaging_product");
    json_str(&w, STR("whatsapp"));
    json_key(&w, "recipient_type");
    json_str(&w, STR("individual"));
    json_key(&w, "to");
    json_str(&w, task->address);
    json_key(&w, "biz_opaque_callback_data");
    json_str(&w, callback_data(s));
    if (template.len != 0)
        put_template(&w, c, task, template);
    else
        put_text(&w, task->text);
    json_close(&w, '}');
}

/* --- the answer ------------------------------------------------------------------------------- */

/* What a code of the provider means; the HTTP status' verdict where it says nothing more. */
static enum delivery of_code(int64_t code, enum delivery verdict, struct receipt *receipt,
                             struct err *err)
{
    static const struct {
        int64_t first, last;
        enum delivery result;
        bool opted_out;
    } errors[] = {
#define WHATSAPP_ERROR(first, last, result, opted_out) {first, last, DELIVERY_##result, opted_out},
#include "connectors/whatsapp/whatsapp_errors.def"
#undef WHATSAPP_ERROR
    };

    err_set(err, ERR_DOWN, "the provider says error %lld", (long long)code);
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (code >= errors[i].first && code <= errors[i].last) {
            receipt->opted_out = errors[i].opted_out;
            return errors[i].result;
        }
    return verdict;
}

static enum delivery judge(enum transfer_end end, const struct http_reply *reply,
                           struct receipt *receipt, struct err *err)
{
    enum delivery verdict = verdict_of(end, reply, receipt, err);
    struct arena *arena = arena_new(0);
    struct value body = http_reply_json(reply, arena);
    struct value code = json_at(body, STR("/error/code"));
    struct value id = json_at(body, STR("/messages/0/id"));

    if (verdict == DELIVERY_ACCEPTED && id.kind == VALUE_STRING)
        verdict_keep_reference(receipt, value_str(id));
    else if (verdict != DELIVERY_ACCEPTED && reply->status < 500 && code.kind == VALUE_INT)
        verdict = of_code(code.i, verdict, receipt, err);
    arena_free(arena);
    return verdict;
}

/* Can it be sent at all, and as what?  err says why not. */
static bool choose(const struct connector *c, const struct sending *s, struct str *template,
                   struct err *err)
{
    bool as_text = may_go_as_text(c, s);

    *template = as_text ? STR_EMPTY : template_of(c, s->task->moment);
    if (!phone_is_number(s->task->address) || str_trim(s->task->text).len == 0)
        err_set(err, ERR_PARSE,
                "a WhatsApp message needs a text and a number that begins with + and its country");
    else if (!as_text && template->len == 0)
        err_set(err, ERR_CONFIG,
                "the customer did not write within 24 hours, and there is no template for this "
                "moment");
    else
        return true;
    return false;
}

static enum delivery whatsapp_deliver(struct connector *c, const struct sending *s,
                                      struct receipt *receipt, struct err *err)
{
    struct buf body = {0};
    struct http_reply reply = {0};
    struct str template;
    enum delivery result;

    if (!choose(c, s, &template, err))
        return DELIVERY_REFUSED;
    put_message(&body, c, s, template);
    const struct http_post post = {.url = buf_str(&c->url),
                                   .authorization = buf_str(&c->authorization),
                                   .content_type = STR("application/json"),
                                   .body = buf_str(&body),
                                   .now_ms = s->now_ms};
    result = judge(http_post(c->transfer, &post, s->timeout_ms, &reply, err), &reply, receipt, err);
    http_reply_free(&reply);
    buf_free(&body);
    return result;
}

const struct connector_class whatsapp_class = {
    .name = "whatsapp",
    .fields = fields,
    .guarantee = GUARANTEE_AT_MOST_ONCE,
    .open = whatsapp_open,
    .close = whatsapp_close,
    .deliver = whatsapp_deliver,
    .callback = &whatsapp_reports,
};
