#include "processors/worker/evidence.h"

#include "core/clock.h"
#include "core/mem.h"
#include "schemas/chain.h"

/* A source writes to every partition sooner or later, so the ends of all of them together tell. */
enum { TAIL_RECORDS = 500, LOOK_MS = 20000, TAKE_MAX = 512 };

struct tails {
    struct kafka_partition *items;
    size_t count;
};

static enum err_code find_tails(struct kafka_consumer *asked, const struct evidence_topic *topic,
                                struct tails *tails, struct err *err)
{
    for (int32_t p = 0; p < topic->partitions; p++) {
        int64_t first, next;
        enum err_code code = kafka_consumer_bounds(asked, topic->name, p, &first, &next, err);

        if (code != ERR_NONE)
            return code;
        if (next > first)
            tails->items[tails->count++] = (struct kafka_partition){
                topic->name, p, next - first > TAIL_RECORDS ? next - TAIL_RECORDS : first};
    }
    return ERR_NONE;
}

static bool all_read(struct kafka_consumer *c, const struct tails *tails)
{
    for (size_t i = 0; i < tails->count; i++)
        if (!kafka_consumer_at_end(c, tails->items[i].topic, tails->items[i].partition))
            return false;
    return true;
}

static void note(const struct record *record, const char *step, bool *seen, size_t seen_count)
{
    struct str from = record_header(record, STR(CHAIN_FROM_HEADER)), name, number;
    uint64_t n;

    if (str_cut(from, '/', &name, &number) && str_is(name, step) && str_read_number(number, &n) &&
        n < seen_count)
        seen[n] = true;
}

static enum err_code read_tails(struct kafka_consumer *c, const struct tails *tails,
                                const char *step, bool *seen, size_t seen_count, struct err *err)
{
    struct record *records = MEM_NEW_ARRAY(struct record, TAKE_MAX);
    int64_t until_ms = clock_mono_ms() + LOOK_MS;
    enum err_code code = ERR_NONE;
    size_t count;

    while (code == ERR_NONE && !all_read(c, tails)) {
        code = kafka_consumer_poll(c, 100, records, TAKE_MAX, &count, err);
        for (size_t i = 0; i < count; i++)
            note(&records[i], step, seen, seen_count);
        kafka_consumer_release(c);
        if (code == ERR_NONE && clock_mono_ms() > until_ms)
            code = err_set(err, ERR_DOWN, "the output topics cannot be read");
    }
    mem_free(records);
    return code;
}

enum err_code evidence_look(const struct kafka_settings *kafka, struct kafka_consumer *asked,
                            const struct evidence_topic *topics, size_t topic_count,
                            const char *step, bool *seen, size_t seen_count, struct err *err)
{
    struct tails tails = {0};
    struct kafka_consumer *c;
    enum err_code code = ERR_NONE;
    size_t room = 1;

    for (size_t i = 0; i < topic_count; i++)
        room += (size_t)topics[i].partitions;
    tails.items = MEM_NEW_ARRAY(struct kafka_partition, room);
    for (size_t i = 0; i < topic_count && code == ERR_NONE; i++)
        code = find_tails(asked, &topics[i], &tails, err);
    if (code == ERR_NONE && tails.count > 0) {
        code = kafka_consumer_open_alone(kafka, tails.items, tails.count, &c, err);
        if (code == ERR_NONE) {
            code = read_tails(c, &tails, step, seen, seen_count, err);
            kafka_consumer_close(c);
        }
    }
    mem_free(tails.items);
    return code;
}
