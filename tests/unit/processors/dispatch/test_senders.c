/* tsan: yes */
#include "core/clock.h"
#include "core/mem.h"
#include "processors/dispatch/flights.h"
#include "tests/support/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/scripted.h"
#include "tests/support/suite.h"

static struct arena *arena;
static struct channels *channels;
static const char *log_path;

static void open_channel(const char *options)
{
    struct channel_config config = {.name = STR("phone"), .class = &scripted_class};

    arena = arena_new(0);
    log_path = scratch_path(scratch_dir(), "log");
    config.conf =
        scripted_conf(arena_format(arena, "{log: %s, %s}", log_path, options).data, arena);
    ck_assert_int_eq(channels_open(&config, 1, &channels, NULL), ERR_NONE);
}

static void close_channel(void)
{
    channels_close(channels);
    arena_free(arena);
}

static struct job *make_job(int number, int64_t begin_within_ms)
{
    const char *id = arena_format(arena, "task%04d", number).data;
    struct task task = sample_task(id);
    struct job *job = MEM_NEW(struct job);
    struct buf json = {0};

    task_put_json(&json, &task);
    strcpy(job->id, id);
    job->attempt = 1;
    job->task = mem_copy_text(json.data, json.len);
    job->task_bytes = json.len;
    job->address = mem_copy_text("", 0);
    job->begin_by_mono_ms = clock_mono_ms() + begin_within_ms;
    buf_free(&json);
    return job;
}

START_TEST(many_jobs_by_several_threads_each_end_once)
{
    enum { JOBS = 400 };
    struct flights *flights;
    size_t ended = 0;

    open_channel("concurrency: 8");
    flights = flights_open(channels, NULL);
    for (int i = 0; i < JOBS; i++) {
        gate_begin(channels_at(channels, 0)->gate, STR_EMPTY, 0);
        flights_begin(flights, make_job(i, 60000));
    }
    while (flights_under_way(flights) != 0) {
        flights_wait(flights, 100);
        flights_collect(flights, 0);
    }
    for (const struct job *job = flights_ended(flights, NULL); job != NULL;
         job = flights_ended(flights, job)) {
        ck_assert_int_eq(job->result, DELIVERY_ACCEPTED);
        ended++;
    }
    ck_assert_uint_eq(ended, JOBS);
    ck_assert(flights_knows(flights, STR("task0007")));
    flights_forget_ended(flights);
    ck_assert(!flights_knows(flights, STR("task0007")));
    flights_close(flights);
    ck_assert_uint_eq(scripted_count(log_path, "deliver").lines, JOBS);
    ck_assert_uint_eq(scripted_count(log_path, "deliver").most, 1);
    close_channel();
}
END_TEST

START_TEST(what_is_not_begun_in_time_is_surely_not_sent)
{
    struct flights *flights;

    open_channel("concurrency: 1");
    flights = flights_open(channels, NULL);
    gate_begin(channels_at(channels, 0)->gate, STR_EMPTY, 0);
    flights_begin(flights, make_job(1, -1));
    while (flights_under_way(flights) != 0) {
        flights_wait(flights, 100);
        flights_collect(flights, 0);
    }
    ck_assert_int_eq(flights_ended(flights, NULL)->result, DELIVERY_RETRY);
    flights_close(flights);
    ck_assert_uint_eq(scripted_count(log_path, "deliver").lines, 0);
    close_channel();
}
END_TEST

/* The simulator's find (issue 9): a process that had stood still took its question for answered. */
START_TEST(a_question_that_was_not_asked_in_time_has_no_answer)
{
    struct job *job;
    struct flights *flights;

    open_channel("concurrency: 1");
    flights = flights_open(channels, NULL);
    job = make_job(1, -1);
    job->kind = JOB_ASK;
    gate_begin(channels_at(channels, 0)->gate, STR_EMPTY, 0);
    flights_begin(flights, job);
    while (flights_under_way(flights) != 0) {
        flights_wait(flights, 100);
        flights_collect(flights, 0);
    }
    ck_assert_int_eq(flights_ended(flights, NULL)->result, DELIVERY_DOWN);
    flights_forget_ended(flights);
    job = make_job(2, 60000);
    job->kind = JOB_ASK;
    gate_begin(channels_at(channels, 0)->gate, STR_EMPTY, 0);
    flights_give_up(flights, job);
    ck_assert_int_eq(flights_ended(flights, NULL)->result, DELIVERY_DOWN);
    flights_close(flights);
    close_channel();
}
END_TEST

START_TEST(closing_waits_for_calls_under_way_and_begins_no_other)
{
    struct flights *flights;
    size_t lines;

    open_channel("concurrency: 2, delay: 20ms");
    flights = flights_open(channels, NULL);
    for (int i = 0; i < 50; i++) {
        gate_begin(channels_at(channels, 0)->gate, STR_EMPTY, 0);
        flights_begin(flights, make_job(i, 60000));
    }
    flights_close(flights);
    lines = scripted_count(log_path, "deliver").lines;
    ck_assert_uint_le(lines, 10);
    close_channel();
}
END_TEST

SUITE_MAIN("senders", many_jobs_by_several_threads_each_end_once,
           what_is_not_begun_in_time_is_surely_not_sent,
           a_question_that_was_not_asked_in_time_has_no_answer,
           closing_waits_for_calls_under_way_and_begins_no_other)
