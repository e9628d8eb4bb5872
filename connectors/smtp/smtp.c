#include "connectors/smtp/smtp.h"

#include "connectors/net/options.h"
#include "connectors/net/submit.h"
#include "connectors/smtp/calendar.h"
#include "connectors/smtp/message.h"
#include "connectors/unsubscribe/token.h"
#include "core/check.h"
#include "core/mem.h"
#include "core/phrase.h"
#include "core/when.h"

static const struct conf_field fields[] = {
    {.path = "host", .kind = CONF_TEXT, .doc = "Name of the mail server that takes our mails."},
    {.path = "port",
     .kind = CONF_INT,
     .fallback = "587",
     .min = 1,
     .max = 65535,
     .doc = "587 with starttls, 465 with tls, as a rule."},
    {.path = "tls",
     .kind = CONF_CHOICE,
     .choices = "starttls|tls|none",
     .fallback = "starttls",
     .doc = "starttls: nothing is said before the line is encrypted.  tls: from the first byte.  "
            "none: only with private_network."},
    {.path = "user", .kind = CONF_TEXT, .fallback = "", .doc = "For the log-in; empty: none."},
    {.path = "password",
     .kind = CONF_TEXT,
     .fallback = "",
     .secret = true,
     .doc = "For the log-in: by reference, ${VAR} or ${file:PATH}."},
    {.path = "from", .kind = CONF_TEXT, .doc = "Address that mails come from."},
    {.path = "from_name",
     .kind = CONF_TEXT,
     .fallback = "",
     .doc = "Name that people see with it."},
    {.path = "reply_to",
     .kind = CONF_TEXT,
     .fallback = "",
     .doc = "Address for answers; empty: from."},
    {.path = "unsubscribe.url",
     .kind = CONF_TEXT,
     .fallback = "",
     .doc =
         "https:// address of your own that takes one-click unsubscribes (RFC 8058); a signed token "
         "is put behind it.  Empty: attent's receiver, and without one mails have no such header."},
    {.path = "unsubscribe.key",
     .kind = CONF_TEXT,
     .fallback = "",
     .secret = true,
     .doc = "What the tokens are signed with, 32 characters or more: by reference."},
    {.path = "unsubscribe.valid",
     .kind = CONF_SPAN,
     .fallback = "90d",
     .min = WHEN_DAY_MS,
     .max = INT64_C(366) * WHEN_DAY_MS,
     .doc = "How long a token can be used."},
    {.path = "cancelled",
     .kind = CONF_FREE,
     .fallback = "{en: Cancelled, nl: Geannuleerd}",
     .doc = "Word by language in front of the subject of a mail that cancels an appointment; for "
            "other languages the first."},
    NET_FIELDS,
    {0},
};

enum { UNSUBSCRIBE_KEY_BYTES_MIN = 32 };

struct connector {
    struct transfer *transfer;
    const struct conf *conf; /* borrowed, see channel.h */
    struct buf url;
    bool starttls;
};

static void smtp_close(struct connector *c)
{
    if (c == NULL)
        return;
    transfer_close(c->transfer);
    buf_free(&c->url);
    mem_free(c);
}

static bool is_host(struct str host)
{
    for (size_t i = 0; i < host.len; i++) {
        char c = host.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '-'))
            return false;
    }
    return host.len != 0;
}

static bool is_sender(struct str address)
{
    struct buf sent = {0};
    bool fine = message_address_put(&sent, address) == MESSAGE_ADDRESS_FINE &&
                str_equal(buf_str(&sent), address);

    buf_free(&sent);
    return fine;
}

static enum err_code check(const struct conf *conf, struct err *err)
{
    struct str url = conf_text(conf, "unsubscribe.url"), reply_to = conf_text(conf, "reply_to");

    if (!is_host(conf_text(conf, "host")))
        return err_set(err, ERR_CONFIG, "host: letters, digits, dots and hyphens");
    if (str_is(conf_text(conf, "tls"), "none") && !conf_bool(conf, "private_network"))
        return err_set(err, ERR_CONFIG, "tls: none only with private_network: true");
    if (!is_sender(conf_text(conf, "from")))
        return err_set(err, ERR_CONFIG, "from is no mail address of ASCII characters");
    if (reply_to.len != 0 && !is_sender(reply_to))
        return err_set(err, ERR_CONFIG, "reply_to is no mail address of ASCII characters");
    if (url.len == 0)
        return ERR_NONE;
    if (!str_starts(url, STR("https://")) || str_contains(url, STR(" ")) ||
        str_contains(url, STR(">")) || str_contains(url, STR("\n")) || str_contains(url, STR("\r")))
        return err_set(err, ERR_CONFIG, "unsubscribe.url has to begin with https:// (RFC 8058)");
    if (conf_text(conf, "unsubscribe.key").len < UNSUBSCRIBE_KEY_BYTES_MIN)
        return err_set(err, ERR_CONFIG, "unsubscribe.key needs %d characters or more",
                       UNSUBSCRIBE_KEY_BYTES_MIN);
    return ERR_NONE;
}

