/* A round: read what is there, begin, produce, commit with the offsets (which flushes first).
 * While one commits, the next records gather: batching clocks itself.
 *
 *          .---------------------------- committed ----------------------------.
 *          v                                                                    |
 *      [ joined ] -- poll, begin, produce --> commit -- aborted --> seek back --+
 *          ^                                    |                      |
 *          |                            fenced, fatal                 fails
 *          |                                    v                      v
 *          '------- open both, after a pause -- [ closed ] <-----------'
 *
 * Opening the producer settles what became of the last transaction, before the consumer asks
 * where the group stands; so the producer is opened first and whoever doubts closes both.
 *
 * A dead letter that Kafka finds too large would be refused for ever: each refusal halves what a
 * dead letter may have, until it fits.
 */
#include "processors/ingest/ingest.h"

#include <stdlib.h>

#include "connectors/kafka/suspects.h"
#include "core/check.h"
#include "core/clock.h"
#include "core/fail_point.h"
#include "core/limit.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metric.h"
#include "core/mutant.h"
#include "core/uri.h"
#include "processors/ingest/convert.h"
#include "processors/ingest/lag.h"
#include "processors/ingest/progress.h"

enum {
    ROUND_RECORDS = 8000, /* at most in one transaction, when so many have gathered */
    ROUND_BYTES =
        8 << 20, /* about so many: a transaction has 10 s, and its records are in memory */
    ROUND_LEAST = 16,
    ARENA_BYTES = 4 << 20, /* of what has been handed to Kafka, before it is dropped */
    PAUSE_MS_MIN = 20,     /* after a failure, doubled each time up to ... */
    PAUSE_MS_MAX = 1000,
    TRIED_RECORDS = 20, /* of a round in which each has a note of its own: a transaction has 10 s */
};

struct tally { /* of one source, in one round */
    uint64_t read, ignored, times_corrected, letters, bad_aliases;
    uint64_t geo[GEOIP_ANSWER_COUNT];
};

struct kind { /* of what a round wrote */
    size_t source;
    struct str type;        /* declared, or empty */
    enum event_fault fault; /* EVENT_FINE: events */
    uint64_t count;
};

struct ingest {
    const struct ingest_config *config;
    const char **topics;             /* of the sources */
    struct kafka_producer *producer; /* both or none are open */
    struct kafka_consumer *consumer;
    struct record records[ROUND_RECORDS];
    struct arena *arena; /* of a round */
    struct progress *progress;
    struct lag *lag;
    struct suspects *suspects; /* NULL: there is none */
    size_t round_records;      /* that the next round takes at most */
    struct kafka_partition *offsets;
    size_t offset_count, offset_capacity;
    struct tally *tallies; /* as many as sources */
    struct kind kinds[ROUND_RECORDS];
    size_t kind_count;
    size_t *letter_bytes_max; /* likewise */
    struct ingest_counts counts;
    unsigned failures; /* in a row */
    int64_t pause_until_ms;
};

/* --- open and close ------------------------------------------------------------------------------- */

static enum err_code check_topic(const struct ingest_config *config, const char *topic,
                                 struct err *err)
{
    int partitions;
    enum err_code code = kafka_topic_partitions(&config->kafka, topic, &partitions, err);

    if (code != ERR_NONE || partitions > 0)
        return code;
    return err_set(err, ERR_CONFIG, "ingest: the topic %s is not there", topic);
}

enum err_code ingest_check_sources(const struct ingest_config *config, struct err *err)
{
    if (config->source_count == 0)
        return err_set(err, ERR_CONFIG, "ingest: no sources are configured");
    for (size_t i = 0; i < config->source_count; i++) {
        const struct ingest_source *source = &config->sources[i];
        if (source->format == &json_format && source->mapping.type.from == MAPPING_NOTHING)
            return err_set(err, ERR_CONFIG, "ingest: the mapping of %s does not say the type",
                           source->topic);
        if (!uri_is_reference(source->mapping.source))
            return err_set(err, ERR_CONFIG,
                           "ingest: the source that the mapping of %s gives, %.*s, is no URI "
                           "reference (RFC 3986)",
                           source->topic, STR_ARG(source->mapping.source));
        if (source->ip.len != 0 && source->ip.data[0] != '/')
            return err_set(
                err, ERR_CONFIG,
                "ingest: `ip` of %s is \"%.*s\", but a JSON Pointer begins with /: /%.*s",
                source->topic, STR_ARG(source->ip), STR_ARG(source->ip));
        if (source->ip.len != 0 && config->geo == NULL)
            return err_set(err, ERR_CONFIG,
                           "ingest: %s has an `ip`, but there is no database to look it up in: say "
                           "geo.database",
                           source->topic);
    }
    return ERR_NONE;
}

