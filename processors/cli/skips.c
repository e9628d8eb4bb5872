#include "processors/cli/skips.h"

#include <inttypes.h>

#include "core/clock.h"
#include "processors/cli/config.h"
#include "processors/cli/scan.h"

struct skips {
    struct skip_store store;
    struct kafka_settings kafka;
    const char *rules;
    const char *id; /* what transactional ids begin with */
};

/* --- reading ------------------------------------------------------------------------------------ */

struct reading {
    struct arena *arena;
    struct str topic;
    struct skip_list *list;
};

static enum err_code take(void *context, const struct record *record, struct err *err)
{
    struct reading *r = context;
    struct skip skip;

    (void)err;
    arena_reset(r->arena);
    if (skip_read(record, r->arena, &skip) && str_equal(skip.spot.topic, r->topic))
        skip_list_take(r->list, &skip);
    return ERR_NONE;
}

static enum err_code read_skips(void *context, const char *topic, struct skip_list *out,
                                struct err *err)
{
    const struct skips *s = context;
    struct reading reading = {arena_new(0), str_of(topic), out};
    struct scan scan = {.kafka = &s->kafka,
                        .topic = s->rules,
                        .partition = SCAN_ALL,
                        .context = &reading,
                        .record = take};
    enum err_code code = scan_topic(&scan, err);

    arena_free(reading.arena);
    return code;
}

/* --- writing ------------------------------------------------------------------------------------ */

static enum err_code is_there(const struct skips *s, const struct skip *skip, struct arena *arena,
                              bool *there, struct err *err)
{
    struct skip_list list = {0};
    enum err_code code =
        read_skips((void *)(uintptr_t)s, arena_str(arena, skip->spot.topic).data, &list, err);

    *there = code == ERR_NONE && skip_list_knows(&list, skip);
    skip_list_free(&list);
    return code;
}

static enum err_code write_both(const struct skips *s, struct kafka_producer *producer,
                                const struct skip *skip, const struct record *letter,
                                struct err *err)
{
    struct buf key = {0}, value = {0};
    struct record record = {.topic = str_of(s->rules), .partition = -1};
    enum err_code code;
    bool fatal;

    skip_put_key(&key, skip);
    skip_put_value(&value, skip);
    record.key = buf_str(&key);
    record.value = buf_str(&value);
    record.timestamp_ms = clock_wall_ms();
    code = kafka_begin(producer, err);
    if (code == ERR_NONE) {
        code = kafka_produce(producer, &record, err);
        if (code == ERR_NONE)
            code = kafka_produce(producer, letter, err);
        if (code == ERR_NONE)
            code = kafka_commit(producer, NULL, NULL, 0, &fatal, err);
        else
            kafka_abort(producer, &fatal, NULL);
    }
    buf_free(&key);
    buf_free(&value);
    return code;
}

/* The producer is opened first: that ends the transaction of whoever was at it. */
static enum err_code add(void *context, const struct skip *skip, const struct record *letter,
                         struct err *err)
{
    const struct skips *s = context;
    struct arena *arena = arena_new(0);
    struct str id =
        arena_format(arena, "%s-%.*s-%" PRId32 "-%" PRId64, s->id, STR_ARG(skip->spot.topic),
                     skip->spot.partition, skip->spot.offset);
    struct kafka_producer *producer = NULL;
    bool there = false;
    enum err_code code = kafka_producer_open(&s->kafka, id.data, &producer, err);

    if (code == ERR_NONE)
        code = is_there(s, skip, arena, &there, err);
    if (code == ERR_NONE && !there)
        code = write_both(s, producer, skip, letter, err);
    kafka_producer_close(producer);
    arena_free(arena);
    return code;
}

const struct skip_store *skips_of(const struct conf *conf, struct arena *arena)
{
    struct skips *s = ARENA_NEW(arena, struct skips);

    s->kafka = config_kafka(conf, "skips", arena);
    s->rules = config_topics(conf, arena).rules;
    s->id = config_group(conf, "skip", arena);
    s->store = (struct skip_store){.context = s, .read = read_skips, .add = add};
    return &s->store;
}
