#include "connectors/kafka/suspects.h"

#include <string.h>

#include "core/alone.h"
#include "core/check.h"
#include "core/clock.h"
#include "core/limit.h"
#include "core/log.h"
#include "core/mem.h"
#include "schemas/suspect.h"

enum {
    CAREFUL_RECORDS = 100, /* a round, for each partition: the root of 8000 or so, so that the notes
                              for many and then for one are as few as can be, 1 to 3 ms each */
    NAME_BYTES = 64,
};

#define LEFT STR("left")

struct part { /* a partition that is mine */
    char *topic;
    int32_t partition;
    int64_t committed; /* by the group */
    bool tried;
    int64_t until;           /* below it records are tried */
    struct suspect among;    /* what owners before died of is in it */
    int64_t deaths;          /* of what is not: 1, where nobody knows of what the last one died */
    struct suspect round;    /* of the round at hand */
    int64_t poison;          /* a record that processes have ended at often enough; -1: none */
    char thing[NAME_BYTES];  /* ... or that; empty: none */
    struct skip_list *skips; /* of its topic */
};

struct suspects {
    struct suspects_config config;
    struct part *parts;
    size_t count;
    bool fresh;                      /* what those before have left has not been read */
    int64_t until_mono_ms;           /* till then, whatever is read */
    struct skip_list *skips;         /* by topic */
    struct kafka_consumer *consumer; /* of the round at hand; NULL: it is none that is tried */
    struct part *single;             /* whose note is of one thing; NULL: none is */
};

struct suspects *suspects_new(const struct suspects_config *config)
{
    struct suspects *t;

    if (config->skips == NULL)
        return NULL;
    t = MEM_NEW(struct suspects);
    t->config = *config;
    t->skips = mem_alloc(config->topic_count * sizeof *t->skips);
    return t;
}

static void forget_parts(struct suspects *t)
{
    for (size_t i = 0; i < t->count; i++)
        mem_free(t->parts[i].topic);
    mem_free(t->parts);
    t->parts = NULL;
    t->count = 0;
}

void suspects_free(struct suspects *t)
{
    if (t == NULL)
        return;
    forget_parts(t);
    for (size_t i = 0; i < t->config.topic_count; i++)
        skip_list_free(&t->skips[i]);
    mem_free(t->skips);
    mem_free(t);
}

static struct skip_list *skips_of(const struct suspects *t, const char *topic)
{
    for (size_t i = 0; i < t->config.topic_count; i++)
        if (strcmp(t->config.topics[i], topic) == 0)
            return &t->skips[i];
    return NULL;
}

void suspects_assigned(struct suspects *t, const struct kafka_partition *partitions, size_t count)
{
    if (t == NULL)
        return;
    forget_parts(t);
    t->parts = MEM_NEW_ARRAY(struct part, count);
    t->count = count;
    t->fresh = true;
    for (size_t i = 0; i < count; i++)
        t->parts[i] =
            (struct part){.topic = mem_copy_text(partitions[i].topic, strlen(partitions[i].topic)),
                          .partition = partitions[i].partition,
                          .committed = -1,
                          .among = SUSPECT_NOBODY,
                          .deaths = 1,
                          .poison = -1,
                          .skips = skips_of(t, partitions[i].topic)};
}

/* --- notes ---------------------------------------------------------------------------------------- */

static struct kafka_partition offset_of(const struct part *p)
{
    return (struct kafka_partition){p->topic, p->partition, p->committed};
}

enum notes {
    NOTES_LEFT,  /* those that are handed over in good order */
    NOTES_ROUND, /* what is in hand */
    NOTES_REST,  /* nothing is, and what is known of earlier deaths stays */
};

/* False: what stands beside its offset stays.  What has condemned something does until that is put aside,
 * and what is tried is not handed over in good order. */
