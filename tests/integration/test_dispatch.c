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
#include "tests/support/world.h"

/* --- tests ------------------------------------------------------------------------------------- */

START_TEST(tasks_reach_their_queue_once_although_records_come_twice)
{
    static struct record records[30];
    struct dispatch *dispatch;

    world_open("once");
    for (int i = 0; i < 30; i++)
        records[i] = world_task_record(i);
    world_produce(records, 20);
    world_produce(records + 5, 15); /* decide died before it had kept its state */
    world_produce(records, 30);
    dispatch = world_dispatch();
    world_poll_until(dispatch, LEDGER_SENT, 30);
    world_expect_each_once(30);
    ck_assert_uint_eq(dispatch_counters(dispatch)->drops[DROP_REPEAT], 35);
    dispatch_close(dispatch);
    world_close();
}
END_TEST

START_TEST(a_gap_is_waited_for_and_filled_when_the_source_sends_again)
{
    static struct record records[30];
    struct dispatch *dispatch;

    world_open("gap");
    for (int i = 0; i < 30; i++)
        records[i] = world_task_record(i);
    world_produce(records, 10);
    world_produce(records + 20, 10);
    dispatch = world_dispatch();
    world_poll_until(dispatch, LEDGER_SENT, 10);
    while (dispatch_counters(dispatch)->drops[DROP_GAP] < 10)
        dispatch_poll(dispatch, 50, NULL);
    ck_assert_uint_eq(world_in_queue(), 10);
    world_produce(records, 30);
    world_poll_until(dispatch, LEDGER_SENT, 30);
    world_expect_each_once(30);
    dispatch_close(dispatch);
    world_close();
}
END_TEST

START_TEST(a_withdrawal_keeps_a_task_back_or_calls_it_back)
{
    static struct world_seen seen;
    struct record records[3];
    struct dispatch *dispatch;

    world_open("withdraw");
    records[0] = world_task_record(0);
    records[1] = world_task_record(1);
    records[2] = world_withdrawal_record(1); /* before dispatch has seen its task */
    world_produce(records, 3);
    dispatch = world_dispatch();
    world_poll_until(dispatch, LEDGER_SENT, 1);
    world_poll_until(dispatch, LEDGER_WITHDRAWN, 1);
    dispatch_close(dispatch); /* the next one knows from the ledger that the first is out */
    records[0] = world_withdrawal_record(0);
    world_produce(records, 1);
    dispatch = world_dispatch();
    world_poll_until(dispatch, LEDGER_WITHDRAWN, 1);
    dispatch_close(dispatch);
    world_read(world.queue, 1, &seen);
    ck_assert_uint_eq(seen.count, 2);
    ck_assert_str_eq(seen.ids[0], "task0000");
    ck_assert_str_eq(seen.ids[1], "task0000-withdrawn");
    world_close();
}
END_TEST

/* Write records [from, to) in small pieces, so that dispatch is in the midst of its transactions
 * whenever this returns. */
static void stream(const struct record *records, int from, int to)
{
    for (int i = from; i < to; i += 3) {
        world_produce(records + i, (size_t)(to - i < 3 ? to - i : 3));
        clock_sleep_ms(2);
    }
}

START_TEST(killed_again_and_again_it_neither_loses_nor_doubles)
{
    static struct record records[300];
    pid_t pid;

    world_open("killed");
    for (int i = 0; i < 300; i++)
        records[i] = world_task_record(i);
    for (int round = 0; round < 3; round++) {
        pid = world_fork(world.group);
        world_produce(records, (size_t)(100 * round + 1)); /* with all that came before */
        world_wait_for_queue((size_t)(100 * round + 1));
        stream(records, 100 * round + 1, 100 * round + 40 + round);
        world_kill(pid);
        stream(records, 100 * round, 100 * (round + 1));
    }
    pid = world_fork(world.group);
    world_wait_for_queue(300);
    world_kill(pid);
    world_expect_each_once(300);
    world_close();
}
END_TEST

