#include "processors/dispatch/ledger_topic.h"

#include <stdio.h>

#include "core/clock.h"
#include "core/hash.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/rng.h"
#include "processors/dispatch/ledger_record.h"

enum {
    READ_MAX = 1000,     /* records at once */
    PATIENCE_MS = 60000, /* a dead owner's transaction may block for 10 s; then some for reading */
};

struct reading {
    struct partition *partitions;
    size_t count;
    bool *done; /* by partition: its reader record came by */
    size_t done_count;
    char token[HASH128_HEX_SIZE];
    struct arena *arena;
};

static void make_token(char token[HASH128_HEX_SIZE])
{
    struct hash128 random;

    rng_system(&random, sizeof random);
    hash128_hex(random, token);
}

static enum err_code write_readers(const struct reading *r, struct kafka_producer *producer,
                                   const char *topic, bool *fatal, struct err *err)
{
    struct record record = ledger_record_reader(str_of(r->token), r->arena);
    enum err_code code = kafka_begin(producer, err);

    *fatal = code != ERR_NONE;
    if (code != ERR_NONE)
        return code;
    record.topic = str_of(topic);
    for (size_t i = 0; i < r->count && code == ERR_NONE; i++) {
        record.partition = r->partitions[i].number;
        code = kafka_produce(producer, &record, err);
    }
    if (code == ERR_NONE)
        return kafka_commit(producer, NULL, NULL, 0, fatal, err);
    kafka_abort(producer, fatal, NULL);
    return code;
}

static void apply(struct partition *p, const struct ledger_record *record)
{
    switch (record->kind) {
    case LEDGER_RECORD_TASK:
        ledger_put(p->ledger, &record->entry);
        if (record->entry.at_ms > p->now_ms)
            p->now_ms = record->entry.at_ms;
        break;
    case LEDGER_RECORD_FORGOTTEN: ledger_remove(p->ledger, record->entry.id); break;
    case LEDGER_RECORD_TAKEN: sources_restore(p->sources, &record->source); break;
    case LEDGER_RECORD_READER:
    case LEDGER_RECORD_BROKEN: break;
    }
}

/* What the ledger says there nobody knows: the partition stands still, the others go on. */
static void isolate(struct partition *p, const struct err *err)
{
    if (!p->broken)
        log_error("dispatch", "a partition stands still: its ledger cannot be read",
                  LOG_INT("partition", p->number), LOG_TEXT("why", err->text), LOG_END);
    p->broken = true;
}

static void take(struct reading *r, const struct record *record)
{
    struct ledger_record read;
    struct err err = {0};
    size_t i = 0;

    while (i < r->count && r->partitions[i].number != record->partition)
        i++;
    if (i == r->count || r->done[i])
        return;
    ledger_record_read(record, r->arena, &read, &err);
    if (read.kind == LEDGER_RECORD_BROKEN)
        isolate(&r->partitions[i], &err);
    apply(&r->partitions[i], &read);
    if (read.kind == LEDGER_RECORD_READER && str_is(read.reader, r->token)) {
        r->done[i] = true;
        r->done_count++;
    }
}

static enum err_code read_all(struct reading *r, struct kafka_consumer *consumer, struct err *err)
{
    struct record *records = MEM_NEW_ARRAY(struct record, READ_MAX);
    int64_t until_ms = clock_mono_ms() + PATIENCE_MS;
    enum err_code code = ERR_NONE;
    size_t count;

    while (r->done_count < r->count && code == ERR_NONE) {
        code = kafka_consumer_poll(consumer, 100, records, READ_MAX, &count, err);
        for (size_t i = 0; code == ERR_NONE && i < count; i++)
            take(r, &records[i]);
        kafka_consumer_release(consumer);
        arena_reset(r->arena);
        if (code == ERR_NONE && r->done_count < r->count && clock_mono_ms() > until_ms)
            code = err_set(err, ERR_DOWN, "an open transaction of another process blocks it");
    }
    mem_free(records);
    return code;
}

/* By number: asked to find the beginning by itself, a new consumer of librdkafka 2.0.2 waits for
 * half a second first. */
static enum err_code open_reader(const struct kafka_settings *kafka, struct kafka_consumer *asked,
                                 const char *topic, const struct reading *r,
                                 struct kafka_consumer **out, struct err *err)
{
    struct kafka_partition *from = MEM_NEW_ARRAY(struct kafka_partition, r->count + 1);
    enum err_code code = ERR_NONE;
    int64_t next;

    for (size_t i = 0; i < r->count && code == ERR_NONE; i++) {
        from[i] = (struct kafka_partition){topic, r->partitions[i].number, 0};
        code = kafka_consumer_bounds(asked, topic, from[i].partition, &from[i].offset, &next, err);
    }
    if (code == ERR_NONE)
        code = kafka_consumer_open_alone(kafka, from, r->count, out, err);
    mem_free(from);
    return code;
}

enum err_code ledger_topic_read(const struct kafka_settings *kafka, struct kafka_consumer *asked,
                                struct kafka_producer *producer, const char *topic,
                                struct partition *partitions, size_t count, bool *fatal,
                                struct err *err)
{
    struct reading r = {.partitions = partitions, .count = count};
    struct kafka_consumer *consumer = NULL;
    enum err_code code;

    make_token(r.token);
    r.done = mem_alloc(count + 1);
    r.arena = arena_new(0);
    code = write_readers(&r, producer, topic, fatal, err);
    if (code == ERR_NONE)
        code = open_reader(kafka, asked, topic, &r, &consumer, err);
    if (code == ERR_NONE)
        code = read_all(&r, consumer, err);
    for (size_t i = 0; i < count; i++)
        ledger_commit(partitions[i].ledger);
    kafka_consumer_close(consumer);
    arena_free(r.arena);
    mem_free(r.done);
    if (code != ERR_NONE)
        err_prefix(err, "reading the ledger");
    return code;
}