static bool put_note(const struct part *p, enum notes which, struct buf *out)
{
    bool condemned = p->poison >= 0 || p->thing[0] != '\0';

    buf_clear(out);
    switch (which) {
    case NOTES_LEFT: buf_put(out, LEFT); return !p->tried;
    case NOTES_ROUND: suspect_put(out, &p->round); return p->tried && !condemned;
    case NOTES_REST: suspect_put(out, &p->among); return !condemned;
    }
    CHECK_NEVER("notes of no kind");
}

static enum err_code note_all(const struct suspects *t, struct kafka_consumer *consumer,
                              enum notes which, struct err *err)
{
    struct kafka_partition *offsets = MEM_NEW_ARRAY(struct kafka_partition, t->count + 1);
    struct str *notes = MEM_NEW_ARRAY(struct str, t->count + 1);
    struct arena *arena = arena_new(0);
    struct buf text = {0};
    enum err_code code;
    size_t count = 0;

    for (size_t i = 0; i < t->count; i++) {
        if (t->parts[i].committed < 0 || !put_note(&t->parts[i], which, &text))
            continue;
        notes[count] = arena_str(arena, buf_str(&text));
        offsets[count++] = offset_of(&t->parts[i]);
    }
    code = kafka_consumer_commit_notes(consumer, offsets, notes, count, err);
    buf_free(&text);
    arena_free(arena);
    mem_free(offsets);
    mem_free(notes);
    return code;
}

static void tell(const struct suspects *t, enum err_code code, const struct err *why)
{
    if (code != ERR_NONE)
        log_debug(t->config.part, "a note could not be written", LOG_TEXT("reason", why->text),
                  LOG_END);
}

static void note(struct suspects *t, const struct part *p, const struct suspect *s)
{
    const struct kafka_partition offset = offset_of(p);
    struct buf text = {0};
    struct err why = {0};
    struct str note;

    suspect_put(&text, s);
    note = buf_str(&text);
    tell(t, kafka_consumer_commit_notes(t->consumer, &offset, &note, 1, &why), &why);
    buf_free(&text);
}

/* What is tried and not done yet is left as it stands: the next owner goes on with it. */
void suspects_revoked(struct suspects *t, struct kafka_consumer *consumer)
{
    if (t == NULL)
        return;
    if (consumer != NULL && !t->fresh)
        note_all(t, consumer, NOTES_LEFT, NULL);
    forget_parts(t);
}

/* --- new partitions ------------------------------------------------------------------------------- */

/* The name of a thing that is too long was none of ours. */
static void condemn(struct part *p, const struct suspect *said)
{
    if (said->timer.len == 0)
        p->poison = said->from;
    else if (said->timer.len < sizeof p->thing)
        memcpy(p->thing, said->timer.data, said->timer.len);
}

static void judge(const struct suspects *t, struct part *p, struct str text)
{
    struct suspect said;

    if (!suspect_read(text, &said) || !suspect_died(&said, p->committed) ||
        (suspect_is_one(&said) && said.timer.len == 0 &&
         skip_list_has(p->skips, p->partition, said.from)))
        return;
    p->deaths = said.among; /* of another thing, or it is this one */
    log_warn(t->config.part, "the process that had this in hand has ended",
             LOG_TEXT("topic", p->topic), LOG_INT("partition", p->partition),
             LOG_INT("offset", said.from), LOG_INT("to", said.to), LOG_STR("what", said.timer),
             LOG_INT("deaths", said.deaths), LOG_END);
    if (suspect_is_poison(&said)) {
        condemn(p, &said);
        return;
    }
    p->among = said;
    p->among.among = true;
    p->among.timer = STR_EMPTY;
}

/* Nothing committed yet: from now on the beginning is, so that a note can stand beside it. */
static enum err_code look_at(const struct suspects *t, struct kafka_consumer *consumer,
                             struct part *p, int64_t committed, struct str text, struct err *err)
{
    int64_t first, end;
    enum err_code code = kafka_consumer_bounds(consumer, p->topic, p->partition, &first, &end, err);

