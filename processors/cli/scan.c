#include "processors/cli/scan.h"

#include <inttypes.h>

#include "core/clock.h"
#include "core/mem.h"

enum {
    POLL_MS = 100,
    SILENCE_MS_MAX = 20 * 1000, /* a broker that restarts is back by then */
    BATCH_RECORDS = 256,
};

struct scanning {
    const struct scan *scan;
    struct kafka_consumer *consumer;
    struct kafka_partition *partitions;
    int64_t *ends; /* first offset that is not read */
    size_t count;
};

static enum err_code find_partitions(struct scanning *s, struct err *err)
{
    const struct scan *scan = s->scan;
    int count;
    enum err_code code = kafka_topic_partitions(scan->kafka, scan->topic, &count, err);

    if (code != ERR_NONE) {
        err_prefix(err, "Kafka at %s", scan->kafka->brokers);
        return code;
    }
    if (count == 0)
        return err_set(err, ERR_DOWN, "topic %s is not there; `attent topics --create` makes it",
                       scan->topic);
    if (scan->partition >= count)
        return err_set(err, ERR_USAGE, "topic %s has the partitions 0 to %d", scan->topic,
                       count - 1);
    s->count = scan->partition == SCAN_ALL ? (size_t)count : 1;
    s->partitions = MEM_NEW_ARRAY(struct kafka_partition, s->count);
    s->ends = MEM_NEW_ARRAY(int64_t, s->count);
    for (size_t i = 0; i < s->count; i++)
        s->partitions[i] = (struct kafka_partition){
            scan->topic, scan->partition == SCAN_ALL ? (int32_t)i : scan->partition,
            KAFKA_OFFSET_BEGIN};
    return ERR_NONE;
}

/* Each partition begins its share of the newest before its end. */
static enum err_code begin_late(struct scanning *s, struct err *err)
{
    int64_t share = (s->scan->newest + (int64_t)s->count - 1) / (int64_t)s->count, first, end;
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < s->count && code == ERR_NONE; i++) {
        code = kafka_topic_bounds(s->scan->kafka, s->scan->topic, s->partitions[i].partition,
                                  &first, &end, err);
        if (code == ERR_NONE)
            s->partitions[i].offset = end - share > first ? end - share : first;
    }
    return code;
}

/* From a given record on, which must be there. */
static enum err_code begin_at(struct scanning *s, struct err *err)
{
    struct kafka_partition *p = &s->partitions[0];
    int64_t first, end;
    enum err_code code =
        kafka_topic_bounds(s->scan->kafka, p->topic, p->partition, &first, &end, err);

    if (code == ERR_NONE && (s->scan->from < first || s->scan->from > end))
        return err_set(err, ERR_STATE, "%s/%d holds offsets %lld to %lld, and not %lld on",
                       p->topic, p->partition, (long long)first, (long long)end,
                       (long long)s->scan->from);
    p->offset = s->scan->from;
    return code;
}

static enum err_code find_ends(struct scanning *s, struct err *err)
{
    enum err_code code = ERR_NONE;
    int64_t first;

    for (size_t i = 0; i < s->count && code == ERR_NONE; i++) {
        code = kafka_consumer_bounds(s->consumer, s->scan->topic, s->partitions[i].partition,
                                     &first, &s->ends[i], err);
        if (s->scan->until > 0 && s->scan->until < s->ends[i])
            s->ends[i] = s->scan->until;
        if (s->scan->from > 0 && s->ends[i] <= s->scan->from)
            s->ends[i] = 0; /* nothing to read */
    }
    return code;
}

static size_t index_of(const struct scanning *s, int32_t partition)
{
    return s->scan->partition == SCAN_ALL ? (size_t)partition : 0;
}

static enum err_code take(struct scanning *s, const struct record *records, size_t count,
                          struct err *err)
{
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < count && code == ERR_NONE; i++) {
        size_t index = index_of(s, records[i].partition);
        if (records[i].offset >= s->ends[index]) {
            s->ends[index] = 0; /* it came in meanwhile: all before it were seen */
            continue;
        }
        code = s->scan->record(s->scan->context, &records[i], err);
        if (records[i].offset + 1 >= s->ends[index])
            s->ends[index] = 0;
    }
    return code;
}

static bool is_done(const struct scanning *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->ends[i] > 0 &&
            !kafka_consumer_at_end(s->consumer, s->scan->topic, s->partitions[i].partition))
            return false;
    return true;
}

static enum err_code read_all(struct scanning *s, struct err *err)
{
    int64_t until_ms = clock_mono_ms() + SILENCE_MS_MAX;
    struct record records[BATCH_RECORDS];
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && !is_done(s)) {
        struct err poll_err = {0};
        size_t count;
        code = kafka_consumer_poll(s->consumer, POLL_MS, records, BATCH_RECORDS, &count, &poll_err);
        if (code == ERR_NONE && count != 0) {
            code = take(s, records, count, err);
            until_ms = clock_mono_ms() + SILENCE_MS_MAX;
        } else if (code == ERR_STATE || clock_mono_ms() > until_ms) {
            return err_set(err, ERR_DOWN, "read %s: %s", s->scan->topic,
                           code != ERR_NONE ? poll_err.text : "Kafka does not answer");
        } else {
            code = ERR_NONE; /* a broker that restarts */
        }
        kafka_consumer_release(s->consumer);
    }
    return code;
}

enum err_code scan_topic(const struct scan *scan, struct err *err)
{
    struct scanning s = {.scan = scan};
    enum err_code code = find_partitions(&s, err);

    if (code == ERR_NONE && scan->newest > 0)
        code = begin_late(&s, err);
    if (code == ERR_NONE && scan->from > 0)
        code = begin_at(&s, err);
    if (code == ERR_NONE)
        code = kafka_consumer_open_alone(scan->kafka, s.partitions, s.count, &s.consumer, err);
    if (code == ERR_NONE)
        code = find_ends(&s, err);
    if (code == ERR_NONE)
        code = read_all(&s, err);
    kafka_consumer_close(s.consumer);
    mem_free(s.partitions);
    mem_free(s.ends);
    return code;
}
