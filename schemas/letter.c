/* Ours come last and are of known names, so the record's own headers are those before them. */
#include "schemas/letter.h"

#include <inttypes.h>
#include <string.h>

#define CONNECT "__connect.errors."

enum { OWN_HEADERS = 10 };

struct headers {
    struct header *items;
    size_t count;
};

static void add(struct headers *headers, const char *name, struct str value)
{
    headers->items[headers->count++] = (struct header){str_of(name), value};
}

struct record letter_write(const struct letter *letter, const struct record *record,
                           const char *dlq_topic, struct arena *arena)
{
    struct headers h = {ARENA_ARRAY(arena, struct header, record->header_count + OWN_HEADERS), 0};
    struct record out = *record;

    for (; h.count < record->header_count; h.count++)
        h.items[h.count] = record->headers[h.count];
    add(&h, CONNECT "topic", letter->from.topic);
    add(&h, CONNECT "partition", arena_format(arena, "%" PRId32, letter->from.partition));
    add(&h, CONNECT "offset", arena_format(arena, "%" PRId64, letter->from.offset));
    add(&h, CONNECT "connector.name", letter->part);
    add(&h, CONNECT "task.id", STR("0"));
    add(&h, CONNECT "stage", letter->stage);
    add(&h, CONNECT "exception.class.name",
        arena_format(arena, "attent.%.*s", STR_ARG(letter->reason)));
    add(&h, CONNECT "exception.message", letter->message);
    add(&h, "attent-reason", letter->reason);
    out.topic = str_of(dlq_topic);
    out.partition = -1;
    out.headers = h.items;
    out.header_count = h.count;
    return out;
}

bool letter_owns_header(struct str name)
{
    return str_starts(name, STR(CONNECT)) || str_is(name, "attent-reason") ||
           str_is(name, "attent-cut") || str_is(name, "attent-timestamp") ||
           str_is(name, "attent-channel");
}

static struct str connect(const struct record *record, const char *name)
{
    char full[64] = CONNECT;

    strncat(full, name, sizeof full - sizeof CONNECT);
    return record_header(record, str_of(full));
}

static void read_from(const struct record *record, struct spot *out)
{
    int64_t partition;

    if (!spot_read_number(connect(record, "partition"), INT32_MAX, &partition) ||
        !spot_read_number(connect(record, "offset"), INT64_MAX, &out->offset))
        return;
    out->partition = (int32_t)partition;
    out->topic = connect(record, "topic");
}

/* "-5" too: a record may have such a time. */
static void read_timestamp(struct str text, int64_t *out)
{
    bool minus = str_starts(text, STR("-"));
    int64_t number;

    if (spot_read_number(str_slice(text, minus, text.len), INT64_MAX, &number))
        *out = minus ? -number : number;
}

bool letter_read(const struct record *record, struct letter *out)
{
    *out = (struct letter){.timestamp_ms = record->timestamp_ms};
    out->reason = record_header(record, STR("attent-reason"));
    if (out->reason.len == 0 || record_header(record, STR(LETTER_REPLAYED)).len != 0)
        return false;
    read_from(record, &out->from);
    out->part = connect(record, "connector.name");
    out->stage = connect(record, "stage");
    out->message = connect(record, "exception.message");
    out->cut = record_header(record, STR("attent-cut"));
    read_timestamp(record_header(record, STR("attent-timestamp")), &out->timestamp_ms);
    out->header_count = record->header_count;
    while (out->header_count > 0 && letter_owns_header(record->headers[out->header_count - 1].name))
        out->header_count--;
    return true;
}

bool letter_read_mark(const struct record *record, struct spot *letter, struct str *to)
{
    *to = record_header(record, STR(LETTER_REPLAYED_TO));
    return spot_read(record_header(record, STR(LETTER_REPLAYED)), letter);
}
