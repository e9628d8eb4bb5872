/* A note is a commit of offsets, which takes longer than a thousand records do.  So where much has
 * gathered, a round has one note a partition, and only who comes after a death under such a note
 * writes one for each of its records.
 */
#include "processors/ingest/suspects.h"

#include "core/alone.h"
#include "core/limit.h"
#include "core/log.h"
#include "core/mem.h"
#include "schemas/suspect.h"

enum {
    SINGLE_RECORDS = 20,    /* of a round that has a note for each: a transaction has 10 s */
    CAREFUL_RECORDS = 500,  /* of one that has one for all: so many may be tried singly later */
    IN_HAND_RECORDS = 2000, /* that an owner may have had: a round (ingest.c) */
};

#define LEFT STR("left")

struct part { /* a partition that is mine */
    char *topic;
    int32_t partition;
    int64_t committed;       /* by the group */
    int64_t until;           /* below it records are tried; 0: none are */
    int64_t one_by_one;      /* below it each has a note of its own */
    struct suspect noted;    /* of the round at hand; from -1: nothing */
    struct suspect suspect;  /* that processes have died of; from -1: none */
    bool poison;             /* ... often enough */
    struct skip_list *skips; /* of its topic */
};

struct skips { /* of a source */
    const char *topic;
    struct skip_list list;
};

struct suspects {
    const struct ingest_config *config;
    struct part *parts;
    size_t count;
    bool fresh;                      /* what those before have left has not been read */
    struct skips *skips;             /* by source */
    struct kafka_consumer *consumer; /* of the round at hand; NULL: it is none that is tried */
    bool singly;                     /* its records have notes of their own */
};

#define NOTHING ((struct suspect){-1, -1, 0})

struct suspects *suspects_new(const struct ingest_config *config)
{
    struct suspects *t;

    if (config->skips == NULL)
        return NULL;
    t = MEM_NEW(struct suspects);
    t->config = config;
    t->skips = mem_alloc(config->source_count * sizeof *t->skips);
    for (size_t i = 0; i < config->source_count; i++)
        t->skips[i].topic = config->sources[i].topic;
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
    for (size_t i = 0; i < t->config->source_count; i++)
        skip_list_free(&t->skips[i].list);
    mem_free(t->skips);
    mem_free(t);
}

static struct skip_list *skips_of(const struct suspects *t, const char *topic)
{
    for (size_t i = 0; i < t->config->source_count; i++)
        if (strcmp(t->skips[i].topic, topic) == 0)
            return &t->skips[i].list;
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
                          .noted = NOTHING,
                          .suspect = NOTHING,
                          .skips = skips_of(t, partitions[i].topic)};
}

/* --- notes ---------------------------------------------------------------------------------------- */

static struct kafka_partition offset_of(const struct part *p)
{
    return (struct kafka_partition){p->topic, p->partition, p->committed};
}

/* The same text beside all offsets that are known. */
static enum err_code note_all(struct suspects *t, struct kafka_consumer *consumer, struct str text,
                              bool sound_only, struct err *err)
{
    struct kafka_partition *offsets = MEM_NEW_ARRAY(struct kafka_partition, t->count + 1);
    struct str *notes = MEM_NEW_ARRAY(struct str, t->count + 1);
    enum err_code code;
    size_t count = 0;

    for (size_t i = 0; i < t->count; i++) {
        if (t->parts[i].committed < 0 || (sound_only && t->parts[i].until != 0))
            continue;
        notes[count] = text;
        offsets[count++] = offset_of(&t->parts[i]);
    }
    code = kafka_consumer_commit_notes(consumer, offsets, notes, count, err);
    mem_free(offsets);
    mem_free(notes);
    return code;
}

/* What is noted of each partition of the round now; a note that cannot be written is none. */
static void note_round(struct suspects *t)
{
    struct kafka_partition *offsets = MEM_NEW_ARRAY(struct kafka_partition, t->count + 1);
    struct str *notes = MEM_NEW_ARRAY(struct str, t->count + 1);
    struct arena *arena = arena_new(0);
    struct buf text = {0};
    struct err why = {0};
    size_t count = 0;

    for (size_t i = 0; i < t->count; i++) {
        if (t->parts[i].until == 0)
            continue;
        buf_clear(&text);
        if (t->parts[i].noted.from >= 0)
            suspect_put(&text, &t->parts[i].noted);
        notes[count] = arena_str(arena, buf_str(&text));
        offsets[count++] = offset_of(&t->parts[i]);
    }
    if (kafka_consumer_commit_notes(t->consumer, offsets, notes, count, &why) != ERR_NONE)
        log_debug("ingest", "a note could not be written", LOG_TEXT("reason", why.text), LOG_END);
    buf_free(&text);
    arena_free(arena);
    mem_free(offsets);
    mem_free(notes);
}

static void forget_notes(struct suspects *t)
{
    for (size_t i = 0; i < t->count; i++)
        t->parts[i].noted = NOTHING;
}

/* What is tried and not done yet is left as it stands: the next owner goes on with it. */
void suspects_revoked(struct suspects *t, struct kafka_consumer *consumer)
{
    if (t == NULL)
        return;
    if (consumer != NULL && !t->fresh)
        note_all(t, consumer, LEFT, true, NULL);
    forget_parts(t);
}

/* --- new partitions ------------------------------------------------------------------------------- */

static void judge(struct part *p, struct str text)
{
    struct suspect said;
    int64_t deaths;

    if (!suspect_read(text, &said) || !suspect_is_alive(&said, p->committed, &deaths) ||
        skip_list_has(p->skips, p->partition, said.from))
        return;
    p->one_by_one = said.to < p->until ? said.to : p->until;
    if (deaths == 0)
        return;
    p->suspect = (struct suspect){said.from, said.to, deaths};
    p->poison = deaths + 1 >= LIMIT_POISON_DEATHS;
    log_warn("ingest", "the process that had this record in hand has ended",
             LOG_TEXT("topic", p->topic), LOG_INT("partition", p->partition),
             LOG_INT("offset", said.from), LOG_INT("deaths", deaths + 1), LOG_END);
}

