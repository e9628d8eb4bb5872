/* A partition's log.  Each offset has its entry, control records too, so an entry is found by
 * subtraction.  What a transaction wrote is marked when it is aborted.
 *
 * Retention and recreation leave the memory where it is: records that were lent out stay good.
 */
#include "core/mutant.h"
#include "tests/sim/kafka_parts.h"

enum { BATCH_HEAD_BYTES = 61, MAX_MESSAGE_BYTES = 1048588 };

/* --- topics ------------------------------------------------------------------------------------ */

struct topic *topic_find(struct str name)
{
    for (size_t i = 0; i < cluster->topic_count; i++)
        if (!cluster->topics[i]->deleted && str_equal(cluster->topics[i]->name, name))
            return cluster->topics[i];
    return NULL;
}

struct topic *topic_make(struct str name, int partitions, size_t max_message_bytes)
{
    struct topic *t = MODEL_NEW(struct topic);

    CHECK(partitions > 0 && topic_find(name) == NULL);
    *t = (struct topic){.name = model_copy(name),
                        .id = ++cluster->topic_ids,
                        .partitions = partitions,
                        .max_message_bytes =
                            max_message_bytes > 0 ? max_message_bytes : MAX_MESSAGE_BYTES,
                        .logs = model_alloc((size_t)partitions * sizeof(struct log))};
    for (int i = 0; i < partitions; i++)
        t->logs[i] = (struct log){.topic = t, .partition = i};
    MODEL_RESERVE(cluster->topics, cluster->topic_count, cluster->topic_capacity);
    cluster->topics[cluster->topic_count++] = t;
    group_topic_changed(t->name);
    return t;
}

/* The group's offsets go with the topic. */
void topic_delete(struct topic *t)
{
    t->deleted = true;
    for (size_t i = 0; i < cluster->group_count; i++) {
        struct group *g = cluster->groups[i];

        for (size_t k = 0; k < g->offset_count; k++)
            if (str_equal(g->offsets[k].topic, t->name))
                g->offsets[k].offset = g->offsets[k].pending = -1;
    }
    group_topic_changed(t->name);
}

struct log *log_find(struct str topic, int32_t partition)
{
    struct topic *t = topic_find(topic);

    return t != NULL && partition >= 0 && partition < t->partitions ? &t->logs[partition] : NULL;
}

/* --- sizes: what a record takes in a batch ------------------------------------------------------- */

static size_t varint_bytes(int64_t value)
{
    uint64_t zigzag = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
    size_t bytes = 1;

    for (; zigzag >= 128; zigzag >>= 7)
        bytes++;
    return bytes;
}

static size_t field_bytes(struct str field)
{
    return field.data == NULL ? 1 : varint_bytes((int64_t)field.len) + field.len;
}

static size_t record_bytes(const struct record *r, int64_t time_delta, size_t index)
{
    size_t bytes = 1 + varint_bytes(time_delta) + varint_bytes((int64_t)index) +
                   field_bytes(r->key) + field_bytes(r->value) +
                   varint_bytes((int64_t)r->header_count);

    for (size_t i = 0; i < r->header_count; i++)
        bytes += field_bytes(r->headers[i].name) + field_bytes(r->headers[i].value);
    return varint_bytes((int64_t)bytes) + bytes;
}

static size_t batch_bytes(const struct record *const *records, size_t count)
{
    size_t bytes = BATCH_HEAD_BYTES;

    for (size_t i = 0; i < count; i++)
        bytes += record_bytes(records[i], records[i]->timestamp_ms - records[0]->timestamp_ms, i);
    return bytes;
}

/* --- idempotence ------------------------------------------------------------------------------- */

static struct writer *writer_find(const struct log *log, int64_t producer_id)
{
    for (size_t i = 0; i < log->writer_count; i++)
        if (log->writers[i].producer_id == producer_id)
            return &log->writers[i];
    return NULL;
}

static struct writer *writer_of(struct log *log, int64_t producer_id)
{
    struct writer *w = writer_find(log, producer_id);

    if (w != NULL)
        return w;
    MODEL_RESERVE(log->writers, log->writer_count, log->writer_capacity);
    w = &log->writers[log->writer_count++];
    *w = (struct writer){.producer_id = producer_id, .epoch = -1, .open_at = -1};
    return w;
}

/* A batch that is there already: its offset, -1: it is none. */
static int64_t repeated(const struct writer *w, const struct batch_head *head, size_t count)
{
    for (size_t i = 0; i < w->batch_count && head->epoch == w->epoch; i++)
        if (w->batches[i].first_sequence == head->first_sequence &&
            w->batches[i].count == (int32_t)count)
            return w->batches[i].offset;
    return -1;
}

/* A partition that has never heard of a producer takes any number. */
static bool follows(const struct writer *w, const struct batch_head *head)
{
    if (w->epoch < 0)
        return true;
    return head->first_sequence == (head->epoch == w->epoch ? w->next_sequence : 0);
}

