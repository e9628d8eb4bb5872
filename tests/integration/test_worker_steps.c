/* kill -9 at every step of the worker (core/fail_points.def): a process dies there, another takes over, and
 * what a reader takes, the states and the timers are those of an undisturbed run.
 *
 * The log is years old, so ticks are written as soon as the log has been read.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "tests/support/lives.h"
#include "tests/support/scene.h"
#include "tests/support/suite.h"

enum { PASSES = 2, EVENTS = 1200 };

/* Which pass: the first, and one in the middle of the work; 0: there is none that is sure. */
static int pass_of(enum fail_point point, int pass)
{
    if (point == FAIL_OUTPUT_SENT)
        return pass == 1 ? 1 : 60;
    if (point == FAIL_CLAIMED) /* each partition */
        return pass;
    if (point == FAIL_NEXT_TOLD || point == FAIL_TICKED || point == FAIL_HANDED_OVER)
        return pass == 1;
    return pass == 1 ? 1 : 9;
}

static pid_t begin_to_die(const struct scene *s, enum fail_point point, int pass)
{
    pid_t pid = fork();
    struct worker *w;

    if (pid != 0)
        return pid;
    fail_point_set(point, pass);
    if (worker_open(&s->config, &s->class, NULL, &w, NULL) != ERR_NONE)
        _exit(1);
    for (;;)
        worker_poll(w, 50, NULL);
}

static void wait_for_death(pid_t pid)
{
    int status;

    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "it ended by itself");
}

/* Both partitions are its own. */
static void wait_for_work(const struct scene *s)
{
    struct redis *r = scene_redis_open(s);
    int64_t until_ms = clock_mono_ms() + SCENE_WAIT_MS;

    for (int32_t p = 0; p < SCENE_INPUTS; p++)
        for (; scene_kept_next(s, r, p) <= 0; clock_sleep_ms(20))
            ck_assert(clock_mono_ms() < until_ms);
    redis_close(r);
}

/* Who comes after a death runs with care (processors/worker/trial.h): one death is no poison. */
static enum err_code read_none(void *context, const char *topic, struct skip_list *out,
                               struct err *err)
{
    (void)context, (void)topic, (void)out, (void)err;
    return ERR_NONE;
}

static enum err_code add_never(void *context, const struct skip *skip, const struct record *letter,
                               struct err *err)
{
    (void)context, (void)letter, (void)err;
    ck_abort_msg("record %lld is taken for poison", (long long)skip->spot.offset);
}

static const struct skip_store no_skips = {NULL, read_none, add_never};

static void live(enum fail_point point, int pass)
{
    bool together = point == FAIL_HANDED_OVER; /* it dies because another one comes */
    struct scene s;
    struct worker *w;
    pid_t pid;

    if (pass_of(point, pass) == 0)
        return;
    scene_open(&s, lives_name(point, pass));
    s.config.time = WORKER_TIME_WALL;
    s.config.skips = &no_skips;
    s.config.dlq = "none";
    scene_feed(&s, 1, EVENTS);
    pid = begin_to_die(&s, point, pass_of(point, pass));
    if (together)
        wait_for_work(&s);
    else
        wait_for_death(pid);
    scene_feed(&s, 2, EVENTS / 3);
    w = scene_worker(&s);
    scene_run_until_kept(&s, w);
    if (together)
        wait_for_death(pid);
    scene_run_until_kept(&s, w);
    worker_close(w);
    scene_compare(&s);
}

START_TEST(killed_at_any_step_a_worker_loses_and_doubles_nothing)
{
    lives_run("worker", PASSES, live);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {killed_at_any_step_a_worker_loses_and_doubles_nothing};

    return suite_run_with("worker_steps", tests, 1, 180, scene_start_servers, scene_stop_servers);
}