static enum err_code check_topics(const struct ingest_config *config, struct err *err)
{
    enum err_code code = check_topic(config, config->events_topic, err);

    for (size_t i = 0; i < config->source_count && code == ERR_NONE; i++) {
        code = check_topic(config, config->sources[i].topic, err);
        if (code == ERR_NONE)
            code = check_topic(config, config->sources[i].dlq_topic, err);
        if (code == ERR_NONE && config->sources[i].by_alias)
            code = progress_check(config, &config->sources[i], err);
    }
    if (code == ERR_NONE && config->identity != NULL && config->identity->use_count != 0)
        code = check_topic(config, config->identify_topic, err);
    return code;
}

/* The configuration may allow less than our own limit, never more. */
static size_t bytes_allowed(const struct kafka_settings *kafka)
{
    size_t bytes = LIMIT_DEAD_LETTER_BYTES;

    for (size_t i = 0; i < kafka->property_count; i++) {
        const struct kafka_property *property = &kafka->properties[i];
        size_t given = strtoul(property->value, NULL, 10);
        if (str_is(str_of(property->name), "message.max.bytes") && given / 10 * 9 < bytes)
            bytes = given / 10 * 9;
    }
    return bytes;
}

static size_t round_records_max(const struct ingest *in)
{
    size_t wanted = in->config->round_records_max;

    return wanted != 0 && wanted < ROUND_RECORDS ? wanted : ROUND_RECORDS;
}

static void leave(struct ingest *in)
{
    kafka_consumer_close(in->consumer);
    kafka_producer_close(in->producer);
    in->consumer = NULL;
    in->producer = NULL;
}

static void on_assigned(void *context, struct kafka_partition *partitions, size_t count)
{
    struct ingest *in = context;

    progress_assigned(in->progress, partitions, count);
    lag_assigned(in->lag, partitions, count);
    suspects_assigned(in->suspects, partitions, count);
}

static void on_revoked(void *context, const struct kafka_partition *partitions, size_t count,
                       bool lost)
{
    (void)partitions;
    struct ingest *in = context;

    (void)count;
    progress_revoked(in->progress);
    lag_revoked(in->lag);
    suspects_revoked(in->suspects, lost ? NULL : in->consumer);
}

static enum err_code join(struct ingest *in, struct err *err)
{
    const struct ingest_config *config = in->config;
    const struct kafka_listener listener = {in, on_assigned, on_revoked};
    enum err_code code =
        kafka_producer_open(&config->kafka, config->transactional_id, &in->producer, err);

    if (code == ERR_NONE)
        code = kafka_consumer_open(&config->kafka, config->group, in->topics, config->source_count,
                                   &listener, &in->consumer, err);
    if (code != ERR_NONE)
        leave(in);
    return code;
}

static struct suspects *new_suspects(const struct ingest *in)
{
    const struct suspects_config config = {.skips = in->config->skips,
                                           .rules_topic = in->config->rules_topic,
                                           .part = "ingest",
                                           .topics = in->topics,
                                           .topic_count = in->config->source_count,
                                           .in_hand_max = ROUND_RECORDS};

    return suspects_new(&config);
}

enum err_code ingest_open(const struct ingest_config *config, struct ingest **out, struct err *err)
{
    struct ingest *in;
    enum err_code code;