START_TEST(two_processes_take_over_from_each_other)
{
    static struct record records[300];
    pid_t first, second;

    world_open("two");
    for (int i = 0; i < 300; i++)
        records[i] = world_task_record(i);
    first = world_fork("two-first");
    world_produce(records, 50);
    world_wait_for_queue(50);
    second = world_fork("two-second");
    stream(records, 50, 200); /* while the partitions move */
    world_wait_for_queue(120);
    stream(records, 200, 230);
    world_kill(first); /* what it has open holds back the other, until it times out */
    world_produce(records, 300);
    world_wait_for_queue(300);
    world_kill(second);
    world_expect_each_once(300);
    world_close();
}
END_TEST

START_TEST(one_that_was_thought_dead_and_wakes_up_does_no_harm)
{
    static struct record records[200];
    pid_t sleeper, heir;

    world_open("zombie");
    for (int i = 0; i < 200; i++)
        records[i] = world_task_record(i);
    sleeper = world_fork("zombie-sleeper");
    world_produce(records, 1);
    world_wait_for_queue(1);
    stream(records, 1, 60);
    kill(sleeper, SIGSTOP); /* longer than its session in the group */
    heir = world_fork("zombie-heir");
    world_produce(records, 150);
    world_wait_for_queue(150);
    kill(sleeper, SIGCONT);
    stream(records, 150, 200);
    world_wait_for_queue(200);
    clock_sleep_ms(2000); /* for whatever the sleeper may still want to do */
    world_kill(sleeper);
    world_kill(heir);
    world_expect_each_once(200);
    world_close();
}
END_TEST

START_TEST(what_dispatch_cannot_send_comes_back_as_an_outcome)
{
    static struct world_seen seen;
    struct record records[2];
    struct task late, strange;
    struct dispatch *dispatch;

    world_open("outcomes");
    late = world_task(0);
    late.deadline_ms = world.now_ms;
    strange = world_task(1);
    strange.channel = STR("pigeon");
    records[0] = world_stamp(sample_task_record(&late, world.arena));
    records[1] = world_stamp(sample_task_record(&strange, world.arena));
    world_produce(records, 2);
    dispatch = world_dispatch();
    world_poll_until(dispatch, LEDGER_EXPIRED, 1);
    world_poll_until(dispatch, LEDGER_FAILED, 1);
    dispatch_close(dispatch);
    world_read(world.outcomes, 1, &seen);
    ck_assert_uint_eq(seen.count, 2);
    ck_assert_uint_eq(world_times_seen(&seen, "task0000-expired"), 1);
    ck_assert_uint_eq(world_times_seen(&seen, "task0001-failed"), 1);
    ck_assert_uint_eq(world_in_queue(), 0);
    world_close();
}
END_TEST

START_TEST(a_task_that_waits_is_remembered_by_the_next_owner)
{
    struct task_window window = {SAMPLE_CREATED_MS + 60000, SAMPLE_CREATED_MS + 120000};
    struct dispatch *dispatch;
    struct record record;
    struct task task;

    world_open("window");
    task = world_task(0);
    task.windows = &window;
    task.window_count = 1;
    record = world_stamp(sample_task_record(&task, world.arena));
    world_produce(&record, 1);
    dispatch = world_dispatch();
    world_poll_until(dispatch, LEDGER_PENDING, 1);
    dispatch_close(dispatch);
    ck_assert_uint_eq(world_in_queue(), 0);
    world.now_ms = window.from_ms;
    dispatch = world_dispatch();
    world_poll_until(dispatch, LEDGER_SENT, 1);
    dispatch_close(dispatch);
    world_expect_each_once(1);
    world_close();
}
END_TEST

START_TEST(a_queue_whose_topic_is_made_later_gets_its_tasks)
{
    static struct world_seen seen;
    struct dispatch *dispatch;
    struct record records[2];
    struct task task;

    world_open("late");
    task = world_task(0);
    task.queue = STR("late.garage");
    records[0] = world_stamp(sample_task_record(&task, world.arena));
    records[1] = world_task_record(1); /* others do not wait for it */
    world_produce(records, 2);
    dispatch = world_dispatch();
    world_poll_until(dispatch, LEDGER_PENDING, 1);
    world_poll_until(dispatch, LEDGER_SENT, 1);
    world_create_topic("contact.late.garage", 1);
    for (int64_t until_ms = clock_mono_ms() + WORLD_PATIENCE_MS;
         dispatch_counters(dispatch)->states[LEDGER_SENT] < 2 && clock_mono_ms() < until_ms;) {
        world.now_ms += 100;
        dispatch_poll(dispatch, 50, NULL);
    }
    dispatch_close(dispatch);
    world_read("contact.late.garage", 1, &seen);
    ck_assert_uint_eq(seen.count, 1);
    world_close();
}
END_TEST

