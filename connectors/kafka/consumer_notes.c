/* A text beside the group's offsets (Kafka's offset metadata).  A transaction's offsets come without one,
 * so it clears what stood there. */
#include <stdlib.h>

#include "connectors/kafka/consumer_parts.h"
#include "core/mem.h"

static rd_kafka_topic_partition_list_t *list_of(const struct kafka_partition *partitions,
                                                size_t count)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);

    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, partitions[i].topic, partitions[i].partition)
            ->offset = partitions[i].offset;
    return list;
}

static rd_kafka_resp_err_t first_error(const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR)
            return list->elems[i].err;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

enum err_code kafka_consumer_notes(struct kafka_consumer *c, struct kafka_partition *partitions,
                                   size_t count, struct arena *arena, struct str *notes,
                                   struct err *err)
{
    rd_kafka_topic_partition_list_t *list = list_of(partitions, count);
    rd_kafka_resp_err_t error = rd_kafka_committed(c->rk, list, CLIENT_TIMEOUT_MS);

    if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
        error = first_error(list);
    for (int i = 0; i < list->cnt && error == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        const rd_kafka_topic_partition_t *e = &list->elems[i];

        partitions[i].offset = e->offset >= 0 ? e->offset : -1;
        notes[i] = e->metadata_size > 0
                       ? arena_str(arena, (struct str){e->metadata, e->metadata_size})
                       : STR_EMPTY;
    }
    rd_kafka_topic_partition_list_destroy(list);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
        return ERR_NONE;
    return err_set(err, client_err_code(error), "offsets of the group: %s",
                   rd_kafka_err2str(error));
}

enum err_code kafka_consumer_commit_notes(struct kafka_consumer *c,
                                          const struct kafka_partition *offsets,
                                          const struct str *notes, size_t count, struct err *err)
{
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_resp_err_t error;

    if (count == 0)
        return ERR_NONE;
    list = list_of(offsets, count);
    for (size_t i = 0; i < count; i++) {
        if (notes[i].len == 0)
            continue;
        list->elems[i].metadata = strndup(notes[i].data, notes[i].len); /* the list frees it */
        list->elems[i].metadata_size = notes[i].len;
    }
    error = rd_kafka_commit(c->rk, list, 0);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
        error = first_error(list);
    rd_kafka_topic_partition_list_destroy(list);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
        return ERR_NONE;
    return err_set(err, client_err_code(error), "a note beside the offsets of the group: %s",
                   rd_kafka_err2str(error));
}
