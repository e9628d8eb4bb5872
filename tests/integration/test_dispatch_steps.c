/* kill -9 at every step of dispatch (core/fail_points.def): a process dies there, another takes over,
 * and what each channel promises is counted at its receiver. */
#include <stdlib.h>
#include <unistd.h>

#include "core/clock.h"
#include "tests/support/lives.h"
#include "tests/support/scripted.h"
#include "tests/support/suite.h"
#include "tests/support/world.h"

enum { EACH = 3, WAYS = 3, TASKS = EACH * (WAYS + 1), PASSES = 3 };

static const struct connector_class *const classes[WAYS] = {
    &scripted_class, &scripted_askable_class, &scripted_idempotent_class};

/* A third of the tasks for each way, the rest for the queue. */
static void write_tasks(void)
{
    static struct record records[TASKS];

    for (int i = 0; i < TASKS; i++)
        records[i] =
            i % (WAYS + 1) == 0 ? world_task_record(i) : world_record_for(i, i % (WAYS + 1), TASKS);
    world_produce(records, TASKS);
}

/* A process that dies at its n-th pass.  The answers come one by one, so that each is a transaction. */
static void live_and_die(enum fail_point point, int pass)
{
    pid_t pid = fork();
    struct dispatch *dispatch;

    if (pid == 0) {
        fail_point_set(point, pass);
        if (dispatch_open(&world.config, &dispatch, NULL) != ERR_NONE)
            _exit(1);
        for (;;)
            dispatch_poll(dispatch, 50, NULL);
    }
    world_wait_for_death(pid);
}

/* Until nothing is open any more; time passes for those who are asked or tried again. */
static void take_over(uint64_t *unknown)
{
    struct dispatch *dispatch = world_dispatch();
    int64_t until_ms = clock_mono_ms() + WORLD_PATIENCE_MS, quiet_since_ms = clock_mono_ms();
    uint64_t seen = 0;

    while (clock_mono_ms() < quiet_since_ms + 1500 ||
           dispatch_counters(dispatch)->transactions == 0) {
        ck_assert(clock_mono_ms() < until_ms);
        dispatch_poll(dispatch, 50, NULL);
        world.now_ms += 5000;
        if (dispatch_counters(dispatch)->transactions != seen)
            quiet_since_ms = clock_mono_ms();
        seen = dispatch_counters(dispatch)->transactions;
    }
    *unknown = dispatch_counters(dispatch)->states[LEDGER_UNKNOWN];
    dispatch_close(dispatch);
}

/* The last state of each task in the ledger. */
static size_t count_last_states(const char *state)
{
    static struct world_seen seen;
    const char *text = arena_format(world.arena, "\"state\":\"%s\"", state).data;
    size_t count = 0;

    world_read(world.ledger, WORLD_PARTITIONS, &seen);
    for (size_t i = 0; i < seen.count; i++) {
        bool last = strncmp(seen.ids[i], "task", 4) == 0;
        for (size_t k = i + 1; k < seen.count && last; k++)
            last = strcmp(seen.ids[i], seen.ids[k]) != 0;
        count += last && str_contains(seen.values[i], str_of(text));
    }
    return count;
}

static void live(enum fail_point point, int pass)
{
    const char *logs[WAYS];
    struct scripted_count at_most, asked, idempotent;
    uint64_t unknown;

    world_open(lives_name(point, pass));
    for (int i = 0; i < WAYS; i++)
        logs[i] = world_add_channel(classes[i], "concurrency: 1, delay: 20ms");
    write_tasks();
    live_and_die(point, pass);
    take_over(&unknown);

    world_expect_each_once_of(EACH, WAYS + 1);
    at_most = scripted_count(logs[0], "deliver");
    asked = scripted_count(logs[1], "deliver");
    idempotent = scripted_count(logs[2], "deliver");
    ck_assert_uint_le(at_most.most, 1);
    ck_assert_uint_le(at_most.tasks, EACH);
    ck_assert_uint_eq(asked.lines, EACH); /* asked, and sent if it had not come: exactly once */
    ck_assert_uint_eq(asked.tasks, EACH);
    ck_assert_uint_eq(idempotent.tasks, EACH); /* a second one is under the same id */
    ck_assert_uint_le(idempotent.most, 2);
    /* nothing is open, nothing lost: what did not come, or nobody knows of, says so */
    ck_assert_uint_eq(count_last_states("sent") + count_last_states("unknown"), TASKS);
    ck_assert_uint_le(EACH - at_most.tasks, count_last_states("unknown"));
    ck_assert_uint_le(count_last_states("unknown"), 1); /* one call at a time was under way */
    world_close();
}

START_TEST(killed_at_any_step_no_channel_breaks_its_promise)
{
    lives_run("dispatch", PASSES, live);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {killed_at_any_step_no_channel_breaks_its_promise};

    return suite_run_with("dispatch_steps", tests, 1, 180, world_start_kafka, world_stop_kafka);
}