    *out = NULL;
    code = ingest_check_sources(config, err);
    if (code == ERR_NONE)
        code = check_topics(config, err);
    if (code != ERR_NONE)
        return code;
    in = MEM_NEW(struct ingest);
    in->config = config;
    in->arena = arena_new(0);
    in->progress = progress_new(config);
    in->lag = lag_new(config);
    in->topics = MEM_NEW_ARRAY(const char *, config->source_count);
    for (size_t i = 0; i < config->source_count; i++)
        in->topics[i] = config->sources[i].topic;
    in->suspects = new_suspects(in);
    in->round_records = round_records_max(in);
    in->tallies = mem_alloc(config->source_count * sizeof *in->tallies);
    in->letter_bytes_max = MEM_NEW_ARRAY(size_t, config->source_count);
    for (size_t i = 0; i < config->source_count; i++)
        in->letter_bytes_max[i] = bytes_allowed(&config->kafka);
    code = join(in, err);
    if (code == ERR_NONE)
        *out = in;
    else
        ingest_close(in);
    return code;
}

void ingest_close(struct ingest *in)
{
    if (in == NULL)
        return;
    leave(in);
    progress_free(in->progress);
    lag_free(in->lag);
    suspects_free(in->suspects);
    mem_free(in->topics);
    arena_free(in->arena);
    mem_free(in->offsets);
    mem_free(in->tallies);
    mem_free(in->letter_bytes_max);
    mem_free(in);
}

const struct ingest_counts *ingest_counts(const struct ingest *in)
{
    return &in->counts;
}

void ingest_report_silence(struct ingest *in, struct buf *out)
{
    progress_report(in->progress, in->config->wall_ms(), out);
}

/* --- counting ------------------------------------------------------------------------------------- */

static void count_kind(struct ingest *in, const struct kind *kind)
{
    struct str labels[3] = {str_of(in->config->sources[kind->source].topic), kind->type,
                            str_of(event_fault_code(kind->fault))};

    if (kind->fault == EVENT_FINE) {
        in->counts.written += kind->count;
        metric_add(metric_series(METRIC_INGEST_WRITTEN, labels, 2), (double)kind->count);
    } else {
        in->counts.dead[kind->fault] += kind->count;
        metric_add(metric_series(METRIC_INGEST_DEAD, labels, 3), (double)kind->count);
    }
}

static void count_geo(struct ingest *in, struct str topic, const struct tally *tally)
{
    for (unsigned answer = 0; answer < GEOIP_ANSWER_COUNT; answer++) {
        struct str labels[2] = {topic, str_of(geoip_answer_word((enum geoip_answer)answer))};
        if (tally->geo[answer] == 0)
            continue;
        in->counts.geo[answer] += tally->geo[answer];
        metric_add(metric_series(METRIC_INGEST_GEO, labels, 2), (double)tally->geo[answer]);
    }
}

/* Only what was committed is counted. */
static void count_round(struct ingest *in, int64_t begin_us)
{
    for (size_t i = 0; i < in->config->source_count; i++) {
        const struct tally *tally = &in->tallies[i];
        struct str topic = str_of(in->config->sources[i].topic);
        if (tally->read == 0)
            continue;
        in->counts.read += tally->read;
        in->counts.ignored += tally->ignored;
        in->counts.times_corrected += tally->times_corrected;
        in->counts.bad_aliases += tally->bad_aliases;
        metric_add(metric_series(METRIC_INGEST_READ, &topic, 1), (double)tally->read);
        metric_add(metric_series(METRIC_INGEST_IGNORED, &topic, 1), (double)tally->ignored);
        metric_add(metric_series(METRIC_INGEST_TIME_CORRECTED, &topic, 1),
                   (double)tally->times_corrected);
        metric_add(metric_series(METRIC_INGEST_BAD_ALIASES, &topic, 1), (double)tally->bad_aliases);
        count_geo(in, topic, tally);
    }
    for (size_t i = 0; i < in->kind_count; i++)
        count_kind(in, &in->kinds[i]);
    in->counts.transactions++;
    metric_observe(metric_series(METRIC_INGEST_TRANSACTION, NULL, 0),
                   (double)(clock_mono_us() - begin_us) / 1e6);
}

/* --- a round -------------------------------------------------------------------------------------- */

static size_t source_of(const struct ingest *in, const struct record *record)
{
    for (size_t i = 0; i < in->config->source_count; i++)
        if (str_is(record->topic, in->config->sources[i].topic))
            return i;
    CHECK_NEVER("a record of a topic that is no source");
}

