/* tests/support/world.h - dispatch against a real Kafka: what decide would write, and what came of it.
 *
 *     world_open("once");                       topics of its own
 *     log = world_add_channel(&scripted_class, "faults: 5");
 *     world_produce(records, 20);
 *     dispatch = world_dispatch();  or  pid = world_fork(world.group);
 *     world_poll_until(dispatch, LEDGER_SENT, 20);
 *     ... scripted_count(log, "deliver") ...
 *     world_close();
 *
 * One world at a time in a process; its Kafka is the suite's (world_start_kafka as fixture).  The
 * channel "phone" is a queue of the contact centre, those that are added are way1, way2, ...
 */
#ifndef TESTS_SUPPORT_WORLD_H
#define TESTS_SUPPORT_WORLD_H

#include <sys/types.h>

#include "processors/dispatch/dispatch.h"
#include "schemas/chain.h"
#include "tests/support/server.h"

enum {
    WORLD_PARTITIONS = 2,
    WORLD_CUSTOMERS = 7,
    WORLD_TASKS_MAX = 10000,
    WORLD_CHANNELS_MAX = 101,
    WORLD_PATIENCE_MS = 60000,
};

struct world {
    struct arena *arena;
    char tasks[64], ledger[64], outcomes[64], queue[64], queue_name[64], group[64];
    struct kafka_settings settings;
    struct channel_config channels[WORLD_CHANNELS_MAX];
    struct dispatch_config config;
    struct kafka_producer *producer;
    struct chain chains[WORLD_PARTITIONS]; /* of decide/0 to each partition of tasks */
    int64_t now_ms, started_mono_ms;       /* 0: the clock stands still */
};

extern struct world world;
extern struct server *world_kafka;

void world_start_kafka(void);
void world_stop_kafka(void);

void world_open(const char *name);
void world_close(void);
void world_create_topic(const char *name, int partitions);

/* --- what decide writes: numbered, to the partition of the customer ------------------------------ */

const char *world_task_id(int number);
struct task world_task(int number); /* of one of WORLD_CUSTOMERS, for "phone" */
struct record world_stamp(struct record record);
struct record world_task_record(int number);
struct record world_withdrawal_record(int number);
/* Of customer number % customers, for way<channel>. */
struct record world_record_for(int number, int channel, int customers);
void world_produce(const struct record *records, size_t count);

/* --- what others read ----------------------------------------------------------------------------- */

struct world_seen {
    size_t count;                      /* records */
    char ids[2 * WORLD_TASKS_MAX][48]; /* ce_id, or key where there is none */
    struct str values[2 * WORLD_TASKS_MAX];
};

/* All that is committed in a topic now. */
void world_read(const char *topic, int partitions, struct world_seen *out);
size_t world_times_seen(const struct world_seen *seen, const char *id);
size_t world_in_queue(void);
void world_expect_each_once(int count);              /* in the queue */
void world_expect_each_once_of(int count, int step); /* tasks 0, step, 2 * step, ... */
void world_wait_for_queue(size_t count);

/* --- dispatch ------------------------------------------------------------------------------------- */

struct dispatch *world_dispatch(void);
/* Poll until that many have come into the state; or have ended. */
void world_poll_until(struct dispatch *dispatch, enum ledger_state state, uint64_t count);
uint64_t world_ended(const struct dispatch *dispatch);
void world_poll_until_ended(struct dispatch *dispatch, uint64_t count);

/* A process of its own, to be killed; it may kill itself. */
pid_t world_fork(const char *transactional_id);
void world_kill(pid_t pid);
void world_wait_for_death(pid_t pid);

/* A scripted channel behind those that are there; its log. */
const char *world_add_channel(const struct connector_class *class, const char *options);
/* In a log, the first arrivals of each customer's tasks are in the order they were decided. */
void world_expect_order(const char *log, int customers);

#endif
