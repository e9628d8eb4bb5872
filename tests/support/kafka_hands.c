#include "tests/support/kafka_hands.h"

#include <check.h>
#include <librdkafka/rdkafka.h>

#include "tests/support/wait.h"

enum { WAIT_MS_MAX = 30 * 1000, LOOK_AGAIN_MS = 50 };

static rd_kafka_t *open_client(const struct kafka_settings *kafka)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *rk;

    ck_assert_int_eq(rd_kafka_conf_set(conf, "bootstrap.servers", kafka->brokers, why, sizeof why),
                     RD_KAFKA_CONF_OK);
    rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    ck_assert_msg(rk != NULL, "%s", why);
    return rk;
}

/* The answer to what was asked over this queue. */
static rd_kafka_event_t *await(rd_kafka_queue_t *queue, const char *what)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, WAIT_MS_MAX);

    ck_assert_msg(event != NULL, "%s: no answer", what);
    ck_assert_msg(rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR, "%s: %s", what,
                  rd_kafka_event_error_string(event));
    return event;
}

void kafka_hands_trim(const struct kafka_settings *kafka, const char *topic, int32_t partition,
                      int64_t first)
{
    rd_kafka_t *rk = open_client(kafka);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_DeleteRecords_t *request;
    const rd_kafka_topic_partition_list_t *answer;
    rd_kafka_event_t *event;

    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = first;
    request = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(rk, &request, 1, NULL, queue);
    event = await(queue, "delete records");
    answer = rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event));
    ck_assert_msg(answer->elems[0].err == RD_KAFKA_RESP_ERR_NO_ERROR, "delete records: %s",
                  rd_kafka_err2str(answer->elems[0].err));
    rd_kafka_event_destroy(event);
    rd_kafka_DeleteRecords_destroy(request);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
}

static void delete_topic(const struct kafka_settings *kafka, const char *topic)
{
    rd_kafka_t *rk = open_client(kafka);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_DeleteTopic_t *request = rd_kafka_DeleteTopic_new(topic);

    rd_kafka_DeleteTopics(rk, &request, 1, NULL, queue);
    rd_kafka_event_destroy(await(queue, "delete topic"));
    rd_kafka_DeleteTopic_destroy(request);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
}

void kafka_hands_remake(const struct kafka_settings *kafka, const char *topic, int partitions)
{
    const struct kafka_property keep = {"retention.ms", "-1"};
    const struct kafka_topic_config again = {topic, partitions, 1, &keep, 1};
    int64_t end_ms = wait_now_ms() + WAIT_MS_MAX;
    struct err err = {0};
    int now = partitions;

    delete_topic(kafka, topic);
    while (now != 0) {
        ck_assert_msg(wait_now_ms() < end_ms, "%s is still there", topic);
        wait_pause_ms(LOOK_AGAIN_MS);
        if (kafka_topic_partitions(kafka, topic, &now, &err) != ERR_NONE)
            now = partitions;
    }
    ck_assert_msg(kafka_topics_create(kafka, &again, 1, &err) == ERR_NONE, "%s", err.text);
}
