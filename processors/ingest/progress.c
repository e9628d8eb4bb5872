/* The newest record of a source is asked for over all its partitions, also those of other processes,
 * because a source with few keys has partitions that nobody writes to.  That is asked only when
 * what was read here is older than max_silence, and not more often than each ASK_MS.
 */
#include "processors/ingest/progress.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/mutant.h"
#include "core/metric.h"
#include "core/when.h"
#include "schemas/control.h"
#include "schemas/watermark.h"

enum {
    SLACK_MS = 5000,   /* between a record's timestamp and its being readable */
    GAP_MS = 2000,     /* not polled for longer: what is known of ends is as old as that poll */
    ASK_MS = 30000,    /* for the newest record of a silent source, for a quiet partition */
    TAIL_RECORDS = 64, /* the last of them may be marks of transactions */
    TAIL_MS = 3000,
};

struct part { /* a source partition of this process */
    size_t source;
    int32_t partition;
    int64_t next;               /* offset; -1: not known yet */
    int64_t last_ms;            /* timestamp of the last record read; INT64_MIN: none yet */
    int64_t until_ms;           /* what may be said now; INT64_MIN: nothing */
    int64_t written_ms;         /* what was said last */
    int64_t deaf_until_mono_ms; /* its leader did not answer */
};

struct feed { /* a source */
    int partitions;
    int64_t newest_ms;     /* timestamp of its newest record that is known */
    int64_t asked_mono_ms; /* INT64_MIN: never */
};

struct progress {
    const struct ingest_config *config;
    struct part *parts;
    size_t count;
    struct feed *feeds; /* as many as sources */
    int events_partitions, identify_partitions;
    int64_t due_mono_ms;
    int64_t polled_mono_ms, polled_wall_ms; /* the last poll; INT64_MIN: none yet */
};

struct progress *progress_new(const struct ingest_config *config)
{
    struct progress *p = MEM_NEW(struct progress);

    p->config = config;
    p->feeds = MEM_NEW_ARRAY(struct feed, config->source_count);
    for (size_t i = 0; i < config->source_count; i++)
        p->feeds[i] = (struct feed){.newest_ms = INT64_MIN, .asked_mono_ms = INT64_MIN};
    p->polled_mono_ms = INT64_MIN;
    return p;
}

void progress_free(struct progress *p)
{
    if (p == NULL)
        return;
    mem_free(p->parts);
    mem_free(p->feeds);
    mem_free(p);
}

enum err_code progress_check(const struct ingest_config *config, const struct ingest_source *source,
                             struct err *err)
{
    int partitions, ways;
    enum err_code code = kafka_topic_partitions(&config->kafka, source->topic, &partitions, err);

    if (code == ERR_NONE)
        code = kafka_topic_partitions(&config->kafka, config->identify_topic, &ways, err);
    if (code != ERR_NONE || (int64_t)partitions * ways <= LIMIT_SOURCE_PARTITIONS)
        return code;
    return err_set(err, ERR_CONFIG,
                   "ingest: %s has %d partitions and %s has %d: at most %d in all ways can be "
                   "followed; take %s out of sources.yaml, or its types out of identity.yaml",
                   source->topic, partitions, config->identify_topic, ways, LIMIT_SOURCE_PARTITIONS,
                   source->topic);
}

/* --- what is mine ----------------------------------------------------------------------------------- */

static const struct ingest_source *source_of(const struct progress *p, const struct part *part)
{
    return &p->config->sources[part->source];
}

void progress_revoked(struct progress *p)
{
    mem_free(p->parts);
    p->parts = NULL;
    p->count = 0;
}

