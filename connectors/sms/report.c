#include "connectors/sms/report.h"

#include <stdlib.h>

#include "core/base64.h"
#include "core/crypto.h"

/* Codes in a status that say more than undelivered. */
#define OPTED_OUT "21610"
#define TOO_LATE  "30036" /* its validity period ran out */

struct form {
    struct header *fields;
    size_t count;
};

static bool read_form(const struct callback *callback, struct arena *arena, struct form *out)
{
    struct str text = str_is(callback->method, "GET") ? callback->query : callback->body;

    return callback_form(text, arena, &out->fields, &out->count);
}

static struct str get(const struct form *form, const char *name)
{
    return callback_form_get(form->fields, form->count, name);
}

/* --- the signature ------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    const struct header *x = a, *y = b;
    int order = str_compare(x->name, y->name);

    return order != 0 ? order : str_compare(x->value, y->value);
}

/* The fields of a GET are in the URL already. */
static bool put_signed(const struct callback *callback, struct arena *arena, struct buf *out)
{
    struct form form = {0};

    buf_put(out, callback->url);
    if (!str_is(callback->method, "POST"))
        return true;
    if (!read_form(callback, arena, &form))
        return false;
    qsort(form.fields, form.count, sizeof *form.fields, by_name);
    for (size_t i = 0; i < form.count; i++) {
        buf_put(out, form.fields[i].name);
        buf_put(out, form.fields[i].value);
    }
    return true;
}

/* The secret of an API key signs nothing that comes back. */
static struct str auth_token(const struct conf *conf)
{
    struct str own = conf_text(conf, "auth_token");

    if (own.len != 0 || conf_text(conf, "key").len != 0)
        return own;
    return conf_text(conf, "token");
}

static enum callback_verdict verify(const struct conf *conf, const struct callback *callback,
                                    struct err *err)
{
    struct arena *arena = arena_new(0);
    struct buf text = {0}, expected = {0};
    struct sha1 h;
    bool fits = false;

    if (auth_token(conf).len == 0) {
        err_set(err, ERR_CONFIG, "auth_token is not configured");
    } else if (put_signed(callback, arena, &text)) {
        h = crypto_hmac_sha1(auth_token(conf), buf_str(&text));
        base64_put(&expected, (struct str){(const char *)h.bytes, sizeof h.bytes});
        fits = crypto_equal(buf_str(&expected), callback_header(callback, "X-Twilio-Signature"));
        if (!fits)
            err_set(err, ERR_PARSE, "X-Twilio-Signature does not fit");
    } else {
        err_set(err, ERR_PARSE, "its form cannot be read");
    }
    buf_free(&text);
    buf_free(&expected);
    arena_free(arena);
    return fits ? CALLBACK_FINE : CALLBACK_REFUSED;
}

/* --- reading ------------------------------------------------------------------------------------- */

static bool find_code(struct str status, enum callback_code *out)
{
    static const struct {
        const char *status;
        enum callback_code code;
    } statuses[] = {
#define SMS_STATUS(status, code) {status, CALLBACK_##code},
#include "connectors/sms/statuses.def"
#undef SMS_STATUS
    };

    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        *out = statuses[i].code;
        if (str_is(status, statuses[i].status))
            return true;
    }
    return false;
}

static enum callback_verdict read_status(const struct form *form, struct str reference,
                                         struct arena *arena, struct callback_report *report,
                                         struct err *err)
{
    struct str error = get(form, "ErrorCode");
    struct callback_outcome *outcome;
    enum callback_code code;

    if (!find_code(get(form, "MessageStatus"), &code)) {
        err_set(err, ERR_PARSE, "a status that the provider does not list");
        return CALLBACK_MALFORMED;
    }
    if (code == CALLBACK_FAILED && str_is(error, OPTED_OUT))
        code = CALLBACK_OPTED_OUT;
    else if (code == CALLBACK_FAILED && str_is(error, TOO_LATE))
        code = CALLBACK_EXPIRED;
    outcome = callback_add_outcome(report, arena);
    outcome->reference = reference;
    outcome->code = str_of(callback_code_text(code));
    outcome->final = callback_code_is_final(code);
    outcome->opted_out = code == CALLBACK_OPTED_OUT;
    outcome->id = get(form, "MessageSid");
    if (outcome->final && error.len != 0)
        outcome->reason = arena_format(arena, "provider_error_%.*s", STR_ARG(error));
    return CALLBACK_FINE;
}

/* "whatsapp:+316..." where the account sends by that as well. */
static struct str number_of(struct str from)
{
    struct str before, after;

    return str_cut(from, ':', &before, &after) ? after : from;
}

static void read_message(const struct form *form, struct arena *arena,
                         struct callback_report *report)
{
    struct str kind = get(form, "OptOutType"); /* where the provider looks for the words itself */
    struct callback_stop *stop;

    if (!str_is(kind, "STOP") && (kind.len != 0 || !callback_is_stop(get(form, "Body"))))
        return;
    stop = callback_add_stop(report, arena);
    stop->address = number_of(get(form, "From"));
    stop->id = get(form, "MessageSid");
}

static enum callback_verdict read(const struct conf *conf, const struct callback *callback,
                                  struct arena *arena, struct callback_report *report,
                                  struct err *err)
{
    struct form form;

    (void)conf;
    if (!read_form(callback, arena, &form) || get(&form, "MessageSid").len == 0) {
        err_set(err, ERR_PARSE, "a form with MessageSid is wanted");
        return CALLBACK_MALFORMED;
    }
    if (get(&form, "MessageStatus").len != 0)
        return read_status(&form, callback->reference, arena, report, err);
    read_message(&form, arena, report);
    return CALLBACK_FINE;
}

const struct callback_class sms_reports = {.verify = verify, .read = read};
