/* Which partitions are mine, and where each is read from.
 *
 * A partition's queue is taken out of forwarding before the partition is assigned: librdkafka then
 * leaves it so.
 */
#include "connectors/kafka/consumer_parts.h"

#include <string.h>

#include "core/check.h"
#include "core/clock.h"
#include "core/mem.h"

enum { BOUNDS_TIMEOUT_MS = 2000 };

/* --- slots -------------------------------------------------------------------------------- */

struct slot *consumer_slot(const struct kafka_consumer *c, const char *topic, int32_t partition)
{
    for (size_t i = 0; i < c->slot_count; i++)
        if (c->slots[i].partition == partition && strcmp(c->slots[i].topic, topic) == 0)
            return &c->slots[i];
    return NULL;
}

void consumer_release_slot(struct slot *s)
{
    for (size_t i = 0; i < s->message_count; i++)
        rd_kafka_message_destroy(s->messages[i]);
    s->message_count = 0;
    arena_reset(s->arena);
}

void consumer_drop_slots(struct kafka_consumer *c)
{
    for (size_t i = 0; i < c->slot_count; i++) {
        struct slot *s = &c->slots[i];

        consumer_release_slot(s);
        rd_kafka_queue_destroy(s->queue);
        arena_free(s->arena);
        mem_free(s->messages);
        mem_free(s->topic);
        mem_free(s->fault_text);
    }
    mem_free(c->slots);
    c->slots = NULL;
    c->slot_count = 0;
    c->turn = 0;
}

/* start: a number, or what stays for librdkafka to ask (negative). */
static void slot_init(struct kafka_consumer *c, struct slot *s, const struct kafka_partition *p,
                      int64_t start)
{
    static const uint64_t one = 1; /* what an eventfd is written with */
    bool held = p->offset == KAFKA_OFFSET_HOLD;
    int64_t first = held || start < 0 ? 0 : start;

    *s = (struct slot){.topic = mem_copy_text(p->topic, strlen(p->topic)),
                       .topic_bytes = strlen(p->topic),
                       .partition = p->partition,
                       .wanted = first,
                       .read_to = first,
                       .start = held && start < 0 ? 0 : start,
                       .held = held,
                       .unplaced = held && start < 0,
                       .arena = arena_new(0)};
    s->queue = rd_kafka_queue_get_partition(c->rk, p->topic, p->partition);
    CHECK(s->queue != NULL);
    rd_kafka_queue_forward(s->queue, NULL);
    rd_kafka_queue_io_event_enable(s->queue, c->wake, &one, sizeof one);
}

void consumer_set_fault(struct kafka_consumer *c, enum err_code code, const char *text)
{
    c->fault = code;
    snprintf(c->fault_text, sizeof c->fault_text, "%s", text);
}

static rd_kafka_topic_partition_list_t *one_partition(const char *topic, int32_t partition,
                                                      int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
    return list;
}