/* The records of a partition come one after the other, as a rule. */
static void note_next(struct ingest *in, const char *topic, int32_t partition, int64_t next)
{
    size_t at = in->offset_count;

    while (at > 0 &&
           (in->offsets[at - 1].topic != topic || in->offsets[at - 1].partition != partition))
        at--;
    if (at == 0) {
        MEM_RESERVE(in->offsets, in->offset_count, in->offset_capacity);
        at = ++in->offset_count;
        in->offsets[at - 1] = (struct kafka_partition){topic, partition, 0};
    }
    in->offsets[at - 1].offset = next;
}

static void note_offset(struct ingest *in, const char *topic, const struct record *record)
{
    note_next(in, topic, record->partition, record->offset + 1);
}

/* The records of a round are of few kinds, as a rule. */
static void note_kind(struct ingest *in, size_t source, struct str type, enum event_fault fault)
{
    size_t at = in->kind_count;

    while (at > 0 && (in->kinds[at - 1].source != source || in->kinds[at - 1].fault != fault ||
                      !str_equal(in->kinds[at - 1].type, type)))
        at--;
    if (at == 0) {
        at = ++in->kind_count; /* there is room for each record */
        in->kinds[at - 1] = (struct kind){source, type, fault, 0};
    }
    in->kinds[at - 1].count++;
}

static enum err_code produce(struct ingest *in, const struct converted *converted, struct err *err)
{
    enum err_code code = kafka_produce(in->producer, &converted->record, err);

    for (size_t i = 0; i < converted->more_count && code == ERR_NONE; i++)
        code = kafka_produce(in->producer, &converted->more[i], err);
    return code;
}

/* Beside its letter. */
static void put_skip(const struct ingest *in, const struct record *record, int64_t now_ms,
                     struct converted *converted)
{
    struct record *skip = ARENA_NEW(in->arena, struct record);

    *skip = suspects_skip(in->suspects, record, now_ms, in->arena);
    converted->more = skip;
    converted->more_count = 1;
    log_error("ingest", "a record is skipped: processes end at it", LOG_STR("topic", record->topic),
              LOG_INT("partition", record->partition), LOG_INT("offset", record->offset), LOG_END);
}

static enum err_code take(struct ingest *in, const struct record *record, int64_t now_ms,
                          struct err *err)
{
    size_t index = source_of(in, record);
    const struct ingest_source *source = &in->config->sources[index];
    struct tally *tally = &in->tallies[index];
    struct err why = {0};
    enum suspects_verdict verdict = suspects_record(in->suspects, record);
    struct converted converted = {.ignored = true};

    if (verdict == SUSPECTS_POISON) {
        converted = (struct converted){.fault = EVENT_POISON};
    } else if (verdict == SUSPECTS_TAKE) {
        FAIL_POINT_MEET("ingest", record);
        converted = ingest_convert(in->config, source, record, now_ms, in->arena, &why);
    }
    tally->read++;
    note_offset(in, source->topic, record);
    progress_note(in->progress, index, record);
    lag_note(in->lag, index, record);
    tally->times_corrected += converted.time_corrected;
    tally->geo[converted.geo] += converted.geo_asked;
    tally->ignored += converted.ignored && verdict == SUSPECTS_TAKE;
    if (converted.ignored)
        return ERR_NONE;
    note_kind(in, index, converted.type, converted.fault);
    if (converted.fault != EVENT_FINE) {
        tally->letters++;
        converted.record = ingest_dead_letter(source, record, converted.fault, &why, now_ms,
                                              in->letter_bytes_max[index], in->arena);
    }
    if (verdict == SUSPECTS_POISON)
        put_skip(in, record, now_ms, &converted);
    tally->bad_aliases += converted.bad_aliases;
    return produce(in, &converted, err);
}

/* Behind the records that they speak of. */
static enum err_code write_watermarks(struct ingest *in, int64_t now_ms, struct err *err)
{
    struct kafka_partition *reached =
        ARENA_ARRAY(in->arena, struct kafka_partition, progress_count(in->progress));
    size_t count;
    enum err_code code =
        progress_write(in->progress, in->producer, now_ms, in->arena, reached, &count, err);

    for (size_t i = 0; i < count; i++)
        note_next(in, reached[i].topic, reached[i].partition, reached[i].offset);
    return code;
}

