#include "schemas/skip.h"

#include <inttypes.h>
#include <string.h>

#include "core/json.h"
#include "core/mem.h"
#include "core/when.h"

#define KEY_PREFIX "skip/"
#define KEY_TIMER  "/timer/"

struct skip_timer skip_timer_of(struct str subject, int64_t due_ms)
{
    struct skip_timer out = {.due_ms = due_ms};

    hash128_hex(hash128_bytes(subject, (struct hash128){0}), out.whose);
    return out;
}

void skip_put_key(struct buf *out, const struct skip *skip)
{
    buf_put_text(out, KEY_PREFIX);
    spot_put(out, &skip->spot);
    if (skip->of_timer)
        buf_put_format(out, KEY_TIMER "%" PRId64 "/%s", skip->timer.due_ms, skip->timer.whose);
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

/* DUE/HASH */
static bool read_timer(struct str text, struct skip_timer *out)
{
    struct str due, whose;

    if (!str_cut(text, '/', &due, &whose) || !spot_read_time(due, &out->due_ms) ||
        whose.len != sizeof out->whose - 1)
        return false;
    for (size_t i = 0; i < whose.len; i++)
        if (!(whose.data[i] >= '0' && whose.data[i] <= '9') &&
            !(whose.data[i] >= 'a' && whose.data[i] <= 'f'))
            return false;
    memcpy(out->whose, whose.data, whose.len);
    return true;
}

/* What is behind the prefix. */
static bool read_key(struct str key, struct skip *out)
{
    size_t at = 0, bytes = sizeof KEY_TIMER - 1;

    while (at < key.len && !str_starts(str_slice(key, at, key.len), STR(KEY_TIMER)))
        at++;
    out->of_timer = at < key.len;
    return spot_read(str_slice(key, 0, at), &out->spot) &&
           (!out->of_timer || read_timer(str_slice(key, at + bytes, key.len), &out->timer));
}

bool skip_read(const struct record *record, struct arena *arena, struct skip *out)
{
    struct str key = record->key;
    struct value v, deaths;

    *out = (struct skip){0};
    if (!str_starts(key, STR(KEY_PREFIX)) || record->value.len == 0 ||
        !read_key(str_slice(key, sizeof KEY_PREFIX - 1, key.len), out))
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

static bool has_timer(const struct skip_list *list, int32_t partition,
                      const struct skip_timer *timer)
{
    for (size_t i = 0; i < list->timer_count; i++)
        if (list->timers[i].partition == partition &&
            list->timers[i].timer.due_ms == timer->due_ms &&
            strcmp(list->timers[i].timer.whose, timer->whose) == 0)
            return true;
    return false;
}

bool skip_list_has_timer(const struct skip_list *list, int32_t partition, struct str subject,
                         int64_t due_ms)
{
    struct skip_timer timer;

    if (list->timer_count == 0)
        return false;
    timer = skip_timer_of(subject, due_ms);
    return has_timer(list, partition, &timer);
}

bool skip_list_knows(const struct skip_list *list, const struct skip *skip)
{
    return skip->of_timer ? has_timer(list, skip->spot.partition, &skip->timer)
                          : skip_list_has(list, skip->spot.partition, skip->spot.offset);
}

void skip_list_take(struct skip_list *list, const struct skip *skip)
{
    if (!skip->of_timer) {
        skip_list_add(list, skip->spot.partition, skip->spot.offset);
    } else if (!has_timer(list, skip->spot.partition, &skip->timer)) {
        MEM_RESERVE(list->timers, list->timer_count, list->timer_capacity);
        list->timers[list->timer_count].partition = skip->spot.partition;
        list->timers[list->timer_count++].timer = skip->timer;
    }
}

void skip_list_free(struct skip_list *list)
{
    mem_free(list->items);
    mem_free(list->timers);
    *list = (struct skip_list){0};
}
