/* Dispatch against a real Kafka: whatever happens to the process, a task is on its queue topic
 * once. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/metric.h"
#include "processors/dispatch/dispatch.h"
#include "processors/dispatch/ledger_record.h"
#include "tests/support/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/scripted.h"
#include "tests/support/server.h"
#include "tests/support/suite.h"

enum { PARTITIONS = 2, CUSTOMERS = 7, TASKS_MAX = 400, CHANNELS_MAX = 101, PATIENCE_MS = 60000 };

static struct server *kafka;

static void start(void)
{
    kafka = kafka_start(1);
}

static void stop(void)
{
    server_stop(kafka);
}

/* --- a world of its own for each test ---------------------------------------------------------- */

static struct world {
    struct arena *arena;
    char tasks[64], ledger[64], outcomes[64], queue[64], queue_name[64], group[64];
    struct kafka_settings settings;
    struct channel_config channels[CHANNELS_MAX];
    struct dispatch_config config;
    struct kafka_producer *producer;
    struct chain chains[PARTITIONS]; /* of decide/0 to each partition of tasks */
    int64_t now_ms, started_mono_ms; /* 0: the clock stands still */
} world;

static int64_t world_clock_ms(void)
{
    return world.started_mono_ms == 0 ? world.now_ms
                                      : world.now_ms + clock_mono_ms() - world.started_mono_ms;
}

static void create_topic(const char *name, int partitions)
{
    const struct kafka_topic_config config = {
        .name = name, .partitions = partitions, .replication = 1};
    struct err err = {0};

    ck_assert_msg(kafka_topics_create(&world.settings, &config, 1, &err) == ERR_NONE, "%s",
                  err.text);
}

static void open_world(const char *name)
{
    struct diags diags = {0};

    world = (struct world){.arena = arena_new(0), .now_ms = SAMPLE_CREATED_MS + 1000};
    snprintf(world.tasks, sizeof world.tasks, "%s.tasks", name);
    snprintf(world.ledger, sizeof world.ledger, "%s.ledger", name);
    snprintf(world.outcomes, sizeof world.outcomes, "%s.outcomes", name);
    snprintf(world.queue_name, sizeof world.queue_name, "%s", name);
    snprintf(world.queue, sizeof world.queue, "contact.%s", name);
    snprintf(world.group, sizeof world.group, "%s-dispatch", name);
    world.settings = (struct kafka_settings){.brokers = server_address(kafka), .client_id = "test"};
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
    create_topic(world.tasks, PARTITIONS);
    create_topic(world.ledger, PARTITIONS);
    create_topic(world.outcomes, 1);
    create_topic(world.queue, 1);
    ck_assert_int_eq(kafka_producer_open(&world.settings, NULL, &world.producer, NULL), ERR_NONE);
}

static void close_world(void)
{
    kafka_producer_close(world.producer);
    arena_free(world.arena);
}

/* --- what decide would write ------------------------------------------------------------------- */

static const char *task_id(int number)
{
    return arena_format(world.arena, "task%04d", number).data;
}

static struct task task_of(int number)
{
    struct task task = sample_task(task_id(number));

    task.customer = arena_format(world.arena, "C-%d", number % CUSTOMERS);
    task.queue = str_of(world.queue_name);
    return task;
}

static struct withdrawal withdrawal_of(int number)
{
    struct withdrawal w = sample_withdrawal(task_id(number));

    w.customer = arena_format(world.arena, "C-%d", number % CUSTOMERS);
    w.queue = str_of(world.queue_name);
    return w;
}

/* Numbered on its way to the partition of its key. */
static struct record stamp(struct record record)
{
    record.topic = str_of(world.tasks);
    record.partition = hash_kafka_partition(record.key, PARTITIONS);
    return sample_numbered(record, &world.chains[record.partition], "decide/0", 1, world.arena);
}

static struct record stamped_task(int number)
{
    struct task task = task_of(number);

    return stamp(sample_task_record(&task, world.arena));
}