void progress_assigned(struct progress *p, const struct kafka_partition *partitions, size_t count)
{
    progress_revoked(p);
    p->parts = MEM_NEW_ARRAY(struct part, count);
    for (size_t i = 0; i < count; i++)
        for (size_t s = 0; s < p->config->source_count; s++)
            if (strcmp(p->config->sources[s].topic, partitions[i].topic) == 0 &&
                p->config->sources[s].max_silence_ms != 0)
                p->parts[p->count++] = (struct part){.source = s,
                                                     .partition = partitions[i].partition,
                                                     .next = -1,
                                                     .last_ms = INT64_MIN,
                                                     .until_ms = INT64_MIN,
                                                     .written_ms = INT64_MIN};
}

size_t progress_count(const struct progress *p)
{
    return p->count;
}

void progress_note(struct progress *p, size_t source, const struct record *record)
{
    for (size_t i = 0; i < p->count; i++) {
        struct part *part = &p->parts[i];

        if (part->source != source || part->partition != record->partition)
            continue;
        part->next = record->offset + 1;
        part->last_ms = record->timestamp_ms;
        if (record->timestamp_ms > p->feeds[source].newest_ms)
            p->feeds[source].newest_ms = record->timestamp_ms;
    }
}

/* It will be read again. */
void progress_undo(struct progress *p)
{
    for (size_t i = 0; i < p->count; i++) {
        p->parts[i].next = -1;
        p->parts[i].last_ms = INT64_MIN;
    }
}

/* --- asking Kafka ----------------------------------------------------------------------------------- */

static void take_newest(struct kafka_consumer *tail, const char *topic, int partitions,
                        int64_t *newest_ms)
{
    int64_t until_ms = clock_mono_ms() + TAIL_MS;
    struct record records[TAIL_RECORDS];
    bool at_end = false;
    size_t count;

    while (!at_end && clock_mono_ms() < until_ms &&
           kafka_consumer_poll(tail, 100, records, TAIL_RECORDS, &count, NULL) == ERR_NONE) {
        for (size_t i = 0; i < count; i++)
            if (records[i].timestamp_ms > *newest_ms)
                *newest_ms = records[i].timestamp_ms;
        kafka_consumer_release(tail);
        at_end = true;
        for (int i = 0; i < partitions; i++)
            at_end &= kafka_consumer_at_end(tail, topic, i);
    }
}

/* The ends of all partitions; what cannot be asked is left out. */
static void ask_newest(struct progress *p, struct kafka_consumer *consumer, size_t source)
{
    const char *topic = p->config->sources[source].topic;
    struct feed *feed = &p->feeds[source];
    struct kafka_partition *from;
    struct kafka_consumer *tail;
    int64_t first, next;

    feed->asked_mono_ms = clock_mono_ms();
    from = MEM_NEW_ARRAY(struct kafka_partition, (size_t)feed->partitions + 1);
    for (int i = 0; i < feed->partitions; i++) {
        from[i] = (struct kafka_partition){topic, i, KAFKA_OFFSET_END};
        if (kafka_consumer_bounds(consumer, topic, i, &first, &next, NULL) == ERR_NONE)
            from[i].offset = next - TAIL_RECORDS > first ? next - TAIL_RECORDS : first;
    }
    if (kafka_consumer_open_alone(&p->config->kafka, from, (size_t)feed->partitions, &tail, NULL) ==
        ERR_NONE) {
        take_newest(tail, topic, feed->partitions, &feed->newest_ms);
        kafka_consumer_close(tail);
    }
    mem_free(from);
}

static int64_t silent_from_ms(const struct progress *p, size_t source)
{
    const struct feed *feed = &p->feeds[source];

    return feed->newest_ms == INT64_MIN
               ? INT64_MIN
               : feed->newest_ms + p->config->sources[source].max_silence_ms;
}

