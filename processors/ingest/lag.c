#include "processors/ingest/lag.h"

#include "core/clock.h"
#include "core/mem.h"
#include "core/metric.h"

enum { TELL_MS = 1000 };

struct part {
    size_t source;
    int32_t partition;
    int64_t last_ms; /* timestamp of the last record read; INT64_MIN: none yet */
};

struct lag {
    const struct ingest_config *config;
    struct part *parts;
    size_t count;
    int64_t due_mono_ms;
};

struct lag *lag_new(const struct ingest_config *config)
{
    struct lag *lag = MEM_NEW(struct lag);

    lag->config = config;
    return lag;
}

void lag_free(struct lag *lag)
{
    if (lag == NULL)
        return;
    mem_free(lag->parts);
    mem_free(lag);
}

void lag_revoked(struct lag *lag)
{
    mem_free(lag->parts);
    lag->parts = NULL;
    lag->count = 0;
}

void lag_assigned(struct lag *lag, const struct kafka_partition *partitions, size_t count)
{
    lag_revoked(lag);
    lag->parts = MEM_NEW_ARRAY(struct part, count);
    for (size_t i = 0; i < count; i++)
        for (size_t s = 0; s < lag->config->source_count; s++)
            if (strcmp(lag->config->sources[s].topic, partitions[i].topic) == 0)
                lag->parts[lag->count++] = (struct part){s, partitions[i].partition, INT64_MIN};
}

void lag_note(struct lag *lag, size_t source, const struct record *record)
{
    for (size_t i = 0; i < lag->count; i++)
        if (lag->parts[i].source == source && lag->parts[i].partition == record->partition)
            lag->parts[i].last_ms = record->timestamp_ms;
}

static int64_t late_ms(const struct lag *lag, struct kafka_consumer *consumer, size_t source,
                       int64_t now_ms)
{
    int64_t most_ms = 0;

    for (size_t i = 0; i < lag->count; i++) {
        const struct part *part = &lag->parts[i];
        if (part->source == source && part->last_ms != INT64_MIN &&
            now_ms - part->last_ms > most_ms &&
            !kafka_consumer_at_end(consumer, lag->config->sources[source].topic, part->partition))
            most_ms = now_ms - part->last_ms;
    }
    return most_ms;
}

void lag_tell(struct lag *lag, struct kafka_consumer *consumer, int64_t now_ms)
{
    int64_t mono_ms = clock_mono_ms();

    if (mono_ms < lag->due_mono_ms)
        return;
    lag->due_mono_ms = mono_ms + TELL_MS;
    for (size_t i = 0; i < lag->config->source_count; i++) {
        struct str topic = str_of(lag->config->sources[i].topic);
        metric_set(metric_series(METRIC_INGEST_LAG, &topic, 1),
                   (double)late_ms(lag, consumer, i, now_ms) / 1e3);
    }
}
