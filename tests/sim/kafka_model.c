/* What the driver does with the cluster.
 */
#include "tests/sim/kafka_model.h"

#include <stdlib.h>

#include "core/hash.h"
#include "tests/sim/kafka_clients.h"

void kafka_model_open(void)
{
    CHECK(cluster == NULL);
    cluster = MODEL_NEW(struct cluster);
    cluster->next_producer_id = 1000;
}

void kafka_model_close(void)
{
    cluster = NULL;
    model_free_all();
}

/* --- topics ------------------------------------------------------------------------------------ */

static struct log *log_of(const char *topic, int32_t partition)
{
    struct log *log;

    cluster_advance();
    log = log_find(str_of(topic), partition);
    CHECK(log != NULL);
    return log;
}

void kafka_model_create_topic(const char *topic, int partitions, size_t max_message_bytes)
{
    cluster_advance();
    topic_make(str_of(topic), partitions, max_message_bytes);
}

bool kafka_model_topic_exists(const char *topic)
{
    return topic_find(str_of(topic)) != NULL;
}

int kafka_model_partitions(const char *topic)
{
    const struct topic *t = topic_find(str_of(topic));

    return t != NULL ? t->partitions : 0;
}

int64_t kafka_model_append(const struct record *record)
{
    const struct batch_head alone = {.producer_id = NO_PRODUCER};
    struct record copy = model_copy_record(record);
    const struct record *records = &copy;
    struct topic *t = topic_find(record->topic);
    int32_t partition = record->partition;
    int64_t offset;

    CHECK(t != NULL);
    if (partition < 0)
        partition = hash_kafka_partition(record->key, t->partitions);
    if (copy.timestamp_ms == 0)
        copy.timestamp_ms = model_now_us() / MS;
    cluster_advance();
    CHECK(partition < t->partitions &&
          log_append(&t->logs[partition], &alone, &records, 1, &offset) == ANSWER_OK);
    return offset;
}

size_t kafka_model_read(const char *topic, int32_t partition, int64_t from, struct record *out,
                        size_t max, int64_t *next)
{
    const struct log *log = log_of(topic, partition);
    int64_t stable = log_stable(log);
    size_t count = 0;

    *next = from < log->first ? log->first : from;
    while (count < max) {
        const struct record *r = log_read(log, next, stable);

        if (r == NULL)
            break;
        out[count++] = *r;
        ++*next;
    }
    return count;
}

struct kafka_model_bounds kafka_model_bounds(const char *topic, int32_t partition)
{
    const struct log *log = log_of(topic, partition);

    return (struct kafka_model_bounds){log->first, log_stable(log), log->next};
}

void kafka_model_trim(const char *topic, int32_t partition, int64_t first)
{
    log_trim(log_of(topic, partition), first);
}

void kafka_model_lose_tail(const char *topic, int32_t partition, int64_t count)
{
    log_lose_tail(log_of(topic, partition), count);
}

void kafka_model_delete_topic(const char *topic)
{
    struct topic *t;

    cluster_advance();
    t = topic_find(str_of(topic));
    CHECK(t != NULL);
    topic_delete(t);
}

/* --- groups ------------------------------------------------------------------------------------ */

int64_t kafka_model_committed(const char *group, const char *topic, int32_t partition)
{
    struct group *g;

    cluster_advance();
    g = group_find(str_of(group));
    return g != NULL ? group_offset_of(g, str_of(topic), partition)->offset : -1;
}

size_t kafka_model_members(const char *group)
{
    struct group *g;

    cluster_advance();
    g = group_find(str_of(group));
    if (g != NULL)
        group_look(g);
    return g != NULL ? g->count : 0;
}

int32_t kafka_model_generation(const char *group)
{
    const struct group *g = group_find(str_of(group));

    return g != NULL ? g->generation : -1;
}

void kafka_model_share_out(const char *group)
{
    struct group *g = group_find(str_of(group));

    cluster_advance();
    if (g != NULL)
        group_rebalance(g);
}

/* --- faults ------------------------------------------------------------------------------------ */

/* Also one that is leaving: what it wanted to say may not be said any more. */
void kafka_model_process_stopped(int process, int64_t until_us)
{
    cluster_advance();
    for (size_t i = 0; i < cluster->consumer_count; i++) {
        struct kafka_consumer *c = cluster->consumers[i];

        if (c->process != process)
            continue;
        if (c->member.silent_at_us == NEVER_US)
            c->member.silent_at_us = model_now_us();
        c->member.speaks_at_us = until_us;
    }
}

void kafka_model_process_died(int process)
{
    kafka_model_process_stopped(process, NEVER_US);
    for (size_t i = cluster->consumer_count; i > 0; i--) {
        struct kafka_consumer *c = cluster->consumers[i - 1];

        if (c->process != process)
            continue;
        c->dead = true;
        c->waiting = false;
        cluster->consumers[i - 1] = cluster->consumers[--cluster->consumer_count];
    }
    for (size_t i = cluster->producer_count; i > 0; i--) {
        struct kafka_producer *p = cluster->producers[i - 1];

        if (p->process != process)
            continue;
        p->dead = true;
        cluster->producers[i - 1] = cluster->producers[--cluster->producer_count];
    }
}

void kafka_model_broker_gone(int64_t until_us)
{
    if (until_us > cluster->gone_until_us)
        cluster->gone_until_us = until_us;
}

void kafka_model_disk_full(int64_t until_us)
{
    cluster->full_until_us = until_us;
}

void kafka_model_end_faults(void)
{
    cluster->gone_until_us = cluster->full_until_us = 0;
}

/* --- what nobody may use with the model ------------------------------------------------------------ */

const char *kafka_library_version(void)
{
    return "model";
}

/* Ingest's: only with a store of skips, which a simulated one has not. */
enum err_code kafka_consumer_notes(struct kafka_consumer *c, struct kafka_partition *partitions,
                                   size_t count, struct arena *arena, struct str *notes,
                                   struct err *err)
{
    (void)c, (void)partitions, (void)count, (void)arena, (void)notes, (void)err;
    abort();
}

enum err_code kafka_consumer_commit_notes(struct kafka_consumer *c,
                                          const struct kafka_partition *offsets,
                                          const struct str *notes, size_t count, struct err *err)
{
    (void)c, (void)offsets, (void)notes, (void)count, (void)err;
    abort();
}

enum err_code kafka_mock_open(const struct kafka_topic_config *topics, size_t count,
                              struct kafka_mock **out, struct err *err)
{
    (void)topics;
    (void)count;
    (void)out;
    (void)err;
    abort();
}

const char *kafka_mock_brokers(const struct kafka_mock *mock)
{
    (void)mock;
    abort();
}

void kafka_mock_close(struct kafka_mock *mock)
{
    (void)mock;
    abort();
}