static bool know_partitions(struct progress *p, struct kafka_consumer *consumer)
{
    if (kafka_consumer_topic_partitions(consumer, p->config->events_topic, &p->events_partitions,
                                        NULL) != ERR_NONE)
        return false;
    for (size_t i = 0; i < p->config->source_count && p->identify_partitions == 0; i++)
        if (p->config->sources[i].by_alias &&
            kafka_consumer_topic_partitions(consumer, p->config->identify_topic,
                                            &p->identify_partitions, NULL) != ERR_NONE)
            return false;
    for (size_t i = 0; i < p->config->source_count; i++)
        if (p->config->sources[i].max_silence_ms != 0 &&
            kafka_consumer_topic_partitions(consumer, p->config->sources[i].topic,
                                            &p->feeds[i].partitions, NULL) != ERR_NONE)
            return false;
    return true;
}

/* Where the group stands, for what nothing was read of yet. */
static bool know_next(const struct progress *p, struct kafka_consumer *consumer, struct part *part)
{
    const char *topic = source_of(p, part)->topic;
    int64_t first, next;

    if (part->next >= 0)
        return true;
    if (kafka_consumer_committed(consumer, topic, part->partition, &part->next, NULL) != ERR_NONE)
        return false;
    if (part->next >= 0)
        return true;
    if (kafka_consumer_bounds(consumer, topic, part->partition, &first, &next, NULL) != ERR_NONE)
        return false;
    part->next = first;
    return true;
}

/* That the end was reached may be long ago: its leader is asked where it is now.  False: it does not
 * answer. */
static bool ask_end(const struct progress *p, struct kafka_consumer *consumer, struct part *part,
                    int64_t *end)
{
    int64_t first, mono_ms = clock_mono_ms();

    if (mono_ms < part->deaf_until_mono_ms)
        return false;
    if (kafka_consumer_bounds(consumer, source_of(p, part)->topic, part->partition, &first, end,
                              NULL) == ERR_NONE)
        return true;
    part->deaf_until_mono_ms = mono_ms + ASK_MS;
    return false;
}

/* --- looking ---------------------------------------------------------------------------------------- */

static void look_at(struct progress *p, struct kafka_consumer *consumer, struct part *part,
                    int64_t now_ms)
{
    const struct ingest_source *source = source_of(p, part);
    int64_t until_ms = part->last_ms, silent_ms = silent_from_ms(p, part->source), end;

    if (kafka_consumer_at_end(consumer, source->topic, part->partition)) {
        if (!ask_end(p, consumer, part, &end))
            return;
        if (kafka_consumer_read_to(consumer, source->topic, part->partition) >= end ||
            MUTANT(WATERMARK_BLIND))
            until_ms = now_ms - SLACK_MS < silent_ms ? now_ms - SLACK_MS : silent_ms;
    }
    if (until_ms > now_ms - SLACK_MS)
        until_ms = now_ms - SLACK_MS;
    if (until_ms > part->until_ms && know_next(p, consumer, part))
        part->until_ms = until_ms;
}

/* For each source that has something here and seems silent. */
static void look_for_newest(struct progress *p, struct kafka_consumer *consumer, int64_t now_ms)
{
    int64_t mono_ms = clock_mono_ms();

    for (size_t i = 0; i < p->count; i++) {
        size_t source = p->parts[i].source;
        struct feed *feed = &p->feeds[source];

        if (silent_from_ms(p, source) < now_ms &&
            (feed->asked_mono_ms == INT64_MIN || mono_ms - feed->asked_mono_ms >= ASK_MS))
            ask_newest(p, consumer, source);
    }
}

bool progress_look(struct progress *p, struct kafka_consumer *consumer, int64_t now_ms)
{
    int64_t mono_ms = clock_mono_ms(), known_ms = now_ms;
    bool first = p->polled_mono_ms == INT64_MIN, news = false;

    if (!first && mono_ms - p->polled_mono_ms >= GAP_MS)
        known_ms = p->polled_wall_ms;
    p->polled_mono_ms = mono_ms;
    p->polled_wall_ms = now_ms;
    if (first || p->count == 0 || p->config->watermark_interval_ms == 0 || mono_ms < p->due_mono_ms)
        return false;
    p->due_mono_ms = mono_ms + p->config->watermark_interval_ms;
    if (!know_partitions(p, consumer))
        return false;
    look_for_newest(p, consumer, now_ms);
    for (size_t i = 0; i < p->count; i++) {
        look_at(p, consumer, &p->parts[i], known_ms);
        news |= p->parts[i].until_ms > p->parts[i].written_ms;
    }
    p->polled_mono_ms = clock_mono_ms(); /* asking took its time */
    return news;
}

