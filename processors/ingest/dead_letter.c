#include <inttypes.h>

#include "core/check.h"
#include "core/when.h"
#include "processors/ingest/convert.h"

enum {
    OWN_HEADERS = 13,
    /* Brokers refuse a record more than an hour ahead; theirs is another clock. */
    AHEAD_MS_MAX = 30 * WHEN_MINUTE_MS,
};

/* At which of Kafka Connect's stages a converter would have failed. */
static const char *stage_of(enum event_fault fault)
{
    switch (fault) {
    case EVENT_TOO_LARGE:
    case EVENT_EMPTY:
    case EVENT_BAD_JSON:
    case EVENT_BAD_UTF8:
    case EVENT_TOO_DEEP:
    case EVENT_BAD_NUMBER:
    case EVENT_BATCH:
    case EVENT_UNKNOWN_FORMAT:
    case EVENT_BAD_DATA: return "VALUE_CONVERTER";
    case EVENT_MISSING_ATTRIBUTE:
    case EVENT_BAD_ATTRIBUTE:
    case EVENT_BAD_VERSION: return "HEADER_CONVERTER";
    case EVENT_NOT_AN_OBJECT:
    case EVENT_UNKNOWN_TYPE:
    case EVENT_INVALID_DATA:
    case EVENT_NO_SUBJECT:
    case EVENT_BAD_ALIAS:
    case EVENT_POISON:
    case EVENT_NOT_MAPPED: return "TRANSFORMATION";
    case EVENT_FINE:
    case EVENT_FAULT_COUNT: break;
    }
    CHECK_NEVER("a dead letter without a fault");
}

struct headers {
    struct header *items;
    size_t count;
};

static void add(struct headers *headers, const char *name, struct str value)
{
    headers->items[headers->count++] = (struct header){str_of(name), value};
}

/* What is wrong, in words; the end may have been cut in the middle of a character. */
static struct str message_of(enum event_fault fault, const struct err *err, struct arena *arena)
{
    struct str text = str_of(err->text[0] != '\0' ? err->text : event_fault_text(fault));

    while (!str_is_utf8(text))
        text.len--;
    return arena_str(arena, text);
}

static void add_reasons(struct headers *headers, const struct ingest_source *source,
                        const struct record *record, enum event_fault fault, const struct err *err,
                        struct arena *arena)
{
    add(headers, "__connect.errors.topic", str_of(source->topic));
    add(headers, "__connect.errors.partition", arena_format(arena, "%" PRId32, record->partition));
    add(headers, "__connect.errors.offset", arena_format(arena, "%" PRId64, record->offset));
    add(headers, "__connect.errors.connector.name", STR("attent-ingest"));
    add(headers, "__connect.errors.task.id", STR("0"));
    add(headers, "__connect.errors.stage", str_of(stage_of(fault)));
    add(headers, "__connect.errors.class.name", STR("attent.ingest"));
    add(headers, "__connect.errors.exception.class.name",
        arena_format(arena, "attent.%s", event_fault_code(fault)));
    add(headers, "__connect.errors.exception.message", message_of(fault, err, arena));
    add(headers, "attent-reason", str_of(event_fault_code(fault)));
}

static size_t bytes_of(const struct record *record)
{
    size_t bytes = record->key.len + record->value.len;

    for (size_t i = 0; i < record->header_count; i++)
        bytes += record->headers[i].name.len + record->headers[i].value.len + 10; /* two varints */
    return bytes;
}

static void cut_value(struct record *letter, struct headers *headers)
{
    letter->value = STR_EMPTY;
    add(headers, "attent-cut", STR("value"));
    letter->header_count = headers->count;
}

/* Only what we say of it ourselves is left: the headers from `own` on. */
static void cut_all(struct record *letter, struct headers *headers, size_t own)
{
    letter->key = letter->value = STR_EMPTY;
    add(headers, "attent-cut", STR("all"));
    letter->headers = headers->items + own;
    letter->header_count = headers->count - own;
}

struct record ingest_dead_letter(const struct ingest_source *source, const struct record *record,
                                 enum event_fault fault, const struct err *err, int64_t now_ms,
                                 size_t bytes_max, struct arena *arena)
{
    size_t own = record->header_count;
    struct headers headers = {ARENA_ARRAY(arena, struct header, own + OWN_HEADERS), own};
    struct record letter = *record;
    bool moved = record->timestamp_ms < 0 || record->timestamp_ms > now_ms + AHEAD_MS_MAX;

    if (own > 0)
        memcpy(headers.items, record->headers, own * sizeof *headers.items);
    add_reasons(&headers, source, record, fault, err, arena);
    if (moved)
        add(&headers, "attent-timestamp", arena_format(arena, "%" PRId64, record->timestamp_ms));
    letter.topic = str_of(source->dlq_topic);
    letter.partition = -1;
    letter.timestamp_ms = moved ? now_ms : record->timestamp_ms;
    letter.headers = headers.items;
    letter.header_count = headers.count;
    if (bytes_of(&letter) > bytes_max)
        cut_value(&letter, &headers);
    if (bytes_of(&letter) > bytes_max)
        cut_all(&letter, &headers, own);
    CHECK(headers.count <= own + OWN_HEADERS);
    return letter;
}
