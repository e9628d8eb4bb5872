#include "connectors/net/submit.h"

#include "connectors/net/transfer_parts.h"
#include "core/check.h"

enum { SMTP_DONE = 250 };

/* What the callbacks of one submission know. */
struct submission {
    const struct mail *mail;
    size_t sent;      /* bytes of the message that libcurl took */
    bool all_sent;    /* it has asked for more and been told that there is none */
    bool offers_utf8; /* SMTPUTF8 is among what the server offers */
};

static size_t on_read(char *to, size_t size, size_t count, void *context)
{
    struct submission *s = context;
    struct str rest = str_slice(s->mail->message, s->sent, s->mail->message.len);
    size_t bytes = size * count < rest.len ? size * count : rest.len;

    if (s->mail->needs_utf8 && !s->offers_utf8)
        return CURL_READFUNC_ABORT;
    if (bytes != 0)
        memcpy(to, rest.data, bytes);
    s->sent += bytes;
    s->all_sent = bytes == 0;
    return bytes;
}

/* libcurl gives each line that the server says. */
static size_t on_line(char *data, size_t size, size_t count, void *context)
{
    struct submission *s = context;
    struct str line = str_trim((struct str){data, size * count});

    s->offers_utf8 |= str_is(line, "250-SMTPUTF8") || str_is(line, "250 SMTPUTF8");
    return size * count;
}

static enum transfer_end judge(struct transfer *t, CURLcode code, const struct submission *s,
                               int *status, struct err *err)
{
    long last = 0;

    if (code == CURLE_OK) {
        *status = SMTP_DONE;
        return TRANSFER_ANSWERED;
    }
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &last);
    transfer_explain(t, code, err);
    if (code == CURLE_ABORTED_BY_CALLBACK) {
        err_set(err, ERR_DOWN, "the mail server does not take addresses that are not ASCII");
        return TRANSFER_WRONG;
    }
    /* a wrong password is the channel's fault, not that of the mail */
    if (last >= 400 && code != CURLE_LOGIN_DENIED) {
        err_set(err, ERR_DOWN, "the mail server answered %ld", last);
        *status = (int)last;
        return TRANSFER_ANSWERED;
    }
    return s->all_sent ? TRANSFER_IN_DOUBT : TRANSFER_NOT_SENT;
}

#define SET(option, value) CHECK(curl_easy_setopt(t->easy, (option), (value)) == CURLE_OK)

enum transfer_end mail_submit(struct transfer *t, const struct mail *mail, int timeout_ms,
                              int *status, struct err *err)
{
    struct submission s = {.mail = mail};
    struct curl_slist *to = curl_slist_append(NULL, mail->to);
    enum transfer_end end;

    CHECK(to != NULL && timeout_ms > 0);
    *status = 0;
    transfer_prepare(t, mail->url, "smtp,smtps", timeout_ms);
    SET(CURLOPT_USE_SSL, (long)(mail->starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
    if (mail->user != NULL) {
        SET(CURLOPT_USERNAME, mail->user);
        SET(CURLOPT_PASSWORD, mail->password);
    }
    SET(CURLOPT_MAIL_FROM, mail->from);
    SET(CURLOPT_MAIL_RCPT, to);
    SET(CURLOPT_UPLOAD, 1L);
    SET(CURLOPT_READFUNCTION, on_read);
    SET(CURLOPT_READDATA, &s);
    SET(CURLOPT_HEADERFUNCTION, on_line);
    SET(CURLOPT_HEADERDATA, &s);
    end = judge(t, transfer_run(t), &s, status, err);
    curl_slist_free_all(to);
    return end;
}