    if (code != ERR_NONE)
        return code;
    p->committed = committed >= 0 ? committed : first;
    if (committed < 0 || str_equal(text, LEFT))
        return ERR_NONE;
    p->until =
        end < p->committed + t->config.in_hand_max ? end : p->committed + t->config.in_hand_max;
    p->tried = p->until > p->committed || t->config.careful_ms != 0;
    judge(t, p, text);
    return ERR_NONE;
}

static enum err_code read_skips(struct suspects *t, struct err *err)
{
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < t->config.topic_count && code == ERR_NONE; i++)
        code =
            t->config.skips->read(t->config.skips->context, t->config.topics[i], &t->skips[i], err);
    return code;
}

static enum err_code read_notes(struct suspects *t, struct kafka_consumer *consumer,
                                struct err *err)
{
    struct kafka_partition *offsets = MEM_NEW_ARRAY(struct kafka_partition, t->count + 1);
    struct str *notes = MEM_NEW_ARRAY(struct str, t->count + 1);
    struct arena *arena = arena_new(0);
    enum err_code code;

    for (size_t i = 0; i < t->count; i++)
        offsets[i] = offset_of(&t->parts[i]);
    code = kafka_consumer_notes(consumer, offsets, t->count, arena, notes, err);
    for (size_t i = 0; i < t->count && code == ERR_NONE; i++)
        code = look_at(t, consumer, &t->parts[i], offsets[i].offset, notes[i], err);
    arena_free(arena);
    mem_free(offsets);
    mem_free(notes);
    return code;
}

/* Those that are tried keep their note until another one takes its place. */
enum err_code suspects_look(struct suspects *t, struct kafka_consumer *consumer, struct err *err)
{
    enum err_code code;

    if (t == NULL || !t->fresh || t->count == 0)
        return ERR_NONE;
    code = read_skips(t, err);
    if (code == ERR_NONE)
        code = read_notes(t, consumer, err);
    if (code == ERR_NONE)
        code = note_all(t, consumer, NOTES_REST, err);
    t->fresh = code != ERR_NONE;
    t->until_mono_ms = clock_mono_ms() + t->config.careful_ms;
    return code;
}

/* --- a round -------------------------------------------------------------------------------------- */

static bool is_among(const struct part *p, int64_t offset)
{
    return p->tried && offset >= p->among.from && offset < p->among.to;
}

/* All that it may have been is done. */
static void end_care(const struct suspects *t, struct part *p)
{
    if (p->tried && p->committed >= p->until && clock_mono_ms() >= t->until_mono_ms)
        p->tried = false;
}

static bool any_is_among(const struct suspects *t)
{
    for (size_t i = 0; i < t->count; i++)
        if (is_among(&t->parts[i], t->parts[i].committed))
            return true;
    return false;
}

/* A note of all partitions takes no longer than that of one. */
size_t suspects_records(const struct suspects *t, size_t max, size_t one)
{
    size_t careful = 0;

    if (t == NULL)
        return max;
    if (t->fresh || any_is_among(t)) /* fresh: it is not known yet */
        return one < max ? one : max;
    for (size_t i = 0; i < t->count; i++)
        careful += t->parts[i].tried ? CAREFUL_RECORDS : 0;
    return careful != 0 && careful < max ? careful : max;
}

static struct part *part_at(const struct suspects *t, struct str topic, int32_t partition)
{
    for (size_t i = 0; t != NULL && i < t->count; i++)
        if (t->parts[i].partition == partition && str_is(topic, t->parts[i].topic))
            return &t->parts[i];
    return NULL;
}

/* What of it is in this round; without records, what it has to do besides. */
static void measure(struct part *p, const struct record *records, size_t count)
{
    p->round = (struct suspect){.from = p->committed, .to = p->committed + 2};
    for (size_t i = 0; i < count; i++)
        if (records[i].partition == p->partition && str_is(records[i].topic, p->topic) &&
            records[i].offset >= p->round.to)
            p->round.to = records[i].offset + 1;
    p->round.deaths = p->deaths;
    if (!is_among(p, p->committed))
        return;
    p->round.deaths = p->among.deaths;
    p->round.to = p->round.to > p->among.to ? p->round.to : p->among.to;
}