/* Nothing committed yet: from now on the beginning is, so that a note can stand beside it. */
static enum err_code look_at(struct kafka_consumer *consumer, struct part *p, int64_t committed,
                             struct str text, struct err *err)
{
    int64_t first, end;
    enum err_code code = kafka_consumer_bounds(consumer, p->topic, p->partition, &first, &end, err);

    if (code != ERR_NONE)
        return code;
    p->committed = committed >= 0 ? committed : first;
    if (committed < 0 || str_equal(text, LEFT) || end <= p->committed)
        return ERR_NONE;
    p->until = end < p->committed + IN_HAND_RECORDS ? end : p->committed + IN_HAND_RECORDS;
    judge(p, text);
    return ERR_NONE;
}

static enum err_code read_skips(struct suspects *t, struct err *err)
{
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < t->config->source_count && code == ERR_NONE; i++)
        code = t->config->skips->read(t->config->skips->context, t->skips[i].topic,
                                      &t->skips[i].list, err);
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
        code = look_at(consumer, &t->parts[i], offsets[i].offset, notes[i], err);
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
        code = note_all(t, consumer, STR_EMPTY, true, err);
    t->fresh = code != ERR_NONE;
    return code;
}

/* --- a round -------------------------------------------------------------------------------------- */

static bool is_tried(const struct suspects *t)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->parts[i].until != 0)
            return true;
    return false;
}

static bool any_one_by_one(const struct suspects *t)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->parts[i].committed < t->parts[i].one_by_one)
            return true;
    return false;
}

size_t suspects_records(const struct suspects *t, size_t max)
{
    size_t most = max;

    if (t != NULL && (t->fresh || any_one_by_one(t)))
        most = SINGLE_RECORDS;
    else if (t != NULL && is_tried(t))
        most = CAREFUL_RECORDS;
    return most < max ? most : max;
}

static struct part *part_of(struct suspects *t, const struct record *record)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->parts[i].partition == record->partition && str_is(record->topic, t->parts[i].topic))
            return &t->parts[i];
    return NULL;
}

/* How many are to be tried; each partition's are noted as one, to begin with. */
static size_t gather_notes(struct suspects *t, const struct record *records, size_t count)
{
    size_t tried = 0;

    forget_notes(t);
    for (size_t i = 0; i < count; i++) {
        struct part *p = part_of(t, &records[i]);

        if (p == NULL || records[i].offset >= p->until)
            continue;
        if (p->noted.from < 0)
            p->noted.from = records[i].offset;
        p->noted.to = records[i].offset + 1;
        tried++;
    }
    return tried;
}

void suspects_begin(struct suspects *t, struct kafka_consumer *consumer,
                    const struct record *records, size_t count)
{
    size_t tried;

    if (t == NULL || !is_tried(t))
        return;
    tried = gather_notes(t, records, count);
    if (tried == 0)
        return;
    alone_begin();
    t->consumer = consumer;
    t->singly = tried <= SINGLE_RECORDS;
    if (t->singly)
        forget_notes(t);
    else
        note_round(t);
}

enum suspects_verdict suspects_record(struct suspects *t, const struct record *record)
{
    struct part *p;

    if (t == NULL)
        return SUSPECTS_TAKE;
    p = part_of(t, record);
    if (p == NULL)
        return SUSPECTS_TAKE;
    if (skip_list_has(p->skips, record->partition, record->offset))
        return SUSPECTS_PASS;
    if (p->suspect.from == record->offset && p->poison)
        return SUSPECTS_POISON;
    if (t->consumer == NULL || !t->singly || record->offset >= p->until)
        return SUSPECTS_TAKE;
    forget_notes(t); /* in the same commit: it alone is in hand */
    p->noted = (struct suspect){record->offset, record->offset + 1, 0};
    if (p->suspect.from == record->offset)
        p->noted.deaths = p->suspect.deaths;
    note_round(t);
    return SUSPECTS_TAKE;
}

void suspects_end(struct suspects *t)
{
    if (t == NULL || t->consumer == NULL)
        return;
    forget_notes(t);
    note_round(t);
    t->consumer = NULL;
    alone_end();
}

struct record suspects_skip(const struct suspects *t, const struct record *record, int64_t now_ms,
                            struct arena *arena)
{
    const struct skip skip = {.spot = spot_of(record),
                              .reason = STR(SKIP_REASON_POISON),
                              .step = STR("ingest"),
                              .deaths = LIMIT_POISON_DEATHS,
                              .at_ms = now_ms};
    struct buf key = {0}, value = {0};
    struct record out = {
        .topic = str_of(t->config->rules_topic), .partition = -1, .timestamp_ms = now_ms};

    skip_put_key(&key, &skip.spot);
    skip_put_value(&value, &skip);
    out.key = arena_str(arena, buf_str(&key));
    out.value = arena_str(arena, buf_str(&value));
    buf_free(&key);
    buf_free(&value);
    return out;
}

void suspects_committed(struct suspects *t, const struct kafka_partition *offsets, size_t count)
{
    for (size_t i = 0; t != NULL && i < count; i++)
        for (size_t k = 0; k < t->count; k++) {
            struct part *p = &t->parts[k];

            if (p->partition != offsets[i].partition || strcmp(p->topic, offsets[i].topic) != 0)
                continue;
            p->committed = offsets[i].offset;
            if (p->committed >= p->until)
                p->until = 0;
        }
}
