#include "processors/dispatch/reports.h"

#include "core/hash.h"
#include "core/json.h"
#include "processors/dispatch/dead_letter.h"
#include "schemas/event.h"

#define EVENT_SOURCE STR("/attent/receiver")

static struct record *add(struct reports *r)
{
    if (r->count == r->capacity) {
        size_t capacity = r->capacity != 0 ? 2 * r->capacity : 8;
        struct record *more = ARENA_ARRAY(r->arena, struct record, capacity);
        if (r->count != 0)
            memcpy(more, r->records, r->count * sizeof *more);
        r->records = more;
        r->capacity = capacity;
    }
    return &r->records[r->count++];
}

/* The same for the same parts, different for different ones. */
static struct str id_of(const struct reports *r, const struct str *parts, size_t count)
{
    struct buf name = {0};
    char hex[HASH128_HEX_SIZE];

    for (size_t i = 0; i < count; i++)
        buf_put_bytes(&name, parts[i]);
    hash128_hex(hash128_bytes(buf_str(&name), (struct hash128){0}), hex);
    buf_free(&name);
    return arena_str(r->arena, str_of(hex));
}

/* Takes json. */
static void add_event(struct reports *r, const char *topic, const char *type, struct str id,
                      struct str customer, int64_t at_ms, struct buf *json)
{
    const struct event event = {.id = id,
                                .source = EVENT_SOURCE,
                                .type = str_of(type),
                                .subject = arena_str(r->arena, customer),
                                .partition_key = arena_str(r->arena, customer),
                                .time_ms = at_ms != 0 && at_ms < r->now_ms ? at_ms : r->now_ms};
    struct record *out = add(r);
    struct header *headers;

    *out = (struct record){.topic = str_of(topic),
                           .partition = -1,
                           .timestamp_ms = r->now_ms,
                           .key = event.partition_key,
                           .value = arena_str(r->arena, buf_str(json))};
    out->header_count = event_headers(&event, r->arena, &headers);
    out->headers = headers;
    buf_free(json);
}

/* --- what is said -------------------------------------------------------------------------------- */

static void put_consent(struct buf *out, struct str purpose, struct str channel)
{
    struct json_writer w = json_writer_to(out);

    json_open(&w, '{');
    if (purpose.len != 0) {
        json_key(&w, "purpose");
        json_str(&w, purpose);
    }
    if (channel.len != 0) {
        json_key(&w, "channel");
        json_str(&w, channel);
    }
    json_close(&w, '}');
}

void reports_add_withdrawn(struct reports *r, struct str customer, struct str purpose,
                           struct str channel, struct str id, int64_t at_ms)
{
    const struct str parts[] = {STR("consent.withdrawn"), channel, purpose, id};
    const struct permission permission = {.customer = customer,
                                          .purpose = purpose,
                                          .channel = channel,
                                          .because = STR("consent.withdrawn"),
                                          .created_ms = r->now_ms};
    struct str event_id = id_of(r, parts, 4);
    struct buf json = {0};

    put_consent(&json, purpose, channel);
    add_event(r, r->config->outcomes_topic, "consent.withdrawn", event_id, customer, at_ms, &json);
    json = (struct buf){0};
    permission_put_json(&json, &permission);
    add_event(r, r->config->tasks_topic, PERMISSION_CE_TYPE, event_id, customer, at_ms, &json);
}

void reports_add_outcome(struct reports *r, const struct callback_outcome *o,
                         const struct reference *reference)
{
    const struct outcome outcome = {.task = reference->task,
                                    .moment = reference->moment,
                                    .about = reference->about,
                                    .channel = reference->channel,
                                    .code = o->code,
                                    .reason = o->reason,
                                    .attempt = reference->attempt,
                                    .final = o->final};
    const struct str parts[] = {STR(OUTCOME_EVENT_TYPE), reference->channel, reference->task, o->id,
                                o->code};
    struct buf json = {0};

    outcome_put_json(&json, &outcome);
    add_event(r, r->config->outcomes_topic, OUTCOME_EVENT_TYPE, id_of(r, parts, 5),
              reference->customer, o->at_ms, &json);
    if (o->opted_out)
        reports_add_withdrawn(r, reference->customer, STR_EMPTY, reference->channel, o->id,
                              o->at_ms);
}

void reports_add_dead_letter(struct reports *r, struct str channel, const char *reason,
                             const char *why, struct str body)
{
    const struct dead_letter letter = {.topic = r->config->dlq_topic,
                                       .part = "attent-receiver",
                                       .reason = reason,
                                       .why = why,
                                       .channel = channel,
                                       .value = body,
                                       .at_ms = r->now_ms};

    *add(r) = dead_letter_record(&letter, r->arena);
}
