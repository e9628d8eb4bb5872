#include "connectors/kafka/client.h"
#include "core/check.h"
#include "core/clock.h"
#include "core/mem.h"

enum { LOOK_AGAIN_MS = 20 };

static rd_kafka_NewTopic_t *new_topic(const struct kafka_topic_config *config, struct err *err)
{
    char why[256];
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(config->name, config->partitions,
                                                       config->replication, why, sizeof why);

    if (topic == NULL) {
        err_set(err, ERR_CONFIG, "topic %s: %s", config->name, why);
        return NULL;
    }
    for (size_t i = 0; i < config->property_count; i++)
        rd_kafka_NewTopic_set_config(topic, config->properties[i].name,
                                     config->properties[i].value);
    return topic;
}

static enum err_code read_result(rd_kafka_event_t *event, struct err *err)
{
    const rd_kafka_CreateTopics_result_t *result;
    const rd_kafka_topic_result_t **topics;
    size_t count;

    if (event == NULL)
        return err_set(err, ERR_DOWN, "create topics: no answer from Kafka");
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return err_set(err, client_err_code(rd_kafka_event_error(event)), "create topics: %s",
                       rd_kafka_event_error_string(event));
    result = rd_kafka_event_CreateTopics_result(event);
    topics = rd_kafka_CreateTopics_result_topics(result, &count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t error = rd_kafka_topic_result_error(topics[i]);

        if (error != RD_KAFKA_RESP_ERR_NO_ERROR && error != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            return err_set(err, client_err_code(error), "create topic %s: %s",
                           rd_kafka_topic_result_name(topics[i]),
                           rd_kafka_topic_result_error_string(topics[i]));
    }
    return ERR_NONE;
}

static enum err_code create(rd_kafka_t *rk, rd_kafka_NewTopic_t **topics, size_t count,
                            struct err *err)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_event_t *event;
    enum err_code code;

    rd_kafka_AdminOptions_set_request_timeout(options, CLIENT_TIMEOUT_MS, NULL, 0);
    rd_kafka_AdminOptions_set_operation_timeout(options, CLIENT_TIMEOUT_MS, NULL, 0);
    rd_kafka_CreateTopics(rk, topics, count, options, queue);
    event = rd_kafka_queue_poll(queue, 2 * CLIENT_TIMEOUT_MS);
    code = read_result(event, err);
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return code;
}

/* A topic that has just been created is there for everyone a moment later: when its leaders answer. */
static enum err_code await_leaders(rd_kafka_t *rk, const char *topic, struct err *err)
{
    int64_t until_ms = clock_mono_ms() + CLIENT_TIMEOUT_MS;
    int64_t first, next;
    int partitions = 0, answered = 0;
    enum err_code code;

    for (;;) {
        code = client_topic_partitions(rk, topic, &partitions, err);
        while (code == ERR_NONE && answered < partitions) {
            code = client_bounds(rk, topic, answered, &first, &next, err);
            answered += code == ERR_NONE;
        }
        if ((code == ERR_NONE && partitions > 0) || clock_mono_ms() >= until_ms)
            break;
        clock_sleep_ms(LOOK_AGAIN_MS);
    }
    if (code == ERR_NONE && partitions == 0)
        code = err_set(err, ERR_DOWN, "topic %s was created, but does not answer", topic);
    return code;
}

enum err_code kafka_topics_create(const struct kafka_settings *settings,
                                  const struct kafka_topic_config *topics, size_t count,
                                  struct err *err)
{
    rd_kafka_NewTopic_t **list;
    rd_kafka_t *rk;
    enum err_code code;
    size_t made = 0;

    if (count == 0)
        return ERR_NONE;
    rk = client_open_asking(settings, err);
    if (rk == NULL)
        return ERR_CONFIG;
    list = MEM_NEW_ARRAY(rd_kafka_NewTopic_t *, count);
    while (made < count && (list[made] = new_topic(&topics[made], err)) != NULL)
        made++;
    code = made == count ? create(rk, list, count, err) : ERR_CONFIG;
    for (size_t i = 0; i < made; i++)
        rd_kafka_NewTopic_destroy(list[i]);
    for (size_t i = 0; code == ERR_NONE && i < count; i++)
        code = await_leaders(rk, topics[i].name, err);
    mem_free(list);
    rd_kafka_destroy(rk);
    return code;
}

enum err_code kafka_topic_partitions(const struct kafka_settings *settings, const char *topic,
                                     int *partitions, struct err *err)
{
    rd_kafka_t *rk = client_open_asking(settings, err);
    enum err_code code;

    *partitions = 0;
    if (rk == NULL)
        return ERR_CONFIG;
    code = client_topic_partitions(rk, topic, partitions, err);
    rd_kafka_destroy(rk);
    return code;
}