/* --- saying it -------------------------------------------------------------------------------------- */

static enum err_code say(struct progress *p, struct kafka_producer *producer, size_t source,
                         const struct watermark *watermark, int64_t now_ms, struct err *err)
{
    const struct header header = {STR(CONTROL_HEADER), STR(CONTROL_WATERMARK)};
    bool by_alias = p->config->sources[source].by_alias;
    int partitions = by_alias ? p->identify_partitions : p->events_partitions;
    struct record record = {
        .topic = str_of(by_alias ? p->config->identify_topic : p->config->events_topic),
        .timestamp_ms = now_ms,
        .headers = &header,
        .header_count = 1};
    enum err_code code = ERR_NONE;
    struct buf json = {0};

    watermark_put_json(&json, watermark);
    record.value = buf_str(&json);
    for (; record.partition < partitions && code == ERR_NONE; record.partition++)
        code = kafka_produce(producer, &record, err);
    buf_free(&json);
    return code;
}

enum err_code progress_write(struct progress *p, struct kafka_producer *producer, int64_t now_ms,
                             struct arena *arena, struct kafka_partition *offsets, size_t *count,
                             struct err *err)
{
    struct watermark_part *parts = ARENA_ARRAY(arena, struct watermark_part, p->count);
    enum err_code code = ERR_NONE;

    *count = 0;
    for (size_t s = 0; s < p->config->source_count && code == ERR_NONE; s++) {
        struct watermark watermark = {.source = str_of(p->config->sources[s].topic),
                                      .partitions = p->feeds[s].partitions,
                                      .parts = parts};

        for (size_t i = 0; i < p->count; i++) {
            const struct part *part = &p->parts[i];

            if (part->source != s || part->until_ms <= part->written_ms || part->next < 0)
                continue;
            parts[watermark.part_count++] =
                (struct watermark_part){part->partition, part->until_ms};
            offsets[(*count)++] =
                (struct kafka_partition){p->config->sources[s].topic, part->partition, part->next};
        }
        if (watermark.part_count != 0)
            code = say(p, producer, s, &watermark, now_ms, err);
    }
    return code;
}

void progress_written(struct progress *p)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->parts[i].next >= 0)
            p->parts[i].written_ms = p->parts[i].until_ms;
}

/* --- reporting -------------------------------------------------------------------------------------- */

static int64_t read_until(const struct progress *p, size_t source)
{
    int64_t least_ms = INT64_MAX;

    for (size_t i = 0; i < p->count; i++)
        if (p->parts[i].source == source && p->parts[i].written_ms < least_ms)
            least_ms = p->parts[i].written_ms;
    return least_ms;
}

void progress_report(struct progress *p, int64_t now_ms, struct buf *out)
{
    for (size_t s = 0; s < p->config->source_count; s++) {
        const struct ingest_source *source = &p->config->sources[s];
        struct str topic = str_of(source->topic);
        int64_t until_ms = read_until(p, s);

        if (source->max_silence_ms == 0 || until_ms == INT64_MAX || until_ms == INT64_MIN)
            continue;
        metric_set(metric_series(METRIC_INGEST_BEHIND, &topic, 1),
                   (double)(now_ms - until_ms) / 1e3);
        if (now_ms - until_ms < source->max_silence_ms && silent_from_ms(p, s) >= now_ms)
            continue;
        buf_put_format(out, "%s%s has been read up to ", out->len != 0 ? "; " : "", source->topic);
        when_put_rfc3339(out, until_ms);
        buf_put_text(out, " only: what it brings is not taken to have stayed out");
    }
}
