#include "processors/cli/lines.h"

#include "core/when.h"
#include "processors/decide/explain.h"
#include "schemas/event.h"

static const char *reason_words(struct str code)
{
    for (int r = 0; r < REASON_COUNT; r++)
        if (str_is(code, reason_code((enum reason)r)))
            return reason_text((enum reason)r);
    return "";
}

/* Time, customer, moment and what it is about. */
static void put_head(struct buf *out, int64_t at_ms, struct str customer, struct str moment,
                     struct str about)
{
    when_put_rfc3339(out, at_ms);
    buf_put_format(out, "  %.*s", STR_ARG(customer));
    if (moment.len != 0) /* else it is about the event or the customer alone */
        buf_put_format(out, "  %.*s", STR_ARG(moment));
    if (about.len != 0)
        buf_put_format(out, " %.*s", STR_ARG(about));
    buf_put_text(out, "  ");
}

static void put_where(struct buf *out, struct str channel, struct str queue)
{
    buf_put(out, channel);
    if (queue.len != 0)
        buf_put_format(out, ", queue %.*s", STR_ARG(queue));
}

void lines_put_decision(struct buf *out, const struct decision *d)
{
    put_head(out, d->at_ms, d->customer, d->moment, d->about);
    buf_put(out, d->outcome);
    if (!str_equal(d->outcome, d->reason))
        buf_put_format(out, ": %.*s", STR_ARG(d->reason));
    if (d->channel.len != 0)
        buf_put_format(out, " (%.*s)", STR_ARG(d->channel));
    if (d->until_ms != 0) {
        buf_put_text(out, ", until ");
        when_put_rfc3339(out, d->until_ms);
    }
    buf_put_char(out, '\n');
}

void lines_put_task(struct buf *out, const struct task *t)
{
    struct str words = t->say.len != 0       ? t->say
                       : t->subject.len != 0 ? t->subject
                       : t->text.len != 0    ? t->text
                                             : t->reason;
    struct str first, rest;

    put_head(out, t->created_ms, t->customer, t->moment, t->about);
    buf_put_text(out, "TASK ");
    put_where(out, t->channel, t->queue);
    if (!str_cut(words, '\n', &first, &rest))
        first = words;
    buf_put_format(out, ": %.*s\n", STR_ARG(first));
}

void lines_put_withdrawal(struct buf *out, const struct withdrawal *w)
{
    put_head(out, w->created_ms, w->customer, w->moment, w->about);
    buf_put_text(out, "WITHDRAWN ");
    put_where(out, w->channel, w->queue);
    buf_put_format(out, ": %.*s", STR_ARG(w->reason));
    if (w->because.len != 0)
        buf_put_format(out, " by %.*s", STR_ARG(w->because));
    buf_put_char(out, '\n');
}

static void put_permission(struct buf *out, const struct permission *p)
{
    put_head(out, p->created_ms, p->customer, STR("-"), STR_EMPTY);
    buf_put_format(out, "PERMISSION WITHDRAWN for %.*s on %.*s by %.*s\n",
                   STR_ARG(p->purpose.len != 0 ? p->purpose : STR("all purposes")),
                   STR_ARG(p->channel.len != 0 ? p->channel : STR("all channels")),
                   STR_ARG(p->because));
}

static struct str text_of(struct value map, struct str key)
{
    struct value v = value_map_get(map, key);

    return v.kind == VALUE_STRING ? value_str(v) : STR_EMPTY;
}

static bool put_outcome(struct buf *out, const struct record *record, struct arena *arena)
{
    struct event event;
    struct str channel, code;

    if (event_read_whole(record, arena, &event, NULL) != EVENT_FINE ||
        !str_is(event.type, OUTCOME_EVENT_TYPE) || event.data_value.kind != VALUE_MAP)
        return false;
    channel = text_of(event.data_value, STR("channel"));
    code = text_of(event.data_value, STR("code"));
    put_head(out, event.time_ms, event.subject.len != 0 ? event.subject : record->key,
             text_of(event.data_value, STR("moment")), text_of(event.data_value, STR("about")));
    buf_put_format(out, "outcome %.*s: %.*s\n", STR_ARG(channel), STR_ARG(code));
    return true;
}

