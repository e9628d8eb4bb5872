#include "tests/support/world.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/fail_point.h"
#include "tests/support/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/scripted.h"

struct server *world_kafka;
struct world world;

void world_start_kafka(void)
{
    world_kafka = kafka_start(1);
}

void world_stop_kafka(void)
{
    server_stop(world_kafka);
}

static int64_t world_clock_ms(void)
{
    return world.started_mono_ms == 0 ? world.now_ms
                                      : world.now_ms + clock_mono_ms() - world.started_mono_ms;
}

void world_create_topic(const char *name, int partitions)
{
    const struct kafka_topic_config config = {
        .name = name, .partitions = partitions, .replication = 1};
    struct err err = {0};

    ck_assert_msg(kafka_topics_create(&world.settings, &config, 1, &err) == ERR_NONE, "%s",
                  err.text);
}

void world_open(const char *name)
{
    struct diags diags = {0};

    world = (struct world){.arena = arena_new(0), .now_ms = SAMPLE_CREATED_MS + 1000};
    snprintf(world.tasks, sizeof world.tasks, "%s.tasks", name);
    snprintf(world.ledger, sizeof world.ledger, "%s.ledger", name);
    snprintf(world.outcomes, sizeof world.outcomes, "%s.outcomes", name);
    snprintf(world.queue_name, sizeof world.queue_name, "%s", name);
    snprintf(world.queue, sizeof world.queue, "contact.%s", name);
    snprintf(world.group, sizeof world.group, "%s-dispatch", name);
    world.settings =
        (struct kafka_settings){.brokers = server_address(world_kafka), .client_id = "test"};
    world.channels[0] =
        (struct channel_config){.name = STR("phone"),
                                .class = channel_find(STR("contact_centre")),
                                .conf = conf_read(channel_find(STR("contact_centre"))->fields,
                                                  STR(""), "test", NULL, 0, world.arena, &diags)};
    world.config = (struct dispatch_config){.kafka = world.settings,
                                            .group = world.group,
                                            .transactional_id = world.group,
                                            .tasks_topic = world.tasks,
                                            .ledger_topic = world.ledger,
                                            .outcomes_topic = world.outcomes,
                                            .channels = world.channels,
                                            .channel_count = 1,
                                            .clock_ms = world_clock_ms,
                                            .keep_ms = 3600000,
                                            .retry_ms = 100};
    world_create_topic(world.tasks, WORLD_PARTITIONS);
    world_create_topic(world.ledger, WORLD_PARTITIONS);
    world_create_topic(world.outcomes, 1);
    world_create_topic(world.queue, 1);
    ck_assert_int_eq(kafka_producer_open(&world.settings, NULL, &world.producer, NULL), ERR_NONE);
}

void world_close(void)
{
    kafka_producer_close(world.producer);
    arena_free(world.arena);
}

/* --- what decide would write ------------------------------------------------------------------- */

const char *world_task_id(int number)
{
    return arena_format(world.arena, "task%04d", number).data;
}

struct task world_task(int number)
{
    struct task task = sample_task(world_task_id(number));

    task.customer = arena_format(world.arena, "C-%d", number % WORLD_CUSTOMERS);
    task.queue = str_of(world.queue_name);
    return task;
}

struct withdrawal world_withdrawal(int number)
{
    struct withdrawal w = sample_withdrawal(world_task_id(number));

    w.customer = arena_format(world.arena, "C-%d", number % WORLD_CUSTOMERS);
    w.queue = str_of(world.queue_name);
    return w;
}

/* Numbered on its way to the partition of its key. */
struct record world_stamp(struct record record)
{
    record.topic = str_of(world.tasks);
    record.partition = hash_kafka_partition(record.key, WORLD_PARTITIONS);
    return sample_numbered(record, &world.chains[record.partition], "decide/0", 1, world.arena);
}

struct record world_task_record(int number)
{
    struct task task = world_task(number);

    return world_stamp(sample_task_record(&task, world.arena));
}

struct record world_withdrawal_record(int number)
{
    struct withdrawal w = world_withdrawal(number);

    return world_stamp(sample_withdrawal_record(&w, world.arena));
}

void world_produce(const struct record *records, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(kafka_produce(world.producer, &records[i], NULL), ERR_NONE);
    ck_assert_int_eq(kafka_flush(world.producer, WORLD_PATIENCE_MS, NULL, NULL, NULL), ERR_NONE);
}

/* --- what others read -------------------------------------------------------------------------- */

/* All that is committed in a topic now. */
void world_read(const char *topic, int partitions, struct world_seen *out)
{
    struct kafka_partition from[WORLD_PARTITIONS];
    struct kafka_consumer *consumer;
    struct record records[100];
    size_t count;
    bool at_end = false;

    for (int i = 0; i < partitions; i++)
        from[i] = (struct kafka_partition){topic, i, KAFKA_OFFSET_BEGIN};
    ck_assert_int_eq(
        kafka_consumer_open_alone(&world.settings, from, (size_t)partitions, &consumer, NULL),
        ERR_NONE);
    *out = (struct world_seen){0};
    while (!at_end) {
        ck_assert_int_eq(kafka_consumer_poll(consumer, 50, records, 100, &count, NULL), ERR_NONE);
        for (size_t i = 0; i < count; i++) {
            struct str id = record_header(&records[i], STR("ce_id"));
            ck_assert_uint_lt(out->count, 2 * WORLD_TASKS_MAX);
            snprintf(out->ids[out->count], sizeof out->ids[0], "%.*s",
                     STR_ARG(id.len != 0 ? id : records[i].key));
            out->values[out->count++] = arena_str(world.arena, records[i].value);
        }
        kafka_consumer_release(consumer);
        at_end = count == 0;
        for (int i = 0; i < partitions; i++)
            at_end = at_end && kafka_consumer_at_end(consumer, topic, i);
    }
    kafka_consumer_close(consumer);
}