static void set_paused(struct kafka_consumer *c, const struct slot *s, bool paused)
{
    rd_kafka_topic_partition_list_t *list = one_partition(s->topic, s->partition, 0);

    if (paused)
        rd_kafka_pause_partitions(c->rk, list);
    else
        rd_kafka_resume_partitions(c->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
}

/* --- assignment ------------------------------------------------------------------------------ */

/* Where the group stands; a partition without a committed offset starts at its beginning. */
static enum err_code resolve_group(struct kafka_consumer *c, struct kafka_partition *partitions,
                                   size_t count, struct err *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;

    for (size_t i = 0; i < count; i++)
        if (partitions[i].offset == KAFKA_OFFSET_GROUP)
            rd_kafka_topic_partition_list_add(list, partitions[i].topic, partitions[i].partition);
    if (list->cnt > 0)
        error = rd_kafka_committed(c->rk, list, CLIENT_TIMEOUT_MS);
    for (size_t i = 0; i < count && error == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        const rd_kafka_topic_partition_t *p;

        if (partitions[i].offset != KAFKA_OFFSET_GROUP)
            continue;
        p = rd_kafka_topic_partition_list_find(list, partitions[i].topic, partitions[i].partition);
        error = p->err;
        partitions[i].offset = p->offset < 0 ? KAFKA_OFFSET_BEGIN : p->offset;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return error == RD_KAFKA_RESP_ERR_NO_ERROR
               ? ERR_NONE
               : err_set(err, client_err_code(error), "committed offsets of the group: %s",
                         rd_kafka_err2str(error));
}

/* A question that is not answered is asked again, not guessed: the partitions are held, and the
 * error tells the caller to seek (or to leave). */
static void resolve_or_hold(struct kafka_consumer *c, struct kafka_partition *partitions,
                            size_t count)
{
    struct err err;

    if (resolve_group(c, partitions, count, &err) == ERR_NONE)
        return;
    if (resolve_group(c, partitions, count, &err) == ERR_NONE)
        return;
    consumer_set_fault(c, err.code, err.text);
    for (size_t i = 0; i < count; i++)
        if (partitions[i].offset == KAFKA_OFFSET_GROUP)
            partitions[i].offset = KAFKA_OFFSET_HOLD;
}

/* Where each begins, as a number; negative: there was no answer.  One that is held stands at the end.
 * librdkafka is not left to ask itself: it asks before it knows the leader and then again after half a
 * second; and an answer that comes when the partition has been sought elsewhere is asked for once
 * more, and believed (2.0.2, rd_kafka_toppar_handle_Offset): it would leave records out. */
static void find_starts(struct kafka_consumer *c, const struct kafka_partition *partitions,
                        size_t count, int64_t *starts)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;

    for (size_t i = 0; i < count; i++) {
        const struct kafka_partition *p = &partitions[i];

        starts[i] = p->offset == KAFKA_OFFSET_HOLD ? KAFKA_OFFSET_END : p->offset;
        if (starts[i] < 0)
            rd_kafka_topic_partition_list_add(list, p->topic, p->partition)->offset = starts[i];
    }
    if (list->cnt > 0)
        error = rd_kafka_offsets_for_times(c->rk, list, BOUNDS_TIMEOUT_MS);
    for (size_t i = 0; i < count && error == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        const rd_kafka_topic_partition_t *p;

        if (starts[i] >= 0)
            continue;
        p = rd_kafka_topic_partition_list_find(list, partitions[i].topic, partitions[i].partition);
        if (p->err == RD_KAFKA_RESP_ERR_NO_ERROR && p->offset >= 0)
            starts[i] = p->offset;
    }
    rd_kafka_topic_partition_list_destroy(list);
}

void consumer_assign(struct kafka_consumer *c, struct kafka_partition *partitions, size_t count,
                     bool hold_unknown)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    int64_t *starts = MEM_NEW_ARRAY(int64_t, count + 1);
    rd_kafka_resp_err_t error;

    find_starts(c, partitions, count, starts);
    consumer_drop_slots(c);
    c->slots = count > 0 ? MEM_NEW_ARRAY(struct slot, count) : NULL;
    c->slot_count = count;
    for (size_t i = 0; i < count; i++) {
        struct kafka_partition *p = &partitions[i];

        if (hold_unknown && starts[i] < 0 && p->offset != KAFKA_OFFSET_HOLD) {
            p->offset = KAFKA_OFFSET_HOLD;
            consumer_set_fault(c, ERR_DOWN, "nobody says where a log begins and ends");
        }
        slot_init(c, &c->slots[i], p, starts[i]);
        /* before: what is held fetches nothing, and what was revoked while it was paused still is */
        set_paused(c, &c->slots[i], c->slots[i].held);
        rd_kafka_topic_partition_list_add(list, p->topic, p->partition)->offset = c->slots[i].start;
    }
    error = rd_kafka_assign(c->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    mem_free(starts);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
        consumer_set_fault(c, ERR_KAFKA, rd_kafka_err2str(error));
}

static void take_over(struct kafka_consumer *c, const rd_kafka_topic_partition_list_t *list)
{
    size_t count = (size_t)list->cnt;
    struct kafka_partition *partitions = MEM_NEW_ARRAY(struct kafka_partition, count + 1);

    for (size_t i = 0; i < count; i++)
        partitions[i] = (struct kafka_partition){list->elems[i].topic, list->elems[i].partition,
                                                 KAFKA_OFFSET_GROUP};
    if (c->listener.assigned != NULL && count > 0)
        c->listener.assigned(c->listener.context, partitions, count);
    resolve_or_hold(c, partitions, count);
    consumer_assign(c, partitions, count, true);
    c->given = true;
    mem_free(partitions);
}

static void give_up(struct kafka_consumer *c, bool lost)
{
    struct kafka_partition *partitions = MEM_NEW_ARRAY(struct kafka_partition, c->slot_count + 1);

    for (size_t i = 0; i < c->slot_count; i++)
        partitions[i] =
            (struct kafka_partition){c->slots[i].topic, c->slots[i].partition, c->slots[i].wanted};
    if (c->listener.revoked != NULL && c->slot_count > 0)
        c->listener.revoked(c->listener.context, partitions, c->slot_count, lost);
    mem_free(partitions);
    consumer_drop_slots(c);
    rd_kafka_assign(c->rk, NULL);
}

void consumer_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t error,
                           rd_kafka_topic_partition_list_t *list, void *opaque)
{
    if (error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
        take_over(opaque, list);
    else
        give_up(opaque, rd_kafka_assignment_lost(rk) != 0);
}

/* --- what a caller may do with a partition -------------------------------------------------------- */

/* A partition that was assigned a moment ago may not have started yet: ERR__STATE, try again.
 * This librdkafka takes the milliseconds for microseconds. */
static rd_kafka_resp_err_t seek_once(struct kafka_consumer *c, const struct kafka_partition *to)
{
    rd_kafka_topic_partition_list_t *list = one_partition(to->topic, to->partition, to->offset);
    rd_kafka_error_t *error = rd_kafka_seek_partitions(c->rk, list, CLIENT_TIMEOUT_MS * 1000);
    rd_kafka_resp_err_t code = error != NULL ? rd_kafka_error_code(error) : list->elems[0].err;

    if (error != NULL)
        rd_kafka_error_destroy(error);
    rd_kafka_topic_partition_list_destroy(list);
    return code;
}

/* librdkafka stops a partition whose offset is not in the log, and seeks it no more (one that was held
 * at 0 may be such a one).  It is assigned anew, and that can be done with all partitions only: the
 * others begin where they have come to. */
static rd_kafka_resp_err_t start_again(struct kafka_consumer *c, const struct slot *again,
                                       int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)c->slot_count);
    rd_kafka_resp_err_t error;

    for (size_t i = 0; i < c->slot_count; i++) {
        const struct slot *s = &c->slots[i];
        int64_t at = s->read_to > 0 ? s->read_to : s->start;

        rd_kafka_topic_partition_list_add(list, s->topic, s->partition)->offset =
            s == again ? offset : at;
    }
    error = rd_kafka_assign(c->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    return error;
}

