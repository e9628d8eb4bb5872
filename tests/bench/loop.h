/* tests/bench/loop.h - R: what it costs to consume a message with librdkafka and do nothing.
 *
 * The unit of the benchmark: every engine pays it, so figures are given as multiples of it and
 * compare between machines.
 */
#ifndef TESTS_BENCH_LOOP_H
#define TESTS_BENCH_LOOP_H

#include <stdint.h>

struct loop_result {
    uint64_t messages;
    int64_t cpu_us; /* user + system, all threads of librdkafka too */
    int64_t wall_us;
};

/* Consume `messages` messages of the topic's partitions from the beginning, in a child process,
 * with the properties that attent uses.  False: it did not get them all. */
int loop_run(const char *brokers, const char *topic, int partitions, uint64_t messages,
             struct loop_result *out);

#endif