void suspects_begin(struct suspects *t, struct kafka_consumer *consumer,
                    const struct record *records, size_t count)
{
    struct err why = {0};
    bool any = false;

    for (size_t i = 0; t != NULL && i < t->count; i++) {
        any |= t->parts[i].tried;
        measure(&t->parts[i], records, count);
    }
    if (!any)
        return;
    alone_begin();
    t->consumer = consumer;
    tell(t, note_all(t, consumer, NOTES_ROUND, &why), &why);
}

/* It is done; its partition has all of the round in hand. */
static void take_back(struct suspects *t)
{
    if (t->single != NULL)
        note(t, t->single, &t->single->round);
    t->single = NULL;
}

/* If it is one of those among which the killer is. */
static void note_one(struct suspects *t, struct part *p, int64_t offset, struct str name)
{
    const struct suspect s = {
        .from = offset, .to = offset + 1, .deaths = p->among.deaths, .timer = name};

    if (t->single != p || !is_among(p, offset))
        take_back(t);
    if (!is_among(p, offset))
        return;
    t->single = p;
    note(t, p, &s);
}

enum suspects_verdict suspects_record(struct suspects *t, const struct record *record)
{
    struct part *p = part_at(t, record->topic, record->partition);

    if (p == NULL)
        return SUSPECTS_TAKE;
    if (skip_list_has(p->skips, record->partition, record->offset))
        return SUSPECTS_PASS;
    if (p->poison == record->offset)
        return SUSPECTS_POISON;
    if (t->consumer != NULL)
        note_one(t, p, record->offset, STR_EMPTY);
    return SUSPECTS_TAKE;
}

void suspects_thing(struct suspects *t, const char *topic, int32_t partition, struct str name)
{
    struct part *p = part_at(t, str_of(topic), partition);

    if (p != NULL && t->consumer != NULL)
        note_one(t, p, p->committed, name);
}

struct str suspects_poison(const struct suspects *t, const char *topic, int32_t partition)
{
    const struct part *p = part_at(t, str_of(topic), partition);

    return p != NULL ? str_of(p->thing) : STR_EMPTY;
}

/* Where nothing was read, care ends with its time. */
void suspects_end(struct suspects *t)
{
    struct err why = {0};

    if (t == NULL || t->consumer == NULL)
        return;
    t->single = NULL;
    tell(t, note_all(t, t->consumer, NOTES_REST, &why), &why);
    for (size_t i = 0; i < t->count; i++)
        end_care(t, &t->parts[i]);
    t->consumer = NULL;
    alone_end();
}

struct record suspects_skip(const struct suspects *t, const struct record *record, int64_t now_ms,
                            struct arena *arena)
{
    const struct skip skip = {.spot = spot_of(record),
                              .reason = STR(SKIP_REASON_POISON),
                              .step = str_of(t->config.part),
                              .deaths = LIMIT_POISON_DEATHS,
                              .at_ms = now_ms};
    struct buf key = {0}, value = {0};
    struct record out = {
        .topic = str_of(t->config.rules_topic), .partition = -1, .timestamp_ms = now_ms};

    skip_put_key(&key, &skip);
    skip_put_value(&value, &skip);
    out.key = arena_str(arena, buf_str(&key));
    out.value = arena_str(arena, buf_str(&value));
    buf_free(&key);
    buf_free(&value);
    return out;
}

void suspects_committed(struct suspects *t, const struct kafka_partition *offsets, size_t count)
{
    for (size_t i = 0; t != NULL && i < count; i++) {
        struct part *p = part_at(t, str_of(offsets[i].topic), offsets[i].partition);

        if (p == NULL)
            continue;
        p->committed = offsets[i].offset;
        p->thing[0] = '\0';
        if (p->committed > p->poison)
            p->poison = -1;
        end_care(t, p);
    }
}