static struct record stamped_withdrawal(int number)
{
    struct withdrawal w = withdrawal_of(number);

    return stamp(sample_withdrawal_record(&w, world.arena));
}

static void produce(const struct record *records, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(kafka_produce(world.producer, &records[i], NULL), ERR_NONE);
    ck_assert_int_eq(kafka_flush(world.producer, PATIENCE_MS, NULL, NULL, NULL), ERR_NONE);
}

/* --- what others read -------------------------------------------------------------------------- */

struct seen {
    size_t count;                /* records */
    char ids[2 * TASKS_MAX][48]; /* ce_id, or key where there is none */
    struct str values[2 * TASKS_MAX];
};

/* All that is committed in a topic now. */
static void read_topic(const char *topic, int partitions, struct seen *out)
{
    struct kafka_partition from[PARTITIONS];
    struct kafka_consumer *consumer;
    struct record records[100];
    size_t count;
    bool at_end = false;

    for (int i = 0; i < partitions; i++)
        from[i] = (struct kafka_partition){topic, i, KAFKA_OFFSET_BEGIN};
    ck_assert_int_eq(
        kafka_consumer_open_alone(&world.settings, from, (size_t)partitions, &consumer, NULL),
        ERR_NONE);
    *out = (struct seen){0};
    while (!at_end) {
        ck_assert_int_eq(kafka_consumer_poll(consumer, 50, records, 100, &count, NULL), ERR_NONE);
        for (size_t i = 0; i < count; i++) {
            struct str id = record_header(&records[i], STR("ce_id"));
            ck_assert_uint_lt(out->count, 2 * TASKS_MAX);
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

static size_t times_seen(const struct seen *seen, const char *id)
{
    size_t times = 0;

    for (size_t i = 0; i < seen->count; i++)
        times += strcmp(seen->ids[i], id) == 0;
    return times;
}

static size_t in_queue(void)
{
    static struct seen seen;

    read_topic(world.queue, 1, &seen);
    return seen.count;
}

static void expect_each_task_once(int count)
{
    static struct seen seen;

    read_topic(world.queue, 1, &seen);
    for (int i = 0; i < count; i++)
        ck_assert_msg(times_seen(&seen, task_id(i)) == 1, "%s came %zu times", task_id(i),
                      times_seen(&seen, task_id(i)));
    ck_assert_uint_eq(seen.count, (size_t)count);
}

/* --- dispatch ---------------------------------------------------------------------------------- */

static struct dispatch *open_dispatch(void)
{
    struct dispatch *dispatch;
    struct err err = {0};

    ck_assert_msg(dispatch_open(&world.config, &dispatch, &err) == ERR_NONE, "%s", err.text);
    return dispatch;
}

/* Poll until that many have come into the state. */
static void poll_until(struct dispatch *dispatch, enum ledger_state state, uint64_t count)
{
    int64_t until_ms = clock_mono_ms() + PATIENCE_MS;
    struct err err = {0};

    while (dispatch_counters(dispatch)->states[state] < count) {
        ck_assert_msg(clock_mono_ms() < until_ms, "only %d are %s: %s",
                      (int)dispatch_counters(dispatch)->states[state], ledger_state_code(state),
                      err.text);
        dispatch_poll(dispatch, 50, &err);
    }
}

/* A process of its own, to be killed. */
static pid_t fork_dispatch(const char *transactional_id)
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

static void kill_dispatch(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void wait_for_queue(size_t count)
{
    int64_t until_ms = clock_mono_ms() + PATIENCE_MS;
    size_t seen;

    while ((seen = in_queue()) < count) {
        ck_assert_msg(clock_mono_ms() < until_ms, "only %zu of %zu in the queue", seen, count);
        clock_sleep_ms(20);
    }
}

/* --- tests ------------------------------------------------------------------------------------- */

START_TEST(tasks_reach_their_queue_once_although_records_come_twice)
{
    static struct record records[30];
    struct dispatch *dispatch;

    open_world("once");
    for (int i = 0; i < 30; i++)
        records[i] = stamped_task(i);
    produce(records, 20);
    produce(records + 5, 15); /* decide died before it had kept its state */
    produce(records, 30);
    dispatch = open_dispatch();
    poll_until(dispatch, LEDGER_SENT, 30);
    expect_each_task_once(30);
    ck_assert_uint_eq(dispatch_counters(dispatch)->drops[DROP_REPEAT], 35);
    dispatch_close(dispatch);
    close_world();
}
END_TEST

START_TEST(a_gap_is_waited_for_and_filled_when_the_source_sends_again)
{
    static struct record records[30];
    struct dispatch *dispatch;

    open_world("gap");
    for (int i = 0; i < 30; i++)
        records[i] = stamped_task(i);
    produce(records, 10);
    produce(records + 20, 10);
    dispatch = open_dispatch();
    poll_until(dispatch, LEDGER_SENT, 10);
    while (dispatch_counters(dispatch)->drops[DROP_GAP] < 10)
        dispatch_poll(dispatch, 50, NULL);
    ck_assert_uint_eq(in_queue(), 10);
    produce(records, 30);
    poll_until(dispatch, LEDGER_SENT, 30);
    expect_each_task_once(30);
    dispatch_close(dispatch);
    close_world();
}
END_TEST

START_TEST(a_withdrawal_keeps_a_task_back_or_calls_it_back)
{
    static struct seen seen;
    struct record records[3];
    struct dispatch *dispatch;

    open_world("withdraw");
    records[0] = stamped_task(0);
    records[1] = stamped_task(1);
    records[2] = stamped_withdrawal(1); /* before dispatch has seen its task */
    produce(records, 3);
    dispatch = open_dispatch();
    poll_until(dispatch, LEDGER_SENT, 1);
    poll_until(dispatch, LEDGER_WITHDRAWN, 1);
    dispatch_close(dispatch); /* the next one knows from the ledger that the first is out */
    records[0] = stamped_withdrawal(0);
    produce(records, 1);
    dispatch = open_dispatch();
    poll_until(dispatch, LEDGER_WITHDRAWN, 1);
    dispatch_close(dispatch);
    read_topic(world.queue, 1, &seen);
    ck_assert_uint_eq(seen.count, 2);
    ck_assert_str_eq(seen.ids[0], "task0000");
    ck_assert_str_eq(seen.ids[1], "task0000-withdrawn");
    close_world();
}
END_TEST

/* Write records [from, to) in small pieces, so that dispatch is in the midst of its transactions
 * whenever this returns. */
static void stream(const struct record *records, int from, int to)
{
    for (int i = from; i < to; i += 3) {
        produce(records + i, (size_t)(to - i < 3 ? to - i : 3));
        clock_sleep_ms(2);
    }
}

START_TEST(killed_again_and_again_it_neither_loses_nor_doubles)
{
    static struct record records[300];
    pid_t pid;

    open_world("killed");
    for (int i = 0; i < 300; i++)
        records[i] = stamped_task(i);
    for (int round = 0; round < 3; round++) {
        pid = fork_dispatch(world.group);
        produce(records, (size_t)(100 * round + 1)); /* with all that came before */
        wait_for_queue((size_t)(100 * round + 1));
        stream(records, 100 * round + 1, 100 * round + 40 + round);
        kill_dispatch(pid);
        stream(records, 100 * round, 100 * (round + 1));
    }
    pid = fork_dispatch(world.group);
    wait_for_queue(300);
    kill_dispatch(pid);
    expect_each_task_once(300);
    close_world();
}
END_TEST

START_TEST(two_processes_take_over_from_each_other)
{
    static struct record records[300];
    pid_t first, second;

    open_world("two");
    for (int i = 0; i < 300; i++)
        records[i] = stamped_task(i);
    first = fork_dispatch("two-first");
    produce(records, 50);
    wait_for_queue(50);
    second = fork_dispatch("two-second");
    stream(records, 50, 200); /* while the partitions move */
    wait_for_queue(120);
    stream(records, 200, 230);
    kill_dispatch(first); /* what it has open holds back the other, until it times out */
    produce(records, 300);
    wait_for_queue(300);
    kill_dispatch(second);
    expect_each_task_once(300);
    close_world();
}
END_TEST

START_TEST(one_that_was_thought_dead_and_wakes_up_does_no_harm)
{
    static struct record records[200];
    pid_t sleeper, heir;

    open_world("zombie");
    for (int i = 0; i < 200; i++)
        records[i] = stamped_task(i);
    sleeper = fork_dispatch("zombie-sleeper");
    produce(records, 1);
    wait_for_queue(1);
    stream(records, 1, 60);
    kill(sleeper, SIGSTOP); /* longer than its session in the group */
    heir = fork_dispatch("zombie-heir");
    produce(records, 150);
    wait_for_queue(150);
    kill(sleeper, SIGCONT);
    stream(records, 150, 200);
    wait_for_queue(200);
    clock_sleep_ms(2000); /* for whatever the sleeper may still want to do */
    kill_dispatch(sleeper);
    kill_dispatch(heir);
    expect_each_task_once(200);
    close_world();
}
END_TEST

START_TEST(what_dispatch_cannot_send_comes_back_as_an_outcome)
{
    static struct seen seen;
    struct record records[2];
    struct task late, strange;
    struct dispatch *dispatch;

    open_world("outcomes");
    late = task_of(0);
    late.deadline_ms = world.now_ms;
    strange = task_of(1);
    strange.channel = STR("pigeon");
    records[0] = stamp(sample_task_record(&late, world.arena));
    records[1] = stamp(sample_task_record(&strange, world.arena));
    produce(records, 2);
    dispatch = open_dispatch();
    poll_until(dispatch, LEDGER_EXPIRED, 1);
    poll_until(dispatch, LEDGER_FAILED, 1);
    dispatch_close(dispatch);
    read_topic(world.outcomes, 1, &seen);
    ck_assert_uint_eq(seen.count, 2);
    ck_assert_uint_eq(times_seen(&seen, "task0000-expired"), 1);
    ck_assert_uint_eq(times_seen(&seen, "task0001-failed"), 1);
    ck_assert_uint_eq(in_queue(), 0);
    close_world();
}
END_TEST

START_TEST(a_task_that_waits_is_remembered_by_the_next_owner)
{
    struct task_window window = {SAMPLE_CREATED_MS + 60000, SAMPLE_CREATED_MS + 120000};
    struct dispatch *dispatch;
    struct record record;
    struct task task;

    open_world("window");
    task = task_of(0);
    task.windows = &window;
    task.window_count = 1;
    record = stamp(sample_task_record(&task, world.arena));
    produce(&record, 1);
    dispatch = open_dispatch();
    poll_until(dispatch, LEDGER_PENDING, 1);
    dispatch_close(dispatch);
    ck_assert_uint_eq(in_queue(), 0);
    world.now_ms = window.from_ms;
    dispatch = open_dispatch();
    poll_until(dispatch, LEDGER_SENT, 1);
    dispatch_close(dispatch);
    expect_each_task_once(1);
    close_world();
}
END_TEST

START_TEST(a_queue_whose_topic_is_made_later_gets_its_tasks)
{
    static struct seen seen;
    struct dispatch *dispatch;
    struct record records[2];
    struct task task;

    open_world("late");
    task = task_of(0);
    task.queue = STR("late.garage");
    records[0] = stamp(sample_task_record(&task, world.arena));
    records[1] = stamped_task(1); /* others do not wait for it */
    produce(records, 2);
    dispatch = open_dispatch();
    poll_until(dispatch, LEDGER_PENDING, 1);
    poll_until(dispatch, LEDGER_SENT, 1);
    create_topic("contact.late.garage", 1);
    for (int64_t until_ms = clock_mono_ms() + PATIENCE_MS;
         dispatch_counters(dispatch)->states[LEDGER_SENT] < 2 && clock_mono_ms() < until_ms;) {
        world.now_ms += 100;
        dispatch_poll(dispatch, 50, NULL);
    }
    dispatch_close(dispatch);
    read_topic("contact.late.garage", 1, &seen);
    ck_assert_uint_eq(seen.count, 1);
    close_world();
}
END_TEST

START_TEST(its_metrics_are_what_prometheus_takes)
{
    struct dispatch *dispatch;
    struct record record;
    struct buf out = {0};
    char command[512];

    open_world("metrics");
    record = stamped_task(0);
    produce(&record, 1);
    dispatch = open_dispatch();
    poll_until(dispatch, LEDGER_SENT, 1);
    metric_write_all(&out);
    ck_assert(str_contains(
        buf_str(&out), STR("attent_dispatch_tasks_total{channel=\"phone\",state=\"sent\"} 1\n")));
    ck_assert(str_contains(buf_str(&out), STR("attent_ready{part=\"dispatch\"} 1\n")));
    snprintf(command, sizeof command, "promtool check metrics < %s",
             scratch_write(scratch_dir(), "metrics", buf_text(&out)));
    ck_assert_int_eq(system(command), 0);
    buf_free(&out);
    dispatch_close(dispatch);
    close_world();
}
END_TEST

START_TEST(a_ledger_of_another_size_stops_the_start)
{
    struct dispatch *dispatch;
    struct err err = {0};

    open_world("size");
    create_topic("size.small", 1);
    world.config.ledger_topic = "size.small";
    ck_assert_int_eq(dispatch_open(&world.config, &dispatch, &err), ERR_CONFIG);
    ck_assert_ptr_nonnull(strstr(err.text, "size.small"));
    world.config.ledger_topic = "size.none";
    ck_assert_int_eq(dispatch_open(&world.config, &dispatch, &err), ERR_CONFIG);
    ck_assert_ptr_null(dispatch);
    close_world();
}
END_TEST

/* --- channels that deliver ------------------------------------------------------------------- */

/* A scripted channel beside "phone" (index 0); its log. */
static const char *add_scripted(const struct connector_class *class, const char *options)
{
    size_t index = world.config.channel_count++;
    const char *name = arena_format(world.arena, "way%zu", index).data;
    const char *log = scratch_path(scratch_dir(), name);
    const char *yaml = arena_format(world.arena, "{log: %s, %s}", log, options).data;

    world.channels[index] =
        (struct channel_config){str_of(name), class, scripted_conf(yaml, world.arena)};
    return log;
}

static struct record stamped_for(int number, int channel, int customers)
{
    struct task task = task_of(number);

    task.channel = arena_format(world.arena, "way%d", channel);
    task.customer = arena_format(world.arena, "C-%d", number % customers);
    return stamp(sample_task_record(&task, world.arena));
}

static uint64_t ended(const struct dispatch *dispatch)
{
    const uint64_t *states = dispatch_counters(dispatch)->states;

    return states[LEDGER_SENT] + states[LEDGER_FAILED] + states[LEDGER_UNKNOWN];
}

static void poll_until_ended(struct dispatch *dispatch, uint64_t count)
{
    int64_t until_ms = clock_mono_ms() + PATIENCE_MS;

    while (ended(dispatch) < count) {
        ck_assert_msg(clock_mono_ms() < until_ms, "only %d of %d", (int)ended(dispatch),
                      (int)count);
        dispatch_poll(dispatch, 50, NULL);
    }
}

static void wait_for_death(pid_t pid)
{
    int status;

    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "it lives or said no");
}

/* A process dies in its first attempt, before or after the receiver has it; another takes over. */
static struct scripted_count die_and_take_over(const char *name,
                                               const struct connector_class *class,
                                               const char *word, enum ledger_state then)
{
    const char *log, *options;
    struct record record;
    struct dispatch *dispatch;

    open_world(name);
    options = arena_format(world.arena, "script: [%s, accept]", word).data;
    log = add_scripted(class, options);
    record = stamped_for(0, 1, 1);
    produce(&record, 1);
    wait_for_death(fork_dispatch(world.group));
    dispatch = open_dispatch();
    while (dispatch_counters(dispatch)->adopted == 0)
        dispatch_poll(dispatch, 50, NULL);
    world.now_ms += 60000; /* as long as it takes until it is asked, or tried again */
    while (dispatch_counters(dispatch)->states[then] == 0 ||
           (class->ask != NULL && dispatch_counters(dispatch)->states[LEDGER_SENT] == 0)) {
        world.now_ms += 1000;
        dispatch_poll(dispatch, 50, NULL);
    }
    dispatch_close(dispatch);
    close_world();
    return scripted_count(log, "deliver");
}

START_TEST(killed_before_the_receiver_has_it_each_class_keeps_its_promise)
{
    struct scripted_count at_most =
        die_and_take_over("before-most", &scripted_class, "kill", LEDGER_UNKNOWN);
    struct scripted_count asked =
        die_and_take_over("before-ask", &scripted_askable_class, "kill", LEDGER_SENT);
    struct scripted_count idempotent =
        die_and_take_over("before-idem", &scripted_idempotent_class, "kill", LEDGER_SENT);

    ck_assert_uint_eq(at_most.lines, 0);
    ck_assert_uint_eq(asked.lines, 1);
    ck_assert_uint_eq(idempotent.lines, 1);
}
END_TEST

START_TEST(killed_after_the_receiver_has_it_each_class_keeps_its_promise)
{
    struct scripted_count at_most =
        die_and_take_over("after-most", &scripted_class, "killed", LEDGER_UNKNOWN);
    struct scripted_count asked =
        die_and_take_over("after-ask", &scripted_askable_class, "killed", LEDGER_SENT);
    struct scripted_count idempotent =
        die_and_take_over("after-idem", &scripted_idempotent_class, "killed", LEDGER_SENT);

    ck_assert_uint_eq(at_most.lines, 1);
    ck_assert_uint_eq(asked.lines, 1);
    ck_assert_uint_eq(idempotent.lines, 2); /* under one id: its receiver drops the second */
    ck_assert_uint_eq(idempotent.tasks, 1);
}
END_TEST

START_TEST(killed_whenever_no_class_breaks_its_promise)
{
    enum { TASKS = 300 };
    static struct record records[TASKS];
    const char *logs[3];
    struct dispatch *dispatch;

    open_world("whenever");
    logs[0] = add_scripted(&scripted_class, "delay: 3ms");
    logs[1] = add_scripted(&scripted_askable_class, "delay: 3ms");
    logs[2] = add_scripted(&scripted_idempotent_class, "delay: 3ms");
    for (int i = 0; i < TASKS; i++)
        records[i] = stamped_for(i, 1 + i % 3, 20);
    for (int round = 0; round < 3; round++) {
        pid_t pid = fork_dispatch(world.group);
        size_t seen = scripted_count(logs[2], "deliver").lines;
        produce(records, (size_t)(80 * (round + 1)));
        while (scripted_count(logs[2], "deliver").lines < seen + 5)
            clock_sleep_ms(1);
        kill_dispatch(pid); /* with several under way */
    }
    produce(records, TASKS);
    dispatch = open_dispatch();
    world.started_mono_ms = clock_mono_ms();
    while (dispatch_counters(dispatch)->transactions < 3)
        dispatch_poll(dispatch, 50, NULL);
    world.now_ms += 60000;
    while (scripted_count(logs[1], "deliver").tasks < TASKS / 3 ||
           scripted_count(logs[2], "deliver").tasks < TASKS / 3)
        dispatch_poll(dispatch, 50, NULL);
    dispatch_close(dispatch);
    ck_assert_uint_eq(scripted_count(logs[0], "deliver").most, 1);
    ck_assert_uint_eq(scripted_count(logs[1], "deliver").lines, TASKS / 3); /* each once */
    close_world();
}
END_TEST

/* In a log, the first arrivals of each customer's tasks are in the order they were decided. */
static void expect_order(const char *log, int customers)
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

START_TEST(ten_thousand_tasks_with_faults_each_reach_the_receiver)
{
    enum { TASKS = 10000, CUSTOMERS_MANY = 2000 };
    struct record *records;
    struct dispatch *dispatch;
    const char *log;
    struct scripted_count count;
    int64_t from_ms;

    open_world("many");
    records = ARENA_ARRAY(world.arena, struct record, TASKS);
    log = add_scripted(&scripted_idempotent_class,
                       "faults: 5, concurrency: 32, breaker.failures: 1000,"
                       " retries: [20ms, 20ms, 20ms, 20ms, 20ms, 20ms]");
    for (int i = 0; i < TASKS; i++)
        records[i] = stamped_for(i, 1, CUSTOMERS_MANY);
    produce(records, TASKS);
    world.started_mono_ms = from_ms = clock_mono_ms();
    dispatch = open_dispatch();
    poll_until_ended(dispatch, TASKS);
    fprintf(stderr, "10000 tasks: %d ms, %d transactions\n", (int)(clock_mono_ms() - from_ms),
            (int)dispatch_counters(dispatch)->transactions);
    ck_assert_uint_eq(dispatch_counters(dispatch)->states[LEDGER_SENT], TASKS);
    dispatch_close(dispatch);
    count = scripted_count(log, "deliver");
    ck_assert_uint_eq(count.tasks, TASKS);
    ck_assert_uint_gt(count.lines, TASKS); /* some of those in doubt had come */
    expect_order(log, CUSTOMERS_MANY);
    close_world();
}
END_TEST

START_TEST(one_slow_channel_of_a_hundred_leaves_the_others_at_speed)
{
    enum { CHANNELS = 100, EACH = 20 };
    static struct record records[CHANNELS * EACH];
    const char *slow, *other = NULL;
    struct dispatch *dispatch;

    open_world("hundred");
    slow = add_scripted(&scripted_class, "delay: 500ms, concurrency: 1");
    for (int i = 1; i < CHANNELS; i++)
        other = add_scripted(&scripted_class, "concurrency: 2");
    for (int i = 0; i < CHANNELS * EACH; i++)
        records[i] = stamped_for(i, 1 + i % CHANNELS, 50);
    produce(records, CHANNELS * EACH);
    dispatch = open_dispatch();
    poll_until_ended(dispatch, (CHANNELS - 1) * EACH);
    ck_assert_uint_lt(scripted_count(slow, "deliver").lines, EACH); /* it has not even ended */
    ck_assert_uint_eq(scripted_count(other, "deliver").most, 1);
    poll_until_ended(dispatch, CHANNELS * EACH);
    ck_assert_uint_eq(scripted_count(slow, "deliver").tasks, EACH);
    ck_assert_uint_eq(scripted_count(other, "deliver").tasks, EACH);
    dispatch_close(dispatch);
    close_world();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        tasks_reach_their_queue_once_although_records_come_twice,
        a_gap_is_waited_for_and_filled_when_the_source_sends_again,
        a_withdrawal_keeps_a_task_back_or_calls_it_back,
        killed_again_and_again_it_neither_loses_nor_doubles,
        two_processes_take_over_from_each_other,
        one_that_was_thought_dead_and_wakes_up_does_no_harm,
        what_dispatch_cannot_send_comes_back_as_an_outcome,
        a_task_that_waits_is_remembered_by_the_next_owner,
        a_queue_whose_topic_is_made_later_gets_its_tasks,
        its_metrics_are_what_prometheus_takes,
        a_ledger_of_another_size_stops_the_start,
        killed_before_the_receiver_has_it_each_class_keeps_its_promise,
        killed_after_the_receiver_has_it_each_class_keeps_its_promise,
        killed_whenever_no_class_breaks_its_promise,
        ten_thousand_tasks_with_faults_each_reach_the_receiver,
        one_slow_channel_of_a_hundred_leaves_the_others_at_speed,
    };

    return suite_run_with("dispatch", tests, sizeof tests / sizeof tests[0], 180, start, stop);
}
