#include "processors/cli/dlq_letters.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "processors/cli/config.h"
#include "processors/cli/scan.h"
#include "processors/cli/topics.h"

const char *dlq_advice(struct str reason)
{
    static const struct {
        const char *reason, *text;
    } rows[] = {
#define ADVICE(reason, text) {reason, text},
#include "processors/cli/dlq_advice.def"
#undef ADVICE
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (str_is(reason, rows[i].reason))
            return rows[i].text;
    return NULL;
}

/* --- which topics ------------------------------------------------------------------------------- */

static void add_topic(const char **topics, size_t *count, const char *name)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(topics[i], name) == 0)
            return;
    topics[(*count)++] = name;
}

const char **dlq_topics(const struct conf *conf, struct arena *arena, size_t *count)
{
    struct config_topics topics = config_topics(conf, arena);
    size_t sources = conf_count(conf, "sources");
    const char **out = ARENA_ARRAY(arena, const char *, sources + 3);

    *count = 0;
    for (size_t i = 0; i < sources; i++)
        add_topic(out, count, topics_dlq(conf, i, arena));
    add_topic(out, count, arena_format(arena, "%s.dlq", topics.outcomes).data);
    add_topic(out, count, topics.identify_dlq);
    add_topic(out, count, topics.events_dlq);
    return out;
}

/* --- reading ------------------------------------------------------------------------------------ */

struct reading {
    const struct dlq_filter *filter;
    struct dlq_letters *out;
    struct {
        struct dlq_entry *items;
        size_t count, capacity;
    } marks; /* letters that were sent again; they may stand before them, in another partition */
};

static bool passes(const struct reading *r, const struct record *record,
                   const struct letter *letter)
{
    const struct dlq_filter *f = r->filter;

    return (f->reason == NULL || str_is(letter->reason, f->reason)) &&
           (f->topic == NULL || strcmp(f->topic, r->out->topic) == 0 ||
            str_is(letter->from.topic, f->topic)) &&
           (f->at.topic.len == 0 ||
            (f->at.partition == record->partition && f->at.offset == record->offset)) &&
           letter->timestamp_ms >= f->since_ms && letter->timestamp_ms < f->until_ms;
}

static size_t kind_of(struct dlq_letters *l, const struct letter *letter)
{
    size_t i = 0;

    while (i < l->kind_count && (!str_equal(l->kinds[i].reason, letter->reason) ||
                                 !str_equal(l->kinds[i].from, letter->from.topic)))
        i++;
    if (i < l->kind_count)
        return i;
    MEM_RESERVE(l->kinds, l->kind_count, l->kind_capacity);
    l->kinds[l->kind_count++] = (struct dlq_kind){.reason = arena_str(l->arena, letter->reason),
                                                  .from = arena_str(l->arena, letter->from.topic)};
    return i;
}

static void add_letter(struct dlq_letters *l, const struct record *record,
                       const struct letter *letter)
{
    size_t index = kind_of(l, letter);
    struct dlq_kind *kind = &l->kinds[index];

    MEM_RESERVE(l->entries, l->count, l->capacity);
    l->entries[l->count] = (struct dlq_entry){.partition = record->partition,
                                              .offset = record->offset,
                                              .at_ms = letter->timestamp_ms,
                                              .kind = index};
    if (kind->count == 0 || letter->timestamp_ms >= kind->newest.at_ms) {
        kind->newest = l->entries[l->count];
        buf_clear(&kind->message);
        buf_put(&kind->message, letter->message);
    }
    kind->count++;
    l->count++;
}

static enum err_code take(void *context, const struct record *record, struct err *err)
{
    struct reading *r = context;
    struct letter letter;
    struct spot spot;
    struct str to;

    (void)err;
    if (letter_read_mark(record, &spot, &to)) {
        if (!str_is(spot.topic, r->out->topic))
            return ERR_NONE;
        MEM_RESERVE(r->marks.items, r->marks.count, r->marks.capacity);
        r->marks.items[r->marks.count++] =
            (struct dlq_entry){.partition = spot.partition, .offset = spot.offset};
    } else if (letter_read(record, &letter) && passes(r, record, &letter)) {
        add_letter(r->out, record, &letter);
    }
    return ERR_NONE;
}

static int by_place(const void *a, const void *b)
{
    const struct dlq_entry *x = a, *y = b;

    if (x->partition != y->partition)
        return x->partition < y->partition ? -1 : 1;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

const struct dlq_entry *dlq_letters_find(const struct dlq_letters *l, int32_t partition,
                                         int64_t offset)
{
    const struct dlq_entry key = {.partition = partition, .offset = offset};

    return l->count != 0 ? bsearch(&key, l->entries, l->count, sizeof key, by_place) : NULL;
}

static void apply_marks(struct reading *r)
{
    struct dlq_letters *l = r->out;

    for (size_t i = 0; i < r->marks.count; i++) {
        const struct dlq_entry *found =
            dlq_letters_find(l, r->marks.items[i].partition, r->marks.items[i].offset);

        if (found == NULL || found->replayed)
            continue;
        l->entries[found - l->entries].replayed = true;
        l->kinds[found->kind].replayed++;
    }
}

enum err_code dlq_letters_read(const struct kafka_settings *kafka, const char *topic,
                               const struct dlq_filter *filter, struct arena *arena,
                               struct dlq_letters *out, struct err *err)
{
    struct reading reading = {.filter = filter, .out = out};
    struct scan scan = {
        .kafka = kafka, .topic = topic, .partition = SCAN_ALL, .context = &reading, .record = take};
    enum err_code code;
    int partitions;

    *out = (struct dlq_letters){.topic = topic, .arena = arena};
    code = kafka_topic_partitions(kafka, topic, &partitions, err);
    if (code == ERR_NONE && partitions > 0)
        code = scan_topic(&scan, err);
    if (out->count > 1)
        qsort(out->entries, out->count, sizeof *out->entries, by_place);
    if (code == ERR_NONE)
        apply_marks(&reading);
    mem_free(reading.marks.items);
    return code;
}

void dlq_letters_free(struct dlq_letters *letters)
{
    for (size_t i = 0; i < letters->kind_count; i++)
        buf_free(&letters->kinds[i].message);
    mem_free(letters->kinds);
    mem_free(letters->entries);
    *letters = (struct dlq_letters){0};
}
