/* connectors/kafka/client.h - what the files of this folder share: configuration, errors, logs.
 *
 * Private to connectors/kafka: the only header that includes rdkafka.h.
 */
#ifndef ATTENT_CONNECTORS_KAFKA_CLIENT_H
#define ATTENT_CONNECTORS_KAFKA_CLIENT_H

#include <librdkafka/rdkafka.h>

#include "connectors/kafka/kafka.h"

/* How long one question to the cluster may take. */
enum { CLIENT_TIMEOUT_MS = 10000 };

/* The configuration of a client: `own` (count of them) are the properties that a consumer or
 * producer of ours needs, then what the user passes through.  NULL: err says which property is
 * wrong.  The caller owns the result until client_new takes it. */
rd_kafka_conf_t *client_conf(const struct kafka_settings *settings,
                             const struct kafka_property *own, size_t count, struct err *err);

/* Set one property of ours; a refusal is a bug. */
void client_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value);

/* Takes conf.  NULL: err says why. */
rd_kafka_t *client_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, struct err *err);

/* A client that only asks: partition counts, offsets, topics to be created. */
rd_kafka_t *client_open_asking(const struct kafka_settings *settings, struct err *err);

/* ERR_DOWN when nobody answers, ERR_STATE when an offset is not in the log, else ERR_KAFKA. */
enum err_code client_err_code(rd_kafka_resp_err_t error);

/* Questions that any client may ask (see kafka.h). */
enum err_code client_topic_partitions(rd_kafka_t *rk, const char *topic, int *partitions,
                                      struct err *err);
enum err_code client_bounds(rd_kafka_t *rk, const char *topic, int32_t partition, int64_t *first,
                            int64_t *next, struct err *err);

/* Group metadata of a consumer that is a live member and holds all of these partitions; NULL:
 * it is none (err says so, ERR_FENCED).  The caller destroys it. */
rd_kafka_consumer_group_metadata_t *consumer_membership(struct kafka_consumer *c,
                                                        const struct kafka_partition *partitions,
                                                        size_t count, struct err *err);

#endif
