#include "processors/dispatch/ledger_record.h"

#include "core/json.h"
#include "core/when.h"

#define TAKEN_PREFIX STR("taken/")

/* --- writing --------------------------------------------------------------------------------- */

static struct record finish(struct str key, struct buf *json, struct arena *arena)
{
    struct record record = {.key = key, .value = arena_str(arena, buf_str(json))};

    buf_free(json);
    return record;
}

static void put_text(struct json_writer *w, const char *key, struct str text)
{
    if (text.len == 0)
        return;
    json_key(w, key);
    json_str(w, text);
}

static void put_time(struct json_writer *w, const char *key, int64_t at_ms)
{
    json_key(w, key);
    json_time(w, at_ms);
}

struct record ledger_record_entry(const struct ledger_entry *entry, struct arena *arena)
{
    struct buf json = {0};
    struct json_writer w = json_writer_to(&json);

    json_open(&w, '{');
    put_text(&w, "state", str_of(ledger_state_code(entry->state)));
    put_time(&w, "at", entry->at_ms);
    put_time(&w, "due", entry->due_ms);
    put_text(&w, "moment", entry->moment);
    put_text(&w, "channel", entry->channel);
    put_text(&w, "queue", entry->queue);
    put_text(&w, "reason", entry->reason);
    if (entry->task.len != 0) {
        json_key(&w, "task");
        json_raw(&w, entry->task);
    }
    json_close(&w, '}');
    return finish(arena_str(arena, entry->id), &json, arena);
}

struct record ledger_record_taken(const struct taken_source *source, struct arena *arena)
{
    struct buf json = {0};
    struct json_writer w = json_writer_to(&json);
    char hex[HASH128_HEX_SIZE];

    hash128_hex(source->hash, hex);
    json_open(&w, '{');
    json_key(&w, "generation");
    json_int(&w, (int64_t)source->generation);
    json_key(&w, "number");
    json_int(&w, (int64_t)source->number);
    put_text(&w, "chain", str_of(hex));
    json_close(&w, '}');
    return finish(arena_format(arena, "taken/%.*s", STR_ARG(source->from)), &json, arena);
}

struct record ledger_record_reader(struct str reader, struct arena *arena)
{
    struct buf json = {0};
    struct json_writer w = json_writer_to(&json);

    json_open(&w, '{');
    put_text(&w, "reader", reader);
    json_close(&w, '}');
    return finish(STR(LEDGER_READER_KEY), &json, arena);
}

/* --- reading --------------------------------------------------------------------------------- */

/* A text that is not there is empty; false: it is something else than a text. */
static bool get_text(struct value map, const char *key, struct str *out)
{
    struct value v = value_map_get(map, str_of(key));

    *out = v.kind == VALUE_STRING ? value_str(v) : STR_EMPTY;
    return v.kind == VALUE_STRING || v.kind == VALUE_ABSENT;
}

static bool get_time(struct value map, const char *key, int64_t *out)
{
    struct value v = value_map_get(map, str_of(key));

    *out = 0;
    return v.kind == VALUE_STRING && when_parse_ms(value_str(v), out);
}

static bool get_number(struct value map, const char *key, uint64_t *out)
{
    struct value v = value_map_get(map, str_of(key));

    *out = v.kind == VALUE_INT ? (uint64_t)v.i : 0;
    return v.kind == VALUE_INT && v.i > 0;
}

static struct str print(struct value v, struct arena *arena)
{
    struct buf json = {0};
    struct str text;

    json_put_value(&json, v);
    text = arena_str(arena, buf_str(&json));
    buf_free(&json);
    return text;
}

static bool read_entry(struct value map, struct arena *arena, struct ledger_entry *out)
{
    struct value task = value_map_get(map, STR("task"));
    struct str state;

    if (!get_text(map, "state", &state) || !ledger_state_find(state, &out->state) ||
        !get_time(map, "at", &out->at_ms) || !get_time(map, "due", &out->due_ms) ||
        !get_text(map, "moment", &out->moment) || !get_text(map, "channel", &out->channel) ||
        !get_text(map, "queue", &out->queue) || !get_text(map, "reason", &out->reason))
        return false;
    if (task.kind == VALUE_MAP)
        out->task = print(task, arena);
    return (task.kind == VALUE_MAP) == (out->state == LEDGER_PENDING);
}

static bool read_source(struct value map, struct taken_source *out)
{
    struct str hex;

    return get_number(map, "generation", &out->generation) &&
           get_number(map, "number", &out->number) && get_text(map, "chain", &hex) &&
           chain_hash_read(hex, &out->hash);
}

static enum ledger_record_kind kind_of(const struct record *record, struct ledger_record *out)
{
    struct str key = record->key;

    if (str_is(key, LEDGER_READER_KEY))
        return LEDGER_RECORD_READER;
    if (str_starts(key, TAKEN_PREFIX)) {
        out->source.from = str_slice(key, TAKEN_PREFIX.len, key.len);
        return LEDGER_RECORD_TAKEN;
    }
    out->entry.id = key;
    if (!ledger_is_id(key))
        return LEDGER_RECORD_BROKEN;
    return record->value.data == NULL ? LEDGER_RECORD_FORGOTTEN : LEDGER_RECORD_TASK;
}

static bool read_value(struct ledger_record *out, struct value map, struct arena *arena)
{
    switch (out->kind) {
    case LEDGER_RECORD_TASK: return read_entry(map, arena, &out->entry);
    case LEDGER_RECORD_TAKEN: return read_source(map, &out->source);
    case LEDGER_RECORD_READER: return get_text(map, "reader", &out->reader);
    case LEDGER_RECORD_FORGOTTEN:
    case LEDGER_RECORD_BROKEN: break;
    }
    return false;
}

void ledger_record_read(const struct record *record, struct arena *arena, struct ledger_record *out,
                        struct err *err)
{
    struct value map = VALUE_NONE;

    *out = (struct ledger_record){0};
    out->kind = kind_of(record, out);
    if (out->kind == LEDGER_RECORD_FORGOTTEN)
        return;
    if (out->kind != LEDGER_RECORD_BROKEN &&
        json_parse(record->value, arena, &map, NULL) == JSON_FINE && map.kind == VALUE_MAP &&
        read_value(out, map, arena))
        return;
    out->kind = LEDGER_RECORD_BROKEN;
    err_set(err, ERR_STATE, "ledger %.*s/%d at %lld: not a record of dispatch's",
            STR_ARG(record->topic), (int)record->partition, (long long)record->offset);
}