static void remember(struct writer *w, const struct batch_head *head, size_t count, int64_t offset)
{
    size_t kept;

    if (head->epoch != w->epoch)
        w->batch_count = 0;
    kept = w->batch_count < REMEMBERED_BATCHES ? w->batch_count : REMEMBERED_BATCHES - 1;
    memmove(&w->batches[1], &w->batches[0], kept * sizeof w->batches[0]);
    w->batches[0].first_sequence = head->first_sequence;
    w->batches[0].count = (int32_t)count;
    w->batches[0].offset = offset;
    w->batch_count = kept + 1;
    w->epoch = head->epoch;
    w->next_sequence = head->first_sequence + (int32_t)count;
}

/* --- writing ----------------------------------------------------------------------------------- */

static struct entry *add_entry(struct log *log)
{
    size_t count = (size_t)(log->next - log->base);

    MODEL_RESERVE(log->entries, count, log->capacity);
    log->next++;
    return &log->entries[count];
}

static enum answer judge(struct log *log, const struct batch_head *head,
                         const struct record *const *records, size_t count, int64_t *offset)
{
    const struct writer *w =
        head->producer_id != NO_PRODUCER ? writer_find(log, head->producer_id) : NULL;

    if (log->topic->deleted)
        return ANSWER_UNKNOWN;
    if (batch_bytes(records, count) > log->topic->max_message_bytes)
        return ANSWER_TOO_LARGE;
    if (w == NULL || MUTANT(PRODUCER_NOT_IDEMPOTENT))
        return ANSWER_OK;
    if (head->epoch < w->epoch)
        return ANSWER_OLD_EPOCH;
    *offset = repeated(w, head, count);
    return *offset >= 0 || follows(w, head) ? ANSWER_OK : ANSWER_OUT_OF_ORDER;
}

enum answer log_append(struct log *log, const struct batch_head *head,
                       const struct record *const *records, size_t count, int64_t *offset)
{
    enum answer answer;

    *offset = -1;
    answer = judge(log, head, records, count, offset);
    if (answer != ANSWER_OK || *offset >= 0)
        return answer;
    *offset = log->next;
    if (head->producer_id != NO_PRODUCER) {
        struct writer *w = writer_of(log, head->producer_id);

        remember(w, head, count, *offset);
        if (head->in_transaction && w->open_at < 0) {
            w->open_at = *offset;
            log->open_count++;
        }
    }
    for (size_t i = 0; i < count; i++) {
        int64_t at = log->next;
        struct entry *e = add_entry(log);

        *e = (struct entry){*records[i], head->producer_id, ENTRY_RECORD, head->in_transaction};
        e->record.topic = log->topic->name;
        e->record.partition = log->partition;
        e->record.offset = at;
    }
    cluster_log_grew(log);
    return ANSWER_OK;
}

/* A marker of a transaction; it begins a new epoch's numbers at 0 as well. */
void log_end_transaction(struct log *log, int64_t producer_id, int16_t epoch, bool commit)
{
    struct writer *w = writer_of(log, producer_id);

    if (log->topic->deleted)
        return;
    for (int64_t o = w->open_at; w->open_at >= 0 && o < log->next && !commit; o++) {
        struct entry *e = &log->entries[o - log->base];

        if (o >= log->base && e->producer_id == producer_id && e->kind == ENTRY_RECORD)
            e->kind = ENTRY_ABORTED;
    }
    if (w->open_at >= 0)
        log->open_count--;
    w->open_at = -1;
    if (epoch != w->epoch) {
        w->epoch = epoch;
        w->next_sequence = 0;
        w->batch_count = 0;
    }
    *add_entry(log) = (struct entry){.producer_id = producer_id, .kind = ENTRY_CONTROL};
    cluster_log_grew(log);
}

/* --- reading ----------------------------------------------------------------------------------- */

int64_t log_stable(const struct log *log)
{
    int64_t stable = log->next;

    if (MUTANT(ABORTED_READ))
        return stable;
    for (size_t i = 0; log->open_count > 0 && i < log->writer_count; i++)
        if (log->writers[i].open_at >= 0 && log->writers[i].open_at < stable)
            stable = log->writers[i].open_at;
    return stable;
}

const struct record *log_read(const struct log *log, int64_t *offset, int64_t end)
{
    for (; *offset < end; ++*offset) {
        const struct entry *e = &log->entries[*offset - log->base];

        if (e->kind == ENTRY_RECORD || (e->kind == ENTRY_ABORTED && MUTANT(ABORTED_READ)))
            return &e->record;
    }
    return NULL;
}

void log_trim(struct log *log, int64_t first)
{
    CHECK(first <= log->next);
    if (first > log->first)
        log->first = first;
}

/* Writers are remembered as the log that is left tells them. */
void log_lose_tail(struct log *log, int64_t count)
{
    CHECK(count <= log->next - log->first && log->open_count == 0);
    log->next -= count;
    for (size_t i = 0; i < log->writer_count; i++) {
        struct writer *w = &log->writers[i];

        while (w->batch_count > 0 && w->batches[0].offset >= log->next) {
            w->next_sequence = w->batches[0].first_sequence;
            w->batch_count--;
            memmove(&w->batches[0], &w->batches[1], w->batch_count * sizeof w->batches[0]);
        }
    }
}
