#include "processors/ingest/convert.h"

#include "core/limit.h"
#include "core/when.h"

/* How far ahead of our clock a record's timestamp may lie: it moves the log's time. */
enum { AHEAD_MS_MAX = 60 * WHEN_SECOND_MS };

static int64_t capped(int64_t timestamp_ms, int64_t now_ms)
{
    if (timestamp_ms < 0) /* Kafka's way to say that there is none */
        return now_ms;
    return timestamp_ms < now_ms + AHEAD_MS_MAX ? timestamp_ms : now_ms + AHEAD_MS_MAX;
}

static enum event_fault check_event(const struct ingest_config *config, const struct event *event,
                                    struct err *err)
{
    const struct schema *schema = event_types_find(config->types, event->type);

    if (schema == NULL) {
        err_set(err, ERR_PARSE, "there is no schema for %.*s", STR_ARG(event->type));
        return EVENT_UNKNOWN_TYPE;
    }
    if (event->subject.len == 0) {
        err_set(err, ERR_PARSE, "the event names no customer (subject)");
        return EVENT_NO_SUBJECT;
    }
    return schema_validate(schema, event->data_value, err) ? EVENT_FINE : EVENT_INVALID_DATA;
}

/* data as the producer wrote it, or written anew where it stood in an envelope. */
static struct str data_text(const struct event *event, struct arena *arena)
{
    struct buf text = {0};
    struct str kept;

    if (event->data.len > 0)
        return event->data;
    json_put_value(&text, event->data_value);
    kept = arena_str(arena, buf_str(&text));
    buf_free(&text);
    return kept;
}

static enum event_fault make_record(const struct ingest_config *config, struct event *event,
                                    const struct record *from, struct arena *arena,
                                    struct record *out, struct err *err)
{
    struct header *headers;

    event->partition_key = event->subject;
    *out = (struct record){.topic = str_of(config->events_topic),
                           .partition = -1,
                           .timestamp_ms = from->timestamp_ms,
                           .key = event->subject,
                           .value = data_text(event, arena)};
    out->header_count = event_headers(event, arena, &headers);
    out->headers = headers;
    return event_check_size(out, err); /* written anew a number may be longer */
}

struct converted ingest_convert(const struct ingest_config *config,
                                const struct ingest_source *source, const struct record *record,
                                int64_t now_ms, struct arena *arena, struct err *err)
{
    struct converted out = {0};
    struct record in = *record;
    struct event event;

    in.timestamp_ms = capped(record->timestamp_ms, now_ms);
    out.fault = source->mode == INGEST_MAPPED
                    ? mapping_read(&source->mapping, &in, arena, &event, err)
                    : event_read_whole(&in, arena, &event, err);
    if (out.fault == EVENT_FINE)
        out.fault = check_event(config, &event, err);
    if (out.fault == EVENT_FINE)
        out.fault = make_record(config, &event, &in, arena, &out.record, err);
    out.time_corrected = out.fault == EVENT_FINE && event.time_corrected;
    return out;
}
