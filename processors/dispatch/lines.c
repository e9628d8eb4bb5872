/* Two hash tables and a heap per channel:
 *
 *     spots[hash of id]                 -> spot -> line
 *     lines[hash of channel, customer]  -> line:  spot -> spot -> spot   ascending offsets
 *     heaps[channel]                    -> lines whose first spot is not busy, by its turn
 *
 * The turn of a spot is (not before, offset): who waits longest goes first, and who was put off
 * stands where its pause ends.
 */
#include "processors/dispatch/lines.h"

#include "core/check.h"
#include "core/hash.h"
#include "core/mem.h"
#include "core/mutant.h"

enum { BUCKETS_FIRST = 64 };

struct line;

struct spot {
    struct line *line;
    struct spot *next_in_bucket, *behind;
    int64_t not_before_ms, offset;
    bool busy;
    size_t id_bytes;
    char id[TASK_ID_SIZE];
};

struct line {
    struct line *next_in_bucket;
    struct spot *first;
    size_t channel;
    size_t heap_place; /* its index + 1; 0: not in the heap, its first is busy */
    size_t customer_bytes;
    char customer[];
};

struct heap {
    struct line **items;
    size_t count, capacity;
    size_t spots, busy; /* of the channel */
};

struct lines {
    struct spot **spots;
    struct line **lines;
    size_t bucket_count; /* of both; a power of two */
    size_t spot_count;
    struct heap *heaps;
    size_t heap_count;
};

/* --- heaps ----------------------------------------------------------------------------------- */

static bool earlier(const struct line *a, const struct line *b)
{
    if (a->first->not_before_ms != b->first->not_before_ms)
        return a->first->not_before_ms < b->first->not_before_ms;
    return a->first->offset < b->first->offset;
}

static void heap_set(struct heap *h, size_t index, struct line *line)
{
    h->items[index] = line;
    line->heap_place = index + 1;
}

/* Put a line where it belongs, from a place that is free. */
static void heap_sift(struct heap *h, size_t index, struct line *line)
{
    size_t child;

    for (; index > 0 && earlier(line, h->items[(index - 1) / 2]); index = (index - 1) / 2)
        heap_set(h, index, h->items[(index - 1) / 2]);
    while ((child = 2 * index + 1) < h->count) {
        if (child + 1 < h->count && earlier(h->items[child + 1], h->items[child]))
            child++;
        if (!earlier(h->items[child], line))
            break;
        heap_set(h, index, h->items[child]);
        index = child;
    }
    heap_set(h, index, line);
}

static void heap_remove(struct heap *h, struct line *line)
{
    size_t index = line->heap_place - 1;
    struct line *last = h->items[--h->count];

    line->heap_place = 0;
    if (last != line)
        heap_sift(h, index, last);
}

/* A line's first has changed: in, out, or to another place of the heap. */
static void heap_follow(struct lines *l, struct line *line)
{
    struct heap *h = &l->heaps[line->channel];
    bool wanted = line->first != NULL && !line->first->busy;

    if (line->heap_place != 0 && wanted) {
        heap_sift(h, line->heap_place - 1, line);
    } else if (line->heap_place != 0) {
        heap_remove(h, line);
    } else if (wanted) {
        MEM_RESERVE(h->items, h->count, h->capacity);
        h->count++;
        heap_sift(h, h->count - 1, line);
    }
}

static void reach_channel(struct lines *l, size_t channel)
{
    if (channel < l->heap_count)
        return;
    l->heaps = mem_resize(l->heaps, channel + 1, sizeof *l->heaps);
    memset(l->heaps + l->heap_count, 0, (channel + 1 - l->heap_count) * sizeof *l->heaps);
    l->heap_count = channel + 1;
}

/* --- tables ---------------------------------------------------------------------------------- */

static struct spot **spot_bucket(const struct lines *l, struct str id)
{
    return &l->spots[hash_bytes(id, 0) & (l->bucket_count - 1)];
}

static struct line **line_bucket(const struct lines *l, size_t channel, struct str customer)
{
    return &l->lines[hash_bytes(customer, channel) & (l->bucket_count - 1)];
}

static struct str customer_of(const struct line *line)
{
    return (struct str){line->customer, line->customer_bytes};
}

static struct str id_of(const struct spot *spot)
{
    return (struct str){spot->id, spot->id_bytes};
}

static struct spot *find_spot(const struct lines *l, struct str id)
{
    struct spot *spot = l->spot_count != 0 ? *spot_bucket(l, id) : NULL;

    while (spot != NULL && !str_equal(id_of(spot), id))
        spot = spot->next_in_bucket;
    return spot;
}

/* Twice the buckets; what is in the old ones moves. */
static void grow(struct lines *l)
{
    struct spot **spots = l->spots;
    struct line **lines = l->lines;
    size_t count = l->bucket_count;

    l->bucket_count = count != 0 ? 2 * count : BUCKETS_FIRST;
    l->spots = mem_alloc(l->bucket_count * sizeof *l->spots);
    l->lines = mem_alloc(l->bucket_count * sizeof *l->lines);
    for (size_t i = 0; i < count; i++) {
        for (struct spot *spot = spots[i], *next; spot != NULL; spot = next) {
            struct spot **b = spot_bucket(l, id_of(spot));
            next = spot->next_in_bucket;
            spot->next_in_bucket = *b;
            *b = spot;
        }
        for (struct line *line = lines[i], *next; line != NULL; line = next) {
            struct line **b = line_bucket(l, line->channel, customer_of(line));
            next = line->next_in_bucket;
            line->next_in_bucket = *b;
            *b = line;
        }
    }
    mem_free(spots);
    mem_free(lines);
}

