#include "processors/cli/ingest_lines.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "core/base64.h"
#include "core/check.h"
#include "processors/ingest/convert.h"

/* --- in ------------------------------------------------------------------------------------------------ */

static bool wrong(struct err *err, const char *name, const char *what)
{
    err_set(err, ERR_PARSE, "%s %s", name, what);
    return false;
}

static bool read_base64(const char *name, struct value v, struct arena *arena, struct str *out,
                        struct err *err)
{
    struct buf bytes = {0};
    bool good = v.kind == VALUE_STRING && base64_read(&bytes, value_str(v));

    if (good)
        *out = arena_str(arena, buf_str(&bytes));
    buf_free(&bytes);
    return good || wrong(err, name, "is not base64");
}

/* A text, {"base64": ...}, or null for nothing. */
static bool read_bytes(const char *name, struct value v, struct arena *arena, struct str *out,
                       struct err *err)
{
    *out = STR_EMPTY;
    if (v.kind == VALUE_ABSENT || v.kind == VALUE_NULL)
        return true;
    if (v.kind == VALUE_STRING) {
        *out = arena_str(arena, value_str(v));
        return true;
    }
    if (v.kind == VALUE_MAP && v.n == 1)
        return read_base64(name, value_map_get(v, STR("base64")), arena, out, err);
    return wrong(err, name, "is neither a text nor {\"base64\": ...} nor null");
}

static bool read_headers(struct value v, struct arena *arena, struct record *out, struct err *err)
{
    struct header *headers;

    if (v.kind == VALUE_ABSENT || v.kind == VALUE_NULL)
        return true;
    if (v.kind != VALUE_LIST)
        return wrong(err, "headers", "is not a list");
    headers = ARENA_ARRAY(arena, struct header, v.n);
    for (uint32_t i = 0; i < v.n; i++) {
        struct value pair = v.list[i];
        if (pair.kind != VALUE_LIST || pair.n != 2 || pair.list[0].kind != VALUE_STRING)
            return wrong(err, "headers", "holds something else than [NAME, VALUE]");
        headers[i].name = arena_str(arena, value_str(pair.list[0]));
        if (!read_bytes("a header", pair.list[1], arena, &headers[i].value, err))
            return false;
    }
    out->headers = headers;
    out->header_count = v.n;
    return true;
}

static bool read_value(struct value line, struct arena *arena, struct record *out, struct err *err)
{
    struct value text = value_map_get(line, STR("value"));
    struct value bytes = value_map_get(line, STR("value_base64"));

    if (bytes.kind == VALUE_ABSENT || bytes.kind == VALUE_NULL)
        return read_bytes("value", text, arena, &out->value, err);
    if (text.kind != VALUE_ABSENT && text.kind != VALUE_NULL)
        return wrong(err, "value", "and value_base64 exclude each other");
    return read_base64("value_base64", bytes, arena, &out->value, err);
}

/* A key that is nearly one of ours is misspelt; any other is a remark of whoever wrote the line. */
static bool check_keys(struct value line, struct err *err)
{
    static const struct str names[] = {{"topic", 5},  {"key", 3},           {"headers", 7},
                                       {"value", 5},  {"value_base64", 12}, {"partition", 9},
                                       {"offset", 6}, {"timestamp", 9}};

    for (uint32_t i = 0; i < line.n; i++) {
        struct str key = value_str(line.map[i].key);
        struct str near = str_nearest(key, names, sizeof names / sizeof names[0]);
        if (near.len == 0 || str_equal(near, key))
            continue;
        err_set(err, ERR_PARSE, "a record has no \"%.*s\"; did you mean %.*s?",
                STR_ARG(str_head(key, 64)), STR_ARG(near));
        return false;
    }
    return true;
}

static int64_t number_of(struct value line, struct str name, int64_t fallback)
{
    struct value v = value_map_get(line, name);

    return v.kind == VALUE_INT ? v.i : fallback;
}

bool ingest_line_read(struct str line, struct arena *arena, struct record *out, struct err *err)
{
    struct value v, topic;

    *out = (struct record){0};
    if (json_parse(line, arena, &v, err) != JSON_FINE)
        return false;
    if (v.kind != VALUE_MAP)
        return wrong(err, "the line", "is not a JSON object");
    topic = value_map_get(v, STR("topic"));
    if (topic.kind == VALUE_STRING)
        out->topic = arena_str(arena, value_str(topic));
    else if (topic.kind != VALUE_ABSENT && topic.kind != VALUE_NULL)
        return wrong(err, "topic", "is not a text");
    out->partition = (int32_t)(number_of(v, STR("partition"), 0) & INT32_MAX);
    out->offset = number_of(v, STR("offset"), 0);
    out->timestamp_ms = number_of(v, STR("timestamp"), -1);
    return check_keys(v, err) &&
           read_bytes("key", value_map_get(v, STR("key")), arena, &out->key, err) &&
           read_headers(value_map_get(v, STR("headers")), arena, out, err) &&
           read_value(v, arena, out, err);
}

static bool is_blank(struct str line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.data[i] == '\0' || strchr(" \t\r\n", line.data[i]) == NULL)
            return false;
    return true;
}

enum err_code ingest_lines_each(const char *path, void (*each)(void *context, struct str line),
                                void *context, struct err *err)
{
    bool standard = path == NULL || strcmp(path, "-") == 0;
    FILE *in = standard ? stdin : fopen(path, "re");
    char *line = NULL;
    size_t capacity = 0;
    ssize_t bytes;

    if (in == NULL)
        return err_set(err, ERR_IO, "read %s: %s", path, strerror(errno));
    while ((bytes = getline(&line, &capacity, in)) != -1)
        if (!is_blank((struct str){line, (size_t)bytes}))
            each(context, (struct str){line, (size_t)bytes});
    free(line);
    if (!standard)
        fclose(in);
    return ERR_NONE;
}

