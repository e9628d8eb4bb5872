/* tests/unit/sim/hands.h - what the tests of the Kafka model do over and over.  Each fails the test
 * when what it does fails.
 */
#ifndef TESTS_UNIT_SIM_HANDS_H
#define TESTS_UNIT_SIM_HANDS_H

#include "connectors/kafka/kafka.h"

enum { HANDS_ROOM = 64 };

void hands_open(void); /* a cluster, and the sim of alone.h */
void hands_close(void);

struct record hands_record(const char *topic, int32_t partition, const char *value);
struct kafka_producer *hands_producer(const char *transactional_id);
void hands_send(struct kafka_producer *p, const char *topic, int32_t partition, const char *value);
void hands_flush(struct kafka_producer *p);
struct kafka_consumer *hands_reader(const char *topic, int32_t partition, int64_t offset);

/* A member of `group` on one topic, and what it was told. */
struct hands_member {
    struct kafka_consumer *consumer;
    int process;
    size_t assigned, revoked, lost; /* partitions, summed up; lost: of those revoked */
    int32_t first;                  /* of the last assignment */
};
void hands_join(struct hands_member *m, int process, const char *group, const char *topic);
/* Poll all of them in turns for so long; what they read is dropped. */
void hands_poll(struct hands_member *const *members, size_t count, int64_t span_ms);

/* The values read within `span_ms`, "a,b,c"; static. */
const char *hands_read(struct kafka_consumer *c, int64_t span_ms);
/* The values of a log as a reader takes them; static. */
const char *hands_log(const char *topic, int32_t partition);

#endif