static enum err_code commit(struct ingest *in, bool *lost, struct err *err)
{
    size_t count = in->offset_count;

    if (MUTANT(INGEST_OFFSETS_APART) &&
        kafka_consumer_commit_async(in->consumer, in->offsets, count, NULL, NULL))
        count = 0;
    return kafka_commit(in->producer, in->consumer, in->offsets, count, lost, err);
}

/* *lost: nobody knows what became of the transaction. */
static enum err_code write_round(struct ingest *in, size_t count, bool watermarks, bool *lost,
                                 struct err *err)
{
    int64_t begin_us = clock_mono_us(), now_ms = in->config->wall_ms();
    enum err_code code;

    FAIL_POINT_PASS(PLANNED);
    code = kafka_begin(in->producer, err);
    FAIL_POINT_PASS(BEGUN);
    *lost = code != ERR_NONE;
    in->offset_count = in->kind_count = 0;
    memset(in->tallies, 0, in->config->source_count * sizeof *in->tallies);
    if (code != ERR_NONE)
        return code;
    suspects_begin(in->suspects, in->consumer, in->records, count);
    for (size_t i = 0; i < count && code == ERR_NONE; i++) {
        code = take(in, &in->records[i], now_ms, err);
        if (arena_bytes(in->arena) > ARENA_BYTES) /* Kafka's client has a copy */
            arena_reset(in->arena);
    }
    suspects_end(in->suspects);
    if (code == ERR_NONE && watermarks)
        code = write_watermarks(in, now_ms, err);
    FAIL_POINT_PASS(WRITTEN);
    if (code != ERR_NONE)
        kafka_abort(in->producer, lost, NULL);
    else
        code = commit(in, lost, err);
    FAIL_POINT_PASS(COMMITTED);
    if (code == ERR_NONE) {
        count_round(in, begin_us);
        suspects_committed(in->suspects, in->offsets, in->offset_count);
    }
    if (code == ERR_NONE && watermarks) {
        progress_written(in->progress);
        in->counts.watermarks++;
    }
    return code;
}

/* --- when something fails ----------------------------------------------------------------------- */

static void pause_after(struct ingest *in)
{
    int64_t pause_ms = PAUSE_MS_MIN;

    for (unsigned i = 0; i < in->failures && pause_ms < PAUSE_MS_MAX; i++)
        pause_ms *= 2;
    in->failures++;
    in->pause_until_ms = clock_mono_ms() + (pause_ms < PAUSE_MS_MAX ? pause_ms : PAUSE_MS_MAX);
}

/* After an abort: read again from where the group stands. */
static bool go_back(struct ingest *in, size_t count)
{
    bool there = true;

    if (MUTANT(INGEST_GOES_ON))
        return true;
    for (size_t i = 0; i < count && there; i++) /* also those that take() did not get to */
        note_offset(in, in->config->sources[source_of(in, &in->records[i])].topic, &in->records[i]);
    for (size_t i = 0; i < in->offset_count && there; i++)
        there = kafka_consumer_seek(in->consumer, in->offsets[i].topic, in->offsets[i].partition,
                                    KAFKA_OFFSET_GROUP, NULL) == ERR_NONE;
    return there;
}

static void give_up(struct ingest *in, size_t count, enum err_code code, bool lost,
                    const struct err *why)
{
    bool joined = !lost && code != ERR_FENCED && go_back(in, count);

    if (lost && MUTANT(INGEST_TRUSTS)) {
        kafka_producer_close(in->producer);
        joined = kafka_producer_open(&in->config->kafka, in->config->transactional_id,
                                     &in->producer, NULL) == ERR_NONE;
    }
    if (!MUTANT(WATERMARK_KEPT))
        progress_undo(in->progress);
    for (size_t i = 0; code == ERR_LIMIT && i < in->config->source_count; i++)
        if (in->tallies[i].letters > 0)
            in->letter_bytes_max[i] /= 2;
    in->counts.aborted++;
    metric_add(metric_series(METRIC_INGEST_ABORTED, NULL, 0), 1);
    log_warn("ingest", joined ? "a transaction was given up" : "joining again",
             LOG_TEXT("reason", why->text), LOG_INT("records", count), LOG_END);
    kafka_consumer_release(in->consumer);
    if (!joined)
        leave(in);
    pause_after(in);
}

