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

static void put_raw(struct json_writer *w, const char *key, struct str json)
{
    if (json.len == 0)
        return;
    json_key(w, key);
    json_raw(w, json);
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
    if (entry->next_ms != 0)
        put_time(&w, "next", entry->next_ms);
    json_key(&w, "offset");
    json_int(&w, entry->offset);
    if (entry->attempt != 0) {
        json_key(&w, "attempt");
        json_int(&w, entry->attempt);
    }
    put_text(&w, "customer", entry->customer);
    put_text(&w, "moment", entry->moment);
    put_text(&w, "channel", entry->channel);
    put_text(&w, "queue", entry->queue);
    put_text(&w, "reason", entry->reason);
    put_text(&w, "reference", entry->reference);
    put_raw(&w, "task", entry->task);
    put_raw(&w, "withdrawal", entry->withdrawal);
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

/* A whole number that is not negative; one that is not there is 0. */
static bool get_count(struct value map, const char *key, int64_t max, int64_t *out)
{
    struct value v = value_map_get(map, str_of(key));

    *out = v.kind == VALUE_INT ? v.i : 0;
    return v.kind == VALUE_ABSENT || (v.kind == VALUE_INT && v.i >= 0 && v.i <= max);
}

/* An object as it stands; one that is not there is empty. */
static bool get_raw(struct value map, const char *key, struct arena *arena, struct str *out)
{
    struct value v = value_map_get(map, str_of(key));
    struct buf json = {0};

    *out = STR_EMPTY;
    if (v.kind != VALUE_MAP)
        return v.kind == VALUE_ABSENT;
    json_put_value(&json, v);
    *out = arena_str(arena, buf_str(&json));
    buf_free(&json);
    return true;
}

/* What is in line or on its way cannot do without its task. */
static bool has_its_task(const struct ledger_entry *e)
{
    bool needed = e->state == LEDGER_PENDING || e->state == LEDGER_SENDING || e->next_ms != 0;

    return (!needed || e->task.len != 0) && (e->state != LEDGER_RECALLING || e->next_ms != 0);
}

static bool read_entry(struct value map, struct arena *arena, struct ledger_entry *out)
{
    struct str state;
    int64_t attempt;

    if (!get_text(map, "state", &state) || !ledger_state_find(state, &out->state) ||
        !get_time(map, "at", &out->at_ms) || !get_time(map, "due", &out->due_ms) ||
        !get_count(map, "offset", INT64_MAX, &out->offset) ||
        !get_count(map, "attempt", UINT32_MAX, &attempt) ||
        !get_text(map, "customer", &out->customer) || !get_text(map, "moment", &out->moment) ||
        !get_text(map, "channel", &out->channel) || !get_text(map, "queue", &out->queue) ||
        !get_text(map, "reason", &out->reason) || !get_text(map, "reference", &out->reference) ||
        !get_raw(map, "task", arena, &out->task) ||
        !get_raw(map, "withdrawal", arena, &out->withdrawal))
        return false;
    if (value_map_get(map, STR("next")).kind != VALUE_ABSENT &&
        !get_time(map, "next", &out->next_ms))
        return false;
    out->attempt = (uint32_t)attempt;
    return has_its_task(out);
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
