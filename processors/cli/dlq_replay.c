#include "processors/cli/dlq_replay.h"

#include <string.h>

#include "core/clock.h"
#include "core/fail_point.h"
#include "core/mem.h"
#include "processors/cli/scan.h"
#include "schemas/binding.h"
#include "schemas/chain.h"
#include "schemas/control.h"
#include "schemas/skip.h"
#include "schemas/task.h"

enum { TRANSACTION_LETTERS = 200 };

/* --- one letter --------------------------------------------------------------------------------- */

struct dlq_way dlq_way_of(const struct record *record, const struct letter *letter,
                          const char *identify_topic)
{
    struct dlq_way way = {letter->from.topic, letter->from.partition, NULL};
    bool poison = str_is(letter->reason, SKIP_REASON_POISON);

    if (letter->cut.len != 0)
        way.stays = "a part of the record did not fit into the dead letter";
    else if (record_header(record, STR(CONTROL_HEADER)).len != 0)
        way.stays = "a control record counts only where it stood";
    else if (str_is(letter->part, "attent-identify") && !poison)
        way = (struct dlq_way){str_of(identify_topic), -1, NULL}; /* it had passed ingest */
    else if (str_is(letter->reason, SKIP_REASON_TIMER))
        way.stays = "a timer is no record";
    else if (str_is(letter->part, "attent-dispatch") && poison &&
             str_is(record_header(record, STR("ce_type")), TASK_CE_TYPE))
        way.stays = "its task has failed, and decide knows that";
    else if (letter->from.topic.len == 0)
        way.stays = "it does not say which topic it came from";
    return way;
}

static bool is_of_outputs(struct str name)
{
    return str_is(name, CHAIN_FROM_HEADER) || str_is(name, CHAIN_SEQ_HEADER) ||
           str_is(name, CHAIN_HASH_HEADER);
}

struct record dlq_record_again(const struct record *record, const struct letter *letter,
                               const struct dlq_way *way, struct arena *arena)
{
    struct header *headers = ARENA_ARRAY(arena, struct header, letter->header_count + 1);
    struct record out = *record;
    size_t count = 0;

    for (size_t i = 0; i < letter->header_count; i++)
        if (!is_of_outputs(record->headers[i].name))
            headers[count++] = record->headers[i];
    if (str_is(letter->part, "attent-identify") &&
        record_header(record, STR(IDENTIFY_HEADER)).len == 0) /* of an earlier release */
        headers[count++] =
            (struct header){STR(IDENTIFY_HEADER), str_of(identify_kind_text(IDENTIFY_EVENT))};
    out.topic = way->topic;
    out.partition = way->partition;
    out.timestamp_ms = letter->timestamp_ms;
    out.headers = headers;
    out.header_count = count;
    return out;
}

/* --- many --------------------------------------------------------------------------------------- */

struct sending {
    const struct dlq_replay *replay;
    struct dlq_letters letters;
    struct dlq_replayed *out;
    struct kafka_producer *producer;
    struct arena *arena;
    size_t total; /* to be sent */
    size_t open;  /* in the open transaction */
    struct {
        char *topic;
        int partitions;
    } known[8]; /* topics that letters go to */
    size_t known_count;
};

static void note_stay(struct dlq_replayed *out, const char *why)
{
    size_t i = 0, room = sizeof out->stayed / sizeof out->stayed[0];

    while (i < out->stayed_count && strcmp(out->stayed[i].why, why) != 0)
        i++;
    if (i == room)
        return;
    if (i == out->stayed_count)
        out->stayed[out->stayed_count++].why = why;
    out->stayed[i].count++;
}

/* Its topic has to be there; a partition that it has no more is the key's. */
static enum err_code settle_partition(struct sending *s, struct dlq_way *way, struct err *err)
{
    struct str name = arena_str(s->arena, way->topic);
    int partitions = 0;
    enum err_code code = ERR_NONE;
    size_t i = 0;

    while (i < s->known_count && !str_is(way->topic, s->known[i].topic))
        i++;
    if (i < s->known_count) {
        partitions = s->known[i].partitions;
    } else {
        code = kafka_topic_partitions(s->replay->kafka, name.data, &partitions, err);
        if (code == ERR_NONE && i < sizeof s->known / sizeof s->known[0]) {
            s->known[i].topic = mem_copy_text(name.data, name.len);
            s->known[i].partitions = partitions;
            s->known_count++;
        }
    }
    if (code == ERR_NONE && partitions == 0)
        way->stays = "its topic is not there any more";
    if (way->partition >= partitions)
        way->partition = -1;
    return code;
}

/* An entry that is to be sent, and the way that it takes; false: it is not. */
static enum err_code choose(struct sending *s, const struct record *record, struct letter *letter,
                            struct dlq_way *way, bool *chosen, struct err *err)
{
    const struct dlq_entry *entry =
        dlq_letters_find(&s->letters, record->partition, record->offset);
    enum err_code code;