/* Ids and codes come from outside; what a terminal would obey is shown as '?'. */
static void tame(struct buf *out, size_t from, bool keep_lines)
{
    for (size_t i = from; i < out->len; i++) {
        unsigned char c = (unsigned char)out->data[i];
        bool line = c == '\n' && (keep_lines || i + 1 == out->len);
        if ((c < 0x20 && !line) || c == 0x7f)
            out->data[i] = '?';
    }
}

static bool put_record(struct buf *out, const struct record *record, struct arena *arena)
{
    struct str type = record_header(record, STR("ce_type"));
    struct withdrawal withdrawal;
    struct permission permission;
    struct decision decision;
    struct task task;

    if (str_is(type, DECISION_CE_TYPE)) {
        if (!decision_read_json(record->value, arena, &decision, NULL))
            return false;
        lines_put_decision(out, &decision);
    } else if (str_is(type, TASK_CE_TYPE)) {
        if (!task_read_json(record->value, arena, &task, NULL))
            return false;
        lines_put_task(out, &task);
    } else if (str_is(type, WITHDRAWAL_CE_TYPE)) {
        if (!withdrawal_read_json(record->value, arena, &withdrawal, NULL))
            return false;
        lines_put_withdrawal(out, &withdrawal);
    } else if (str_is(type, PERMISSION_CE_TYPE)) {
        if (!permission_read_json(record->value, arena, &permission, NULL))
            return false;
        put_permission(out, &permission);
    } else if (str_is(type, STRAY_CE_TYPE)) {
        buf_put_text(out, "an outcome of no task that is out\n");
    } else {
        return put_outcome(out, record, arena);
    }
    return true;
}

bool lines_put_record(struct buf *out, const struct record *record, struct arena *arena)
{
    size_t from = out->len;
    bool known = put_record(out, record, arena);

    tame(out, from, false);
    return known;
}

void lines_put_json(struct buf *out, const struct record *record, struct arena *arena)
{
    struct json_writer w = json_writer_to(out);
    struct value value;

    json_open(&w, '{');
    json_key(&w, "topic");
    json_str(&w, record->topic);
    json_key(&w, "partition");
    json_int(&w, record->partition);
    json_key(&w, "offset");
    json_int(&w, record->offset);
    json_key(&w, "time");
    json_time(&w, record->timestamp_ms);
    json_key(&w, "key");
    json_str(&w, record->key);
    json_key(&w, "type");
    json_str(&w, record_header(record, STR("ce_type")));
    json_key(&w, "value");
    if (json_parse(record->value, arena, &value, NULL) == JSON_FINE)
        json_value(&w, value);
    else
        json_null(&w);
    json_close(&w, '}');
    buf_put_char(out, '\n');
}

const char *lines_would(const struct decision *d)
{
    return str_is(d->outcome, "hold") ? "it could go out"
           : d->task.len != 0         ? "the task would still be out"
                                      : "it would have gone out";
}

/* What would have had to differ; and what nobody asked any more, because it was stopped before. */
static void put_needed(struct buf *out, const struct decision *d)
{
    bool behind = false, any = false;

    if (d->needed.len == 0)
        return;
    buf_put_format(out, "    > %s %.*s\n", lines_would(d), STR_ARG(d->needed));
    for (int s = 0; d->stage_count != 0 && s < STAGE_TASK; s++) {
        if (behind)
            buf_put_format(out, "%s%s", any ? ", " : "      not asked any more: ", stage_word(s));
        any |= behind;
        behind |= str_is(d->stages[d->stage_count - 1].stage, stage_word(s));
    }
    buf_put_text(out, any ? "\n" : "");
}

void lines_put_stages(struct buf *out, const struct decision *d)
{
    size_t from = out->len;

    lines_put_decision(out, d);
    if (d->event_type.len != 0)
        buf_put_format(out, "    after %.*s %.*s\n", STR_ARG(d->event_type), STR_ARG(d->event));
    for (size_t i = 0; i < d->stage_count; i++) {
        const struct decision_stage *s = &d->stages[i];
        buf_put_format(out, "    %-12.*s %s", STR_ARG(s->stage), s->passed ? "passed" : "STOPPED");
        if (s->detail.len != 0)
            buf_put_format(out, "%s%.*s", s->passed ? "   " : "  ", STR_ARG(s->detail));
        buf_put_char(out, '\n');
    }
    buf_put_format(out, "    = %.*s: %s\n", STR_ARG(d->reason), reason_words(d->reason));
    put_needed(out, d);
    tame(out, from, true);
}