START_TEST(its_metrics_are_what_prometheus_takes)
{
    struct dispatch *dispatch;
    struct record record;
    struct buf out = {0};
    char command[512];

    world_open("metrics");
    record = world_task_record(0);
    world_produce(&record, 1);
    dispatch = world_dispatch();
    world_poll_until(dispatch, LEDGER_SENT, 1);
    metric_write_all(&out);
    ck_assert(str_contains(
        buf_str(&out), STR("attent_dispatch_tasks_total{channel=\"phone\",state=\"sent\"} 1\n")));
    ck_assert(str_contains(buf_str(&out), STR("attent_ready{part=\"dispatch\"} 1\n")));
    snprintf(command, sizeof command, "promtool check metrics < %s",
             scratch_write(scratch_dir(), "metrics", buf_text(&out)));
    ck_assert_int_eq(system(command), 0);
    buf_free(&out);
    dispatch_close(dispatch);
    world_close();
}
END_TEST

START_TEST(a_ledger_of_another_size_stops_the_start)
{
    struct dispatch *dispatch;
    struct err err = {0};

    world_open("size");
    world_create_topic("size.small", 1);
    world.config.ledger_topic = "size.small";
    ck_assert_int_eq(dispatch_open(&world.config, &dispatch, &err), ERR_CONFIG);
    ck_assert_ptr_nonnull(strstr(err.text, "size.small"));
    world.config.ledger_topic = "size.none";
    ck_assert_int_eq(dispatch_open(&world.config, &dispatch, &err), ERR_CONFIG);
    ck_assert_ptr_null(dispatch);
    world_close();
}
END_TEST

/* --- channels that deliver ------------------------------------------------------------------- */

/* A process dies in its first attempt, before or after the receiver has it; another takes over. */
static struct scripted_count die_and_take_over(const char *name,
                                               const struct connector_class *class,
                                               const char *word, enum ledger_state then)
{
    const char *log, *options;
    struct record record;
    struct dispatch *dispatch;

    world_open(name);
    options = arena_format(world.arena, "script: [%s, accept]", word).data;
    log = world_add_channel(class, options);
    record = world_record_for(0, 1, 1);
    world_produce(&record, 1);
    world_wait_for_death(world_fork(world.group));
    dispatch = world_dispatch();
    while (dispatch_counters(dispatch)->adopted == 0) {
        world.now_ms += 1000; /* until nothing comes of that attempt any more */
        dispatch_poll(dispatch, 50, NULL);
    }
    world.now_ms += 60000; /* as long as it takes until it is tried again */
    while (dispatch_counters(dispatch)->states[then] == 0 ||
           (class->ask != NULL && dispatch_counters(dispatch)->states[LEDGER_SENT] == 0)) {
        world.now_ms += 1000;
        dispatch_poll(dispatch, 50, NULL);
    }
    dispatch_close(dispatch);
    world_close();
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

    world_open("whenever");
    logs[0] = world_add_channel(&scripted_class, "delay: 3ms");
    logs[1] = world_add_channel(&scripted_askable_class, "delay: 3ms");
    logs[2] = world_add_channel(&scripted_idempotent_class, "delay: 3ms");
    for (int i = 0; i < TASKS; i++)
        records[i] = world_record_for(i, 1 + i % 3, 20);
    for (int round = 0; round < 3; round++) {
        pid_t pid = world_fork(world.group);
        size_t seen = scripted_count(logs[2], "deliver").lines;
        world_produce(records, (size_t)(80 * (round + 1)));
        while (scripted_count(logs[2], "deliver").lines < seen + 5)
            clock_sleep_ms(1);
        world_kill(pid); /* with several under way */
    }
    world_produce(records, TASKS);
    dispatch = world_dispatch();
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
    world_close();
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
    };

    return suite_run_with("dispatch", tests, sizeof tests / sizeof tests[0], 180, world_start_kafka,
                          world_stop_kafka);
}
