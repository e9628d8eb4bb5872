#include "tests/support/watch.h"

#include <check.h>

#include "core/arena.h"
#include "core/mem.h"
#include "tests/support/wait.h"

enum { POLL_MS = 50, RECORDS_PER_POLL = 512, END_MS_MAX = 60 * 1000, TOPIC_MS_MAX = 10 * 1000 };

struct watch {
    struct kafka_consumer *consumer;
    struct kafka_partition *partitions;
    size_t partition_count, partition_capacity;
    struct arena *arena; /* owns the bytes of all records */
    struct record **records;
    size_t count, capacity;
};

/* A topic that has just been created is known to the brokers a moment later. */
static int partitions_of(const struct kafka_settings *kafka, const char *topic)
{
    int64_t until_ms = wait_now_ms() + TOPIC_MS_MAX;
    struct err err = {0};
    int partitions = 0;

    while (partitions == 0) {
        ck_assert_msg(wait_now_ms() < until_ms, "there is no topic %s", topic);
        ck_assert_msg(kafka_topic_partitions(kafka, topic, &partitions, &err) == ERR_NONE, "%s",
                      err.text);
    }
    return partitions;
}

struct watch *watch_open(const struct kafka_settings *kafka, const char *const *topics)
{
    struct watch *w = MEM_NEW(struct watch);
    struct err err = {0};

    *w = (struct watch){.arena = arena_new(0)};
    for (const char *const *topic = topics; *topic != NULL; topic++) {
        int partitions = partitions_of(kafka, *topic);

        for (int p = 0; p < partitions; p++) {
            MEM_RESERVE(w->partitions, w->partition_count, w->partition_capacity);
            w->partitions[w->partition_count++] = (struct kafka_partition){
                arena_str(w->arena, str_of(*topic)).data, p, KAFKA_OFFSET_BEGIN};
        }
    }
    ck_assert_msg(kafka_consumer_open_alone(kafka, w->partitions, w->partition_count, &w->consumer,
                                            &err) == ERR_NONE,
                  "%s", err.text);
    return w;
}

void watch_close(struct watch *w)
{
    if (w == NULL)
        return;
    kafka_consumer_close(w->consumer);
    arena_free(w->arena);
    mem_free(w->partitions);
    mem_free(w->records);
    mem_free(w);
}

/* No key is not an empty key, no value not an empty value. */
static struct str keep_text(struct watch *w, struct str s)
{
    return s.data != NULL ? arena_str(w->arena, s) : STR_EMPTY;
}

static void keep(struct watch *w, const struct record *from)
{
    struct record *to = ARENA_NEW(w->arena, struct record);
    struct header *headers = ARENA_ARRAY(w->arena, struct header, from->header_count + 1);

    for (size_t i = 0; i < from->header_count; i++)
        headers[i] = (struct header){keep_text(w, from->headers[i].name),
                                     keep_text(w, from->headers[i].value)};
    *to = *from;
    to->topic = keep_text(w, from->topic);
    to->key = keep_text(w, from->key);
    to->value = keep_text(w, from->value);
    to->headers = headers;
    MEM_RESERVE(w->records, w->count, w->capacity);
    w->records[w->count++] = to;
}

void watch_poll(struct watch *w, int timeout_ms)
{
    struct record records[RECORDS_PER_POLL];
    struct err err = {0};
    enum err_code code;
    size_t count = 0;

    code = kafka_consumer_poll(w->consumer, timeout_ms, records, RECORDS_PER_POLL, &count, &err);
    ck_assert_msg(code != ERR_STATE, "%s",
                  err.text); /* what else there is, a broker away, passes */
    for (size_t i = 0; i < count; i++)
        keep(w, &records[i]);
    kafka_consumer_release(w->consumer);
}

static bool is_at_end(const struct watch *w)
{
    bool end = true;

    for (size_t i = 0; i < w->partition_count; i++)
        end = end && kafka_consumer_at_end(w->consumer, w->partitions[i].topic,
                                           w->partitions[i].partition);
    return end;
}

void watch_to_end(struct watch *w)
{
    int64_t until_ms = wait_now_ms() + END_MS_MAX;

    while (!is_at_end(w)) {
        ck_assert_msg(wait_now_ms() < until_ms, "topics are not read to their end after %d s",
                      END_MS_MAX / 1000);
        watch_poll(w, POLL_MS);
    }
}

size_t watch_count(const struct watch *w)
{
    return w->count;
}

const struct record *watch_at(const struct watch *w, size_t index)
{
    ck_assert_uint_lt(index, w->count);
    return w->records[index];
}

size_t watch_count_of(const struct watch *w, const char *topic)
{
    size_t count = 0;

    for (size_t i = 0; i < w->count; i++)
        count += str_is(w->records[i]->topic, topic);
    return count;
}

static bool is_of(const struct record *record, const char *topic, const char *key)
{
    return str_is(record->topic, topic) && (key == NULL || str_is(record->key, key));
}

const struct record *watch_nth(struct watch *w, const char *topic, const char *key, size_t n,
                               int timeout_ms)
{
    int64_t until_ms = wait_now_ms() + timeout_ms;

    for (size_t i = 0;; i++) {
        while (i == w->count) {
            if (wait_now_ms() >= until_ms)
                return NULL;
            watch_poll(w, POLL_MS);
        }
        if (is_of(w->records[i], topic, key) && n-- == 0)
            return w->records[i];
    }
}