enum err_code kafka_topic_bounds(const struct kafka_settings *settings, const char *topic,
                                 int32_t partition, int64_t *first, int64_t *next, struct err *err)
{
    rd_kafka_t *rk = client_open_asking(settings, err);
    enum err_code code;

    if (rk == NULL)
        return ERR_CONFIG;
    code = client_bounds(rk, topic, partition, first, next, err);
    rd_kafka_destroy(rk);
    return code;
}

enum err_code kafka_topic_offset_at(const struct kafka_settings *settings, const char *topic,
                                    int32_t partition, int64_t at_ms, int64_t *offset,
                                    struct err *err)
{
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_t *rk = client_open_asking(settings, err);
    enum err_code code;
    int64_t first, next;

    if (rk == NULL)
        return ERR_CONFIG;
    code = client_bounds(rk, topic, partition, &first, &next, err);
    list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = at_ms;
    if (code == ERR_NONE) {
        rd_kafka_resp_err_t error = rd_kafka_offsets_for_times(rk, list, CLIENT_TIMEOUT_MS);

        if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
            error = list->elems[0].err;
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
            code = err_set(err, client_err_code(error), "%s/%d: offset of a time: %s", topic,
                           partition, rd_kafka_err2str(error));
    }
    *offset = code == ERR_NONE && list->elems[0].offset >= 0 ? list->elems[0].offset : next;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
    return code;
}

/* --- more partitions ----------------------------------------------------------------------------- */

static enum err_code read_growth(rd_kafka_event_t *event, struct err *err)
{
    const rd_kafka_CreatePartitions_result_t *result;
    const rd_kafka_topic_result_t **topics;
    size_t count;

    if (event == NULL)
        return err_set(err, ERR_DOWN, "create partitions: no answer from Kafka");
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return err_set(err, client_err_code(rd_kafka_event_error(event)), "create partitions: %s",
                       rd_kafka_event_error_string(event));
    result = rd_kafka_event_CreatePartitions_result(event);
    topics = rd_kafka_CreatePartitions_result_topics(result, &count);
    for (size_t i = 0; i < count; i++)
        if (rd_kafka_topic_result_error(topics[i]) != RD_KAFKA_RESP_ERR_NO_ERROR)
            return err_set(err, client_err_code(rd_kafka_topic_result_error(topics[i])),
                           "topic %s: %s", rd_kafka_topic_result_name(topics[i]),
                           rd_kafka_topic_result_error_string(topics[i]));
    return ERR_NONE;
}

static enum err_code grow(rd_kafka_t *rk, const char *topic, int partitions, struct err *err)
{
    char why[256];
    rd_kafka_NewPartitions_t *more =
        rd_kafka_NewPartitions_new(topic, (size_t)partitions, why, sizeof why);
    rd_kafka_queue_t *queue;
    rd_kafka_AdminOptions_t *options;
    rd_kafka_event_t *event;
    enum err_code code;

    if (more == NULL)
        return err_set(err, ERR_CONFIG, "topic %s: %s", topic, why);
    queue = rd_kafka_queue_new(rk);
    options = rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS);
    rd_kafka_AdminOptions_set_request_timeout(options, CLIENT_TIMEOUT_MS, NULL, 0);
    rd_kafka_AdminOptions_set_operation_timeout(options, CLIENT_TIMEOUT_MS, NULL, 0);
    rd_kafka_CreatePartitions(rk, &more, 1, options, queue);
    event = rd_kafka_queue_poll(queue, 2 * CLIENT_TIMEOUT_MS);
    code = read_growth(event, err);
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewPartitions_destroy(more);
    return code;
}

enum err_code kafka_topic_grow(const struct kafka_settings *settings, const char *topic,
                               int partitions, struct err *err)
{
    rd_kafka_t *rk = client_open_asking(settings, err);
    int64_t until_ms = clock_mono_ms() + CLIENT_TIMEOUT_MS;
    enum err_code code;
    int64_t first, next;
    int now;

    if (rk == NULL)
        return ERR_CONFIG;
    code = client_topic_partitions(rk, topic, &now, err);
    if (code == ERR_NONE && now < partitions)
        code = grow(rk, topic, partitions, err);
    while (code == ERR_NONE && now < partitions && clock_mono_ms() < until_ms) {
        clock_sleep_ms(LOOK_AGAIN_MS);
        code = client_topic_partitions(rk, topic, &now, err);
    }
    for (int p = 0; p < partitions && code == ERR_NONE; p++) /* each has a leader */
        code = client_bounds(rk, topic, p, &first, &next, err);
    rd_kafka_destroy(rk);
    return code;
}
