#include "connectors/whatsapp/report.h"

#include "core/crypto.h"
#include "core/json.h"

/* The customer stopped messages of this kind: the message was not sent. */
enum { ERROR_OPTED_OUT = 131050, CHALLENGE_BYTES_MAX = 256, SECONDS_DIGITS_MAX = 11 };

/* --- is it from Meta? ---------------------------------------------------------------------------- */

static enum callback_verdict verify_challenge(const struct conf *conf,
                                              const struct callback *callback, struct err *err)
{
    struct str expected = conf_text(conf, "verify_token");
    struct arena *arena = arena_new(0);
    struct header *fields;
    size_t count;
    bool fits;

    fits = expected.len != 0 && callback_form(callback->query, arena, &fields, &count) &&
           str_is(callback_form_get(fields, count, "hub.mode"), "subscribe") &&
           crypto_equal(callback_form_get(fields, count, "hub.verify_token"), expected);
    arena_free(arena);
    if (fits)
        return CALLBACK_FINE;
    err_set(err, ERR_PARSE, "hub.verify_token is not verify_token of the configuration");
    return CALLBACK_REFUSED;
}

static enum callback_verdict verify(const struct conf *conf, const struct callback *callback,
                                    struct err *err)
{
    struct str secret = conf_text(conf, "app_secret");
    struct buf expected = {0};
    struct sha256 h;
    bool fits;

    if (str_is(callback->method, "GET"))
        return verify_challenge(conf, callback, err);
    if (secret.len == 0) {
        err_set(err, ERR_CONFIG, "app_secret is not configured");
        return CALLBACK_REFUSED;
    }
    h = crypto_hmac_sha256(secret, callback->body);
    buf_put_text(&expected, "sha256=");
    sha256_put_hex(&expected, &h);
    fits = crypto_equal(buf_str(&expected), callback_header(callback, "X-Hub-Signature-256"));
    buf_free(&expected);
    if (!fits)
        err_set(err, ERR_PARSE, "X-Hub-Signature-256 does not fit");
    return fits ? CALLBACK_FINE : CALLBACK_REFUSED;
}

/* --- reading ------------------------------------------------------------------------------------- */

static struct str text_at(struct value v, const char *pointer)
{
    v = json_at(v, str_of(pointer));
    return v.kind == VALUE_STRING ? value_str(v) : STR_EMPTY;
}

/* Seconds as a text; 0: it says none. */
static int64_t time_of(struct value v)
{
    struct str text = text_at(v, "/timestamp");
    uint64_t seconds;

    if (text.len > SECONDS_DIGITS_MAX || !str_read_number(text, &seconds))
        return 0;
    return (int64_t)seconds * 1000;
}

static bool find_code(struct str status, enum callback_code *out)
{
    static const struct {
        const char *status;
        enum callback_code code;
    } statuses[] = {{"sent", CALLBACK_SENT},
                    {"delivered", CALLBACK_DELIVERED},
                    {"read", CALLBACK_READ},
                    {"failed", CALLBACK_FAILED}};

    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        *out = statuses[i].code;
        if (str_is(status, statuses[i].status))
            return true;
    }
    return false;
}

/* One that Meta adds to its list some day is read over: the batch has others in it. */
static void read_status(struct value status, struct arena *arena, struct callback_report *report)
{
    struct str reference = text_at(status, "/biz_opaque_callback_data");
    struct value error = json_at(status, STR("/errors/0/code"));
    struct callback_outcome *outcome;
    enum callback_code code;

    if (reference.len == 0 || !find_code(text_at(status, "/status"), &code))
        return;
    if (code == CALLBACK_FAILED && error.kind == VALUE_INT && error.i == ERROR_OPTED_OUT)
        code = CALLBACK_OPTED_OUT;
    outcome = callback_add_outcome(report, arena);
    outcome->reference = reference;
    outcome->code = str_of(callback_code_text(code));
    outcome->final = callback_code_is_final(code);
    outcome->opted_out = code == CALLBACK_OPTED_OUT;
    outcome->id = text_at(status, "/id");
    outcome->at_ms = time_of(status);
    if (outcome->final && error.kind == VALUE_INT)
        outcome->reason = arena_format(arena, "provider_error_%lld", (long long)error.i);
}

/* Written, or the button of a template. */
static void read_message(struct value message, struct arena *arena, struct callback_report *report)
{
    struct callback_stop *stop;

    if (!callback_is_stop(text_at(message, "/text/body")) &&
        !callback_is_stop(text_at(message, "/button/text")) &&
        !callback_is_stop(text_at(message, "/interactive/button_reply/title")))
        return;
    stop = callback_add_stop(report, arena);
    stop->address = arena_format(arena, "+%.*s", STR_ARG(text_at(message, "/from")));
    stop->id = text_at(message, "/id");
    stop->at_ms = time_of(message);
}

static void read_change(const struct conf *conf, struct value change, struct arena *arena,
                        struct callback_report *report)
{
    struct value statuses = json_at(change, STR("/value/statuses"));
    struct value messages = json_at(change, STR("/value/messages"));

    if (!str_equal(text_at(change, "/value/metadata/phone_number_id"),
                   conf_text(conf, "phone_number_id")))
        return; /* of another number of the same app */
    for (size_t i = 0; statuses.kind == VALUE_LIST && i < statuses.n; i++)
        read_status(statuses.list[i], arena, report);
    for (size_t i = 0; messages.kind == VALUE_LIST && i < messages.n; i++)
        read_message(messages.list[i], arena, report);
}

static enum callback_verdict read_challenge(const struct callback *callback, struct arena *arena,
                                            struct callback_report *report)
{
    struct header *fields;
    size_t count;

    if (!callback_form(callback->query, arena, &fields, &count))
        return CALLBACK_MALFORMED;
    report->answer = callback_form_get(fields, count, "hub.challenge");
    return report->answer.len <= CHALLENGE_BYTES_MAX ? CALLBACK_FINE : CALLBACK_MALFORMED;
}

static enum callback_verdict read(const struct conf *conf, const struct callback *callback,
                                  struct arena *arena, struct callback_report *report,
                                  struct err *err)
{
    struct value body, entries, changes;

    if (str_is(callback->method, "GET"))
        return read_challenge(callback, arena, report);
    if (json_parse(callback->body, arena, &body, NULL) != JSON_FINE || body.kind != VALUE_MAP ||
        !str_is(text_at(body, "/object"), "whatsapp_business_account")) {
        err_set(err, ERR_PARSE, "JSON with the object whatsapp_business_account is wanted");
        return CALLBACK_MALFORMED;
    }
    entries = json_at(body, STR("/entry"));
    for (size_t i = 0; entries.kind == VALUE_LIST && i < entries.n; i++) {
        changes = json_at(entries.list[i], STR("/changes"));
        for (size_t k = 0; changes.kind == VALUE_LIST && k < changes.n; k++)
            read_change(conf, changes.list[k], arena, report);
    }
    return CALLBACK_FINE;
}

const struct callback_class whatsapp_reports = {.verify = verify, .read = read};