static struct line *reach_line(struct lines *l, size_t channel, struct str customer)
{
    struct line **bucket = line_bucket(l, channel, customer), *line = *bucket;

    while (line != NULL && !(line->channel == channel && str_equal(customer_of(line), customer)))
        line = line->next_in_bucket;
    if (line != NULL)
        return line;
    line = mem_alloc(sizeof *line + customer.len);
    line->channel = channel;
    line->customer_bytes = customer.len;
    if (customer.len != 0)
        memcpy(line->customer, customer.data, customer.len);
    line->next_in_bucket = *bucket;
    *bucket = line;
    return line;
}

static void drop_line(struct lines *l, struct line *line)
{
    struct line **at = line_bucket(l, line->channel, customer_of(line));

    while (*at != line)
        at = &(*at)->next_in_bucket;
    *at = line->next_in_bucket;
    mem_free(line);
}

/* --- changes --------------------------------------------------------------------------------- */

static void add_spot(struct lines *l, size_t channel, const struct ledger_entry *entry)
{
    struct spot *spot = MEM_NEW(struct spot), **at;

    if (l->spot_count >= l->bucket_count)
        grow(l);
    reach_channel(l, channel);
    spot->line = reach_line(l, channel, entry->customer);
    spot->offset = entry->offset;
    spot->id_bytes = entry->id.len;
    memcpy(spot->id, entry->id.data, entry->id.len);
    for (at = &spot->line->first;
         *at != NULL && ((*at)->offset <= spot->offset || MUTANT(LINE_UNORDERED));)
        at = &(*at)->behind;
    spot->behind = *at;
    *at = spot;
    at = spot_bucket(l, entry->id);
    spot->next_in_bucket = *at;
    *at = spot;
    l->spot_count++;
    l->heaps[channel].spots++;
}

static void set_busy(struct lines *l, struct spot *spot, bool busy)
{
    struct heap *h = &l->heaps[spot->line->channel];

    h->busy = h->busy - spot->busy + busy;
    spot->busy = busy;
    heap_follow(l, spot->line);
}

void lines_follow(struct lines *l, size_t channel, const struct ledger_entry *entry)
{
    struct spot *spot = find_spot(l, entry->id);

    if (entry->state != LEDGER_SENDING && entry->next_ms == 0) {
        lines_leave(l, entry->id);
        return;
    }
    if (spot == NULL) {
        add_spot(l, channel, entry);
        spot = find_spot(l, entry->id);
    }
    spot->not_before_ms = entry->next_ms;
    set_busy(l, spot, entry->state == LEDGER_SENDING);
}

void lines_leave(struct lines *l, struct str id)
{
    struct spot *spot = find_spot(l, id), **at;
    struct line *line;

    if (spot == NULL)
        return;
    line = spot->line;
    l->heaps[line->channel].busy -= spot->busy;
    l->heaps[line->channel].spots--;
    l->spot_count--;
    for (at = &line->first; *at != spot;)
        at = &(*at)->behind;
    *at = spot->behind;
    for (at = spot_bucket(l, id); *at != spot;)
        at = &(*at)->next_in_bucket;
    *at = spot->next_in_bucket;
    mem_free(spot);
    heap_follow(l, line);
    if (line->first == NULL)
        drop_line(l, line);
}

void lines_set_busy(struct lines *l, struct str id, bool busy)
{
    struct spot *spot = find_spot(l, id);

    if (spot != NULL)
        set_busy(l, spot, busy);
}

void lines_put_off(struct lines *l, struct str id, int64_t not_before_ms)
{
    struct spot *spot = find_spot(l, id);

    if (spot == NULL)
        return;
    spot->not_before_ms = not_before_ms;
    heap_follow(l, spot->line);
}

/* --- questions -------------------------------------------------------------------------------- */

struct str lines_next(const struct lines *l, size_t channel, int64_t now_ms)
{
    return lines_due_ms(l, channel) <= now_ms ? id_of(l->heaps[channel].items[0]->first)
                                              : STR_EMPTY;
}

int64_t lines_due_ms(const struct lines *l, size_t channel)
{
    if (channel >= l->heap_count || l->heaps[channel].count == 0)
        return INT64_MAX;
    return l->heaps[channel].items[0]->first->not_before_ms;
}

size_t lines_waiting(const struct lines *l, size_t channel)
{
    return channel < l->heap_count ? l->heaps[channel].spots - l->heaps[channel].busy : 0;
}

/* --- life ------------------------------------------------------------------------------------ */

struct lines *lines_new(void)
{
    return MEM_NEW(struct lines);
}

void lines_clear(struct lines *l)
{
    for (size_t i = 0; i < l->bucket_count; i++) {
        for (struct spot *spot = l->spots[i], *next; spot != NULL; spot = next) {
            next = spot->next_in_bucket;
            mem_free(spot);
        }
        for (struct line *line = l->lines[i], *next; line != NULL; line = next) {
            next = line->next_in_bucket;
            mem_free(line);
        }
    }
    for (size_t i = 0; i < l->heap_count; i++)
        mem_free(l->heaps[i].items);
    mem_free(l->spots);
    mem_free(l->lines);
    mem_free(l->heaps);
    *l = (struct lines){0};
}

void lines_free(struct lines *l)
{
    if (l == NULL)
        return;
    lines_clear(l);
    mem_free(l);
}