size_t world_times_seen(const struct world_seen *seen, const char *id)
{
    size_t times = 0;

    for (size_t i = 0; i < seen->count; i++)
        times += strcmp(seen->ids[i], id) == 0;
    return times;
}

size_t world_in_queue(void)
{
    static struct world_seen seen;

    world_read(world.queue, 1, &seen);
    return seen.count;
}

void world_expect_each_once_of(int count, int step)
{
    static struct world_seen seen;

    world_read(world.queue, 1, &seen);
    for (int i = 0; i < count; i++) {
        const char *id = world_task_id(i * step);
        ck_assert_msg(world_times_seen(&seen, id) == 1, "%s came %zu times", id,
                      world_times_seen(&seen, id));
    }
    ck_assert_uint_eq(seen.count, (size_t)count);
}

void world_expect_each_once(int count)
{
    world_expect_each_once_of(count, 1);
}

/* --- dispatch ---------------------------------------------------------------------------------- */

struct dispatch *world_dispatch(void)
{
    struct dispatch *dispatch;
    struct err err = {0};

    ck_assert_msg(dispatch_open(&world.config, &dispatch, &err) == ERR_NONE, "%s", err.text);
    return dispatch;
}

/* Poll until that many have come into the state. */
void world_poll_until(struct dispatch *dispatch, enum ledger_state state, uint64_t count)
{
    int64_t until_ms = clock_mono_ms() + WORLD_PATIENCE_MS;
    struct err err = {0};

    while (dispatch_counters(dispatch)->states[state] < count) {
        ck_assert_msg(clock_mono_ms() < until_ms, "only %d are %s: %s",
                      (int)dispatch_counters(dispatch)->states[state], ledger_state_code(state),
                      err.text);
        dispatch_poll(dispatch, 50, &err);
    }
}

/* A process of its own, to be killed. */
pid_t world_fork(const char *transactional_id)
{
    pid_t pid = fork();
    struct dispatch *dispatch;

    if (pid != 0)
        return pid;
    world.config.transactional_id = transactional_id;
    if (dispatch_open(&world.config, &dispatch, NULL) != ERR_NONE)
        _exit(1);
    for (;;)
        dispatch_poll(dispatch, 50, NULL);
}

void world_kill(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

void world_wait_for_queue(size_t count)
{
    int64_t until_ms = clock_mono_ms() + WORLD_PATIENCE_MS;
    size_t seen;

    while ((seen = world_in_queue()) < count) {
        ck_assert_msg(clock_mono_ms() < until_ms, "only %zu of %zu in the queue", seen, count);
        clock_sleep_ms(20);
    }
}

/* A scripted channel beside "phone" (index 0); its log. */
const char *world_add_channel(const struct connector_class *class, const char *options)
{
    size_t index = world.config.channel_count++;
    const char *name = arena_format(world.arena, "way%zu", index).data;
    const char *log = scratch_path(scratch_dir(), name);
    const char *yaml = arena_format(world.arena, "{log: %s, %s}", log, options).data;

    world.channels[index] =
        (struct channel_config){str_of(name), class, scripted_conf(yaml, world.arena)};
    return log;
}

struct record world_record_for(int number, int channel, int customers)
{
    struct task task = world_task(number);

    task.channel = arena_format(world.arena, "way%d", channel);
    task.customer = arena_format(world.arena, "C-%d", number % customers);
    return world_stamp(sample_task_record(&task, world.arena));
}

uint64_t world_ended(const struct dispatch *dispatch)
{
    const uint64_t *states = dispatch_counters(dispatch)->states;

    return states[LEDGER_SENT] + states[LEDGER_FAILED] + states[LEDGER_UNKNOWN];
}

void world_poll_until_ended(struct dispatch *dispatch, uint64_t count)
{
    int64_t until_ms = clock_mono_ms() + WORLD_PATIENCE_MS;

    while (world_ended(dispatch) < count) {
        ck_assert_msg(clock_mono_ms() < until_ms, "only %d of %d", (int)world_ended(dispatch),
                      (int)count);
        dispatch_poll(dispatch, 50, NULL);
    }
}

void world_wait_for_death(pid_t pid)
{
    int status;

    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "it lives or said no");
}

/* In a log, the first arrivals of each customer's tasks are in the order they were decided. */
void world_expect_order(const char *log, int customers)
{
    size_t count;
    struct scripted_line *lines = scripted_read(log, world.arena, &count);
    int *last = ARENA_ARRAY(world.arena, int, (size_t)customers);

    for (size_t i = 0; i < count; i++) {
        int number = atoi(lines[i].id + strlen("task"));
        int *before = &last[number % customers];
        ck_assert_msg(number + 1 >= *before, "%s came behind %d", lines[i].id, *before - 1);
        *before = number + 1;
    }
}
