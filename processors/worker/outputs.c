#include "processors/worker/outputs.h"

#include "core/check.h"
#include "core/mem.h"

static struct str copy(struct arena *arena, struct str s)
{
    return s.data == NULL ? STR_EMPTY : arena_str(arena, s);
}

static struct header *copy_headers(struct arena *arena, const struct header *from, size_t count)
{
    struct header *to = ARENA_ARRAY(arena, struct header, count + CHAIN_HEADERS);

    for (size_t i = 0; i < count; i++)
        to[i] = (struct header){copy(arena, from[i].name), copy(arena, from[i].value)};
    return to;
}

static void add(struct outputs *out, int topic, int32_t partition, int64_t timestamp_ms,
                struct str key, struct str value, const struct header *headers, size_t header_count)
{
    struct header *all = copy_headers(out->arena, headers, header_count);
    struct record record = {.timestamp_ms = timestamp_ms,
                            .key = copy(out->arena, key),
                            .value = copy(out->arena, value),
                            .headers = all,
                            .header_count = header_count};

    record.topic = str_of(out->topic_names[topic]);
    record.partition = partition;
    chain_stamp(&out->meta->topics[topic].sent[record.partition], out->meta->generation, out->from,
                &record, &out->scratch, ARENA_NEW(out->arena, struct chain_stamp),
                all + header_count);
    record.header_count += CHAIN_HEADERS;
    MEM_RESERVE(out->items, out->count, out->capacity);
    out->items[out->count++] = (struct output){topic, record};
}

static int32_t partitions_of(const struct outputs *out, int topic)
{
    CHECK(topic >= 0 && (size_t)topic < out->meta->topic_count);
    return out->meta->topics[topic].partition_count;
}

void outputs_add(struct outputs *out, int topic, int64_t timestamp_ms, struct str key,
                 struct str value, const struct header *headers, size_t header_count)
{
    add(out, topic, hash_kafka_partition(key, partitions_of(out, topic)), timestamp_ms, key, value,
        headers, header_count);
}

void outputs_add_all(struct outputs *out, int topic, int64_t timestamp_ms, struct str value,
                     const struct header *headers, size_t header_count)
{
    for (int32_t p = 0; p < partitions_of(out, topic); p++)
        add(out, topic, p, timestamp_ms, STR_EMPTY, value, headers, header_count);
}

void outputs_clear(struct outputs *out)
{
    out->count = 0;
}

void outputs_free(struct outputs *out)
{
    buf_free(&out->scratch);
    mem_free(out->items);
    out->items = NULL;
    out->count = out->capacity = 0;
}