static enum err_code smtp_open(const struct conf *conf, struct connector **out, struct err *err)
{
    enum err_code code = check(conf, err);
    struct transfer *transfer;

    *out = NULL;
    if (code == ERR_NONE)
        code = net_open(conf, &transfer, err);
    if (code != ERR_NONE)
        return code;
    *out = MEM_NEW(struct connector);
    (*out)->transfer = transfer;
    (*out)->conf = conf;
    (*out)->starttls = str_is(conf_text(conf, "tls"), "starttls");
    buf_put_format(&(*out)->url, "%s://%.*s:%d",
                   str_is(conf_text(conf, "tls"), "tls") ? "smtps" : "smtp",
                   STR_ARG(conf_text(conf, "host")), (int)conf_int(conf, "port"));
    return ERR_NONE;
}

static void put_unsubscribe(const struct conf *conf, const struct sending *s, struct buf *out)
{
    struct str url = conf_text(conf, "unsubscribe.url");
    const struct unsubscribe u = {.customer = s->task->customer,
                                  .purpose = s->task->purpose,
                                  .channel = s->task->channel,
                                  .expires_ms = s->now_ms + conf_int(conf, "unsubscribe.valid")};

    if (url.len == 0) {
        buf_put(out, s->unsubscribe_url);
        return;
    }
    buf_put(out, url);
    buf_put_text(out, str_contains(url, STR("?")) ? "&token=" : "?token=");
    unsubscribe_put_token(out, conf_text(conf, "unsubscribe.key"), &u);
}

static void put_calendar(const struct conf *conf, const struct sending *s, bool cancel,
                         struct buf *out)
{
    struct str from = conf_text(conf, "from"), local, domain;
    struct buf uid = {0};

    if (s->task->appointment.start_ms == 0)
        return;
    str_cut(from, '@', &local, &domain); /* an address: there is one */
    buf_put_format(&uid, "%.*s@%.*s", STR_ARG(s->task->id), STR_ARG(domain));
    const struct calendar calendar = {.appointment = &s->task->appointment,
                                      .uid = buf_str(&uid),
                                      .from_name = conf_text(conf, "from_name"),
                                      .from = from,
                                      .to = s->task->address,
                                      .cancel = cancel,
                                      .at_ms = s->now_ms};
    calendar_put(out, &calendar);
    buf_free(&uid);
}

static void put_message(const struct conf *conf, const struct sending *s, struct buf *out)
{
    struct buf unsubscribe = {0}, calendar = {0};

    put_unsubscribe(conf, s, &unsubscribe);
    put_calendar(conf, s, false, &calendar);
    const struct message message = {.id = s->task->id,
                                    .from_name = conf_text(conf, "from_name"),
                                    .from = conf_text(conf, "from"),
                                    .to = s->task->address,
                                    .reply_to = conf_text(conf, "reply_to"),
                                    .subject = s->task->subject,
                                    .text = s->task->text,
                                    .html = s->task->html,
                                    .language = s->task->language,
                                    .unsubscribe = buf_str(&unsubscribe),
                                    .calendar = buf_str(&calendar),
                                    .at_ms = s->now_ms};
    message_put(out, &message);
    buf_free(&unsubscribe);
    buf_free(&calendar);
}

static struct str cancelled_word(const struct conf *conf, struct str language)
{
    struct str primary = language_primary(language);
    size_t count = conf_count(conf, "cancelled");

    for (size_t i = 0; i < count; i++)
        if (language_equal(conf_item_name(conf, "cancelled", i), primary))
            return conf_free_value(conf, "cancelled", i);
    return count != 0 ? conf_free_value(conf, "cancelled", 0) : STR("Cancelled");
}

