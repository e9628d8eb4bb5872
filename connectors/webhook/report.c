#include "connectors/webhook/report.h"

#include "connectors/webhook/signature.h"
#include "core/json.h"
#include "schemas/task.h"

enum { CODE_BYTES_MAX = 64, REASON_BYTES_MAX = 64 };

static enum callback_verdict verify(const struct conf *conf, const struct callback *callback,
                                    struct err *err)
{
    struct webhook_keys keys;
    enum callback_verdict verdict = CALLBACK_REFUSED;

    if (webhook_keys_read(conf_text(conf, "callback.secrets"), &keys, NULL) != ERR_NONE) {
        err_set(err, ERR_CONFIG, "callback.secrets are not configured");
    } else {
        switch (webhook_check(&keys, callback_header(callback, "webhook-id"),
                              callback_header(callback, "webhook-timestamp"),
                              callback_header(callback, "webhook-signature"), callback->body,
                              callback->now_ms)) {
        case WEBHOOK_SIGNED: verdict = CALLBACK_FINE; break;
        case WEBHOOK_FORGED: err_set(err, ERR_PARSE, "webhook-signature does not fit"); break;
        case WEBHOOK_OLD:
            err_set(err, ERR_PARSE, "webhook-timestamp is too far from our clock");
            verdict = CALLBACK_OLD;
            break;
        }
    }
    webhook_keys_free(&keys);
    return verdict;
}

static struct str text_at(struct value v, const char *pointer)
{
    v = json_at(v, str_of(pointer));
    return v.kind == VALUE_STRING ? value_str(v) : STR_EMPTY;
}

static bool is_code(struct str code)
{
    for (size_t i = 0; i < code.len; i++) {
        char c = code.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return code.len != 0 && code.len <= CODE_BYTES_MAX;
}

static bool is_final(struct value body, struct str code)
{
    struct value said = json_at(body, STR("/data/final"));

    if (said.kind == VALUE_BOOL)
        return said.boolean;
    for (int i = 0; i < CALLBACK_CODE_COUNT; i++)
        if (str_is(code, callback_code_text((enum callback_code)i)))
            return callback_code_is_final((enum callback_code)i);
    return false;
}

static enum callback_verdict read(const struct conf *conf, const struct callback *callback,
                                  struct arena *arena, struct callback_report *report,
                                  struct err *err)
{
    struct callback_outcome *outcome;
    struct value body, opted_out;

    (void)conf;
    if (json_parse(callback->body, arena, &body, NULL) != JSON_FINE || body.kind != VALUE_MAP ||
        !str_is(text_at(body, "/type"), OUTCOME_EVENT_TYPE) ||
        !is_code(text_at(body, "/data/code")) ||
        text_at(body, "/data/reason").len > REASON_BYTES_MAX) {
        err_set(err, ERR_PARSE, "JSON with the type task.outcome and data.code is wanted");
        return CALLBACK_MALFORMED;
    }
    opted_out = json_at(body, STR("/data/opted_out"));
    outcome = callback_add_outcome(report, arena);
    outcome->reference = callback->reference;
    outcome->task = text_at(body, "/data/task");
    outcome->code = text_at(body, "/data/code");
    outcome->reason = text_at(body, "/data/reason");
    outcome->final = is_final(body, outcome->code);
    outcome->opted_out = (opted_out.kind == VALUE_BOOL && opted_out.boolean) ||
                         str_is(outcome->code, callback_code_text(CALLBACK_OPTED_OUT));
    outcome->id = callback_header(callback, "webhook-id");
    return CALLBACK_FINE;
}

const struct callback_class webhook_reports = {.verify = verify, .read = read};