static rd_kafka_resp_err_t seek_on(struct kafka_consumer *c, const struct slot *s,
                                   const struct kafka_partition *to)
{
    int64_t until_ms = clock_mono_ms() + CLIENT_TIMEOUT_MS;
    rd_kafka_resp_err_t error;

    if (s->off_the_log || s->unplaced)
        return start_again(c, s, to->offset);
    while ((error = seek_once(c, to)) == RD_KAFKA_RESP_ERR__STATE && clock_mono_ms() < until_ms)
        clock_sleep_ms(2);
    return error;
}

enum err_code kafka_consumer_seek(struct kafka_consumer *c, const char *topic, int32_t partition,
                                  int64_t offset, struct err *err)
{
    struct slot *s = consumer_slot(c, topic, partition);
    struct kafka_partition to = {topic, partition, offset};
    rd_kafka_resp_err_t error;
    int64_t start;

    if (s == NULL)
        return err_set(err, ERR_FENCED, "seek %s/%d: not assigned to this process", topic,
                       partition);
    if (offset == KAFKA_OFFSET_GROUP && resolve_group(c, &to, 1, err) != ERR_NONE)
        return err != NULL ? err->code : ERR_KAFKA;
    find_starts(c, &to, 1, &start);
    to.offset = start;
    if (start < 0)
        return err_set(err, ERR_DOWN, "seek %s/%d: nobody says where the log begins and ends",
                       topic, partition);
    if (s->held) /* first: resuming after a seek may undo it */
        set_paused(c, s, false);
    error = seek_on(c, s, &to);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
        return err_set(err, client_err_code(error), "seek %s/%d to %lld: %s", topic, partition,
                       (long long)to.offset, rd_kafka_err2str(error));
    s->held = s->off_the_log = s->unplaced = false;
    s->at_end = false;
    s->start = to.offset;
    s->fault = ERR_NONE;
    s->wanted = s->read_to = to.offset;
    return ERR_NONE;
}