/* The group stands where the log is no more.  If it was deleted (retention), there is nothing to
 * wait for: go on with what is left.  If the log ends before, it is another log, or it lost its
 * end: reading it again would double events, so a person has to say. */
static enum err_code off_the_log(struct ingest *in, const char *topic, int32_t partition,
                                 struct err *err)
{
    int64_t committed, first, next;
    enum err_code code = kafka_consumer_committed(in->consumer, topic, partition, &committed, err);

    if (code == ERR_NONE)
        code = kafka_consumer_bounds(in->consumer, topic, partition, &first, &next, err);
    if (code != ERR_NONE)
        return code;
    if (committed > next)
        return err_set(err, ERR_STATE,
                       "ingest: %s/%d ends at %lld, but has been read up to %lld: is it another "
                       "topic of the same name?",
                       topic, partition, (long long)next, (long long)committed);
    log_error("ingest", "records were deleted before they were read", LOG_TEXT("topic", topic),
              LOG_INT("partition", partition), LOG_INT("from", committed), LOG_INT("to", first),
              LOG_END);
    return kafka_consumer_seek(in->consumer, topic, partition, first, err);
}

static enum err_code poll_failed(struct ingest *in, enum err_code code, struct err *err)
{
    const char *topic;
    int32_t partition;
    bool of_partition = kafka_consumer_fault(in->consumer, &topic, &partition);

    kafka_consumer_release(in->consumer);
    if (of_partition && code == ERR_STATE) {
        code = off_the_log(in, topic, partition, err);
    } else if (!of_partition) {
        log_warn("ingest", "joining again", LOG_TEXT("reason", err->text), LOG_END);
        leave(in);
    }
    if (code != ERR_NONE)
        pause_after(in);
    return code;
}

static enum err_code wait_and_join(struct ingest *in, struct err *err)
{
    int64_t left_ms = in->pause_until_ms - clock_mono_ms();
    enum err_code code = ERR_NONE;

    if (left_ms > 0)
        clock_sleep_ms(left_ms); /* a second at most, and a signal ends it */
    if (in->consumer == NULL)
        code = join(in, err);
    if (code != ERR_NONE)
        pause_after(in);
    return code;
}

/* As many as are ROUND_BYTES, going by the last ones. */
static void size_next_round(struct ingest *in, size_t taken)
{
    size_t bytes = 1, records;

    for (size_t i = 0; i < taken; i++)
        bytes += in->records[i].value.len;
    records = taken * ROUND_BYTES / bytes;
    records = records < ROUND_LEAST ? ROUND_LEAST : records;
    in->round_records = records < round_records_max(in) ? records : round_records_max(in);
}

enum err_code ingest_poll(struct ingest *in, int timeout_ms, size_t *count, struct err *err)
{
    struct err own = {0}, *why = err != NULL ? err : &own;
    enum err_code code = wait_and_join(in, why);
    size_t taken = 0;
    bool lost, watermarks;

    if (count != NULL)
        *count = 0;
    if (code != ERR_NONE)
        return code;
    code = kafka_consumer_poll(in->consumer, timeout_ms, in->records,
                               suspects_records(in->suspects, in->round_records, TRIED_RECORDS),
                               &taken, why);
    if (code != ERR_NONE)
        return poll_failed(in, code, why);
    code = suspects_look(in->suspects, in->consumer, why);
    if (code != ERR_NONE) {
        in->offset_count = 0; /* of the round before */
        give_up(in, taken, code, false, why);
        return code;
    }
    watermarks = progress_look(in->progress, in->consumer, in->config->wall_ms());
    lag_tell(in->lag, in->consumer, in->config->wall_ms());
    if (taken == 0 && !watermarks)
        return ERR_NONE;
    if (taken != 0)
        size_next_round(in, taken);
    code = write_round(in, taken, watermarks, &lost, why);
    arena_reset(in->arena);
    if (code != ERR_NONE) {
        give_up(in, taken, code, lost, why);
        return code;
    }
    kafka_consumer_release(in->consumer);
    in->failures = 0;
    if (count != NULL)
        *count = taken;
    return ERR_NONE;
}