/* --- out ----------------------------------------------------------------------------------------------- */

static void put_base64(struct json_writer *w, struct str bytes)
{
    json_value(w,
               (struct value){.kind = VALUE_BYTES, .n = (uint32_t)bytes.len, .text = bytes.data});
}

static void put_data(struct json_writer *w, const struct content *data)
{
    if (data->kind == CONTENT_NONE)
        return;
    json_key(w, "data");
    json_open(w, '{');
    switch (data->kind) {
    case CONTENT_JSON:
        json_key(w, "json");
        json_value(w, data->json);
        break;
    case CONTENT_TEXT:
        json_key(w, "text");
        json_str(w, data->bytes);
        break;
    case CONTENT_BYTES:
        json_key(w, "base64");
        put_base64(w, data->bytes);
        break;
    case CONTENT_NONE: break;
    }
    json_close(w, '}');
}

static void put_accepted(struct buf *out, const struct message *message)
{
    struct json_writer w = json_writer_to(out);

    json_open(&w, '{');
    json_key(&w, "accepted");
    json_open(&w, '{');
    json_key(&w, "attributes");
    json_open(&w, '{');
    for (size_t i = 0; i < message->attribute_count; i++) {
        char name[LIMIT_ID_BYTES + 1];
        struct str shown = str_head(message->attributes[i].name, sizeof name - 1);
        memcpy(name, shown.data, shown.len);
        name[shown.len] = '\0';
        json_key(&w, name);
        json_str(&w, message->attributes[i].text);
    }
    json_close(&w, '}');
    put_data(&w, &message->data);
    json_close(&w, '}');
    json_close(&w, '}');
    buf_put_char(out, '\n');
}

static void put_rejected(struct buf *out, const char *reason, const char *message)
{
    struct json_writer w = json_writer_to(out);

    json_open(&w, '{');
    json_key(&w, "rejected");
    json_open(&w, '{');
    json_key(&w, "reason");
    json_str(&w, str_of(reason));
    json_key(&w, "message");
    json_str(&w, str_of(message));
    json_close(&w, '}');
    json_close(&w, '}');
    buf_put_char(out, '\n');
}

/* --- the trial ----------------------------------------------------------------------------------------- */

const struct ingest_source *ingest_trial_source(const struct ingest_trial *trial, struct str topic)
{
    static const struct ingest_source any = {.format = &cloudevents_format};
    const struct ingest_config *config = trial->config;

    if (config == NULL)
        return &any;
    for (size_t i = 0; i < config->source_count; i++)
        if (str_is(topic, config->sources[i].topic))
            return &config->sources[i];
    return NULL;
}

static void unread(struct ingest_trial *trial, struct buf *out, const char *reason,
                   const char *message)
{
    trial->unread++;
    put_rejected(out, reason, message);
}

static void answer(struct ingest_trial *trial, const struct converted *converted,
                   const struct err *err, struct buf *out)
{
    trial->counts[converted->fault]++;
    if (converted->fault != EVENT_FINE)
        put_rejected(out, event_fault_code(converted->fault),
                     err->text[0] != '\0' ? err->text : event_fault_text(converted->fault));
    else if (converted->ignored)
        buf_put_text(out, "{\"ignored\":{\"reason\":\"tombstone\"}}\n");
    else
        put_accepted(out, &converted->message);
}

void ingest_trial_record(struct ingest_trial *trial, const struct record *record,
                         struct arena *arena, struct buf *out)
{
    const struct ingest_source *source = ingest_trial_source(trial, record->topic);
    struct converted converted = {0};
    struct err err = {0};

    if (source == NULL) {
        err_set(&err, ERR_CONFIG, "no source of the configuration reads the topic \"%.*s\"",
                STR_ARG(str_head(record->topic, 256)));
        unread(trial, out, "no_source", err.text);
        return;
    }
    if (trial->config != NULL)
        converted = ingest_convert(trial->config, source, record, trial->now_ms, arena, &err);
    else
        converted.fault = source->format->decode(NULL, record, arena, &converted.message, &err);
    answer(trial, &converted, &err, out);
}

void ingest_trial_line(struct ingest_trial *trial, struct str line, struct arena *arena,
                       struct buf *out)
{
    struct record record;
    struct err err = {0};

    if (ingest_line_read(line, arena, &record, &err))
        ingest_trial_record(trial, &record, arena, out);
    else
        unread(trial, out, "bad_line", err.text);
}

static void put_row(struct buf *out, uint64_t count, const char *reason, const char *text)
{
    if (count != 0)
        buf_put_format(out, "%8" PRIu64 "  %-17s  %s\n", count, reason, text);
}

void ingest_trial_table(const struct ingest_trial *trial, struct buf *out)
{
    buf_put_format(out, "%8s  %s\n", "records", "reason");
    put_row(out, trial->counts[EVENT_FINE], "accepted", "an event");
    for (unsigned i = EVENT_FINE + 1; i < EVENT_FAULT_COUNT; i++)
        put_row(out, trial->counts[i], event_fault_code((enum event_fault)i),
                event_fault_text((enum event_fault)i));
    put_row(out, trial->unread, "no_source", "no source of the configuration reads it");
}