/* Says in its subject and text what the calendar is told: not every customer has one. */
static void put_cancellation(const struct conf *conf, const struct sending *s, struct buf *out)
{
    struct str word = cancelled_word(conf, s->task->language);
    struct str title = s->task->appointment.title;
    struct buf id = {0}, subject = {0}, calendar = {0};

    buf_put_format(&id, "%.*s-withdrawn", STR_ARG(s->task->id));
    buf_put_format(&subject, "%.*s: %.*s", STR_ARG(word),
                   STR_ARG(s->task->subject.len != 0 ? s->task->subject : title));
    put_calendar(conf, s, true, &calendar);
    const struct message message = {.id = buf_str(&id),
                                    .from_name = conf_text(conf, "from_name"),
                                    .from = conf_text(conf, "from"),
                                    .to = s->task->address,
                                    .reply_to = conf_text(conf, "reply_to"),
                                    .subject = buf_str(&subject),
                                    .text = buf_str(&subject),
                                    .language = s->task->language,
                                    .calendar = buf_str(&calendar),
                                    .cancel = true,
                                    .at_ms = s->now_ms};
    message_put(out, &message);
    buf_free(&id);
    buf_free(&subject);
    buf_free(&calendar);
}

/* A mail that can be sent at all?  to: its address as the server takes it.  err says why not. */
static bool is_mail(const struct task *task, struct buf *to, bool *utf8, struct err *err)
{
    enum message_address kind = message_address_put(to, task->address);

    *utf8 = kind == MESSAGE_ADDRESS_UTF8;
    if (kind == MESSAGE_ADDRESS_WRONG)
        err_set(err, ERR_PARSE, "the customer's address is no mail address");
    else if (task->id.len == 0 || task->text.len == 0)
        err_set(err, ERR_PARSE, "a mail needs an id and a text");
    else
        return true;
    return false;
}

/* 421: closing, 45x: later.  A no for good is one to this address or message. */
static enum delivery judge(enum transfer_end end, int status)
{
    switch (end) {
    case TRANSFER_ANSWERED:
        if (status < 400)
            return DELIVERY_ACCEPTED;
        if (status == 421)
            return DELIVERY_DOWN;
        return status < 500 ? DELIVERY_RETRY : DELIVERY_REFUSED;
    case TRANSFER_NOT_SENT: return DELIVERY_DOWN;
    case TRANSFER_IN_DOUBT: return DELIVERY_UNKNOWN;
    case TRANSFER_WRONG: return DELIVERY_REFUSED;
    }
    CHECK_NEVER("transfer_end");
}

static enum delivery submit(struct connector *c, const struct sending *s, bool utf8,
                            struct str message, struct err *err)
{
    struct str user = conf_text(c->conf, "user");
    struct buf to = {0};
    enum transfer_end end;
    int status;

    buf_put(&to, s->task->address);
    const struct mail mail = {.url = buf_text(&c->url),
                              .starttls = c->starttls,
                              .user = user.len != 0 ? user.data : NULL,
                              .password = conf_text(c->conf, "password").data,
                              .from = conf_text(c->conf, "from").data,
                              .to = buf_text(&to),
                              .needs_utf8 = utf8,
                              .message = message};
    end = mail_submit(c->transfer, &mail, s->timeout_ms, &status, err);
    buf_free(&to);
    return judge(end, status);
}

static enum delivery send_mail(struct connector *c, const struct sending *s,
                               void (*put)(const struct conf *conf, const struct sending *s,
                                           struct buf *out),
                               struct err *err)
{
    struct buf message = {0}, to = {0};
    struct task task = *s->task;
    struct sending sending = *s;
    enum delivery result = DELIVERY_REFUSED;
    bool utf8;

    if (is_mail(s->task, &to, &utf8, err)) {
        task.address = buf_str(&to);
        sending.task = &task;
        put(c->conf, &sending, &message);
        result = submit(c, &sending, utf8, buf_str(&message), err);
    }
    buf_free(&message);
    buf_free(&to);
    return result;
}

static enum delivery smtp_deliver(struct connector *c, const struct sending *s,
                                  struct receipt *receipt, struct err *err)
{
    (void)receipt; /* a mail server gives no id that could be asked for */
    return send_mail(c, s, put_message, err);
}

/* To whoever works on it already a cancellation is the notice. */
static enum delivery smtp_withdraw(struct connector *c, const struct sending *s,
                                   const struct withdrawal *withdrawal, struct receipt *receipt,
                                   struct err *err)
{
    (void)withdrawal, (void)receipt;
    return send_mail(c, s, put_cancellation, err);
}

static bool smtp_recallable(const struct task *task)
{
    return task->appointment.start_ms != 0;
}

const struct connector_class smtp_class = {
    .name = "smtp",
    .fields = fields,
    .guarantee = GUARANTEE_AT_MOST_ONCE,
    .open = smtp_open,
    .close = smtp_close,
    .deliver = smtp_deliver,
    .withdraw = smtp_withdraw,
    .recallable = smtp_recallable,
};
