#include "processors/ingest/convert.h"

#include <inttypes.h>

#include "core/check.h"
#include "core/when.h"
#include "processors/ingest/alias.h"

/* How far ahead of our clock a record's timestamp may lie: it moves the log's time. */
enum { AHEAD_MS_MAX = 60 * WHEN_SECOND_MS };

static int64_t capped(int64_t timestamp_ms, int64_t now_ms)
{
    if (timestamp_ms < 0) /* Kafka's way to say that there is none */
        return now_ms;
    return timestamp_ms < now_ms + AHEAD_MS_MAX ? timestamp_ms : now_ms + AHEAD_MS_MAX;
}

/* --- from what was said to an event ------------------------------------------------------------------- */

static enum event_fault set_time(const struct message *message, const struct record *record,
                                 struct event *out, struct err *err)
{
    struct str text = message_attribute(message, "time");
    int64_t written_ms = record->timestamp_ms;

    if (text.len > 0 &&
        (!when_parse_to_the_letter(text, &written_ms) || !when_is_printable(written_ms))) {
        err_set(err, ERR_PARSE, "attribute time is not in the years 1 to 9999");
        return EVENT_BAD_ATTRIBUTE;
    }
    event_set_time(out, written_ms, record->timestamp_ms);
    return EVENT_FINE;
}

/* What the event brings along of it; where an address is looked up that counts instead. */
static enum event_fault set_geo(const struct message *message, struct event *out, struct err *err)
{
    static const struct {
        const char *name;
        size_t bytes_max;
    } attributes[] = {
#define GEO(name, word, attribute, bytes_max, text) {attribute, bytes_max},
#include "schemas/geo.def"
#undef GEO
    };
    enum event_fault fault = EVENT_FINE;

    for (size_t i = 0; i < GEO_COUNT && fault == EVENT_FINE; i++) {
        out->geo[i] = message_attribute(message, attributes[i].name);
        fault = event_check_text(attributes[i].name, out->geo[i], attributes[i].bytes_max, err);
    }
    return fault;
}

static enum event_fault set_data(struct content *data, struct arena *arena, struct event *out,
                                 struct err *err)
{
    enum event_fault fault = content_object(data, arena, &out->data_value, err);

    out->data = data->kind == CONTENT_NONE ? STR("{}") : data->bytes;
    return fault;
}

static enum event_fault make_event(struct message *message, const struct record *record,
                                   struct arena *arena, struct event *out, struct err *err)
{
    enum event_fault fault;

    *out = (struct event){.id = message_attribute(message, "id"),
                          .source = message_attribute(message, "source"),
                          .type = message_attribute(message, "type"),
                          .subject = message_attribute(message, "subject"),
                          .schema = message_attribute(message, "dataschema"),
                          .traceparent =
                              event_traceparent(record, message_attribute(message, "traceparent"))};
    fault = set_time(message, record, out, err);
    if (fault == EVENT_FINE)
        fault = set_geo(message, out, err);
    return fault == EVENT_FINE ? set_data(&message->data, arena, out, err) : fault;
}

static enum event_fault check_event(const struct ingest_config *config, const struct event *event,
                                    struct err *err)
{
    const struct schema *schema = event_types_find(config->types, event->type);

    if (schema == NULL) {
        err_set(err, ERR_PARSE, "there is no schema for %.*s", STR_ARG(event->type));
        return EVENT_UNKNOWN_TYPE;
    }
    if (event->subject.len == 0 && !alias_may_stand(config->identity, event->type)) {
        err_set(err, ERR_PARSE, "the event names no customer (subject)");
        return EVENT_NO_SUBJECT;
    }
    return schema_validate(schema, event->data_value, err) ? EVENT_FINE : EVENT_INVALID_DATA;
}

/* --- where its address is ----------------------------------------------------------------------------- */

/* What an event brings along of it counts only where nothing is looked up. */
static void look_up(const struct ingest_config *config, const struct ingest_source *source,
                    struct event *event, struct arena *arena, struct converted *out)
{
    struct value address;
    struct str found[GEO_COUNT];

    if (source->ip.len == 0)
        return;
    memset(event->geo, 0, sizeof event->geo);
    address = json_at(event->data_value, source->ip);
    out->geo_asked = address.kind != VALUE_ABSENT && address.kind != VALUE_NULL;
    if (!out->geo_asked)
        return;
    out->geo = GEOIP_NO_ADDRESS;
    if (address.kind == VALUE_STRING)
        out->geo = geoip_find(config->geo, value_str(address), found);
    for (size_t i = 0; i < GEO_COUNT && out->geo == GEOIP_FOUND; i++)
        event->geo[i] = arena_str(arena, found[i]);
}

/* --- the record that goes out ------------------------------------------------------------------------- */

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

/* --- tombstones ---------------------------------------------------------------------------------------- */

/* The record's key is the customer to be forgotten. */
static enum event_fault make_erasure(const struct record *record, struct arena *arena,
                                     struct message *out, struct err *err)
{
    const struct attribute attributes[] = {
        {STR("specversion"), STR("1.0")},
        {STR("id"), arena_format(arena, "%.*s/%" PRId32 "/%" PRId64, STR_ARG(record->topic),
                                 record->partition, record->offset)},
        {STR("source"), record->topic},
        {STR("type"), STR("customer.erased")},
        {STR("subject"), record->key},
    };
    enum event_fault fault = EVENT_FINE;

    *out = (struct message){0};
    if (record->key.len == 0) {
        err_set(err, ERR_PARSE, "the record has neither key nor value: who is to be erased?");
        return EVENT_NO_SUBJECT;
    }
    for (size_t i = 0; i < sizeof attributes / sizeof attributes[0] && fault == EVENT_FINE; i++)
        fault = message_add(out, attributes[i].name, attributes[i].text, err);
    return fault;
}

static enum event_fault read_source(const struct ingest_source *source, const struct record *record,
                                    struct arena *arena, struct converted *out, struct err *err)
{
    enum event_fault fault =
        source->format->decode(&source->mapping, record, arena, &out->message, err);

    if (fault != EVENT_EMPTY || record->value.data != NULL)
        return fault;
    switch (source->tombstone) {
    case TOMBSTONE_DLQ: return fault;
    case TOMBSTONE_IGNORE: out->ignored = true; return EVENT_FINE;
    case TOMBSTONE_ERASE: return make_erasure(record, arena, &out->message, err);
    }
    CHECK_NEVER("a way with tombstones that there is not");
}

struct converted ingest_convert(const struct ingest_config *config,
                                const struct ingest_source *source, const struct record *record,
                                int64_t now_ms, struct arena *arena, struct err *err)
{
    struct converted out = {0};
    struct record in = *record;
    struct event event = {0};

    in.timestamp_ms = capped(record->timestamp_ms, now_ms);
    out.fault = read_source(source, &in, arena, &out, err);
    out.type = event_types_declared(config->types, message_attribute(&out.message, "type"));
    if (out.fault != EVENT_FINE || out.ignored)
        return out;
    out.fault = make_event(&out.message, &in, arena, &event, err);
    if (out.fault == EVENT_FINE)
        out.fault = check_event(config, &event, err);
    if (out.fault == EVENT_FINE)
        look_up(config, source, &event, arena, &out);
    if (out.fault == EVENT_FINE)
        out.fault = make_record(config, &event, &in, arena, &out.record, err);
    if (out.fault == EVENT_FINE)
        out.fault = alias_route(config, &event, &in, arena, &out, err);
    out.time_corrected = out.fault == EVENT_FINE && event.time_corrected;
    return out;
}