void kafka_consumer_pause(struct kafka_consumer *c, const char *topic, int32_t partition,
                          bool paused)
{
    struct slot *s = consumer_slot(c, topic, partition);

    if (s != NULL)
        set_paused(c, s, paused);
}

bool kafka_consumer_at_end(struct kafka_consumer *c, const char *topic, int32_t partition)
{
    const struct slot *s = consumer_slot(c, topic, partition);

    return s != NULL && s->at_end;
}

int64_t kafka_consumer_read_to(struct kafka_consumer *c, const char *topic, int32_t partition)
{
    const struct slot *s = consumer_slot(c, topic, partition);

    return s != NULL ? s->read_to : -1;
}

enum err_code kafka_consumer_ask_ends(struct kafka_consumer *c, struct kafka_partition *partitions,
                                      size_t count, int timeout_ms, struct err *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    rd_kafka_resp_err_t error;

    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, partitions[i].topic, partitions[i].partition)
            ->offset = RD_KAFKA_OFFSET_END;
    error = rd_kafka_offsets_for_times(c->rk, list, timeout_ms);
    for (int i = 0; i < list->cnt && error == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        error = list->elems[i].err;
        partitions[i].offset = list->elems[i].offset;
    }
    rd_kafka_topic_partition_list_destroy(list);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
        return ERR_NONE;
    return err_set(err, client_err_code(error), "ends of logs: %s", rd_kafka_err2str(error));
}

int64_t kafka_consumer_end(struct kafka_consumer *c, const char *topic, int32_t partition)
{
    int64_t first, next;

    if (rd_kafka_get_watermark_offsets(c->rk, topic, partition, &first, &next) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return -1;
    return next < 0 ? -1 : next;
}

enum err_code kafka_consumer_committed(struct kafka_consumer *c, const char *topic,
                                       int32_t partition, int64_t *offset, struct err *err)
{
    struct kafka_partition p = {topic, partition, KAFKA_OFFSET_GROUP};
    enum err_code code = resolve_group(c, &p, 1, err);

    *offset = code == ERR_NONE && p.offset >= 0 ? p.offset : -1;
    return code;
}

enum err_code kafka_consumer_bounds(struct kafka_consumer *c, const char *topic, int32_t partition,
                                    int64_t *first, int64_t *next, struct err *err)
{
    return client_bounds(c->rk, topic, partition, first, next, err);
}

enum err_code kafka_consumer_topic_partitions(struct kafka_consumer *c, const char *topic,
                                              int *partitions, struct err *err)
{
    return client_topic_partitions(c->rk, topic, partitions, err);
}

/* The generation of the group as librdkafka would send it, from its serialised form: magic
 * "CGMDv2:" and an int32.  -1: this is no member. */
static int32_t generation_of(const rd_kafka_consumer_group_metadata_t *meta)
{
    static const char magic[] = "CGMDv2:";
    int32_t generation = -1;
    void *bytes = NULL;
    size_t count = 0;
    rd_kafka_error_t *error = rd_kafka_consumer_group_metadata_write(meta, &bytes, &count);

    if (error != NULL)
        rd_kafka_error_destroy(error);
    else if (count > sizeof magic - 1 + sizeof generation &&
             memcmp(bytes, magic, sizeof magic - 1) == 0)
        memcpy(&generation, (const char *)bytes + sizeof magic - 1, sizeof generation);
    if (bytes != NULL)
        rd_kafka_mem_free(NULL, bytes);
    return generation;
}

/* The broker takes offsets with generation -1 and no member id from anybody, unfenced, and that
 * is what a member that was thrown out would send. */
rd_kafka_consumer_group_metadata_t *consumer_membership(struct kafka_consumer *c,
                                                        const struct kafka_partition *partitions,
                                                        size_t count, struct err *err)
{
    rd_kafka_consumer_group_metadata_t *meta;

    for (size_t i = 0; i < count; i++) {
        if (consumer_slot(c, partitions[i].topic, partitions[i].partition) == NULL) {
            err_set(err, ERR_FENCED, "%s/%d: another member of the group has it",
                    partitions[i].topic, partitions[i].partition);
            return NULL;
        }
    }
    meta = rd_kafka_consumer_group_metadata(c->rk);
    if (meta != NULL && generation_of(meta) >= 0)
        return meta;
    if (meta != NULL)
        rd_kafka_consumer_group_metadata_destroy(meta);
    err_set(err, ERR_FENCED, "this process is no member of its group any more");
    return NULL;
}
