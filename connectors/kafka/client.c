/* A user may tune a client but not take its guarantees away: what the commit protocol rests on
 * (idempotence, isolation, no reset, no commits behind our back) stands in `guarded` and is
 * refused in the configuration.
 */
#include "connectors/kafka/client.h"

#include <string.h>

#include "core/check.h"
#include "core/clock.h"
#include "core/log.h"

enum { ASK_AGAIN_MS = 100 };

static const char *const guarded[] = {
    "acks",
    "auto.commit.enable",
    "auto.offset.reset",
    "bootstrap.servers",
    "delivery.timeout.ms",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "enable.partition.eof",
    "group.id",
    "group.instance.id",
    "isolation.level",
    "message.timeout.ms",
    "metadata.broker.list",
    "partition.assignment.strategy",
    "partitioner",
    "request.required.acks",
    "transactional.id",
};

/* Our latency comes from Nagle and from waiting fetches, so both are cut short; the reconnect
 * back-off is what a restarted broker costs. */
static const struct kafka_property common[] = {
    {"socket.nagle.disable", "true"},
    {"reconnect.backoff.ms", "20"},
    {"reconnect.backoff.max.ms", "1000"},
    {"socket.timeout.ms", "6000"}, /* a session: docs/decisions/110 says what waits for it */
    {"allow.auto.create.topics", "false"},
    {"topic.metadata.refresh.interval.ms", "30000"},
    {"log.connection.close", "false"},
};

static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    enum log_level ours = level <= 4 ? LOG_WARN : level <= 6 ? LOG_INFO : LOG_DEBUG;

    /* a property for producers given to a consumer: pass-through goes to all clients; and what
     * the mock cluster cannot do */
    if (strcmp(facility, "CONFWARN") == 0 || strcmp(facility, "AUTOCREATE") == 0)
        return;
    log_at(ours, "kafka", text, LOG_TEXT("client", rk != NULL ? rd_kafka_name(rk) : ""),
           LOG_TEXT("facility", facility), LOG_END);
}

void client_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    CHECK(rd_kafka_conf_set(conf, name, value, NULL, 0) == RD_KAFKA_CONF_OK);
}

static enum err_code pass_through(rd_kafka_conf_t *conf, const struct kafka_property *property,
                                  struct err *err)
{
    char why[256];

    for (size_t i = 0; i < sizeof guarded / sizeof guarded[0]; i++)
        if (strcmp(property->name, guarded[i]) == 0)
            return err_set(err, ERR_CONFIG,
                           "librdkafka property %s is part of the guarantees and cannot be set",
                           property->name);
    if (rd_kafka_conf_set(conf, property->name, property->value, why, sizeof why) !=
        RD_KAFKA_CONF_OK)
        return err_set(err, ERR_CONFIG, "librdkafka property %s: %s", property->name, why);
    return ERR_NONE;
}

const char *kafka_library_version(void)
{
    return rd_kafka_version_str();
}

rd_kafka_conf_t *client_conf(const struct kafka_settings *settings,
                             const struct kafka_property *own, size_t count, struct err *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    CHECK(settings->brokers != NULL);
    client_conf_set(conf, "bootstrap.servers", settings->brokers);
    if (settings->client_id != NULL)
        client_conf_set(conf, "client.id", settings->client_id);
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
        client_conf_set(conf, common[i].name, common[i].value);
    for (size_t i = 0; i < count; i++)
        client_conf_set(conf, own[i].name, own[i].value);
    for (size_t i = 0; i < settings->property_count; i++) {
        if (pass_through(conf, &settings->properties[i], err) != ERR_NONE) {
            rd_kafka_conf_destroy(conf);
            return NULL;
        }
    }
    rd_kafka_conf_set_log_cb(conf, on_log);
    return conf;
}

rd_kafka_t *client_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, struct err *err)
{
    char why[256];
    rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof why);

    if (rk == NULL) {
        rd_kafka_conf_destroy(conf);
        err_set(err, ERR_CONFIG, "Kafka client: %s", why);
    }
    return rk;
}

/* A consumer: a producer's questions about a topic would create it. */
rd_kafka_t *client_open_asking(const struct kafka_settings *settings, struct err *err)
{
    static const struct kafka_property own[] = {{"isolation.level", "read_committed"}};
    rd_kafka_conf_t *conf = client_conf(settings, own, 1, err);

    return conf == NULL ? NULL : client_new(RD_KAFKA_CONSUMER, conf, err);
}

enum err_code client_err_code(rd_kafka_resp_err_t error)
{
    switch ((int)error) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE: return ERR_DOWN;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE: return ERR_STATE;
    default: return ERR_KAFKA;
    }
}

/* So says a broker that has begun a moment ago: it is asked again. */
static bool leads_not_yet(rd_kafka_resp_err_t error)
{
    return error == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
           error == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
}

static rd_kafka_resp_err_t count_partitions(rd_kafka_t *rk, rd_kafka_topic_t *topic,
                                            int *partitions)
{
    const rd_kafka_metadata_t *meta = NULL;
    rd_kafka_resp_err_t error = rd_kafka_metadata(rk, 0, topic, &meta, CLIENT_TIMEOUT_MS);

    if (error == RD_KAFKA_RESP_ERR_NO_ERROR && meta->topic_cnt == 1) {
        error = meta->topics[0].err;
        *partitions = error == RD_KAFKA_RESP_ERR_NO_ERROR ? meta->topics[0].partition_cnt : 0;
    }
    if (meta != NULL)
        rd_kafka_metadata_destroy(meta);
    return error;
}

enum err_code client_topic_partitions(rd_kafka_t *rk, const char *topic, int *partitions,
                                      struct err *err)
{
    const int64_t until_ms = clock_mono_ms() + CLIENT_TIMEOUT_MS;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(rk, topic, NULL);
    rd_kafka_resp_err_t error;

    *partitions = 0;
    while (error = count_partitions(rk, handle, partitions),
           leads_not_yet(error) && clock_mono_ms() < until_ms)
        clock_sleep_ms(ASK_AGAIN_MS);
    rd_kafka_topic_destroy(handle);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
        error == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
        return ERR_NONE;
    return err_set(err, client_err_code(error), "partitions of topic %s: %s", topic,
                   rd_kafka_err2str(error));
}

/* The handle makes it a topic that this librdkafka asks for anew when its leader is another one by now;
 * of one that is neither read nor written it would ask the old leader for a quarter of an hour. */
enum err_code client_bounds(rd_kafka_t *rk, const char *topic, int32_t partition, int64_t *first,
                            int64_t *next, struct err *err)
{
    const int64_t until_ms = clock_mono_ms() + CLIENT_TIMEOUT_MS;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(rk, topic, NULL);
    rd_kafka_resp_err_t error;

    while (error = rd_kafka_query_watermark_offsets(rk, topic, partition, first, next,
                                                    CLIENT_TIMEOUT_MS),
           leads_not_yet(error) && clock_mono_ms() < until_ms)
        clock_sleep_ms(ASK_AGAIN_MS);
    rd_kafka_topic_destroy(handle);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
        return ERR_NONE;
    return err_set(err, client_err_code(error), "offsets of %s/%d: %s", topic, partition,
                   rd_kafka_err2str(error));
}
