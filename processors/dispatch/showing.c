#include "processors/dispatch/showing.h"

#include "core/mem.h"
#include "processors/dispatch/ledger_record.h"

struct shown_id {
    int32_t partition;
    char id[TASK_ID_SIZE];
};

void showing_begin(struct showing *s, const struct partition *partitions, size_t count)
{
    s->count = s->next = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < ledger_count(partitions[i].ledger); k++) {
            struct str id = ledger_at(partitions[i].ledger, k)->id;
            MEM_RESERVE(s->ids, s->count, s->capacity);
            s->ids[s->count] = (struct shown_id){.partition = partitions[i].number};
            memcpy(s->ids[s->count++].id, id.data, id.len);
        }
}

static const struct ledger_entry *find(const struct shown_id *id,
                                       const struct partition *partitions, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (partitions[i].number == id->partition)
            return ledger_find(partitions[i].ledger, str_of(id->id));
    return NULL;
}

void showing_go_on(struct showing *s, const struct partition *partitions, size_t count,
                   struct ledger_view *view, size_t max)
{
    struct arena *arena = arena_new(0);

    for (size_t i = 0; i < max && s->next < s->count; i++) {
        const struct ledger_entry *entry = find(&s->ids[s->next++], partitions, count);
        struct record record;
        if (entry == NULL)
            continue;
        record = ledger_record_entry(entry, arena);
        ledger_view_take(view, &record);
        arena_reset(arena);
    }
    arena_free(arena);
    if (s->next == s->count)
        showing_free(s);
}

void showing_free(struct showing *s)
{
    mem_free(s->ids);
    *s = (struct showing){0};
}
