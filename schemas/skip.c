#include "schemas/skip.h"

#include <string.h>

#include "core/json.h"
#include "core/mem.h"
#include "core/when.h"

#define KEY_PREFIX "skip/"

void skip_put_key(struct buf *out, const struct spot *spot)
{
    buf_put_text(out, KEY_PREFIX);
    spot_put(out, spot);
}

void skip_put_value(struct buf *out, const struct skip *skip)
{
    struct json_writer w = json_writer_to(out);

    json_open(&w, '{');
    json_key(&w, "reason");
    json_str(&w, skip->reason);
    json_key(&w, "step");
    json_str(&w, skip->step);
    json_key(&w, "deaths");
    json_int(&w, skip->deaths);
    json_key(&w, "at");
    json_time(&w, skip->at_ms);
    json_close(&w, '}');
}

static struct str text_at(struct value v, struct str pointer)
{
    struct value text = json_at(v, pointer);

    return text.kind == VALUE_STRING ? value_str(text) : STR_EMPTY;
}

bool skip_read(const struct record *record, struct arena *arena, struct skip *out)
{
    struct str key = record->key;
    struct value v, deaths;

    *out = (struct skip){0};
    if (!str_starts(key, STR(KEY_PREFIX)) || record->value.len == 0 ||
        !spot_read(str_slice(key, sizeof KEY_PREFIX - 1, key.len), &out->spot))
        return false;
    if (json_parse(arena_str(arena, record->value), arena, &v, NULL) != JSON_FINE)
        return true;
    out->reason = text_at(v, STR("/reason"));
    out->step = text_at(v, STR("/step"));
    deaths = json_at(v, STR("/deaths"));
    out->deaths = deaths.kind == VALUE_INT ? deaths.i : 0;
    if (!when_parse_ms(text_at(v, STR("/at")), &out->at_ms))
        out->at_ms = 0;
    return true;
}

/* The first that is not before it. */
static size_t find(const struct skip_list *list, int32_t partition, int64_t offset)
{
    size_t low = 0, high = list->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (list->items[mid].partition < partition ||
            (list->items[mid].partition == partition && list->items[mid].offset < offset))
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

bool skip_list_has(const struct skip_list *list, int32_t partition, int64_t offset)
{
    size_t at = find(list, partition, offset);

    return at < list->count && list->items[at].partition == partition &&
           list->items[at].offset == offset;
}

void skip_list_add(struct skip_list *list, int32_t partition, int64_t offset)
{
    size_t at;

    if (skip_list_has(list, partition, offset))
        return;
    at = find(list, partition, offset);
    MEM_RESERVE(list->items, list->count, list->capacity);
    memmove(&list->items[at + 1], &list->items[at], (list->count - at) * sizeof *list->items);
    list->count++;
    list->items[at].partition = partition;
    list->items[at].offset = offset;
}

void skip_list_free(struct skip_list *list)
{
    mem_free(list->items);
    *list = (struct skip_list){0};
}
