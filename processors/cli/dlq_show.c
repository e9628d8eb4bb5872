#include "processors/cli/dlq_show.h"

#include <inttypes.h>

#include "core/base64.h"
#include "core/json.h"
#include "core/when.h"
#include "processors/cli/dlq_replay.h"
#include "processors/cli/scan.h"

struct finding {
    const struct spot *at;
    struct arena *arena;
    bool json;
    struct buf *out;
    bool found;
    struct str replayed_to; /* empty: has not been */
};

/* --- for people --------------------------------------------------------------------------------- */

static void put_value_text(struct buf *out, struct str value)
{
    if (value.data == NULL) {
        buf_put_text(out, "  value     none\n");
        return;
    }
    buf_put_format(out, "  value     %zu bytes%s\n    ", value.len,
                   str_is_utf8(value) ? "" : ", no UTF-8: in base64");
    if (str_is_utf8(value))
        buf_put(out, value);
    else
        base64_put(out, value);
    buf_put_char(out, '\n');
}

static void put_text(const struct finding *f, const struct record *record, const struct letter *l)
{
    struct buf *out = f->out;
    const char *advice = dlq_advice(l->reason), *stays = dlq_way_of(record, l, "").stays;

    spot_put(out, f->at);
    buf_put_text(out, "\n  from      ");
    if (l->from.topic.len != 0)
        spot_put(out, &l->from);
    else
        buf_put_text(out, "no topic");
    buf_put_text(out, ", ");
    when_put_rfc3339(out, l->timestamp_ms);
    buf_put_format(out, "\n  by        %.*s\n  reason    %.*s: ", STR_ARG(l->part),
                   STR_ARG(l->reason));
    buf_put_utf8(out, l->message);
    if (advice != NULL)
        buf_put_format(out, "\n  help      %s", advice);
    if (l->cut.len != 0)
        buf_put_format(out, "\n  cut       %.*s: the record did not fit", STR_ARG(l->cut));
    buf_put_text(out, "\n  again     ");
    if (f->replayed_to.len != 0)
        buf_put_format(out, "sent to %.*s\n", STR_ARG(f->replayed_to));
    else if (stays != NULL)
        buf_put_format(out, "cannot be sent: %s\n", stays);
    else
        buf_put_text(out, "not sent\n");
    buf_put_text(out, "  key       ");
    buf_put_utf8(out, record->key.data != NULL ? record->key : STR("none"));
    buf_put_char(out, '\n');
    for (size_t i = 0; i < l->header_count; i++) {
        buf_put_text(out, i == 0 ? "  headers   " : "            ");
        buf_put_utf8(out, record->headers[i].name);
        buf_put_text(out, ": ");
        buf_put_utf8(out, record->headers[i].value);
        buf_put_char(out, '\n');
    }
    put_value_text(out, record->value);
}

/* --- for programs ------------------------------------------------------------------------------- */

static void put_base64(struct json_writer *w, struct str bytes)
{
    struct buf text = {0};

    base64_put(&text, bytes);
    json_str(w, buf_str(&text));
    buf_free(&text);
}

static void put_header(struct json_writer *w, const struct header *h)
{
    json_open(w, '[');
    json_str(w, h->name);
    if (str_is_utf8(h->value)) {
        json_str(w, h->value);
    } else {
        json_open(w, '{');
        json_key(w, "base64");
        put_base64(w, h->value);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void put_record(struct json_writer *w, const struct record *record, const struct letter *l)
{
    json_key(w, "topic");
    json_str(w, l->from.topic);
    if (record->key.data != NULL && str_is_utf8(record->key)) {
        json_key(w, "key");
        json_str(w, record->key);
    }
    json_key(w, "headers");
    json_open(w, '[');
    for (size_t i = 0; i < l->header_count; i++)
        put_header(w, &record->headers[i]);
    json_close(w, ']');
    if (record->value.data == NULL)
        return;
    json_key(w, str_is_utf8(record->value) ? "value" : "value_base64");
    if (str_is_utf8(record->value))
        json_str(w, record->value);
    else
        put_base64(w, record->value);
}

static void put_text_member(struct json_writer *w, const char *key, struct str text)
{
    json_key(w, key);
    json_str(w, text);
}

static void put_json(const struct finding *f, const struct record *record, const struct letter *l)
{
    struct json_writer w = json_writer_to(f->out);
    const char *advice = dlq_advice(l->reason);
    struct buf from = {0}, at = {0};

    spot_put(&at, f->at);
    if (l->from.topic.len != 0)
        spot_put(&from, &l->from);
    json_open(&w, '{');
    put_text_member(&w, "letter", buf_str(&at));
    put_text_member(&w, "from", buf_str(&from));
    json_key(&w, "time");
    json_time(&w, l->timestamp_ms);
    put_text_member(&w, "part", l->part);
    put_text_member(&w, "reason", l->reason);
    put_text_member(&w, "message", l->message);
    put_text_member(&w, "help", str_of(advice));
    put_text_member(&w, "cut", l->cut);
    put_text_member(&w, "replayed_to", f->replayed_to);
    put_record(&w, record, l);
    json_close(&w, '}');
    buf_put_char(f->out, '\n');
    buf_free(&from);
    buf_free(&at);
}

/* --- both --------------------------------------------------------------------------------------- */

static enum err_code look_for_mark(void *context, const struct record *record, struct err *err)
{
    struct finding *f = context;
    struct spot letter;
    struct str to;

    (void)err;
    if (letter_read_mark(record, &letter, &to) && spot_equal(&letter, f->at))
        f->replayed_to = arena_str(f->arena, to);
    return ERR_NONE;
}

static enum err_code look_for_letter(void *context, const struct record *record, struct err *err)
{
    struct finding *f = context;
    struct letter letter;

    (void)err;
    if (record->partition != f->at->partition || record->offset != f->at->offset ||
        !letter_read(record, &letter))
        return ERR_NONE;
    f->found = true;
    (f->json ? put_json : put_text)(f, record, &letter);
    return ERR_NONE;
}

enum err_code dlq_show(const struct kafka_settings *kafka, const struct spot *at, bool json,
                       struct arena *arena, struct buf *out, struct err *err)
{
    struct finding f = {.at = at, .arena = arena, .json = json, .out = out};
    struct scan scan = {.kafka = kafka,
                        .topic = arena_str(arena, at->topic).data,
                        .partition = SCAN_ALL,
                        .context = &f,
                        .record = look_for_mark};
    enum err_code code = scan_topic(&scan, err);

    scan.partition = at->partition;
    scan.record = look_for_letter;
    if (code == ERR_NONE)
        code = scan_topic(&scan, err);
    if (code == ERR_NONE && !f.found)
        code = err_set(err, ERR_USAGE, "%.*s/%" PRId32 "/%" PRId64 " is no dead letter",
                       STR_ARG(at->topic), at->partition, at->offset);
    return code;
}