    *chosen = false;
    if (entry == NULL || entry->replayed || !letter_read(record, letter))
        return ERR_NONE;
    if (str_is(letter->reason, SKIP_REASON_POISON) && s->replay->filter->reason == NULL &&
        s->replay->filter->at.topic.len == 0) {
        s->out->poison++;
        return ERR_NONE;
    }
    *way = dlq_way_of(record, letter, s->replay->identify_topic);
    code = way->stays == NULL ? settle_partition(s, way, err) : ERR_NONE;
    if (way->stays != NULL)
        note_stay(s->out, way->stays);
    *chosen = code == ERR_NONE && way->stays == NULL;
    return code;
}

static enum err_code count_one(void *context, const struct record *record, struct err *err)
{
    struct sending *s = context;
    struct letter letter;
    struct dlq_way way;
    bool chosen;
    enum err_code code;

    arena_reset(s->arena);
    code = choose(s, record, &letter, &way, &chosen, err);
    s->total += chosen;
    return code;
}

static struct record mark_of(const struct sending *s, const struct record *record,
                             const struct letter *letter, const struct dlq_way *way)
{
    struct header *headers = ARENA_ARRAY(s->arena, struct header, 3);
    const struct spot spot = spot_of(record);
    struct buf text = {0};

    spot_put(&text, &spot);
    headers[0] = (struct header){STR(LETTER_REPLAYED), arena_str(s->arena, buf_str(&text))};
    headers[1] = (struct header){STR(LETTER_REPLAYED_TO), way->topic};
    headers[2] = (struct header){STR("attent-reason"), letter->reason};
    buf_free(&text);
    return (struct record){.topic = record->topic,
                           .partition = record->partition,
                           .timestamp_ms = clock_wall_ms(),
                           .key = record->key,
                           .headers = headers,
                           .header_count = 3};
}

static enum err_code commit(struct sending *s, struct err *err)
{
    bool fatal;
    enum err_code code;

    if (s->open == 0)
        return ERR_NONE;
    code = kafka_commit(s->producer, NULL, NULL, 0, &fatal, err);
    if (code == ERR_NONE) {
        s->out->sent += s->open;
        s->replay->progress(s->replay->context, s->letters.topic, s->out->sent, s->total);
    }
    s->open = 0;
    return code;
}

static enum err_code send_one(void *context, const struct record *record, struct err *err)
{
    struct sending *s = context;
    struct record again, mark;
    struct letter letter;
    struct dlq_way way;
    bool chosen;
    enum err_code code;

    arena_reset(s->arena);
    code = choose(s, record, &letter, &way, &chosen, err);
    if (code != ERR_NONE || !chosen)
        return code;
    if (s->open == 0)
        code = kafka_begin(s->producer, err);
    again = dlq_record_again(record, &letter, &way, s->arena);
    mark = mark_of(s, record, &letter, &way);
    if (code == ERR_NONE)
        code = kafka_produce(s->producer, &again, err);
    if (code == ERR_NONE)
        code = kafka_produce(s->producer, &mark, err);
    FAIL_POINT_MEET("dlq", record);
    s->open++;
    return code == ERR_NONE && s->open == TRANSACTION_LETTERS ? commit(s, err) : code;
}

static enum err_code scan(struct sending *s,
                          enum err_code (*record)(void *, const struct record *, struct err *),
                          struct err *err)
{
    struct scan scanned = {.kafka = s->replay->kafka,
                           .topic = s->letters.topic,
                           .partition = SCAN_ALL,
                           .context = s,
                           .record = record};

    s->out->stayed_count = s->out->poison = 0;
    memset(s->out->stayed, 0, sizeof s->out->stayed);
    return s->letters.count != 0 ? scan_topic(&scanned, err) : ERR_NONE;
}

static enum err_code send_all(struct sending *s, struct err *err)
{
    enum err_code code;
    bool fatal;

    if (!s->replay->may(s->replay->context, s->letters.topic, s->total)) {
        s->out->refused = true;
        return ERR_NONE;
    }
    code = scan(s, send_one, err);
    if (code == ERR_NONE)
        code = commit(s, err);
    else if (s->open > 0)
        kafka_abort(s->producer, &fatal, NULL);
    return code;
}

enum err_code dlq_replay_topic(const struct dlq_replay *replay, const char *topic,
                               struct dlq_replayed *out, struct err *err)
{
    struct sending s = {.replay = replay, .out = out, .arena = arena_new(0)};
    struct arena *arena = arena_new(0);
    struct str id = arena_format(arena, "%s-%s", replay->id, topic);
    enum err_code code = ERR_NONE;

    *out = (struct dlq_replayed){0};
    if (!replay->dry) /* before the marks are read: nobody else writes any from now on */
        code = kafka_producer_open(replay->kafka, id.data, &s.producer, err);
    if (code == ERR_NONE)
        code = dlq_letters_read(replay->kafka, topic, replay->filter, arena, &s.letters, err);
    for (size_t i = 0; i < s.letters.kind_count; i++)
        out->before += s.letters.kinds[i].replayed;
    if (code == ERR_NONE)
        code = scan(&s, count_one, err);
    if (code == ERR_NONE && replay->dry)
        out->sent = s.total;
    else if (code == ERR_NONE && s.total > 0)
        code = send_all(&s, err);
    kafka_producer_close(s.producer);
    for (size_t i = 0; i < s.known_count; i++)
        mem_free(s.known[i].topic);
    dlq_letters_free(&s.letters);
    arena_free(s.arena);
    arena_free(arena);
    return code;
}
