/* The mock cluster lives in a client that is used for nothing else.  It logs to nobody: what a
 * mock broker has to say is about librdkafka, not about attent.
 */
#include "connectors/kafka/client.h"

#include <librdkafka/rdkafka_mock.h>

#include "core/check.h"
#include "core/mem.h"

struct kafka_mock {
    rd_kafka_t *host;
    rd_kafka_mock_cluster_t *cluster;
};

static int brokers_wanted(const struct kafka_topic_config *topics, size_t count)
{
    int brokers = 1;

    for (size_t i = 0; i < count; i++)
        if (topics[i].replication > brokers)
            brokers = topics[i].replication;
    return brokers;
}

enum err_code kafka_mock_open(const struct kafka_topic_config *topics, size_t count,
                              struct kafka_mock **out, struct err *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    struct kafka_mock *mock = MEM_NEW(struct kafka_mock);
    rd_kafka_resp_err_t error;

    *out = NULL;
    rd_kafka_conf_set_log_cb(conf, NULL);
    mock->host = client_new(RD_KAFKA_PRODUCER, conf, err);
    if (mock->host != NULL)
        mock->cluster = rd_kafka_mock_cluster_new(mock->host, brokers_wanted(topics, count));
    if (mock->cluster == NULL) {
        kafka_mock_close(mock);
        return err_set(err, ERR_KAFKA, "mock cluster: it cannot be started");
    }
    for (size_t i = 0; i < count; i++) {
        error = rd_kafka_mock_topic_create(mock->cluster, topics[i].name, topics[i].partitions,
                                           topics[i].replication > 0 ? topics[i].replication : 1);
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
            kafka_mock_close(mock);
            return err_set(err, ERR_KAFKA, "mock cluster: topic %s: %s", topics[i].name,
                           rd_kafka_err2str(error));
        }
    }
    *out = mock;
    return ERR_NONE;
}

const char *kafka_mock_brokers(const struct kafka_mock *mock)
{
    return rd_kafka_mock_cluster_bootstraps(mock->cluster);
}

void kafka_mock_set_leader(struct kafka_mock *mock, const char *topic, int32_t partition,
                           int32_t broker)
{
    CHECK(rd_kafka_mock_partition_set_leader(mock->cluster, topic, partition, broker) ==
          RD_KAFKA_RESP_ERR_NO_ERROR);
}

void kafka_mock_silence(struct kafka_mock *mock, int32_t broker, int silence_ms)
{
    CHECK(rd_kafka_mock_broker_set_rtt(mock->cluster, broker, silence_ms) ==
          RD_KAFKA_RESP_ERR_NO_ERROR);
}

void kafka_mock_close(struct kafka_mock *mock)
{
    if (mock == NULL)
        return;
    if (mock->cluster != NULL)
        rd_kafka_mock_cluster_destroy(mock->cluster);
    if (mock->host != NULL)
        rd_kafka_destroy(mock->host);
    mem_free(mock);
}
