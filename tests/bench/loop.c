#include "tests/bench/loop.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"

enum { BATCH = 4096, IDLE_MS_MAX = 20000 };

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char why[256];

    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) {
        fprintf(stderr, "bench: %s\n", why);
        exit(1);
    }
}

/* Enough in the queue that librdkafka never waits for us, as in connectors/kafka. */
static rd_kafka_t *open_consumer(const char *brokers)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    set(conf, "bootstrap.servers", brokers);
    set(conf, "group.id", "bench-loop");
    set(conf, "enable.auto.commit", "false");
    set(conf, "enable.auto.offset.store", "false");
    set(conf, "queued.min.messages", "1000000");
    set(conf, "queued.max.messages.kbytes", "262144");
    set(conf, "fetch.wait.max.ms", "10");
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    if (rk == NULL) {
        fprintf(stderr, "bench: %s\n", why);
        exit(1);
    }
    rd_kafka_poll_set_consumer(rk);
    return rk;
}

static uint64_t consume(rd_kafka_t *rk, uint64_t wanted)
{
    static rd_kafka_message_t *messages[BATCH];
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(rk);
    uint64_t count = 0;
    volatile unsigned char sum = 0; /* touch each value, as any consumer does */

    while (count < wanted) {
        ssize_t got = rd_kafka_consume_batch_queue(queue, IDLE_MS_MAX, messages, BATCH);
        if (got <= 0)
            break;
        for (ssize_t i = 0; i < got; i++) {
            if (messages[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR && messages[i]->len != 0) {
                sum = (unsigned char)(sum + *(unsigned char *)messages[i]->payload);
                count++;
            }
            rd_kafka_message_destroy(messages[i]);
        }
    }
    rd_kafka_queue_destroy(queue);
    return count;
}

static int child(const char *brokers, const char *topic, int partitions, uint64_t messages)
{
    rd_kafka_t *rk = open_consumer(brokers);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    uint64_t count;

    for (int p = 0; p < partitions; p++)
        rd_kafka_topic_partition_list_add(list, topic, p)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    count = consume(rk, messages);
    rd_kafka_destroy(rk);
    return count >= messages ? 0 : 1; /* more: control records */
}

int loop_run(const char *brokers, const char *topic, int partitions, uint64_t messages,
             struct loop_result *out)
{
    int64_t start_us = clock_mono_us();
    struct rusage used;
    int status = 1;
    pid_t pid = fork();

    if (pid == 0)
        _exit(child(brokers, topic, partitions, messages));
    if (pid == -1 || wait4(pid, &status, 0, &used) != pid)
        return 0;
    out->messages = messages;
    out->wall_us = clock_mono_us() - start_us;
    out->cpu_us = (int64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
                  used.ru_utime.tv_usec + used.ru_stime.tv_usec;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
